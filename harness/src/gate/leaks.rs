//! The checks on growth under constant load, and what a second run says of them.

use super::Check;
use super::thresholds::{number, shown};
use crate::analysis::digits::short;
use crate::analysis::validity::breaches;
use crate::analysis::{Analysis, Leak, LeakMethod, LeakVerdict, MIB, PER_MINUTE, leak, rules};
use crate::model::rules::{LeakGate, LeakRule};
use crate::model::{Kind, Outcome, Verdict};
use crate::results::TrialRecord;
use crate::results::document::CONFIRMS;

/// What is appended to the id of a trial for the run that confirms it.
pub const CONFIRM: &str = "::confirm";

/// The checks on a trial's leaks.
pub(super) fn checks(trial: &TrialRecord, analysis: &Analysis) -> Vec<Check> {
    let rule = &rules::of(trial).leak;
    let own = analysis.leaks.iter().filter(|leak| leak.id == trial.id);
    // Nobody said what gross growth of a count is.
    let judged = own.filter(|leak| rule.gate != LeakGate::Gross || leak.unit.is_none());
    let check = |leak: &Leak| match trial.metadata.get(CONFIRMS).and_then(|id| id.as_str()) {
        Some(confirmed) => second(check(rule, leak), confirmed),
        None if rule.confirm && leak.verdict == LeakVerdict::Leak => {
            confirmed(trial, leak, analysis)
        }
        None => check(rule, leak),
    };
    judged.map(check).collect()
}

/// True of a trial that has a leak which a second run has to confirm.
#[must_use]
pub fn wants_confirmation(trial: &TrialRecord, analysis: &Analysis) -> bool {
    let rule = &rules::of(trial).leak;
    let counts = |leak: &Leak| rule.gate == LeakGate::Verdict || leak.unit.is_none();
    let leaks =
        |leak: &Leak| leak.id == trial.id && leak.verdict == LeakVerdict::Leak && counts(leak);
    let asked = rule.confirm && rule.gate != LeakGate::Off && trial.kind == Some(Kind::Duration);
    asked
        && trial.outcome == Some(Outcome::Completed)
        && !trial.metadata.contains_key(CONFIRMS)
        && analysis.leaks.iter().any(leaks)
}

/// What a look at a run that goes on has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// True where the run may end: every finding is clean.
    pub ends: bool,
    /// What was found, in words.
    pub seen: String,
}

/// Looks at what was read so far. It can end a run that is clean, and never fails one.
#[must_use]
pub fn look(trial: &TrialRecord) -> Look {
    let leaks = leak::leaks(trial);
    let open: Vec<String> = leaks
        .iter()
        .filter(|leak| leak.verdict != LeakVerdict::Clean)
        .map(|leak| format!("{} of {}: {}", leak.channel, leak.container, leak.reason))
        .collect();
    if leaks.is_empty() {
        return Look { ends: false, seen: "nothing was read".to_owned() };
    }
    if open.is_empty() {
        return Look { ends: true, seen: "nothing leaks".to_owned() };
    }
    Look { ends: false, seen: open.join("; ") }
}

/// A leak of a first run, with what the second says.
fn confirmed(trial: &TrialRecord, leak: &Leak, analysis: &Analysis) -> Check {
    let rule = &rules::of(trial).leak;
    let first = check(rule, leak);
    let id = format!("{}{CONFIRM}", leak.id);
    let of = |again: &&Leak| {
        again.id == id && again.container == leak.container && again.channel == leak.channel
    };
    let again = analysis.leaks.iter().find(of);
    let (verdict, says) = match (again, disturbed(trial, analysis, &id)) {
        (None, _) => {
            (Verdict::Inconclusive, "a second run has to show it again, and there is none".into())
        }
        (_, Some(reason)) => {
            (Verdict::Inconclusive, format!("a second run cannot be judged: {reason}"))
        }
        (Some(again), None) => match check(rule, again).verdict {
            Verdict::Fail | Verdict::Warn => {
                (Verdict::Fail, format!("a second run shows it again: {}", again.reason))
            }
            Verdict::Pass => {
                (Verdict::Warn, format!("a second run does not show it: {}", again.reason))
            }
            _ => (Verdict::Inconclusive, format!("a second run cannot tell: {}", again.reason)),
        },
    };
    Check { verdict, reason: format!("{}; {says}", first.reason), ..first }
}

