//! [`VmFacts`]: the chain from a guest's address to its interface, its tap on the host, its process and the threads that
//! carry its packets.

use serde::Serialize;

use super::addresses::{self, LINE};
use super::ask::{Ask, Said};
use super::domain::{self, Domain};
use super::host::{self, GuestAnswers};
use super::missing::MissingFact;
use super::out::{self, Blocked, Physical, Way};
use super::qemu::{self, Process};
use super::{Discovery, Role, Subject};
use crate::host::node::NodeError;

/// What was found of a guest. What is absent is named among the missing facts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VmFacts {
    /// The interface in the guest that has its test address.
    pub interface: Option<String>,
    /// The Ethernet address of that interface.
    pub mac: Option<String>,
    /// The other end of that interface, on the host.
    pub vm_interface: Option<String>,
    /// How many queues it has.
    pub queues: Option<usize>,
    /// The bridge that the other end is a port of.
    pub bridge: Option<String>,
    /// The bridge that leads out of the host from there, where that is another.
    pub uplink_bridge: Option<String>,
    /// How the guest's packets leave the host.
    #[serde(rename = "physical_interface")]
    pub physical: Vec<Physical>,
    /// The guest's process on the host.
    pub qemu_pid: Option<u32>,
    /// Who carries the packets of that interface.
    #[serde(rename = "vhost_pids")]
    pub vhost: Option<VhostThreads>,
}

/// Who carries packets between a guest's interface and the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VhostThreads {
    /// Qemu itself: there are no such threads.
    Qemu,
    /// Threads of the kernel, by pid, in the order of the queues.
    Kernel(Vec<u32>),
}

/// The facts of a guest that its host must tell.
pub(super) const ON_HOST: [&str; 7] = [
    "vm_interface",
    "queues",
    "bridge",
    "uplink_bridge",
    "physical_interface",
    "qemu_pid",
    "vhost_pids",
];

/// Those that hang on the bridge.
const BEYOND: [&str; 2] = ["uplink_bridge", "physical_interface"];

/// Asks a guest, in one round trip.
pub(super) async fn ask(ask: &dyn Ask, node: &str) -> Result<Said, NodeError> {
    let said = ask.ask(node, &[LINE.to_owned()]).await?;
    let message = || "it gave no answer".to_owned();
    said.into_iter().next().ok_or_else(|| NodeError { node: node.to_owned(), message: message() })
}

/// Reads what a guest and its host said of it. A host that does not answer has been reported with all that hangs on it.
pub(super) fn facts(
    subject: &Subject,
    said: Result<&Said, &NodeError>,
    on_host: Option<Result<&host::Answers, &NodeError>>,
    discovery: &mut Discovery,
) -> VmFacts {
    let mut reader = Reader { subject, facts: VmFacts::default(), discovery };
    let is_alone = !matches!(on_host, Some(Ok(_)));
    reader.guest(said, is_alone);
    if let Some(Ok(answers)) = on_host
        && let Some(guest) = answers.guests.get(&subject.name)
    {
        reader.host(answers, guest);
    }
    reader.facts
}

struct Reader<'a> {
    subject: &'a Subject,
    facts: VmFacts,
    discovery: &'a mut Discovery,
}

