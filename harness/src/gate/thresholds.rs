//! The checks on a scenario's thresholds: each on every source that has its metric.

use serde_json::Value;

use super::{Check, EVERY_SOURCE};
use crate::analysis::digits::short;
use crate::analysis::rules;
use crate::analysis::series::by_source;
use crate::analysis::statistic::statistic;
use crate::model::quantity::Quantity;
use crate::model::{EventKind, Op, Severity, Stat, Threshold, Verdict};
use crate::results::TrialRecord;

/// Every threshold of a trial that ran to its end.
pub(super) fn checks(trial: &TrialRecord) -> Vec<Check> {
    rules::of(trial).thresholds.iter().flat_map(|threshold| check(trial, threshold)).collect()
}

/// The thresholds that no further reading could have saved.
pub(super) fn already_broken(trial: &TrialRecord) -> Vec<Check> {
    let broken = |threshold: &Threshold, check: &Check| {
        let beyond = match (threshold.stat, threshold.op) {
            // A count only grows.
            (Stat::Count, Op::Less | Op::LessOrEqual) => true,
            (Stat::Count, Op::Equal) => {
                check.actual.is_some_and(|actual| actual > threshold.value.value)
            }
            (stat, op) => stat.decided_by_one(op),
        };
        beyond && matches!(check.verdict, Verdict::Fail | Verdict::Warn)
    };
    let thresholds = rules::of(trial).thresholds.iter();
    let checks = thresholds.flat_map(|threshold| {
        check(trial, threshold).into_iter().filter(move |check| broken(threshold, check))
    });
    checks.collect()
}

fn check(trial: &TrialRecord, threshold: &Threshold) -> Vec<Check> {
    if let Some(kind) = event_kind(&threshold.metric) {
        return vec![events(trial, threshold, kind)];
    }
    let mut sources = by_source(trial, &threshold.metric, |sample| {
        threshold.phase.as_deref().is_none_or(|phase| *phase == *sample.phase)
    });
    if let Some(wanted) = &threshold.source {
        sources.retain(|source, _| source == wanted);
    }
    if sources.is_empty() {
        let of = threshold.source.as_ref().map(|source| format!(" of {source}"));
        let within = threshold.phase.as_ref().map(|phase| format!(" in phase {phase}"));
        let (of, within) = (of.unwrap_or_default(), within.unwrap_or_default());
        return vec![no_data(trial, threshold, format!("no readings{of}{within}"))];
    }
    let checks = sources.iter().map(|(source, series)| {
        let blank = blank(trial, threshold, source);
        match statistic(threshold.stat, &threshold.metric, series) {
            Ok(found) => {
                let readings = if found.n == 1 { "reading" } else { "readings" };
                let reason = format!(" from {} {readings}", found.n);
                let (value, interval) = (found.value, found.interval);
                decide(trial, threshold, Measured { value, interval, reason }, blank)
            }
            Err(reason) => Check { verdict: Verdict::Inconclusive, reason, ..blank },
        }
    });
    checks.collect()
}

/// An event kind is written as a metric, with `count`.
pub(super) fn event_kind(name: &str) -> Option<EventKind> {
    serde_json::from_value(Value::String(name.to_owned())).ok()
}

/// Phases that are watched for events and not sampled: one without an event leaves no trace.
const UNSAMPLED: [&str; 2] = ["warmup", "settle"];

fn events(trial: &TrialRecord, threshold: &Threshold, kind: EventKind) -> Check {
    // No event of something that was never there is no sign that all is well.
    if let Some(reason) = absent(trial, threshold) {
        return no_data(trial, threshold, reason);
    }
    let source = threshold.source.as_deref();
    let at = |name: &str| source.is_none_or(|source| source == name);
    let during = |phase: &str| threshold.phase.as_deref().is_none_or(|wanted| wanted == phase);
    let matching =
        trial.events.iter().filter(|e| e.kind == kind && at(&e.source) && during(&e.phase));
    let mut where_seen: Vec<&str> = matching.map(|event| event.source.as_str()).collect();
    if kind == EventKind::OomKill && trial.events.is_empty() {
        // The original framework lists nothing but OOM kills.
        let names = trial.oom_events.iter().map(|event| event.container_name.as_str());
        where_seen.extend(names.filter(|name| at(name)));
    }
    let count = where_seen.len();
    where_seen.sort_unstable();
    where_seen.dedup();
    let reason = if count == 0 { String::new() } else { format!(", of {}", where_seen.join(", ")) };
    let blank = blank(trial, threshold, source.unwrap_or(EVERY_SOURCE));
    decide(trial, threshold, Measured { value: count as f64, interval: None, reason }, blank)
}

