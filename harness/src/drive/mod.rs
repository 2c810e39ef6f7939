//! What loads the system: [`Driver`], with one file per kind.

use async_trait::async_trait;

use crate::model::{Action, Observation};

/// Something that puts load on a target.
#[async_trait]
pub trait Driver: Send {
    /// Carries out what a phase begins with, and returns when it is in force.
    ///
    /// Dropping the future must leave nothing running that [`Action::Stop`] or dropping the driver does not end.
    ///
    /// # Errors
    /// [`DriverError`], which fails the trial.
    async fn enter(&mut self, action: &Action) -> Result<(), DriverError>;

    /// What the load looks like now, and what failed since the last call. Called once per tick.
    async fn read(&mut self) -> Observation;
}

/// Load that could not be put on, and whose fault that is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DriverError {
    /// True when the system under test refused or never got there; false when the harness failed.
    pub system: bool,
    /// What failed, with the last answer seen; a lower-case fragment.
    pub message: String,
}

impl DriverError {
    /// The system under test failed.
    pub fn system(message: impl Into<String>) -> Self {
        Self { system: true, message: message.into() }
    }

    /// The rig failed.
    pub fn rig(message: impl Into<String>) -> Self {
        Self { system: false, message: message.into() }
    }
}
