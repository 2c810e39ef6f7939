//! [`Minimal`]: `minimal-input.yaml`, all that a user has to write: nodes, and which of them are pairs.
//!
//! A node's `ssh` is what `ssh` takes: `user@host`, `host`, `ssh://user@host:port` or an alias of its configuration.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::yaml::{self, Located, Ordered};
use crate::model::spec::network::NodeSpec;
use crate::scenario::ScenarioError;
use crate::scenario::error::hint;

/// What the user wrote of an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minimal {
    /// Of the format.
    pub version: String,
    /// The environment's name, with which its files begin.
    pub environment: String,
    /// A configuration file for `ssh` in place of the user's own, relative to the configuration directory; ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_config: Option<PathBuf>,
    /// The nodes, in the order of the file.
    pub nodes: Vec<Node>,
    /// The pair of hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Pair>,
    /// The pair of guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vm: Option<Pair>,
    /// The type of internal port that carries the hosts' test address: `mgt` of `port-mgt`.
    pub internal_port_type: String,
    /// For tools that are written in Python.
    pub python_interpreter: String,
}

/// A host or a guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// How it is reached.
    pub ssh: String,
    /// The directory below which everything is written.
    pub workdir: String,
    /// The address that traffic is bound to, of a guest always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_ip: Option<IpAddr>,
    /// Where it runs, of a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<Guest>,
}

/// Where a guest runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guest {
    /// The node of its host.
    pub host: String,
    /// Its name or UUID in libvirt.
    pub uuid: String,
}

/// Two nodes of one role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The side that listens.
    pub server: String,
    /// The side that connects.
    pub client: String,
}

/// The parts of a node's `ssh`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// A name, an address or an alias.
    pub host: String,
    /// Absent where it was not written.
    pub user: Option<String>,
    /// Absent where it was not written.
    pub port: Option<u16>,
}

impl Node {
    /// The parts of its `ssh`.
    #[must_use]
    pub fn login(&self) -> Login {
        let url = self.ssh.strip_prefix("ssh://");
        let rest = url.unwrap_or(&self.ssh);
        let (user, host) = rest.rsplit_once('@').map_or((None, rest), |(u, h)| (Some(u), h));
        // Only a URL has a port; a colon of anything else is that of an address.
        let numbered = url.and_then(|_| host.rsplit_once(':'));
        let numbered = numbered.and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = numbered.map_or((host, None), |(host, port)| (host, Some(port)));
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Login { host, user: user.map(str::to_owned), port }
    }

    /// How everything else knows it. `ssh_config` is a path that can be opened.
    #[must_use]
    pub fn spec(&self, ssh_config: Option<&Path>, use_sudo: bool) -> NodeSpec {
        NodeSpec {
            name: self.name.clone(),
            ssh: self.ssh.clone(),
            ssh_config: ssh_config.map(Path::to_owned),
            workdir: self.workdir.clone(),
            sudo: use_sudo && self.login().user.as_deref() != Some("root"),
        }
    }
}

impl Minimal {
    /// Reads a file's text.
    ///
    /// # Errors
    /// [`ScenarioError`] with the line: a guest without its host, an unknown node, a bad address.
    pub fn read(path: &Path, text: &str) -> Result<Self, ScenarioError> {
        let file: MinimalFile = yaml::read(path, text)?;
        Reader { path, text, file: &file }.resolve()
    }

