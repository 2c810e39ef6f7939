//! Who listens on a node's ports: [`Node::listeners`], and [`Node::wait_listening`] in place of a fixed sleep.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::group::OPERATION;
use super::script;
use super::{Node, NodeError};
use crate::host::wait::{Check, WaitError, wait_for};
use crate::model::spec::network::Protocol;

const POLL: Duration = Duration::from_millis(50);

/// A socket that waits for connections or datagrams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The address that it is bound to; unspecified for all.
    pub ip: IpAddr,
    /// Its port.
    pub port: u16,
    /// The process that holds it, where that may be seen.
    pub pid: Option<u32>,
    /// That process's command line.
    pub command: String,
}

impl Listener {
    /// True where traffic to `ip` reaches it.
    #[must_use]
    pub fn serves(&self, ip: IpAddr) -> bool {
        // A socket for all IPv6 addresses mostly serves IPv4 as well.
        let all = self.ip.is_unspecified() && (self.ip.is_ipv6() || ip.is_ipv4());
        all || self.ip == ip.to_canonical()
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {} on {} is taken by ", self.port, self.ip)?;
        match self.pid {
            Some(pid) => write!(f, "pid {pid} ({})", self.command),
            None => f.write_str("a process that may not be seen"),
        }
    }
}

impl Node {
    /// Who listens on a port of the node, with the processes: to be asked before a server is started.
    ///
    /// # Errors
    /// [`NodeError`] when the node cannot be reached.
    pub async fn listeners(
        &self,
        protocol: Protocol,
        port: u16,
    ) -> Result<Vec<Listener>, NodeError> {
        self.sockets(protocol, port, true).await
    }

    /// Waits until something listens on a port of the node, at `ip` or at all addresses.
    ///
    /// # Errors
    /// [`NodeError`] when the node cannot be reached, or nothing listens `within` that time; it says what was seen.
    pub async fn wait_listening(
        &self,
        protocol: Protocol,
        port: u16,
        ip: IpAddr,
        within: Duration,
    ) -> Result<(), NodeError> {
        let waited = wait_for(within, POLL, || async {
            match self.sockets(protocol, port, false).await {
                Ok(seen) if seen.iter().any(|socket| socket.serves(ip)) => Check::Ready(()),
                Ok(seen) => Check::NotYet(elsewhere(&seen)),
                Err(error) => Check::Failed(error.message),
            }
        });
        waited.await.map_err(|error| match error {
            WaitError::Failed(message) => self.error(message),
            error => self.error(format!("nothing listens on {ip} port {port} ({error})")),
        })
    }

    async fn sockets(
        &self,
        protocol: Protocol,
        port: u16,
        with_processes: bool,
    ) -> Result<Vec<Listener>, NodeError> {
        let file = match protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Icmp => return Ok(Vec::new()),
        };
        let port = format!("{port:04X}");
        let processes = if with_processes { "processes" } else { "" };
        // Whose sockets they are, root may see.
        let by = if with_processes { self.root() } else { script::As::User };
        let line = self.operation(script::LISTENERS, by, &[file, &port, processes])?;
        let said = self.exec(&line, OPERATION).await?;
        if said.code != 0 {
            return Err(self.unexpected("listeners", &said));
        }
        Ok(parse(protocol, &said.stdout))
    }
}

fn elsewhere(seen: &[Listener]) -> String {
    if seen.is_empty() {
        return "no socket has that port".to_owned();
    }
    let seen: Vec<String> = seen.iter().map(|socket| socket.ip.to_string()).collect();
    format!("only on {}", seen.join(", "))
}

/// Reads what `listeners.sh` prints.
fn parse(protocol: Protocol, text: &str) -> Vec<Listener> {
    // TCP_LISTEN; and TCP_CLOSE, which is what the kernel calls a datagram socket that is not connected.
    let listens = if protocol == Protocol::Tcp { "0A" } else { "07" };
    let mut found = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["socket", local, state, inode] if *state == listens => {
                let Some((ip, port)) = address(local) else { continue };
                let listener = Listener { ip, port, pid: None, command: String::new() };
                found.push(((*inode).to_owned(), listener));
            }
            ["pid", inode, pid, command @ ..] => {
                let own = found.iter_mut().filter(|(own, at)| own == inode && at.pid.is_none());
                for (_, listener) in own {
                    listener.pid = pid.parse().ok();
                    listener.command = command.join(" ").trim_end().to_owned();
                }
            }
            _ => {}
        }
    }
    found.into_iter().map(|(_, listener)| listener).collect()
}

/// `0100007F:1451`, as the kernel prints an address: words of 32 bits, as a little-endian machine has them in memory.
fn address(text: &str) -> Option<(IpAddr, u16)> {
    let (ip, port) = text.split_once(':')?;
    let words: Option<Vec<u32>> = (0..ip.len() / 8)
        .map(|at| u32::from_str_radix(ip.get(at * 8..at * 8 + 8)?, 16).ok())
        .collect();
    let bytes: Vec<u8> = words?.into_iter().flat_map(u32::to_le_bytes).collect();
    let ip = match <[u8; 4]>::try_from(&*bytes) {
        Ok(bytes) => IpAddr::V4(Ipv4Addr::from(bytes)),
        Err(_) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(&*bytes).ok()?)).to_canonical(),
    };
    Some((ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_the_kernel_prints_them() {
        let check = |text: &str, expected: Option<(&str, u16)>| {
            let expected = expected.map(|(ip, port)| (ip.parse().unwrap(), port));
            assert_eq!(address(text), expected, "{text}");
        };
        check("010112C6:1451", Some(("198.18.1.1", 5201)));
        check("00000000:0016", Some(("0.0.0.0", 22)));
        check("00000000000000000000000000000000:0016", Some(("::", 22)));
        check("00000000000000000000000001000000:0016", Some(("::1", 22)));
        check("0000000000000000FFFF00000100007F:0016", Some(("127.0.0.1", 22)));
        check("0100:0016", None);
        check("01000000", None);
    }

    #[test]
    fn only_sockets_that_wait_are_listeners_and_their_processes_are_named() {
        let text = "socket 010112C6:1451 0A 77\nsocket 010112C6:1451 01 78\npid 77 42 iperf3 -s \n";
        let found = parse(Protocol::Tcp, text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].to_string(), "port 5201 on 198.18.1.1 is taken by pid 42 (iperf3 -s)");
        assert_eq!(parse(Protocol::Udp, "socket 00000000:1451 07 5\n")[0].pid, None);
        assert_eq!(elsewhere(&found), "only on 198.18.1.1");
    }

    #[test]
    fn a_socket_serves_its_address_or_all() {
        let serves = |own: &str, ip: &str| {
            let ip = ip.parse::<IpAddr>().unwrap();
            Listener { ip: own.parse().unwrap(), port: 1, pid: None, command: String::new() }
                .serves(ip)
        };
        assert!(serves("10.0.0.1", "10.0.0.1") && serves("0.0.0.0", "10.0.0.1"));
        assert!(serves("::", "10.0.0.1") && serves("::", "fd00::1"));
        assert!(!serves("10.0.0.11", "10.0.0.1") && !serves("0.0.0.0", "fd00::1"));
    }
}
