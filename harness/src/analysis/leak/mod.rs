//! [`Leak`]: how fast memory, open files and threads grow under constant load, over the trials of kind `duration`.
//!
//! The rule [`leakscore`] tells growth without end from growth that ends, with false alarm rates that were measured, and
//! [`guard`] doubts the alarms on growth that slows down. The rule `seed` is the original framework's, bands of a
//! least-squares slope.

pub mod bank;
pub mod designs;
pub mod floors;
pub mod grid;
pub mod guard;
pub mod kendall;
pub mod leakscore;

mod find;
mod seed;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::{Map, Value};

pub use crate::model::rules::LeakMethod;
pub use find::leaks;
pub use guard::Doubt;
pub use leakscore::Limits;

/// One container's growth of one metric in one trial.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leak {
    /// The trial's id.
    pub id: String,
    /// With `scenario_params` and the repetition the trial's identity.
    pub scenario_name: String,
    /// The trial's parameters.
    pub scenario_params: Map<String, Value>,
    /// The container.
    pub container: String,
    /// The metric that was judged; `memory_used_mb` in files of the original framework, which have no better one.
    pub channel: String,
    /// The unit of slopes where it is not MiB per minute: things that are counted, per minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<&'static str>,
    /// How it was judged.
    pub rule: LeakMethod,
    /// In MiB per minute. Under `leakscore` the line through the floors after the first 40% of the run, of runs below
    /// four minutes through those of all of it; under `seed`, and where the gate looks at gross growth only, least squares.
    /// Null of a single reading.
    pub slope_mb_per_min: Option<f64>,
    /// The 95% interval of the slope; null of fewer than three readings.
    pub interval: Option<[f64; 2]>,
    /// The smallest leak that this run could have seen, in MiB per minute; null where the readings do not scatter:
    /// memory is counted in pages, so a flat run tells nothing about how small a growth it would have shown.
    pub detectable_mb_per_min: Option<f64>,
    /// Where the slope lies; null without one, and of what is counted.
    pub band: Option<Band>,
    /// How much speaks for growth without end; null of a run too short for it, and under the rule `seed`.
    pub score: Option<f64>,
    /// What the score is held against, raised where the trial has several containers.
    pub limits: Option<Limits>,
    /// What follows.
    pub verdict: LeakVerdict,
    /// Why the verdict is `unknown` though the score is above a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// Why, in words.
    pub reason: String,
    /// How many readings there were.
    pub n: usize,
    /// Growth of what else is read of the container's memory. It is never judged: page cache grows without a leak.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub apart: Vec<Apart>,
}

/// Growth that is reported and not judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Apart {
    /// The metric.
    pub channel: String,
    /// Least squares, in MiB per minute.
    pub slope_mb_per_min: f64,
}

/// Where a slope lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Band {
    /// Below the watch limit.
    Normal,
    /// From there to the leak limit.
    Watch,
    /// Above it.
    Leak,
}

/// What growth comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LeakVerdict {
    /// It grows without end.
    Leak,
    /// It may; a longer run would tell.
    Suspect,
    /// It does not.
    Clean,
    /// The run cannot tell.
    Unknown,
}
