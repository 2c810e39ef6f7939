//! Real parts other than Docker: Debian's Prometheus, and the hosts and guests of `cargo xtask testbed up`.
//!
//! `cargo test --test testbed`. Trials that need the testbed are ignored with the reason where it is not up;
//! `PROOFLOAD_REQUIRE=testbed` has them fail.

#[path = "testbed/discovery.rs"]
mod discovery;
#[path = "testbed/faults.rs"]
mod faults;
#[path = "testbed/hooks.rs"]
mod hooks;
#[path = "testbed/lab.rs"]
mod lab;
#[path = "testbed/network.rs"]
mod network;
#[path = "testbed/nodes.rs"]
mod nodes;
#[path = "testbed/prometheus.rs"]
mod prometheus;
#[path = "docker/suite.rs"]
#[expect(dead_code, reason = "the Docker controls use all of it")]
mod suite;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use suite::{ROLE, ROOT};

fn main() -> ExitCode {
    if std::env::var_os(ROLE).is_some() {
        return proofload::Suite::at(ROOT).main();
    }
    if nodes::plays_the_killed() {
        return ExitCode::SUCCESS;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let mut trials = prometheus::trials();
    trials.extend(nodes::trials());
    let on_the_testbed: Vec<Trial> =
        [discovery::trials(), network::trials(), faults::trials(), hooks::trials()]
            .into_iter()
            .flatten()
            .collect();
    match lab::missing() {
        None => trials.extend(on_the_testbed),
        Some(reason) if lab::is_required() => {
            let failing = on_the_testbed.into_iter().map(|trial| failing(&trial, &reason));
            trials.extend(failing);
        }
        Some(reason) => {
            let count = on_the_testbed.len();
            eprintln!("note: {count} trials need the testbed and are ignored: {reason}");
            trials.extend(on_the_testbed.into_iter().map(|trial| trial.with_ignored_flag(true)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What stands for a trial that was required and cannot be run.
fn failing(trial: &Trial, reason: &str) -> Trial {
    let reason = format!("it needs the testbed: {reason}");
    Trial::test(trial.name(), move || Err(reason.into()))
}
