//! [`breaches`]: which limits of validity a trial's data do not keep, in words. What follows is the gate's to say.

use super::{Validity, examine};
use crate::analysis::digits::short;
use crate::analysis::{ending, rules};
use crate::model::Outcome;
use crate::model::rules::ValidityRule;
use crate::results::TrialRecord;

/// One limit that the data of a trial do not keep.
#[derive(Clone, Debug, PartialEq)]
pub struct Breach {
    /// `sampler`, or `host`.
    pub source: &'static str,
    /// The limit.
    pub expected: String,
    /// What was found, in the unit of the fact.
    pub actual: f64,
    /// The same for people.
    pub shown: String,
    /// What it means, in words.
    pub reason: String,
}

/// What is wrong with the data of a trial, in one sentence; `None` where nothing is.
#[must_use]
pub fn reasons(trial: &TrialRecord) -> Option<String> {
    let rule = rules::of(trial).validity.as_ref()?;
    let reasons = breaches(rule, &examine(trial)).into_iter().map(|breach| breach.reason);
    let reasons: Vec<String> = reasons.collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// Why a run that came to its end is not compared with others, if it is not.
#[must_use]
pub fn left_out(run: &TrialRecord) -> Option<String> {
    rules::of(run).validity.as_ref().filter(|rule| rule.gate)?;
    let counts = ending(run) == Some(Outcome::Completed) && !run.is_discarded();
    if counts { reasons(run) } else { None }
}

/// The limits that are not kept, in the order of the facts.
#[must_use]
pub fn breaches(rule: &ValidityRule, facts: &Validity) -> Vec<Breach> {
    let percent = |share: f64| format!("{}%", short(share * 100.0));
    let share = |source, actual: Option<f64>, limit: f64, of: &str, reason: &str| {
        let actual = actual.filter(|actual| *actual > limit)?;
        let shown = percent(actual);
        let expected = format!("at most {} {of}", percent(limit));
        Some(Breach { source, expected, actual, reason: format!("{shown} {reason}"), shown })
    };
    let late = facts.late_intervals.filter(|late| *late > rule.late).map(|actual| {
        let (shown, limit) = (short(actual), short(rule.late));
        Breach {
            source: "sampler",
            expected: format!("95% of samples at most {limit} intervals late"),
            actual,
            reason: format!("one sample in twenty was taken {shown} intervals late or later"),
            shown: format!("{shown} intervals"),
        }
    });
    let least = usize::try_from(rule.samples).unwrap_or(usize::MAX);
    let few = facts.fewest.as_ref().filter(|fewest| fewest.samples < least).map(|fewest| {
        let samples = if fewest.samples == 1 { "sample" } else { "samples" };
        let (phase, count) = (&fewest.phase, fewest.samples);
        let cycle = if fewest.cycle > 0 { format!(" {}", fewest.cycle) } else { String::new() };
        Breach {
            source: "sampler",
            expected: format!("at least {least} samples in every phase"),
            actual: count as f64,
            reason: format!("phase {phase}{cycle} has {count} {samples}"),
            shown: format!("{count} {samples}"),
        }
    });
    let step = rule.step.0.as_secs_f64();
    let step = facts.clock_step_seconds.filter(|found| *found > step).map(|actual| {
        let shown = format!("{} s", short(actual));
        Breach {
            source: "host",
            expected: format!("a clock that steps by at most {}", rule.step),
            actual,
            reason: format!(
                "the wall clock stepped by {shown} against the monotonic one: it was set, or the machine slept"
            ),
            shown,
        }
    });
    let missing = "of the samples that were due were not taken";
    let steal = "of the processor time that this machine wanted went to others on its hypervisor";
    let throttled = "of the time a processor quota held back the harness and its processes";
    let elsewhere = "of this machine's processors was busy with neither the target nor the harness";
    [
        share("sampler", facts.missing, rule.missing, "of due samples missing", missing),
        late,
        few,
        step,
        share("host", facts.steal, rule.steal, "of processor time stolen", steal),
        share("host", facts.throttled, rule.throttled, "of the time throttled", throttled),
        share("host", facts.elsewhere, rule.elsewhere, "of all processors", elsewhere),
    ]
    .into_iter()
    .flatten()
    .collect()
}
