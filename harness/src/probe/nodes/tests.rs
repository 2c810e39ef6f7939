//! Answers written down as text, and what this machine answers.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;
use crate::model::EventKind;
use crate::model::spec::network::NodeSpec;

/// One process: pid, parent, session, (minor, waited minor, major), (own ticks, waited ticks), start, name.
type Process<'a> = (u32, u32, u32, [u64; 3], [u64; 2], u64, &'a str);

fn line(
    (pid, parent, session, [minor, waited_minor, major], [own, waited], start, name): &Process<'_>,
) -> String {
    format!(
        "{pid} ({name}) S {parent} {pid} {session} 0 -1 4194304 {minor} {waited_minor} {major} 0 {own} 0 {waited} 0 20 0 \
         1 0 {start} 8192000 100 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
    )
}

fn answer(uptime: f64, busy: u64, tool: Option<(u32, &[Process<'_>], Option<u64>)>) -> String {
    let mut text = String::from("@page 4\n");
    if let Some((session, processes, output)) = tool {
        text.extend(processes.iter().map(line));
        if let Some(bytes) = output {
            text.push_str(&format!("@output\n-rw-r--r-- 1 0 0 {bytes} Nov 21 18:00 /w/t 1.log\n"));
        }
        text.push_str(&format!("@tool {session} 50\n"));
    }
    format!(
        "{text}@uptime {uptime:.2}\ncpu  {busy} 0 0 900 0 0 0 0 0 0\ncpu0 {busy} 0 0 900 0 0 0 0 0 0\n@end\n"
    )
}

fn nodes(names: &[&str]) -> Nodes {
    let member = |name: &&str| {
        let node = NodeSpec {
            name: (*name).to_owned(),
            ssh: "192.0.2.1".to_owned(),
            ssh_config: None,
            workdir: "/tmp".to_owned(),
            sudo: false,
        };
        Member { name: Arc::from(*name), handle: Handle::Node { node, for_tool: true } }
    };
    Nodes::open(&names.iter().map(member).collect::<Vec<_>>())
}

fn values(observation: &Observation) -> Vec<(&str, &str, f64)> {
    let readings = observation.readings.iter();
    readings.map(|r| (&*r.source, &*r.metric, (r.value * 1e6).round() / 1e6)).collect()
}

fn value(observation: &Observation, metric: &Metric) -> Option<f64> {
    observation.readings.iter().find(|r| r.metric == metric.name).map(|r| r.value)
}

#[test]
fn a_node_and_the_tool_on_it_are_read_over_the_clock_of_the_node() {
    let mut nodes = nodes(&["h"]);
    let tool = |minor, own| [(7, 1, 7, [minor, 1, 2], [own, 0], 50, "py) S 3 (x")];
    let first = nodes.observe(vec![Ok(answer(10.0, 100, Some((7, &tool(5, 40), Some(9)))))]);
    let expected = [
        ("h", "node.cpus", 1.0),
        ("tool", "cpu.time", 0.4),
        ("tool", "memory.rss", 409_600.0),
        ("tool", "memory.virtual", 8_192_000.0),
        ("tool", "faults.minor", 6.0),
        ("tool", "faults.major", 2.0),
        ("tool", "log.size", 9.0),
        ("tool", "processes", 1.0),
    ];
    assert_eq!(values(&first), expected);
    let second = nodes.observe(vec![Ok(answer(12.0, 250, Some((7, &tool(8, 140), None))))]);
    assert!(values(&second).contains(&("h", "node.cpu.busy", 0.75)), "{second:?}");
    assert!(values(&second).contains(&("tool", "cpu.usage", 0.5)), "{second:?}");
    assert_eq!(value(&second, &LOG_SIZE), None, "no file is no size");
    let third = nodes.observe(vec![Ok(answer(12.0, 250, Some((7, &tool(8, 140), None))))]);
    assert_eq!(value(&third, &CPU_USAGE), None, "no time passed");
    let fourth = nodes.observe(vec![Ok(answer(13.0, 250, None))]);
    assert_eq!(values(&fourth), [("h", "node.cpus", 1.0), ("h", "node.cpu.busy", 0.0)]);
}

#[test]
fn counters_do_not_fall_when_processes_end_and_their_ids_are_used_again() {
    let mut nodes = nodes(&["h"]);
    let zero = [0, 0, 0];
    let mut time = |uptime, processes: &[Process<'_>]| {
        let read = nodes.observe(vec![Ok(answer(uptime, 0, Some((7, processes, None))))]);
        (value(&read, &CPU_TIME), value(&read, &PROCESSES))
    };
    let lead = (7, 1, 7, zero, [10, 0], 50, "a");
    // 8 left the session, and is still a child.
    let all = [lead, (8, 7, 8, zero, [100, 0], 60, "b"), (9, 8, 9, zero, [5, 0], 70, "c")];
    assert_eq!(time(1.0, &all), (Some(1.15), Some(3.0)));
    // 8 ended and nobody waited for it; its child stays ours, and the number 8 is another process's.
    let later = [lead, (8, 1, 1, zero, [999, 0], 80, "x"), (9, 1, 9, zero, [6, 0], 70, "c")];
    assert_eq!(time(2.0, &later), (Some(1.16), Some(2.0)));
    // 9 ended and was waited for by nobody either.
    assert_eq!(time(3.0, &[lead]), (Some(1.16), Some(1.0)));
    assert_eq!(time(4.0, &[(7, 1, 7, zero, [30, 0], 50, "a")]), (Some(1.36), Some(1.0)));
}

#[test]
fn a_session_of_the_same_number_is_somebody_else() {
    let other = [(7, 1, 7, [0; 3], [3, 0], 99, "x"), (8, 7, 7, [0; 3], [3, 0], 100, "y")];
    let read = nodes(&["h"]).observe(vec![Ok(answer(1.0, 0, Some((7, &other, None))))]);
    assert_eq!(values(&read), [("h", "node.cpus", 1.0)]);
}

#[test]
fn sudo_counts_as_time_and_not_as_memory() {
    let processes =
        [(7, 1, 7, [0; 3], [3, 0], 50, "sudo"), (8, 7, 8, [0; 3], [10, 0], 51, "python3")];
    let read = nodes(&["h"]).observe(vec![Ok(answer(1.0, 0, Some((7, &processes, None))))]);
    assert_eq!(value(&read, &MEMORY_RSS), Some(409_600.0));
    assert_eq!(value(&read, &PROCESSES), Some(1.0));
    assert_eq!(value(&read, &CPU_TIME), Some(0.13));
}

#[test]
fn a_node_that_does_not_answer_is_missed_once_and_the_others_are_read() {
    let mut nodes = nodes(&["a", "b"]);
    let good = || Ok(answer(1.0, 0, None));
    let whole = answer(1.0, 0, None);
    let mut missed = |answers: Vec<Result<String, String>>| -> Vec<(String, EventKind)> {
        let read = nodes.observe(answers);
        read.incidents.iter().map(|i| (i.source.to_string(), i.kind)).collect()
    };
    let b = || vec![("b".to_owned(), EventKind::ProbeMissed)];
    assert_eq!(missed(vec![good(), Err("gone".to_owned())]), b());
    assert_eq!(missed(vec![good(), Err("gone".to_owned())]), []);
    assert_eq!(missed(vec![good(), good()]), []);
    // An answer that was cut off anywhere is none, and no panic.
    for end in 0..whole.len() {
        let expected = if end == 0 { b() } else { Vec::new() };
        assert_eq!(missed(vec![good(), Ok(whole[..end].to_owned())]), expected, "{end}");
    }
}

/// What there is of a tool where a node is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// It is not asked after.
    NoTool,
    NotStarted,
    Ended,
    Running,
}

/// Asks this machine, in a shell, after a group whose session is that of this test.
#[track_caller]
fn ask(shell: &[&str], known: &[u32], awk_is_missing: bool, asked: Asked) -> std::process::Output {
    let state = tempfile::tempdir().unwrap();
    let own = std::fs::read_to_string("/proc/self/stat").unwrap();
    let session = own.rsplit_once(") ").unwrap().1.split(' ').nth(3).unwrap().to_owned();
    let (record, log) = (state.path().join("to ol.group"), state.path().join("a b.log"));
    std::fs::write(&log, "12345").unwrap();
    if asked != Asked::NotStarted {
        std::fs::write(&record, format!("{session} 0 1 2 boot {}\n", log.display())).unwrap();
    }
    if asked == Asked::Ended {
        std::fs::write(state.path().join("to ol.exit.0"), "").unwrap();
    }
    let record = quote(record.to_str().unwrap()).unwrap();
    let listed = (asked != Asked::NoTool).then(|| (&*record, known.iter().copied()));
    let line = script(listed, true);
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if awk_is_missing {
        for program in ["cat", "grep", "sed", "ls"] {
            let path = ["/bin", "/usr/bin"].map(|dir| format!("{dir}/{program}"));
            let path = path.iter().find(|path| std::path::Path::new(path).exists()).unwrap();
            std::os::unix::fs::symlink(path, state.path().join(program)).unwrap();
        }
        command.env("PATH", state.path());
    }
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The shells that this machine has.
fn shells() -> impl Iterator<Item = &'static [&'static str]> {
    let shells: [&[&str]; 3] = [&["/bin/sh"], &["bash", "--posix"], &["busybox", "sh"]];
    shells.into_iter().filter(|shell| Command::new(shell[0]).arg("--help").output().is_ok())
}

#[test]
fn this_machine_answers_in_any_posix_shell() {
    let own = i32::try_from(std::process::id()).unwrap();
    for shell in shells() {
        let output = ask(shell, &[1], false, Asked::Running);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && output.stderr.is_empty(), "{shell:?} {output:?}");
        let answer = Answer::parse(&text).unwrap();
        let tool = answer.tool.unwrap();
        assert!(answer.uptime > 0.0 && answer.times.cpus > 0, "{text}");
        assert_eq!((tool.output, answer.page.map(|page| page % 4096)), (Some(5), Some(0)));
        let stat = tool.processes.iter().find(|stat| stat.pid == own).expect("this process");
        assert!(stat.rss > 0 && stat.vsize > 0);
    }
}

