//! The help texts, which are what a newcomer reads first.

use crate::workspace::{Workspace, proofload};

/// Without the blanks that clap leaves at the end of lines.
fn help(arguments: &[&str]) -> String {
    let output = proofload(arguments).expect(0);
    output.lines().iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn the_help_of_analyze() {
    insta::assert_snapshot!(help(&["analyze", "--help"]), @r"
    Judge results again and print what was found

    Reads a results.json of Proofload or of the framework that it succeeds, or the directory of a run,
    also of one that was killed. Gives the verdict that the run gave.

    Usage: proofload analyze [OPTIONS] <RESULTS>

    Arguments:
      <RESULTS>
              A results.json, or a run directory such as results/latest

    Options:
          --format <FORMAT>
              How to print what was found

              Possible values:
              - text:     For a terminal
              - markdown: For a file or a web page
              - json:     One object, for a program

              [default: text]

          --capacity <SIZE>
              Tell how many agents this memory allows, in place of the limits that scenarios and
              containers have

          --csv <FILE>
              Also write every sample to this file, as CSV

          --junit <FILE>
              Also write the verdicts to this file, as JUnit XML

          --network-reports <DIR>
              Also write the tables of network trials below this directory

          --iteration <RESULTS>
              Other results of the same trials, to be averaged with in the tables of network trials; may
              be given several times

          --allow-inconclusive
              Exit with 0 where the verdict is inconclusive or no-data

      -h, --help
              Print help (see a summary with '-h')

    Exit codes:
      0  pass
      1  the gate failed, or the system under test died
      2  usage, or bad input
      3  inconclusive or no data; 0 where that is allowed
      4  the rig failed: the harness or its environment
      130, 143  interrupted
    ");
}

#[test]
fn the_help_of_the_program() {
    insta::assert_snapshot!(help(&["--help"]), @r"
    Judge, compare and set up performance tests that run inside `cargo test`

    Usage: proofload <COMMAND>

    Commands:
      analyze    Judge results again and print what was found
      bootstrap  Find out what network cases need to know of their nodes, and write it down
      compare    Compare two versions by their runs, and judge whether the new one is worse
      check      Show what a run needs, and whether it is there
      history    Find where the level of a metric changed over many runs
      init       Give a package its first scenario and the test that runs it
      selftest   Prove on this machine that the gate can pass and can fail
      workflow   Write the plan of network cases as a file, check such a file, or run it
      iterate    Run network cases several times, and bring here what the nodes keep after each
      fetch      Bring a directory of a node here, and prove that all of it arrived
      testbed    Build two hosts and two guests on this machine, for trials over a real network
      help       Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Exit codes:
      0  pass
      1  the gate failed, or the system under test died
      2  usage, or bad input
      3  inconclusive or no data; 0 where that is allowed
      4  the rig failed: the harness or its environment
      130, 143  interrupted
    ");
}

#[test]
fn the_help_of_the_suite_says_what_it_does_how_to_call_it_and_what_is_ours() {
    let workspace = Workspace::of(&[]);
    for flag in ["-h", "--help"] {
        let help = workspace.suite(&[flag]).run().expect(0).stdout;
        assert!(help.starts_with("Runs the performance tests of this workspace"), "{help}");
        for text in [
            "\nUsage: custom [OPTIONS] [FILTER]\n",
            "--exact",
            "--skip",
            "--include-ignored",
            "--list",
            "A filter equal to a kind (baseline, load, duration, reset, network) runs that kind",
            "PROOFLOAD_PROFILE=",
            "PROOFLOAD_REQUIRE=docker",
            "PROOFLOAD_ALLOW_INCONCLUSIVE=1",
            "Exit codes: 0 pass, 1 gate failed",
        ] {
            assert!(help.contains(text), "{text:?} is missing in {flag}:\n{help}");
        }
        assert!(!help.contains("\n\n\n"), "{help}");
    }
}
