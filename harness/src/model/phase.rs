//! [`Phase`]: one stretch of a trial. The run loop walks phases and knows nothing of kinds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::quantity::as_length;

/// What is asked of the driver when a phase begins. The phase's length counts from its completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing.
    Keep,
    /// Bring every agent group to this many live agents.
    Level(u32),
    /// Stop the load; what it built up may stay.
    Stop,
    /// Ask the system to release everything.
    Reset,
    /// Start what is under test beside the traffic, and wait until it is ready.
    Start,
    /// Begin the driver's test of this place in its list.
    Test(u32),
    /// Wait for the end of the running test; its figures are then to be read.
    Collect,
}

/// One stretch of a trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// `warmup`, `baseline`, `settle`, `sample`, `drain`, `cooldown`, `load`, `post`.
    pub name: String,
    /// Which repetition, from 1; 0 where the phase does not repeat.
    #[serde(default)]
    pub cycle: u32,
    /// What happens first.
    pub enter: Action,
    /// How long it lasts.
    #[serde(with = "as_length")]
    pub length: Duration,
    /// True where its readings are evidence. Other phases are watched too, but only for events.
    pub sampled: bool,
    /// The time between two samples.
    #[serde(with = "as_length")]
    pub interval: Duration,
}
