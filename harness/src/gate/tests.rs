//! Rules and findings of every kind, and the checks that follow.

mod ab;
mod comparison;
mod events;
mod network;
mod validity;

use super::*;
use crate::analysis::tests::{OWN, SEED, read, ruled, run, trial};
use crate::analysis::{MIB, analyze, analyze_trial};
use crate::model::rules::{LeakGate, LeakMethod, ResetMethod};
use crate::model::{Kind, Metric, Threshold, metric};
use crate::results::parse;

fn threshold(json: &str) -> Threshold {
    serde_json::from_str(json).unwrap()
}

/// The checks of a trial as (verdict, metric, source).
fn triples(checks: &[Check]) -> Vec<(&str, &str, &str)> {
    checks.iter().map(|c| (c.verdict.as_str(), c.metric.as_str(), c.source.as_str())).collect()
}

fn judged(trial: &TrialRecord) -> (Verdict, Vec<Check>) {
    judge_trial(trial, &analyze_trial(trial))
}

#[track_caller]
fn check(trial: &TrialRecord, expected: &[(&str, &str, &str)]) {
    let (verdict, checks) = judged(trial);
    assert_eq!(triples(&checks), expected, "{checks:#?}");
    assert_eq!(Some(verdict), Verdict::worst(checks.iter().map(|check| check.verdict)));
    for check in &checks {
        assert!(!check.reason.is_empty() && !check.expected.is_empty(), "{check:?}");
        assert!(check.verdict != Verdict::NoData || check.actual.is_none(), "{check:?}");
    }
}

#[test]
fn a_foreign_run_is_judged_by_the_default_rules() {
    let results = parse(SEED).unwrap();
    let judgement = judge(&results, &analyze(&results));
    assert_eq!((judgement.verdict, judgement.incomplete), (Verdict::Fail, false));
    let bad: Vec<(&str, &str, &str)> = triples(&judgement.checks)
        .into_iter()
        .zip(&judgement.checks)
        .filter(|((verdict, ..), _)| *verdict != "pass")
        .map(|((verdict, metric, source), check)| {
            assert!(metric == "outcome" || check.actual.is_some());
            (verdict, check.id.as_str(), source)
        })
        .collect();
    let simulation = "rideshare-simulation";
    let expected = [
        ("fail", "load_scaling_200", simulation),
        ("inconclusive", "duration_leak_1m", "rideshare-kafka"),
        ("inconclusive", "duration_leak_1m", "rideshare-redis"),
        ("inconclusive", "duration_leak_1m", simulation),
        ("fail", "duration_leak_8m", simulation),
        ("fail", "reset_behavior", simulation),
    ];
    assert_eq!(bad, expected);
    let every = |trial: &TrialRecord| judgement.checks.iter().any(|check| check.id == trial.id);
    assert!(results.scenarios.iter().all(every));
}

#[test]
fn a_run_of_ours_is_judged_as_its_own_gate_judged_it() {
    let results = parse(OWN).unwrap();
    let analysis = analyze(&results);
    for trial in &results.scenarios {
        let (verdict, checks) = judge_trial(trial, &analysis);
        assert_eq!(Some(verdict), trial.verdict, "{checks:#?}");
        assert_eq!((verdict, checks), judged(trial), "live and later differ");
    }
    let judgement = judge(&results, &analysis);
    assert_eq!(judgement.verdict, Verdict::Fail);
    let find = |id: &str| -> Vec<&Check> {
        judgement.checks.iter().filter(|check| check.id == id && check.actual.is_some()).collect()
    };
    // np.percentile and the like of the golden file's numbers.
    let numbers: Vec<f64> =
        find("load::steady::agents=40").iter().filter_map(|check| check.actual).collect();
    for (actual, expected) in
        numbers.iter().zip([85_053_440.0, 2_202_634.24, 0.0, 0.184_946_413_793_103_45])
    {
        assert!((actual - expected).abs() <= 1e-9 * expected, "{actual} is not {expected}");
    }
    assert_eq!(numbers.len(), 4);
}

