//! Golden files and made-up trials; other parts' tests use them too.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::model::rules::LeakGate;
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
fn memory_grows_with_agents_as_scipy_says_and_a_trial_that_died_does_not_count() {
    let analysis = analyze(&parse(SEED).unwrap());
    let json = serde_json::to_value(&analysis).unwrap();
    let fit = &json["rideshare-simulation"]["best_fit"];
    assert_eq!(fit["fit_type"], "linear");
    assert_eq!(fit["formula"], "memory_mb = 2.45 * agents + 312.5");
    close(fit["coefficients"]["a"].as_f64(), 2.4487782608695645);
    close(fit["coefficients"]["b"].as_f64(), 312.5391304347827);
    close(fit["r_squared"].as_f64(), 0.9999992121257837);
    let fits = json["rideshare-simulation"]["all_fits"].as_array().unwrap();
    assert_eq!((fits.len(), &fits[0]), (5, fit));
    let logarithmic = fits.iter().find(|fit| fit["fit_type"] == "logarithmic").unwrap();
    close(logarithmic["coefficients"]["a"].as_f64(), 166.09596082114922);
    close(logarithmic["r_squared"].as_f64(), 0.9226580637383366);
    let points = json["rideshare-simulation"]["data_points"].as_array().unwrap();
    let agents: Vec<f64> = points.iter().filter_map(|point| point["agents"].as_f64()).collect();
    assert_eq!(agents, [20.0, 40.0, 80.0, 160.0]);
    close(points[0]["memory_mb"].as_f64(), 361.6766666666668);
    assert_eq!(json["rideshare-kafka"]["best_fit"]["fit_type"], "constant");
}

/// `slope`, ends of the interval, and what follows.
#[track_caller]
fn check_leak(
    analysis: &Analysis,
    (id, container, channel): (&str, &str, &str),
    [slope, low, high, detectable]: [f64; 4],
    (band, verdict): (Band, LeakVerdict),
) {
    let found = |leak: &&Leak| leak.id == id && leak.container == container;
    let leak = analysis.leaks.iter().find(found).unwrap();
    close(leak.slope_mb_per_min, slope);
    close(leak.interval.map(|ends| ends[0]), low);
    close(leak.interval.map(|ends| ends[1]), high);
    close(leak.detectable_mb_per_min, detectable);
    assert_eq!(
        (leak.channel.as_str(), leak.band, leak.verdict),
        (channel, Some(band), verdict),
        "{leak:?}"
    );
}

#[test]
fn leaks_of_a_foreign_file_are_judged_on_the_memory_that_it_has() {
    let analysis = analyze(&parse(SEED).unwrap());
    let check = |id, container, numbers, verdict| {
        check_leak(&analysis, (id, container, "memory_used_mb"), numbers, verdict);
    };
    check(
        "duration_leak_8m",
        "rideshare-simulation",
        [2.002843764955412, 1.9575143636219643, 2.0481731662888594, 0.08283623087539682],
        (Band::Leak, LeakVerdict::Leak),
    );
    check(
        "duration_leak_8m",
        "rideshare-kafka",
        [-0.006254308706058033, -0.03960382705770585, 0.027095209645589785, 0.06094385366881036],
        (Band::Normal, LeakVerdict::Clean),
    );
    check(
        "duration_leak_4m",
        "rideshare-simulation",
        [0.037512778383070065, -0.09021775413354385, 0.165243310899684, 0.2322054036906438],
        (Band::Normal, LeakVerdict::Clean),
    );
    check(
        "duration_leak_1m",
        "rideshare-kafka",
        [0.7910779876550644, -0.036215099745647954, 1.618371075055777, 1.4539370879328173],
        (Band::Watch, LeakVerdict::Unknown),
    );
}