impl Reader<'_> {
    fn miss(&mut self, fact: &str, why: &str, said: &Said, also: &[&str]) {
        self.discovery.missing.push(MissingFact::new(&self.subject.name, fact, why, said, also));
    }

    /// In the guest: address, interface, Ethernet address.
    fn guest(&mut self, said: Result<&Said, &NodeError>, is_alone: bool) {
        // What a host that is down must tell is not told again.
        let all = [
            "interface",
            "mac",
            "vm_interface",
            "queues",
            "bridge",
            "uplink_bridge",
            "physical_interface",
            "vhost_pids",
        ];
        let hanging = if is_alone { &all[..2] } else { &all[..] };
        let said = match said {
            Ok(said) => said,
            Err(error) => {
                let also = hanging.iter().map(|fact| (*fact).to_owned());
                return self.discovery.missing.push(MissingFact::unreachable(error, also));
            }
        };
        let parsed = said.good().map_or_else(|| Err("ip failed".to_owned()), addresses::parse);
        let interfaces = match parsed {
            Ok(interfaces) => interfaces,
            Err(why) => {
                return self.miss("addresses", &format!("{why}: expected iproute2"), said, hanging);
            }
        };
        let Some(ip) = self.subject.test_ip else {
            return self.miss(
                "interface",
                "the node has no `test_ip`: say it",
                said,
                &hanging[1..],
            );
        };
        let Some(found) = addresses::carrying(&interfaces, ip) else {
            let why =
                format!("no interface has the address {ip}: {}", addresses::told(&interfaces));
            return self.miss("interface", &why, said, &hanging[1..]);
        };
        self.facts.interface = Some(found.name.clone());
        self.facts.mac.clone_from(&found.mac);
        if found.mac.is_none() {
            let why = format!("{} has no Ethernet address", found.name);
            self.miss("mac", &why, said, &hanging[2..]);
        }
    }

    /// On the host: tap, bridge, process, threads.
    fn host(&mut self, answers: &host::Answers, guest: &GuestAnswers) {
        let domain = match guest.domain.good().map(domain::parse) {
            Some(Ok(domain)) => domain,
            other => {
                let why = match other {
                    Some(Err(why)) => format!("libvirt told something else than a domain: {why}"),
                    _ => "libvirt knows no such domain, or does not answer".to_owned(),
                };
                return self.miss("domain", &why, &guest.domain, &ON_HOST);
            }
        };
        let process = self.process(guest, &domain);
        let Some(mac) = self.facts.mac.clone() else { return };
        // Without the process, the threads have been told to be unknown already.
        let hanging = ["queues", "bridge", "uplink_bridge", "physical_interface", "vhost_pids"];
        let hanging = &hanging[..if process.is_some() { 5 } else { 4 }];
        let Some(card) = domain.cards.iter().find(|card| card.mac == mac) else {
            let why = format!("the domain {} has no network card {mac}", domain.name);
            return self.miss("vm_interface", &why, &guest.domain, hanging);
        };
        let Some(vnet) = card.device.clone() else {
            let why =
                format!("the network card {mac} of {} has no device: is it running?", domain.name);
            return self.miss("vm_interface", &why, &guest.domain, hanging);
        };
        self.facts.vm_interface = Some(vnet.clone());
        self.facts.queues = Some(card.queues);
        let by_switch = answers.switch().ok().flatten();
        let by_switch = by_switch.and_then(|switch| Some(switch.bridge_of(&vnet)?.name.clone()));
        self.facts.bridge = by_switch.or_else(|| card.bridge.clone());
        match self.facts.bridge.clone() {
            Some(bridge) => self.leave_by(&bridge, out::of_guests(answers, &bridge), answers),
            None => {
                let why = format!("neither a switch nor libvirt knows a bridge of {vnet}");
                self.miss("bridge", &why, &guest.domain, &BEYOND);
            }
        }
        if let Some(process) = process {
            self.threads(guest, &domain, &vnet, &process);
        }
    }

    /// On the host: from the bridge to the network cards. What the host misses too is told once, as a fact of the host.
    fn leave_by(&mut self, bridge: &str, way: Way<'_>, answers: &host::Answers) {
        let Role::Vm { host, .. } = &self.subject.role else { return };
        self.facts.uplink_bridge = way.uplink;
        if let Some(Blocked { fact, why, said }) = way.blocked {
            let hanging = &BEYOND[usize::from(self.facts.uplink_bridge.is_some())..];
            let facts = self.discovery.hosts.get(host);
            let same = facts.is_some_and(|facts| {
                [&facts.bridge, &facts.interface].iter().any(|at| at.as_deref() == Some(bridge))
            });
            let covers = |missing: &&mut MissingFact| {
                missing.node == *host
                    && match fact {
                        "addresses" => missing.fact == fact,
                        // Where the address was said, it is the bridge that is not known without the switch.
                        "switch" => ["switch", "bridge"].contains(&missing.fact.as_str()),
                        _ => same && missing.fact == fact,
                    }
            };
            match self.discovery.missing.iter_mut().find(covers) {
                Some(missing) => missing
                    .also
                    .extend(hanging.iter().map(|fact| format!("{fact} of {}", self.subject.name))),
                None => self.miss(hanging[0], &why, said, &hanging[1..]),
            }
        }
        for (fact, why) in out::without_speed(&way.physical) {
            let mut missing = self.discovery.missing.iter();
            if !missing.any(|missing| missing.node == *host && missing.fact == fact) {
                self.miss(&fact, &why, &answers.links, &[]);
            }
        }
        self.facts.physical = way.physical;
    }

    fn process(&mut self, guest: &GuestAnswers, domain: &Domain) -> Option<Process> {
        let failed = || Err(format!("the process of {} is not known: is it running?", domain.name));
        match guest.process.good().map_or_else(failed, qemu::process) {
            Ok(process) => {
                self.facts.qemu_pid = Some(process.pid);
                Some(process)
            }
            Err(why) => {
                self.miss("qemu_pid", &why, &guest.process, &["vhost_pids"]);
                None
            }
        }
    }

    fn threads(&mut self, guest: &GuestAnswers, domain: &Domain, vnet: &str, process: &Process) {
        let Some([taps, files, threads]) = &guest.threads else { return };
        let is_by_qemu = |device: &str| {
            let mut cards = domain.cards.iter();
            cards.any(|card| card.device.as_deref() == Some(device) && card.is_carried_by_qemu)
        };
        if is_by_qemu(vnet) {
            self.facts.vhost = Some(VhostThreads::Qemu);
            return;
        }
        let pids = qemu::threads(&threads.stdout);
        if pids.is_empty() && files.good().is_some_and(|text| !qemu::uses_vhost(text)) {
            self.facts.vhost = Some(VhostThreads::Qemu);
            return;
        }
        if pids.is_empty() {
            let why = format!("qemu ({}) has no thread vhost-{}", process.pid, process.pid);
            return self.miss("vhost_pids", &why, threads, &[]);
        }
        let mut queues = qemu::taps(&taps.stdout);
        queues.retain(|name, _| !is_by_qemu(name));
        let assigned = qemu::assign(&queues, &pids);
        match assigned.map(|mut own| own.remove(vnet)) {
            Ok(Some(own)) => self.facts.vhost = Some(VhostThreads::Kernel(own)),
            Ok(None) => {
                let why = format!("qemu ({}) has not opened {vnet}", process.pid);
                self.miss("vhost_pids", &why, taps, &[]);
            }
            Err(why) => self.miss("vhost_pids", &why, taps, &[]),
        }
    }
}
