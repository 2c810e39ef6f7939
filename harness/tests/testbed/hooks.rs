//! Runs with hooks and a tool that are cut short: interrupted, killed, and with an sshd that goes away and comes back.

use std::fs;
use std::path::Path;
use std::process::Child;

use libtest_mimic::Trial;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::faults::{Down, SOUND, tools, wait_for_phase};
use crate::lab::{self, Lab, trial};
use crate::suite::run_directory;

/// Trials of runs that are cut short.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("an_interrupted_run_undoes_every_level_of_its_hooks", interrupted),
        trial("an_sshd_that_restarts_in_a_test_costs_no_post", restarted),
        trial("what_a_killed_run_left_is_ended_by_the_next", killed),
    ]
}

/// A tool beside long tests, and a hook at every level that keeps its own file while it is open.
const LONG: &str = r#"
repeat = 2
[network]
tests = ["tcp_rr"]
length = "20s"
select.environments = ["host"]
baseline = false
[[network.hook]]
level = "global"
name = "global"
init = "touch open-global"
post = "rm -f open-global"
[[network.hook]]
level = "tool"
name = "tool"
init = "touch open-tool"
post = "rm -f open-tool"
[[network.hook]]
level = "case"
name = "case"
init = "touch open-case"
post = "rm -f open-case"
[[network.hook]]
level = "test"
name = "test"
init = "touch open-test"
post = "rm -f open-test"
"#;

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

/// The event log of the newest run below a results directory.
fn events(results: &Path) -> Vec<Value> {
    let log = run_directory(results).unwrap().join("logs/hooks.jsonl");
    let text = fs::read_to_string(log).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// That hooks of all levels ran, deeper ones inside those around them, and that every `init` has its `post`.
fn expect_nested(events: &[Value]) {
    let mut open: Vec<(u64, String)> = Vec::new();
    let mut deepest = 0;
    for event in events {
        let text = |key: &str| event[key].as_str().unwrap();
        assert_eq!(event["code"].as_i64(), Some(0), "{event}");
        let depth = event["depth"].as_u64().unwrap();
        let levels = ["global", "tool", "case", "test"];
        assert_eq!(levels[usize::try_from(depth).unwrap() - 1], text("level"), "{event}");
        let own = (depth, text("node").to_owned());
        if text("what") == "init" {
            assert!(open.last().is_none_or(|(around, _)| *around <= depth), "{event}: {open:?}");
            open.push(own);
        } else {
            assert_eq!(open.pop(), Some(own), "{event}");
        }
        deepest = deepest.max(depth);
    }
    assert_eq!((open.len(), deepest), (0, 4), "{events:#?}");
}

/// Files of hooks that are open on the hosts.
fn open_on_hosts() -> Vec<String> {
    let of = |host: &str| {
        let workdir = lab::truth(host)["workdir"].as_str().unwrap().to_owned();
        lab::on_host(host, &format!("ls {workdir} | grep ^open- || :"))
    };
    ["host-server", "host-client"]
        .into_iter()
        .flat_map(|host| of(host).lines().map(|line| format!("{host}: {line}")).collect::<Vec<_>>())
        .collect()
}

fn interrupted() {
    let lab = Lab::new(&tools("host", &[SOUND]), |input| input);
    let (child, results) = lab.suite(LONG).start();
    wait_for_phase(results.path(), "tcp_rr");
    // Host hooks are on both hosts, global ones and those of the tool on guests as well.
    assert_eq!(open_on_hosts().len(), 8);
    signal(&child, Signal::SIGINT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    expect_nested(&events(results.path()));
    assert_eq!(open_on_hosts(), Vec::<String>::new());
    assert_eq!(lab::left_on_nodes(), Vec::<String>::new());
}

fn restarted() {
    let lab = Lab::new(&tools("host", &[SOUND]), |input| input);
    let (child, results) = lab.suite(LONG).start();
    wait_for_phase(results.path(), "tcp_rr");
    drop(Down::new("host-client"));
    // Whether the test could be taken up again or not, it is not run for long.
    wait_for_end_of_phase(results.path());
    signal(&child, Signal::SIGINT);
    let output = child.wait_with_output().unwrap();
    let code = output.status.code();
    assert!(matches!(code, Some(4 | 130)), "{}", String::from_utf8_lossy(&output.stderr));
    expect_nested(&events(results.path()));
    assert_eq!(open_on_hosts(), Vec::<String>::new());
    assert_eq!(lab::left_on_nodes(), Vec::<String>::new());
}

/// Waits until the hooks of a test have been undone.
fn wait_for_end_of_phase(results: &Path) {
    lab::wait_for("the post of the test's hook", || {
        let log = run_directory(results).map(|directory| directory.join("logs/hooks.jsonl"));
        let text = log.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        text.lines().any(|line| line.contains("\"test\"") && line.contains("\"post\""))
    });
}

fn killed() {
    let lab = Lab::new(&tools("host", &[SOUND]), |input| input);
    let (mut child, results) = lab.suite(LONG).start();
    // In the second walk the tool runs.
    lab::wait_for("the walk with the tool", || {
        lab::journal(results.path()).contains("tool.startup.time")
    });
    child.kill().unwrap();
    child.wait().unwrap();
    let left = lab::left_on_nodes();
    assert!(left.iter().any(|line| line.contains("sleep 600")), "the control: {left:?}");
    let short = LONG.replace("20s", "2s").replace("baseline = false", "baseline = true");
    let run = lab.suite(&short).filter("tool=baseline,environment=host::r=1");
    let (child, results) = run.start();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(lab::left_on_nodes(), Vec::<String>::new());
    let logs = run_directory(results.path()).unwrap().join("logs");
    let told = fs::read_dir(logs)
        .unwrap()
        .flatten()
        .find_map(|entry| fs::read_to_string(entry.path().join("left-over.txt")).ok());
    let told = told.unwrap();
    assert!(told.contains("sleep 600") && told.contains("left by a run that was killed"), "{told}");
    // Hooks of a run that was killed are not undone.
    for host in ["host-server", "host-client"] {
        let workdir = lab::truth(host)["workdir"].as_str().unwrap().to_owned();
        lab::on_host(host, &format!("rm -f {workdir}/open-*"));
    }
    for guest in ["vm-server", "vm-client"] {
        lab::on_guest(guest, "rm -f work/open-*");
    }
}
