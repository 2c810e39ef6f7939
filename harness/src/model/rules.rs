//! [`Rules`]: what a trial is judged by. Results carry them, so that judging again gives the same verdict.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::{Length, Quantity};
use super::threshold::Threshold;

/// Everything that a trial is judged by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rules {
    /// The scenario's thresholds.
    pub thresholds: Vec<Threshold>,
    /// How memory growth over time is judged, in trials of kind `duration`.
    pub leak: LeakRule,
    /// How a reset is judged, in trials of kind `reset`.
    pub reset: ResetRule,
}

/// How memory growth over time is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeakRule {
    /// What the gate looks at.
    pub gate: LeakGate,
    /// Below this slope growth is normal fluctuation.
    pub watch: Quantity,
    /// Above this slope growth is a leak.
    pub leak: Quantity,
    /// With [`LeakGate::Gross`]: only a slope whose whole interval is above this fails.
    pub gross: Quantity,
    /// True: a slope whose interval includes the limit, or a run shorter than `shortest`, is `unknown`.
    pub certain: bool,
    /// The shortest run that can be judged when `certain`.
    pub shortest: Length,
}

/// What the gate looks at in a trial of kind `duration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LeakGate {
    /// The leak verdict: leak fails, suspect warns, unknown is inconclusive.
    Verdict,
    /// Only a gross slope fails; smaller leaks are reported as unknown.
    Gross,
    /// Nothing: growth is reported only.
    Off,
}

/// How a reset is judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResetRule {
    /// How far memory after a reset may be from the baseline, as a fraction of it.
    pub within: f64,
    /// False: the difference is reported only.
    pub gate: bool,
}
