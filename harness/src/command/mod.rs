//! [`Command`]: the command line that `cargo xtask` and the `proofload` binary share.
//!
//! A command is a file with its `Arguments` and a `run` that returns an [`Answer`] or a [`Failure`] and prints
//! nothing: printing and the exit code are decided here, once.

pub mod analyze;
pub mod bootstrap;
pub mod check;
pub mod compare;
pub mod compare_table;
pub mod fetch;
pub mod history;
pub mod init;
pub mod iterate;
pub mod selftest;
pub mod testbed;
pub mod workflow;

mod network_reports;
mod nodes;
mod percent;
mod runtime;

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;

pub use crate::suite::Failure;

/// What can be asked of Proofload outside `cargo test`.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Judge results again and print what was found
    ///
    /// Reads a results.json of Proofload or of the framework that it succeeds, or the directory of a run, also of one
    /// that was killed. Gives the verdict that the run gave.
    #[command(after_help = EXIT_CODES)]
    Analyze(analyze::Arguments),
    /// Find out what network cases need to know of their nodes, and write it down
    ///
    /// Reads minimal-input.yaml, asks every node over SSH for its interfaces, bridges, network cards and guests, and
    /// writes ENVIRONMENT-full.yaml and ENVIRONMENT-cases.json. Changes nothing on the nodes. What could not be found
    /// is told with the command that was tried; exits with 4 when a node does not answer, or an address of a test pair is
    /// not there.
    #[command(after_help = EXIT_CODES)]
    Bootstrap(bootstrap::Arguments),
    /// Compare two versions by their runs, and judge whether the new one is worse
    ///
    /// Runs that took turns are compared in pairs; others with a warning, as two sittings differ by more than their
    /// versions. Trials are matched by name and all parameters, series by metric and source; what only one side has is
    /// listed. Files of the framework that Proofload succeeds can be compared too.
    #[command(after_help = EXIT_CODES)]
    Compare(compare::Arguments),
    /// Show what a run needs, and whether it is there
    ///
    /// Looks at the Docker daemon, Compose, the services and their API, ports, programs, images and variables that the
    /// scenarios name. Starts and changes nothing. A row is ok, missing (a run needs it) or off (it is not there, and
    /// need not be). Exits with 0 when a run can start, and with 4 when something is missing.
    #[command(after_help = EXIT_CODES)]
    Check(check::Arguments),
    /// Find where the level of a metric changed over many runs
    ///
    /// Reads every run of a directory, in the order of time, follows memory, processor use and the trials' own metrics,
    /// and lists the runs at which a level changed. Exits with 1 where a change for the worse stands that acks.toml does
    /// not acknowledge, and with 3 where there are too few runs to tell.
    #[command(after_help = EXIT_CODES)]
    History(history::Arguments),
    /// Give a package its first scenario and the test that runs it
    ///
    /// Writes scenarios/baseline.toml and tests/perf.rs, declares the test in Cargo.toml and ignores results/ in git.
    /// A file that exists is kept, unless --force is given; Cargo.toml and .gitignore only ever get lines appended.
    #[command(after_help = EXIT_CODES)]
    Init(init::Arguments),
    /// Prove on this machine that the gate can pass and can fail
    ///
    /// Runs the demo workload against itself, with an injected leak and with an injected slowdown, and judges simulated
    /// runs with a known truth through the journal, the results and the gate. Prints how often each rule was wrong,
    /// and fails when that is not what it should be. Takes the machine for itself, as a run does.
    #[command(after_help = EXIT_CODES)]
    Selftest(selftest::Arguments),
    /// Write the plan of network cases as a file, check such a file, or run it
    ///
    /// The plan names every cycle with its commands, nodes, tests and limits. Running the file gives the trials of the
    /// scenario it was written from: the same ids, the same commands, the same rules.
    #[command(after_help = EXIT_CODES)]
    Workflow(workflow::Arguments),
    /// Run network cases several times, and bring here what the nodes keep after each
    ///
    /// Results of failed iterations are collected too. An iteration's files are those whose names have the time of one of
    /// its tests; what other runs left stays. They are removed on a node only once all of them have arrived and were
    /// compared by their SHA-256 sums. Called again with the same --results-dir, it goes on where it stopped: iterations
    /// that are over are kept, those that the rig failed are run again, and of those whose files did not arrive only these
    /// are brought. Exits with the code of the worst iteration; with 4 where files did not arrive.
    #[command(after_help = EXIT_CODES)]
    Iterate(iterate::Arguments),
    /// Bring a directory of a node here, and prove that all of it arrived
    ///
    /// Files are compared by their SHA-256 sums; those that are here already are not brought again. Nothing is removed on
    /// the node. Exits with 4 when the node does not answer, the directory is not there, or a file changes meanwhile.
    #[command(after_help = EXIT_CODES)]
    Fetch(fetch::Arguments),
    /// Build two hosts and two guests on this machine, for trials over a real network
    ///
    /// Hosts are network namespaces with their own sshd, Open vSwitch and libvirt; guests are virtual machines without
    /// KVM. Needs root on a Debian or Ubuntu machine, x86-64, that is there for tests.
    #[command(after_help = EXIT_CODES)]
    Testbed(testbed::Arguments),
}

/// The exit codes, as the help texts of all commands end.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  pass
  1  the gate failed, or the system under test died
  2  usage, or bad input
  3  inconclusive or no data; 0 where that is allowed
  4  the rig failed: the harness or its environment
  130, 143  interrupted";

/// Carries out a command and prints its answer.
#[must_use]
pub fn run(command: Command) -> ExitCode {
    let answer = match command {
        Command::Analyze(arguments) => analyze::run(&arguments),
        Command::Bootstrap(arguments) => bootstrap::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::History(arguments) => history::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Selftest(arguments) => selftest::run(&arguments),
        Command::Workflow(arguments) => workflow::run(&arguments),
        Command::Iterate(arguments) => iterate::run(&arguments),
        Command::Fetch(arguments) => fetch::run(&arguments),
        Command::Testbed(arguments) => testbed::run(&arguments),
    };
    match answer {
        Ok(Answer { text, code }) => {
            // A reader that has seen enough, such as `head`, is no failure.
            let _ = std::io::stdout().lock().write_all(text.as_bytes());
            ExitCode::from(code)
        }
        Err(Failure { code, message }) => {
            eprintln!("{message}");
            ExitCode::from(code)
        }
    }
}

/// What a command has to say when it could do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// For stdout.
    pub text: String,
    /// One of [`EXIT_CODES`]: a bad verdict is an answer too.
    pub code: u8,
}

impl Answer {
    /// An answer with exit code 0.
    #[must_use]
    pub fn pass(text: String) -> Self {
        Self { text, code: 0 }
    }
}
