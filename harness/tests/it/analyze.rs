//! `proofload analyze` over files of every kind.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::Value;

use crate::workspace::{Workspace, proofload};

const SEED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/results/seed.json");
const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/results/own.json");

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn json_has_the_keys_that_programs_rely_on() {
    let json = proofload(&["analyze", SEED, "--format", "json"]).expect(1).json();
    assert_eq!(
        keys(&json),
        BTreeSet::from(["verdict", "incomplete", "checks", "warnings", "analysis"])
    );
    let checks = json["checks"].as_array().unwrap();
    for check in checks {
        let expected = ["id", "metric", "source", "expected", "actual", "verdict", "reason"];
        assert_eq!(keys(check), BTreeSet::from(expected));
        assert!(check["expected"].is_string());
        assert!(check["actual"].is_number() || check["actual"].is_null());
    }
    let analysis = &json["analysis"];
    let has = |value: &Value, expected: &[&str]| {
        let missing: Vec<_> = expected.iter().filter(|key| value.get(key).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?} missing in {value}");
    };
    let curve = &analysis["rideshare-simulation"];
    has(curve, &["best_fit", "all_fits", "data_points"]);
    has(&curve["best_fit"], &["fit_type", "formula", "r_squared", "coefficients"]);
    has(&analysis["scenario_summaries"][0], &["scenario_name"]);
    let leak = ["scenario_name", "scenario_params", "container", "channel", "rule"];
    has(&analysis["leaks"][0], &leak);
    has(&analysis["leaks"][0], &["slope_mb_per_min", "interval", "detectable_mb_per_min"]);
    has(&analysis["leaks"][0], &["band", "verdict"]);
    let reset = ["container", "baseline_mb", "load_peak_mb", "post_reset_mb", "diff_percent"];
    has(&analysis["resets"][0], &reset);
}

#[test]
fn a_file_of_the_original_framework_is_judged() {
    let json = proofload(&["analyze", SEED, "--format", "json"]).expect(1).json();
    let failing: Vec<(&str, &str)> = json["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["verdict"] == "fail")
        .map(|check| (check["id"].as_str().unwrap(), check["source"].as_str().unwrap()))
        .collect();
    let simulation = "rideshare-simulation";
    let expected = ["load_scaling_200", "duration_leak_8m", "reset_behavior"];
    assert_eq!(failing, expected.map(|id| (id, simulation)));
    let fit = &json["analysis"][simulation]["best_fit"];
    assert_eq!(fit["fit_type"], "linear");
    let slope = fit["coefficients"]["a"].as_f64().unwrap();
    assert!((slope - 2.45).abs() < 0.01, "{slope}");
}

#[rstest]
#[case::text("text", "fail: ")]
#[case::markdown("markdown", "# ")]
#[case::json("json", "{\n")]
fn every_format_comes_whole_and_plain(#[case] format: &str, #[case] start: &str) {
    for file in [SEED, OWN] {
        let output = proofload(&["analyze", file, "--format", format]);
        assert!(output.stdout.contains(start), "{}", output.stdout);
        assert!(output.stdout.ends_with('\n') && !output.stdout.contains('\u{1b}'));
        assert_eq!(output.stderr, "");
    }
}

#[test]
fn samples_and_verdicts_are_also_written_where_asked() {
    let workspace = Workspace::of(&[]);
    let (csv, junit) = (workspace.path("all.csv"), workspace.path("all.xml"));
    let (csv, junit) = (csv.to_str().unwrap(), junit.to_str().unwrap());
    proofload(&["analyze", SEED, "--csv", csv, "--junit", junit]).expect(1);
    let csv = std::fs::read_to_string(csv).unwrap();
    assert!(csv.starts_with("trial_id,timestamp,") && csv.lines().count() > 100);
    assert!(std::fs::read_to_string(junit).unwrap().contains("<testsuites name=\"proofload\""));
    proofload(&["analyze", SEED, "--csv", "/proc/no.csv"]).expect(4);
}

#[test]
fn a_capacity_can_be_asked_for_on_the_command_line() {
    let json =
        proofload(&["analyze", SEED, "--capacity", "512MiB", "--format", "json"]).expect(1).json();
    let capacity = &json["analysis"]["rideshare-simulation"]["capacity"];
    assert_eq!(
        (&capacity["limit_mb"], &capacity["limit_from"]),
        (&512.0.into(), &"the command line".into())
    );
    let agents = capacity["agents"].as_f64().unwrap();
    assert!((80.0..83.0).contains(&agents), "{capacity}");
    let refused = proofload(&["analyze", SEED, "--capacity", "512"]).expect(2);
    assert!(refused.stderr.contains("expected a size such as 512MiB"), "{}", refused.stderr);
}

#[test]
fn what_is_no_results_file_is_refused_with_one_line() {
    let own = std::fs::read_to_string(OWN).unwrap();
    let newer = own.replacen("\"schema_version\": 1", "\"schema_version\": 99", 1);
    assert_ne!(newer, own);
    for (text, says) in [
        (&own[..own.len() / 2], "truncated"),
        ("", "truncated"),
        ("{\"name\": \"package\", \"version\": \"1.0.0\"}", "not a results file"),
        ("[]", "not a results file"),
        ("kind = \"load\"", "not JSON"),
        (&newer, "99"),
    ] {
        let workspace = Workspace::of(&[]);
        workspace.write("results.json", text);
        let output = workspace.analyze("results.json", &["--format", "json"]).expect(2);
        assert_eq!((output.stdout.as_str(), output.stderr.lines().count()), ("", 1), "{output:?}");
        assert!(output.stderr.starts_with("error: "), "{}", output.stderr);
        let stderr = output.stderr;
        assert!(stderr.contains("results.json: ") && stderr.contains(says), "{stderr}");
    }
}

#[test]
fn what_is_not_there_is_refused_with_one_line() {
    let workspace = Workspace::of(&[]);
    for results in ["results.json", "scenarios"] {
        let output = workspace.analyze(results, &[]).expect(2);
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
        assert!(output.stderr.starts_with("error: ") && output.stderr.contains(results));
    }
}
