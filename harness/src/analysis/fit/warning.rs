//! [`Warning`]: why a curve should not be taken for more than it is.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::interval::FAR;
use super::{Curves, Family};
use crate::analysis::digits::short;

/// Fewer levels than this do not tell the families apart.
const LEVELS: usize = 6;
/// Fewer repetitions than this do not tell scatter from shape.
const REPETITIONS: usize = 3;
/// An envelope of this half-width, as a fraction of its middle, is wide.
const WIDE: f64 = 0.25;

/// Something that a reader of a curve should know. Its text is a sentence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Warning {
    /// Too few levels or repetitions to tell the families apart.
    FewLevels {
        /// Distinct levels.
        levels: usize,
        /// The least repetitions that a level has.
        repetitions: usize,
    },
    /// The exponent or rate is at the end of its range.
    AtBound(Family),
    /// The scatter is estimated from next to nothing.
    FewDegrees(usize),
    /// The interval at twice the largest level is wide: its half-width as a fraction of the prediction.
    Wide(f64),
    /// Memory grows faster from here on, in agents.
    Knee(f64),
    /// The capacity lies beyond what was measured: as a multiple of the largest level.
    Extrapolated(f64),
    /// The limit is reached at no load that anything can be said of.
    TooFar,
}

impl Warning {
    /// The name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FewLevels { .. } => "few-levels",
            Self::AtBound(_) => "at-bound",
            Self::FewDegrees(_) => "few-degrees-of-freedom",
            Self::Wide(_) => "wide-interval",
            Self::Knee(_) => "knee",
            Self::Extrapolated(_) => "extrapolated",
            Self::TooFar => "too-far",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewLevels { levels, repetitions } => write!(
                f,
                "{levels} levels with {repetitions} run{} each: the shape is told reliably from {LEVELS} levels \
                 with {REPETITIONS} runs on",
                if *repetitions == 1 { "" } else { "s" }
            ),
            Self::AtBound(family) => {
                write!(
                    f,
                    "the {} curve bends as far as was searched: no family fits well",
                    family.as_str()
                )
            }
            Self::FewDegrees(freedom) => {
                write!(f, "{freedom} points more than coefficients: the scatter is hardly known")
            }
            Self::Wide(half) => write!(
                f,
                "at twice the largest level the interval is {}% wide to each side: measure higher levels",
                short((half * 100.0).round())
            ),
            Self::Knee(agents) => write!(
                f,
                "memory grows faster from about {} agents on: what is said of higher loads rests on the levels \
                 beyond it",
                short(agents.round())
            ),
            Self::Extrapolated(times) => {
                write!(
                    f,
                    "the capacity is {} times the largest level: nothing was measured near it",
                    short(*times)
                )
            }
            Self::TooFar => write!(f, "nothing is said of loads beyond twice the largest level"),
        }
    }
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Warning", 2)?;
        fields.serialize_field("warning", self.name())?;
        fields.serialize_field("reason", &self.to_string())?;
        fields.end()
    }
}

impl Curves {
    /// What a reader should know of the curve, and of the capacity that was read off it.
    #[must_use]
    pub fn warnings(&self, capacity: Option<&super::Capacity>) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let levels = self.points.levels();
        let repetitions = levels.iter().map(|level| level.1.len()).min().unwrap_or(0);
        if levels.len() < LEVELS || repetitions < REPETITIONS {
            warnings.push(Warning::FewLevels { levels: levels.len(), repetitions });
        }
        let curve = self.chosen();
        if curve.at_bound {
            warnings.push(Warning::AtBound(curve.family));
        }
        if curve.freedom() < 2 {
            warnings.push(Warning::FewDegrees(curve.freedom()));
        }
        let highest = self.points.highest();
        let far = self.predict(super::interval::FARTHEST * highest);
        if let (Some(middle), Some([low, high])) = (far.memory_mb, far.interval) {
            let half = (high - low) / 2.0 / middle.abs();
            if half > WIDE {
                warnings.push(Warning::Wide(half));
            }
        }
        warnings.extend(self.knee().map(Warning::Knee));
        match capacity {
            Some(capacity) if capacity.agents.is_none() => warnings.push(Warning::TooFar),
            Some(capacity) => {
                let times = capacity.agents.unwrap_or(0.0) / highest;
                warnings.extend((times > FAR).then_some(Warning::Extrapolated(times)));
            }
            None => {}
        }
        warnings
    }
}
