//! The driver against an application on the loopback interface that keeps a log of what it is asked.

use std::collections::BTreeMap;

use serde_json::json;

use super::fake::{App, System};
use super::*;
use crate::model::Param;
use crate::model::spec::driver::{Request, Status};

const SECRET: &str = "s3cr3t+äöü";
const QUICK: Pace = Pace { first: Duration::from_millis(1), last: Duration::from_millis(2) };

fn post(path: &str) -> Request {
    let (method, path) = ("POST".to_owned(), path.to_owned());
    Request { method, path, headers: BTreeMap::new(), body: None, expect: Vec::new() }
}

fn spec(base_url: &str) -> AgentsSpec {
    AgentsSpec {
        base_url: base_url.to_owned(),
        headers: BTreeMap::new(),
        groups: vec!["drivers".to_owned(), "riders".to_owned()],
        start: Some(post("/start")),
        spawn: Request { body: Some("{\"count\": {count}}".to_owned()), ..post("/agents/{group}") },
        status: Some(Status {
            method: "GET".to_owned(),
            path: "/agents".to_owned(),
            headers: BTreeMap::new(),
            expect: Vec::new(),
            live: "/live".to_owned(),
        }),
        stop: Some(post("/stop")),
        reset: Some(post("/reset")),
        within: Length(Duration::from_secs(20)),
        timeout: Length(Duration::from_secs(5)),
    }
}

fn open(spec: &AgentsSpec) -> Result<Agents, DriverError> {
    let lookup: Lookup = |name| (name == "API_KEY").then(|| SECRET.to_owned());
    let params = Params::default().with("mode", Param::Text("fast".to_owned()));
    Agents::with(spec, &params, lookup, QUICK)
}

/// Enters the actions and compares what the application was asked.
async fn check(app: &App, spec: &AgentsSpec, actions: &[Action], expected: &[&str]) {
    let mut agents = open(spec).unwrap();
    for action in actions {
        agents.enter(action).await.unwrap_or_else(|error| panic!("{action:?}: {error}"));
    }
    assert_eq!(app.take_log(), expected, "{actions:?}");
}

fn impatient(spec: &AgentsSpec) -> AgentsSpec {
    AgentsSpec { within: Length(Duration::from_millis(40)), ..spec.clone() }
}

/// The message with which entering a level of 20 fails, and whether that is the system's fault.
async fn failure(spec: &AgentsSpec) -> (bool, String) {
    let mut agents = open(&impatient(spec)).unwrap();
    let error = agents.enter(&Action::Level(20)).await.unwrap_err();
    (error.system, error.message)
}

fn readings(seen: &Observation) -> Vec<&str> {
    seen.readings.iter().map(|reading| &*reading.metric).collect()
}

#[tokio::test]
async fn every_group_is_brought_to_the_level_and_a_higher_level_adds_the_difference() {
    use Action::{Keep, Level};
    let app = App::start(System { delay: 2, ..System::default() }).await;
    check(
        &app,
        &spec(&app.uri()),
        &[Keep, Level(10), Keep, Level(10), Level(40)],
        &[
            "POST /start",
            "POST /agents/drivers {\"count\": 10}",
            "POST /agents/riders {\"count\": 10}",
            "POST /agents/drivers {\"count\": 30}",
            "POST /agents/riders {\"count\": 30}",
        ],
    )
    .await;
}

#[tokio::test]
async fn without_groups_and_status_the_spawn_answer_counts() {
    let app = App::start(System::default()).await;
    let mut spec = AgentsSpec { groups: Vec::new(), start: None, status: None, ..spec(&app.uri()) };
    spec.spawn.path = "/agents/all?mode={mode}&level={agents}".to_owned();
    let actions = [Action::Level(5), Action::Stop, Action::Level(5)];
    let spawn = "POST /agents/all {\"count\": 5}";
    check(&app, &spec, &actions, &[spawn, "POST /stop", spawn]).await;
    let received = app.received().await;
    assert_eq!(received[0].url.query(), Some("mode=fast&level=5"));
    let mut agents = open(&spec).unwrap();
    agents.enter(&Action::Level(1)).await.unwrap();
    assert_eq!(readings(&agents.read().await), ["agents.spawn_time"]);
}

