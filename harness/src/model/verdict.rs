//! [`Outcome`] (how a trial ended) and [`Verdict`] (what follows from it), with the exit codes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a trial ended, by whose doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "outcome", content = "reason")]
pub enum Outcome {
    /// Every phase was walked to its end.
    Completed,
    /// The system under test died.
    Aborted(String),
    /// We chose not to run it.
    Skipped(String),
    /// The harness or its environment failed.
    Broken(String),
    /// The user or the machine ended the run.
    Interrupted(String),
}

/// What a check, a trial or a run comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// What must hold was shown to hold.
    Pass,
    /// Not run, for a stated reason.
    Skipped,
    /// A limit of severity `warn` does not hold.
    Warn,
    /// The data allow no answer.
    Inconclusive,
    /// There are no data.
    NoData,
    /// A limit does not hold, or the system died.
    Fail,
    /// The harness or its environment failed.
    Error,
}

impl Verdict {
    /// From best to worst; the order in which one outweighs another.
    const ORDER: [Self; 7] = [
        Self::Pass,
        Self::Skipped,
        Self::Warn,
        Self::Inconclusive,
        Self::NoData,
        Self::Fail,
        Self::Error,
    ];

    fn rank(self) -> usize {
        Self::ORDER.iter().position(|verdict| *verdict == self).unwrap_or(0)
    }

    /// The worse of two.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    /// The worst of many; `None` of none.
    pub fn worst(verdicts: impl IntoIterator<Item = Self>) -> Option<Self> {
        verdicts.into_iter().reduce(Self::worse)
    }

    /// The process exit code: 0, 1, 3 or 4.
    #[must_use]
    pub fn exit_code(self, allow_inconclusive: bool) -> u8 {
        match self {
            Self::Pass | Self::Skipped | Self::Warn => 0,
            Self::Inconclusive | Self::NoData if allow_inconclusive => 0,
            Self::Inconclusive | Self::NoData => 3,
            Self::Fail => 1,
            Self::Error => 4,
        }
    }

    /// The word written to results and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skipped => "skipped",
            Self::Warn => "warn",
            Self::Inconclusive => "inconclusive",
            Self::NoData => "no-data",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_verdict_wins_in_the_order_of_the_exit_codes() {
        let worst = |verdicts: &[Verdict]| Verdict::worst(verdicts.iter().copied());
        assert_eq!(worst(&[]), None);
        assert_eq!(worst(&[Verdict::Pass, Verdict::Skipped]), Some(Verdict::Skipped));
        assert_eq!(worst(&[Verdict::NoData, Verdict::Fail, Verdict::Pass]), Some(Verdict::Fail));
        assert_eq!(worst(&[Verdict::Error, Verdict::Fail]), Some(Verdict::Error));
        assert_eq!(worst(&[Verdict::Inconclusive, Verdict::Warn]), Some(Verdict::Inconclusive));
    }

    #[test]
    fn exit_codes_follow_the_table_and_inconclusive_can_be_allowed() {
        let codes = |allow| Verdict::ORDER.map(|verdict| verdict.exit_code(allow));
        assert_eq!(codes(false), [0, 0, 0, 3, 3, 1, 4]);
        assert_eq!(codes(true), [0, 0, 0, 0, 0, 1, 4]);
    }
}
