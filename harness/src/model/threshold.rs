//! [`Threshold`]: what must hold of a metric, as the scenario states it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::quantity::Quantity;

/// The statistic of a series that a threshold speaks of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stat {
    /// Arithmetic mean.
    Mean,
    /// Smallest reading.
    Min,
    /// Largest reading.
    Max,
    /// Percentile, 0 to 100, by linear interpolation.
    Percentile(f64),
    /// Least-squares slope over time, per second.
    Slope,
    /// Last reading less the first.
    Change,
    /// Number of readings; for event names, the number of events.
    Count,
    /// Last less first per elapsed second: the rate of a counter.
    Rate,
}

impl Stat {
    /// The words that can be written, for messages.
    pub const EXPECTED: &'static str =
        "mean, min, max, pNN (such as p95), slope, change, count or rate";

    /// The statistic that a word names; `p(95)` is `p95`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "mean" | "avg" => Self::Mean,
            "min" => Self::Min,
            "max" => Self::Max,
            "med" | "median" => Self::Percentile(50.0),
            "slope" => Self::Slope,
            "change" => Self::Change,
            "count" => Self::Count,
            "rate" => Self::Rate,
            _ => {
                let digits = word.strip_prefix('p')?;
                let digits =
                    digits.strip_prefix('(').map_or(Some(digits), |rest| rest.strip_suffix(')'))?;
                let percent: f64 = digits.parse().ok()?;
                return (0.0..=100.0).contains(&percent).then_some(Self::Percentile(percent));
            }
        })
    }

    /// True where the statistic is per second of its metric's unit.
    #[must_use]
    pub fn is_rate(self) -> bool {
        matches!(self, Self::Slope | Self::Rate)
    }

    /// True where one reading beyond the limit already decides a check with this operator.
    #[must_use]
    pub fn decided_by_one(self, op: Op) -> bool {
        match self {
            Self::Max => matches!(op, Op::Less | Op::LessOrEqual),
            Self::Min => matches!(op, Op::Greater | Op::GreaterOrEqual),
            _ => false,
        }
    }
}

impl fmt::Display for Stat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean => f.write_str("mean"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Percentile(percent) => write!(f, "p{percent}"),
            Self::Slope => f.write_str("slope"),
            Self::Change => f.write_str("change"),
            Self::Count => f.write_str("count"),
            Self::Rate => f.write_str("rate"),
        }
    }
}

/// How the statistic must relate to the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Op {
    /// Strictly below.
    #[serde(rename = "<")]
    Less,
    /// At most.
    #[serde(rename = "<=")]
    LessOrEqual,
    /// Strictly above.
    #[serde(rename = ">")]
    Greater,
    /// At least.
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// Equal, to the last bit: meant for counts.
    #[serde(rename = "==")]
    Equal,
}

impl Op {
    /// True where `actual` stands in this relation to `limit`.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "equality is meant for counts, which floats hold exactly")]
    pub fn holds(self, actual: f64, limit: f64) -> bool {
        match self {
            Self::Less => actual < limit,
            Self::LessOrEqual => actual <= limit,
            Self::Greater => actual > limit,
            Self::GreaterOrEqual => actual >= limit,
            Self::Equal => actual == limit,
        }
    }

    /// As written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
        }
    }
}

/// What follows when a threshold does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The trial fails.
    #[default]
    Fail,
    /// The trial passes with a warning.
    Warn,
}

/// One thing that must hold in every trial of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Threshold {
    /// A metric's name, or an event kind such as `oom-kill` (with `count`).
    pub metric: String,
    /// One source; `None` is every source that has the metric, each checked apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// One phase; `None` is all sampled phases together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The statistic.
    pub stat: Stat,
    /// The relation.
    pub op: Op,
    /// The limit.
    pub value: Quantity,
    /// What follows when it does not hold.
    #[serde(default)]
    pub severity: Severity,
    /// Divide the statistic by this numeric parameter of the trial, for example `agents`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<String>,
    /// End the trial as soon as one reading breaks the limit.
    #[serde(default)]
    pub abort_on_fail: bool,
}

impl Threshold {
    /// The requirement in words: `slope < 1 MiB/min`.
    #[must_use]
    pub fn requirement(&self) -> String {
        let per = self.per.as_ref().map(|per| format!(" per {per}")).unwrap_or_default();
        format!("{}{per} {} {}", self.stat, self.op.as_str(), self.value)
    }
}

impl<'de> Deserialize<'de> for Stat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::parse(&word).ok_or_else(|| {
            de::Error::custom(format!("expected {}, found {word:?}", Self::EXPECTED))
        })
    }
}

impl Serialize for Stat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Stat {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Stat".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": Self::EXPECTED })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_read_as_they_print() {
        for word in ["mean", "min", "max", "p95", "p99.9", "slope", "change", "count", "rate"] {
            assert_eq!(Stat::parse(word).map(|stat| stat.to_string()).as_deref(), Some(word));
        }
        assert_eq!(Stat::parse("p(95)"), Some(Stat::Percentile(95.0)));
        assert_eq!(Stat::parse("p101"), None);
        assert_eq!(Stat::parse("slop"), None);
    }

    #[test]
    fn only_a_statistic_that_cannot_recover_is_decided_by_one_reading() {
        assert!(Stat::Max.decided_by_one(Op::Less));
        assert!(!Stat::Max.decided_by_one(Op::Greater));
        assert!(Stat::Min.decided_by_one(Op::GreaterOrEqual));
        assert!(!Stat::Mean.decided_by_one(Op::Less));
    }
}