#[test]
fn the_leak_of_a_leaky_stack_fails_one_metric_of_one_source_only() {
    let results = parse(OWN).unwrap();
    let judgement = judge(&results, &analyze(&results));
    let leaky =
        |check: &&Check| check.id == "duration::leaky::minutes=5" && check.needs_attention();
    let failed: Vec<Check> = judgement.checks.iter().filter(leaky).cloned().collect();
    assert_eq!(triples(&failed), [("fail", "memory.anon", "api")]);
    assert_eq!(
        failure(&failed).unwrap(),
        "gate: memory.anon of api: expected slope <= 1 MiB/min; slope is 2.002 MiB/min \
         (95% interval 1.993 to 2.011): above 1 MiB/min"
    );
}

#[test]
fn what_is_counted_is_judged_beside_memory_and_not_by_gross_growth() {
    let counted = |gate, per_minute: f64| {
        let mut trial = ruled(trial(Kind::Duration, "duration::x"), |rules| rules.leak.gate = gate);
        read(&mut trial, ("active", 0), (&metric::MEMORY_ANON, "api"), 2.0, &[MIB; 450]);
        for (index, sample) in trial.samples.iter_mut().enumerate() {
            let files = 20.0 + (per_minute * index as f64 / 30.0).floor();
            let api = "api".into();
            let reading = |of: &Metric, value| crate::model::Reading::new(of, &api, value);
            sample.readings.push(reading(&metric::OPEN_FILES, files));
            sample.readings.push(reading(&metric::THREADS, 8.0));
        }
        trial
    };
    let [memory, files, threads] = ["memory.anon", "files.open", "threads"];
    check(
        &counted(LeakGate::Verdict, 0.0),
        &[("pass", memory, "api"), ("pass", files, "api"), ("pass", threads, "api")],
    );
    let leaking = counted(LeakGate::Verdict, 2.0);
    check(&leaking, &[("pass", memory, "api"), ("fail", files, "api"), ("pass", threads, "api")]);
    let (_, checks) = judged(&leaking);
    assert!(checks[1].shown.as_ref().unwrap().ends_with(" count/min"), "{checks:?}");
    check(&counted(LeakGate::Gross, 2.0), &[("pass", memory, "api")]);
}

const API: (&Metric, &str) = (&metric::MEMORY_WORKING_SET, "api");

/// A load trial of 10 agents with these readings of `api` in MiB.
fn load(thresholds: &[&str], mib: &[f64]) -> TrialRecord {
    let mut trial = ruled(trial(Kind::Load, "load::x::agents=10"), |rules| {
        rules.thresholds = thresholds.iter().map(|json| threshold(json)).collect();
    });
    trial.scenario_params.insert("total_agents".into(), 10.into());
    let values: Vec<f64> = mib.iter().map(|mib| mib * MIB).collect();
    read(&mut trial, ("sample", 0), API, 1.0, &values);
    trial
}

