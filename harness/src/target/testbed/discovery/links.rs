//! [`Link`]: what the kernel tells of a network device in `/sys/class/net`.

use std::collections::BTreeMap;

/// A file and its line for all devices at once, and what stands on what. A speed that cannot be read is an error of
/// `grep`, and no failure.
pub(super) const LINE: &str = "cd /sys/class/net && { grep -s . */speed */bonding/slaves */tun_flags; \
    ls -d */brif */brif/* */lower_* */device 2>/dev/null; true; }";

/// A network device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// In bit/s; `None` where the device has none, or no cable.
    pub speed: Option<u64>,
    /// The devices that a bond of the kernel consists of.
    pub bonded: Vec<String>,
    /// The members of a bridge of the kernel; of a VLAN and the like, what it stands on.
    pub lower: Vec<String>,
    /// True for a bridge of the kernel.
    pub is_bridge: bool,
    /// True for a network card that hardware, real or emulated, is behind.
    pub is_real: bool,
    /// True for the end of a virtual machine.
    pub is_tap: bool,
}

/// Reads what `LINE` prints, by device. Other lines are passed over.
#[must_use]
pub fn parse(text: &str) -> BTreeMap<String, Link> {
    let mut links: BTreeMap<String, Link> = BTreeMap::new();
    for line in text.lines() {
        let (path, value) = line.split_once(':').unwrap_or((line, ""));
        let Some((device, file)) = path.split_once('/') else { continue };
        let link = links.entry(device.to_owned()).or_default();
        match file {
            // The kernel says -1 or 4294967295 where it does not know.
            "speed" => {
                let megabits = value.trim().parse::<u64>().ok();
                let known = megabits.filter(|speed| (1..u64::from(u32::MAX)).contains(speed));
                link.speed = known.map(|speed| speed * 1_000_000);
            }
            "bonding/slaves" => {
                link.bonded = value.split_whitespace().map(str::to_owned).collect();
            }
            "tun_flags" => link.is_tap = true,
            "device" => link.is_real = true,
            // A member of a bridge is told both ways.
            _ => {
                link.is_bridge |= file.split('/').next() == Some("brif");
                let lower = file.strip_prefix("brif/").or_else(|| file.strip_prefix("lower_"));
                if let Some(lower) = lower.filter(|lower| !link.lower.iter().any(|l| l == lower)) {
                    link.lower.push(lower.to_owned());
                }
            }
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_bonds_and_taps_are_read() {
        // `bonding/slaves` as in the kernel's Documentation/networking/bonding.rst.
        let links = parse(
            "eth1/speed:10000\nens3/speed:-1\nens4/speed:4294967295\nvnet0/speed:10\nbond0/bonding/slaves:eth0 eth1\nvnet0/tun_flags:0x5002\nnonsense\n",
        );
        assert_eq!(links["eth1"].speed, Some(10_000_000_000));
        assert_eq!((links["ens3"].speed, links["ens4"].speed), (None, None));
        assert_eq!(links["bond0"].bonded, ["eth0", "eth1"]);
        assert!(links["vnet0"].is_tap && !links["eth1"].is_tap);
    }

    #[test]
    fn what_stands_on_what_is_read_once() {
        let links = parse(
            "br0/brif\nbr0/brif/eth0\nbr0/brif/veth7\nbr0/lower_eth0\nbr0/lower_veth7\nbond0.5/lower_bond0\neth0/device\n",
        );
        assert!(links["br0"].is_bridge && !links["bond0.5"].is_bridge);
        assert_eq!(links["br0"].lower, ["eth0", "veth7"]);
        assert_eq!(links["bond0.5"].lower, ["bond0"]);
        assert!(links["eth0"].is_real && !links["br0"].is_real);
    }
}
