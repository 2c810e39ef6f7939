//! Golden files and made-up trials; other parts' tests use them too.

mod curves;
mod growth;
pub(crate) mod network;
mod resets;

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::model::{Event, EventKind, Kind, Metric, Reading, Rules, Sample, metric};
use crate::results::parse;

/// A run in the form of the original framework.
pub(crate) const SEED: &str = include_str!("../../../fixtures/results/seed.json");
/// A run in ours.
pub(crate) const OWN: &str = include_str!("../../../fixtures/results/own.json");

/// A trial that completed without samples, judged by the default rules.
pub(crate) fn trial(kind: Kind, id: &str) -> TrialRecord {
    let json = json!({
        "id": id, "kind": kind, "scenario_name": id, "started_at": "2026-01-30T14:30:22Z",
        "completed_at": "2026-01-30T14:31:22Z", "outcome": { "outcome": "completed" },
        "rules": rules::of(&parse(SEED).unwrap().scenarios[0]),
    });
    serde_json::from_value(json).unwrap()
}

/// A trial with rules changed.
pub(crate) fn ruled(mut trial: TrialRecord, change: impl FnOnce(&mut Rules)) -> TrialRecord {
    change(trial.rules.as_mut().unwrap());
    trial
}

/// Appends one reading per value, `step` seconds apart, in a phase.
pub(crate) fn read(
    trial: &mut TrialRecord,
    phase: (&str, u32),
    (metric, source): (&Metric, &str),
    step: f64,
    values: &[f64],
) {
    let source: Arc<str> = source.into();
    let start = trial.samples.last().map_or(0.0, |last| last.elapsed + step);
    for (index, value) in values.iter().enumerate() {
        trial.samples.push(Sample {
            elapsed: start + step * index as f64,
            timestamp: jiff::Timestamp::UNIX_EPOCH,
            phase: phase.0.into(),
            cycle: phase.1,
            readings: vec![Reading::new(metric, &source, *value)],
        });
    }
}

/// A run of these trials.
pub(crate) fn run(trials: Vec<TrialRecord>) -> Results {
    let json = json!({
        "schema_version": 1, "test_id": "run", "started_at": "2026-01-30T14:30:22Z",
        "completed_at": "2026-01-30T14:31:22Z", "scenarios": [],
    });
    Results { scenarios: trials, ..serde_json::from_value(json).unwrap() }
}

#[track_caller]
fn close(actual: Option<f64>, expected: f64) {
    let actual = actual.expect("a number");
    assert!(
        (actual - expected).abs() <= 1e-6 * expected.abs().max(1e-3),
        "{actual} is not {expected}"
    );
}

fn summary<'a>(analysis: &'a Analysis, id: &str, container: &str) -> &'a ContainerSummary {
    let summary = analysis.summaries.iter().find(|summary| summary.id == id).unwrap();
    &summary.focus_containers[container]
}

#[test]
fn summaries_of_a_foreign_file_equal_numpy() {
    let analysis = analyze(&parse(SEED).unwrap());
    // np.mean, np.std, min, max, np.percentile 50, 95, 99; scipy.stats.linregress per minute with its 95% interval.
    let check = |id: &str, container: &str, memory: [f64; 7], slope: [f64; 3], cpu: [f64; 4]| {
        let s = summary(&analysis, id, container);
        let [mean, std, min, max, p50, p95, p99] = memory;
        close(s.memory_mean_mb, mean);
        close(s.memory_std_mb, std);
        close(s.memory_min_mb, min);
        close(s.memory_max_mb, max);
        close(s.memory_p50_mb, p50);
        close(s.memory_p95_mb, p95);
        close(s.memory_p99_mb, p99);
        close(s.memory_slope_mb_per_min, slope[0]);
        close(s.memory_slope_interval_mb_per_min.map(|ends| ends[0]), slope[1]);
        close(s.memory_slope_interval_mb_per_min.map(|ends| ends[1]), slope[2]);
        close(s.cpu_mean_percent, cpu[0]);
        close(s.cpu_std_percent, cpu[1]);
        close(s.cpu_max_percent, cpu[2]);
        close(s.cpu_slope_percent_per_min, cpu[3]);
    };
    check(
        "load_scaling_40",
        "rideshare-simulation",
        [508.3833333333332, 0.8978059676542347, 506.3, 510.6, 508.2, 510.13, 510.542],
        [-0.03913123915628764, -1.2438749470709525, 1.1656124687583769],
        [25.445333333333334, 0.8883983090683794, 27.25, 0.8716036020536834],
    );
    check(
        "duration_leak_8m",
        "rideshare-simulation",
        [517.98375, 4.697413572470848, 509.2, 527.5, 518.2, 525.4, 526.927],
        [2.002843764955412, 1.9575143636219643, 2.0481731662888594],
        [25.57091666666667, 1.072610519428599, 28.25, 0.013263007377437215],
    );
    // The reset scenario's pseudo-sample is no sample.
    check(
        "reset_behavior",
        "rideshare-kafka",
        [401.44, 0.5851495535331139, 400.3, 402.7, 401.4, 402.39, 402.666],
        [-0.05476826513864212, -0.6700688494642242, 0.56053231918694],
        [3.608857142857142, 0.5263555095645713, 5.38, 0.1706431027348724],
    );
    let reset = analysis.summaries.iter().find(|summary| summary.id == "reset_behavior").unwrap();
    assert_eq!((reset.total_samples, reset.containers_sampled), (35, 3));
    let limit = |container| summary(&analysis, "baseline", container).memory_limit_mb;
    assert_eq!((limit("rideshare-simulation"), limit("rideshare-redis")), (1024.0, 0.0));
}

