//! [`judge`]: rules and findings become [`Check`]s, checks become a verdict. The only place that passes or fails.
//!
//! A running suite and a later analysis judge through the same functions, so they agree. What was not shown to hold
//! does not pass: a limit on absent data is `no-data`, and every trial has at least one check.

pub mod ab;
pub mod acks;
pub mod comparison;
pub mod history;
pub mod leaks;
pub mod sides;
pub mod table;

mod early;
mod findings;
mod outcome;
mod thresholds;
mod validity;

use serde::Serialize;

pub use early::decided;
pub use validity::METRIC as VALIDITY;

use crate::analysis::validity::left_out;
use crate::analysis::{Analysis, ending};
use crate::model::{Outcome, Verdict};
use crate::results::{Results, TrialRecord};

/// The source of a check that speaks of no single one.
pub const EVERY_SOURCE: &str = "*";

/// What a run comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// The worst verdict of all checks; `skipped` only where nothing was run.
    pub verdict: Verdict,
    /// True of a run that was cut off.
    pub incomplete: bool,
    /// Every check, in the order of the trials.
    pub checks: Vec<Check>,
    /// What is wrong with data that were judged all the same, or not compared; a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// One thing that must hold, and whether it does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// The trial's id.
    pub id: String,
    /// What was checked: a metric, an event kind, or `outcome`.
    pub metric: String,
    /// Of which container, process or driver; [`EVERY_SOURCE`] of none in particular, `trial` of the trial as such.
    pub source: String,
    /// What must hold, with units.
    pub expected: String,
    /// What was found, in the metric's base unit; null where nothing was.
    pub actual: Option<f64>,
    /// What follows.
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: String,
    /// `actual` in the unit of `expected`, for reports.
    #[serde(skip)]
    pub shown: Option<String>,
}

impl Check {
    /// True where a reader has something to do: all but pass and skipped.
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        !matches!(self.verdict, Verdict::Pass | Verdict::Skipped)
    }

    /// One line for logs, opening with who is at fault: `gate:` (a limit), `aborted:` (the system died), `rig:` (the
    /// harness or its environment).
    #[must_use]
    pub fn message(&self) -> String {
        if self.metric == outcome::METRIC {
            let at_fault = self.reason.starts_with("aborted: ") || self.reason.starts_with("rig: ");
            let gate = if at_fault { "" } else { "gate: " };
            return format!("{gate}{}", self.reason);
        }
        let Self { metric, source, expected, reason, .. } = self;
        let of = if source == EVERY_SOURCE { String::new() } else { format!(" of {source}") };
        format!("gate: {metric}{of}: expected {expected}; {reason}")
    }
}

/// Judges a whole run.
#[must_use]
pub fn judge(results: &Results, analysis: &Analysis) -> Judgement {
    let mut checks: Vec<Check> = Vec::new();
    for (comparison, trials) in groups(results) {
        checks.extend(match comparison {
            Some(id) => comparison::judge(id, &trials).checks,
            None => trials.iter().flat_map(|trial| judge_trial(trial, analysis).1).collect(),
        });
    }
    let run = |verdict: Verdict, reason: &str| Check {
        verdict,
        ..outcome::check(&results.test_id, "run", reason)
    };
    if results.incomplete && results.scenarios.iter().all(|trial| ending(trial).is_some()) {
        checks.push(run(Verdict::Inconclusive, "cut off: the run did not reach its end"));
    } else if checks.is_empty() {
        checks.push(run(Verdict::NoData, "no trial was run"));
    }
    let warnings = warnings(results);
    Judgement { verdict: worst(&checks), incomplete: results.incomplete, checks, warnings }
}

/// The trials in their order: each alone, and those of a comparison together where the first of them stands.
pub fn groups(results: &Results) -> Vec<(Option<&str>, Vec<&TrialRecord>)> {
    let mut groups: Vec<(Option<&str>, Vec<&TrialRecord>)> = Vec::new();
    for trial in &results.scenarios {
        let comparison = trial.comparison();
        let known = groups.iter_mut().find(|group| comparison.is_some() && group.0 == comparison);
        match known {
            Some(group) => group.1.push(trial),
            None => groups.push((comparison, vec![trial])),
        }
    }
    groups
}

