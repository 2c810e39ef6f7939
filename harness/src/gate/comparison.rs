//! [`judge`]: the runs of a comparison, and what the pairs of those that count come to.
//!
//! Thresholds hold for every run of b that counts. What a does not hold is a warning, and its death leaves the question
//! open: the new version is not to blame for the old one. Leaks and resets are reported and not judged: whether b is
//! worse than a is what was asked.

use super::ab::{self, Comparison};
use super::{Check, EVERY_SOURCE, outcome, thresholds, worst};
use crate::analysis::compare::{self, Version, pairs, version};
use crate::analysis::validity::left_out;
use crate::analysis::{self, ending};
use crate::model::{Outcome, Verdict};
use crate::results::TrialRecord;
use crate::results::document::ENDED;

/// The metric of the check that a comparison has where no pair counts.
const METRIC: &str = "comparison";

/// Judges all runs of one comparison so far, in any order.
#[must_use]
pub fn judge(id: &str, runs: &[&TrialRecord]) -> Comparison {
    let mut checks: Vec<Check> = runs.iter().flat_map(|run| self::run(run)).collect();
    let pairs = pairs(runs);
    let compared = ab::compare(runs);
    // What ended it is said already.
    if compared.checks.is_empty() && !checks.iter().any(Check::needs_attention) {
        checks.push(nothing(id, pairs.len(), compared.verdict, runs));
    }
    checks.extend(compared.checks);
    let strangers = self::strangers(id, runs);
    let decided = compared.decided || strangers.is_some();
    checks.extend(strangers);
    let ended = runs.iter().find_map(|run| run.metadata.get(ENDED)?.as_str());
    let open = |check: &&mut Check| {
        check.id == id && matches!(check.verdict, Verdict::Inconclusive | Verdict::NoData)
    };
    for check in checks.iter_mut().filter(open) {
        if let Some(ended) = ended {
            check.reason = format!("{}; {ended}", check.reason);
        }
    }
    Comparison { verdict: worst(&checks), checks, decided }
}

/// The checks on one run as such. What came to its end is judged by its thresholds alone.
pub(super) fn run(run: &TrialRecord) -> Vec<Check> {
    let mut checks = match ending(run) {
        Some(Outcome::Completed) if run.is_discarded() => Vec::new(),
        Some(Outcome::Completed) => {
            let mut checks = thresholds::checks(run);
            if left_out(run).is_some() {
                // The pair is left out; what was counted holds all the same.
                checks.retain(|check| thresholds::event_kind(&check.metric).is_some());
            }
            checks
        }
        _ => super::judge_alone(run, &analysis::analyze_trial(run)).1,
    };
    if version(run) == Some(Version::A) {
        checks.iter_mut().for_each(of_the_old_version);
    }
    checks
}

/// The old version is there already: nothing fails because of it.
fn of_the_old_version(check: &mut Check) {
    if check.metric != outcome::METRIC {
        if check.needs_attention() {
            check.verdict = Verdict::Warn;
            check.reason = format!("the old version, which does not fail: {}", check.reason);
        }
    } else if check.verdict == Verdict::Fail {
        check.verdict = Verdict::Inconclusive;
        let reason = check.reason.strip_prefix("aborted: ").unwrap_or(&check.reason);
        check.reason = format!("the old version died: {reason}");
    }
}

/// The check on runs that say nothing of one another, whatever their figures are: somebody planned them wrongly.
fn strangers(id: &str, runs: &[&TrialRecord]) -> Option<Check> {
    let of = |wanted| runs.iter().filter(move |run| version(run) == Some(wanted));
    let mut found =
        of(Version::A).flat_map(|a| of(Version::B).filter_map(|b| compare::strangers(a, b)));
    let reason = found.next()?;
    Some(Check {
        metric: METRIC.to_owned(),
        expected: "both sides in one environment, between the same ends".to_owned(),
        verdict: Verdict::Error,
        ..outcome::check(id, EVERY_SOURCE, &reason)
    })
}

/// The check where nothing could be compared.
fn nothing(id: &str, pairs: usize, verdict: Verdict, runs: &[&TrialRecord]) -> Check {
    let first = runs.iter().find_map(|run| Some((run.repeat, left_out(run)?)));
    let because = first
        .map(|(pair, reason)| format!("; pair {pair} does not count: {reason}"))
        .unwrap_or_default();
    let counted =
        if pairs == 1 { "1 pair counts".to_owned() } else { format!("{pairs} pairs count") };
    Check {
        metric: METRIC.to_owned(),
        source: EVERY_SOURCE.to_owned(),
        expected: "pairs that can be compared".to_owned(),
        verdict: verdict.worse(Verdict::Inconclusive),
        ..outcome::check(id, EVERY_SOURCE, &format!("{counted}{because}"))
    }
}
