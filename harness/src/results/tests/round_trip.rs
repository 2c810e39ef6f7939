//! Journal, results and `results.json` say the same, to the last bit.

use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{begin, complete, passed, run, text};
use crate::model::{Metric, Reading, Sample, Unit, metric};
use crate::results::journal::assemble;
use crate::results::{Line, parse};

/// Readings by source and metric: how a file keeps them, whatever their order was.
fn by_identity(sample: &Sample) -> BTreeMap<(String, String), u64> {
    let identity = |reading: &Reading| {
        ((reading.source.to_string(), reading.metric.to_string()), reading.value.to_bits())
    };
    sample.readings.iter().map(identity).collect()
}

fn check_same(before: &[Sample], after: &[Sample]) {
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(after) {
        assert_eq!(before.elapsed.to_bits(), after.elapsed.to_bits());
        assert_eq!(
            (before.timestamp, &before.phase, before.cycle),
            (after.timestamp, &after.phase, after.cycle)
        );
        assert_eq!(before.readings.len(), after.readings.len());
        assert_eq!(by_identity(before), by_identity(after));
    }
}

fn journal_of(samples: &[Sample]) -> String {
    let metrics = vec![Metric::higher("queue.depth", Unit::Count)];
    let mut lines = vec![run(), begin("a"), Line::Metrics { metrics }];
    lines.extend(samples.iter().cloned().map(Line::Sample));
    lines.extend([passed(), complete()]);
    text(&lines)
}

fn metrics() -> impl Strategy<Value = Cow<'static, str>> {
    prop_oneof![
        proptest::sample::select(metric::CATALOG).prop_map(|metric| metric.name.clone()),
        "[a-z\"é .]{1,8}".prop_map(Cow::Owned),
    ]
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        proptest::num::f64::NORMAL | proptest::num::f64::ZERO | proptest::num::f64::SUBNORMAL,
        0.0..1e12,
    ]
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let reading = ("(api|db|proofload|[a-z\"\\\\é/]{1,5})", metrics());
    let sample = (
        0.0..1e6,
        1_500_000_000_000_000_i64..2_500_000_000_000_000,
        "(sample|load|é\"\\PC{0,3})",
        0_u32..4,
        proptest::collection::btree_map(reading, finite(), 0..8),
    );
    let sample = sample.prop_map(|(elapsed, at, phase, cycle, readings)| Sample {
        elapsed,
        timestamp: jiff::Timestamp::from_microsecond(at).unwrap(),
        phase: phase.into(),
        cycle,
        readings: readings
            .into_iter()
            .map(|((source, metric), value)| Reading { metric, source: source.into(), value })
            .collect(),
    });
    proptest::collection::vec(sample, 0..6)
}

proptest! {
    #[test]
    fn samples_survive_the_journal_and_the_file(samples in samples()) {
        let journalled = assemble(&journal_of(&samples)).unwrap();
        check_same(&samples, &journalled.scenarios[0].samples);
        let file = serde_json::to_string_pretty(&journalled).unwrap();
        let parsed = parse(&file).unwrap();
        check_same(&samples, &parsed.scenarios[0].samples);
        prop_assert_eq!(&parsed, &journalled);
        prop_assert_eq!(serde_json::to_string_pretty(&parsed).unwrap(), file);
    }
}

#[test]
fn a_value_that_is_no_number_is_absent_and_spoils_nothing() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let api = "api".into();
        let readings = vec![
            Reading::new(&metric::MEMORY_WORKING_SET, &api, value),
            Reading::new(&metric::MEMORY_ANON, &api, 7.0),
        ];
        let timestamp = jiff::Timestamp::from_microsecond(1_769_783_423_000_000).unwrap();
        let sample = Sample { elapsed: 1.0, timestamp, phase: "x".into(), cycle: 0, readings };
        let results = assemble(&journal_of(&[sample])).unwrap();
        let parsed = parse(&serde_json::to_string(&results).unwrap()).unwrap();
        let readings = &parsed.scenarios[0].samples[0].readings;
        assert_eq!(readings, &[Reading::new(&metric::MEMORY_ANON, &api, 7.0)], "{value}");
    }
}

#[test]
fn a_container_is_written_with_the_original_names() {
    let api = "api".into();
    let mib = 1_048_576.0;
    let readings = vec![
        Reading::new(&metric::MEMORY_WORKING_SET, &api, 128.0 * mib),
        Reading::new(&metric::MEMORY_LIMIT, &api, 512.0 * mib),
        Reading::new(&metric::CPU_USAGE, &api, 0.5),
        Reading::new(&metric::AGENTS_LIVE, &"driver".into(), 40.0),
    ];
    let timestamp = jiff::Timestamp::from_microsecond(1_769_783_423_500_000).unwrap();
    let sample = Sample { elapsed: 1.5, timestamp, phase: "x".into(), cycle: 2, readings };
    let results = assemble(&journal_of(&[sample])).unwrap();
    let file = serde_json::to_value(&results).unwrap();
    assert_eq!(
        file["scenarios"][0]["samples"][0],
        serde_json::json!({
            "timestamp": 1_769_783_423.5,
            "timestamp_iso": "2026-01-30T14:30:23.5Z",
            "elapsed_seconds": 1.5,
            "phase": "x",
            "cycle": 2,
            "containers": { "api": {
                "memory_used_mb": 128.0,
                "memory_limit_mb": 512.0,
                "memory_percent": 25.0,
                "cpu_percent": 50.0,
                "metrics": { "memory.working_set": 128.0 * mib, "memory.limit": 512.0 * mib, "cpu.usage": 0.5 },
            } },
            "sources": { "driver": { "agents.live": 40.0 } },
        })
    );
}
