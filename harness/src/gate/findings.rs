//! The checks on findings: leaks and resets, and on there being anything to find at all.

use super::thresholds::{event_kind, number, shown};
use super::{Check, EVERY_SOURCE};
use crate::analysis::{Analysis, Leak, LeakVerdict, MIB, PER_MINUTE, Reset, ResetVerdict, rules};
use crate::model::rules::{LeakGate, LeakRule, ResetMethod, ResetRule};
use crate::model::{Kind, Verdict, metric};
use crate::results::TrialRecord;

/// Every finding on a trial that ran to its end.
pub(super) fn checks(trial: &TrialRecord, analysis: &Analysis) -> Vec<Check> {
    let rules = rules::of(trial);
    let mut checks = Vec::new();
    match trial.kind {
        Some(Kind::Duration) if rules.leak.gate != LeakGate::Off => {
            let leaks = || analysis.leaks.iter().filter(|leak| leak.id == trial.id);
            checks.extend(leaks().map(|leak| self::leak(&rules.leak, leak)));
            let found = |name: &str| leaks().any(|leak| leak.container == name);
            let missed = missed(trial, analysis, found).into_iter();
            let (expected, reason) = ("slope", "no memory readings under load");
            checks.extend(missed.map(|source| no_data(trial, &source, expected, reason)));
        }
        Some(Kind::Reset) if rules.reset.gate => {
            let resets = || analysis.resets.iter().filter(|reset| reset.id == trial.id);
            checks.extend(resets().map(|reset| self::reset(&rules.reset, reset)));
            // The original framework judges one container.
            let original = trial.rules.is_none();
            let found = |name: &str| resets().any(|reset| original || reset.container == name);
            let missed = missed(trial, analysis, found).into_iter();
            let expected = "memory back at its baseline";
            let reason = "no memory readings before the load or after the reset";
            checks.extend(missed.map(|source| no_data(trial, &source, expected, reason)));
        }
        _ => {}
    }
    if checks.is_empty() && !has_memory(trial, analysis) && !looks_elsewhere(trial) {
        let expected = "readings of at least one container";
        checks.push(no_data(trial, EVERY_SOURCE, expected, "no readings"));
    }
    checks
}

/// The containers of a trial that a finding should speak of and none does; [`EVERY_SOURCE`] where there is none.
fn missed(trial: &TrialRecord, analysis: &Analysis, found: impl Fn(&str) -> bool) -> Vec<String> {
    let summary = analysis.summaries.iter().find(|summary| summary.id == trial.id);
    let containers = summary.into_iter().flat_map(|summary| summary.focus_containers.keys());
    let all: Vec<&String> = containers.collect();
    if all.is_empty() {
        return if found(EVERY_SOURCE) { Vec::new() } else { vec![EVERY_SOURCE.to_owned()] };
    }
    all.into_iter().filter(|name| !found(name)).cloned().collect()
}

fn has_memory(trial: &TrialRecord, analysis: &Analysis) -> bool {
    let summary = analysis.summaries.iter().find(|summary| summary.id == trial.id);
    summary.is_some_and(|summary| {
        let mut containers = summary.focus_containers.values();
        containers.any(|container| container.memory_mean_mb.is_some())
    })
}

/// A trial that watches no container on purpose has thresholds on what its own probes read, and they say where that
/// is absent, as one on memory does.
fn looks_elsewhere(trial: &TrialRecord) -> bool {
    rules::of(trial).thresholds.iter().any(|threshold| {
        let name = &threshold.metric;
        let own = metric::find(name).is_none() && event_kind(name).is_none();
        own || *name == metric::MEMORY_WORKING_SET.name
    })
}

fn no_data(trial: &TrialRecord, source: &str, expected: &str, reason: &str) -> Check {
    Check {
        id: trial.id.clone(),
        metric: metric::MEMORY_WORKING_SET.id().to_owned(),
        source: source.to_owned(),
        expected: expected.to_owned(),
        actual: None,
        verdict: Verdict::NoData,
        reason: reason.to_owned(),
        shown: None,
    }
}

fn leak(rule: &LeakRule, leak: &Leak) -> Check {
    let gross = rule.gate == LeakGate::Gross;
    let base = |slope: f64| slope * MIB / PER_MINUTE;
    let surely_not_gross = leak.interval.is_some_and(|[_, high]| base(high) <= rule.gross.value);
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
    let slope = leak.slope_mb_per_min.map(base);
    let shown = slope.map(|slope| shown(slope, limit));
    let mut reason = String::new();
    if let Some(shown) = &shown {
        // Without scatter the interval is a point, and claims a certainty that no reading has.
        let interval = leak.interval.filter(|[low, high]| low < high);
        let interval = interval.map(|ends| ends.map(|end| number(base(end), limit)));
        let interval = interval.map(|[low, high]| format!(" (95% interval {low} to {high})"));
        reason = format!("slope is {shown}{}: ", interval.unwrap_or_default());
    }
    if gross && verdict == Verdict::Pass {
        reason.push_str(&format!("surely not above {limit}"));
        if leak.verdict == LeakVerdict::Unknown {
            reason.push_str(&format!("; smaller leaks are unknown ({})", leak.reason));
            if let Some(least) = leak.detectable_mb_per_min {
                let least = crate::analysis::digits::short(least);
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
    Check {
        id: leak.id.clone(),
        metric: leak.channel.clone(),
        source: leak.container.clone(),
        expected: format!("slope {op} {limit}"),
        actual: slope,
        verdict,
        reason,
        shown,
    }
}

fn reset(rule: &ResetRule, reset: &Reset) -> Check {
    let short = crate::analysis::digits::short;
    let verdict = match reset.verdict {
        ResetVerdict::Pass => Verdict::Pass,
        ResetVerdict::Fail => Verdict::Fail,
        ResetVerdict::Unknown => Verdict::Inconclusive,
    };
    let check = Check {
        id: reset.id.clone(),
        metric: reset.channel.clone(),
        source: reset.container.clone(),
        expected: String::new(),
        actual: None,
        verdict,
        reason: reset.reason.clone(),
        shown: None,
    };
    match reset.rule {
        ResetMethod::Growth => {
            let growth = reset.growth.as_ref();
            Check {
                metric: growth.map_or(check.metric, |growth| growth.channel.clone()),
                expected: format!("growth <= {}% per cycle", short(rule.growth * 100.0)),
                actual: growth.map(|growth| growth.percent_per_cycle / 100.0),
                shown: growth.map(|growth| format!("{}%", short(growth.percent_per_cycle))),
                ..check
            }
        }
        ResetMethod::Within => Check {
            expected: format!(
                "within {}% of {} MiB",
                short(reset.within_percent),
                short(reset.baseline_mb)
            ),
            actual: Some(reset.post_reset_mb * MIB),
            shown: Some(format!("{} MiB", short(reset.post_reset_mb))),
            ..check
        },
    }
}