#[test]
fn leaks_of_our_own_file_are_judged_on_anonymous_memory_under_load() {
    let analysis = analyze(&parse(OWN).unwrap());
    let check = |id, numbers, verdict| {
        check_leak(&analysis, (id, "api", "memory.anon"), numbers, verdict);
    };
    check(
        "duration::leaky::minutes=5",
        [2.0022569058624837, 1.9930713013835424, 2.011442510341425, 0.016733869601229773],
        (Band::Leak, LeakVerdict::Leak),
    );
    check(
        "duration::steady::minutes=5",
        [0.0030940958487043865, -0.004777914783029355, 0.010966106480438128, 0.014340830776343917],
        (Band::Normal, LeakVerdict::Clean),
    );
    check(
        "duration::quick::minutes=0.15",
        [0.045855978260869484, -0.5332290962801755, 0.6249410528019144, 1.0337255576959044],
        (Band::Normal, LeakVerdict::Unknown),
    );
    let phases = &summary(&analysis, "duration::leaky::minutes=5", "api").phases;
    let names: Vec<(&str, usize)> =
        phases.iter().map(|phase| (phase.phase.as_str(), phase.readings)).collect();
    assert_eq!(names, [("active", 150), ("drain", 15), ("cooldown", 15)]);
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

#[test]
fn growth_is_judged_only_as_far_as_the_run_can_tell() {
    use LeakVerdict::{Clean, Leak, Suspect, Unknown};
    // Growth in MiB/min over minutes, read every 2 s, with readings off by `scatter` MiB up and down in turn.
    let check =
        |slope: f64, minutes: f64, scatter: f64, gate: LeakGate, certain: bool, expected| {
            let mut trial = ruled(trial(Kind::Duration, "duration::x"), |rules| {
                rules.leak.gate = gate;
                rules.leak.certain = certain;
            });
            let count = (minutes * 30.0) as usize;
            let signs = [1.0, -1.0, -1.0, 1.0].iter().cycle();
            let value = |(index, sign): (usize, &f64)| {
                (100.0 + slope * index as f64 / 30.0 + sign * scatter) * MIB
            };
            let values: Vec<f64> = signs.take(count).enumerate().map(value).collect();
            read(&mut trial, ("active", 0), (&metric::MEMORY_ANON, "api"), 2.0, &values);
            let leaks = leak::leaks(&trial);
            assert_eq!(leaks[0].verdict, expected, "{slope} over {minutes} min: {leaks:?}");
        };
    let verdict = LeakGate::Verdict;
    check(0.0, 8.0, 0.0, verdict, true, Clean);
    check(0.1, 8.0, 0.5, verdict, true, Clean);
    check(0.7, 8.0, 0.5, verdict, true, Suspect);
    check(2.0, 8.0, 0.5, verdict, true, Leak);
    // Just long enough, and just not.
    check(2.0, 4.0, 0.5, verdict, true, Leak);
    check(2.0, 3.9, 0.5, verdict, true, Unknown);
    // The interval includes the limit.
    check(1.05, 4.0, 2.0, verdict, true, Unknown);
    // Certainly no leak, perhaps worth watching.
    check(0.3, 4.0, 1.8, verdict, true, Suspect);
    // The original framework's rule looks at the slope alone.
    check(1.05, 1.0, 2.0, verdict, false, Leak);
    check(0.7, 1.0, 2.0, verdict, false, Suspect);
    check(0.3, 1.0, 2.0, verdict, false, Clean);
    // A short profile fails nothing but gross growth, and knows nothing of the rest.
    check(70.0, 0.5, 0.1, LeakGate::Gross, true, Leak);
    check(61.0, 0.5, 3.0, LeakGate::Gross, true, Unknown);
    check(10.0, 0.5, 0.1, LeakGate::Gross, true, Unknown);
    check(10.0, 8.0, 0.1, LeakGate::Gross, true, Unknown);
    check(0.0, 8.0, 0.1, LeakGate::Gross, true, Clean);
}

/// A trial of kind `duration` whose anonymous memory grows by `slope` MiB per minute, read `count` times.
fn growing(slope: f64, step: f64, count: u32) -> TrialRecord {
    let mut trial = trial(Kind::Duration, "duration::x");
    let value = |index| (100.0 + slope * f64::from(index) * step / 60.0) * MIB;
    let values: Vec<f64> = (0..count).map(value).collect();
    read(&mut trial, ("active", 0), (&metric::MEMORY_ANON, "api"), step, &values);
    trial
}

#[test]
fn a_leak_limit_below_the_watch_limit_is_a_limit_all_the_same() {
    let check = |slope: f64, band: Band, verdict: LeakVerdict| {
        let trial = ruled(growing(slope, 2.0, 200), |rules| {
            rules.leak.leak = "0.2 MiB/min".parse().unwrap();
        });
        let leak = &leak::leaks(&trial)[0];
        assert_eq!((leak.band, leak.verdict), (Some(band), verdict), "{leak:?}");
    };
    check(0.3, Band::Leak, LeakVerdict::Leak);
    check(0.7, Band::Leak, LeakVerdict::Leak);
    check(0.1, Band::Normal, LeakVerdict::Clean);
}

#[test]
fn missing_readings_do_not_make_a_run_longer() {
    let check = |step: f64, count: u32, verdict: LeakVerdict| {
        let leak = &leak::leaks(&growing(0.0, step, count))[0];
        assert_eq!(leak.verdict, verdict, "{leak:?}");
    };
    // A verdict needs 240 s.
    check(2.0, 120, LeakVerdict::Clean);
    check(12.0, 20, LeakVerdict::Clean);
    check(60.0, 3, LeakVerdict::Unknown);
    check(60.0, 4, LeakVerdict::Unknown);
    check(60.0, 5, LeakVerdict::Clean);
}

#[test]
fn readings_without_scatter_tell_no_smallest_leak() {
    let leak = |slope| leak::leaks(&growing(slope, 2.0, 5)).remove(0);
    assert_eq!(leak(0.0).detectable_mb_per_min, None);
    assert_eq!(leak(0.0).interval, Some([0.0, 0.0]));
}

#[test]
fn a_single_reading_is_a_finding_that_knows_nothing() {
    let mut trial = trial(Kind::Duration, "duration::x");
    read(&mut trial, ("active", 0), (&metric::MEMORY_ANON, "api"), 2.0, &[MIB]);
    let json = serde_json::to_value(leak::leaks(&trial)).unwrap();
    assert_eq!(json[0]["verdict"], "unknown");
    for key in ["slope_mb_per_min", "interval", "detectable_mb_per_min", "band"] {
        assert_eq!(json[0][key], Value::Null, "{key}");
    }
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
        }
        assert_eq!(parts, whole);
    }
}
