//! [`compare`]: what the pairs of an interleaved comparison come to, so far or in the end.

use super::Check;
use crate::model::Verdict;
use crate::results::TrialRecord;

/// What a comparison comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The worst of the checks.
    pub verdict: Verdict,
    /// One per metric and source.
    pub checks: Vec<Check>,
    /// True where a further pair is not wanted: every metric is decided, or the last look was taken.
    pub decided: bool,
}

/// Judges the runs of one comparison: those with the parameter `ab`, `a` or `b`, paired by their repetition from 1.
#[must_use]
pub fn compare(records: &[&TrialRecord]) -> Comparison {
    let _ = records;
    Comparison { verdict: Verdict::Inconclusive, checks: Vec::new(), decided: false }
}
