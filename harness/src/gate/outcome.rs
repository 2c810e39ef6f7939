//! The check on how a trial ended.

use super::Check;
use crate::analysis::ending;
use crate::model::{EventKind, Outcome, Verdict};
use crate::results::TrialRecord;

/// The metric of such a check.
pub(super) const METRIC: &str = "outcome";

/// Judges a trial by its end alone.
pub(super) fn of(trial: &TrialRecord) -> Check {
    let (verdict, reason) = match ending(trial) {
        Some(Outcome::Completed) => (Verdict::Pass, "completed".to_owned()),
        Some(Outcome::Aborted(reason)) => (Verdict::Fail, format!("aborted: {reason}")),
        Some(Outcome::Skipped(reason)) => (Verdict::Skipped, format!("skipped: {reason}")),
        Some(Outcome::Broken(reason)) => (Verdict::Error, format!("rig: {reason}")),
        Some(Outcome::Interrupted(reason)) => (Verdict::Inconclusive, format!("cut off: {reason}")),
        None => (Verdict::Inconclusive, "cut off: the trial did not reach its end".to_owned()),
    };
    let source = if verdict == Verdict::Fail { died(trial) } else { "trial" };
    Check { verdict, ..check(&trial.id, source, &reason) }
}

/// An outcome check that passes.
pub(super) fn check(id: &str, source: &str, reason: &str) -> Check {
    Check {
        id: id.to_owned(),
        metric: METRIC.to_owned(),
        source: source.to_owned(),
        expected: "completed".to_owned(),
        actual: None,
        verdict: Verdict::Pass,
        reason: reason.to_owned(),
        shown: None,
    }
}

/// The first container that died, where the trial says which.
fn died(trial: &TrialRecord) -> &str {
    let fatal = trial.events.iter().find(|event| EventKind::is_fatal(event.kind));
    let oom = || trial.oom_events.first().map(|event| event.container_name.as_str());
    fatal.map(|event| event.source.as_str()).or_else(oom).unwrap_or("trial")
}
