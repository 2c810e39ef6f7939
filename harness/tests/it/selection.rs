//! Which trials a command line selects.

use rstest::rstest;

use crate::workspace::Workspace;

const KINDS: &[&str] = &["baseline::idle", "baseline::offload", "baseline::stack"];
const LOAD: &[&str] = &["load::steps::agents=1", "load::steps::agents=2"];

#[rstest]
#[case::a_kind_and_no_name_that_has_it_in_it(&["load"], LOAD)]
#[case::another_kind(&["baseline"], KINDS)]
#[case::a_kind_exactly(&["load", "--exact"], LOAD)]
#[case::a_kind_less_what_is_skipped(&["load", "--skip", "agents=2"], &LOAD[..1])]
#[case::a_part_of_a_name(&["offl"], &KINDS[1..2])]
#[case::a_part_of_names_of_two_kinds(&["loa"], &[KINDS[1], LOAD[0], LOAD[1]])]
#[case::a_kind_with_its_colons_is_a_part_of_names(&["load::"], LOAD)]
#[case::a_whole_name(&["--exact", "load::steps::agents=1"], &LOAD[..1])]
#[case::exactly_a_part_of_a_name(&["--exact", "steps"], &[])]
#[case::all_but_some(&["--skip", "load", "--skip", "idle"], &KINDS[2..])]
#[case::what_cannot_run_here(&["--ignored"], &KINDS[2..])]
#[case::what_cannot_run_here_of_a_kind(&["load", "--ignored"], &[])]
#[case::what_cannot_run_here_too(&["--include-ignored", "idle"], &KINDS[..1])]
#[case::nothing(&["no-such-trial"], &[])]
fn a_command_line_selects(#[case] arguments: &[&str], #[case] expected: &[&str]) {
    let workspace = Workspace::of(&["idle", "offload", "stack", "steps"]);
    let output = workspace.suite(&[&["--list"], arguments].concat()).run().expect(0);
    let expected: Vec<String> = expected.iter().map(|name| format!("{name}: test")).collect();
    assert_eq!(output.lines(), expected);
    if expected.is_empty() {
        // Running nothing would look like success.
        let output = workspace.suite(arguments).run().expect(2);
        assert!(output.stderr.contains("selects no trial"), "{}", output.stderr);
        assert_eq!(output.stdout, "");
        assert!(!workspace.path("results").exists());
    }
}

#[test]
fn the_note_on_what_is_ignored_speaks_of_selected_trials_only() {
    let workspace = Workspace::of(&["idle", "stack"]);
    for (arguments, expected) in [
        (&["--list"][..], true),
        (&["--list", "stack"], true),
        (&["--list", "--exact", "baseline::idle"], false),
        (&["--list", "--skip", "stack"], false),
    ] {
        let output = workspace.suite(arguments).run().expect(0);
        assert_eq!(output.stderr.starts_with("note: 1 trial "), expected, "{arguments:?}");
    }
}

#[test]
fn what_cannot_run_here_fails_when_it_is_asked_for() {
    let workspace = Workspace::of(&["idle", "stack"]);
    for arguments in [&["--ignored"][..], &["--include-ignored", "stack"]] {
        let output = workspace.suite(arguments).run().expect(4);
        assert!(output.stdout.contains("\nrig: no Docker daemon"), "{}", output.stdout);
        assert!(!output.stderr.contains("ignored"), "{}", output.stderr);
    }
}
