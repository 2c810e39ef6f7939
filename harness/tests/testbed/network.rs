//! Network cases from the input file to the reports, on the testbed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use proofload::gate::Check;
use proofload::model::{Reading, Verdict};

use crate::lab::{self, Lab, trial};
use crate::suite::{Run, run_directory};

/// Trials on the testbed.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("the_expensive_tool_is_found_expensive_and_the_cheap_one_is_not", both_tools),
        trial("every_built_in_test_gives_its_figures", every_test),
        trial("a_workflow_file_gives_the_same_trials_again", workflow),
        trial("iterations_are_collected_whole_and_removed_on_the_nodes", iterations),
    ]
}

/// Two blocks are four pairs: what a verdict takes at least is three.
const SHORT: &str = r#"
repeat = 2
[network]
tests = ["throughput_single", "tcp_rr"]
length = "2s"
baseline = false
"#;

/// For the cheap tool. Pairs of TCG guests scatter by 30% where nothing differs, so at 5% each of its four figures is
/// found worse by more than that once in 150 runs, which is within the rate of error that a verdict may have. At 50% it
/// is less than once in 50,000.
const WIDE: &str = "throughput_degradation = 0.5\nlatency_degradation = 0.5\n";

fn both_tools() {
    let lab = Lab::new(&Lab::own_tools(), |input| input);
    let expensive = lab.suite(SHORT).filter("tool=packet_grinder").run();
    expensive.expect_code(1);
    expect_readings_of_tools(&expensive);
    assert_eq!(lab::left_on_nodes(), Vec::<String>::new());
    let failing = expensive.failing();
    let verdicts = comparisons(&expensive);
    assert_eq!(verdicts.len(), 2, "{verdicts:?}");
    for (id, verdict) in &verdicts {
        assert_eq!(*verdict, Verdict::Fail, "{id}: {failing:#?}");
        // It was measured and found so, in both tests: nothing broke.
        let measured = |check: &&&Check| check.id == *id && check.metric.starts_with("net.");
        let worse = failing.iter().filter(measured).filter(|one| one.verdict == Verdict::Fail);
        assert_eq!(worse.count(), 2, "{id}: {failing:#?}");
    }
    let cheap = lab.suite(&format!("{SHORT}{WIDE}")).filter("tool=packet_counter").run();
    let verdicts = comparisons(&cheap);
    assert_eq!(verdicts.len(), 2, "{verdicts:?}");
    for (id, verdict) in &verdicts {
        let is_sound = matches!(*verdict, Verdict::Pass | Verdict::Inconclusive | Verdict::Warn);
        assert!(is_sound, "{id}: {:#?}", cheap.failing());
    }
    let figures = cheap.failing().into_iter().filter(|check| check.metric.starts_with("net."));
    let undecided = figures.map(|check| check.verdict).all(|one| one == Verdict::Inconclusive);
    assert!(undecided, "{:#?}", cheap.failing());
    let code = cheap.code;
    assert!(matches!(code, Some(0 | 3)), "{code:?} {:#?}\n{}", cheap.failing(), cheap.stderr);
    expect_readings_of_tools(&cheap);
    assert_eq!(lab::left_on_nodes(), Vec::<String>::new());
}

/// That walks with a tool have what it used, and those without have not.
fn expect_readings_of_tools(run: &Run) {
    let used = [
        "cpu.usage",
        "cpu.time",
        "memory.rss",
        "memory.virtual",
        "faults.minor",
        "faults.major",
        "processes",
        "log.size",
    ];
    for trial in &run.results.scenarios {
        let has_tool = trial.id.contains("::ab=b");
        let readings = || trial.samples.iter().flat_map(|sample| &sample.readings);
        for metric in used {
            let found = readings().any(|one| one.metric == metric && *one.source == *"tool");
            assert_eq!(found, has_tool, "{metric} in {}", trial.id);
        }
        for metric in ["tool.startup.time", "tool.startup.cpu"] {
            let found = readings().any(|one| one.metric == metric && one.value > 0.0);
            assert_eq!(found, has_tool, "{metric} in {}", trial.id);
        }
        let grown = readings().filter(|one| one.metric == "log.size").map(|one| one.value);
        assert!(!has_tool || grown.fold(0.0, f64::max) > 0.0, "{}", trial.id);
    }
}

