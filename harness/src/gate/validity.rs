//! Whether a trial's data can be judged. What cannot is `inconclusive`, with the reason: neither a pass nor a failure.

use super::Check;
use super::thresholds::event_kind;
use crate::analysis::validity::{Breach, breaches, reasons};
use crate::analysis::{Analysis, ending, rules};
use crate::model::{Outcome, Verdict};
use crate::results::TrialRecord;

/// The metric of a check that data are not valid.
pub const METRIC: &str = "validity";

/// Adds what makes a trial's data invalid, and takes back what was decided by them. Counts of events stand, and so does
/// how the trial ended.
pub(super) fn apply(trial: &TrialRecord, analysis: &Analysis, checks: &mut Vec<Check>) {
    let Some(rule) = rules::of(trial).validity.as_ref().filter(|rule| rule.gate) else { return };
    let facts = analysis.validity.iter().find(|facts| facts.id == trial.id);
    let breaches = facts.map(|facts| breaches(rule, facts)).unwrap_or_default();
    let completed = ending(trial) == Some(Outcome::Completed);
    // How a trial ended needs no data.
    if breaches.is_empty() || !completed && !checks.iter().any(is_measured) {
        return;
    }
    for check in checks.iter_mut().filter(|check| is_measured(check)) {
        check.verdict = Verdict::Inconclusive;
        check.reason = format!("not judged, as the data are not valid; {}", check.reason);
    }
    let breach = |breach: Breach| Check {
        id: trial.id.clone(),
        metric: METRIC.to_owned(),
        source: breach.source.to_owned(),
        expected: breach.expected,
        actual: Some(breach.actual),
        verdict: Verdict::Inconclusive,
        reason: breach.reason,
        shown: Some(breach.shown),
    };
    checks.splice(0..0, breaches.into_iter().map(breach));
}

/// True of a check that readings decided.
fn is_measured(check: &Check) -> bool {
    let decided = matches!(check.verdict, Verdict::Pass | Verdict::Warn | Verdict::Fail);
    decided && check.metric != super::outcome::METRIC && event_kind(&check.metric).is_none()
}

/// What is wrong with the data of a trial that is judged all the same.
pub(super) fn warning(trial: &TrialRecord) -> Option<String> {
    let is_judged = rules::of(trial).validity.as_ref().is_some_and(|rule| !rule.gate);
    if is_judged && !trial.is_discarded() { reasons(trial) } else { None }
}
