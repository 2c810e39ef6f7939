//! Histories in the forms of other programs.
//!
//! - Bencher Metric Format: an object of benchmarks, each an object of measures with a `value`
//!   (<https://bencher.dev/docs/reference/bencher-metric-format>). It holds one run: the last.
//! - github-action-benchmark, tools `customSmallerIsBetter` and `customBiggerIsBetter`: a list of `name`, `unit`, `value`
//!   and `extra` (<https://github.com/benchmark-action/github-action-benchmark>). A list has one direction, so that there
//!   are two; it holds one run: the last.
//! - Otava CSV: a time column, attributes and a column per metric
//!   (<https://github.com/apache/otava/blob/master/docs/CSV.md>), all runs. Otava refuses a row with an empty cell in a
//!   column that it is asked for, so that only series with a value in every exported run are columns.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::history::{History, HistorySeries, Scale};
use crate::model::{Better, Unit};

/// The name of a series for people: `load::x api memory.anon`.
fn name(series: &HistorySeries) -> String {
    let HistorySeries { trial, source, metric, .. } = series;
    format!("{trial} {source} {metric}{}", suffix(series))
}

fn suffix(series: &HistorySeries) -> &'static str {
    match series.scale {
        Scale::Mean => "",
        Scale::Rate => " per second",
        Scale::Ratio => " b/a",
    }
}

/// The values of the last run.
fn last(history: &History) -> impl Iterator<Item = (&HistorySeries, f64)> {
    let run = history.runs.len().checked_sub(1);
    history.series.iter().filter_map(move |series| {
        let point = series.points.last().filter(|point| Some(point.run) == run)?;
        Some((series, point.value))
    })
}

/// The last run as Bencher takes it: a benchmark per trial and source, a measure per metric.
#[must_use]
pub fn bencher(history: &History) -> String {
    #[derive(Serialize)]
    struct Measure {
        value: f64,
    }
    let mut benchmarks: BTreeMap<String, BTreeMap<String, Measure>> = BTreeMap::new();
    for (series, value) in last(history) {
        let benchmark = format!("{} {}", series.trial, series.source);
        let measure = format!("{}{}", series.metric, suffix(series));
        benchmarks.entry(benchmark).or_default().insert(measure, Measure { value });
    }
    pretty(&benchmarks)
}

/// The series of one direction in the last run, as github-action-benchmark takes them; `None` of none.
#[must_use]
pub fn github_action_benchmark(history: &History, better: Better) -> Option<String> {
    #[derive(Serialize)]
    struct Entry {
        name: String,
        unit: &'static str,
        value: f64,
        extra: String,
    }
    let run = history.runs.last()?;
    let entries: Vec<Entry> = last(history)
        .filter(|(series, _)| series.better == better)
        .map(|(series, value)| Entry {
            name: name(series),
            unit: unit(series),
            value,
            extra: format!("run {}", run.test_id),
        })
        .collect();
    (!entries.is_empty()).then(|| pretty(&entries))
}

/// All runs as Otava's CSV: `time`, `run`, `commit`, and the series; with the names of those that have gaps.
#[must_use]
pub fn otava(history: &History) -> (String, Vec<String>) {
    let used = |run: &usize| {
        history.series.iter().any(|series| series.points.iter().any(|point| point.run == *run))
    };
    let runs: Vec<usize> = (0..history.runs.len()).filter(used).collect();
    let (whole, gaps): (Vec<&HistorySeries>, Vec<&HistorySeries>) =
        history.series.iter().partition(|series| series.points.len() == runs.len());
    let mut lines = csv::Writer::from_writer(Vec::new());
    let header = ["time", "run", "commit"].map(str::to_owned).into_iter();
    // Writing to memory does not fail, and every record has as many fields as the header.
    let _ = lines.write_record(header.chain(whole.iter().map(|series| name(series))));
    for (row, index) in runs.iter().enumerate() {
        let run = &history.runs[*index];
        let commit = run.commit.clone().unwrap_or_default();
        let attributes = [run.started_at.to_string(), run.test_id.clone(), commit].into_iter();
        let values = whole.iter().map(|series| series.points[row].value.to_string());
        let _ = lines.write_record(attributes.chain(values));
    }
    let bytes = lines.into_inner().unwrap_or_default();
    (String::from_utf8(bytes).unwrap_or_default(), gaps.into_iter().map(name).collect())
}

fn unit(series: &HistorySeries) -> &'static str {
    match (series.scale, series.unit) {
        (Scale::Ratio, _) | (Scale::Mean, Unit::Ratio) => "ratio",
        (Scale::Mean, Unit::Bytes) => "bytes",
        (Scale::Mean, Unit::Seconds) => "seconds",
        (Scale::Mean, Unit::Count) => "count",
        (Scale::Mean, Unit::BitsPerSecond) => "bit/s",
        (Scale::Mean, Unit::PerSecond) => "1/s",
        (Scale::Rate, Unit::Bytes) => "bytes/s",
        (Scale::Rate, _) => "1/s",
    }
}

fn pretty<T: Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