    /// The node of that name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// The pair of an environment, `host` or `vm`.
    #[must_use]
    pub fn pair(&self, environment: &str) -> Option<&Pair> {
        match environment {
            "host" => self.host.as_ref(),
            "vm" => self.vm.as_ref(),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MinimalFile {
    version: Option<String>,
    environment: Option<Located<String>>,
    ssh_config: Option<PathBuf>,
    nodes: Ordered<Located<NodeFile>>,
    #[serde(default)]
    test_pairs: PairsFile,
    #[serde(default)]
    discovery_hints: HintsFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeFile {
    ssh: Located<String>,
    workdir: Option<Located<String>>,
    #[serde(default)]
    role: Role,
    host_ref: Option<Located<String>>,
    uuid: Option<Located<String>>,
    test_ip: Option<Located<String>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    #[default]
    Host,
    Vm,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PairsFile {
    host: Option<PairFile>,
    vm: Option<PairFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PairFile {
    server: Located<String>,
    client: Located<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HintsFile {
    internal_port_type: Option<String>,
    python_interpreter: Option<String>,
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    file: &'a MinimalFile,
}

impl Reader<'_> {
    fn at<T>(&self, place: &Located<T>, message: impl Into<String>) -> ScenarioError {
        ScenarioError::at(self.path, self.text, place.at.clone(), message)
    }

    fn resolve(&self) -> Result<Minimal, ScenarioError> {
        let file = self.file;
        let hints = &file.discovery_hints;
        let or = |value: &Option<String>, default: &str| {
            value.clone().unwrap_or_else(|| default.to_owned())
        };
        let environment = match &file.environment {
            Some(name) if !is_word(name) => {
                let message = format!(
                    "expected a name of letters, digits, - _ and ., with which files can begin, found {:?}",
                    name.value
                );
                return Err(self.at(name, message));
            }
            Some(name) => name.value.clone(),
            None => "auto-discovered".to_owned(),
        };
        let nodes = file.nodes.0.iter();
        Ok(Minimal {
            version: or(&file.version, "1.0"),
            environment,
            ssh_config: file.ssh_config.clone(),
            nodes: nodes.map(|(name, node)| self.node(name, node)).collect::<Result<_, _>>()?,
            host: self.pair(file.test_pairs.host.as_ref(), Role::Host)?,
            vm: self.pair(file.test_pairs.vm.as_ref(), Role::Vm)?,
            internal_port_type: or(&hints.internal_port_type, "mgt"),
            python_interpreter: or(&hints.python_interpreter, "python3"),
        })
    }

    fn node(&self, name: &str, node: &Located<NodeFile>) -> Result<Node, ScenarioError> {
        if !is_word(name) {
            let message =
                format!("expected a node's name of letters, digits, - _ and ., found {name:?}");
            return Err(self.at(node, message));
        }
        let is_login = !node.ssh.is_empty()
            && !node.ssh.starts_with('-')
            && !node.ssh.contains(|c: char| c.is_whitespace() || c.is_control());
        if !is_login {
            let message = format!(
                "expected user@host, a host or an alias of ssh, found {:?}",
                node.ssh.value
            );
            return Err(self.at(&node.ssh, message));
        }
        if let Some(workdir) = node.workdir.as_ref().filter(|path| !path.starts_with('/')) {
            let message = format!(
                "expected a path from the root on, for example /tmp, found {:?}",
                workdir.value
            );
            return Err(self.at(workdir, message));
        }
        let test_ip = node.test_ip.as_ref().map(|ip| {
            ip.parse().map_err(|_| {
                let message =
                    format!("{:?} is no address: expected for example 198.18.0.1", ip.value);
                self.at(ip, message)
            })
        });
        Ok(Node {
            name: name.to_owned(),
            ssh: node.ssh.value.clone(),
            workdir: node.workdir.as_ref().map_or("/tmp", |path| path.as_str()).to_owned(),
            test_ip: test_ip.transpose()?,
            guest: self.guest(name, node)?,
        })
    }

    fn guest(&self, name: &str, node: &Located<NodeFile>) -> Result<Option<Guest>, ScenarioError> {
        if node.role == Role::Host {
            for (key, value) in [("host_ref", &node.host_ref), ("uuid", &node.uuid)] {
                if let Some(value) = value {
                    let message = format!("`{key}` is for guests: add `role: vm`, or leave it out");
                    return Err(self.at(value, message));
                }
            }
            return Ok(None);
        }
        let missing = |key: &str, what: &str| {
            let message = format!("{name}: a node with `role: vm` needs `{key}`, {what}");
            self.at(node, message)
        };
        let host = node.host_ref.as_ref();
        let host = host.ok_or_else(|| missing("host_ref", "the node of its host"))?;
        let uuid = node.uuid.as_ref().filter(|uuid| !uuid.is_empty());
        let uuid = uuid.ok_or_else(|| missing("uuid", "its name or UUID in libvirt"))?;
        if node.test_ip.is_none() {
            return Err(missing("test_ip", "the address by which its interface is found"));
        }
        self.known(host, Role::Host)?;
        Ok(Some(Guest { host: host.value.clone(), uuid: uuid.value.clone() }))
    }

    fn pair(&self, pair: Option<&PairFile>, role: Role) -> Result<Option<Pair>, ScenarioError> {
        let Some(PairFile { server, client }) = pair else { return Ok(None) };
        self.known(server, role)?;
        self.known(client, role)?;
        if server.value == client.value {
            return Err(self.at(client, "both sides of a pair are the same node: expected two"));
        }
        Ok(Some(Pair { server: server.value.clone(), client: client.value.clone() }))
    }

    /// Refuses a name that is no node's, or that of a node of another role.
    fn known(&self, name: &Located<String>, role: Role) -> Result<(), ScenarioError> {
        let Some(node) = self.file.nodes.get(name) else {
            let suggestion = hint(name, self.file.nodes.names());
            let known: Vec<&str> = self.file.nodes.names().collect();
            let message = format!(
                "unknown node {:?}{suggestion}: expected one of {}",
                name.value,
                known.join(", ")
            );
            return Err(self.at(name, message));
        };
        if node.role == role {
            return Ok(());
        }
        let (is, expected) = match role {
            Role::Host => ("vm", "host"),
            Role::Vm => ("host", "vm"),
        };
        let message =
            format!("{} has `role: {is}`: expected a node with `role: {expected}`", name.value);
        Err(self.at(name, message))
    }
}

fn is_word(name: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with(['-', '.']) && name.chars().all(known)
}

#[cfg(test)]
mod tests;
