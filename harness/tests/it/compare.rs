//! `proofload compare` over made-up runs.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::{Value, json};

use crate::workspace::{Output, Workspace, proofload};

/// A run of one trial per level, each with this memory of `api`, begun in this minute.
pub(crate) fn run(name: &str, minute: u32, levels: &[u32], bytes: f64) -> Value {
    let started = format!("2026-01-30T14:{minute:02}:00Z");
    let trials = levels.iter().map(|level| trial(*level, &started, bytes));
    json!({
        "schema_version": 1, "test_id": name, "started_at": started, "completed_at": started,
        "environment": {
            "proofload": "0.1.0", "build_profile": "debug", "kernel": "Linux 6.1",
            "cpu_model": "Example CPU", "cpus": 4, "memory_bytes": 8_589_934_592_u64,
            "cgroup_version": 2,
        },
        "scenarios": trials.collect::<Vec<_>>(),
    })
}

pub(crate) fn trial(level: u32, started: &str, bytes: f64) -> Value {
    let mib = bytes / 1_048_576.0;
    let sample = |second: u32| {
        json!({
            "timestamp": f64::from(second), "timestamp_iso": started, "elapsed_seconds": f64::from(second),
            "phase": "sample", "containers": { "api": {
                "memory_used_mb": mib, "memory_limit_mb": 0.0, "memory_percent": 0.0,
                "cpu_percent": mib / 10.0,
            } },
        })
    };
    json!({
        "id": format!("load::x::agents={level}"), "kind": "load", "scenario_name": "x",
        "scenario_params": { "agents": level, "total_agents": level }, "repeat": 1,
        "started_at": started, "completed_at": started, "duration_seconds": 2.0,
        "samples": [sample(1), sample(2)], "outcome": { "outcome": "completed" },
    })
}

/// Five runs of each version in two directories of run directories, in turn or in sittings of their own.
fn five(workspace: &Workspace, in_turn: bool, ratio: f64) {
    for index in 0..5_u32 {
        let noise = 1.0 + 0.004 * f64::from(index % 3);
        let turned = index % 2;
        let (base, new) = if in_turn {
            (2 * index + turned, 2 * index + 1 - turned)
        } else {
            (index, 10 + index)
        };
        write(workspace, &format!("old/r{index}"), &run("r", base, &[10], 1e8 * noise));
        let value = 1e8 * ratio * (2.0 - noise);
        write(workspace, &format!("new/r{index}"), &run("r", new, &[10], value));
    }
}

pub(crate) fn write(workspace: &Workspace, directory: &str, run: &Value) {
    std::fs::create_dir_all(workspace.path(directory)).unwrap();
    workspace.write(&format!("{directory}/results.json"), &run.to_string());
}

pub(crate) fn compare(workspace: &Workspace, arguments: &[&str]) -> Output {
    let path = |name: &str| workspace.path(name).to_str().unwrap().to_owned();
    let (old, new) = (path("old"), path("new"));
    proofload(&[&["compare", old.as_str(), new.as_str()], arguments].concat())
}

#[rstest]
#[case::same(1.0, 0, "pass")]
#[case::worse(1.2, 1, "fail")]
#[case::better(0.8, 0, "pass")]
fn five_runs_in_turn_decide(#[case] ratio: f64, #[case] code: i32, #[case] verdict: &str) {
    let workspace = Workspace::of(&[]);
    five(&workspace, true, ratio);
    let json = compare(&workspace, &["--format", "json"]).expect(code).json();
    let keys: BTreeSet<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, BTreeSet::from(["verdict", "incomplete", "checks", "warnings", "analysis"]));
    assert_eq!(json["verdict"], verdict);
    let changes = json["analysis"]["changes"].as_array().unwrap();
    let metrics: Vec<&str> = changes.iter().map(|c| c["metric"].as_str().unwrap()).collect();
    assert_eq!(metrics, ["cpu.usage", "memory.working_set"]);
    for change in changes {
        assert_eq!((&change["design"], &change["n"]), (&json!("paired"), &json!(5)));
        assert_eq!((&change["verdict"], &change["source"]), (&json!(verdict), &json!("api")));
        assert_eq!(change["dimensions"], json!({ "agents": 10, "total_agents": 10 }));
        let found = change["ratio"].as_f64().unwrap();
        assert!((found / ratio - 1.0).abs() < 0.01, "{change}");
        assert!(change["interval"][0].as_f64().unwrap() < found, "{change}");
        assert!(change["interval"][1].as_f64().unwrap() > found, "{change}");
        assert!(change.get("warnings").is_none(), "{change}");
    }
}

