//! A file of a million readings, from its text to a verdict: what `cargo xtask analyze` waits for.
//!
//! The promise is less than a second and 500 MB. Peak memory is written to standard error at the end, text included.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use proofload::analysis::analyze;
use proofload::gate::judge;
use proofload::report::{Format, Report, render};
use proofload::results::parse;

const CONTAINERS: usize = 10;
const METRICS: [&str; 10] = [
    "memory.working_set",
    "memory.anon",
    "memory.usage",
    "memory.limit",
    "cpu.usage",
    "cpu.time",
    "network.received",
    "network.sent",
    "threads",
    "http.requests",
];
/// Samples of each of ten trials.
const SAMPLES: usize = 1_000;

fn text() -> String {
    let mut trials = String::new();
    for trial in 0..10 {
        let (kind, phase) = if trial < 5 { ("load", "sample") } else { ("duration", "active") };
        let comma = if trial > 0 { "," } else { "" };
        let _ = write!(
            trials,
            r#"{comma}{{"id": "{kind}::big::agents={trial}", "kind": "{kind}", "scenario_name": "{kind}::big",
            "scenario_params": {{"total_agents": {agents}}}, "started_at": "2026-01-30T14:30:22Z",
            "outcome": {{"outcome": "completed"}}, "rules": {RULES}, "samples": ["#,
            agents = (trial + 1) * 10,
        );
        for sample in 0..SAMPLES {
            write_sample(&mut trials, phase, trial, sample);
        }
        trials.push_str("]}");
    }
    format!(
        r#"{{"schema_version": 1, "test_id": "big", "started_at": "2026-01-30T14:30:22Z",
        "completed_at": "2026-01-30T15:30:22Z", "scenarios": [{trials}]}}"#
    )
}

fn write_sample(text: &mut String, phase: &str, trial: usize, sample: usize) {
    let comma = if sample > 0 { ",\n" } else { "" };
    let elapsed = sample * 2;
    let _ = write!(
        text,
        r#"{comma}{{"timestamp": {}.25, "timestamp_iso": "2026-01-30T14:30:22.25Z", "elapsed_seconds": {elapsed}.001,
        "phase": "{phase}", "containers": {{"#,
        1_769_783_422 + elapsed
    );
    for container in 0..CONTAINERS {
        let comma = if container > 0 { "," } else { "" };
        let bytes = 300_000_000 + trial * 1_000_000 + (sample * 7919 + container * 31) % 4096 * 100;
        let _ = write!(
            text,
            r#"{comma}"service-{container}": {{"memory_used_mb": {}.0, "memory_limit_mb": 1024.0,
            "memory_percent": 28.4, "cpu_percent": 12.5, "metrics": {{"#,
            bytes / 1_048_576
        );
        for (index, metric) in METRICS.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let _ = write!(text, r#"{comma}"{metric}": {}.5"#, bytes + index);
        }
        text.push_str("}}");
    }
    text.push_str("}}");
}

const RULES: &str = r#"{
    "thresholds": [
        {"metric": "memory.anon", "stat": "slope", "op": "<", "value": "1 MiB/min"},
        {"metric": "cpu.time", "stat": "rate", "op": "<", "value": "2"},
        {"metric": "http.requests", "stat": "p99", "op": "<", "value": "1000000000"}
    ],
    "leak": {"gate": "verdict", "watch": "0.5 MiB/min", "leak": "1 MiB/min", "gross": "60 MiB/min",
             "certain": true, "shortest": "4m"},
    "reset": {"within": 0.1, "gate": true}
}"#;

/// The peak of resident memory in MB so far.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(0.0) * 1024.0 / 1e6
}

fn million_readings(criterion: &mut Criterion) {
    let text = text();
    let before = peak();
    let results = parse(&text).expect("the generated file is a results file");
    let analysis = analyze(&results);
    let judgement = judge(&results, &analysis);
    let report = Report { results: &results, analysis: &analysis, judgement: &judgement };
    black_box(render(&report, Format::Json, false));
    let readings: usize =
        results.scenarios.iter().flat_map(|t| &t.samples).map(|s| s.readings.len()).sum();
    eprintln!(
        "{readings} readings in {:.0} MB of text: peak of resident memory {:.0} MB, {before:.0} MB before",
        text.len() as f64 / 1e6,
        peak()
    );
    let mut group = criterion.benchmark_group("million_readings");
    group.sample_size(10);
    group.bench_function("parse", |bench| bench.iter(|| parse(black_box(&text))));
    group.bench_function("analyze", |bench| bench.iter(|| analyze(black_box(&results))));
    group.bench_function("judge", |bench| bench.iter(|| judge(black_box(&results), &analysis)));
    group.bench_function("whole", |bench| {
        bench.iter(|| {
            let results = parse(black_box(&text)).expect("parsed before");
            judge(&results, &analyze(&results))
        });
    });
    group.finish();
}

criterion_group!(benches, million_readings);
criterion_main!(benches);
