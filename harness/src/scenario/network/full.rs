//! [`Full`]: `<env>-full.yaml`, everything about an environment that cases need: what the user wrote, and what was found.
//!
//! The keys are those of the framework that Proofload succeeds; `ssh.config`, the ports, `input`, `discovered` and
//! `missing` are ours. What is not known is absent, and told by name in `missing`.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::minimal::Minimal;
use super::template::Template;
use super::yaml::{self, Ordered};
use crate::scenario::ScenarioError;

/// A complete configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Full {
    /// Of the format: `1.0`.
    pub version: String,
    /// The environment's name, with which its files begin.
    pub environment: String,
    /// How nodes are reached.
    pub ssh: Ssh,
    /// The pairs of nodes, `host` and `vm`.
    pub environments: Ordered<Environment>,
    /// Where things are.
    pub paths: Paths,
    /// What holds where nothing else is said.
    pub defaults: Defaults,
    /// What of a tool is watched.
    pub monitoring: Monitoring,
    /// The tools under test.
    pub tools: Template,
    /// The original's settings of network tests; ours are in `[network]` of a scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performance_tests: Option<serde_json::Value>,
    /// What the user wrote when the rest was found out; ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Minimal>,
    /// Everything that was found out about each node; ours.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub discovered: Ordered<Facts>,
    /// What was looked for and not found; ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
}

impl Full {
    /// Reads a file's text.
    ///
    /// # Errors
    /// [`ScenarioError`] with the line.
    pub fn read(path: &Path, text: &str) -> Result<Self, ScenarioError> {
        yaml::read(path, text)
    }

    /// The text of its file.
    ///
    /// # Errors
    /// A sentence, for what YAML cannot hold.
    pub fn to_yaml(&self) -> Result<String, String> {
        yaml::write(self)
    }
}

/// `ssh`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ssh {
    /// A configuration file for `ssh` in place of the user's own, relative to the configuration directory; ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<PathBuf>,
    /// By node.
    pub ssh_hosts: Ordered<SshHost>,
}

/// How a node is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SshHost {
    /// A name or an address, or an alias of the configuration of `ssh`.
    pub host: String,
    /// Absent where the configuration of `ssh` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Absent where the configuration of `ssh` says it; ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The directory below which everything is written.
    pub workdir: String,
}

/// A pair of nodes, and what was found about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// One line for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The side that listens.
    pub server: Side,
    /// The side that connects.
    pub client: Side,
    /// Addresses and interfaces.
    #[serde(default)]
    pub network_config: NetworkConfig,
    /// Processes of the two guests, in environment `vm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kvm_config: Option<KvmConfig>,
}

/// One side of a pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// The node.
    pub ssh_ref: String,
    /// The address that traffic is bound to.
    #[serde(default, deserialize_with = "address", skip_serializing_if = "Option::is_none")]
    pub test_ip: Option<IpAddr>,
    /// The interface on the node that has the address.
    #[serde(default, deserialize_with = "fact", skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// The guest's interface on its host.
    #[serde(default, deserialize_with = "fact", skip_serializing_if = "Option::is_none")]
    pub vm_interface: Option<String>,
    /// The guest's host, a node.
    #[serde(default, deserialize_with = "fact", skip_serializing_if = "Option::is_none")]
    pub physical_host_ref: Option<String>,
}

/// `network_config`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Address of the server.
    #[serde(default, deserialize_with = "address", skip_serializing_if = "Option::is_none")]
    pub server_ip: Option<IpAddr>,
    /// Address of the client.
    #[serde(default, deserialize_with = "address", skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<IpAddr>,
    /// The internal port of the server's bridge.
    #[serde(default, deserialize_with = "fact", skip_serializing_if = "Option::is_none")]
    pub internal_interface: Option<String>,
    /// The server's bond, or its one network card.
    #[serde(default, deserialize_with = "fact", skip_serializing_if = "Option::is_none")]
    pub server_physical_interface: Option<String>,
    /// The cards of the server's bond; empty where there is no bond.
    #[serde(default)]
    pub server_physical_nic_members: Vec<String>,
    /// The guest's interface on the server's host.
    #[serde(default, deserialize_with = "fact", skip_serializing_if = "Option::is_none")]
    pub server_vm_interface: Option<String>,
    /// The client's bond, or its one network card.
    #[serde(default, deserialize_with = "fact", skip_serializing_if = "Option::is_none")]
    pub client_physical_interface: Option<String>,
    /// The cards of the client's bond; empty where there is no bond.
    #[serde(default)]
    pub client_physical_nic_members: Vec<String>,
    /// The guest's interface on the client's host.
    #[serde(default, deserialize_with = "fact", skip_serializing_if = "Option::is_none")]
    pub client_vm_interface: Option<String>,
}

