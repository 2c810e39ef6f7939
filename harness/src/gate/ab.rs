//! [`compare()`]: what the pairs of an interleaved comparison come to, so far or in the end.

use super::{Check, EVERY_SOURCE, worst};
use crate::analysis::compare::{self, Change, ChangeVerdict, pairs};
use crate::analysis::digits::short;
use crate::model::Verdict;
use crate::model::rules::{AbMetric, AbRule};
use crate::results::TrialRecord;

/// What a comparison comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The worst of the checks.
    pub verdict: Verdict,
    /// One per metric and source, and one more where an equivalence claim was asked for.
    pub checks: Vec<Check>,
    /// True where a further pair is not wanted: the comparison has failed, every metric is decided, or the last look
    /// was taken.
    pub decided: bool,
}

/// Judges the runs of one comparison: those with the parameter `ab`, `a` or `b`, paired by their repetition from 1.
#[must_use]
pub fn compare(records: &[&TrialRecord]) -> Comparison {
    let changes = compare::comparison(records).changes;
    let rule = records.iter().find_map(|trial| trial.rules.as_ref()?.ab.as_ref());
    let mut checks: Vec<Check> = changes.iter().flat_map(change).collect();
    if let (Some(first), Some(rule)) = (records.first(), rule) {
        checks.extend(missing(
            first.comparison().unwrap_or(&first.id),
            pairs(records).len(),
            rule,
            &changes,
        ));
    }
    let verdict = worst(&checks);
    let last = rule.and_then(|rule| rule.looks.last()).copied().unwrap_or(0);
    let settled = !changes.is_empty() && changes.iter().all(Change::is_decided);
    let decided = verdict == Verdict::Fail || settled || pairs(records).len() >= last as usize;
    Comparison { verdict, checks, decided }
}

/// The metrics that no source has on both sides.
fn missing(id: &str, pairs: usize, rule: &AbRule, changes: &[Change]) -> Vec<Check> {
    let absent = rule.metrics.iter().filter(|of| {
        !changes.iter().any(|change| {
            let source = of.source.as_deref().is_none_or(|source| source == change.source);
            change.metric == of.metric && change.stat == of.stat && source
        })
    });
    let check = |of: &AbMetric| {
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