#[test]
fn a_node_without_awk_says_so_instead_of_showing_no_tool() {
    let output = ask(&["/bin/sh"], &[], true, Asked::Running);
    let answer = Answer::parse(&String::from_utf8_lossy(&output.stdout));
    assert!(answer.is_err_and(|why| why.contains("awk")), "{output:?}");
}

#[test]
fn processes_are_listed_without_the_tool_too_and_none_is_shown() {
    for asked in [Asked::NotStarted, Asked::Ended] {
        for shell in shells() {
            let output = ask(shell, &[], false, asked);
            let text = String::from_utf8_lossy(&output.stdout);
            let is_sound = output.stderr.is_empty() && Answer::parse(&text).is_ok();
            assert!(is_sound, "{shell:?} {output:?}");
            // Nothing but the page before the clock.
            let before = text.split("@uptime").next().unwrap();
            let is_page = before.starts_with("@page ") && before.lines().count() == 1;
            assert!(is_page, "{shell:?} {text}");
        }
        // That they were listed shows where it cannot be done.
        let output = ask(&["/bin/sh"], &[], true, asked);
        let answer = Answer::parse(&String::from_utf8_lossy(&output.stdout));
        assert!(answer.is_err_and(|why| why.contains("awk")), "{output:?}");
    }
}

#[test]
fn a_node_that_is_not_for_a_tool_lists_nothing() {
    let output = ask(&["/bin/sh"], &[], true, Asked::NoTool);
    let answer = Answer::parse(&String::from_utf8_lossy(&output.stdout)).unwrap();
    assert!(answer.tool.is_none() && answer.times.cpus > 0, "{output:?}");
}