/// One sentence per trial, and per comparison however many its runs are.
fn warnings(results: &Results) -> Vec<String> {
    let groups = groups(results).into_iter();
    groups
        .filter_map(|(comparison, runs)| {
            let Some(id) = comparison else {
                return runs
                    .iter()
                    .find_map(|run| Some(format!("{}: {}", run.id, validity::warning(run)?)));
            };
            let counted = || runs.iter().filter(|run| !run.is_discarded());
            let [left_out, said]: [Vec<String>; 2] = [left_out, validity::warning].map(|wrong| {
                counted().filter_map(|run| Some(format!("{}: {}", run.id, wrong(run)?))).collect()
            });
            let (wrong, what) = if left_out.is_empty() {
                (said, "have doubtful data")
            } else {
                (left_out, "and their pairs are not compared")
            };
            let first = wrong.first()?;
            Some(format!(
                "{id}: {} of {} runs {what}, the first {first}",
                wrong.len(),
                counted().count()
            ))
        })
        .collect()
}

/// Judges one trial by its rules, with the findings on it. One run of a comparison is judged as such: whether it came
/// to its end, and by its thresholds.
#[must_use]
pub fn judge_trial(trial: &TrialRecord, analysis: &Analysis) -> (Verdict, Vec<Check>) {
    if trial.comparison().is_none() {
        return judge_alone(trial, analysis);
    }
    let mut checks = comparison::run(trial);
    if checks.is_empty() {
        checks.push(outcome::of(trial));
    }
    (worst(&checks), checks)
}

fn judge_alone(trial: &TrialRecord, analysis: &Analysis) -> (Verdict, Vec<Check>) {
    let mut checks: Vec<Check> = match ending(trial) {
        Some(Outcome::Completed) => {
            let thresholds = thresholds::checks(trial);
            let findings = findings::checks(trial, analysis);
            thresholds.into_iter().chain(findings).collect()
        }
        // Part of a trial proves nothing, but can disprove: a maximum that was too high stays so.
        Some(Outcome::Aborted(_) | Outcome::Interrupted(_)) | None => {
            let decided = thresholds::already_broken(trial);
            std::iter::once(outcome::of(trial)).chain(decided).collect()
        }
        Some(Outcome::Skipped(_) | Outcome::Broken(_)) => vec![outcome::of(trial)],
    };
    validity::apply(trial, analysis, &mut checks);
    if checks.is_empty() {
        checks.push(outcome::of(trial));
    }
    (worst(&checks), checks)
}

/// The message for a trial that did not pass, one line per check, worst first; `None` where nothing is wrong.
#[must_use]
pub fn failure(checks: &[Check]) -> Option<String> {
    let bad = |check: &&Check| check.needs_attention() && check.verdict != Verdict::Warn;
    let lines: Vec<String> =
        worst_first(checks).into_iter().filter(bad).map(Check::message).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The checks, worst first, else in their order.
#[must_use]
pub fn worst_first(checks: &[Check]) -> Vec<&Check> {
    let mut sorted: Vec<&Check> = checks.iter().collect();
    sorted.sort_by(|one, other| {
        let (one, other) = (one.verdict, other.verdict);
        if one == other {
            std::cmp::Ordering::Equal
        } else if one.worse(other) == one {
            std::cmp::Ordering::Less
        } else {
            std::cmp::Ordering::Greater
        }
    });
    sorted
}

fn worst(checks: &[Check]) -> Verdict {
    let verdicts = || checks.iter().map(|check| check.verdict);
    // What was not run says nothing of what was.
    let run = verdicts().filter(|verdict| *verdict != Verdict::Skipped);
    Verdict::worst(run).or_else(|| Verdict::worst(verdicts())).unwrap_or(Verdict::NoData)
}

#[cfg(test)]
mod tests;
