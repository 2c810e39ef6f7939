//! `--list`: what programs read it for, and what it must not do.

use crate::workspace::Workspace;

const ALL: [&str; 4] = [
    "baseline::idle: test",
    "baseline::stack: test",
    "load::steps::agents=1: test",
    "load::steps::agents=2: test",
];

#[test]
fn a_list_is_one_line_for_each_trial_in_every_format_and_every_time() {
    let workspace = Workspace::of(&["steps", "idle", "stack"]);
    for arguments in [
        &["--list"][..],
        &["--list", "--format", "terse"],
        &["--list", "--format", "json"],
        &["--list"],
    ] {
        let output = workspace.suite(arguments).run().expect(0);
        assert_eq!(output.lines(), ALL, "{arguments:?}");
    }
}

#[test]
fn listing_touches_nothing() {
    let workspace = Workspace::of(&["idle", "stack"]);
    let before = workspace.entries();
    for arguments in [&["--list"][..], &["--list", "--ignored"]] {
        // Another run holds the lock, and this one does not ask.
        let lock = std::fs::File::create(workspace.path("other.lock")).unwrap();
        lock.lock().unwrap();
        workspace.write("proofload.toml", "lock = \"other.lock\"\nlock_within = \"0s\"");
        workspace.suite(arguments).run().expect(0);
        std::fs::remove_file(workspace.path("other.lock")).unwrap();
        assert_eq!(workspace.entries(), before, "{arguments:?}");
    }
}

#[test]
fn what_cannot_run_here_is_listed_as_ignored_and_the_reason_is_on_stderr() {
    let workspace = Workspace::of(&["idle", "stack"]);
    let output = workspace.suite(&["--list", "--format", "terse", "--ignored"]).run().expect(0);
    assert_eq!(output.stdout, "baseline::stack: test\n");
    let reason =
        "note: 1 trial needs docker and is ignored: no Docker daemon listens at /nonexistent";
    assert!(output.stderr.starts_with(reason), "{}", output.stderr);
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
}

#[test]
fn what_is_required_is_not_ignored() {
    let workspace = Workspace::of(&["idle", "stack"]);
    let suite = workspace.suite(&["--list", "--ignored"]).env("PROOFLOAD_REQUIRE", "docker");
    let output = suite.run().expect(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
}

#[test]
fn bad_input_lists_nothing() {
    let workspace = Workspace::of(&["idle", "mistyped"]);
    let output = workspace.suite(&["--list"]).run().expect(2);
    assert_eq!(output.stdout, "");
    assert!(output.stderr.contains("mistyped.toml:2:1"), "{}", output.stderr);
}
