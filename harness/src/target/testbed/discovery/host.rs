//! [`HostFacts`]: the interface that carries a host's test traffic, its bridges and its network cards.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use super::addresses::{self, Interface};
use super::ask::{Ask, Said};
use super::links;
use super::missing::{MissingFact, Note};
use super::out::{self, Blocked, Physical, Way, Ways};
use super::switch::{self, Switch};
use super::{Discovery, Subject, Tried, domain, qemu};
use crate::host::node::NodeError;
use crate::host::quote::quote;

/// What was found of a host. What is absent is named among the missing facts, save an uplink bridge: it need not be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HostFacts {
    /// The address that traffic is bound to.
    pub test_ip: Option<IpAddr>,
    /// The interface that has it: an internal port of Open vSwitch where there is one.
    pub interface: Option<String>,
    /// The Ethernet address of that interface.
    pub mac: Option<String>,
    /// The bridge that the interface is a port of; absent where there is no Open vSwitch.
    pub bridge: Option<String>,
    /// The bridge that leads out of the machine, where that is another.
    pub uplink_bridge: Option<String>,
    /// How packets leave the machine.
    #[serde(rename = "physical_interface")]
    pub physical: Vec<Physical>,
}

/// The facts of a host that may be missing.
pub(super) const FACTS: [&str; 6] =
    ["interface", "test_ip", "mac", "bridge", "uplink_bridge", "physical_interface"];

/// What a host said of itself and of its guests.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub(super) switch: Said,
    pub(super) addresses: Said,
    pub(super) links: Said,
    connection: Said,
    /// By the guest's node.
    pub(super) guests: BTreeMap<String, GuestAnswers>,
}

/// What a host said of one guest.
#[derive(Clone, Debug)]
pub(super) struct GuestAnswers {
    pub(super) domain: Said,
    pub(super) process: Said,
    /// Of the process: its taps, its files, its threads; absent where there is none.
    pub(super) threads: Option<[Said; 3]>,
}

/// Asks a host: one round trip, and a second one where a guest runs. `guests` are their nodes and domains.
pub(super) async fn ask(
    ask: &dyn Ask,
    node: &str,
    guests: &[(&str, &str)],
) -> Result<Answers, NodeError> {
    let mut lines: Vec<String> =
        [switch::LINE, addresses::LINE, links::LINE, CONNECTION].map(str::to_owned).into();
    for (_, uuid) in guests {
        // A name with a NUL is none that libvirt knows either.
        let domain = quote(uuid).unwrap_or_default();
        lines.extend([domain::line(&domain), qemu::line(&domain)]);
    }
    let mut said = Order::new(node, ask.ask(node, &lines).await?);
    let (switch, addresses) = (said.next()?, said.next()?);
    let (links, connection) = (said.next()?, said.next()?);
    let mut found = BTreeMap::new();
    for (name, _) in guests {
        let (domain, process) = (said.next()?, said.next()?);
        found.insert((*name).to_owned(), GuestAnswers { domain, process, threads: None });
    }
    let mut running = Vec::new();
    for guest in found.values_mut() {
        if let Some(Ok(process)) = guest.process.good().map(qemu::process) {
            running.push((process.pid, guest));
        }
    }
    if !running.is_empty() {
        let lines: Vec<String> = running.iter().flat_map(|(pid, _)| qemu::lines(*pid)).collect();
        let mut said = Order::new(node, ask.ask(node, &lines).await?);
        for (_, guest) in running {
            guest.threads = Some([said.next()?, said.next()?, said.next()?]);
        }
    }
    Ok(Answers { switch, addresses, links, connection, guests: found })
}

/// Where `sshd` was reached: the host's own address, also behind a translation of addresses.
const CONNECTION: &str = "echo \"$SSH_CONNECTION\"";

struct Order {
    node: String,
    said: std::vec::IntoIter<Said>,
}

