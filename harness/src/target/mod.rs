//! What is brought up: [`Target`], with one file per kind.

pub mod build;
pub mod compose;
pub mod process;
mod ready;
pub mod testbed;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;

use crate::host::owner;
use crate::model::Member;
use crate::model::spec::target::TargetSpec;

pub use build::build;
pub use ready::{addresses, connect};

/// The target that a scenario names; nothing is started or looked at yet. Paths in `spec` are relative to `root`.
#[must_use]
pub fn open(spec: &TargetSpec, root: &Path) -> Box<dyn Target> {
    match spec {
        TargetSpec::Process(spec) => Box::new(process::ProcessTarget::new(spec, root)),
        TargetSpec::Compose(spec) => Box::new(compose::ComposeTarget::new(spec, root)),
        TargetSpec::Testbed(spec) => Box::new(testbed::TestbedTarget::new(spec, root)),
    }
}

/// Ends and removes what runs that were killed left behind, and says so, a line each.
pub async fn reap() -> Vec<String> {
    // Processes first: a Compose command that survived may still be creating containers.
    let mut lines = owner::reap_processes().await;
    if !lines.is_empty() && compose::locally_available().is_ok() {
        // The daemon carries out what it was asked for, though nobody waits for the answer any more.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    lines.extend(compose::reap_projects().await);
    lines
}

/// A system under test that can be started and removed.
///
/// The run half calls [`Target::down`] after every [`Target::up`], also after a failed or cancelled one, so `down`
/// must cope with whatever part of `up` was done, and must be harmless when called twice.
#[async_trait]
pub trait Target: Send {
    /// Starts from nothing, waits until it is ready, and says what there is to read.
    ///
    /// `logs` is an existing directory for the output of its parts, as it comes.
    ///
    /// # Errors
    /// [`TargetError`] with the last state seen, and whether the system or the rig is at fault.
    async fn up(&mut self, logs: &Path) -> Result<Vec<Member>, TargetError>;

    /// Writes what the parts printed to files in `logs`, where that did not happen as it came.
    ///
    /// # Errors
    /// [`TargetError`] when the output cannot be had or written.
    async fn save_logs(&mut self, logs: &Path) -> Result<(), TargetError>;

    /// Stops and removes everything that [`Target::up`] made.
    ///
    /// # Errors
    /// [`TargetError`] naming what could not be removed.
    async fn down(&mut self) -> Result<(), TargetError>;

    /// Called after every walk of a target that stays up, before the next one: what the walk left must go.
    ///
    /// # Errors
    /// [`TargetError`] naming what is left; the target is then taken down.
    async fn reset(&mut self) -> Result<(), TargetError> {
        Ok(())
    }

    /// Takes over what the next trial asks for, where that needs nothing to be taken down; true where it does.
    fn adopt(&mut self, _spec: &TargetSpec) -> bool {
        false
    }

    /// True for a target that stays up from trial to trial. The run then keeps the object, calls [`Target::up`] at the
    /// start of each trial (the first one starts it) and [`Target::down`] once, at the end of the run.
    fn keeps_up(&self) -> bool {
        false
    }
}

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The system under test: it exited, or never became ready.
    System,
    /// The harness or what it needs: no daemon, no such program, a port taken by somebody else.
    Rig,
}

/// A target that did not come up, or did not go away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TargetError {
    /// Whose fault it is.
    pub fault: Fault,
    /// What failed, the last state seen, and what to try; a lower-case fragment.
    pub message: String,
}

impl TargetError {
    /// The system under test failed.
    pub fn system(message: impl Into<String>) -> Self {
        Self { fault: Fault::System, message: message.into() }
    }

    /// The rig failed.
    pub fn rig(message: impl Into<String>) -> Self {
        Self { fault: Fault::Rig, message: message.into() }
    }
}
