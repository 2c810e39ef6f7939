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

/// A side of it ends at once, which is to be seen before a run is over.
fn dying(text: &str) -> Workspace {
    workspace(&format!("sample.length = \"1s\"\n{text}"))
}

#[test]
fn a_side_that_dies_ends_the_comparison_and_fails_it() {
    let workspace = dying(&PAIRS.replace("seconds = 61", "seconds = 0"));
    let output = workspace.suite(&[]).run().expect(1);
    assert!(output.stdout.contains("aborted: "), "{}", output.stdout);
    assert_eq!(order(&workspace.results()), "a0! b0!");
    workspace.analyze("results/latest", &[]).expect(1);
}

#[test]
fn an_old_version_that_dies_leaves_the_question_open() {
    let workspace = dying(&PAIRS.replace("seconds = 60", "seconds = 0"));
    let output = workspace.suite(&[]).run().expect(3);
    assert!(output.stdout.contains("the old version died: "), "{}", output.stdout);
    assert_eq!(order(&workspace.results()), "a0!");
    workspace.analyze("results/latest", &[]).expect(3);
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
    let output = workspace.suite(&[]).run().expect(3);
    assert_eq!(order(&workspace.results()), "a0! b0!");
    let ended = "ended after 0 of 3 pairs: ab.budget = 1ms is used up";
    let analyzed = workspace.analyze("results/latest", &[]).expect(3);
    for text in [output.stdout, analyzed.stdout] {
        assert!(text.contains(ended), "{text}");
    }
}

#[test]
fn the_budget_is_for_pairs_and_not_for_builds() {
    let text = PAIRS.replace("looks = [3]", "looks = [3]\nbudget = \"2s\"");
    let slow = text.replace("echo {ab} {size} >> builds.txt", "test {ab} = b || sleep 2");
    let workspace = workspace(&slow);
    workspace.suite(&[]).run();
    assert!(order(&workspace.results()).starts_with("a0! b0! a1 b1"));
}

/// A service that writes the length of its queue, which the test says for every run of a side, and after a colon how
/// long whoever reads it waits.
fn scripted(looks: &str, a: &str, b: &str) -> Workspace {
    let text = r#"
kind = "load"
load.levels = [1]
sample = { interval = "100ms", length = "1s" }
probes = ["containers", "queue"]
probe.options.queue.file = "queue"
driver.custom.name = "ticker"
# Nothing but the test makes a run invalid.
validity = { gate = true, missing = 0.7, late = 1000, samples = 1, step = "1h", steal = 1, throttled = 1, elsewhere = 1 }
[ab]
a = { lengths = "A" }
b = { lengths = "B" }
looks = LOOKS
metrics = ["queue.length"]
[[target.process.service]]
name = "api"
command = ["sh", "-c", """
  echo >> {ab}.runs; set -- $LENGTHS; shift $(($(wc -l < {ab}.runs) - 1))
  echo $1 | tr : ' ' > queue; echo ready; exec sleep 60"""]
env = { LENGTHS = "{lengths}" }
ready = { log = "ready" }
"#;
    workspace(
        &text
            .replace("\"A\"", &format!("{a:?}"))
            .replace("\"B\"", &format!("{b:?}"))
            .replace("LOOKS", looks),
    )
}

/// Runs the suite and judges its results once more; the order of the runs.
fn comes_to(workspace: &Workspace, code: i32) -> (crate::workspace::Output, String) {
    let output = workspace.suite(&[]).run().expect(code);
    workspace.analyze("results/latest", &[]).expect(code);
    (output, order(&workspace.results()))
}

#[test]
fn a_new_version_that_is_worse_fails() {
    let workspace = scripted("[3]", "100 100 101 100", "120 120 122 121");
    let (output, order) = comes_to(&workspace, 1);
    assert_eq!(order, "a0! b0! a1 b1 b2 a2 a3 b3");
    assert!(output.stdout.contains("gate: queue.length of api: expected mean less than 5% worse"));
    // Better is no failure.
    let workspace = scripted("[3]", "120 120 122 121", "100 100 101 100");
    comes_to(&workspace, 0);
}

#[test]
fn a_look_ends_what_is_decided_and_nothing_else() {
    let workspace = scripted("[3, 5]", "100 100 101 100", "100 101 101 100");
    assert_eq!(comes_to(&workspace, 0).1, "a0! b0! a1 b1 b2 a2 a3 b3");
    let even = "100 100 100 100 100 100";
    let workspace = scripted("[3, 5]", even, "100 90 112 95 107 99");
    let (_, order) = comes_to(&workspace, 3);
    assert_eq!(order, "a0! b0! a1 b1 b2 a2 a3 b3 b4 a4 a5 b5");
}

#[test]
fn a_pair_that_does_not_count_is_made_up_for() {
    let workspace = scripted("[3]", "100 100 100:900 100 101", "100 100 100 101 100");
    let (output, order) = comes_to(&workspace, 0);
    assert_eq!(order, "a0! b0! a1 b1 b2 a2 a3 b3 b4 a4");
    for label in ["(pair 2 of at most 3, a)", "(pair 4, 2 of at most 3 count, b)"] {
        assert!(output.stderr.contains(label), "{label}: {}", output.stderr);
    }
    let report = fs::read_to_string(workspace.path("results/latest/report.md")).unwrap();
    assert!(report.contains("1 of 8 runs and their pairs are not compared"), "{report}");
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
    // What the retry does not repeat must be gone too.
    for (looks, runs) in [(4, " b4 a4"), (3, "")] {
        let text = PAIRS.replace("looks = [3]", &format!("looks = [{looks}]"));
        workspace.write("scenarios/pairs.toml", &text);
        let suite = workspace.suite(&["--exact", "load::pairs::agents=1", "--nocapture"]);
        let output = suite.env("NEXTEST_RUN_ID", "x").env("NEXTEST", "1").run();
        assert!(matches!(output.code, Some(0 | 3)), "{}", output.stderr);
        let expected = format!("a0! b0! a1 b1 b2 a2 a3 b3{runs}");
        assert_eq!(order(&workspace.results()), expected);
    }
}