#[test]
fn sittings_of_their_own_are_warned_of() {
    let workspace = Workspace::of(&[]);
    five(&workspace, false, 1.2);
    let text = compare(&workspace, &[]).expect(1).stdout;
    assert!(text.starts_with("fail: 5 runs against 5 runs\nwarning: the versions were run in"));
    assert!(text.contains("5 and 5") && text.contains("docs/statistics.md#comparing-two-versions"));
    let markdown = compare(&workspace, &["--format", "markdown"]).expect(1).stdout;
    assert!(markdown.contains("\n- warning: the versions") && markdown.contains("## Changes"));
    let json = compare(&workspace, &["--format", "json"]).expect(1).json();
    let change = &json["analysis"]["changes"][0];
    assert_eq!((&change["design"], &change["runs"]), (&json!("unpaired"), &json!([5, 5])));
    assert!(change["second_opinion"]["p"].as_f64().unwrap() < 0.05, "{change}");
    assert_eq!(change["warnings"].as_array().unwrap().len(), 1);
    assert_eq!(json["warnings"], change["warnings"]);
}

#[test]
fn one_run_of_each_decides_nothing_and_says_how_many_would() {
    let workspace = Workspace::of(&[]);
    write(&workspace, "old", &run("old", 0, &[10], 1e8));
    write(&workspace, "new", &run("new", 1, &[10], 1.5e8));
    let text = compare(&workspace, &[]).expect(3).stdout;
    assert!(text.starts_with("inconclusive: new against old\n"), "{text}");
    assert!(text.contains("+50.00%") && text.contains("a verdict needs at least 3 runs"), "{text}");
    compare(&workspace, &["--allow-inconclusive"]).expect(0);
}

#[test]
fn runs_of_different_machines_are_refused_unless_forced() {
    let workspace = Workspace::of(&[]);
    five(&workspace, true, 1.0);
    let mut other = run("r", 9, &[10], 1e8);
    other["environment"]["cpu_model"] = json!("Other CPU");
    other["environment"]["kernel"] = json!("Linux 6.6");
    write(&workspace, "new/r4", &other);
    let output = compare(&workspace, &[]).expect(2);
    assert_eq!((output.stdout.as_str(), output.stderr.lines().count()), ("", 1));
    for text in ["error: ", "cpu_model", "Other CPU", "kernel", "Linux 6.6", "--force"] {
        assert!(output.stderr.contains(text), "{text} is missing in {}", output.stderr);
    }
    let text = compare(&workspace, &["--force"]).expect(0).stdout;
    assert!(text.contains("warning: the runs are of different machines: cpu_model is"), "{text}");
}

#[test]
fn what_one_side_alone_has_is_listed() {
    let workspace = Workspace::of(&[]);
    write(&workspace, "old", &run("old", 0, &[20, 10], 1e8));
    write(&workspace, "new", &run("new", 1, &[10, 40], 1e8));
    let json = compare(&workspace, &["--format", "json"]).expect(3).json();
    let unmatched = &json["analysis"]["unmatched"];
    assert_eq!(unmatched[0], json!({ "id": "load::x::agents=20", "only_in": "base" }));
    assert_eq!(unmatched[1], json!({ "id": "load::x::agents=40", "only_in": "new" }));
    for change in json["analysis"]["changes"].as_array().unwrap() {
        assert_eq!((&change["id"], &change["ratio"]), (&json!("load::x::agents=10"), &json!(1.0)));
    }
    let text = compare(&workspace, &[]).expect(3).stdout;
    assert!(text.contains("Not compared: on one side only"), "{text}");
    write(&workspace, "new", &run("new", 1, &[40], 1e8));
    let json = compare(&workspace, &["--format", "json"]).expect(3).json();
    assert_eq!(json["verdict"], "no-data");
}

