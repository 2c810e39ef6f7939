//! Everything that is sent to nodes, tried with this machine's own shell in place of one over SSH.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::host::procfs::Stat;
use crate::host::wait::{Check, wait_for};

const LONG: Duration = Duration::from_secs(20);

/// A node of its own for each test, so that they end nothing of each other.
pub(super) fn node(directory: &Path) -> Node {
    let name = directory.file_name().unwrap().to_str().unwrap().trim_start_matches('.').to_owned();
    let workdir = directory.join("work").to_str().unwrap().to_owned();
    let ssh = client::LOCAL.to_owned();
    Node::new(&NodeSpec { name, ssh, ssh_config: None, workdir, sudo: false })
}

fn runs(pid: u32) -> bool {
    Stat::of(pid).is_some_and(|stat| !stat.ended)
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    wait_for(LONG, Duration::from_millis(5), || {
        let check = if holds() { Check::Ready(()) } else { Check::NotYet(what.to_owned()) };
        std::future::ready(check)
    })
    .await
    .unwrap();
}

/// The number that a line of a group wrote to a file in the workdir.
async fn number(directory: &Path, file: &str) -> u32 {
    let file = directory.join("work").join(file);
    let read = || std::fs::read_to_string(&file).ok()?.trim().parse().ok();
    until(&file.display().to_string(), || read().is_some()).await;
    read().unwrap()
}

#[tokio::test]
async fn a_line_gives_its_code_and_both_outputs() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(directory.path());
    let cases = [
        ("echo good; echo bad >&2; exit 3", 3, "good\n", "bad\n"),
        ("printf a; printf b >&2; exit 255", 255, "a", "b"),
        ("kill -KILL $$", 137, "", ""),
        ("read line; echo \"<$line>\"", 0, "<>\n", ""),
        ("echo 'it'\\''s' \"$((1+1))\"", 0, "it's 2\n", ""),
    ];
    for (line, code, stdout, stderr) in cases {
        let output = node.run(line, LONG).await.unwrap();
        let expected = RemoteOutput { code, stdout: stdout.into(), stderr: stderr.into() };
        if line.starts_with("kill") {
            assert_eq!(output.code, code);
        } else {
            assert_eq!(output, expected, "{line}");
        }
    }
    assert!(node.run("a\0b", LONG).await.is_err());
}

#[tokio::test]
async fn a_line_that_takes_too_long_is_ended_with_all_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(directory.path());
    std::fs::create_dir(directory.path().join("work")).unwrap();
    let line =
        "setsid sh -c 'trap \"\" TERM; echo $$ > pid; while :; do sleep 1; done' & echo on; wait";
    let error = node.run(line, Duration::from_secs(1)).await.unwrap_err();
    assert!(error.message.contains("did not end within 1s; it printed:"), "{error}");
    assert!(error.message.ends_with("\n    on"), "{error}");
    assert!(!runs(number(directory.path(), "pid").await));
}

#[tokio::test]
async fn a_group_runs_until_it_is_stopped_and_its_code_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(directory.path());
    let line = "trap 'exit 7' TERM; echo up; while :; do sleep 0.01; done";
    let group = node.start("tool", line, "logs/tool.log").await.unwrap();
    assert_eq!(group.state().await.unwrap(), GroupState::Running);
    assert!(runs(group.session()));
    let log = directory.path().join("work/logs/tool.log");
    until("up", || std::fs::read_to_string(&log).unwrap() == "up\n").await;
    let error = node.start("tool", line, "other").await.unwrap_err();
    assert!(error.message.contains("runs already"), "{error}");
    assert_eq!(group.stop(LONG).await.unwrap(), Stopped::InTime);
    assert_eq!(group.state().await.unwrap(), GroupState::Ended(7));
    assert_eq!(group.stop(LONG).await.unwrap(), Stopped::Before);
    let again = node.start("tool", "exit 5", "logs/tool.log").await.unwrap();
    let ended = wait_for(LONG, Duration::from_millis(5), || async {
        match again.state().await.unwrap() {
            GroupState::Running => Check::NotYet("running".into()),
            ended => Check::Ready(ended),
        }
    });
    assert_eq!(ended.await.unwrap(), GroupState::Ended(5));
    assert!(node.end_all().await.unwrap().is_empty());
    assert_eq!(again.state().await.unwrap(), GroupState::Unknown);
    assert!(!directory.path().join("work/.proofload").exists());
}