#[test]
fn memory_grows_with_agents_as_numpy_says_and_a_trial_that_died_does_not_count() {
    let analysis = analyze(&parse(SEED).unwrap());
    let json = serde_json::to_value(&analysis).unwrap();
    let fit = &json["rideshare-simulation"]["best_fit"];
    assert_eq!(fit["fit_type"], "linear");
    assert_eq!(fit["formula"], "memory_mb = 2.45 * agents + 312.6");
    close(fit["coefficients"]["a"].as_f64(), 2.448061992);
    close(fit["coefficients"]["b"].as_f64(), 312.5877711);
    close(fit["r_squared"].as_f64(), 0.9999991250727583);
    let fits = json["rideshare-simulation"]["all_fits"].as_array().unwrap();
    assert_eq!((fits.len(), &fits[0]), (5, fit));
    let logarithmic = fits.iter().find(|fit| fit["fit_type"] == "logarithmic").unwrap();
    close(logarithmic["coefficients"]["a"].as_f64(), 145.75952487);
    close(logarithmic["r_squared"].as_f64(), 0.9061163217702543);
    let points = json["rideshare-simulation"]["data_points"].as_array().unwrap();
    let agents: Vec<f64> = points.iter().filter_map(|point| point["agents"].as_f64()).collect();
    assert_eq!(agents, [20.0, 40.0, 80.0, 160.0]);
    close(points[0]["memory_mb"].as_f64(), 361.6766666666668);
    assert_eq!(json["rideshare-kafka"]["best_fit"]["fit_type"], "constant");
}

#[test]
fn resets_compare_the_last_one_with_the_baseline() {
    let check = |text: &str, numbers: [f64; 4], verdict, cycles| {
        let analysis = analyze(&parse(text).unwrap());
        let [reset] = &analysis.resets[..] else { panic!("{:?}", analysis.resets) };
        close(Some(reset.baseline_mb), numbers[0]);
        close(reset.load_peak_mb, numbers[1]);
        close(Some(reset.post_reset_mb), numbers[2]);
        close(reset.diff_percent, numbers[3]);
        assert_eq!((reset.verdict, reset.cycles), (verdict, cycles));
        close(Some(reset.within_percent), 10.0);
    };
    let numbers = [312.41999999999996, 508.9, 371.3333333333333, 18.85709408275186];
    check(SEED, numbers, ResetVerdict::Fail, 1);
    let numbers = [23.980859375, 39.19140625, 24.971875, 4.132527569187663];
    check(OWN, numbers, ResetVerdict::Pass, 2);
}

#[test]
fn a_reset_says_how_many_readings_it_rests_on() {
    let analysis = analyze(&parse(OWN).unwrap());
    let reset = &analysis.resets[0];
    let phases = &summary(&analysis, &reset.id, "api").phases;
    let readings = |name: &str, cycle: u32| {
        let phase = phases.iter().find(|phase| phase.phase == name && phase.cycle == cycle);
        phase.map(|phase| phase.readings)
    };
    assert_eq!(reset.baseline_n, readings("baseline", 0));
    assert_eq!(reset.post_reset_n, readings("post", 2));
    assert!(reset.baseline_n.is_some() && reset.post_reset_n.is_some());
    let analysis = analyze(&parse(SEED).unwrap());
    assert_eq!((analysis.resets[0].baseline_n, analysis.resets[0].post_reset_n), (None, None));
}

fn load(scenario: &str, agents: i64, sources: &[&str]) -> TrialRecord {
    let mut record = trial(Kind::Load, &format!("{scenario}::agents={agents}"));
    record.scenario_name = scenario.to_owned();
    record.scenario_params.insert("total_agents".into(), agents.into());
    for source in sources {
        let values = [agents as f64 * MIB; 3];
        read(&mut record, ("sample", 0), (&metric::MEMORY_WORKING_SET, source), 1.0, &values);
    }
    record
}

