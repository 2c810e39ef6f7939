//! Against answers in the shape of Prometheus' API v1.

use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::model::EventKind;

async fn answering(server: &MockServer, expr: &str, status: u16, body: &str) {
    server.reset().await;
    let answer = ResponseTemplate::new(status).set_body_raw(body, "application/json");
    let asked =
        Mock::given(method("GET")).and(path("/api/v1/query")).and(query_param("query", expr));
    asked.respond_with(answer).mount(server).await;
}

fn query(expr: &str, source_label: Option<&str>, labels: &[(&str, &str)]) -> Query {
    Query {
        metric: "queue.length".to_owned(),
        expr: expr.to_owned(),
        source_label: source_label.map(str::to_owned),
        unit: None,
        labels: labels
            .iter()
            .map(|(label, value)| ((*label).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

fn vector(series: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{series}]}}}}"#)
}

const TWO: &str = r#"{"metric":{"__name__":"q","job":"api","instance":"a"},"value":[1795263660.781,"3"]},
    {"metric":{"__name__":"q","job":"worker","instance":"a"},"value":[1795263660.781,"4.5"]}"#;

/// Asks once; readings as `source=value`, and the number of incidents.
async fn check(query: Query, body: &str, readings: &[&str], missed: &str) {
    let server = MockServer::start().await;
    answering(&server, &query.expr, 200, body).await;
    let spec = PrometheusSpec { url: format!("{}/", server.uri()), query: vec![query] };
    let mut probe = Prometheus::open(&spec).unwrap();
    let seen = probe.read().await;
    let found: Vec<String> = seen
        .readings
        .iter()
        .map(|reading| format!("{}={}", reading.source, reading.value))
        .collect();
    assert_eq!(found, readings, "{body}");
    let messages: Vec<&str> =
        seen.incidents.iter().map(|incident| incident.message.as_str()).collect();
    assert_eq!(messages.is_empty(), missed.is_empty(), "{messages:?}");
    assert!(messages.iter().all(|message| message.contains(missed)), "{messages:?}");
    assert_eq!(probe.read().await.incidents, [], "said once");
}

#[tokio::test]
async fn scalars_and_vectors_become_readings() {
    let scalar =
        r#"{"status":"success","data":{"resultType":"scalar","result":[1795263660.7,"42"]}}"#;
    check(query("scalar(q)", None, &[]), scalar, &["prometheus=42"], "").await;
    check(query("q", Some("job"), &[]), &vector(TWO), &["api=3", "worker=4.5"], "").await;
    check(query(r#"q{a="b c"} > 1"#, None, &[("job", "api")]), &vector(TWO), &["prometheus=3"], "")
        .await;
}

#[tokio::test]
async fn what_is_no_single_finite_number_is_missed() {
    for text in ["NaN", "+Inf", "-Inf"] {
        let series = format!(r#"{{"metric":{{}},"value":[1795263660,"{text}"]}}"#);
        check(query("q", None, &[]), &vector(&series), &[], "its value is").await;
    }
    check(query("q", None, &[]), &vector(""), &[], "no series answers").await;
    check(query("q", None, &[]), &vector(TWO), &[], "2 series, where one was expected").await;
    check(query("q", Some("zone"), &[]), &vector(TWO), &[], "no series answers").await;
    let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
    check(query("q[1m]", None, &[]), matrix, &[], "an instant vector or a scalar is needed").await;
    let refused = r#"{"status":"error","errorType":"bad_data","error":"parse error: unclosed"}"#;
    check(query("q(", None, &[]), refused, &[], "bad_data: parse error: unclosed").await;
    check(query("q", None, &[]), "<html>", &[], "no answer that can be read").await;
}

#[tokio::test]
async fn a_series_that_goes_and_comes_is_said_each_time() {
    let server = MockServer::start().await;
    let query = query("q", Some("job"), &[]);
    let spec = PrometheusSpec { url: server.uri(), query: vec![query] };
    let mut probe = Prometheus::open(&spec).unwrap();
    let one = TWO.split_once("},\n").unwrap().0.to_owned() + "}";
    for (series, readings, missed) in
        [("", 0, 1), (TWO, 2, 0), (&*one, 1, 1), (&one, 1, 0), (TWO, 2, 0), ("", 0, 2), ("", 0, 0)]
    {
        answering(&server, "q", 200, &vector(series)).await;
        let seen = probe.read().await;
        assert_eq!((seen.readings.len(), seen.incidents.len()), (readings, missed), "{seen:?}");
        assert!(seen.incidents.iter().all(|incident| incident.kind == EventKind::ProbeMissed));
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_missed() {
    let spec =
        PrometheusSpec { url: "http://127.0.0.1:1".to_owned(), query: vec![query("q", None, &[])] };
    let seen = Prometheus::open(&spec).unwrap().read().await;
    assert!(seen.incidents[0].message.contains("refused"), "{seen:?}");
}

#[test]
fn a_metric_takes_its_unit_from_the_query_or_the_catalog() {
    let check = |metric: &str, unit: Option<Unit>, expected: Unit| {
        let query = Query { metric: metric.to_owned(), unit, ..query("q", None, &[]) };
        assert_eq!(metric_of(&query).unit, expected, "{metric}");
    };
    check("memory.anon", None, Unit::Bytes);
    check("queue.wait", Some(Unit::Seconds), Unit::Seconds);
    check("queue.length", None, Unit::Count);
}
