//! [`Sample`]: everything that was read at one tick of the run clock.

use std::borrow::Cow;
use std::sync::Arc;

/// One value of one metric of one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The metric's name; its unit is the metric's.
    pub metric: Cow<'static, str>,
    /// What was read: a container, a service, a node, a driver.
    pub source: Arc<str>,
    /// The value, in the metric's base unit. Always finite.
    pub value: f64,
}

impl Reading {
    /// A reading of a catalog metric.
    #[must_use]
    pub fn new(metric: &super::Metric, source: &Arc<str>, value: f64) -> Self {
        Self { metric: metric.name.clone(), source: Arc::clone(source), value }
    }
}

/// The readings of one tick.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Seconds on the run's monotonic clock since the trial began.
    pub elapsed: f64,
    /// Wall-clock time of the tick, derived from the monotonic clock (so it never steps).
    pub timestamp: jiff::Timestamp,
    /// The phase it was taken in.
    pub phase: Arc<str>,
    /// Which repetition of the phase within the trial, from 1; 0 where phases do not repeat.
    pub cycle: u32,
    /// What was read. A metric that could not be read is absent.
    pub readings: Vec<Reading>,
}

/// What a probe or driver has to say at one tick.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// What was read.
    pub readings: Vec<Reading>,
    /// What happened since the last tick.
    pub incidents: Vec<super::event::Incident>,
}

impl Observation {
    /// Takes over everything from another.
    pub fn absorb(&mut self, other: Self) {
        self.readings.extend(other.readings);
        self.incidents.extend(other.incidents);
    }
}