/// Why nothing can be said of events, where the source or the phase that a threshold speaks of never was.
fn absent(trial: &TrialRecord, threshold: &Threshold) -> Option<String> {
    let samples = || trial.samples.iter();
    let source_seen = |name: &str| {
        samples().flat_map(|sample| &sample.readings).any(|reading| *reading.source == *name)
            || trial.events.iter().any(|event| event.source == name)
            || trial.oom_events.iter().any(|event| event.container_name == name)
    };
    let phase_seen = |name: &str| {
        UNSAMPLED.contains(&name)
            || samples().any(|sample| *sample.phase == *name)
            || trial.events.iter().any(|event| event.phase == name)
    };
    if let Some(source) = threshold.source.as_ref().filter(|name| !source_seen(name)) {
        return Some(format!("neither a reading nor an event of {source}"));
    }
    let phase = threshold.phase.as_ref().filter(|name| !phase_seen(name))?;
    Some(format!("neither a reading nor an event in phase {phase}"))
}

fn no_data(trial: &TrialRecord, threshold: &Threshold, reason: String) -> Check {
    let source = threshold.source.as_deref().unwrap_or(EVERY_SOURCE);
    Check { verdict: Verdict::NoData, reason, ..blank(trial, threshold, source) }
}

/// A statistic and how to speak of it.
struct Measured {
    value: f64,
    /// Of slopes.
    interval: Option<[f64; 2]>,
    /// How it came about; after the value.
    reason: String,
}

fn decide(trial: &TrialRecord, threshold: &Threshold, measured: Measured, blank: Check) -> Check {
    let Measured { value, interval, reason } = measured;
    let parameter = |name: &str| trial.scenario_params.get(name).and_then(Value::as_f64);
    let by = |per| (per, divisor(per, trial.total_agents(), parameter));
    let (value, interval) = match threshold.per.as_deref().map(by) {
        None => (value, interval),
        Some((_, Some(by))) => (value / by, interval.map(|ends| ends.map(|end| end / by))),
        Some((per, None)) => {
            let reason = format!("the trial has no {per} above 0 to divide by");
            return Check { verdict: Verdict::Inconclusive, reason, ..blank };
        }
    };
    let verdict = match (threshold.op.holds(value, threshold.value.value), threshold.severity) {
        (true, _) => Verdict::Pass,
        (false, Severity::Warn) => Verdict::Warn,
        (false, Severity::Fail) => Verdict::Fail,
    };
    let shown = shown(value, &threshold.value);
    let within = interval.map(|[low, high]| {
        format!(
            " (95% interval {} to {})",
            number(low, &threshold.value),
            number(high, &threshold.value)
        )
    });
    let within = within.unwrap_or_default();
    let reason = format!("{} is {shown}{within}{reason}", threshold.stat);
    Check { actual: Some(value), verdict, reason, shown: Some(shown), ..blank }
}

/// What `per` divides by, which is above 0: `agents` are all live ones, over all groups; any other name is a
/// parameter.
pub(super) fn divisor(
    per: &str,
    total_agents: Option<f64>,
    parameter: impl FnOnce(&str) -> Option<f64>,
) -> Option<f64> {
    let value = if per == "agents" { total_agents } else { parameter(per) };
    value.filter(|value| *value > 0.0)
}

fn blank(trial: &TrialRecord, threshold: &Threshold, source: &str) -> Check {
    let phase = threshold.phase.as_ref().map(|phase| format!(" in phase {phase}"));
    Check {
        id: trial.id.clone(),
        metric: threshold.metric.clone(),
        source: source.to_owned(),
        expected: format!("{}{}", threshold.requirement(), phase.unwrap_or_default()),
        actual: None,
        verdict: Verdict::NoData,
        reason: String::new(),
        shown: None,
    }
}

/// A value in base units, in the unit that the limit was written in.
pub(super) fn shown(value: f64, limit: &Quantity) -> String {
    let (unit, _) = unit_of(limit);
    let space = if unit.is_empty() || unit.starts_with('%') { "" } else { " " };
    format!("{}{space}{unit}", number(value, limit))
}

/// The same without the unit.
pub(super) fn number(value: f64, limit: &Quantity) -> String {
    short(value / unit_of(limit).1)
}

/// The unit that a quantity was written in, and its size in base units.
fn unit_of(limit: &Quantity) -> (&str, f64) {
    let text = limit.text.trim();
    let digit = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | ' ');
    let unit = text.trim_start_matches(digit);
    let one = format!("1 {unit}").parse::<Quantity>();
    (unit, one.map_or(1.0, |one| one.value))
}
