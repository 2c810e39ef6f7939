//! [`compare`]: what the pairs of an interleaved comparison come to, so far or in the end. A comparison is judged as
//! one: its runs answer for how they ended and for their thresholds only.

use super::{Check, EVERY_SOURCE, outcome, thresholds, worst};
use crate::analysis::compare::{self, Change, ChangeVerdict, comparison_id, pairs};
use crate::analysis::digits::short;
use crate::analysis::{Analysis, ending};
use crate::model::rules::AbRule;
use crate::model::{Outcome, Verdict};
use crate::results::TrialRecord;

/// What a comparison comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The worst of the checks.
    pub verdict: Verdict,
    /// One or more per run, then one per metric and source, and one more where an equivalence claim was asked for.
    pub checks: Vec<Check>,
    /// True where a further pair is not wanted: the comparison has failed, every metric is decided, or the last look
    /// was taken.
    pub decided: bool,
}

/// Judges the runs of one comparison: those with the parameter `ab`, `a` or `b`, paired by their repetition from 1.
#[must_use]
pub fn compare(records: &[&TrialRecord]) -> Comparison {
    let found = compare::comparison(records);
    let changes: Vec<&Change> = found.changes.iter().collect();
    let checks = judge(records, &changes);
    let verdict = worst(&checks);
    let rule = records.iter().find_map(|trial| trial.rules.as_ref()?.ab.as_ref());
    let last = rule.and_then(|rule| rule.looks.last()).copied().unwrap_or(0);
    let settled = !changes.is_empty() && changes.iter().all(|change| change.is_decided());
    let decided = matches!(verdict, Verdict::Fail | Verdict::Error)
        || settled
        || pairs(records).len() >= last as usize;
    Comparison { verdict, checks, decided }
}

/// The same with the findings of an analysis of the whole run.
pub(super) fn of(records: &[&TrialRecord], analysis: &Analysis) -> Vec<Check> {
    let Some(id) = records.first().map(|trial| comparison_id(trial)) else { return Vec::new() };
    let changes: Vec<&Change> = analysis.changes.iter().filter(|change| change.id == id).collect();
    judge(records, &changes)
}

/// The checks of one run of a comparison.
pub(super) fn run(trial: &TrialRecord) -> Vec<Check> {
    let own = match ending(trial) {
        // A warm-up is no measurement: only that it ended says something.
        Some(Outcome::Completed) if !compare::matching::is_discarded(trial) => {
            thresholds::checks(trial)
        }
        Some(Outcome::Completed | Outcome::Skipped(_) | Outcome::Broken(_)) => Vec::new(),
        Some(Outcome::Aborted(_) | Outcome::Interrupted(_)) | None => {
            let decided = thresholds::already_broken(trial);
            return std::iter::once(outcome::of(trial)).chain(decided).collect();
        }
    };
    if own.is_empty() { vec![outcome::of(trial)] } else { own }
}

fn judge(records: &[&TrialRecord], changes: &[&Change]) -> Vec<Check> {
    let mut checks: Vec<Check> = records.iter().flat_map(|trial| run(trial)).collect();
    checks.extend(twice(records));
    let skipped = |trial: &&TrialRecord| matches!(ending(trial), Some(Outcome::Skipped(_)));
    let rule = records.iter().find_map(|trial| trial.rules.as_ref()?.ab.as_ref());
    let (Some(first), Some(rule)) = (records.first(), rule) else { return checks };
    if records.iter().all(skipped) {
        return checks;
    }
    checks.extend(changes.iter().flat_map(|change| self::change(change)));
    checks.extend(missing(comparison_id(first), pairs(records).len(), rule, changes));
    checks
}

/// The metrics that no source has on both sides.
fn missing(id: &str, pairs: usize, rule: &AbRule, changes: &[&Change]) -> Vec<Check> {
    let absent = rule.metrics.iter().filter(|of| {
        !changes.iter().any(|change| {
            let source = of.source.as_deref().is_none_or(|source| source == change.source);
            change.metric == of.metric && change.stat == of.stat && source
        })
    });
    let check = |of: &crate::model::rules::AbMetric| {
        let margin = short(of.margin.unwrap_or(rule.margin) * 100.0);
        let reason = if pairs == 0 { "no complete pair" } else { "no readings in a and b alike" };
        Check {
            id: id.to_owned(),
            metric: of.metric.clone(),
            source: of.source.clone().unwrap_or_else(|| EVERY_SOURCE.to_owned()),
            expected: format!("{} less than {margin}% worse", of.stat),
            actual: None,
            verdict: Verdict::NoData,
            reason: reason.to_owned(),
            shown: None,
        }
    };
    absent.map(check).collect()
}

/// Two runs of one version in one pair: nothing says which of them is meant.
fn twice(records: &[&TrialRecord]) -> Option<Check> {
    let is_twin = |index: usize| {
        let key = |trial: &TrialRecord| {
            let discarded = compare::matching::is_discarded(trial);
            (trial.scenario_params.get("ab").cloned(), trial.repeat, discarded)
        };
        records[..index].iter().any(|other| key(other) == key(records[index]))
    };
    let index = (0..records.len()).find(|&index| is_twin(index))?;
    let trial = records[index];
    let reason = format!("rig: two runs of one version in pair {}", trial.repeat);
    let check = outcome::check(comparison_id(trial), "comparison", &reason);
    Some(Check { verdict: Verdict::Error, ..check })
}

/// The checks on a change: on being worse, and on the equivalence claim where one was asked for.
pub(super) fn change(change: &Change) -> Vec<Check> {
    let percent = |fraction: f64| format!("{}%", short(fraction * 100.0));
    let verdict = match change.verdict {
        ChangeVerdict::Fail => Verdict::Fail,
        ChangeVerdict::Warn => Verdict::Warn,
        ChangeVerdict::Pass => Verdict::Pass,
        ChangeVerdict::Inconclusive => Verdict::Inconclusive,
    };
    let regression = Check {
        id: change.id.clone(),
        metric: change.metric.clone(),
        source: change.source.clone(),
        expected: format!("{} less than {} worse", change.stat, percent(change.margin)),
        actual: change.ratio,
        verdict,
        reason: change.reason.clone(),
        shown: change.ratio.map(|ratio| format!("{:+.2}%", (ratio - 1.0) * 100.0)),
    };
    let claim = change.equivalence.as_ref().map(|claim| {
        let verdict = match (claim.shown, claim.refuted) {
            (true, _) => Verdict::Pass,
            // A difference for the better is no failure, and not what was claimed either.
            (_, true) if change.estimate.is_some_and(|estimate| estimate < 0.0) => Verdict::Warn,
            (_, true) => Verdict::Fail,
            _ => Verdict::Inconclusive,
        };
        let [low, high] = claim.bounds.map(|bound| format!("{:+.2}%", (bound - 1.0) * 100.0));
        Check {
            expected: format!("{} within {} either way", change.stat, percent(claim.within)),
            verdict,
            reason: format!("{}: one-sided 95% bounds {low} and {high}", claim.claim),
            ..regression.clone()
        }
    });
    std::iter::once(regression).chain(claim).collect()
}
