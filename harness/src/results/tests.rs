//! Results from the journal's lines to the file and back, ours and the original framework's.

mod directory;
mod foreign;
mod journal;
mod round_trip;
mod schemas;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::document::Date;
use super::{Environment, Line, SCHEMA_VERSION, TrialHeader};
use crate::model::{Event, EventKind, Kind, Outcome, Reading, Rules, Sample, Verdict, metric};

fn date(second: i64) -> Date {
    Date(jiff::Timestamp::from_second(1_769_783_422 + second).unwrap())
}

fn rules() -> Rules {
    serde_json::from_value(json!({
        "thresholds": [{ "metric": "memory.anon", "stat": "p95", "op": "<", "value": "512 MiB" }],
        "leak": {
            "gate": "verdict", "watch": "0.5 MiB/min", "leak": "1 MiB/min",
            "gross": "60 MiB/min", "certain": true, "shortest": "4m",
        },
        "reset": { "within": 0.1, "gate": true },
    }))
    .unwrap()
}

fn run() -> Line {
    Line::Run {
        schema_version: SCHEMA_VERSION,
        test_id: "20260130_143022".to_owned(),
        at: date(0),
        config: json!({ "profile": "quick" }),
        environment: Environment { kernel: "Linux 6.1".to_owned(), cpus: 2, ..Default::default() },
    }
}

fn begin(id: &str) -> Line {
    let mut scenario_params = Map::new();
    scenario_params.insert("agents".to_owned(), json!(10));
    scenario_params.insert("total_agents".to_owned(), json!(20));
    Line::Begin {
        at: date(1),
        trial: Box::new(TrialHeader {
            id: id.to_owned(),
            kind: Kind::Load,
            scenario_name: "load::checkout".to_owned(),
            scenario_params,
            target: "process".to_owned(),
            repeat: 1,
            rules: rules(),
            metadata: Map::from_iter([("description".to_owned(), Value::from("x"))]),
        }),
    }
}

fn sample(elapsed: f64) -> Line {
    let api: Arc<str> = "api".into();
    Line::Sample(Sample {
        elapsed,
        timestamp: jiff::Timestamp::from_microsecond(1_769_783_423_000_000).unwrap(),
        phase: "sample".into(),
        cycle: 0,
        readings: vec![Reading::new(&metric::MEMORY_ANON, &api, 1e6 + elapsed)],
    })
}

fn event(kind: EventKind) -> Line {
    Line::Event(Event {
        kind,
        elapsed_seconds: 2.5,
        timestamp_iso: date(2).0,
        source: "api".to_owned(),
        phase: "sample".to_owned(),
        message: "é: killed".to_owned(),
    })
}

fn end(outcome: Outcome, verdict: Verdict) -> Line {
    Line::End { at: date(9), outcome, verdict, sampler: None }
}

fn passed() -> Line {
    end(Outcome::Completed, Verdict::Pass)
}

fn complete() -> Line {
    Line::Complete { at: date(10) }
}

/// The journal that has these lines.
fn text(lines: &[Line]) -> String {
    let lines: Vec<String> =
        lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
    lines.concat()
}
