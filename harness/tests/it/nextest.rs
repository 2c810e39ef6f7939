//! The contract with cargo-nextest: two lists, then a process for each trial.

use std::collections::BTreeMap;

use proofload::results::Results;
use serde_json::Value;

use crate::workspace::{Output, Workspace, names};

fn verdicts(results: &Results) -> BTreeMap<String, Value> {
    let verdict = |trial: &_| serde_json::to_value(trial).unwrap()["verdict"].clone();
    results.scenarios.iter().map(|trial| (trial.id.clone(), verdict(trial))).collect()
}

#[test]
fn a_process_for_each_trial_makes_one_run_with_the_verdicts_of_a_single_process() {
    let workspace = Workspace::of(&["fails", "idle", "stack", "steps"]);
    workspace.suite(&[]).run().expect(1);
    let single = verdicts(&workspace.results());

    let nextest = |arguments: &[&str]| -> Output {
        let suite = workspace.suite(arguments).env("NEXTEST_RUN_ID", "x").env("NEXTEST", "1");
        suite.env("NEXTEST_EXECUTION_MODE", "process-per-test").run()
    };
    let list = |arguments: &[&str]| -> Vec<String> {
        let output = nextest(&[&["--list", "--format", "terse"], arguments].concat()).expect(0);
        let name = |line: &str| line.strip_suffix(": test").unwrap().to_owned();
        output.stdout.lines().map(name).collect()
    };
    let (all, ignored) = (list(&[]), list(&["--ignored"]));
    assert_eq!(ignored, ["baseline::stack"]);
    assert!(!workspace.path("results/nextest-x").exists(), "a list makes no run");

    for name in all.iter().filter(|name| !ignored.contains(name)) {
        let fails = name == "baseline::fails";
        let output = nextest(&["--exact", name, "--nocapture"]).expect(i32::from(fails));
        let errors: Vec<&str> =
            output.stderr.lines().filter(|line| line.starts_with("Error: ")).collect();
        assert_eq!(errors.len(), usize::from(fails), "{}", output.stderr);
        assert!(errors.iter().all(|error| error.starts_with("Error: gate: memory.rss of api")));
        assert!(!output.stderr.contains("note: "), "{}", output.stderr);
    }

    let results = workspace.results();
    assert_eq!((results.test_id.as_str(), results.incomplete), ("nextest-x", false));
    assert_eq!(verdicts(&results), single);
    let runs = names(&workspace.path("results"));
    assert_eq!(runs.len(), 3, "one of each kind, and the link: {runs:?}");
    workspace.analyze("results/nextest-x/results.json", &[]).expect(1);
    let read = |name: &str| std::fs::read_to_string(workspace.path("results/latest").join(name));
    let plan: Value = serde_json::from_str(&read("plan.json").unwrap()).unwrap();
    for name in single.keys().filter(|name| !ignored.contains(name)) {
        let planned = plan["trials"].as_array().unwrap().iter();
        assert_eq!(planned.filter(|trial| trial["id"] == name.as_str()).count(), 1, "{name}");
        assert!(read("junit.xml").unwrap().contains(&format!("<testcase name=\"{name}\"")));
        assert!(read("report.md").unwrap().contains(name), "{name}");
    }
}
