//! [`ProbeSpec`]: what reads the system.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Unit;

/// A probe with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProbeSpec {
    /// Memory, processor, network, disk, threads and files of every member of the target.
    Containers,
    /// Kills for want of memory, deaths and restarts of every member of the target.
    Oom,
    /// This machine: by its readings the data of a trial are found valid.
    Host,
    /// The nodes of a testbed and the tool under test, over SSH.
    Nodes,
    /// Containers as cAdvisor sees them.
    Cadvisor(CadvisorSpec),
    /// Queries to a Prometheus server.
    Prometheus(PrometheusSpec),
    /// A probe that the test binary registered.
    Custom {
        /// The name under which it was registered.
        name: String,
        /// Its settings, from `[probe.<name>]`.
        options: toml::Table,
    },
}

impl ProbeSpec {
    /// The word used in scenario files.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Containers => "containers",
            Self::Oom => "oom",
            Self::Host => "host",
            Self::Nodes => "nodes",
            Self::Cadvisor(_) => "cadvisor",
            Self::Prometheus(_) => "prometheus",
            Self::Custom { name, .. } => name,
        }
    }
}

/// Where cAdvisor listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CadvisorSpec {
    /// For example `http://127.0.0.1:8083`.
    pub url: String,
}

/// Where Prometheus listens and what to ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrometheusSpec {
    /// For example `http://127.0.0.1:9090`.
    pub url: String,
    /// The queries, each a metric of ours.
    pub query: Vec<Query>,
}

/// One PromQL query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// The metric's name in results.
    pub metric: String,
    /// The PromQL expression, an instant vector or a scalar.
    pub expr: String,
    /// The label whose value names the source; without it the source is `prometheus`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_label: Option<String>,
    /// The unit of the values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Further labels that a series must have, to choose among several.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}