/// The verdict of every comparison, by id.
fn comparisons(run: &Run) -> BTreeMap<String, Verdict> {
    let mut verdicts: BTreeMap<String, Vec<Verdict>> = BTreeMap::new();
    for trial in &run.results.scenarios {
        let Some(id) = trial.comparison() else { continue };
        verdicts.entry(id.to_owned()).or_default();
    }
    for (id, found) in &mut verdicts {
        let own = run
            .checks
            .iter()
            .filter(|check| check.id == *id || check.id.starts_with(&format!("{id}::")));
        found.extend(own.map(|check| check.verdict));
    }
    let worst = |found: Vec<Verdict>| Verdict::worst(found).unwrap_or(Verdict::NoData);
    verdicts.into_iter().map(|(id, found)| (id, worst(found))).collect()
}

fn every_test() {
    let lab = Lab::new(&Lab::own_tools(), |input| input);
    let run = lab.suite(EVERY).filter("tool=baseline,environment=host::r=1").run();
    run.expect_code(0);
    let sources = |metric: &str| -> Vec<String> {
        let mut found: Vec<String> = run
            .results
            .scenarios
            .iter()
            .flat_map(|trial| trial.samples.iter().flat_map(|sample| &sample.readings))
            .filter(|reading| reading.metric == metric && reading.value > 0.0)
            .map(|reading| reading.source.to_string())
            .collect();
        found.sort();
        found.dedup();
        found
    };
    for (metric, tests) in FIGURES {
        let found = sources(metric);
        for test in *tests {
            assert!(found.iter().any(|source| source == test), "{metric} of {test}: {found:?}");
        }
    }
    expect_packets_on_the_interface(&run);
}

/// That datagrams did not reach their end past the interface that bootstrap found.
fn expect_packets_on_the_interface(run: &Run) {
    let samples = run.results.scenarios.iter().flat_map(|trial| &trial.samples);
    for readings in samples.map(|sample| &sample.readings) {
        for arrived in readings.iter().filter(|one| one.metric == "net.packets") {
            let same = |one: &&Reading| {
                one.metric == "net.packets.counted" && one.source == arrived.source
            };
            let counted = readings.iter().find(same).map(|one| one.value);
            let is_sound = counted.is_some_and(|counted| arrived.value <= counted * 1.02);
            assert!(is_sound, "{arrived:?}, of {counted:?} at the interface");
        }
    }
}

const EVERY: &str = r#"
repeat = 2
[network]
tests = ["throughput_single", "throughput_multi", "throughput_parallel", "throughput_udp", "throughput_reverse",
  "throughput_both", "stream", "maerts", "tcp_rr", "udp_rr", "tcp_crr", "ping", "pps_single", "pps_multi",
  { name = "pps_reverse", like = "pps_single", direction = "reverse" }, "latency_under_load"]
length = "2s"
udp_rate = "50 Mbit/s"
pps_rate = "5 Mbit/s"
baseline = true
"#;

const FIGURES: &[(&str, &[&str])] = &[
    (
        "net.throughput",
        &[
            "throughput_single",
            "throughput_multi",
            "throughput_parallel",
            "throughput_udp",
            "throughput_reverse",
            "throughput_both",
            "stream",
            "maerts",
        ],
    ),
    ("net.latency.mean", &["tcp_rr", "udp_rr", "tcp_crr", "ping", "latency_under_load"]),
    ("net.latency.p99", &["tcp_rr", "udp_rr", "latency_under_load"]),
    ("net.packets", &["pps_single", "pps_multi", "pps_reverse"]),
    ("net.packets.counted", &["pps_single", "pps_multi", "pps_reverse"]),
    ("net.cpu.per_gigabyte.sender", &["throughput_single"]),
];

