//! [`discover`]: what a machine knows about the nodes of a configuration and its user need not: interfaces, addresses,
//! bridges, network cards, and of a guest the chain from its address to the threads that carry its packets.
//!
//! Nodes are asked with at most two round trips each, all at one time. What was said is then read without any I/O, in
//! [`host`] and [`vm`]. A fact that is not there becomes a [`MissingFact`] with the command that should have told it.

pub mod addresses;
pub mod ask;
pub mod domain;
pub mod host;
pub mod links;
mod missing;
pub mod out;
pub mod qemu;
pub mod switch;
pub mod vm;

use std::collections::BTreeMap;
use std::net::IpAddr;

use futures_util::future::join_all;
use serde::Serialize;

pub use ask::{Ask, Nodes, Said};
pub use host::HostFacts;
pub use missing::{CONNECTION, MissingFact, Note};
pub use out::{Bond, Nic, Physical};
pub use vm::{VhostThreads, VmFacts};

use crate::host::node::NodeError;

/// A node to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name in the configuration.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// The address that traffic shall be bound to, where the user said one.
    pub test_ip: Option<IpAddr>,
    /// The address in its `ssh` destination, where that is no name.
    pub ssh_ip: Option<IpAddr>,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// A machine.
    Host,
    /// A libvirt guest.
    Vm {
        /// The host's name in the configuration.
        host: String,
        /// The domain.
        uuid: String,
    },
}

/// All that was found, and all that was not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Discovery {
    /// By node; absent where the node does not answer.
    pub hosts: BTreeMap<String, HostFacts>,
    /// By node.
    pub vms: BTreeMap<String, VmFacts>,
    /// In the order of the nodes.
    pub missing: Vec<MissingFact>,
    /// What was taken in place of something else, and why.
    pub notes: Vec<Note>,
    /// Every command that was run.
    pub tried: Vec<Tried>,
}

/// A command that was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// Where.
    pub node: String,
    /// The line.
    pub command: String,
    /// Its exit code.
    pub code: i32,
}

/// Looks at all nodes at one time. `port_type` is the type of the internal port: `mgt` finds `port-mgt`.
///
/// It never fails: a node that cannot be reached is a [`MissingFact`], as are all facts that hang on it.
pub async fn discover(ask: &dyn Ask, subjects: &[Subject], port_type: &str) -> Discovery {
    let answers = join_all(subjects.iter().map(|subject| answers(ask, subject, subjects))).await;
    let mut discovery = Discovery::default();
    let mut hosts: BTreeMap<&str, Result<&host::Answers, &NodeError>> = BTreeMap::new();
    for (subject, answers) in subjects.iter().zip(&answers) {
        match answers {
            Answers::Host(said) => {
                hosts.insert(&subject.name, said.as_deref());
                discovery.tried.extend(said.iter().flat_map(|said| said.tried(&subject.name)));
            }
            Answers::Vm(said) => {
                discovery.tried.extend(said.iter().map(|said| said.tried(&subject.name)));
            }
        }
    }
    // The facts of a guest hang on those of its host, wherever that stands.
    let mut ordered: Vec<_> = subjects.iter().zip(&answers).collect();
    ordered.sort_by_key(|(subject, _)| subject.role != Role::Host);
    for (subject, answers) in ordered {
        match (answers, &subject.role) {
            (Answers::Host(Ok(said)), _) => {
                let facts = host::facts(subject, said, port_type, &mut discovery);
                discovery.hosts.insert(subject.name.clone(), facts);
            }
            (Answers::Host(Err(error)), _) => {
                let guests = subjects.iter().filter(|guest| guest.is_on(&subject.name));
                let hanging =
                    host::FACTS.iter().map(|fact| (*fact).to_owned()).chain(guests.flat_map(
                        |guest| vm::ON_HOST.iter().map(|fact| format!("{fact} of {}", guest.name)),
                    ));
                discovery.missing.push(MissingFact::unreachable(error, hanging));
            }
            (Answers::Vm(said), Role::Vm { host, .. }) => {
                let on_host = hosts.get(host.as_str()).copied();
                let facts = vm::facts(subject, said.as_ref(), on_host, &mut discovery);
                discovery.vms.insert(subject.name.clone(), facts);
            }
            (Answers::Vm(_), Role::Host) => {}
        }
    }
    let place = |node: &str| subjects.iter().position(|subject| subject.name == node);
    discovery.missing.sort_by_key(|missing| place(&missing.node));
    discovery
}

enum Answers {
    Host(Result<Box<host::Answers>, NodeError>),
    Vm(Result<Said, NodeError>),
}

async fn answers(ask: &dyn Ask, subject: &Subject, all: &[Subject]) -> Answers {
    match &subject.role {
        Role::Host => {
            let guests = all.iter().filter_map(|guest| match &guest.role {
                Role::Vm { host, uuid } if *host == subject.name => {
                    Some((guest.name.as_str(), uuid.as_str()))
                }
                _ => None,
            });
            let guests: Vec<(&str, &str)> = guests.collect();
            Answers::Host(host::ask(ask, &subject.name, &guests).await.map(Box::new))
        }
        Role::Vm { .. } => Answers::Vm(vm::ask(ask, &subject.name).await),
    }
}

impl Subject {
    fn is_on(&self, name: &str) -> bool {
        matches!(&self.role, Role::Vm { host, .. } if host == name)
    }
}

#[cfg(test)]
mod tests;