#[test]
fn each_statistic_is_held_against_its_limit_in_the_unit_of_the_limit() {
    let check = |stat: &str, value: &str, extra: &str, verdict: Verdict, reason: &str| {
        let json = format!(
            r#"{{"metric": "memory.working_set", "stat": "{stat}", "op": "<", "value": "{value}" {extra}}}"#
        );
        let (_, checks) = judged(&load(&[&json], &[100.0, 101.0, 102.0, 105.0]));
        assert_eq!((checks[0].verdict, checks[0].reason.as_str()), (verdict, reason), "{stat}");
    };
    let (pass, fail) = (Verdict::Pass, Verdict::Fail);
    check("mean", "110 MiB", "", pass, "mean is 102 MiB from 4 readings");
    check("mean", "100 MiB", "", fail, "mean is 102 MiB from 4 readings");
    check(
        "mean",
        "100 MiB",
        r#", "severity": "warn""#,
        Verdict::Warn,
        "mean is 102 MiB from 4 readings",
    );
    check("max", "1 GiB", "", pass, "max is 0.1025 GiB from 4 readings");
    check("min", "100 MiB", "", fail, "min is 100 MiB from 4 readings");
    check("p95", "104 MiB", "", fail, "p95 is 104.5 MiB from 4 readings");
    check("change", "5 MiB", "", fail, "change is 5 MiB from 4 readings");
    check("rate", "101 MiB/min", "", pass, "rate is 100 MiB/min from 4 readings");
    check("count", "4", "", fail, "count is 4 from 4 readings");
    let slope = "slope is 96 MiB/min (95% interval 6.571 to 185.4) from 4 readings";
    check("slope", "90 MiB/min", "", fail, slope);
    check("mean", "11 MiB", r#", "per": "agents""#, pass, "mean is 10.2 MiB from 4 readings");
    let none = "the trial has no size above 0 to divide by";
    check("mean", "11 MiB", r#", "per": "size""#, Verdict::Inconclusive, none);
    check("mean", "110 MiB", r#", "source": "db""#, Verdict::NoData, "no readings of db");
    check("mean", "110 MiB", r#", "phase": "post""#, Verdict::NoData, "no readings in phase post");
}

#[test]
fn a_limit_is_checked_on_every_source_that_has_the_metric() {
    let json = r#"{"metric": "memory.working_set", "stat": "max", "op": "<=", "value": "50 MiB"}"#;
    let mut trial = load(&[json], &[10.0]);
    read(&mut trial, ("sample", 0), (&metric::MEMORY_WORKING_SET, "db"), 1.0, &[60.0 * MIB]);
    read(&mut trial, ("sample", 0), (&metric::AGENTS_LIVE, "agents"), 1.0, &[10.0]);
    let set = "memory.working_set";
    check(&trial, &[("pass", set, "api"), ("fail", set, "db")]);
}

#[test]
fn too_few_readings_are_inconclusive_and_none_are_no_data() {
    let json = |stat| {
        format!(r#"{{"metric": "memory.working_set", "stat": "{stat}", "op": "<", "value": "1"}}"#)
    };
    for (stat, mib) in [("slope", &[1.0, 2.0][..]), ("rate", &[1.0]), ("change", &[1.0])] {
        check(&load(&[&json(stat)], mib), &[("inconclusive", "memory.working_set", "api")]);
    }
    for stat in ["mean", "slope", "count"] {
        check(&load(&[&json(stat)], &[]), &[("no-data", "memory.working_set", "*")]);
    }
}

#[test]
fn a_trial_that_completed_without_data_never_passes() {
    for kind in [Kind::Baseline, Kind::Load, Kind::Duration, Kind::Reset] {
        check(&trial(kind, "x"), &[("no-data", "memory.working_set", "*")]);
        // A driver's readings are not the system's.
        let mut trial = trial(kind, "x");
        let live = (&metric::AGENTS_LIVE, "agents");
        read(&mut trial, ("sample", 0), live, 1.0, &[10.0, 10.0]);
        check(&trial, &[("no-data", "memory.working_set", "*")]);
    }
    check(&load(&[], &[10.0]), &[("pass", "outcome", "trial")]);
}

#[test]
fn a_container_without_a_finding_is_no_data_beside_those_with_one() {
    let set = "memory.working_set";
    let mut growth = trial(Kind::Duration, "duration::x");
    read(&mut growth, ("active", 0), API, 2.0, &[10.0 * MIB; 200]);
    read(&mut growth, ("drain", 0), (&metric::MEMORY_WORKING_SET, "db"), 2.0, &[MIB; 9]);
    check(&growth, &[("pass", set, "api"), ("no-data", set, "db")]);
    let mut reset = ruled(trial(Kind::Reset, "reset::x"), |rules| {
        rules.reset.rule = ResetMethod::Within;
    });
    read(&mut reset, ("baseline", 0), API, 2.0, &[10.0 * MIB; 9]);
    read(&mut reset, ("post", 1), API, 2.0, &[10.5 * MIB; 9]);
    check(&reset, &[("pass", set, "api")]);
    read(&mut reset, ("post", 2), (&metric::MEMORY_WORKING_SET, "db"), 2.0, &[MIB; 9]);
    check(&reset, &[("no-data", set, "api"), ("no-data", set, "db")]);
}

#[test]
fn a_reset_that_cannot_be_told_is_inconclusive_and_says_why() {
    let check = |before: &[f64], after: &[f64], verdict: Verdict, reason: &str| {
        let mut trial = ruled(trial(Kind::Reset, "reset::x"), |rules| {
            rules.reset.rule = ResetMethod::Within;
        });
        for (phase, mib) in [(("baseline", 0), before), (("post", 1), after)] {
            let values: Vec<f64> = mib.iter().map(|mib| mib * MIB).collect();
            read(&mut trial, phase, API, 2.0, &values);
        }
        let found = judged(&trial).1.remove(0);
        assert_eq!((found.verdict, found.reason.as_str()), (verdict, reason));
    };
    check(&[10.0; 2], &[10.5; 2], Verdict::Pass, "10.5 MiB after 1 reset, 5% above the baseline");
    check(
        &[10.0; 1],
        &[10.5; 9],
        Verdict::Inconclusive,
        "10.5 MiB after 1 reset; readings: 1 before the load, 9 after the reset, and a verdict needs 2 of each",
    );
    check(
        &[10.0; 9],
        &[20.0; 1],
        Verdict::Inconclusive,
        "20 MiB after 1 reset; readings: 9 before the load, 1 after the reset, and a verdict needs 2 of each",
    );
    check(
        &[0.0; 9],
        &[10.0; 9],
        Verdict::Inconclusive,
        "10 MiB after 1 reset, and nothing compares with a baseline of 0 MiB",
    );
}

#[test]
fn the_leak_gate_maps_findings_to_verdicts() {
    for rule in [LeakMethod::Seed, LeakMethod::Leakscore] {
        the_leak_gate_maps_findings_of(rule);
    }
}

fn the_leak_gate_maps_findings_of(rule: LeakMethod) {
    let grown = |gate, slope: f64, seconds: usize| {
        let mut trial = ruled(trial(Kind::Duration, "duration::x"), |rules| {
            (rules.leak.rule, rules.leak.gate) = (rule, gate);
        });
        let value = |second| (10.0 + slope * f64::from(second) / 60.0) * MIB;
        let values: Vec<f64> = (0..seconds as u32).map(value).collect();
        read(&mut trial, ("active", 0), (&metric::MEMORY_ANON, "api"), 1.0, &values);
        trial
    };
    let check = |gate, slope, seconds, verdict| {
        let metric = if verdict == "completed" {
            ("pass", "outcome", "trial")
        } else {
            (verdict, "memory.anon", "api")
        };
        check(&grown(gate, slope, seconds), &[metric]);
    };
    check(LeakGate::Verdict, 2.0, 300, "fail");
    // The slope lies between two limits; the score is sure of a line without noise.
    let between = if rule == LeakMethod::Seed { "warn" } else { "fail" };
    check(LeakGate::Verdict, 0.7, 300, between);
    check(LeakGate::Verdict, 0.0, 300, "pass");
    check(LeakGate::Verdict, 0.0, 60, "inconclusive");
    check(LeakGate::Gross, 100.0, 9, "fail");
    check(LeakGate::Gross, 2.0, 9, "pass");
    check(LeakGate::Gross, 0.0, 1, "inconclusive");
    check(LeakGate::Gross, 0.0, 2, "inconclusive");
    let gross = |mib: &[f64]| {
        let mut trial = grown(LeakGate::Gross, 0.0, 0);
        let values: Vec<f64> = mib.iter().map(|mib| mib * MIB).collect();
        read(&mut trial, ("active", 0), (&metric::MEMORY_ANON, "api"), 1.0, &values);
        let check = judged(&trial).1.remove(0);
        (check.verdict, check.reason)
    };
    // A slope of 44 MiB/min that may as well be above 60.
    let (verdict, reason) = gross(&[10.0, 12.0, 10.5, 13.5, 12.0, 14.5]);
    assert_eq!(verdict, Verdict::Inconclusive, "{reason}");
    assert!(reason.ends_with("the interval reaches above 60 MiB/min"), "{reason}");
    let (verdict, reason) = gross(&[10.0, 90.0]);
    assert_eq!(verdict, Verdict::Inconclusive, "{reason}");
    assert!(reason.ends_with("two readings give a slope no interval"), "{reason}");
    let (_, checks) = judged(&grown(LeakGate::Gross, 2.0, 9));
    assert_eq!(checks[0].expected, "slope < 60 MiB/min");
    assert!(
        checks[0].reason.contains("smaller leaks are unknown (8 s of readings"),
        "{}",
        checks[0].reason
    );
    // Growth is reported only; the data are there.
    let mut off = grown(LeakGate::Off, 100.0, 300);
    read(&mut off, ("active", 0), API, 1.0, &[MIB]);
    super::tests::check(&off, &[("pass", "outcome", "trial")]);
}

#[test]
fn a_trial_that_did_not_complete_is_judged_by_its_end() {
    let json = |stat: &str, op: &str| {
        format!(
            r#"{{"metric": "memory.working_set", "stat": "{stat}", "op": "{op}", "value": "50 MiB"}}"#
        )
    };
    let (max, mean) = (json("max", "<"), json("mean", "<"));
    let ended = |outcome: Option<Outcome>| TrialRecord {
        outcome,
        completed_at: None,
        ..load(&[&max, &mean], &[10.0, 60.0, 200.0])
    };
    let broken = ("fail", "memory.working_set", "api");
    let died = Some(Outcome::Aborted("oom-kill of api".into()));
    check(&ended(died.clone()), &[("fail", "outcome", "trial"), broken]);
    check(
        &ended(Some(Outcome::Interrupted("SIGINT".into()))),
        &[("inconclusive", "outcome", "trial"), broken],
    );
    check(&ended(None), &[("inconclusive", "outcome", "trial"), broken]);
    check(&ended(Some(Outcome::Skipped("no Docker".into()))), &[("skipped", "outcome", "trial")]);
    check(&ended(Some(Outcome::Broken("port taken".into()))), &[("error", "outcome", "trial")]);
    let message = |outcome| failure(&judged(&ended(outcome)).1).unwrap_or_default();
    assert!(message(died).starts_with("aborted: oom-kill of api\ngate: memory.working_set of api"));
    assert_eq!(message(Some(Outcome::Broken("port taken".into()))), "rig: port taken");
    assert!(message(None).contains("gate: cut off"));
    assert_eq!(message(Some(Outcome::Skipped("no Docker".into()))), "");
}

#[test]
fn a_run_without_trials_or_an_end_does_not_pass() {
    let check = |results: &Results, verdict: Verdict, incomplete: bool| {
        let judgement = judge(results, &analyze(results));
        assert_eq!((judgement.verdict, judgement.incomplete), (verdict, incomplete));
        assert!(!judgement.checks.is_empty());
    };
    check(&run(Vec::new()), Verdict::NoData, false);
    let skipped =
        || TrialRecord { outcome: Some(Outcome::Skipped("no Docker".into())), ..load(&[], &[]) };
    check(&run(vec![skipped()]), Verdict::Skipped, false);
    check(&run(vec![load(&[], &[10.0]), skipped()]), Verdict::Pass, false);
    check(&run(vec![load(&[], &[]), skipped()]), Verdict::NoData, false);
    check(&run(vec![load(&[], &[10.0])]), Verdict::Pass, false);
    let cut_off = |trials| Results { incomplete: true, ..run(trials) };
    check(&cut_off(Vec::new()), Verdict::Inconclusive, true);
    check(&cut_off(vec![load(&[], &[10.0])]), Verdict::Inconclusive, true);
    let open = TrialRecord { outcome: None, completed_at: None, ..load(&[], &[10.0]) };
    let results = cut_off(vec![open]);
    check(&results, Verdict::Inconclusive, true);
    assert_eq!(judge(&results, &analyze(&results)).checks.len(), 1);
}

#[test]
fn the_worst_come_first_and_equals_keep_their_order() {
    let check = |id: &str, verdict| Check { verdict, ..outcome::check(id, "trial", "x") };
    let checks = [
        check("a", Verdict::Pass),
        check("b", Verdict::Fail),
        check("c", Verdict::NoData),
        check("d", Verdict::Fail),
        check("e", Verdict::Error),
    ];
    let order: Vec<&str> = worst_first(&checks).iter().map(|check| check.id.as_str()).collect();
    assert_eq!(order, ["e", "b", "d", "c", "a"]);
}
