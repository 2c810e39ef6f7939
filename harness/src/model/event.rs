//! [`Event`]: something dated that happened during a trial. Events are counted, never dropped.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// The kernel killed a process for want of memory. Ends the trial as aborted.
    OomKill,
    /// A watched container or process ended. Ends the trial as aborted.
    Died,
    /// A watched container came back after it had ended. Ends the trial as aborted.
    Restarted,
    /// A watched container's health check failed.
    Unhealthy,
    /// Memory rose above 95% of its limit.
    MemoryHigh,
    /// A probe could not read what it read before.
    ProbeMissed,
    /// Two samples were further apart than twice the interval.
    SamplingGap,
    /// A driver's request or command failed.
    DriverError,
    /// A metric cannot be had here; the message says why.
    Unavailable,
    /// Something the reader should know that belongs to no other kind.
    Note,
}

impl EventKind {
    /// True where the event means that the system under test did not survive the trial.
    #[must_use]
    pub fn is_fatal(self) -> bool {
        matches!(self, Self::OomKill | Self::Died | Self::Restarted)
    }

    /// The word written to results.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OomKill => "oom-kill",
            Self::Died => "died",
            Self::Restarted => "restarted",
            Self::Unhealthy => "unhealthy",
            Self::MemoryHigh => "memory-high",
            Self::ProbeMissed => "probe-missed",
            Self::SamplingGap => "sampling-gap",
            Self::DriverError => "driver-error",
            Self::Unavailable => "unavailable",
            Self::Note => "note",
        }
    }
}

/// What a probe or driver saw, before the run clock dated it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// What happened.
    pub kind: EventKind,
    /// To which container, process or part.
    pub source: Arc<str>,
    /// A sentence fragment with the details.
    pub message: String,
}

impl Incident {
    /// An incident at `source`.
    #[must_use]
    pub fn new(kind: EventKind, source: &Arc<str>, message: impl Into<String>) -> Self {
        Self { kind, source: Arc::clone(source), message: message.into() }
    }
}

/// An incident with its date.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// Seconds on the run's monotonic clock since the trial began.
    pub elapsed_seconds: f64,
    /// Wall-clock time, RFC 3339.
    #[schemars(with = "String")]
    pub timestamp_iso: jiff::Timestamp,
    /// To which container, process or part.
    pub source: String,
    /// The phase in which it happened.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phase: String,
    /// A sentence fragment with the details.
    pub message: String,
}
