//! Interrupted runs take down what they brought up.

use nix::sys::signal::Signal;
use rstest::rstest;

use crate::workspace::{Workspace, sleeps};

#[rstest]
#[case::an_interrupt(Signal::SIGINT, 130)]
#[case::a_request_to_end(Signal::SIGTERM, 143)]
fn a_signal_takes_the_target_down_and_is_told_by_the_exit_code(
    #[case] signal: Signal,
    #[case] code: i32,
) {
    let workspace = Workspace::of(&["long", "steps"]);
    let running = workspace.suite(&[]).start_until("baseline::long: sample");
    let service = workspace.service();
    assert!(sleeps(service));
    let output = running.end(signal).expect(code);
    assert!(!sleeps(service));
    assert!(output.stderr.contains("interrupted: taking the target down"), "{}", output.stderr);
    assert!(!output.stderr.contains("load::steps"), "no other trial begins: {}", output.stderr);
    let results = workspace.results();
    assert!(results.incomplete);
    assert!(workspace.path("results/latest/results.json").exists());
    workspace.analyze("results/latest", &[]).expect(3);
}