#[tokio::test]
async fn a_status_by_group_is_added_up() {
    let app = App::start(System::default()).await;
    let mut spec = spec(&app.uri());
    spec.status = spec.status.map(|status| Status {
        path: "/agents/{group}".into(),
        live: String::new(),
        ..status
    });
    let mut agents = open(&spec).unwrap();
    agents.enter(&Action::Level(3)).await.unwrap();
    assert_eq!(agents.read().await.readings[1].value, 6.0);
}

#[tokio::test]
async fn after_a_stop_or_reset_the_level_starts_from_what_is_left() {
    use Action::{Level, Reset, Stop};
    let spawned = [
        "POST /start",
        "POST /agents/drivers {\"count\": 2}",
        "POST /agents/riders {\"count\": 2}",
    ];
    let again = |between: &'static str| [&spawned[..], &[between], &spawned[..]].concat();
    let app = App::start(System::default()).await;
    check(&app, &spec(&app.uri()), &[Level(2), Reset, Level(2)], &again("POST /reset")).await;
    app.change(|system| system.live.clear());
    check(&app, &spec(&app.uri()), &[Level(2), Stop, Level(2)], &again("POST /stop")).await;
    app.change(|system| *system = System { pauses: true, ..System::default() });
    let resumed = [&spawned[..], &["POST /stop", "POST /start"]].concat();
    check(&app, &spec(&app.uri()), &[Level(2), Stop, Level(2)], &resumed).await;
}

#[tokio::test]
async fn agents_of_an_earlier_trial_are_reset_and_never_counted() {
    let app = App::start(System::default()).await;
    let earlier = |system: &mut System| {
        system.live.insert("drivers".into(), 5);
    };
    app.change(earlier);
    let spawned = [
        "POST /reset",
        "POST /start",
        "POST /agents/drivers {\"count\": 2}",
        "POST /agents/riders {\"count\": 2}",
    ];
    check(&app, &spec(&app.uri()), &[Action::Level(2)], &spawned).await;
    app.change(earlier);
    let (system, message) = failure(&AgentsSpec { reset: None, ..spec(&app.uri()) }).await;
    assert!(!system && message.starts_with("7 agents live before the first"), "{message}");
}

#[tokio::test]
async fn a_reset_waits_for_zero() {
    let app = App::start(System::default()).await;
    let mut agents = open(&impatient(&spec(&app.uri()))).unwrap();
    agents.enter(&Action::Level(20)).await.unwrap();
    app.change(|system| system.say("/agents", 200, "{\"live\": 3}"));
    let entered = agents.enter(&Action::Reset).await.unwrap_err();
    let expected =
        "0 agents wanted after the reset, 3 live after 40ms; the last status answer: {\"live\": 3}";
    assert_eq!(entered, DriverError::system(expected));
    app.change(|system| system.broken.clear());
    agents.enter(&Action::Reset).await.unwrap();
}

#[tokio::test]
async fn a_level_below_the_present_one_is_refused() {
    let app = App::start(System::default()).await;
    let mut agents = open(&spec(&app.uri())).unwrap();
    agents.enter(&Action::Level(4)).await.unwrap();
    let expected = "driver.agents cannot go down from 4 to 2 agents per group: reset in between";
    assert_eq!(agents.enter(&Action::Level(2)).await, Err(DriverError::rig(expected)));
}

