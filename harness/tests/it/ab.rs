//! Comparisons: two versions in turn, as one trial.

use std::fs;

use nix::sys::signal::Signal;
use proofload::results::Results;

use crate::workspace::{Workspace, sleeps};

const PAIRS: &str = r#"
kind = "load"
load.levels = [1]
probes = ["containers", "queue"]
driver.custom.name = "ticker"
[ab]
a = { size = "small", seconds = 60 }
b = { size = "large", seconds = 61 }
looks = [3]
metrics = ["queue.length"]
[target.process]
build = "echo {ab} {size} >> builds.txt"
[[target.process.service]]
name = "api"
command = ["sh", "-c", "echo $$ $SIZE; exec sleep {seconds}"]
env = { SIZE = "{size}" }
"#;

fn workspace(text: &str) -> Workspace {
    let workspace = Workspace::of(&[]);
    workspace.write("scenarios/pairs.toml", text);
    workspace
}

/// The runs in their order: side, pair, and whether it was discarded.
fn order(results: &Results) -> String {
    let run = |run: &proofload::results::TrialRecord| {
        assert_eq!(run.comparison(), Some("load::pairs::agents=1"));
        let discarded = if run.is_discarded() { "!" } else { "" };
        format!("{}{}{discarded}", run.scenario_params["ab"].as_str().unwrap(), run.repeat)
    };
    results.scenarios.iter().map(run).collect::<Vec<_>>().join(" ")
}

#[test]
fn pairs_are_run_in_alternating_order_after_one_that_is_discarded() {
    let workspace = workspace(PAIRS);
    let listed = workspace.suite(&["--list"]).run().expect(0);
    assert_eq!(listed.lines()[0], "load::pairs::agents=1: test");
    let output = workspace.suite(&[]).run();
    assert!(matches!(output.code, Some(0 | 3)), "nothing differs: {}", output.stderr);
    assert!(output.stdout.contains("1 test"), "{}", output.stdout);
    for label in ["(warm-up, b)", "(pair 1 of at most 3, a)", "(pair 2 of at most 3, b)"] {
        assert!(output.stderr.contains(label), "{label}: {}", output.stderr);
    }
    let results = workspace.results();
    assert_eq!(order(&results), "a0! b0! a1 b1 b2 a2 a3 b3");
    assert!(!results.incomplete);
    let last = results.scenarios.last().unwrap();
    assert_eq!(last.id, "load::pairs::agents=1::ab=b::r=3");
    assert_eq!(last.metadata["side"]["size"], "large");
    assert!(last.rules.as_ref().unwrap().ab.is_some());
    let builds = fs::read_to_string(workspace.path("builds.txt")).unwrap();
    assert_eq!(builds, "a small\nb large\n", "once per side, before the first run");

    // One row and one test case for all of it, and no finding on what was discarded.
    let read =
        |name: &str| fs::read_to_string(workspace.path("results/latest").join(name)).unwrap();
    let report = read("report.md");
    assert!(report.contains("load::pairs::agents=1 (8 runs, 2 of them warm-up)"), "{report}");
    assert_eq!(read("junit.xml").matches("<testcase ").count(), 1);
    let summaries = results_json(&workspace)["analysis"]["scenario_summaries"].clone();
    assert_eq!(summaries.as_array().unwrap().len(), 6);
    let analyzed = workspace.analyze("results/latest/results.json", &[]);
    assert_eq!(analyzed.code, output.code, "{}", analyzed.stderr);
}

fn results_json(workspace: &Workspace) -> serde_json::Value {
    let text = fs::read_to_string(workspace.path("results/latest/results.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_side_that_dies_ends_the_comparison_and_fails_it() {
    let workspace = workspace(&PAIRS.replace("seconds = 61", "seconds = 0"));
    let output = workspace.suite(&[]).run().expect(1);
    assert!(output.stdout.contains("aborted: "), "{}", output.stdout);
    assert_eq!(order(&workspace.results()), "a0! b0!");
    workspace.analyze("results/latest", &[]).expect(1);
}

#[test]
fn a_build_that_fails_is_the_rigs_fault_and_the_other_side_is_not_run() {
    let workspace = workspace(&PAIRS.replace("echo {ab} {size} >> builds.txt", "test {ab} = a"));
    let output = workspace.suite(&[]).run().expect(4);
    assert!(output.stdout.contains("rig: build: `test b = a` ended with"), "{}", output.stdout);
    assert_eq!(order(&workspace.results()), "b0!");
}

#[test]
fn no_pair_is_begun_after_the_budget() {
    let workspace = workspace(&PAIRS.replace("looks = [3]", "looks = [3]\nbudget = \"1ms\""));
    workspace.suite(&[]).run().expect(3);
    assert_eq!(order(&workspace.results()), "a0! b0!");
}

#[test]
fn an_interrupted_comparison_leaves_nothing_and_begins_nothing() {
    let workspace = workspace(
        &format!("sample.length = \"60s\"\n{PAIRS}").replace("[ab]", "[ab]\nwarmup = false"),
    );
    let running = workspace.suite(&[]).start_until("(pair 1 of at most 3, a): sample");
    let log = workspace.path("results/latest/logs/load--pairs--agents=1--ab=a--r=1/api.log");
    let said = fs::read_to_string(log).unwrap();
    let service: u32 = said.strip_suffix(" small\n").unwrap().parse().unwrap();
    assert!(sleeps(service));
    running.end(Signal::SIGINT).expect(130);
    assert!(!sleeps(service));
    assert_eq!(order(&workspace.results()), "a1");
    workspace.analyze("results/latest", &[]).expect(3);
}

#[test]
fn a_retry_under_nextest_replaces_the_whole_comparison() {
    let workspace = workspace(PAIRS);
    for _ in 0..2 {
        let suite = workspace.suite(&["--exact", "load::pairs::agents=1", "--nocapture"]);
        let output = suite.env("NEXTEST_RUN_ID", "x").env("NEXTEST", "1").run();
        assert!(matches!(output.code, Some(0 | 3)), "{}", output.stderr);
        assert_eq!(order(&workspace.results()), "a0! b0! a1 b1 b2 a2 a3 b3");
    }
}
