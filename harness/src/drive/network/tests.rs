//! The driver on nodes that only note what they are asked.

mod kept;
mod packets;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fake::{self, Odd, Shared, World};
use super::*;
use crate::model::EventKind;
use crate::model::quantity::Length;
use crate::model::spec::network::{Beside, Flow, Hook, Protocol, Shape, Test, Tool, Topic};

const TCP: &str = include_str!("../../../tests/data/network/tools/iperf3/tcp.json");
const RR: &str = include_str!("../../../tests/data/network/tools/netperf/tcp-rr.txt");
const REFUSED: &str = include_str!("../../../tests/data/network/tools/iperf3/refused.json");

const ALL: [Action; 4] = [Action::Start, Action::Test(0), Action::Collect, Action::Stop];

fn world(files: &[(&'static str, &str)]) -> Shared {
    let printed = files.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
    let said = "starting\nready\n".to_owned();
    Arc::new(Mutex::new(World { printed, said, ..World::default() }))
}

fn tcp() -> Shared {
    world(&[("throughput_single_tcp.json", TCP)])
}

fn network(spec: &NetworkSpec, world: &Shared, logs: &Path) -> Network {
    Network::with(spec, logs, logs, fake::nodes(world)).unwrap()
}

/// Walks through all actions as a trial does; the reading after each, and how it ended. After a failure it is stopped.
async fn walk(spec: &NetworkSpec, world: &Shared) -> (Vec<Observation>, Result<(), DriverError>) {
    let logs = tempfile::tempdir().unwrap();
    let mut driver = network(spec, world, &logs.path().join("logs"));
    let mut seen = Vec::new();
    for action in &ALL {
        let entered = driver.enter(action).await;
        if let Err(error) = entered {
            let _ = driver.enter(&Action::Stop).await;
            return (seen, Err(error));
        }
        seen.push(driver.read().await);
    }
    driver.enter(&Action::Stop).await.unwrap();
    (seen, Ok(()))
}

fn with_tool(tool: Tool) -> NetworkSpec {
    NetworkSpec { tool: Some(tool), ..fake::spec() }
}

fn value(seen: &Observation, metric: &str) -> Option<f64> {
    let found = seen.readings.iter().find(|reading| reading.metric == metric)?;
    Some(found.value)
}

/// Fails by whose fault, in which words; and nothing is left running.
async fn check_failure(spec: &NetworkSpec, world: &Shared, system: bool, words: &[&str]) {
    let (_, ended) = walk(spec, world).await;
    let error = ended.unwrap_err();
    assert_eq!(error.system, system, "{error}");
    for word in words {
        assert!(error.message.contains(word), "no {word:?} in: {error}");
    }
    assert_eq!(world.lock().unwrap().running, Vec::<String>::new(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_tool_is_up_before_the_servers_and_the_servers_before_the_clients() {
    let world = tcp();
    let (seen, ended) = walk(&with_tool(fake::tool()), &world).await;
    ended.unwrap();
    assert_eq!(
        world.lock().unwrap().asked,
        [
            "server: start tool",
            "client: mkdir",
            "server: mkdir",
            "server: start server-5001",
            "client: start clients",
            "server: stop server-5001",
            "server: stop tool",
        ]
    );
    assert!(value(&seen[0], "tool.startup.time").is_some());
    assert_eq!(value(&seen[0], "tool.startup.cpu"), Some(0.5));
    assert_eq!(seen[0].readings[0].source.as_ref(), "watch");
    assert_eq!(seen[1], Observation::default());
    assert_eq!(seen[2].readings[0].source.as_ref(), "throughput_single");
    assert_eq!(value(&seen[2], "net.throughput"), Some(14_514_995_760.828_62));
    assert_eq!(value(&seen[2], "net.packets.counted"), Some(0.0));
    assert_eq!(seen[3], Observation::default(), "figures are told once");
}

fn hook(level: Level, init: &str) -> Hook {
    let (name, node) = (format!("{level:?}"), Some("server".to_owned()));
    let (init, post) = (Some(init.to_owned()), Some(format!("post {level:?}")));
    Hook { level, name, node, init, post }
}

#[tokio::test(start_paused = true)]
async fn hooks_surround_the_case_and_each_test_also_after_a_failure() {
    let hooks = |test: &str| vec![hook(Level::Case, "init Case"), hook(Level::Test, test)];
    let spec = NetworkSpec { hooks: hooks("init Test"), ..with_tool(fake::tool()) };
    let world = tcp();
    walk(&spec, &world).await.1.unwrap();
    let asked = world.lock().unwrap().asked.join(", ");
    let place = |what: &str| asked.find(what).unwrap_or_else(|| panic!("no {what} in {asked}"));
    let order = [
        "init Case",
        "start tool",
        "init Test",
        "start server",
        "stop server",
        "post Test",
        "stop tool",
        "post Case",
    ];
    assert!(order.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "{asked}");
    let world = tcp();
    let failing = NetworkSpec { hooks: hooks("fail"), ..spec };
    check_failure(&failing, &world, false, &["init of hook `Test` on server failed: code 1"]).await;
    let asked = world.lock().unwrap().asked.join(", ");
    assert!(asked.ends_with("server: post Test, server: stop tool, server: post Case"), "{asked}");
}

#[test]
fn hooks_that_name_no_node_run_where_the_trial_does() {
    assert_eq!(hook_runner(&fake::spec()).nodes(), ["server", "client"]);
    let mut tool = fake::tool();
    tool.node.name = "third".to_owned();
    assert_eq!(hook_runner(&with_tool(tool)).nodes(), ["server", "client", "third"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_cut_off_is_ended_before_hooks_undo_it() {
    let hooks = [Level::Case, Level::Test].map(|level| hook(level, "init")).to_vec();
    let spec = NetworkSpec { hooks, ..with_tool(fake::tool()) };
    let check = async |hangs: &'static str, end: &str| {
        let world = tcp();
        world.lock().unwrap().odd.insert(hangs, Odd::Hangs);
        let logs = tempfile::tempdir().unwrap();
        let mut driver = network(&spec, &world, &logs.path().join("logs"));
        let mut cut = None;
        for action in &ALL[..2] {
            let entered = tokio::time::timeout(Duration::from_secs(60), driver.enter(action));
            cut = cut.or(entered.await.err());
        }
        assert!(cut.is_some(), "{hangs}");
        driver.enter(&Action::Stop).await.unwrap();
        let asked = world.lock().unwrap().asked.join(", ");
        assert!(asked.ends_with(end), "{hangs}: {asked}");
        assert_eq!(world.lock().unwrap().running, Vec::<String>::new());
    };
    check("server-5001", "end lines, server: stop server-5001, server: post Test, server: stop tool, server: post Case").await;
    check("clients", "end lines, client: stop clients, server: stop server-5001, server: post Test, server: stop tool, server: post Case").await;
}

#[tokio::test(start_paused = true)]
async fn a_baseline_starts_no_tool() {
    let world = tcp();
    let (seen, ended) = walk(&fake::spec(), &world).await;
    ended.unwrap();
    assert!(!world.lock().unwrap().asked.iter().any(|asked| asked.contains("tool")));
    assert_eq!(seen[0], Observation::default());
}

#[tokio::test(start_paused = true)]
async fn an_end_without_an_interface_is_measured_and_has_no_counters() {
    let mut spec = fake::spec();
    spec.server.interface = None;
    let (seen, ended) = walk(&spec, &tcp()).await;
    ended.unwrap();
    assert!(value(&seen[2], "net.throughput").is_some());
    assert_eq!(value(&seen[2], "net.packets.counted"), None, "the server's");
    assert_eq!(value(&seen[2], "net.packets.sent.counted"), Some(0.0), "the client's");
}

#[tokio::test(start_paused = true)]
async fn a_port_that_somebody_has_is_the_rigs_fault_and_names_him() {
    let world = tcp();
    world.lock().unwrap().listening =
        "LISTEN 0 1 0.0.0.0:5001 *:* users:((\"nginx\",pid=77,fd=3))\n".to_owned();
    let words = ["port 5001 on server is taken by nginx (pid 77)"];
    check_failure(&with_tool(fake::tool()), &world, false, &words).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_flow_is_the_tools_fault_where_there_is_one() {
    let refused = || world(&[("throughput_single_tcp.json", REFUSED)]);
    let words = [
        "throughput_single: iperf3 from 198.18.0.1",
        "unable to connect to server: Connection refused",
    ];
    check_failure(&with_tool(fake::tool()), &refused(), true, &words).await;
    check_failure(&fake::spec(), &refused(), false, &words).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_breaks_off_beside_a_tool_is_quoted_and_one_that_is_out_of_reach_is_the_rigs()
{
    let check = async |spec: NetworkSpec, odd: Odd, system: bool, word: &str| {
        let world = world(&[("throughput_single_tcp.json", REFUSED)]);
        world.lock().unwrap().odd.insert("server-5001", odd);
        check_failure(&spec, &world, system, &["Connection refused", word]).await;
    };
    let (beside, baseline) = (with_tool(fake::tool()), fake::spec());
    let ended = "-p 5001` on server ended with exit status 1";
    check(beside.clone(), Odd::Breaks(1), true, ended).await;
    check(baseline.clone(), Odd::Breaks(1), false, ended).await;
    check(beside, Odd::Silent, false, "server: connection timed out").await;
    check(baseline, Odd::Silent, false, "server: connection timed out").await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_before_the_traffic_is_the_rigs_fault() {
    let world = tcp();
    world.lock().unwrap().odd.insert("server-5001", Odd::Ends(1));
    let words = [
        "iperf3 -s -1 -J -B 198.18.0.2 -p 5001",
        "a server on server does not serve",
        "exit status 1",
    ];
    check_failure(&with_tool(fake::tool()), &world, false, &words).await;
    let world = tcp();
    world.lock().unwrap().odd.insert("clients", Odd::Refuses);
    check_failure(&with_tool(fake::tool()), &world, false, &["client: no space left"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_dies_is_told_with_its_last_lines() {
    let world = tcp();
    world.lock().unwrap().odd.insert("tool", Odd::Ends(2));
    let words = ["tool watch on server did not become ready", "exit status 2", "starting"];
    check_failure(&with_tool(fake::tool()), &world, true, &words).await;
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_dies_while_a_test_runs_fails_it_with_its_last_lines() {
    let (world, logs) = (tcp(), tempfile::tempdir().unwrap());
    let mut driver = network(&with_tool(fake::tool()), &world, logs.path());
    driver.enter(&Action::Start).await.unwrap();
    driver.enter(&Action::Test(0)).await.unwrap();
    world.lock().unwrap().odd.insert("tool", Odd::Ends(139));
    let error = driver.enter(&Action::Collect).await.unwrap_err();
    assert!(error.system, "{error}");
    for word in ["tool watch: it ended on server", "exit status 139", "starting"] {
        assert!(error.message.contains(word), "no {word:?} in: {error}");
    }
    driver.enter(&Action::Stop).await.unwrap();
    assert_eq!(world.lock().unwrap().running, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_of_a_node_while_a_test_is_sampled() {
    let (world, logs) = (tcp(), tempfile::tempdir().unwrap());
    let mut driver = network(&with_tool(fake::tool()), &world, logs.path());
    driver.enter(&Action::Start).await.unwrap();
    driver.enter(&Action::Test(0)).await.unwrap();
    let before = world.lock().unwrap().looks;
    assert!(before > 0);
    for _ in 0..3 {
        driver.read().await;
    }
    assert_eq!(world.lock().unwrap().looks, before);
    driver.enter(&Action::Stop).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_never_says_that_it_is_ready_is_given_up() {
    let world = tcp();
    world.lock().unwrap().said = "compiling\n".to_owned();
    let words = ["not within 10s", "no line of its output matches `^ready$`", "compiling"];
    check_failure(&with_tool(fake::tool()), &world, true, &words).await;
}

#[tokio::test(start_paused = true)]
async fn a_tool_without_a_ready_line_must_live_for_a_while() {
    let tool = Tool { ready: None, ..fake::tool() };
    let world = tcp();
    let before = tokio::time::Instant::now();
    let (seen, ended) = walk(&with_tool(tool.clone()), &world).await;
    ended.unwrap();
    assert!(before.elapsed() >= Duration::from_secs(1));
    // How long it took is not known.
    assert_eq!(value(&seen[0], "tool.startup.time"), None);
    world.lock().unwrap().odd.insert("tool", Odd::Ends(1));
    check_failure(&with_tool(tool), &world, true, &["exit status 1"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_has_to_be_killed_fails() {
    let world = tcp();
    world.lock().unwrap().odd.insert("tool", Odd::Stays);
    let words = ["tool watch on server did not end within 5s of SIGTERM and was killed"];
    check_failure(&with_tool(fake::tool()), &world, true, &words).await;
}

#[tokio::test(start_paused = true)]
async fn a_log_that_breaks_off_tells_of_the_file_system() {
    let world = tcp();
    world.lock().unwrap().timing = Some(String::new());
    let words = ["timing.log on client breaks off", "100% /"];
    check_failure(&with_tool(fake::tool()), &world, false, &words).await;
}

fn several(processes: u32) -> NetworkSpec {
    let flow = Flow { processes, ..fake::flow() };
    let test = Test { flow, ..fake::test("throughput_multi") };
    NetworkSpec { tests: vec![test], ..fake::spec() }
}

#[tokio::test(start_paused = true)]
async fn processes_on_several_ports_are_added_where_they_ran_together() {
    let files =
        ["throughput_multi_stream_1_port_5001.json", "throughput_multi_stream_2_port_5002.json"];
    let world = world(&files.map(|file| (file, TCP)));
    let (seen, ended) = walk(&several(2), &world).await;
    ended.unwrap();
    assert_eq!(value(&seen[2], "net.throughput"), Some(2.0 * 14_514_995_760.828_62));
    let late = format!("{} 0 1.0 3.0\n{} 0 2.0 4.0\nall clients have ended\n", files[0], files[1]);
    world.lock().unwrap().timing = Some(late);
    check_failure(&several(2), &world, false, &["ran together for 50% of their time at most"])
        .await;
}

#[tokio::test(start_paused = true)]
async fn one_flow_of_several_that_fails_fails_them_all() {
    let files = [
        ("throughput_multi_stream_1_port_5001.json", TCP),
        ("throughput_multi_stream_2_port_5002.json", REFUSED),
    ];
    check_failure(&several(2), &world(&files), false, &["port 5002: unable to connect"]).await;
}

#[tokio::test(start_paused = true)]
async fn latency_under_load_reports_the_latency_and_needs_the_load() {
    let rr = Flow { shape: Shape::RequestResponse, port: 12865, ..fake::flow() };
    let beside = Beside { tool: "iperf3".to_owned(), flow: fake::flow() };
    let test = Test {
        topic: Topic::Latency,
        tool: "netperf".to_owned(),
        flow: rr,
        beside: Some(Box::new(beside)),
        ..fake::test("latency_tcp_rr")
    };
    let spec = NetworkSpec { tests: vec![test], ..fake::spec() };
    let bulk = "beside_iperf3_port_5001.json";
    let (seen, ended) = walk(&spec, &world(&[("latency_tcp_rr.txt", RR), (bulk, TCP)])).await;
    ended.unwrap();
    assert_eq!(value(&seen[2], "net.latency.mean"), Some(8.92e-6));
    assert_eq!(value(&seen[2], "net.throughput"), None);
    let world = world(&[("latency_tcp_rr.txt", RR), (bulk, REFUSED)]);
    check_failure(&spec, &world, false, &["iperf3 beside it", "Connection refused"]).await;
}

#[test]
fn what_a_tool_cannot_do_is_known_before_anything_starts() {
    let world = tcp();
    let check = |test: Test, expected: &str| {
        let spec = NetworkSpec { tests: vec![test], ..fake::spec() };
        let opened = Network::with(&spec, Path::new("/"), Path::new("/"), fake::nodes(&world));
        assert_eq!(opened.err().unwrap().message, expected);
    };
    check(
        Test { tool: "iperf".to_owned(), ..fake::test("a") },
        "test a: no network tool `iperf`: there are iperf3, netperf, ping",
    );
    let half = Flow { length: Length(Duration::from_millis(2500)), ..fake::flow() };
    check(Test { flow: half, ..fake::test("a") }, "test a: length: iperf3 takes whole seconds");
    let beside = Beside { tool: "iperf3".to_owned(), flow: fake::flow() };
    let twice = Test { beside: Some(Box::new(beside)), ..fake::test("a") };
    let expected = "test a: two servers on port 5001: give one of them another `port`";
    let spec = NetworkSpec { tests: vec![twice], ..fake::spec() };
    let opened = Network::with(&spec, Path::new("/"), Path::new("/"), fake::nodes(&world));
    assert!(opened.err().unwrap().message.ends_with(&expected["test a: ".len()..]));
}
