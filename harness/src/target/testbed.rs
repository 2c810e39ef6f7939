//! [`TestbedTarget`]: hosts and virtual machines that are there already, entered over SSH and left as they were.

pub mod discovery;

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::{Target, TargetError};
use crate::model::Member;
use crate::model::spec::TestbedSpec;

/// The nodes of a configuration.
pub struct TestbedTarget {
    spec: TestbedSpec,
    root: PathBuf,
}

impl TestbedTarget {
    /// Nothing is contacted yet. Paths in `spec` are relative to `root`.
    #[must_use]
    pub fn new(spec: &TestbedSpec, root: &Path) -> Self {
        Self { spec: spec.clone(), root: root.to_owned() }
    }
}

#[async_trait]
impl Target for TestbedTarget {
    async fn up(&mut self, _logs: &Path) -> Result<Vec<Member>, TargetError> {
        let Self { spec, root } = self;
        Err(TargetError::rig(root.join(&spec.config).display().to_string()))
    }

    async fn save_logs(&mut self, _logs: &Path) -> Result<(), TargetError> {
        Ok(())
    }

    async fn down(&mut self) -> Result<(), TargetError> {
        Ok(())
    }
}
