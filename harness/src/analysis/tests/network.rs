//! A made-up run of kind network: a cheap and an expensive tool on hosts, one in a virtual machine, and a baseline alone.

use serde_json::json;

use super::*;
use crate::model::rules::{AbMetric, AbRule};
use crate::model::{Severity, Stat};

/// Pairs of each comparison.
const PAIRS: u32 = 4;

/// A tool: its name, and what it leaves of throughput.
type Effect<'a> = (&'a str, f64);

fn rule() -> AbRule {
    let metrics = [metric::NET_THROUGHPUT, metric::NET_LATENCY_MEAN, metric::NET_PACKETS];
    let of = |metric: &Metric| AbMetric {
        metric: metric.name.to_string(),
        source: None,
        stat: Stat::Mean,
        severity: Severity::Warn,
        min_effect: None,
        margin: None,
        priors: std::collections::BTreeMap::new(),
    };
    let metrics = metrics.iter().map(of).collect();
    AbRule { looks: vec![PAIRS], min_effect: 0.05, margin: 0.05, within: None, metrics }
}

fn sample(trial: &mut TrialRecord, phase: &str, readings: Vec<Reading>) {
    let elapsed = trial.samples.len() as f64;
    let timestamp = jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(elapsed as i64);
    trial.samples.push(Sample { elapsed, timestamp, phase: phase.into(), cycle: 0, readings });
}

fn reading(metric: &Metric, source: &str, value: f64) -> Reading {
    Reading::new(metric, &source.into(), value)
}

/// What is read of the tool in one tick after it used `cores` for `seconds`, and of its node.
fn ticks(tool: Option<f64>, seconds: f64) -> Vec<Reading> {
    let mut readings = vec![reading(&metric::NODE_CPU_BUSY, "server", 0.5)];
    if let Some(cores) = tool {
        readings.extend([
            reading(&metric::CPU_USAGE, "tool", cores),
            reading(&metric::CPU_TIME, "tool", 0.5 + cores * seconds),
            reading(&metric::MEMORY_RSS, "tool", 1024.0 * (1000.0 + seconds)),
            reading(&metric::MEMORY_VIRTUAL, "tool", 1024.0 * 5000.0),
            reading(&metric::LOG_SIZE, "tool", 100.0 * seconds),
            reading(&metric::PROCESSES, "tool", 1.0),
        ]);
    }
    readings
}

/// The seed's six tests, with their figures where a tool leaves `left` of throughput. The wobble is the same from run
/// to run of one number.
fn figures(test: &str, left: f64, pair: u32) -> Vec<Reading> {
    let wobble = 1.0 + 0.002 * f64::from(pair % 3) * (1.0 + left);
    let of = |metric: &Metric, value: f64| reading(metric, test, value * wobble);
    let latency = |base: f64| {
        vec![
            of(&metric::NET_LATENCY_MIN, base / 2.0),
            of(&metric::NET_LATENCY_MEAN, base / left),
            of(&metric::NET_LATENCY_MAX, base * 10.0),
        ]
    };
    match test {
        "tcp_rr" => latency(73.34e-6),
        "udp_rr" => latency(67.17e-6),
        "throughput_single" | "throughput_multi" => vec![
            of(&metric::NET_THROUGHPUT_SENT, 14.47e9 * left),
            of(&metric::NET_THROUGHPUT, 14.4e9 * left),
        ],
        _ => vec![
            of(&metric::NET_PACKETS_SENT, 200_000.0 * left),
            of(&metric::NET_PACKETS, 190_000.0 * left),
            of(&metric::NET_THROUGHPUT, 1e8 * left),
        ],
    }
}

const TESTS: [(&str, &str); 6] = [
    ("throughput_single", "throughput"),
    ("throughput_multi", "throughput"),
    ("tcp_rr", "latency"),
    ("udp_rr", "latency"),
    ("pps_single", "pps"),
    ("pps_multi", "pps"),
];

fn walk(id: &str, environment: &str, pair: u32, tool: Option<Effect<'_>>) -> TrialRecord {
    let mut run = ruled(trial(Kind::Network, id), |rules| rules.thresholds.clear());
    run.scenario_name = "network::net".to_owned();
    run.target = Some("testbed".to_owned());
    run.repeat = pair;
    let [server, client] = if environment == "vm" { [101, 102] } else { [1, 2] };
    let end = |side: &str, last: u8| json!({ "node": format!("{environment}-{side}"), "ip": format!("198.18.1.{last}") });
    let tests: Vec<Value> =
        TESTS.iter().map(|(name, topic)| json!({ "name": name, "topic": topic })).collect();
    let mut network = json!({
        "environment": environment, "server": end("server", server), "client": end("client", client), "tests": tests,
    });
    if let Some((name, _)) = tool {
        let command = format!("sudo ./{name} --src-ip 198.18.1.2, \"quoted\"");
        network["tool"] = json!({ "name": name, "node": "host-server", "command": command });
    }
    run.metadata.insert("network".to_owned(), network);
    let cores = tool.map(|(_, left)| 2.0 * (1.0 - left));
    let mut start = ticks(cores, 0.0);
    if let Some((name, _)) = tool {
        start.push(reading(&metric::TOOL_STARTUP_TIME, name, 1.25));
        start.push(reading(&metric::TOOL_STARTUP_CPU, name, 0.5));
    }
    sample(&mut run, "start", start);
    for (test, _) in TESTS {
        for _ in 0..3 {
            let seconds = run.samples.len() as f64;
            sample(&mut run, test, ticks(cores, seconds));
        }
        let mut end = ticks(cores, run.samples.len() as f64);
        end.extend(figures(test, tool.map_or(1.0, |(_, left)| left), pair));
        sample(&mut run, test, end);
    }
    run
}

/// The runs of one comparison.
fn comparison(environment: &str, effect: Effect<'_>) -> Vec<TrialRecord> {
    let id = format!(
        "network::net::tool={},category=performance/{environment}-network,environment={environment},protocol=tcp,direction=rx",
        effect.0
    );
    let mut runs = Vec::new();
    for pair in 1..=PAIRS {
        let mut sides = [("a", None), ("b", Some(effect))];
        if pair % 2 == 0 {
            sides.reverse();
        }
        for (side, tool) in sides {
            let run = walk(&format!("{id}::ab={side}::r={pair}"), environment, pair, tool);
            let mut run = ruled(run, |rules| rules.ab = Some(rule()));
            run.metadata.insert("comparison".to_owned(), id.clone().into());
            let category = format!("performance/{environment}-network");
            for (name, value) in [
                ("tool", effect.0),
                ("category", &category),
                ("environment", environment),
                ("protocol", "tcp"),
                ("direction", "rx"),
                ("ab", side),
            ] {
                run.scenario_params.insert(name.to_owned(), value.into());
            }
            runs.push(run);
        }
    }
    runs
}

/// The whole run. Its expensive tool takes 30%, its cheap one 0.1%.
pub(crate) fn network() -> Results {
    let mut baseline = walk("network::net::environment=host", "host", 1, None);
    baseline.scenario_params.insert("environment".to_owned(), "host".into());
    let mut trials = vec![baseline];
    trials.extend(comparison("host", ("counter_with_a_name_longer_than_thirty_characters", 0.999)));
    trials.extend(comparison("host", ("expensive", 0.7)));
    trials.extend(comparison("vm", ("counter_with_a_name_longer_than_thirty_characters", 0.999)));
    run(trials)
}
