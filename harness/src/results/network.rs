//! [`Traffic`]: what ran in a trial of kind network, as its `metadata` tell it.
//!
//! It comes from what the driver was given, and not from the names of the trial's parameters: what is compared with what
//! can so be checked later.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::TrialRecord;
use crate::model::spec::NetworkSpec;
use crate::model::spec::network::{End, Topic};

/// The key of `metadata` that holds a [`Traffic`].
pub(crate) const NETWORK: &str = "network";

/// Between whom, with which tests, and beside which tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// `host` or `vm`: which of the configuration's environments.
    pub environment: String,
    /// The side that listened.
    pub server: Side,
    /// The side that connected.
    pub client: Side,
    /// The tests, in order.
    pub tests: Vec<Tested>,
    /// The tool under test; absent of a baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<UnderTest>,
}

/// One end of the traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The node's name.
    pub node: String,
    /// The address that traffic was bound to.
    pub ip: IpAddr,
}

/// One test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    /// The phase's name and the source of its figures.
    pub name: String,
    /// What its figures are about.
    pub topic: Topic,
}

/// The tool under test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderTest {
    /// Its name.
    pub name: String,
    /// What its case is called, with the parameters of the matrix; absent where that was not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The node that it ran on.
    pub node: String,
    /// Its command line.
    pub command: String,
}

impl Traffic {
    /// What a driver was asked for.
    #[must_use]
    pub fn of(spec: &NetworkSpec) -> Self {
        let side = |end: &End| Side { node: end.node.name.clone(), ip: end.ip };
        Self {
            environment: spec.environment.clone(),
            server: side(&spec.server),
            client: side(&spec.client),
            tests: spec
                .tests
                .iter()
                .map(|test| Tested { name: test.name.clone(), topic: test.topic })
                .collect(),
            tool: spec.tool.as_ref().map(|tool| UnderTest {
                name: tool.name.clone(),
                case: Some(tool.case.clone()),
                node: tool.node.name.clone(),
                command: tool.command.clone(),
            }),
        }
    }

    /// What the metadata of a trial tell.
    pub(crate) fn in_metadata(metadata: &Map<String, Value>) -> Option<Self> {
        Self::deserialize(metadata.get(NETWORK)?).ok()
    }

    /// True where both ran in one environment, between the same ends.
    #[must_use]
    pub fn is_comparable(&self, other: &Self) -> bool {
        let Self { environment, server, client, .. } = self;
        (environment, server, client) == (&other.environment, &other.server, &other.client)
    }
}

impl TrialRecord {
    /// What ran, of a trial of kind network.
    #[must_use]
    pub fn traffic(&self) -> Option<Traffic> {
        Traffic::in_metadata(&self.metadata)
    }
}
