//! A run that was killed: its results can be read, and the next run ends what it left.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::workspace::{Workspace, sleeps};

#[test]
fn a_killed_run_can_be_analyzed_and_the_next_run_ends_what_it_left() {
    let workspace = Workspace::alone(&["long", "idle"]);
    let running = workspace.suite(&["long"]).start_until("baseline::long: sample");
    let service = workspace.service();
    let journal = workspace.path("results/latest/journal.jsonl");
    until(|| std::fs::read_to_string(&journal).unwrap().contains("memory.rss"));
    let output = running.end(Signal::SIGKILL);
    assert_eq!(output.code, None);
    assert!(sleeps(service), "nobody was there to end it");

    let json = workspace.analyze("results/latest", &["--format", "json"]).expect(3).json();
    assert_eq!((&json["incomplete"], &json["verdict"]), (&true.into(), &"inconclusive".into()));
    assert_eq!(json["checks"][0]["reason"], "cut off: the trial did not reach its end");
    assert!(!workspace.results().scenarios[0].samples.is_empty());

    let next = workspace.suite(&["idle"]).run().expect(0);
    let note = format!("note: ended `sleep 60` (pid {service}), left by a run that was killed\n");
    assert!(next.stderr.contains(&note), "{}", next.stderr);
    assert!(!sleeps(service));
}

#[expect(clippy::disallowed_methods, reason = "another process says nothing when it writes a file")]
fn until(holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(10), "it never came true");
        std::thread::sleep(Duration::from_millis(1));
    }
}
