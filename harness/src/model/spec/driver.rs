//! [`DriverSpec`]: what loads the system.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::network::NetworkSpec;
use crate::model::quantity::Length;

/// A driver with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DriverSpec {
    /// Agents that the application itself runs, spawned through its HTTP API.
    Agents(AgentsSpec),
    /// An external load generator.
    Command(CommandSpec),
    /// Network tests between two nodes of a testbed.
    Network(NetworkSpec),
    /// A driver that the test binary registered.
    Custom(CustomSpec),
}

impl DriverSpec {
    /// The names of the agent groups; a driver without groups has one.
    #[must_use]
    pub fn group_count(&self) -> usize {
        match self {
            Self::Agents(spec) => spec.groups.len().max(1),
            Self::Command(_) | Self::Network(_) | Self::Custom(_) => 1,
        }
    }
}

/// Agents behind an HTTP API. Strings may hold `{group}`, `{count}` and the trial's parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentsSpec {
    /// What paths are appended to.
    pub base_url: String,
    /// Sent with every request. `${env:NAME}` is read from the environment when it is used, and never written.
    pub headers: BTreeMap<String, String>,
    /// Groups, each brought to the level's count.
    pub groups: Vec<String>,
    /// Sent once before the first spawn.
    pub start: Option<Request>,
    /// Sent per group, with `{count}` the number of agents to add.
    pub spawn: Request,
    /// Says how many agents are live.
    pub status: Option<Status>,
    /// Stops the load.
    pub stop: Option<Request>,
    /// Releases everything.
    pub reset: Option<Request>,
    /// How long agents may take to become live.
    pub within: Length,
    /// How long one request may take.
    pub timeout: Length,
}

/// One HTTP request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// GET, POST, PUT, PATCH or DELETE.
    pub method: String,
    /// Appended to the base URL.
    pub path: String,
    /// Sent with this request only.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body; sent as JSON unless a header says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Statuses that count as success; empty is any 2xx.
    #[serde(default)]
    pub expect: Vec<u16>,
}

/// The request that says how many agents are live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// GET, as a rule.
    pub method: String,
    /// Appended to the base URL. With `{group}` in it, each group is asked apart and the answers added.
    pub path: String,
    /// Sent with this request only.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Statuses that count as success; empty is any 2xx.
    #[serde(default)]
    pub expect: Vec<u16>,
    /// JSON pointer (RFC 6901) to the number of live agents, or to an array of them.
    pub live: String,
}

/// An external load generator, started when a level is set and stopped with its process group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandSpec {
    /// Program and arguments; `{agents}` is the level.
    pub command: Vec<String>,
    /// Environment variables added to the harness's own.
    pub env: BTreeMap<String, String>,
    /// Working directory, relative to the workspace root.
    pub cwd: Option<std::path::PathBuf>,
    /// True: an end before the phase's own end is an error.
    pub must_outlast: bool,
}

/// A registered driver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomSpec {
    /// The name under which it was registered.
    pub name: String,
    /// Its settings, as the scenario file has them.
    pub options: toml::Table,
}
