//! A second run of a trial that leaks, where a leak has to be confirmed: [`second`], and [`judge`] of the two.

use crate::analysis::{analyze_trial, analyze_trials};
use crate::gate::leaks::{CONFIRM, wants_confirmation};
use crate::gate::{Check, judge_trial};
use crate::model::Verdict;
use crate::plan::Trial;
use crate::results::document::CONFIRMS;
use crate::results::{TrialHeader, TrialRecord};

/// True where the trial has to be run a second time.
pub(super) fn wanted(record: &TrialRecord) -> bool {
    wants_confirmation(record, &analyze_trial(record))
}

/// The trial under the id of its second run.
pub(super) fn second(trial: &Trial) -> Trial {
    Trial { id: format!("{}{CONFIRM}", trial.id), ..trial.clone() }
}

/// Says in a header which trial it confirms.
pub(super) fn mark(mut header: TrialHeader, confirmed: &str) -> TrialHeader {
    header.metadata.insert(CONFIRMS.to_owned(), confirmed.into());
    header
}

/// What two runs of a trial come to.
pub(super) struct Both {
    /// The verdict of the first, as the second has it.
    pub(super) first: Verdict,
    /// The worse of the two.
    pub(super) verdict: Verdict,
    /// The checks of both.
    pub(super) checks: Vec<Check>,
}

/// Judges two runs of a trial together, as a later analysis of their results does.
pub(super) fn judge(first: &TrialRecord, second: &TrialRecord) -> Both {
    let both = analyze_trials([first, second]);
    let (verdict, mut checks) = judge_trial(first, &both);
    let (other, more) = judge_trial(second, &both);
    checks.extend(more);
    Both { first: verdict, verdict: verdict.worse(other), checks }
}

#[cfg(test)]
mod tests;
