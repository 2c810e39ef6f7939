//! `Ways`: how packets leave a machine, from one of its bridges or interfaces to its network cards.

use std::collections::BTreeMap;

use serde::Serialize;

use super::addresses::Interface;
use super::ask::Said;
use super::host::Answers;
use super::links::{self, Link};
use super::switch::{Bridge, Port, Switch};

/// A network card, or several that are bonded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Physical {
    /// The name of the card or the bond.
    pub name: String,
    /// Absent for a single card.
    pub bond: Option<Bond>,
    /// The members of the bond, or the one card.
    pub nics: Vec<Nic>,
}

/// Who bonds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bond {
    /// Open vSwitch.
    Switch,
    /// The kernel.
    Kernel,
}

/// A network card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Nic {
    /// Its name.
    pub name: String,
    /// Its Ethernet address; absent where the kernel does not drive it.
    pub mac: Option<String>,
    /// In bit/s.
    pub speed: Option<u64>,
}

/// The way from a bridge or an interface.
#[derive(Default)]
pub(super) struct Way<'a> {
    /// The bridge that leads out of the machine, where that is another.
    pub(super) uplink: Option<String>,
    /// Where it ends; empty where it does not.
    pub(super) physical: Vec<Physical>,
    /// Why it does not.
    pub(super) blocked: Option<Blocked<'a>>,
}

/// What is not known of a way.
pub(super) struct Blocked<'a> {
    /// `uplink_bridge` or `physical_interface`, or what of the host must be known before.
    pub(super) fact: &'static str,
    pub(super) why: String,
    /// Who should have told.
    pub(super) said: &'a Said,
}

impl<'a> Way<'a> {
    fn blocked(fact: &'static str, why: String, said: &'a Said) -> Self {
        Self { blocked: Some(Blocked { fact, why, said }), ..Self::default() }
    }
}

/// The way from a bridge that guests are ports of: one of the switch, or of the kernel.
pub(super) fn of_guests<'a>(answers: &'a Answers, bridge: &str) -> Way<'a> {
    let ways = match answers.interfaces() {
        Ok(interfaces) => Ways::new(answers, interfaces),
        Err(why) => return Way::blocked("addresses", why, &answers.addresses),
    };
    match answers.switch() {
        Err(why) => Way::blocked("switch", why.clone(), &answers.switch),
        Ok(switch) => match switch.as_ref().and_then(|all| Some((all, all.bridge(bridge)?))) {
            Some((switch, bridge)) => ways.of_bridge(switch, bridge),
            None if ways.links.get(bridge).is_some_and(|link| link.is_bridge) => {
                ways.of_device(bridge)
            }
            None => {
                let why = format!("neither Open vSwitch nor the kernel has a bridge {bridge}");
                Way::blocked("physical_interface", why, &answers.links)
            }
        },
    }
}

/// The cards whose speed is not known, as facts with the reason.
pub(super) fn without_speed(physical: &[Physical]) -> Vec<(String, String)> {
    let cards = physical.iter().flat_map(|physical| &physical.nics);
    let slow = cards.filter(|nic| nic.speed.is_none()).map(|nic| {
        let why = format!("neither the kernel nor Open vSwitch knows the speed of {}", nic.name);
        (format!("speed of {}", nic.name), why)
    });
    slow.collect()
}

/// What is known of a machine's devices.
pub(super) struct Ways<'a> {
    answers: &'a Answers,
    interfaces: Vec<Interface>,
    links: BTreeMap<String, Link>,
}

/// Devices that stand on each other, at most; the kernel allows 8.
const DEPTH: usize = 8;

impl<'a> Ways<'a> {
    pub(super) fn new(answers: &'a Answers, interfaces: Vec<Interface>) -> Self {
        Self { answers, interfaces, links: links::parse(&answers.links.stdout) }
    }

