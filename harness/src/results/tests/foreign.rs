//! Files that are not ours, or not whole.

use serde_json::{Value, json};

use super::{begin, complete, passed, run, sample, text};
use crate::model::{Kind, Reading, metric};
use crate::results::journal::assemble;
use crate::results::{Results, parse, read};

const MIB: f64 = 1_048_576.0;

/// A file as the original framework writes it: dates without an offset, no phases, no `metrics`.
fn seed() -> Value {
    let sample = |second: f64| {
        json!({
            "timestamp": 1_769_783_422.25 + second,
            "timestamp_iso": "2026-01-30T15:30:22.250000",
            "containers": {
                "rideshare-simulation": { "memory_used_mb": 312.5, "memory_limit_mb": 0, "memory_percent": 0.0, "cpu_percent": 50 },
                "kafka": { "memory_used_mb": 512.0, "memory_limit_mb": 1024.0, "memory_percent": 50.0, "cpu_percent": 3.0, "restarts": 0 },
            },
        })
    };
    let trial = |name: &str, params: Value, samples: Vec<Value>| {
        json!({
            "scenario_name": name,
            "scenario_params": params,
            "started_at": "2026-01-30T14:30:22",
            "completed_at": "2026-01-30T14:31:22.5",
            "duration_seconds": 60.5,
            "samples": samples,
            "oom_events": [],
            "aborted": false,
            "abort_reason": null,
            "metadata": {},
        })
    };
    let analysis =
        json!({ "analysis": { "container": "rideshare-simulation", "diff_percent": 3.0 } });
    let mut killed = trial("duration_leak_1m", json!({ "minutes": 1 }), vec![]);
    killed["aborted"] = json!(true);
    killed["abort_reason"] = json!("OOM detected in: kafka");
    killed["oom_events"] = json!([{
        "container_name": "kafka", "timestamp": 1_769_783_430.0, "timestamp_iso": "2026-01-30T14:30:30",
        "previous_restart_count": 0, "current_restart_count": 1,
    }]);
    json!({
        "test_id": "20260130_143022",
        "started_at": "2026-01-30T14:30:22.123456",
        "completed_at": "2026-01-30T15:45:18+01:00",
        "config": { "sampling": { "interval": 2.0 } },
        "scenarios": [
            trial("baseline", json!({}), vec![sample(0.0)]),
            trial("load_scaling_40", json!({ "drivers": 40, "riders": 40, "total_agents": 80 }), vec![sample(0.0), sample(2.0)]),
            trial("load_scaling_10", json!({ "drivers": 10, "riders": 10 }), vec![]),
            killed,
            trial("reset_behavior", json!({}), vec![sample(0.0), analysis]),
            trial("baseline", json!({}), vec![]),
            trial("something_else", json!({}), vec![]),
        ],
        "analysis": { "rideshare-simulation": {} },
    })
}

#[test]
fn a_file_of_the_original_framework_is_read() {
    let results = parse(&seed().to_string()).unwrap();
    assert_eq!((results.schema_version, results.incomplete), (0, false));
    assert_eq!(results.started_at.0.to_string(), "2026-01-30T14:30:22.123456Z");
    assert_eq!(results.completed_at.unwrap().0.to_string(), "2026-01-30T14:45:18Z");
    let trials: Vec<_> = results
        .scenarios
        .iter()
        .map(|trial| (trial.id.as_str(), trial.kind, trial.samples.len(), trial.total_agents()))
        .collect();
    assert_eq!(
        trials,
        [
            ("baseline", Some(Kind::Baseline), 1, None),
            ("load_scaling_40", Some(Kind::Load), 2, Some(80.0)),
            ("load_scaling_10", Some(Kind::Load), 0, Some(20.0)),
            ("duration_leak_1m", Some(Kind::Duration), 0, None),
            ("reset_behavior", Some(Kind::Reset), 1, None),
            ("baseline::r=2", Some(Kind::Baseline), 0, None),
            ("something_else", None, 0, None),
        ]
    );
    assert_eq!(results.scenarios[4].metadata["seed_reset_analysis"]["diff_percent"], 3.0);
    let killed = &results.scenarios[3];
    assert_eq!(killed.abort_reason.as_deref(), Some("OOM detected in: kafka"));
    assert_eq!(killed.oom_events[0].container_name, "kafka");
}

#[test]
fn the_original_fields_become_readings_and_an_unknown_limit_is_absent() {
    let results = parse(&seed().to_string()).unwrap();
    let samples = &results.scenarios[1].samples;
    let simulation = "rideshare-simulation".into();
    let kafka = "kafka".into();
    let expected = [
        Reading::new(&metric::MEMORY_WORKING_SET, &simulation, 312.5 * MIB),
        Reading::new(&metric::CPU_USAGE, &simulation, 0.5),
        Reading::new(&metric::MEMORY_WORKING_SET, &kafka, 512.0 * MIB),
        Reading::new(&metric::MEMORY_LIMIT, &kafka, 1024.0 * MIB),
        Reading::new(&metric::CPU_USAGE, &kafka, 0.03),
    ];
    for reading in &expected {
        assert!(samples[0].readings.contains(reading), "{reading:?} in {:?}", samples[0].readings);
    }
    assert_eq!(samples[0].readings.len(), expected.len());
    assert_eq!(samples.iter().map(|sample| sample.elapsed).collect::<Vec<_>>(), [0.0, 2.0]);
}

