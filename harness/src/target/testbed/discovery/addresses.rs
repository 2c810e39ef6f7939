//! [`Interface`]s and their addresses, as `ip` prints them.

use std::net::IpAddr;

use serde::Deserialize;

/// Both forms, as `ip` of old systems and of busybox knows no `-json`.
pub(super) const LINE: &str = "ip -json addr show 2>/dev/null || ip addr show";

/// An interface of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its Ethernet address, in lower case.
    pub mac: Option<String>,
    /// In the order of the kernel.
    pub addresses: Vec<IpAddr>,
}

impl Interface {
    /// The address for traffic where none was asked for: the first that is valid beyond the link, IPv4 before IPv6.
    #[must_use]
    pub fn first(&self) -> Option<IpAddr> {
        let is_beyond = |ip: &&IpAddr| match ip {
            IpAddr::V4(ip) => !ip.is_link_local(),
            IpAddr::V6(ip) => !ip.is_unicast_link_local(),
        };
        self.addresses.iter().filter(is_beyond).min_by_key(|ip| ip.is_ipv6()).copied()
    }
}

/// The interface that has this very address: 10.0.0.1 is not 10.0.0.11.
#[must_use]
pub fn carrying(interfaces: &[Interface], ip: IpAddr) -> Option<&Interface> {
    interfaces.iter().find(|interface| interface.addresses.contains(&ip))
}

/// Which addresses there are instead, for a message.
#[must_use]
pub fn told(interfaces: &[Interface]) -> String {
    let all = interfaces.iter().flat_map(|interface| {
        interface.addresses.iter().map(|ip| format!("{} has {ip}", interface.name))
    });
    match all.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "there are no addresses".to_owned(),
        all => all,
    }
}

/// Reads `ip -json addr show` or `ip addr show`.
///
/// # Errors
/// What is not as `ip` prints it.
pub fn parse(text: &str) -> Result<Vec<Interface>, String> {
    if text.trim_start().starts_with('[') { json(text) } else { lines(text) }
}

#[derive(Deserialize)]
struct Row {
    ifname: Option<String>,
    link_type: Option<String>,
    address: Option<String>,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    local: Option<String>,
}

fn json(text: &str) -> Result<Vec<Interface>, String> {
    let rows: Vec<Row> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    // Older versions print an empty object for what a filter left out.
    let named = rows.into_iter().filter_map(|row| Some((row.ifname.clone()?, row)));
    let interfaces = named.map(|(name, row)| {
        let is_ethernet = row.link_type.as_deref() == Some("ether");
        let mac = row.address.filter(|_| is_ethernet).map(|mac| mac.to_ascii_lowercase());
        let addresses = row.addr_info.into_iter().filter_map(|address| address.local);
        let addresses = addresses.map(|local| ip(&local)).collect::<Result<_, _>>()?;
        Ok(Interface { name, mac, addresses })
    });
    interfaces.collect()
}

fn lines(text: &str) -> Result<Vec<Interface>, String> {
    let mut interfaces: Vec<Interface> = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !line.starts_with(' ') {
            let Some(name) = words.get(1).and_then(|word| word.strip_suffix(':')) else { continue };
            // `eth1@if3` is eth1, whose other end is elsewhere.
            let name = name.split('@').next().unwrap_or(name).to_owned();
            interfaces.push(Interface { name, ..Interface::default() });
            continue;
        }
        let Some(last) = interfaces.last_mut() else { continue };
        match words[..] {
            ["link/ether", mac, ..] => last.mac = Some(mac.to_ascii_lowercase()),
            ["inet" | "inet6", address, ..] => {
                let local = address.split('/').next().unwrap_or(address);
                last.addresses.push(ip(local)?);
            }
            _ => {}
        }
    }
    Ok(interfaces)
}

fn ip(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("expected an address, found {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = include_str!("tests/addresses.json");
    const TEXT: &str = include_str!("tests/addresses.txt");

    #[test]
    fn both_forms_of_one_machine_say_the_same() {
        let interfaces = parse(JSON).unwrap();
        assert_eq!(parse(TEXT).unwrap(), interfaces);
        let port = interfaces.iter().find(|interface| interface.name == "port-mgt").unwrap();
        assert_eq!(port.mac.as_deref(), Some("02:18:00:00:01:01"));
        assert_eq!(port.first(), Some("198.18.1.1".parse().unwrap()));
        let names: Vec<&str> = interfaces.iter().map(|interface| &*interface.name).collect();
        assert_eq!(names[..3], ["lo", "mgmt0", "eth1"]);
        assert_eq!(interfaces[0].mac, None);
    }

    #[test]
    fn an_address_is_no_part_of_another() {
        let text = "\
2: eth0: <UP> mtu 1500\n    link/ether 52:54:00:AA:00:01 brd ff:ff:ff:ff:ff:ff\n    inet 10.0.0.11/24 scope global eth0
3: eth1: <UP> mtu 1500\n    link/ether 52:54:00:aa:00:02 brd ff:ff:ff:ff:ff:ff\n    inet 10.0.0.1/24 scope global eth1\n";
        let interfaces = parse(text).unwrap();
        let of = |ip: &str| carrying(&interfaces, ip.parse().unwrap()).map(|at| at.name.as_str());
        assert_eq!(of("10.0.0.1"), Some("eth1"));
        assert_eq!(of("10.0.0.11"), Some("eth0"));
        assert_eq!(of("0.0.0.1"), None);
        assert_eq!(interfaces[0].mac.as_deref(), Some("52:54:00:aa:00:01"));
        assert_eq!(told(&interfaces), "eth0 has 10.0.0.11, eth1 has 10.0.0.1");
        let one = parse(text.split("3: ").next().unwrap()).unwrap();
        assert_eq!(carrying(&one, "10.0.0.1".parse().unwrap()), None);
    }

    #[test]
    fn two_spellings_of_an_address_are_one() {
        let text =
            "2: eth0: <UP>\n    inet6 fd00:0:0:0::1/64 scope global\n    inet 169.254.1.1/16\n";
        let interfaces = parse(text).unwrap();
        assert!(carrying(&interfaces, "fd00::1".parse().unwrap()).is_some());
        assert_eq!(interfaces[0].first(), Some("fd00::1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_address_is_an_error() {
        assert!(parse("2: eth0: <UP>\n    inet nonsense\n").unwrap_err().contains("nonsense"));
        assert!(parse("[{\"ifname\": 1}]").is_err());
        assert_eq!(parse("").unwrap(), []);
    }
}