    /// From a bridge of the switch, by its uplink bridge where there is one.
    pub(super) fn of_bridge(&self, switch: &Switch, bridge: &Bridge) -> Way<'a> {
        let name = format!("{}-uplink", bridge.name);
        let uplink = switch.bridge(&name);
        let ports = uplink.unwrap_or(bridge).ports.iter();
        let physical: Vec<Physical> = ports.flat_map(|port| self.of_port(port)).collect();
        let said = &self.answers.switch;
        let way = match (physical.is_empty(), uplink) {
            (true, Some(_)) => {
                let why = format!("{name} has no port that is a network card");
                Way::blocked("physical_interface", why, said)
            }
            (true, None) => {
                let why = format!(
                    "there is no bridge {name}, and {} has no port that is a network card",
                    bridge.name
                );
                Way::blocked("uplink_bridge", why, said)
            }
            (false, _) => Way { physical, ..Way::default() },
        };
        Way { uplink: uplink.map(|uplink| uplink.name.clone()), ..way }
    }

    /// From a device of the kernel, by those that it stands on.
    pub(super) fn of_device(&self, name: &str) -> Way<'a> {
        let physical = self.below(name, DEPTH);
        if physical.is_empty() {
            let why = format!("{name} is a bridge that no network card is a port of");
            return Way::blocked("physical_interface", why, &self.answers.links);
        }
        Way { physical, ..Way::default() }
    }

    /// What a port leads to; nothing for those of guests and of the switch itself.
    fn of_port(&self, port: &Port) -> Vec<Physical> {
        if !port.is_system() || port.interfaces.iter().any(|device| self.is_guests(&device.name)) {
            return Vec::new();
        }
        if let [device] = &port.interfaces[..] {
            let mut physical = self.below(&device.name, DEPTH);
            if let [Physical { bond: None, nics, .. }] = &mut physical[..]
                && let [nic] = &mut nics[..]
            {
                nic.speed = nic.speed.or(device.speed);
            }
            return physical;
        }
        let nics = port.interfaces.iter().map(|device| {
            let nic = self.nic(&device.name);
            Nic { speed: nic.speed.or(device.speed), ..nic }
        });
        vec![Physical { name: port.name.clone(), bond: Some(Bond::Switch), nics: nics.collect() }]
    }

    fn is_guests(&self, name: &str) -> bool {
        name.starts_with("vnet") || self.links.get(name).is_some_and(|link| link.is_tap)
    }

    /// A card, a bond of cards, or what the members of a bridge and the device below a VLAN are.
    fn below(&self, name: &str, depth: usize) -> Vec<Physical> {
        let unknown = Link::default();
        let link = self.links.get(name).unwrap_or(&unknown);
        if !link.bonded.is_empty() {
            let nics = link.bonded.iter().map(|card| self.nic(card)).collect();
            return vec![Physical { name: name.to_owned(), bond: Some(Bond::Kernel), nics }];
        }
        if link.lower.is_empty() && !link.is_bridge {
            return vec![Physical {
                name: name.to_owned(),
                bond: None,
                nics: vec![self.nic(name)],
            }];
        }
        let lower = link.lower.iter().filter(|lower| depth > 0 && !self.is_guests(lower));
        let mut all: Vec<Physical> =
            lower.flat_map(|lower| self.below(lower, depth.saturating_sub(1))).collect();
        // Beside real cards, what is none is the end of a container.
        let is_real = |nic: &Nic| self.links.get(&nic.name).is_some_and(|link| link.is_real);
        if all.iter().any(|physical| physical.nics.iter().any(is_real)) {
            all.retain(|physical| physical.nics.iter().any(is_real));
        }
        all
    }

    fn nic(&self, name: &str) -> Nic {
        let interface = self.interfaces.iter().find(|interface| interface.name == name);
        Nic {
            name: name.to_owned(),
            mac: interface.and_then(|interface| interface.mac.clone()),
            speed: self.links.get(name).and_then(|link| link.speed),
        }
    }
}
