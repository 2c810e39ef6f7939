//! [`Kind`]: the closed set of scenario kinds.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a scenario asks about the system.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What does it use when nothing is asked of it?
    Baseline,
    /// How does its use grow with load?
    Load,
    /// Does its use grow with time?
    Duration,
    /// Does it give back what it took?
    Reset,
    /// What does a tool cost the network between two nodes?
    Network,
}

impl Kind {
    /// Every kind, in the order in which reports list them.
    pub const ALL: [Self; 5] =
        [Self::Baseline, Self::Load, Self::Duration, Self::Reset, Self::Network];

    /// The word used in scenario files, trial ids and filters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Load => "load",
            Self::Duration => "duration",
            Self::Reset => "reset",
            Self::Network => "network",
        }
    }

    /// The kind that a word names exactly.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
