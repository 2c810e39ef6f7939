//! [`Listener`]: who listens on a port of a node, as `ss` tells.

use std::fmt;
use std::net::IpAddr;

/// A TCP socket that is listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listener {
    pub(super) port: u16,
    /// The command and the process id; `None` where the user may not see them.
    pub(super) owner: Option<(String, u32)>,
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.owner {
            Some((command, pid)) => write!(f, "{command} (pid {pid})"),
            None => write!(f, "a process that this user may not see"),
        }
    }
}

/// The line that lists the listeners on these ports.
pub(super) fn line(ports: &[u16]) -> String {
    let ports: Vec<String> = ports.iter().map(|port| format!("sport = :{port}")).collect();
    format!("ss -Hltnp '( {} )'", ports.join(" or "))
}

/// Those of the list that take a port from `ip`: they listen on it, or on every address.
pub(super) fn listeners(printed: &str, ip: IpAddr) -> Vec<Listener> {
    printed.lines().filter_map(|line| listener(line, ip)).collect()
}

/// `LISTEN 0 1024 198.18.77.2:12865 0.0.0.0:* users:(("netserver",pid=2258,fd=3))`.
fn listener(line: &str, ip: IpAddr) -> Option<Listener> {
    let mut words = line.split_whitespace().skip(3);
    let (address, port) = words.next()?.rsplit_once(':')?;
    let port = port.parse().ok()?;
    // `[::ffff:198.18.0.1]`, `fe80::1%eth0`.
    let address = address.trim_matches(['[', ']']).split('%').next()?;
    let everywhere = ["*", "0.0.0.0", "::"].contains(&address);
    let same =
        address.parse().is_ok_and(|address: IpAddr| address.to_canonical() == ip.to_canonical());
    let users = words.nth(1).and_then(|users| users.strip_prefix("users:((\""));
    let owner = users.and_then(|users| {
        let (command, rest) = users.split_once('"')?;
        let pid = rest.strip_prefix(",pid=")?.split(',').next()?;
        Some((command.to_owned(), pid.parse().ok()?))
    });
    (everywhere || same).then_some(Listener { port, owner })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<(u16, &str)>) {
        let found = listeners(line, "198.18.77.2".parse().unwrap());
        let found = found.first().map(|one| (one.port, one.to_string()));
        assert_eq!(found, expected.map(|(port, owner)| (port, owner.to_owned())), "{line}");
    }

    #[test]
    fn whoever_takes_the_port_is_named() {
        let netserver = "users:((\"netserver\",pid=2258,fd=3))";
        let owner = "netserver (pid 2258)";
        check(
            &format!("LISTEN 0 1024 198.18.77.2:12865 0.0.0.0:* {netserver}"),
            Some((12865, owner)),
        );
        check(&format!("LISTEN 0 1024 *:5001 *:* {netserver}"), Some((5001, owner)));
        check(&format!("LISTEN 0 1024 [::]:5001 [::]:* {netserver}"), Some((5001, owner)));
        check(
            &format!("LISTEN 0 1 [::ffff:198.18.77.2]:5001 *:* {netserver}"),
            Some((5001, owner)),
        );
        let unseen = "a process that this user may not see";
        check("LISTEN 0 1024 0.0.0.0:5001 0.0.0.0:*", Some((5001, unseen)));
        check(&format!("LISTEN 0 1024 127.0.0.1:5001 0.0.0.0:* {netserver}"), None);
        check(&format!("LISTEN 0 1024 198.18.77.21:5001 0.0.0.0:* {netserver}"), None);
        check("ss: command not found", None);
    }

    #[test]
    fn all_ports_are_asked_for_at_once() {
        assert_eq!(line(&[5001, 5002]), "ss -Hltnp '( sport = :5001 or sport = :5002 )'");
    }
}