#[test]
fn a_run_of_the_original_framework_that_did_not_end_is_incomplete() {
    let mut file = seed();
    file["completed_at"] = Value::Null;
    assert!(parse(&file.to_string()).unwrap().incomplete);
}

#[test]
fn the_example_in_the_original_readme_is_read() {
    let file = json!({
        "test_id": "20260130_143022",
        "started_at": "2026-01-30T14:30:22Z",
        "completed_at": "2026-01-30T14:45:18Z",
        "config": {},
        "scenarios": [{
            "scenario_name": "load_scaling_40",
            "scenario_params": { "drivers": 40, "riders": 40 },
            "samples": [],
            "oom_events": [],
            "aborted": false,
        }],
        "analysis": {},
    });
    let results = parse(&file.to_string()).unwrap();
    assert_eq!(results.scenarios[0].started_at, results.started_at);
    assert_eq!(results.scenarios[0].total_agents(), Some(80.0));
}

fn ours() -> Results {
    assemble(&text(&[run(), begin("a"), sample(1.0), passed(), complete()])).unwrap()
}

fn check_refused(file: &str, part: &str) {
    let error = parse(file).unwrap_err();
    assert!(error.contains(part), "{error}\nof\n{file}");
}

#[test]
fn a_file_cut_off_anywhere_is_called_truncated() {
    let whole = serde_json::to_string_pretty(&ours()).unwrap();
    check_refused("", "the file is truncated at line 1, column 0");
    check_refused(&whole[..whole.len() / 2], "the file is truncated at line ");
    for end in 0..whole.trim_end().len() {
        if whole.is_char_boundary(end) {
            check_refused(&whole[..end], "the file is truncated at line ");
        }
    }
}

#[test]
fn a_file_of_another_kind_says_what_is_wrong() {
    check_refused("hello", "not JSON: expected value at line 1 column 1");
    check_refused("{\"a\": nan}", "not JSON");
    check_refused("{}", "not a results file: missing field `test_id`");
    check_refused("[]", "not a results file");
    check_refused("{\"scenarios\": 3}", "not a results file: invalid type: integer `3`");
    let mut file = serde_json::to_value(ours()).unwrap();
    file["started_at"] = json!("yesterday");
    check_refused(
        &file.to_string(),
        "expected a date such as 2026-01-30T14:30:22Z, found \"yesterday\"",
    );
}

#[test]
fn a_file_of_a_newer_version_says_so_even_where_it_looks_different() {
    let sentence = "schema_version 2, this version of proofload reads up to 1: update proofload";
    let mut file = serde_json::to_value(ours()).unwrap();
    file["schema_version"] = json!(2);
    check_refused(&file.to_string(), sentence);
    file["scenarios"] = json!({ "by": "name" });
    check_refused(&file.to_string(), sentence);
    check_refused("{\"schema_version\": 2}", sentence);
}

#[test]
fn a_run_directory_is_read_from_its_journal_or_else_its_file() {
    let root = tempfile::tempdir().unwrap();
    let error = read(root.path()).unwrap_err();
    assert_eq!(error.message, "no journal and no results.json in this directory");
    let error = read(&root.path().join("missing.json")).unwrap_err();
    assert!(error.to_string().contains("missing.json: cannot be read"), "{error}");

    let file = root.path().join("results.json");
    std::fs::write(&file, serde_json::to_string(&ours()).unwrap()).unwrap();
    assert_eq!(read(root.path()).unwrap(), ours());
    assert_eq!(read(&file).unwrap(), ours());

    let journal = text(&[run(), begin("b"), sample(1.0)]);
    std::fs::write(root.path().join("journal.jsonl"), journal).unwrap();
    assert_eq!(read(root.path()).unwrap().scenarios[0].id, "b");
}

#[test]
fn trials_of_one_name_are_told_apart_by_their_parameters_and_only_equal_ones_repeat() {
    let trial =
        |params: Value| json!({ "scenario_name": "load_scaling_40", "scenario_params": params });
    let file = json!({
        "test_id": "t", "started_at": "2026-01-30T14:30:22Z",
        "scenarios": [
            trial(json!({ "drivers": 40, "mode": "fast" })),
            trial(json!({ "drivers": 40, "mode": "slow" })),
            trial(json!({ "drivers": 40, "mode": "fast" })),
            trial(json!({})),
        ],
    });
    let results = parse(&file.to_string()).unwrap();
    let trials: Vec<_> =
        results.scenarios.iter().map(|trial| (trial.id.as_str(), trial.repeat)).collect();
    assert_eq!(
        trials,
        [
            ("load_scaling_40::drivers=40,mode=fast", 1),
            ("load_scaling_40::drivers=40,mode=slow", 1),
            ("load_scaling_40::drivers=40,mode=fast::r=2", 2),
            ("load_scaling_40", 1),
        ]
    );
}

#[test]
fn a_sample_without_a_date_is_refused_unless_it_is_the_analysis() {
    let mut file = seed();
    file["scenarios"][0]["samples"] = json!([{ "containers": {} }]);
    check_refused(&file.to_string(), "a sample without `timestamp`");
}