#[tokio::test]
async fn what_ignores_the_request_and_what_left_the_session_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(directory.path());
    let line = "trap '' TERM; echo $$ > a; setsid sh -c 'echo $$ > b; sleep 60' & \
                env -i setsid sh -c 'echo $$ > c; sleep 60' & while :; do sleep 1; done";
    let group = node.start("tool", line, "log").await.unwrap();
    let mut pids = Vec::new();
    for file in ["a", "b", "c"] {
        pids.push(number(directory.path(), file).await);
    }
    assert!(pids.iter().all(|&pid| runs(pid)), "{pids:?}");
    assert_eq!(group.stop(Duration::from_millis(100)).await.unwrap(), Stopped::Killed);
    assert!(!pids.iter().any(|&pid| runs(pid)), "{pids:?}");
    assert_eq!(group.state().await.unwrap(), GroupState::Ended(137));
}

#[tokio::test]
async fn what_is_started_to_clean_up_is_not_asked_to_end() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(directory.path());
    let line = "trap 'sleep 0.3 && echo 1 > cleaned; exit 0' TERM; echo $$ > a; while :; do sleep 0.05; done";
    let group = node.start("tool", line, "log").await.unwrap();
    number(directory.path(), "a").await;
    assert_eq!(group.stop(LONG).await.unwrap(), Stopped::InTime);
    assert!(directory.path().join("work/cleaned").exists());
}

#[tokio::test]
async fn what_a_line_around_trials_leaves_stays_until_all_is_ended() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(directory.path());
    std::fs::create_dir(directory.path().join("work")).unwrap();
    // Out of reach of the group that every command of this machine is, before that ends with its line.
    let apart = "env -u PROOFLOAD_GROUP setsid";
    let leave = |file: &str| {
        let stays = format!("{apart} sh -c 'echo $$ > {file}; exec sleep 66' > /dev/null 2>&1 &");
        format!("{stays} until [ -s {file} ]; do sleep 0.01; done")
    };
    node.around().run(&leave("around"), LONG).await.unwrap();
    node.run(&leave("line"), LONG).await.unwrap();
    let group = node.start("tool", "exec sleep 67", "log").await.unwrap();
    let around = number(directory.path(), "around").await;
    let line = number(directory.path(), "line").await;
    let all = || [around, line, group.session()].map(runs);
    assert_eq!(all(), [true, true, true]);
    node.end_lines().await.unwrap();
    assert_eq!(all(), [true, false, true]);
    assert_eq!(node.end_left(Duration::ZERO).await.unwrap().len(), 1);
    assert_eq!(all(), [true, false, false]);
    assert_eq!(node.end_all().await.unwrap().len(), 1);
    assert_eq!(all(), [false, false, false]);
}

#[tokio::test]
async fn a_session_is_found_by_its_record_where_nothing_carries_the_mark() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(directory.path());
    // As with sudo, whose children see another environment.
    let line = "exec env -i sh -c 'sleep 60 & echo $! > child; exit 0'";
    let group = node.start("tool", line, "log").await.unwrap();
    let child = number(directory.path(), "child").await;
    until("its leader ends", || !runs(group.session())).await;
    assert!(runs(child));
    assert_eq!(group.stop(LONG).await.unwrap(), Stopped::InTime);
    assert!(!runs(child));
}

#[tokio::test]
async fn a_number_that_was_used_again_is_let_alone() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(directory.path());
    let other = node.start("other", "sleep 60", "log").await.unwrap();
    let state = Path::new(&node.state_dir()).to_owned();
    let record = std::fs::read_to_string(state.join("other.group")).unwrap();
    let fields: Vec<&str> = record.split(' ').collect();
    let stale = format!("{} 1 4194304 1 {} {}", fields[0], fields[4], fields[5]);
    std::fs::write(state.join("stale.group"), stale).unwrap();
    let stale = node.group("stale");
    assert_eq!(stale.state().await.unwrap(), GroupState::Ended(-1));
    assert_eq!(stale.stop(LONG).await.unwrap(), Stopped::Before);
    assert!(runs(other.session()));
    assert!(!node.end_all().await.unwrap().is_empty());
    assert!(!runs(other.session()));
}

