//! [`Part`]: one thing that the testbed consists of, how it is looked at and how it is started.

use std::time::Duration;

use futures_util::future::join_all;

use super::node::{INTERNAL_PORT, MANAGEMENT_BRIDGE, MANAGEMENT_ROOT, NODES, Node};
use super::record::Record;
use super::state::State;
use super::step::{Step, StepError};
use super::up::SCRIPTS;
use super::{LOOK, Row, Standing, guest, truth};

/// One thing of the testbed; the order is that of starting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// What guests boot.
    Image,
    /// The namespaces of a host, held by its first process.
    Host(&'static Node),
    /// The links between this machine and both hosts.
    Network,
    /// A host's ends of them.
    Links(&'static Node),
    /// A host's sshd.
    Sshd(&'static Node),
    /// A host's Open vSwitch with its bridges.
    Switch(&'static Node),
    /// A host's libvirt.
    Libvirt(&'static Node),
    /// A host's guest, up to its sshd.
    Guest(&'static Node),
    /// That the hosts reach each other where it is measured.
    Path,
    /// What tests compare with.
    Truth,
}

impl Part {
    /// All of them.
    pub(super) fn all() -> Vec<Self> {
        let mut all = vec![Self::Image];
        all.extend(NODES.iter().map(Self::Host));
        all.push(Self::Network);
        all.extend(NODES.iter().flat_map(Self::of));
        all.extend([Self::Path, Self::Truth]);
        all
    }

    /// What is started inside a host.
    pub(super) fn of(node: &'static Node) -> [Self; 5] {
        [
            Self::Links(node),
            Self::Sshd(node),
            Self::Switch(node),
            Self::Libvirt(node),
            Self::Guest(node),
        ]
    }

    /// As users read it.
    pub(super) fn name(self) -> String {
        match self {
            Self::Image => "guests' image".to_owned(),
            Self::Host(node) => format!("{}: namespaces", node.name),
            Self::Network => "links to the hosts".to_owned(),
            Self::Links(node) => format!("{}: addresses", node.name),
            Self::Sshd(node) => format!("{}: sshd", node.name),
            Self::Switch(node) => format!("{}: Open vSwitch", node.name),
            Self::Libvirt(node) => format!("{}: libvirt", node.name),
            Self::Guest(node) => format!("{}: guest {}", node.name, node.guest.name),
            Self::Path => "data network".to_owned(),
            Self::Truth => "truth.json".to_owned(),
        }
    }

    /// How long it may take from its start until it is there.
    pub(super) fn within(self) -> Duration {
        match self {
            Self::Guest(_) => Duration::from_secs(180),
            _ => Duration::from_secs(60),
        }
    }

    /// Looks whether it is there, and what can be said of it.
    ///
    /// # Errors
    /// Why it counts as missing.
    pub(super) async fn look(self, state: &State) -> Result<String, String> {
        match self {
            Self::Image => guest::look(state),
            Self::Host(node) => {
                let record =
                    Record::read(&state.file("record.json")).map_err(|error| error.to_string())?;
                let host = record.as_ref().and_then(|record| record.host(node.name));
                host.map(|host| format!("pid {}", host.pid)).ok_or_else(|| "not running".to_owned())
            }
            Self::Network => {
                network(state, "look").await?.within(LOOK).look().await?;
                Ok(format!("{MANAGEMENT_ROOT} on {MANAGEMENT_BRIDGE}"))
            }
            Self::Links(node) => {
                inside(state, node, "links").await?;
                Ok(node.management.to_owned())
            }
            Self::Sshd(node) => {
                state.ssh(node.management, &["true"]).within(LOOK).look().await?;
                Ok(format!("{}:22 answers", node.management))
            }
            Self::Switch(node) => {
                inside(state, node, "switch").await?;
                Ok(format!("{} on port-mgt", node.data))
            }
            Self::Libvirt(node) => {
                inside(state, node, "libvirt").await?;
                Ok("answers".to_owned())
            }
            Self::Guest(node) => {
                inside(state, node, "guest").await?;
                state.ssh(node.guest.address, &["true"]).within(LOOK).look().await?;
                Ok(format!("{}:22 answers", node.guest.address))
            }
            Self::Path => {
                let [server, client] = &NODES;
                tokio::try_join!(reaches(state, client, server), reaches(state, server, client))?;
                Ok(format!("{} and {} reach each other", client.data, server.data))
            }
            Self::Truth => truth::look(state).await,
        }
    }

    /// Starts it; where it is there already, nothing changes. The image and the hosts are [`up`](super::up)'s.
    ///
    /// # Errors
    /// [`StepError`] of the command that failed.
    pub(super) async fn start(self, state: &State) -> Result<(), StepError> {
        match self {
            Self::Network => {
                let unmet = |status| StepError::Unmet {
                    what: "link the hosts".into(),
                    status,
                    hint: "Run `testbed down`, then `testbed up`.".into(),
                };
                network(state, "start").await.map_err(unmet)?.run().await?;
            }
            Self::Links(node) => start(state, node, "links").await?,
            Self::Sshd(node) => start(state, node, "sshd").await?,
            Self::Switch(node) => start(state, node, "switch").await?,
            Self::Libvirt(node) => start(state, node, "libvirt").await?,
            Self::Guest(node) => {
                guest::prepare(state, node).await?;
                start(state, node, "guest").await?;
            }
            Self::Path => {
                for node in &NODES {
                    let flush = ["ip", "neigh", "flush", "dev", INTERNAL_PORT];
                    state.inside(node, "have the hosts find each other", &flush).run().await?;
                }
            }
            Self::Truth => truth::write(state).await?,
            Self::Image | Self::Host(_) => {}
        }
        Ok(())
    }
}

/// Looks at every part at one time.
pub(super) async fn look_at_all(state: &State) -> Vec<Row> {
    let look = async |part: Part| {
        let found = part.look(state).await;
        let standing = if found.is_ok() { Standing::Ok } else { Standing::Missing };
        Row { part: part.name(), state: standing, found: found.unwrap_or_else(|why| why) }
    };
    join_all(Part::all().into_iter().map(look)).await
}

async fn inside(state: &State, node: &Node, part: &str) -> Result<String, String> {
    if !state.of(node).join("enter").exists() {
        return Err(format!("{} is not running", node.name));
    }
    for (name, text) in SCRIPTS {
        if std::fs::read_to_string(state.file(name)).is_ok_and(|found| found != text) {
            return Err(format!("{name} is of another version: run `testbed up`"));
        }
    }
    state.host_script(node, "look", part).within(LOOK).look().await
}

/// Whether a host reaches the other one where it is measured, and not past it.
async fn reaches(state: &State, from: &Node, to: &Node) -> Result<(), String> {
    let look = |what, line: &[&str]| state.inside(from, what, line).within(LOOK).look();
    look("ping", &["ping", "-n", "-q", "-c", "1", "-W", "2", to.data]).await?;
    let line = ["ip", "neigh", "show", "to", to.data, "dev", INTERNAL_PORT];
    let found = look("ask where it is", &line).await?;
    match found.split_whitespace().any(|word| word == to.data_mac) {
        true => Ok(()),
        false => Err(format!(
            "for {} {} sends to \"{found}\", not to {} of {INTERNAL_PORT}",
            to.data, from.name, to.data_mac
        )),
    }
}

async fn start(state: &State, node: &Node, part: &str) -> Result<(), StepError> {
    let log = state.of(node).join("log");
    let hint = format!("Its logs are in {}.", log.display());
    state.host_script(node, "start", part).hint(hint).run().await.map(drop)
}

/// network.sh with the hosts that run.
async fn network(state: &State, verb: &str) -> Result<Step, String> {
    let record = Record::read(&state.file("record.json")).map_err(|error| error.to_string())?;
    let record = record.ok_or("not made")?;
    let mut args = vec![
        state.file("network.sh").to_string_lossy().into_owned(),
        verb.to_owned(),
        MANAGEMENT_BRIDGE.to_owned(),
        MANAGEMENT_ROOT.to_owned(),
    ];
    for node in &NODES {
        let host = record.host(node.name).ok_or_else(|| format!("{} is not running", node.name))?;
        args.extend([node.link.to_owned(), host.pid.to_string(), node.nic_mac.to_owned()]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    Ok(Step::new("link the hosts", "/bin/sh", &args))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_a_name_of_its_own() {
        let mut names: Vec<String> = Part::all().into_iter().map(Part::name).collect();
        let all = names.len();
        assert_eq!(all, 4 + 2 * 6);
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[tokio::test]
    async fn without_a_testbed_every_part_is_missing_and_says_why() {
        let state = State::at(std::path::Path::new("/nowhere/testbed")).unwrap();
        for row in look_at_all(&state).await {
            assert_eq!(row.state, Standing::Missing, "{row:?}");
            assert!(!row.found.is_empty(), "{row:?}");
        }
    }
}
