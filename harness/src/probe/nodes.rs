//! [`Nodes`]: the nodes of a testbed and the tool under test on them, over SSH.

use async_trait::async_trait;

use super::Probe;
use crate::model::{Member, Metric, Observation};

/// Reads the nodes among the members of a target.
pub(super) struct Nodes;

impl Nodes {
    pub(super) fn open(_members: &[Member]) -> Self {
        Self
    }
}

#[async_trait]
impl Probe for Nodes {
    fn metrics(&self) -> Vec<Metric> {
        Vec::new()
    }

    async fn read(&mut self) -> Observation {
        Observation::default()
    }
}