#[tokio::test]
async fn only_what_dead_runs_of_this_machine_left_is_swept() {
    let directory = tempfile::tempdir().unwrap();
    let own = node(directory.path());
    let current = Owner::current().to_string();
    let (space, _) = current.split_once('-').unwrap();
    let dead = Node::of(own.spec(), &Owner::parse(&format!("{space}-4194304-1")).unwrap());
    let elsewhere = Node::of(own.spec(), &Owner::parse("elsewhere-4194304-1").unwrap());
    let line = "sleep 61 & sleep 62";
    let mut groups = Vec::new();
    for node in [&own, &dead, &elsewhere] {
        groups.push(node.start("tool", line, "log").await.unwrap());
    }
    let lines = own.sweep().await.unwrap();
    assert!(lines.len() == 4 || lines.len() == 5, "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("ended `sleep 61` (pid ")), "{lines:?}");
    assert!(lines.last().unwrap().starts_with(&format!("removed what run {}", dead.owner)));
    let alive: Vec<bool> = groups.iter().map(|group| runs(group.session())).collect();
    assert_eq!(alive, [true, false, true]);
    assert!(!Path::new(&dead.state_dir()).exists() && Path::new(&own.state_dir()).exists());
    assert!(own.sweep().await.unwrap().is_empty());
    // Whatever a node was called then, and though nothing carries the mark.
    let renamed = NodeSpec { name: format!("{}-once", own.spec().name), ..own.spec().clone() };
    let renamed = Node::of(&renamed, &dead.owner);
    groups.push(renamed.start("tool", "exec env -i sleep 63", "log").await.unwrap());
    until("the mark is gone", || {
        let pid = groups[3].session();
        std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|text| text.is_empty())
    })
    .await;
    let lines = own.sweep().await.unwrap();
    assert!(lines[0].starts_with("ended `sleep 63` (pid "), "{lines:?}");
    assert!(!Path::new(&renamed.state_dir()).exists());
    for node in [&own, &elsewhere] {
        node.end_all().await.unwrap();
    }
    assert!(!groups.iter().any(|group| runs(group.session())));
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(directory.path());
    std::fs::create_dir_all(directory.path().join("work/taken")).unwrap();
    let check = async |name: &str, output: &str, expected: &str| {
        let error = node.start(name, "sleep 60", output).await.unwrap_err();
        assert!(error.message.contains(expected), "{error}");
    };
    check("a", "taken", "taken").await;
    check("a/b", "log", "cannot name a group").await;
    check("a", "/proc/nowhere/log", "/proc/nowhere").await;
    let relative = NodeSpec { workdir: "work".into(), ..node.spec().clone() };
    let error = Node::new(&relative).run("true", LONG).await.unwrap_err();
    assert!(error.message.contains("absolute path"), "{error}");
}

#[tokio::test]
async fn what_is_copied_is_the_same_there_and_back() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(directory.path());
    let (from, back) = (directory.path().join("it's here"), directory.path().join("back"));
    std::fs::create_dir_all(from.join("a b")).unwrap();
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    std::fs::write(from.join("a b/c'd"), &bytes).unwrap();
    let remote = directory.path().join("work/to").to_str().unwrap().to_owned();
    for _ in 0..2 {
        node.upload(&from, &remote).await.unwrap();
    }
    assert_eq!(std::fs::read_dir(&remote).unwrap().count(), 1);
    node.copy_to_local(&format!("{remote}/a b/c'd"), &back).await.unwrap();
    assert_eq!(std::fs::read(&back).unwrap(), bytes);
    let error = node.copy_to_local("/nowhere/a", &back).await.unwrap_err();
    assert!(error.message.starts_with("/nowhere/a cannot be copied to /"), "{error}");
    let error = node.upload(&from, "/proc/nowhere").await.unwrap_err();
    assert!(error.message.contains("cannot be copied to /proc/nowhere"), "{error}");
}
