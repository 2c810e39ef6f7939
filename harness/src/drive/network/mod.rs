//! [`Network`]: the tests between two nodes, run one after the other, with or without a tool under test beside them.

pub mod figures;
mod iperf3;
mod netperf;
mod ping;
pub mod tool;

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::{Driver, DriverError};
use crate::model::spec::NetworkSpec;
use crate::model::{Action, Observation};

/// Runs the tests of one trial.
pub struct Network {
    spec: NetworkSpec,
    logs: PathBuf,
}

impl Network {
    /// Nothing is contacted yet. `logs` is an existing directory for raw output.
    #[must_use]
    pub fn new(spec: &NetworkSpec, logs: &Path) -> Self {
        Self { spec: spec.clone(), logs: logs.to_owned() }
    }
}

#[async_trait]
impl Driver for Network {
    async fn enter(&mut self, _action: &Action) -> Result<(), DriverError> {
        let Self { spec, logs } = self;
        Err(DriverError::rig(format!("{} {}", spec.environment, logs.display())))
    }

    async fn read(&mut self) -> Observation {
        Observation::default()
    }
}