#[tokio::test]
async fn a_request_that_the_scenario_lacks_is_named() {
    let app = App::start(System::default()).await;
    let mut agents = open(&AgentsSpec { stop: None, reset: None, ..spec(&app.uri()) }).unwrap();
    assert_eq!(agents.enter(&Action::Stop).await, Ok(()), "nothing to stop yet");
    agents.enter(&Action::Level(1)).await.unwrap();
    for (action, key) in [(Action::Stop, "`stop`"), (Action::Reset, "`reset`")] {
        let error = agents.enter(&action).await.unwrap_err();
        assert!(
            !error.system
                && error.message.contains(&format!("add the key {key} to [driver.agents]")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_time_out_quotes_the_last_status() {
    let app = App::start(System { most: Some(37), ..System::default() }).await;
    let expected =
        "40 agents wanted, 37 live after 40ms; the last status answer: {\"live\":37,\"pending\":0}";
    assert_eq!(failure(&spec(&app.uri())).await, (true, expected.to_owned()));
    app.change(|system| system.say("/agents", 503, "busy"));
    let uri = app.uri();
    let expected = format!(
        "40 agents wanted, no status answer after 40ms; the last status request: \
         GET {uri}/agents answered 503 Service Unavailable, expected any 2xx: busy"
    );
    assert_eq!(failure(&spec(&app.uri())).await, (true, expected));
}

#[tokio::test]
async fn an_unexpected_status_is_the_systems_fault_and_quotes_the_beginning_of_the_body() {
    let app = App::start(System::default()).await;
    let uri = app.uri();
    app.change(|system| {
        system.say("/agents/riders", 500, "no\n  room ".repeat(100));
    });
    let (system, message) = failure(&spec(&app.uri())).await;
    let start = format!(
        "POST {uri}/agents/riders answered 500 Internal Server Error, expected any 2xx: no room no"
    );
    assert!(system && message.starts_with(&start) && message.ends_with("..."), "{message}");
    assert!(message.len() < start.len() + 200, "{message}");

    let mut spec = spec(&app.uri());
    spec.spawn.expect = vec![200, 202];
    let expected =
        format!("POST {uri}/agents/drivers answered 201 Created, expected 200 or 202: (no body)");
    assert_eq!(failure(&spec).await, (true, expected));
    spec.spawn.expect = vec![201, 500];
    app.change(|system| system.live.clear());
    let message = failure(&spec).await.1;
    assert!(message.starts_with("40 agents wanted, 20 live"), "{message}");
}

#[tokio::test]
async fn a_refused_connection_is_the_systems_fault() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let (system, message) = failure(&spec(&uri)).await;
    assert!(system && message.starts_with(&format!("POST {uri}/start failed: ")), "{message}");
    assert!(message.contains("Connection refused"), "{message}");
}

#[tokio::test]
async fn a_pointer_to_nothing_is_the_rigs_fault_and_told_with_the_keys_at_once() {
    let app = App::start(System::default()).await;
    let mut spec = spec(&app.uri());
    spec.status = spec.status.map(|status| Status { live: "/alive".to_owned(), ..status });
    let DriverError { system, message } =
        open(&spec).unwrap().enter(&Action::Level(20)).await.unwrap_err();
    let expected = "/agents: the answer has nothing at \"/alive\": it is an object with the keys \"live\", \"pending\"";
    assert!(!system && message.contains(expected), "{message}");
}

#[tokio::test]
async fn bodies_are_json_unless_a_header_says_otherwise() {
    let app = App::start(System::default()).await;
    let mut spec = spec(&app.uri());
    spec.headers = BTreeMap::from([("X-Key".to_owned(), "${env:API_KEY}".to_owned())]);
    open(&spec).unwrap().enter(&Action::Level(1)).await.unwrap();
    spec.spawn.headers = BTreeMap::from([("content-type".to_owned(), "text/{mode}".to_owned())]);
    open(&spec).unwrap().enter(&Action::Level(1)).await.unwrap();
    let received = app.received().await;
    let spawns = received.iter().filter(|request| request.url.path() == "/agents/drivers");
    let types: Vec<&str> =
        spawns.map(|request| request.headers["content-type"].to_str().unwrap()).collect();
    assert_eq!(types, ["application/json", "text/fast"]);
    assert!(
        received.iter().all(|request| request.headers["x-key"].as_bytes() == SECRET.as_bytes())
    );
}

#[tokio::test]
async fn readings_tell_the_live_agents_and_once_after_a_level_the_spawn_time() {
    let app = App::start(System::default()).await;
    let mut agents = open(&spec(&app.uri())).unwrap();
    agents.enter(&Action::Level(20)).await.unwrap();
    let seen = agents.read().await;
    assert_eq!(readings(&seen), ["agents.spawn_time", "agents.live"]);
    assert_eq!((&*seen.readings[1].source, seen.readings[1].value), ("driver", 40.0));
    assert!(seen.readings[0].value > 0.0 && seen.incidents.is_empty());
    agents.enter(&Action::Level(20)).await.unwrap();
    assert_eq!(readings(&agents.read().await), ["agents.live"], "nothing was spawned");
}

#[tokio::test]
async fn failed_readings_are_told_once_per_streak_and_counted_at_its_end() {
    let app = App::start(System::default()).await;
    let mut agents = open(&spec(&app.uri())).unwrap();
    let mut told = Vec::new();
    for broken in [false, true, true, true, false, false, true] {
        app.change(|system| match broken {
            true => system.say("/agents", 404, "gone"),
            false => system.broken.clear(),
        });
        let seen = agents.read().await;
        assert_eq!(seen.readings.is_empty(), broken);
        told.extend(seen.incidents.into_iter().map(|incident| (incident.kind, incident.message)));
    }
    let failed = format!("GET {}/agents answered 404 Not Found, expected any 2xx: gone", app.uri());
    let failed = (EventKind::DriverError, failed);
    let again =
        (EventKind::Note, "the status can be read again after 3 failed readings".to_owned());
    assert_eq!(told, [failed.clone(), again, failed]);
}

#[tokio::test]
async fn a_secret_is_sent_but_never_shown() {
    let app = App::start(System::default()).await;
    let mut spec = spec(&app.uri());
    let spawn = spec.spawn.clone();
    spec.headers = BTreeMap::from([("X-Key".to_owned(), "${env:API_KEY}".to_owned())]);
    spec.spawn.path = "/agents/{group}/${env:API_KEY}?key=${env:API_KEY}".to_owned();
    spec.spawn.body = Some("{\"key\": \"${env:API_KEY}\"}".to_owned());
    spec.base_url = spec.base_url.replace("http://", "http://user:${env:API_KEY}@");
    // The echo is cut in the middle of the secret.
    let echo = format!("{}{SECRET} {SECRET}", "x".repeat(195));
    let path = "/agents/drivers/s3cr3t+%C3%A4%C3%B6%C3%BC";
    app.change(|system| system.say(path, 403, echo.clone()));
    let mut shown = vec![failure(&spec).await.1];
    assert!(shown[0].contains("/agents/drivers/***?key=***"), "{}", shown[0]);
    assert_eq!(app.take_log()[1], format!("POST {path} {{\"key\": \"{SECRET}\"}}"));

    spec.spawn = spawn;
    for answer in [
        echo.clone(),
        json!({ SECRET: 1 }).to_string(),
        json!({ "live": 1, "key": SECRET }).to_string(),
    ] {
        app.change(|system| system.say("/agents", 200, answer));
        shown.push(failure(&spec).await.1);
    }
    app.change(|system| system.say("/agents", 401, echo));
    let mut agents = open(&spec).unwrap();
    shown.push(format!("{:?}", agents.read().await));
    shown.push(format!("{agents:?}"));
    spec.base_url = "http://${env:API_KEY}:x".to_owned();
    shown.push(format!("{:?}", open(&spec).unwrap_err()));
    for text in shown {
        assert!(
            !text.contains("s3cr3t") && !text.contains("äö") && !text.contains("%C3"),
            "{text}"
        );
    }
}

#[test]
fn what_is_wrong_in_the_settings_is_told_before_anything_is_sent() {
    let check = |change: fn(&mut AgentsSpec), expected: &str| {
        let mut spec = spec("http://127.0.0.1:9");
        change(&mut spec);
        let error = open(&spec).unwrap_err();
        assert!(!error.system && error.message.starts_with(expected), "{error}");
    };
    let missing =
        |spec: &mut AgentsSpec| drop(spec.headers.insert("X-Key".into(), "${env:NONE}".into()));
    check(missing, "driver.agents.headers.X-Key: the environment variable NONE is not set");
    let unknown =
        "driver.agents.start.path: unknown placeholder {group}: expected {agents}, {mode};";
    check(|spec| spec.start = Some(post("/{group}")), unknown);
    check(|spec| spec.groups.clear(), "driver.agents.spawn.path: unknown placeholder {group}");
    let verb =
        "driver.agents.reset.method: expected GET, POST, PUT, PATCH or DELETE, found \"KICK\"";
    check(|spec| spec.reset.as_mut().unwrap().method = "KICK".to_owned(), verb);
    let url = "driver.agents.base_url and driver.agents.start.path make no http:// or https:// URL";
    check(
        |spec| spec.base_url = "localhost:80".to_owned(),
        &format!("{url} (the scheme is localhost)"),
    );
    check(|spec| spec.base_url = "127.0.0.1".to_owned(), url);
    let bad = |spec: &mut AgentsSpec| drop(spec.headers.insert("X-Key".into(), "a\nb".into()));
    check(bad, "driver.agents.headers.X-Key: the value has a character that no header may have");
    let pointer = |spec: &mut AgentsSpec| spec.status.as_mut().unwrap().live = "live".to_owned();
    check(pointer, "driver.agents.status.live: expected a JSON pointer such as \"/live\"");
}
