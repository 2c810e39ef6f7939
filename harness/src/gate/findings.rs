//! The checks on findings: leaks and resets, and on there being anything to find at all.

use super::thresholds::event_kind;
use super::{Check, EVERY_SOURCE, leaks};
use crate::analysis::{Analysis, Leak, MIB, Reset, ResetVerdict, rules};
use crate::model::rules::{LeakGate, ResetMethod, ResetRule};
use crate::model::{Kind, Metric, Verdict, metric};
use crate::results::TrialRecord;

/// Every finding on a trial that ran to its end.
pub(super) fn checks(trial: &TrialRecord, analysis: &Analysis) -> Vec<Check> {
    let rules = rules::of(trial);
    let mut checks = Vec::new();
    match trial.kind {
        Some(Kind::Duration) if rules.leak.gate != LeakGate::Off => {
            let leaks = || analysis.leaks.iter().filter(|leak| leak.id == trial.id);
            checks.extend(leaks::checks(trial, analysis));
            let memory = |leak: &&Leak| leak.unit.is_none();
            let found = |name: &str| leaks().filter(memory).any(|leak| leak.container == name);
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
        // Figures of the network are what such a trial is for; it has no containers.
        Some(Kind::Network) => return figures(trial),
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

/// A check for each test of the network without the figure that it is about.
fn figures(trial: &TrialRecord) -> Vec<Check> {
    let readings = || trial.samples.iter().flat_map(|sample| &sample.readings);
    let check = |source: &str, metric: &Metric| Check {
        metric: metric.id().to_owned(),
        ..no_data(trial, source, "figures of the test", "no readings")
    };
    let tests = trial.traffic().map(|traffic| traffic.tests).unwrap_or_default();
    // Of records that do not say their tests, any figure is one.
    if tests.is_empty() && !readings().any(|reading| reading.metric.starts_with("net.")) {
        return vec![check(EVERY_SOURCE, &metric::NET_THROUGHPUT)];
    }
    let missed = tests.iter().filter_map(|test| {
        let own = test.topic.metric();
        let has_own =
            readings().any(|reading| reading.metric == own.name && *reading.source == *test.name);
        (!has_own).then(|| check(&test.name, &own))
    });
    missed.collect()
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
