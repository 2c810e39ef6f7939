//! What reads the system: [`Probe`], with one file per source.

mod cgroup;
mod kept;
mod missed;
mod procfs;
mod usage;

use async_trait::async_trait;

use crate::model::{Metric, Observation};

/// A source of readings.
#[async_trait]
pub trait Probe: Send {
    /// The metrics that it may emit, for units and directions.
    fn metrics(&self) -> Vec<Metric>;

    /// Reads once. What can be read is returned even when a part cannot: the missing part is an incident
    /// ([`EventKind::ProbeMissed`](crate::model::EventKind::ProbeMissed)), said once until it comes back.
    async fn read(&mut self) -> Observation;
}

/// A probe that could not be set up; a lower-case fragment with what to try.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProbeError(pub String);