impl Order {
    fn new(node: &str, said: Vec<Said>) -> Self {
        Self { node: node.to_owned(), said: said.into_iter() }
    }

    fn next(&mut self) -> Result<Said, NodeError> {
        let message = || "it gave fewer answers than it was asked for".to_owned();
        self.said.next().ok_or_else(|| NodeError { node: self.node.clone(), message: message() })
    }
}

impl Answers {
    pub(super) fn tried(&self, node: &str) -> Vec<Tried> {
        let own = [&self.switch, &self.addresses, &self.links, &self.connection];
        let guests = self.guests.values().flat_map(|guest| {
            [&guest.domain, &guest.process].into_iter().chain(guest.threads.iter().flatten())
        });
        own.into_iter().chain(guests).map(|said| said.tried(node)).collect()
    }

    /// The interfaces, or why they are unknown.
    pub(super) fn interfaces(&self) -> Result<Vec<Interface>, String> {
        self.addresses.good().map_or_else(|| Err("ip failed".to_owned()), addresses::parse)
    }

    /// The bridges, or why they are unknown: `None` where there is no Open vSwitch.
    pub(super) fn switch(&self) -> Result<Option<Switch>, String> {
        if self.switch.is_absent() {
            return Ok(None);
        }
        let text = self.switch.good().ok_or_else(|| match self.switch.is_refused_by_sudo() {
            true => "sudo does not run ovs-vsctl: let `sudo -n ovs-vsctl` run without a password",
            false => "Open vSwitch is installed and does not answer: start it",
        })?;
        let switch = switch::parse(text)?;
        Ok((!switch.bridges.is_empty()).then_some(switch))
    }
}

/// Reads what a host said of itself.
pub(super) fn facts(
    subject: &Subject,
    answers: &Answers,
    port_type: &str,
    discovery: &mut Discovery,
) -> HostFacts {
    let mut reader =
        Reader { subject, answers, interfaces: Vec::new(), facts: HostFacts::default(), discovery };
    match answers.interfaces() {
        Ok(interfaces) => {
            reader.interfaces = interfaces;
            reader.read(port_type);
        }
        Err(why) => {
            reader.miss(
                "addresses",
                &format!("{why}: expected iproute2"),
                &answers.addresses,
                &FACTS,
            );
        }
    }
    reader.facts
}

struct Reader<'a> {
    subject: &'a Subject,
    answers: &'a Answers,
    interfaces: Vec<Interface>,
    facts: HostFacts,
    discovery: &'a mut Discovery,
}

impl<'a> Reader<'a> {
    fn miss(&mut self, fact: &str, why: &str, said: &Said, also: &[&str]) {
        self.discovery.missing.push(MissingFact::new(&self.subject.name, fact, why, said, also));
    }

    fn note(&mut self, text: String) {
        self.discovery.notes.push(Note { node: self.subject.name.clone(), text });
    }

    fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }

    fn ways(&self) -> Ways<'a> {
        Ways::new(self.answers, self.interfaces.clone())
    }

    fn read(&mut self, port_type: &str) {
        let answers = self.answers;
        match (answers.switch(), self.subject.test_ip) {
            (Ok(Some(switch)), wanted) => self.port(&switch, port_type, wanted),
            (Ok(None), Some(wanted)) => self.plain(wanted, "there is no Open vSwitch", None),
            (Ok(None), None) => self.reached(),
            (Err(why), Some(wanted)) => {
                // What carries the address may be a port of the switch: no card is guessed from it.
                if self.carrier(wanted, &why).is_some() {
                    self.miss("bridge", &why, &answers.switch, &FACTS[4..]);
                }
            }
            (Err(why), None) => {
                let why = format!("{why}, or say the node's `test_ip`");
                self.miss("switch", &why, &answers.switch, &FACTS);
            }
        }
    }

    /// The internal port, its bridge, and the way out from there.
    fn port(&mut self, switch: &Switch, port_type: &str, wanted: Option<IpAddr>) {
        let answers = self.answers;
        let name = format!("port-{port_type}");
        let found = self.interface(&name).cloned().unwrap_or_default();
        if let Some(wanted) = wanted.filter(|wanted| !found.addresses.contains(wanted)) {
            return self.plain(wanted, &format!("{name} does not have it"), Some(switch));
        }
        let Some(bridge) = switch.bridge_of(&name) else {
            let mut known: Vec<&str> =
                switch.ports().filter(|port| port.starts_with("port-")).collect();
            known.sort_unstable();
            let why = match known[..] {
                [] => format!("no bridge has a port {name}, nor any port-*"),
                _ => format!(
                    "no bridge has a port {name}: set discovery_hints.internal_port_type to the type of one of {}",
                    known.join(", ")
                ),
            };
            return self.miss("interface", &why, &answers.switch, &FACTS[1..]);
        };
        self.facts.interface = Some(name.clone());
        self.facts.bridge = Some(bridge.name.clone());
        self.facts.mac = found.mac.clone();
        self.facts.test_ip = wanted.or_else(|| found.first());
        if self.facts.mac.is_none() {
            let why = format!("the kernel has no interface {name}");
            self.miss("test_ip", &why, &answers.addresses, &["mac"]);
        } else if self.facts.test_ip.is_none() {
            self.miss("test_ip", &format!("{name} has no address"), &answers.addresses, &[]);
        }
        self.leave_by(self.ways().of_bridge(switch, bridge));
    }

    fn leave_by(&mut self, way: Way<'_>) {
        self.facts.uplink_bridge = way.uplink;
        if let Some(Blocked { fact, why, said }) = way.blocked {
            let also = if fact == "uplink_bridge" { &["physical_interface"][..] } else { &[] };
            self.miss(fact, &why, said, also);
        }
        let answers = self.answers;
        for (fact, why) in out::without_speed(&way.physical) {
            self.miss(&fact, &why, &answers.links, &[]);
        }
        self.facts.physical = way.physical;
    }

    /// No address was said and there is no switch: the one that SSH came to.
    fn reached(&mut self) {
        let answers = self.answers;
        let by_session = answers.connection.stdout.split_whitespace().nth(2);
        let by_session = by_session.and_then(|ip| ip.parse().ok());
        let because = "there is no Open vSwitch: the address that SSH reached";
        match by_session.or(self.subject.ssh_ip) {
            Some(ip) => self.plain(ip, because, None),
            None => {
                let why = "there is no Open vSwitch, and it is not known which address SSH reached: say the node's `test_ip`";
                self.miss("test_ip", why, &answers.connection, &FACTS);
            }
        }
    }

    /// The interface that has an address, without an internal port, and the way out from there.
    fn plain(&mut self, ip: IpAddr, because: &str, switch: Option<&Switch>) {
        let Some(name) = self.carrier(ip, because) else { return };
        match switch.and_then(|switch| Some((switch, switch.bridge_of(&name)?))) {
            Some((switch, bridge)) => {
                self.facts.bridge = Some(bridge.name.clone());
                self.leave_by(self.ways().of_bridge(switch, bridge));
            }
            None => self.leave_by(self.ways().of_device(&name)),
        }
    }

    /// The name of the interface that has an address.
    fn carrier(&mut self, ip: IpAddr, because: &str) -> Option<String> {
        let answers = self.answers;
        let Some(found) = addresses::carrying(&self.interfaces, ip).cloned() else {
            let there = addresses::told(&self.interfaces);
            let why = format!("no interface has the address {ip} ({because}): {there}");
            self.miss("test_ip", &why, &answers.addresses, &FACTS);
            return None;
        };
        self.note(format!("{ip} on {} is the test address: {because}", found.name));
        self.facts.test_ip = Some(ip);
        self.facts.mac = found.mac;
        self.facts.interface = Some(found.name.clone());
        Some(found.name)
    }
}
