//! [`judge`]: two versions that were run apart from one another, or in turn by other means than `[ab]`.

use super::{Check, EVERY_SOURCE, Judgement, ab, outcome, worst};
use crate::analysis::{Analysis, ending};
use crate::model::{Outcome, Verdict};
use crate::results::TrialRecord;

/// Judges what a comparison found, and what of the new version did not come to its end: a version that dies is worse
/// than one that is slow. What died of the old one is not the new one's fault.
#[must_use]
pub fn judge(analysis: &Analysis, new: &[&TrialRecord], incomplete: bool) -> Judgement {
    let ended_badly = |trial: &&&TrialRecord| {
        matches!(ending(trial), Some(Outcome::Aborted(_) | Outcome::Broken(_)))
    };
    let mut checks: Vec<Check> =
        new.iter().filter(ended_badly).map(|trial| outcome::of(trial)).collect();
    checks.extend(analysis.changes.iter().flat_map(ab::change));
    if analysis.changes.is_empty() {
        let reason = "no trial and metric that both sides have";
        checks.push(Check {
            metric: EVERY_SOURCE.to_owned(),
            expected: "a series of both sides".to_owned(),
            verdict: Verdict::NoData,
            ..outcome::check("compare", EVERY_SOURCE, reason)
        });
    }
    Judgement { verdict: worst(&checks), incomplete, checks, warnings: Vec::new() }
}
