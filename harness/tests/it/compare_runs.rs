//! Which runs `proofload compare` puts together, and which it leaves out.

use serde_json::{Value, json};

use crate::compare::{compare, run, trial, write};
use crate::workspace::{Workspace, proofload};

/// A run of one level, three times, as `repeat = 3` writes it.
fn three(name: &str, minute: u32, bytes: f64) -> Value {
    let mut results = run(name, minute, &[], 0.0);
    let repetitions = (1..=3_u32).map(|repeat| {
        let started = format!("2026-01-30T14:{:02}:00Z", minute + repeat);
        let mut trial = trial(10, &started, bytes * (1.0 + 0.003 * f64::from(repeat)));
        trial["repeat"] = json!(repeat);
        if repeat > 1 {
            trial["id"] = json!(format!("load::x::agents=10::r={repeat}"));
            trial["scenario_params"]["repeat"] = json!(repeat);
        }
        trial
    });
    results["scenarios"] = json!(repetitions.collect::<Vec<_>>());
    results
}

#[test]
fn repetitions_within_a_run_are_runs_of_one_level() {
    let workspace = Workspace::of(&[]);
    write(&workspace, "old", &three("old", 0, 1e8));
    write(&workspace, "new", &three("new", 10, 1.3e8));
    let json = compare(&workspace, &["--format", "json"]).expect(1).json();
    let changes = json["analysis"]["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 2, "{changes:?}");
    for change in changes {
        assert_eq!(
            (&change["runs"], &change["id"]),
            (&json!([3, 3]), &json!("load::x::agents=10"))
        );
        assert_eq!(change["dimensions"], json!({ "agents": 10, "total_agents": 10 }));
    }
    assert!(json["analysis"].get("unmatched").is_none_or(|none| none == &json!([])), "{json}");
}

#[test]
fn a_confirmed_leak_and_a_target_that_stayed_up_are_no_runs_of_their_own() {
    let workspace = Workspace::of(&[]);
    for (side, minute) in [("old", 0), ("new", 10)] {
        let mut results = three(side, minute, 1e8);
        let trials = results["scenarios"].as_array_mut().unwrap();
        let mut confirm = trials[2].clone();
        confirm["id"] = json!("load::x::agents=10::r=3::confirm");
        confirm["metadata"] = json!({ "confirms": "load::x::agents=10::r=3" });
        let mut down = trials[2].clone();
        down["id"] = json!("x::down");
        down["samples"] = json!([]);
        trials.extend([confirm, down]);
        write(&workspace, side, &results);
    }
    let json = compare(&workspace, &["--format", "json"]).expect(0).json();
    assert_eq!(json["analysis"]["changes"][0]["runs"], json!([3, 3]));
    // The target of NEW could not be taken down.
    let path = workspace.path("new/results.json");
    let mut results: Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    results["scenarios"][4]["outcome"] =
        json!({ "outcome": "broken", "reason": "port 80 is taken" });
    write(&workspace, "new", &results);
    let text = compare(&workspace, &[]).expect(4).stdout;
    assert!(text.contains("rig: port 80 is taken") && !text.contains("overhead"), "{text}");
}

#[test]
fn a_level_whose_new_runs_are_all_disturbed_is_inconclusive() {
    let workspace = Workspace::of(&[]);
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/results/own.json");
    let own: Value = serde_json::from_str(&std::fs::read_to_string(own).unwrap()).unwrap();
    let mut rules = own["scenarios"][0]["rules"].clone();
    rules["validity"] = json!({
        "gate": true, "missing": 0.05, "late": 1.0, "samples": 1, "step": "500ms", "steal": 0.1,
        "throttled": 0.05, "elsewhere": 0.5,
    });
    let level = |mut results: Value, missed: [u32; 3]| {
        for (trial, missed) in results["scenarios"].as_array_mut().unwrap().iter_mut().zip(missed) {
            trial["rules"] = rules.clone();
            trial["sampler"] = json!({
                "cpu_seconds": 0.0, "worst_lateness_seconds": 0.0, "samples": 10, "missed": missed,
                "worst_gap_intervals": 1.0,
            });
        }
        results
    };
    write(&workspace, "old", &level(three("old", 0, 1e8), [0; 3]));
    write(&workspace, "new", &level(three("new", 10, 1e8), [5, 0, 0]));
    let json = compare(&workspace, &["--format", "json"]).expect(3).json();
    assert_eq!(json["analysis"]["changes"][0]["runs"], json!([3, 2]));
    let warning = json["warnings"].to_string();
    assert!(warning.contains("load::x::agents=10: 1 of 3 runs of NEW not compared"), "{warning}");
    write(&workspace, "new", &level(three("new", 10, 1e8), [5; 3]));
    let json = compare(&workspace, &["--format", "json"]).expect(3).json();
    let check = &json["checks"][0];
    assert_eq!((&check["verdict"], &check["metric"]), (&json!("inconclusive"), &json!("validity")));
    let reason = check["reason"].as_str().unwrap();
    assert!(reason.starts_with("no run of NEW: ") && reason.contains("not taken"), "{reason}");
    assert!(json["analysis"].get("unmatched").is_none_or(|none| none == &json!([])), "{json}");
}

#[test]
fn a_run_against_itself_does_not_fail_for_what_dies_in_both() {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/results/own.json");
    let output = proofload(&["compare", own, own]);
    assert_ne!(output.code, Some(1), "{}", output.stdout);
    assert!(output.stdout.contains("died in both"), "{}", output.stdout);
}
