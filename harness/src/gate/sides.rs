//! [`judge`]: two versions that were run apart from one another, or in turn by other means than `[ab]`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, EVERY_SOURCE, Judgement, VALIDITY, ab, outcome, worst};
use crate::analysis::compare::matching::{Key, counts, key, lost, trial_id};
use crate::analysis::{Analysis, ending};
use crate::model::{Outcome, Verdict};
use crate::results::TrialRecord;

/// Judges what a comparison found, and what of the new version did not come to its end: a version that dies is worse
/// than one that is slow. What died of the old one is not the new one's fault, and what never came to its end in the
/// old one either is not worse.
#[must_use]
pub fn judge(
    analysis: &Analysis,
    base: &[&TrialRecord],
    new: &[&TrialRecord],
    incomplete: bool,
) -> Judgement {
    let (mut checks, mut warnings) = ended_badly(base, new);
    let (more, said) = not_counted(base, new);
    checks.extend(more);
    warnings.extend(said);
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
    Judgement { verdict: worst(&checks), incomplete, checks, warnings }
}

/// A check per new run that broke, or that died where the base came to its end at least once; of the others that died a
/// warning per trial.
fn ended_badly(base: &[&TrialRecord], new: &[&TrialRecord]) -> (Vec<Check>, Vec<String>) {
    let (mut completed, mut died) = (BTreeSet::new(), BTreeSet::new());
    for trial in base {
        match ending(trial) {
            Some(Outcome::Completed) => drop(completed.insert(key(trial))),
            Some(Outcome::Aborted(_)) => drop(died.insert(key(trial))),
            _ => {}
        }
    }
    let (mut checks, mut warnings) = (Vec::new(), Vec::new());
    let mut named = BTreeSet::new();
    for trial in new {
        let key = key(trial);
        match ending(trial) {
            Some(Outcome::Aborted(reason)) if !completed.contains(&key) => {
                let id = trial_id(trial);
                let warning = if died.contains(&key) {
                    format!("{id} died in both: {reason}")
                } else {
                    format!("{id} died, and BASE has no run of it that came to its end: {reason}")
                };
                if named.insert(key) {
                    warnings.push(warning);
                }
            }
            Some(Outcome::Aborted(_) | Outcome::Broken(_)) => checks.push(outcome::of(trial)),
            _ => {}
        }
    }
    (checks, warnings)
}

/// A warning per trial and side with runs that were left out, and a check per trial that both sides ran and that one of
/// them has no run left of.
fn not_counted(base: &[&TrialRecord], new: &[&TrialRecord]) -> (Vec<Check>, Vec<String>) {
    let mut trials: BTreeMap<Key, [Vec<&TrialRecord>; 2]> = BTreeMap::new();
    for (side, runs) in [base, new].into_iter().enumerate() {
        for run in runs.iter().filter(|run| !run.is_discarded() && !run.is_extra()) {
            trials.entry(key(run)).or_default()[side].push(run);
        }
    }
    let (mut checks, mut warnings) = (Vec::new(), Vec::new());
    for sides in trials.values() {
        for (runs, name) in sides.iter().zip(["BASE", "NEW"]) {
            let mut left_out = runs.iter().filter_map(|run| Some((*run, lost(run)?)));
            let Some((first, reason)) = left_out.next() else { continue };
            let (id, count) = (trial_id(first), 1 + left_out.count());
            warnings.push(format!(
                "{id}: {count} of {} runs of {name} not compared, the first: {reason}",
                runs.len()
            ));
            let is_judged = sides.iter().all(|runs| !runs.is_empty());
            if is_judged && !runs.iter().any(|run| counts(run)) {
                checks.push(Check {
                    metric: VALIDITY.to_owned(),
                    expected: format!("a run of {name} that can be compared"),
                    verdict: Verdict::Inconclusive,
                    ..outcome::check(id, EVERY_SOURCE, &format!("no run of {name}: {reason}"))
                });
            }
        }
    }
    (checks, warnings)
}