/// What is wrong with the data of a second run, which has the rules of the first; `None` where nothing is.
fn disturbed(first: &TrialRecord, analysis: &Analysis, id: &str) -> Option<String> {
    let rule = rules::of(first).validity.as_ref().filter(|rule| rule.gate)?;
    let facts = analysis.validity.iter().find(|facts| facts.id == id)?;
    breaches(rule, facts).into_iter().next().map(|breach| breach.reason)
}

/// A finding of a second run, which says something of the first only.
fn second(check: Check, confirmed: &str) -> Check {
    let verdict = if check.verdict == Verdict::Pass { Verdict::Pass } else { Verdict::Warn };
    Check { verdict, reason: format!("{}; run to confirm {confirmed}", check.reason), ..check }
}

/// The unit of a finding's slopes, in the base unit of its metric.
fn base(leak: &Leak, slope: f64) -> f64 {
    if leak.unit.is_some() { slope / PER_MINUTE } else { slope * MIB / PER_MINUTE }
}

fn check(rule: &LeakRule, leak: &Leak) -> Check {
    let gross = rule.gate == LeakGate::Gross;
    let surely_not_gross =
        leak.interval.is_some_and(|[_, high]| base(leak, high) <= rule.gross.value);
    let limit = match leak.verdict {
        _ if gross => &rule.gross,
        LeakVerdict::Suspect => &rule.watch,
        _ => &rule.leak,
    };
    let verdict = match leak.verdict {
        LeakVerdict::Leak => Verdict::Fail,
        _ if gross && surely_not_gross => Verdict::Pass,
        // Without an interval, or within it, not even a gross leak can be told.
        _ if gross => Verdict::Inconclusive,
        LeakVerdict::Suspect => Verdict::Warn,
        LeakVerdict::Clean => Verdict::Pass,
        LeakVerdict::Unknown => Verdict::Inconclusive,
    };
    let slope = leak.slope_mb_per_min;
    let shown = slope.map(|slope| match leak.unit {
        None => shown(base(leak, slope), limit),
        Some(unit) => format!("{} {unit}", short(slope)),
    });
    let ends = |end: f64| match leak.unit {
        None => number(base(leak, end), limit),
        Some(_) => short(end),
    };
    let mut reason = String::new();
    if let Some(shown) = &shown {
        // Without scatter the interval is a point, and claims a certainty that no reading has.
        let interval = leak.interval.filter(|[low, high]| low < high).map(|both| both.map(ends));
        let interval = interval.map(|[low, high]| format!(" (95% interval {low} to {high})"));
        reason = format!("slope is {shown}{}: ", interval.unwrap_or_default());
    }
    if gross && verdict == Verdict::Pass {
        reason.push_str(&format!("surely not above {limit}"));
        if leak.verdict == LeakVerdict::Unknown {
            reason.push_str(&format!("; smaller leaks are unknown ({})", leak.reason));
            if let Some(least) = leak.detectable_mb_per_min {
                let least = short(least);
                reason.push_str(&format!(
                    "; growth below {least} MiB/min cannot be seen in this run"
                ));
            }
        }
    } else if gross && leak.interval.is_some() && verdict == Verdict::Inconclusive {
        reason.push_str(&format!("the interval reaches above {limit}"));
    } else if gross && slope.is_some() && verdict == Verdict::Inconclusive {
        reason.push_str("two readings give a slope no interval");
    } else {
        reason.push_str(&leak.reason);
    }
    let op = if gross || leak.verdict == LeakVerdict::Suspect { "<" } else { "<=" };
    let expected = if gross || leak.rule == LeakMethod::Seed {
        format!("slope {op} {limit}")
    } else {
        "no growth without end".to_owned()
    };
    Check {
        id: leak.id.clone(),
        metric: leak.channel.clone(),
        source: leak.container.clone(),
        expected,
        actual: slope.map(|slope| base(leak, slope)),
        verdict,
        reason,
        shown,
    }
}