/// `kvm_config`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KvmConfig {
    /// Of the server's guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Guest>,
    /// Of the client's guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Guest>,
}

/// The processes of a guest on its host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guest {
    /// The emulator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qemu_pid: Option<Pid>,
    /// The kernel's threads for the guest's queues, in their order.
    #[serde(default)]
    pub vhost_pids: Vec<Pid>,
}

/// A process id; written as a string, as the original does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pid(pub u32);

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Pid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Pid;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a process id above 0")
            }

            fn visit_u64<E: de::Error>(self, pid: u64) -> Result<Pid, E> {
                let known = u32::try_from(pid).ok().filter(|pid| *pid > 0);
                known.map(Pid).ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(pid), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Pid, E> {
                let known = text.parse().ok().filter(|pid| *pid > 0);
                known.map(Pid).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// `paths`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paths {
    /// Where the tools under test are on a node, relative to its workdir.
    pub tools_dir: String,
    /// Where the original kept results; kept for its readers.
    pub results_dir: String,
    /// Where the tools under test are here, relative to the configuration directory.
    pub measurement_tools_dir: String,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            tools_dir: "measurement-tools".to_owned(),
            results_dir: "ebpf-test-results".to_owned(),
            measurement_tools_dir: "measurement-tools".to_owned(),
        }
    }
}

/// `defaults`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// Of a case, in seconds.
    pub duration: u64,
    /// Of a command, in seconds.
    pub timeout: u64,
    /// True: commands that need root are run with `sudo -n` by users that are not root.
    pub use_sudo: bool,
    /// For tools that are written in Python.
    pub python_interpreter: String,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            duration: 10,
            timeout: 120,
            use_sudo: true,
            python_interpreter: "python3".to_owned(),
        }
    }
}

/// `monitoring`: kept for readers of the original's files; what is watched of a tool is always the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Monitoring {
    /// Anything at all.
    pub enabled: bool,
    /// Processor time.
    pub cpu: bool,
    /// Memory.
    pub memory: bool,
    /// Which memory: `virt`, `rss`.
    pub memory_types: Vec<String>,
    /// Size of what the tool prints.
    pub log_size: bool,
    /// Which statistics of processor time: `avg`, `peak`.
    pub cpu_stats: Vec<String>,
}

impl Default for Monitoring {
    fn default() -> Self {
        let words = |words: [&str; 2]| words.map(str::to_owned).to_vec();
        Self {
            enabled: true,
            cpu: true,
            memory: true,
            memory_types: words(["virt", "rss"]),
            log_size: true,
            cpu_stats: words(["avg", "peak"]),
        }
    }
}

/// What was found about one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// The address that traffic is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_ip: Option<IpAddr>,
    /// The interface on the node that has the address; of a host, the bridge's internal port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// The bridge that has the internal port, or the guest's interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bridge: Option<String>,
    /// The bridge that has the network cards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uplink_bridge: Option<String>,
    /// The bond, or the one network card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_interface: Option<String>,
    /// The network cards: that one, or the members of the bond.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nics: Vec<Nic>,
    /// The guest's hardware address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// The guest's interface on its host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm_interface: Option<String>,
    /// Queues of that interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queues: Option<u32>,
    /// The emulator's process on the guest's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qemu_pid: Option<Pid>,
    /// The kernel's threads for the queues of that interface.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vhost_pids: Vec<Pid>,
    /// The Python interpreter on the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python_interpreter: Option<String>,
}

/// A network card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nic {
    /// Its name.
    pub name: String,
    /// In bit/s; absent where it tells none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<u64>,
}

/// A fact that was looked for and not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// The node.
    pub node: String,
    /// What of it, for example `internal_interface`.
    pub fact: String,
    /// Why it was not found, and what was expected.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The command that was tried.
    pub command: String,
    /// What it printed.
    pub output: String,
    /// Facts that cannot be known without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

/// A fact that is an empty string in files of the original where it was not found.
fn fact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IpAddr>, D::Error> {
    let parsed = |text: String| {
        text.parse().map_err(|_| {
            de::Error::custom(format!("{text:?} is no address: expected for example 198.18.0.1"))
        })
    };
    fact(deserializer)?.map(parsed).transpose()
}
