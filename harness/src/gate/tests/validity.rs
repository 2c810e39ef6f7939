//! Data that cannot be judged.

use serde_json::json;

use super::*;

use crate::model::rules::ValidityRule;
use crate::model::{Event, EventKind, Outcome, Reading};
use crate::results::SamplerCost;

pub(super) fn rule(gate: bool) -> ValidityRule {
    serde_json::from_value(json!({
        "gate": gate, "missing": 0.05, "late": 1.0, "samples": 3, "step": "500ms", "steal": 0.1,
        "throttled": 0.05, "elsewhere": 0.5,
    }))
    .unwrap()
}

/// A baseline of four samples of 100 bytes each, one a second, with these readings of the host in each.
fn measured(gate: bool, host: &[(&Metric, [f64; 4])]) -> TrialRecord {
    let below = threshold(
        r#"{"metric": "memory.working_set", "stat": "max", "op": "<", "value": "200 B"}"#,
    );
    let kills = threshold(r#"{"metric": "oom-kill", "stat": "count", "op": "<", "value": "1"}"#);
    let mut trial = ruled(trial(Kind::Baseline, "t"), |rules| {
        rules.thresholds = vec![below, kills];
        rules.validity = Some(rule(gate));
    });
    let phase = json!({ "name": "sample", "enter": "keep", "length": "4s", "sampled": true, "interval": "1s" });
    trial.metadata.insert("phases".into(), json!([phase]));
    read(&mut trial, ("sample", 0), (&metric::MEMORY_WORKING_SET, "api"), 1.0, &[100.0; 4]);
    for (metric, values) in host {
        for (sample, value) in trial.samples.iter_mut().zip(values) {
            sample.readings.push(Reading::new(metric, &"host".into(), *value));
        }
    }
    trial
}

const PASSES: [(&str, &str, &str); 2] =
    [("pass", "memory.working_set", "api"), ("pass", "oom-kill", "*")];

/// Exactly this is wrong, and what was read is then not judged.
#[track_caller]
fn invalid(trial: &TrialRecord, source: &str, reason: &str) {
    let expected = [
        ("inconclusive", "validity", source),
        ("inconclusive", "memory.working_set", "api"),
        ("pass", "oom-kill", "*"),
    ];
    check(trial, &expected);
    let (verdict, checks) = judged(trial);
    assert_eq!(verdict, Verdict::Inconclusive);
    assert_eq!(checks[0].reason, reason);
    assert!(checks[1].reason.starts_with("not judged, as the data are not valid; max is"));
}

#[test]
fn a_quiet_machine_changes_nothing() {
    let quiet = [
        (&metric::HOST_CPU_BUSY, [0.5; 4]),
        (&metric::HOST_CPU_STEAL, [0.01; 4]),
        (&metric::HOST_CPU_HARNESS, [0.1; 4]),
        (&metric::HOST_CPUS, [2.0; 4]),
        (&metric::HOST_CPU_THROTTLED, [1.0; 4]),
        (&metric::HOST_CLOCK_OFFSET, [0.0, 0.2, 0.2, 0.5]),
    ];
    check(&measured(true, &quiet), &PASSES);
    // Files of earlier versions recorded nothing of this, and have no such rule.
    let old = ruled(measured(true, &[]), |rules| rules.validity = None);
    check(&old, &PASSES);
}

#[test]
fn what_a_hypervisor_took_invalidates() {
    let stolen = [(&metric::HOST_CPU_BUSY, [0.6; 4]), (&metric::HOST_CPU_STEAL, [0.2; 4])];
    let reason =
        "25% of the processor time that this machine wanted went to others on its hypervisor";
    invalid(&measured(true, &stolen), "host", reason);
}

#[test]
fn a_quota_that_held_the_harness_back_invalidates() {
    let throttled = [(&metric::HOST_CPU_THROTTLED, [5.0, 5.0, 5.0, 5.3])];
    let reason = "10% of the time a processor quota held back the harness and its processes";
    invalid(&measured(true, &throttled), "host", reason);
}

#[test]
fn load_from_elsewhere_invalidates() {
    let mut trial = measured(
        true,
        &[
            (&metric::HOST_CPU_BUSY, [1.9; 4]),
            (&metric::HOST_CPU_HARNESS, [0.1; 4]),
            (&metric::HOST_CPUS, [2.0; 4]),
        ],
    );
    for sample in &mut trial.samples {
        sample.readings.push(Reading::new(&metric::CPU_USAGE, &"api".into(), 0.2));
    }
    let reason =
        "80% of this machine's processors was busy with neither the target nor the harness";
    invalid(&trial, "host", reason);
}

#[test]
fn a_clock_that_was_set_invalidates() {
    let stepped = [(&metric::HOST_CLOCK_OFFSET, [0.0, 0.0, 60.0, 60.0])];
    let reason = "the wall clock stepped by 59.9 s against the monotonic one: it was set, or the machine slept";
    invalid(&measured(true, &stepped), "host", reason);
}

#[test]
fn samples_that_are_missing_late_or_few_invalidate() {
    let mut missing = measured(true, &[]);
    missing.sampler = Some(SamplerCost { samples: 4, missed: 1, ..SamplerCost::default() });
    invalid(&missing, "sampler", "20% of the samples that were due were not taken");

    let late = [(&metric::SAMPLER_LATENESS, [1.5; 4])];
    let reason = "one sample in twenty was taken 1.5 intervals late or later";
    invalid(&measured(true, &late), "sampler", reason);

    let mut few = measured(true, &[]);
    few.samples.truncate(2);
    invalid(&few, "sampler", "phase sample has 2 samples");
}

#[test]
fn neither_a_kill_nor_a_death_is_excused() {
    let stolen = [(&metric::HOST_CPU_BUSY, [0.6; 4]), (&metric::HOST_CPU_STEAL, [0.6; 4])];
    let mut killed = measured(true, &stolen);
    killed.events.push(Event {
        kind: EventKind::OomKill,
        elapsed_seconds: 1.0,
        timestamp_iso: jiff::Timestamp::UNIX_EPOCH,
        source: "api".to_owned(),
        phase: "sample".to_owned(),
        message: "killed".to_owned(),
    });
    assert_eq!(judged(&killed).0, Verdict::Fail);
    killed.outcome = Some(Outcome::Aborted("OOM detected in api".to_owned()));
    let (verdict, checks) = judged(&killed);
    assert_eq!(triples(&checks), [("fail", "outcome", "api"), ("fail", "oom-kill", "*")]);
    assert_eq!(verdict, Verdict::Fail);
}

#[test]
fn a_trial_that_ended_early_on_purpose_is_not_short_of_samples() {
    let mut early = measured(true, &[]);
    early.samples.truncate(1);
    early.events.push(Event {
        kind: EventKind::Note,
        elapsed_seconds: 0.0,
        timestamp_iso: jiff::Timestamp::UNIX_EPOCH,
        source: "sampler".to_owned(),
        phase: "sample".to_owned(),
        message: "ended early: memory.anon of api is 300, required max < 200 B".to_owned(),
    });
    check(&early, &PASSES);
}

#[test]
fn without_the_gate_it_is_said_and_nothing_more() {
    let stolen = [(&metric::HOST_CPU_BUSY, [0.6; 4]), (&metric::HOST_CPU_STEAL, [0.2; 4])];
    let trial = measured(false, &stolen);
    check(&trial, &PASSES);
    let results = run(vec![trial]);
    let judgement = judge(&results, &analyze(&results));
    assert_eq!(judgement.verdict, Verdict::Pass);
    let sentence =
        "t: 25% of the processor time that this machine wanted went to others on its hypervisor";
    assert_eq!(judgement.warnings, [sentence]);
}