#[test]
fn options_choose_metrics_and_limits() {
    let workspace = Workspace::of(&[]);
    five(&workspace, true, 1.03);
    compare(&workspace, &[]).expect(1);
    compare(&workspace, &["--min-effect", "10%", "--metric", "memory.working_set"]).expect(0);
    compare(&workspace, &["--min-effect", "10", "--metric", "memory.working_set"]).expect(0);
    let claim = ["--min-effect", "10%", "--within", "1%", "--metric", "cpu.usage"];
    let text = compare(&workspace, &claim).expect(1).stdout;
    assert!(text.contains("a difference above 1% is shown"), "{text}");
    assert!(text.contains("#the-overhead-of-a-tool"), "{text}");
    for (arguments, says) in [
        (&["--metric", "memory.anno"][..], "there are cpu.usage, memory.working_set"),
        (&["--margin", "5 MiB"], "expected a share"),
        (&["--margin", "0%"], "expected a share"),
    ] {
        let output = compare(&workspace, arguments).expect(2);
        assert!(output.stderr.contains(says), "{}", output.stderr);
    }
}

#[test]
fn pairs_of_one_run_are_judged_with_their_history() {
    let workspace = Workspace::of(&[]);
    let mut results = run("ab", 0, &[], 0.0);
    let rules = json!({
        "thresholds": [],
        "ab": { "looks": [3, 5], "min_effect": 0.02, "margin": 0.05,
            "metrics": [{ "metric": "memory.working_set", "stat": "mean", "severity": "fail" }] },
    });
    let mut trials = Vec::new();
    for pair in 1..=5_u32 {
        for (version, ratio) in [("a", 1.0), ("b", 1.2)] {
            let bytes = 1e8 * ratio * (1.0 + 0.003 * f64::from(pair % 3));
            let mut trial = trial(10, "2026-01-30T14:00:00Z", bytes);
            trial["id"] = json!(format!("load::x::agents=10::ab={version}::r={pair}"));
            trial["scenario_params"]["ab"] = json!(version);
            trial["repeat"] = json!(pair);
            trial["metadata"] = json!({ "comparison": "load::x::agents=10" });
            let mut all = default_rules();
            for (key, value) in rules.as_object().unwrap() {
                all[key] = value.clone();
            }
            trial["rules"] = all;
            trials.push(trial);
        }
    }
    results["scenarios"] = json!(trials);
    write(&workspace, "old", &results);
    let path = workspace.path("old");
    let path = path.to_str().unwrap();
    let json = proofload(&["compare", path, "--format", "json"]).expect(1).json();
    let change = &json["analysis"]["changes"][0];
    assert_eq!(change["look"], json!({ "number": 2, "of": 2, "pairs": 5, "most": 5 }));
    assert_eq!(json["checks"].as_array().unwrap().last().unwrap()["verdict"], "fail");
    let analyzed = proofload(&["analyze", path, "--format", "json"]).expect(1).json();
    assert_eq!(analyzed["analysis"]["changes"], json["analysis"]["changes"]);
    // The same pairs as the history of runs of two versions.
    five(&workspace, true, 1.0);
    std::fs::remove_file(workspace.path("old/results.json")).unwrap();
    for past in 1..=10 {
        write(&workspace, &format!("h/{past}"), &results);
    }
    let history = workspace.path("h");
    let arguments = ["--history", history.to_str().unwrap(), "--format", "json"];
    let json = compare(&workspace, &arguments).expect(0).json();
    let with =
        json["analysis"]["changes"].as_array().unwrap().iter().find(|change| {
            change["metric"] == "memory.working_set" && change["prior"]["runs"] == 10
        });
    assert_eq!(with.unwrap()["method"], "moderated paired t on logs");
    // Without a second version there must be a comparison.
    write(&workspace, "plain", &run("plain", 0, &[10], 1e8));
    let plain = workspace.path("plain");
    let output = proofload(&["compare", plain.to_str().unwrap()]).expect(2);
    assert!(output.stderr.contains("no interleaved comparison in it"), "{}", output.stderr);
}

/// The rules of a trial of the golden file.
fn default_rules() -> Value {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/results/own.json");
    let own: Value = serde_json::from_str(&std::fs::read_to_string(own).unwrap()).unwrap();
    own["scenarios"][0]["rules"].clone()
}

#[test]
fn files_of_the_original_framework_are_compared_too() {
    let seed = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/results/seed.json");
    // One run of each decides nothing, and what died in both did not get worse.
    let output = proofload(&["compare", seed, seed]).expect(3);
    assert!(
        output.stdout.contains("warning: load_scaling_200 died in both: "),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("does not say on which machine"), "{}", output.stdout);
    assert!(output.stdout.contains("rideshare-simulation"), "{}", output.stdout);
    let output = proofload(&["compare", "/nonexistent/old", seed]).expect(2);
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
}
