//! The tables of a made-up run.

use std::collections::BTreeMap;

use super::*;
use crate::analysis::analyze;
use crate::analysis::tests::network::network;
use crate::gate::judge;
use crate::model::rules::AbMetric;
use crate::model::{Event, EventKind, Reading, metric};
use crate::results::TrialRecord;
use crate::results::network::Tested;

const CHEAP: &str = "counter_with_a_name_longer_than_thirty_characters_rx_protocol_tcp";

fn made(runs: &[(&str, &Results)]) -> BTreeMap<String, String> {
    let judged: Vec<_> = runs
        .iter()
        .map(|(name, results)| {
            let analysis = analyze(results);
            let judgement = judge(results, &analysis);
            ((*name).to_owned(), *results, analysis, judgement)
        })
        .collect();
    let reports: Vec<(String, Report<'_>)> = judged
        .iter()
        .map(|(name, results, analysis, judgement)| {
            (name.clone(), Report { results, analysis, judgement })
        })
        .collect();
    files(&reports).into_iter().map(|(path, text)| (path.display().to_string(), text)).collect()
}

/// The lines of a file as cells.
fn cells(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|line| line.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The cells of a case by the names of their columns.
fn row(text: &str, case: &str) -> BTreeMap<String, String> {
    let lines = cells(text);
    let line = lines.iter().find(|line| line.iter().any(|cell| cell == case)).unwrap();
    lines[0].iter().cloned().zip(line.iter().cloned()).collect()
}

#[track_caller]
fn holds(row: &BTreeMap<String, String>, column: &str, expected: f64) {
    let found: f64 = row[column].parse().unwrap_or_else(|_| panic!("{column}: {:?}", row[column]));
    assert!(
        (found - expected).abs() <= 0.005 * expected.abs(),
        "{column}: {found}, not {expected}"
    );
}

/// Without the scatter of the made-up run.
fn exact(change: impl Fn(bool, &mut crate::model::Reading)) -> Results {
    let mut results = network();
    for trial in &mut results.scenarios {
        let is_tool = trial.traffic().unwrap().tool.is_some();
        for reading in trial.samples.iter_mut().flat_map(|sample| &mut sample.readings) {
            change(is_tool, reading);
        }
    }
    results
}

#[test]
fn there_is_one_set_of_files_per_environment_with_the_columns_of_the_original() {
    let files = made(&[("iteration_001", &network())]);
    let columns =
        [("latency", 12), ("pps", 14), ("resources", 23), ("summary", 24), ("throughput", 14)];
    let mut expected = Vec::new();
    for (topic, cases) in [("host", 2), ("vm", 1)] {
        for (kind, count) in columns {
            let name = format!("{topic}_{kind}_iteration_001.csv");
            let lines = cells(&files[&name]);
            let headers = if kind == "resources" { 2 } else { 1 };
            assert_eq!(lines.len(), headers + cases, "{name}");
            assert!(lines.iter().all(|line| line.len() == count), "{name}");
            assert_eq!(lines[0][..2], ["Tool Case", "Command"]);
            expected.push(name);
        }
        expected.push(format!("{topic}_overview_iteration_001.md"));
    }
    expected.sort();
    assert_eq!(files.keys().cloned().collect::<Vec<_>>(), expected);
}

#[test]
fn differences_are_those_of_the_committed_tables_of_the_original() {
    let results = exact(|is_tool, reading| {
        let pair = match (&*reading.metric, &*reading.source) {
            ("net.latency.mean", "tcp_rr") => (73.34e-6, 141.91e-6),
            ("net.latency.mean", "udp_rr") => (87.55e-6, 67.17e-6),
            ("net.throughput.sent", "throughput_single") => (14.47e9, 9.72e9),
            _ => return,
        };
        reading.value = if is_tool { pair.1 } else { pair.0 };
    });
    let files = made(&[("x", &results)]);
    for name in ["host_latency_x.csv", "host_summary_x.csv"] {
        let row = row(&files[name], CHEAP);
        let own = [&row["TCP RR Mean (us)"], &row["TCP RR Baseline (us)"], &row["TCP RR Diff (%)"]];
        assert_eq!(own, ["141.91", "73.34", "93.5"]);
        assert_eq!(row["UDP RR Diff (%)"], "-23.28");
    }
    let row = row(&files["host_throughput_x.csv"], CHEAP);
    assert_eq!(
        (&*row["Client Single (Gbps)"], &*row["Client Single Diff (%)"]),
        ("9.72", "-32.83")
    );
    assert!(row["Command"].ends_with("\"quoted\""), "{}", row["Command"]);
}

#[test]
fn a_case_is_called_as_it_is_in_the_workflow_where_that_was_recorded() {
    let mut results = network();
    let of_vm = |run: &TrialRecord| run.traffic().unwrap().environment == "vm";
    for run in results.scenarios.iter_mut().filter(|run| of_vm(run)) {
        if let Some(tool) = run.metadata.get_mut("network").unwrap().get_mut("tool") {
            tool["case"] = "counter_tcp_rx_seconds_4".into();
        }
    }
    let files = made(&[("x", &results)]);
    let names = |file: &str| -> Vec<String> {
        cells(&files[file]).into_iter().skip(1).map(|line| line[0].clone()).collect()
    };
    assert_eq!(names("vm_latency_x.csv"), ["counter_tcp_rx_seconds_4"]);
    assert_eq!(names("host_latency_x.csv"), [CHEAP, "expensive_rx_protocol_tcp"]);
}

#[test]
fn clients_send_and_servers_receive_packets() {
    let files = made(&[("x", &network())]);
    let row = row(&files["host_pps_x.csv"], "expensive_rx_protocol_tcp");
    holds(&row, "Client Single PPS", 140_000.0);
    holds(&row, "Client Single Baseline", 200_000.0);
    holds(&row, "Server Multi PPS", 133_000.0);
    holds(&row, "Server Multi Diff (%)", -30.0);
}

#[test]
fn resources_are_those_of_each_window_and_of_all() {
    let files = made(&[("x", &network())]);
    let lines = cells(&files["host_resources_x.csv"]);
    let case = lines.iter().find(|line| line[0] == "expensive_rx_protocol_tcp").unwrap();
    let mut group = String::new();
    let mut found = BTreeMap::new();
    for ((first, second), cell) in lines[0].iter().zip(&lines[1]).zip(case) {
        group = if first.is_empty() { group } else { first.clone() };
        found.insert(format!("{group} {second}"), cell.as_str());
    }
    // The tool uses 0.6 cores and grows by 1 KiB a second; each test takes 4 samples, the last of them after it.
    for (column, expected) in [
        ("TP Single CPU Avg (%)", "60"),
        ("TP Single CPU Max (%)", "60"),
        ("TP Single Mem Max (KB)", "1003"),
        ("PPS Multi Mem Max (KB)", "1023"),
        ("Full Cycle Max RSS (KB)", "1024"),
        ("Full Cycle Max VSZ (KB)", "5000"),
        ("Full Cycle CPU Avg (%)", "60"),
        ("Full Cycle Total Samples", "100"),
        ("Log Size Size (Bytes)", "2400"),
        ("Log Size Size (Human)", "2.3 KB"),
        ("Startup Time (s)", "1.25"),
        ("Startup CPU Time (s)", "0.5"),
    ] {
        assert_eq!(found[column], expected, "{column}");
    }
}

#[test]
fn what_was_not_measured_is_empty_and_named() {
    let mut results = network();
    for sample in results.scenarios.iter_mut().flat_map(|trial| &mut trial.samples) {
        sample
            .readings
            .retain(|reading| *reading.source != *"udp_rr" && *reading.source != *"tool");
    }
    // As trials are planned: every test is judged by its own figure.
    for run in &mut results.scenarios {
        let tests = run.traffic().unwrap().tests;
        let Some(rule) = run.rules.as_mut().and_then(|rules| rules.ab.as_mut()) else { continue };
        let of = |test: Tested| AbMetric {
            metric: test.topic.metric().name.to_string(),
            source: Some(test.name),
            ..rule.metrics[0].clone()
        };
        rule.metrics = tests.into_iter().map(of).collect();
    }
    let files = made(&[("x", &results)]);
    let row = row(&files["vm_latency_x.csv"], CHEAP);
    assert_eq!((&*row["UDP RR Mean (us)"], &*row["UDP RR Diff (%)"]), ("", ""));
    assert!(!row["TCP RR Diff (%)"].is_empty());
    let overview = &files["vm_overview_x.md"];
    let said = format!(
        "- Not measured, latency of {CHEAP}: UDP RR Min (us), UDP RR Mean (us), UDP RR Max (us), UDP RR Baseline (us)."
    );
    assert!(overview.contains(&said), "{overview}");
    assert!(overview.contains("PPS Single CPU Avg (%), PPS Single CPU Max (%)"), "{overview}");
    // It has the metric of `tcp_rr`, which has a verdict.
    let went_wrong = overview.split("\n## ").find(|part| part.starts_with("What went wrong"));
    let went_wrong = went_wrong.unwrap_or_else(|| panic!("{overview}"));
    let row: Vec<&str> = went_wrong.lines().filter(|line| line.starts_with("| no-data")).collect();
    assert_eq!(row.len(), 1, "{overview}");
    assert!(row[0].contains("net.latency.mean of udp_rr"), "{}", row[0]);
    assert!(!files.values().any(|text| text.contains("NaN") || text.contains("inf")));
}

#[test]
fn an_overview_has_the_verdict_and_the_interval_of_each_tool_and_metric() {
    let files = made(&[("x", &network())]);
    let overview = &files["host_overview_x.md"];
    let line = |parts: &[&str]| {
        let found = overview.lines().any(|line| parts.iter().all(|part| line.contains(part)));
        assert!(found, "{parts:?} in {overview}");
    };
    line(&[
        "| fail |",
        "| expensive_rx_protocol_tcp |",
        "net.throughput",
        "throughput_single",
        "-30",
        "4 pairs",
    ]);
    line(&["| pass |", CHEAP, "net.latency.mean", "tcp_rr", " to "]);
    line(&["| network::net::environment=host | throughput_single | net.throughput | 1 | 14.4"]);
    assert!(!files["vm_overview_x.md"].contains("expensive"));
    let mut died = network();
    let runs = died.scenarios.iter_mut().filter(|run| run.id.contains("expensive"));
    for run in runs.filter(|run| run.id.contains("ab=b")) {
        run.outcome = Some(crate::model::Outcome::Aborted("the tool died: no such map".to_owned()));
    }
    let files = made(&[("x", &died)]);
    assert!(files["host_overview_x.md"].contains("aborted: the tool died: no such map"));
    assert_eq!(
        row(&files["host_summary_x.csv"], "expensive_rx_protocol_tcp")["TCP RR Diff (%)"],
        ""
    );
}

#[test]
fn what_interfaces_counted_stands_beside_packets_and_warnings_of_walks_are_listed() {
    let mut results = network();
    let note = |source: &str, kind| Event {
        kind,
        elapsed_seconds: 1.0,
        timestamp_iso: jiff::Timestamp::UNIX_EPOCH,
        source: source.to_owned(),
        phase: source.to_owned(),
        message: format!("a word on {source}"),
    };
    // Interfaces count 1% more; of the walk that stands alone, so that its values are plain.
    for sample in &mut results.scenarios[0].samples {
        let packets = sample.readings.iter().filter_map(|reading| {
            let (metric, value) = match &*reading.metric {
                "net.packets.sent" => (&metric::NET_PACKETS_SENT_COUNTED, 202_000.0),
                "net.packets" => (&metric::NET_PACKETS_COUNTED, 192_000.0),
                _ => return None,
            };
            Some(Reading::new(metric, &reading.source, value))
        });
        let counted: Vec<Reading> = packets.collect();
        sample.readings.extend(counted);
    }
    let run = results.scenarios.iter_mut().find(|run| run.id.contains("expensive")).unwrap();
    let id = run.id.clone();
    run.events = vec![
        note("pps_multi", EventKind::Note),
        note("hook", EventKind::Note),
        note("pps_single", EventKind::ProbeMissed),
    ];
    let files = made(&[("x", &results)]);
    let overview = &files["host_overview_x.md"];
    for line in [
        "| expensive_rx_protocol_tcp | baseline | pps_single |",
        "| expensive_rx_protocol_tcp | tool | pps_multi |",
        "| network::net::environment=host | alone | pps_single |",
        &format!("| {id} | pps_multi | a word on pps_multi |"),
    ] {
        assert_eq!(overview.matches(line).count(), 1, "{line} in {overview}");
    }
    let row = overview.lines().find(|line| line.contains(" | alone | pps_single | ")).unwrap();
    let cells: Vec<&str> = row.trim_matches(['|', ' ']).split(" | ").skip(3).collect();
    assert_eq!(cells, ["200800/s", "202000/s", "190760/s", "192000/s", "-"]);
    assert!(!overview.contains("a word on hook") && !overview.contains("a word on pps_single"));
    assert!(!overview.contains(" | tool | tcp_rr |"), "it has no packets");
    assert!(!files["vm_overview_x.md"].contains("## Warnings"));
}

#[test]
fn baselines_of_a_matrix_are_told_apart() {
    let mut results = network();
    let mut other = results.scenarios[0].clone();
    other.id = "network::net::environment=host,seconds=30::r=1".to_owned();
    let tests = other.metadata["network"]["tests"].as_array_mut().unwrap();
    tests.retain(|test| test["name"] == "udp_rr");
    results.scenarios[0].id.push_str(",seconds=3::r=1");
    results.scenarios.push(other);
    let files = made(&[("x", &results)]);
    let overview = &files["host_overview_x.md"];
    for (trial, tests) in [("seconds=3", 6), ("seconds=30", 1)] {
        let begin = format!("| network::net::environment=host,{trial} | ");
        let rows = overview.lines().filter(|line| line.starts_with(&begin));
        let rows = rows.filter(|line| line.contains(" | net.")).count();
        assert_eq!(rows, tests, "{trial} in {overview}");
    }
}

#[test]
fn averages_recompute_differences_and_leave_out_what_is_missing() {
    let iteration = |base: f64, own: f64| {
        exact(move |is_tool, reading| {
            if (&*reading.metric, &*reading.source) == ("net.latency.mean", "tcp_rr") {
                reading.value = if is_tool { own } else { base } / 1e6;
            }
        })
    };
    // The differences are 100% and 0%; their mean would be 50%.
    let (first, mut second) = (iteration(100.0, 200.0), iteration(300.0, 300.0));
    second.scenarios.retain(|run| !run.id.contains("expensive"));
    let files = made(&[("iteration_001", &first), ("iteration_002", &second)]);
    let own = row(&files["aggregated/details/host_latency_avg.csv"], CHEAP);
    let cells =
        ["TCP RR Mean (us)", "TCP RR Baseline (us)", "TCP RR Diff (%)"].map(|name| &*own[name]);
    assert_eq!(cells, ["250", "200", "25"]);
    let own = row(&files["aggregated/summary/host_summary_avg.csv"], "expensive_rx_protocol_tcp");
    assert_eq!(own["TCP RR Diff (%)"], "100");
    let all = super::tests::cells(&files["aggregated/all_tools_summary.csv"]);
    let topics: Vec<&str> = all.iter().map(|line| line[0].as_str()).collect();
    assert_eq!(topics, ["Topic", "host", "host", "vm"]);
    let resources = files["aggregated/details/host_resources_avg.csv"].lines().count();
    assert_eq!((resources, files.len()), (4, 12 + 12 + 2 * 5 + 1));
}

#[test]
fn an_iteration_is_named_after_its_directory_and_names_stay_in_theirs() {
    let results = network();
    let name = |path: &str| iteration(Path::new(path), &results);
    assert_eq!(name("results/iteration_002/run/results.json"), "iteration_002");
    assert_eq!(name("results/iteration_x"), "run");
    assert_eq!(safe("../a b/c"), ".._a_b_c");
}
