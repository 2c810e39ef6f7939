//! The exit code of a run, and who is at fault in the text of its failures.

use std::fs::File;

use rstest::rstest;

use crate::workspace::Workspace;

const NOTHING: (&str, &str) = ("PROOFLOAD_REQUIRE", "");

#[rstest]
#[case::what_holds_passes(&["idle"], NOTHING, 0, &["test result: ok. 1 passed"])]
#[case::a_limit_that_does_not_hold_fails(&["fails"], NOTHING, 1, &["gate: memory.rss of api: expected max < 1 B; max is "])]
#[case::a_limit_that_ends_the_trial_fails(&["stops"], NOTHING, 1, &["gate: memory.rss of api"])]
#[case::a_build_that_fails_is_the_rigs_fault(&["unbuildable"], NOTHING, 4, &["rig: build: `echo no such crate; exit 101` ended with exit status: 101"])]
#[case::a_service_that_dies_fails(&["dies"], NOTHING, 1, &["aborted: ", "api", "7"])]
#[case::a_death_is_noticed_by_whatever_probes(&["dies-unwatched"], NOTHING, 1, &["aborted: ", "api", "7"])]
#[case::no_data_is_no_pass(&["unread"], NOTHING, 3, &["gate: agents.live: expected max < 5; no readings"])]
#[case::no_data_can_be_let_through(&["unread"], ("PROOFLOAD_ALLOW_INCONCLUSIVE", "1"), 0, &["1 passed"])]
#[case::what_is_missing_and_required_is_the_rigs_fault(&["stack"], ("PROOFLOAD_REQUIRE", "docker"), 4, &["rig: no Docker daemon"])]
#[case::a_failure_is_worse_than_no_data(&["fails", "idle", "unread"], NOTHING, 1, &["1 passed; 2 failed"])]
#[case::the_rig_is_worst(&["fails", "unbuilt", "unread"], NOTHING, 4, &["rig: service `api`: `", "./not-built` cannot be started", "3 failed"])]
fn a_run_exits_with(
    #[case] scenarios: &[&str],
    #[case] (name, value): (&str, &str),
    #[case] code: i32,
    #[case] says: &[&str],
) {
    let workspace = Workspace::of(scenarios);
    let output = workspace.suite(&[]).env(name, value).run().expect(code);
    for text in says {
        assert!(output.stdout.contains(text), "{text:?} is missing:\n{}", output.stdout);
    }
    let allow: &[&str] = if value == "1" { &["--allow-inconclusive"] } else { &[] };
    for results in ["results/latest", "results/latest/results.json"] {
        workspace.analyze(results, allow).expect(code);
    }
    let results = workspace.results();
    assert!(!results.incomplete);
    let json = workspace.analyze("results/latest/results.json", &["--format", "json"]).json();
    for trial in results.scenarios {
        let checks = json["checks"].as_array().unwrap().iter();
        let verdicts = checks.filter(|check| check["id"] == trial.id.as_str());
        let mut verdicts: Vec<_> = verdicts.map(|check| check["verdict"].clone()).collect();
        verdicts.dedup();
        assert_eq!(verdicts, [serde_json::to_value(trial.verdict).unwrap()], "{}", trial.id);
    }
}

#[rstest]
#[case::a_key_that_is_not_known("mistyped", NOTHING, &[], "mistyped.toml:2:1")]
#[case::a_profile_that_nobody_defines("idle", ("PROOFLOAD_PROFILE", "qick"), &[], "did you mean \"quick\"?")]
#[case::a_variable_that_overrides_no_key("idle", ("PROOFLOAD__SAMPLE__LENGHT", "1s"), &[], "did you mean \"length\"?")]
#[case::a_requirement_that_is_not_known("idle", ("PROOFLOAD_REQUIRE", "dokcer"), &[], "\"dokcer\"")]
#[case::a_directory_that_is_not_there("idle", ("PROOFLOAD_SCENARIOS", "elsewhere"), &[], "elsewhere")]
#[case::no_threads("idle", NOTHING, &["--test-threads", "0"], "--test-threads must be at least 1")]
#[case::a_flag_that_is_not_known("idle", NOTHING, &["--bogus"], "--bogus")]
fn bad_input_exits_with_2_and_runs_nothing(
    #[case] scenario: &str,
    #[case] (name, value): (&str, &str),
    #[case] arguments: &[&str],
    #[case] says: &str,
) {
    let workspace = Workspace::of(&[scenario]);
    let output = workspace.suite(arguments).env(name, value).run().expect(2);
    assert!(output.stderr.starts_with("error: "), "{}", output.stderr);
    assert!(output.stderr.contains(says), "{}", output.stderr);
    assert_eq!(output.stdout, "");
    assert!(!workspace.path("results").exists());
}

#[test]
fn results_that_cannot_be_written_are_the_rigs_fault() {
    let workspace = Workspace::of(&["idle"]);
    let output = workspace.suite(&[]).env("PROOFLOAD_RESULTS", "/proc/results").run().expect(4);
    assert!(
        output.stderr.starts_with("rig: cannot write below /proc/results"),
        "{}",
        output.stderr
    );
}

#[test]
fn another_run_on_this_machine_is_waited_for_and_then_given_up_on() {
    let workspace = Workspace::of(&["idle"]);
    let lock = File::create(workspace.path("run.lock")).unwrap();
    lock.lock().unwrap();
    let output = workspace.suite(&[]).run().expect(4);
    assert!(output.stderr.starts_with("rig: another run still holds "), "{}", output.stderr);
    assert!(!workspace.path("results").exists());
}

#[test]
fn json_is_all_there_is_on_stdout_when_it_is_asked_for() {
    let workspace = Workspace::of(&["idle", "fails", "stack"]);
    let output = workspace.suite(&["--format", "json"]).run().expect(1);
    let events: Vec<serde_json::Value> =
        output.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| events.iter().rfind(|event| event["name"] == name).unwrap();
    assert_eq!(of("baseline::idle")["event"], "ok");
    assert_eq!(of("baseline::stack")["event"], "ignored");
    assert_eq!(of("baseline::fails")["event"], "failed");
    assert!(of("baseline::fails")["stdout"].as_str().unwrap().contains("gate: memory.rss"));
}
