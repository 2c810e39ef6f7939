//! Against answers in cAdvisor's shape, from `tests/data/probe/cadvisor.json`.

use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

const API: &str = "14b7637d6d1e1a602405cb5c6eb2c0c9b0cde6b93e1bb5880269e423bf9d6edc";
const OTHER: &str = "aaaa637d6d1e1a602405cb5c6eb2c0c9b0cde6b93e1bb5880269e423bf9d6edc";
const ANSWER: &str = include_str!("../../tests/data/probe/cadvisor.json");

async fn answering(server: &MockServer, status: u16, body: &str) {
    server.reset().await;
    let answer = ResponseTemplate::new(status).set_body_raw(body, "application/json");
    Mock::given(method("GET"))
        .and(path("/api/v1.3/docker/"))
        .respond_with(answer)
        .mount(server)
        .await;
}

fn probe(server: &MockServer, members: &[(&str, Handle)]) -> Cadvisor {
    let member =
        |(name, handle): &(&str, Handle)| Member { name: Arc::from(*name), handle: handle.clone() };
    let members: Vec<Member> = members.iter().map(member).collect();
    Cadvisor::open(&CadvisorSpec { url: format!("{}/", server.uri()) }, &members).unwrap()
}

fn container(id: &str) -> Handle {
    Handle::Container { id: id.to_owned() }
}

fn values(seen: &Observation) -> Vec<(&str, f64)> {
    seen.readings.iter().map(|reading| (reading.metric.as_ref(), reading.value)).collect()
}

#[tokio::test]
async fn a_container_is_read_from_its_last_two_statistics() {
    let server = MockServer::start().await;
    answering(&server, 200, ANSWER).await;
    let mut probe = probe(&server, &[("api", container(API))]);
    let seen = probe.read().await;
    let expected = [
        ("memory.usage", 22_581_248.0),
        ("memory.working_set", 21_770_240.0),
        ("memory.anon", 21_098_496.0),
        ("memory.rss", 21_774_336.0),
        ("memory.limit", 67_108_864.0),
        ("memory.fraction", 21_770_240.0 / 67_108_864.0),
        ("cpu.usage", 1.5),
        ("cpu.time", 4.0),
        ("cpu.throttled", 0.25),
        ("network.received", 736.0),
        ("network.sent", 10.0),
        ("disk.read", 4097.0),
        ("disk.written", 8192.0),
        ("processes", 2.0),
        ("threads", 5.0),
        ("files.open", 11.0),
        ("sockets.open", 3.0),
    ];
    assert_eq!(values(&seen), expected);
    assert_eq!(
        probe.read().await,
        Observation::default(),
        "the same timestamp again is no reading"
    );
    answering(&server, 200, &ANSWER.replace("12:21:00.000", "12:21:02.000")).await;
    assert_eq!(values(&probe.read().await)[6], ("cpu.usage", 0.75));
}

#[tokio::test]
async fn what_it_does_not_collect_is_absent() {
    let server = MockServer::start().await;
    answering(&server, 200, ANSWER).await;
    let seen = probe(&server, &[("other", container(OTHER))]).read().await;
    let expected = [
        ("memory.usage", 100.0),
        ("memory.working_set", 50.0),
        ("memory.anon", 40.0),
        ("cpu.time", 5.0),
    ];
    assert_eq!(values(&seen), expected);
}

#[tokio::test]
async fn a_container_is_matched_by_its_whole_id_or_alias() {
    let server = MockServer::start().await;
    answering(&server, 200, ANSWER).await;
    for (id, found) in [
        (API, true),
        (&API[..12], false),
        ("shop_api_1", true),
        ("api", false),
        ("shop_api_", false),
    ] {
        let mut probe = probe(&server, &[("api", container(id))]);
        let seen = probe.read().await;
        assert_eq!(!seen.readings.is_empty(), found, "{id}");
        assert_eq!(
            seen.incidents.iter().any(|incident| incident.kind == EventKind::ProbeMissed),
            !found,
            "{id}"
        );
        assert_eq!(probe.read().await.incidents, [], "said once: {id}");
    }
}

#[tokio::test]
async fn a_server_that_fails_is_missed_once_and_a_process_is_unavailable() {
    let server = MockServer::start().await;
    let mut probe =
        probe(&server, &[("api", container(API)), ("worker", Handle::Process { pid: 1 })]);
    let kinds = |seen: &Observation| -> Vec<EventKind> {
        seen.incidents.iter().map(|each| each.kind).collect()
    };
    for (status, body, expected) in [
        (500, "", vec![EventKind::ProbeMissed]),
        (200, "no json", vec![]),
        (200, ANSWER, vec![EventKind::Unavailable]),
        (200, ANSWER, vec![]),
        (404, "", vec![EventKind::ProbeMissed]),
    ] {
        answering(&server, status, body).await;
        assert_eq!(kinds(&probe.read().await), expected, "{status} {body}");
    }
}
