//! `proofload history` over directories of made runs.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::workspace::{Output, proofload};

/// `results/` with runs of one trial, each with this mean of `memory.anon`; and what lies beside it.
struct Runs {
    root: tempfile::TempDir,
}

impl Runs {
    fn of(values: &[f64]) -> Self {
        let runs = Self { root: tempfile::tempdir().unwrap() };
        for (index, value) in values.iter().enumerate() {
            let directory = runs.path(&format!("results/run{index:02}"));
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join("results.json"), document(index, *value)).unwrap();
        }
        let newest = format!("run{:02}", values.len() - 1);
        std::os::unix::fs::symlink(newest, runs.path("results/latest")).unwrap();
        runs
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn history(&self, arguments: &[&str]) -> Output {
        let results = self.path("results").display().to_string();
        proofload(&[&["history", &results], arguments].concat())
    }

    fn ack(&self, run: &str, expires: &str) {
        let text = format!(
            "[[ack]]\ntrial = \"load::x::agents=5\"\nmetric = \"memory.anon\"\nsource = \"api\"\nrun = \"{run}\"\nreason = \"a larger cache\"\nexpires = \"{expires}\"\n"
        );
        fs::write(self.path("acks.toml"), text).unwrap();
    }
}

/// A run of one trial with three samples of one container.
fn document(index: usize, value: f64) -> String {
    let day = format!("2026-01-{:02}T00:00:00Z", index + 1);
    let sample = |second: u32| {
        serde_json::json!({
            "timestamp": 1_767_225_600 + second, "timestamp_iso": day, "elapsed_seconds": second, "phase": "sample",
            "containers": {"api": {"metrics": {"memory.anon": value}}},
        })
    };
    serde_json::json!({
        "schema_version": 1, "test_id": format!("run{index:02}"), "started_at": day, "completed_at": day,
        "config": {"commit": format!("c{index}")},
        "scenarios": [{
            "id": "load::x::agents=5", "kind": "load", "scenario_name": "load::x", "started_at": day, "completed_at": day,
            "samples": [sample(1), sample(2), sample(3)], "outcome": {"outcome": "completed"},
        }],
    })
    .to_string()
}

/// A level that steps after some runs.
fn step(before: usize, after: usize, factor: f64) -> Vec<f64> {
    let noise = [0.0, 0.004, -0.003, 0.005, -0.004];
    let value = |index: usize| {
        let level = if index < before { 1e8 } else { 1e8 * factor };
        level * (1.0 + noise[index % 5])
    };
    (0..before + after).map(value).collect()
}

#[test]
fn a_regression_is_found_with_its_run_and_commit() {
    let runs = Runs::of(&step(12, 6, 1.2));
    for arguments in [&[][..], &["--method", "t-split"]] {
        let text = runs.history(arguments).expect(1).stdout;
        assert!(
            text.starts_with("fail: 18 runs, 1 series searched, 1 changes: 1 for the worse"),
            "{text}"
        );
        assert!(text.contains("run12  2026-01-13") && text.contains("(commit c12)"), "{text}");
    }
    let json = runs.history(&["--format", "json"]).expect(1).json();
    let finding = &json["judgement"]["findings"][0];
    assert_eq!(
        (&finding["run"]["test_id"], &finding["stands"]),
        (&Value::from("run12"), &Value::from(true))
    );
    assert_eq!(json["history"]["runs"].as_array().unwrap().len(), 18);
    runs.history(&["--min-effect", "30"]).expect(0);
    assert!(runs.history(&["--format", "markdown"]).expect(1).stdout.starts_with("# History\n"));
}

#[test]
fn an_improvement_and_an_even_history_pass() {
    Runs::of(&step(12, 6, 0.8)).history(&[]).expect(0);
    let even = Runs::of(&step(18, 0, 1.0)).history(&[]).expect(0);
    assert!(
        even.stdout.starts_with("pass: 18 runs, 1 series searched, 0 changes"),
        "{}",
        even.stdout
    );
}

#[test]
fn an_ack_counts_until_its_day() {
    let runs = Runs::of(&step(12, 6, 1.2));
    runs.ack("run12", "2999-12-31");
    let text = runs.history(&[]).expect(0).stdout;
    assert!(text.contains("acknowledged: a larger cache"), "{text}");
    runs.ack("run12", "2026-01-31");
    let text = runs.history(&[]).expect(1).stdout;
    assert!(text.contains("has expired on 2026-01-31"), "{text}");
    runs.ack("run02", "2999-12-31");
    let text = runs.history(&[]).expect(1).stdout;
    assert!(text.contains("matches no change for the worse"), "{text}");
    runs.ack("run12", "soon");
    let error = runs.history(&[]).expect(2).stderr;
    assert!(error.contains("acks.toml:7: expected expires to be a day"), "{error}");
    let error = runs.history(&["--acks", "/nowhere.toml"]).expect(2).stderr;
    assert!(error.contains("/nowhere.toml: cannot be read"), "{error}");
}

#[test]
fn too_few_runs_are_inconclusive_and_say_how_many_are_needed() {
    let runs = Runs::of(&step(3, 3, 2.0));
    let text = runs.history(&[]).expect(3).stdout;
    assert!(
        text.contains("6 runs, and at most 6 of one series: e-divisive needs 12 runs"),
        "{text}"
    );
    runs.history(&["--allow-inconclusive"]).expect(0);
}

#[test]
fn values_are_written_for_other_programs() {
    let runs = Runs::of(&step(12, 6, 1.2));
    let out = |name: &str| runs.path(name).display().to_string();
    let read = |name: &str| fs::read_to_string(runs.path(name)).unwrap();
    runs.history(&["--export", "bencher", "--out", &out("bmf.json")]).expect(1);
    let bmf: Value = serde_json::from_str(&read("bmf.json")).unwrap();
    assert!(bmf["load::x::agents=5 api"]["memory.anon"]["value"].as_f64().unwrap() > 1.1e8);
    runs.history(&["--export", "github-action-benchmark", "--out", &out("b.json")]).expect(1);
    assert!(read("b.smaller.json").contains("\"unit\": \"bytes\""));
    assert!(!runs.path("b.bigger.json").exists());
    let text = runs.history(&["--export", "otava", "--out", &out("o.csv")]).expect(1).stdout;
    assert!(text.contains("time_column: time"), "{text}");
    assert_eq!(read("o.csv").lines().count(), 19);
    runs.history(&["--export", "otava", "--out", "/proc/no.csv"]).expect(4);
    runs.history(&["--export", "otava"]).expect(2);
}

#[test]
fn what_is_no_directory_of_runs_is_refused_and_a_broken_run_is_passed_over() {
    let runs = Runs::of(&step(12, 6, 1.2));
    fs::write(runs.path("results/run03/results.json"), "{").unwrap();
    let text = runs.history(&[]).expect(1).stdout;
    assert!(text.starts_with("fail: 17 runs") && text.contains("passed over: "), "{text}");
    let empty = tempfile::tempdir().unwrap();
    let error = proofload(&["history", empty.path().to_str().unwrap()]).expect(2).stderr;
    assert!(error.contains("expected runs: directories with a journal.jsonl"), "{error}");
    let error = proofload(&["history", "/nowhere"]).expect(2).stderr;
    assert!(error.contains("/nowhere: cannot be read"), "{error}");
    let error = runs.history(&["--trial", "nothing"]).expect(2).stderr;
    assert!(error.contains("no trial has \"nothing\" in its name"), "{error}");
}