#[test]
fn containers_never_take_the_place_of_another_key() {
    let sources = ["leaks", "container:leaks", "scenario_summaries", "changes", "api"];
    let trials = vec![
        load("load::a", 1, &sources),
        load("load::a", 2, &sources),
        load("load::b", 1, &["api", "api @ load::b"]),
        load("load::b", 3, &["api", "api @ load::b"]),
        // One level is no curve.
        load("load::c", 1, &["other"]),
    ];
    let analysis = analyze(&run(trials));
    let json = serde_json::to_value(&analysis).unwrap();
    let mut keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let expected = [
        "api",
        "api @ load::b",
        "api @ load::b @ load::b",
        "changes",
        "container:changes",
        "container:container:leaks",
        "container:leaks",
        "container:scenario_summaries",
        "leaks",
        "resets",
        "scenario_summaries",
        "throughput",
        "validity",
    ];
    assert_eq!(keys, expected);
    assert!(json["leaks"].is_array() && json["scenario_summaries"].is_array());
    assert_eq!(json["api"]["scenario_name"], "load::a");
    assert_eq!(json["api @ load::b"]["scenario_name"], "load::b");
    assert_eq!(json["api @ load::b"]["container"], "api");
}

#[test]
fn repetitions_are_points_of_one_curve() {
    let mut trials = Vec::new();
    for repeat in 1..=3_u32 {
        for agents in [1, 2, 4, 8] {
            let mut trial = load("load::a", agents, &["api"]);
            if repeat > 1 {
                trial.repeat = repeat;
                trial.scenario_params.insert("repeat".into(), repeat.into());
            }
            trials.push(trial);
        }
    }
    let scalings = analyze(&run(trials)).scalings;
    assert_eq!(scalings.len(), 1, "{scalings:#?}");
    assert_eq!(scalings[0].data_points.len(), 4 * 3);
    assert!(scalings[0].scenario_params.is_empty(), "{:?}", scalings[0].scenario_params);
}

#[test]
fn a_trial_that_a_threshold_ended_is_no_point_of_a_curve() {
    let mut trials: Vec<TrialRecord> =
        [1, 2, 4].map(|agents| load("load::a", agents, &["api"])).into();
    let points =
        |trials: &[TrialRecord]| analyze(&run(trials.to_vec())).scalings[0].data_points.len();
    let note = |message: &str| Event {
        kind: EventKind::Note,
        elapsed_seconds: 1.0,
        timestamp_iso: jiff::Timestamp::UNIX_EPOCH,
        source: "proofload".to_owned(),
        phase: "sample".to_owned(),
        message: message.to_owned(),
    };
    trials[2].events.push(note("the status can be read again"));
    assert_eq!(points(&trials), 3);
    trials[2].events.push(note("ended early: memory.anon of api is 12, required max < 10"));
    assert_eq!(points(&trials), 2);
}

#[test]
fn files_that_are_no_results_are_refused_in_one_sentence() {
    let check = |text: &str, message: &str| {
        let error = parse(text).unwrap_err();
        assert!(error.contains(message) && !error.contains('\n'), "{error}");
    };
    check(&SEED[..SEED.len() / 2], "the file is truncated at line");
    check(&OWN[..OWN.len() - 10], "the file is truncated at line");
    check("", "the file is truncated");
    check("{\"benchmarks\": []}", "not a results file: missing field `test_id`");
    check("<html>", "not JSON");
    let newer = OWN.replacen("\"schema_version\": 1", "\"schema_version\": 99", 1);
    check(&newer, "schema_version 99");
    // A newer file may have changed anything else too.
    check("{\"schema_version\": 2, \"trials\": {}}", "update proofload");
}

#[test]
fn our_own_file_is_the_same_after_writing_and_reading() {
    let results = parse(OWN).unwrap();
    let again = parse(&serde_json::to_string(&results).unwrap()).unwrap();
    assert_eq!(again, results);
    assert_eq!(analyze(&again), analyze(&results));
}

#[test]
fn one_trial_alone_has_the_findings_that_it_has_in_the_run() {
    for text in [SEED, OWN] {
        let results = parse(text).unwrap();
        let whole = analyze(&results);
        let mut parts = Analysis { scalings: whole.scalings.clone(), ..Analysis::default() };
        for trial in &results.scenarios {
            let part = analyze_trial(trial);
            parts.summaries.extend(part.summaries);
            parts.leaks.extend(part.leaks);
            parts.resets.extend(part.resets);
            parts.validity.extend(part.validity);
        }
        assert_eq!(parts, whole);
    }
}