fn workflow() {
    let lab = Lab::new(&Lab::own_tools(), |input| input);
    let scenario = lab.scenario(BRIEF).display().to_string();
    let file = lab.path().join("workflow.json");
    let shown = file.display().to_string();
    let written = lab::proofload(&[
        "workflow",
        "--scenario",
        &scenario,
        "--tools",
        "packet_counter",
        "--environments",
        "host",
        "--output",
        &shown,
    ]);
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let checked = lab::proofload(&["workflow", "--validate", &shown]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let text = fs::read_to_string(&file).unwrap();
    let mut broken: serde_json::Value = serde_json::from_str(&text).unwrap();
    broken["test_sequence"].as_array_mut().unwrap().remove(0);
    fs::write(lab.path().join("broken.json"), broken.to_string()).unwrap();
    let broken = lab.path().join("broken.json").display().to_string();
    let refused = lab::proofload(&["workflow", "--validate", &broken]);
    assert_eq!(refused.status.code(), Some(2), "{}", String::from_utf8_lossy(&refused.stdout));
    let results = lab.path().join("results");
    let directory = results.display().to_string();
    let run =
        lab::proofload_with(&["workflow", "--run", &shown], &[("PROOFLOAD_RESULTS", &directory)]);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(matches!(run.status.code(), Some(0 | 1 | 3)), "{said}");
    let ran = proofload::results::read(&run_directory(&results).unwrap()).unwrap();
    let mut ids: Vec<&str> = ran.scenarios.iter().map(|trial| trial.id.as_str()).collect();
    ids.sort_unstable();
    let case =
        "network::lab::tool=packet_counter,category=performance/system-network,environment=host";
    let sides = ["a", "b"].into_iter();
    let expected: Vec<String> = sides
        .flat_map(|side| (1..=4).map(move |pair| format!("{case}::ab={side}::r={pair}")))
        .collect();
    assert_eq!(ids, expected, "{said}");
}

/// One short test.
const BRIEF: &str =
    "repeat = 2\n[network]\ntests = [\"tcp_rr\"]\nlength = \"2s\"\nbaseline = false\n";

fn iterations() {
    let lab = Lab::new(&Lab::own_tools(), |input| input);
    let results = lab.path().join("iterations");
    let scenario = lab.scenario(BRIEF);
    let arguments = [
        "iterate",
        "--scenario",
        &scenario.display().to_string(),
        "--iterations",
        "2",
        "--tools",
        "packet_counter",
        "--environments",
        "host",
        "--results-dir",
        &results.display().to_string(),
    ];
    // Of other runs, whose files stay.
    let before = kept_on_the_client();
    let first = lab::proofload(&arguments);
    let said = String::from_utf8_lossy(&first.stdout).into_owned();
    // A short test may be undecided; nothing else may be wrong.
    let code = first.status.code();
    assert!(matches!(code, Some(0 | 1 | 3)), "{said}\n{}", String::from_utf8_lossy(&first.stderr));
    for number in ["001", "002"] {
        let iteration = results.join(format!("iteration_{number}"));
        assert!(run_directory(&iteration.join("runs")).is_some());
        let kept = iteration.join("host-client/performance-test-results");
        assert!(count(&kept) > 0, "{}", kept.display());
        let summary = fs::read_to_string(iteration.join("collection_summary.txt")).unwrap();
        let status = ["SUCCESS", "INCONCLUSIVE", "TEST_FAILED"];
        let is_over = status.iter().any(|word| summary.contains(&format!("Status: {word}\n")));
        assert!(is_over && !summary.contains("NOT COLLECTED"), "{summary}");
    }
    for file in ["host_latency_iteration_001.csv", "aggregated/all_tools_summary.csv"] {
        let table = fs::read_to_string(results.join("reports").join(file)).unwrap();
        assert!(table.contains("packet_counter"), "{file}: {table}");
    }
    assert_eq!(kept_on_the_client(), before, "what was collected is removed, and nothing else");
    // Iterations that are over are not run again.
    let again = lab::proofload(&arguments);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert_eq!(said.matches("is there already and is kept").count(), 2, "{said}");
    let other =
        arguments.map(|word| if word == "packet_counter" { "packet_grinder" } else { word });
    let other = lab::proofload(&other);
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(other.status.code() == Some(2) && said.contains("another plan"), "{said}");
}

/// The files with raw output on a host, in order.
fn kept_on_the_client() -> Vec<String> {
    let workdir = lab::truth("host-client")["workdir"].as_str().unwrap().to_owned();
    let line = format!("find {workdir}/performance-test-results -type f 2>/dev/null | sort");
    lab::on_host("host-client", &line).lines().map(str::to_owned).collect()
}

fn count(directory: &Path) -> usize {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let of = |path: &Path| if path.is_dir() { count(path) } else { 1 };
    entries.flatten().map(|entry| of(&entry.path())).sum()
}
