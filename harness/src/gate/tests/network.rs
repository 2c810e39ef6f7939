//! Trials of kind network.

use super::*;
use crate::analysis::tests::network::network;

/// A golden file, which is the made-up run as it is written.
const GOLDEN: &str = include_str!("../../../../fixtures/results/network.json");

fn verdicts(results: &Results) -> Vec<(&str, Verdict)> {
    let judgement = judge(results, &analyze(results));
    let mut verdicts: Vec<(&str, Verdict)> = Vec::new();
    for (comparison, runs) in groups(results) {
        let id = comparison.unwrap_or(&runs[0].id);
        let ids: Vec<&str> = runs.iter().map(|run| run.id.as_str()).chain([id]).collect();
        let own = judgement.checks.iter().filter(|check| ids.contains(&check.id.as_str()));
        let tool = runs
            .iter()
            .find_map(|run| run.traffic()?.tool)
            .map_or("none", |tool| if tool.name == "expensive" { "expensive" } else { "cheap" });
        verdicts.push((tool, Verdict::worst(own.map(|check| check.verdict)).unwrap()));
    }
    verdicts
}

#[test]
fn an_expensive_tool_fails_and_a_cheap_one_passes_beside_it() {
    let results = network();
    let expected = [
        ("none", Verdict::Pass),
        ("cheap", Verdict::Pass),
        ("expensive", Verdict::Fail),
        ("cheap", Verdict::Pass),
    ];
    assert_eq!(verdicts(&results), expected);
    assert_eq!(judge(&results, &analyze(&results)).verdict, Verdict::Fail);
}

#[test]
fn results_of_network_trials_are_the_same_after_writing_and_reading() {
    let results = network();
    let written = serde_json::to_string(&results).unwrap();
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/results/network.json");
        std::fs::write(path, format!("{written}\n")).unwrap();
    }
    let golden = parse(GOLDEN).expect("a golden file; UPDATE_FIXTURES=1 writes it anew");
    for read in [parse(&written).unwrap(), golden] {
        assert_eq!(judge(&read, &analyze(&read)), judge(&results, &analyze(&results)));
        assert_eq!(read.scenarios.len(), results.scenarios.len());
        for (read, made) in read.scenarios.iter().zip(&results.scenarios) {
            assert_eq!((&read.metadata, &read.rules), (&made.metadata, &made.rules));
            assert_eq!(
                (&read.scenario_params, read.traffic()),
                (&made.scenario_params, made.traffic())
            );
            for (read, made) in read.samples.iter().zip(&made.samples) {
                let sorted = |sample: &crate::model::Sample| {
                    let mut readings = sample.readings.clone();
                    readings.sort_by(|a, b| (&a.source, &a.metric).cmp(&(&b.source, &b.metric)));
                    (sample.elapsed, sample.phase.clone(), readings)
                };
                assert_eq!(sorted(read), sorted(made));
            }
        }
    }
}

#[test]
fn a_tool_is_compared_with_the_baseline_of_its_own_environment_or_it_is_an_error() {
    let swap = |change: fn(&mut TrialRecord, &TrialRecord)| {
        let made = network();
        let of = |run: &&TrialRecord| run.scenario_params.get("environment") == Some(&"vm".into());
        let vm: Vec<&TrialRecord> = made.scenarios.iter().filter(of).collect();
        let mut runs: Vec<TrialRecord> = vm.into_iter().cloned().collect();
        for run in runs.iter_mut().filter(|run| run.scenario_params["ab"] == "a") {
            change(run, &made.scenarios[0]);
        }
        run(runs)
    };
    let error = |results: &Results, reason: &str| {
        let judgement = judge(results, &analyze(results));
        assert_eq!(judgement.verdict, Verdict::Error);
        let found = judgement.checks.iter().find(|check| check.verdict == Verdict::Error).unwrap();
        assert!(found.reason.contains(reason), "{}", found.reason);
        assert!(analyze(results).changes.is_empty(), "nothing is worked out from such pairs");
    };
    let host = swap(|run, host| {
        drop(run.metadata.insert("network".into(), host.metadata["network"].clone()));
    });
    error(
        &host,
        "(198.18.1.102 to 198.18.1.101) is compared with the host baseline (198.18.1.2 to 198.18.1.1)",
    );
    let other_end = swap(|run, _| run.metadata["network"]["server"]["ip"] = "198.18.1.7".into());
    error(&other_end, "is compared with the vm baseline (198.18.1.102 to 198.18.1.7)");
    let mut by_name =
        swap(|run, _| drop(run.scenario_params.insert("environment".into(), "host".into())));
    assert_eq!(verdicts(&by_name)[0].1, Verdict::Pass, "what ran counts, not its name");
    by_name.scenarios.iter_mut().for_each(|run| drop(run.metadata.remove("network")));
    error(&by_name, "a \"vm\" run is compared with a \"host\" one");
}

#[test]
fn a_baseline_without_the_figures_of_a_test_is_no_data() {
    let mut baseline = network().scenarios.remove(0);
    check(&baseline, &[("pass", "outcome", "trial")]);
    // Other figures of the test do not stand in for the one that it is about.
    for (metric, source) in [
        ("net.throughput", "throughput_single"),
        ("net.latency.mean", "udp_rr"),
        ("net.packets", "pps_single"),
    ] {
        let mut less = baseline.clone();
        for sample in &mut less.samples {
            let is_own = |name: &str, of: &str| name == metric && of == source;
            sample.readings.retain(|reading| !is_own(&reading.metric, &reading.source));
        }
        check(&less, &[("no-data", metric, source)]);
    }
    baseline.metadata.remove("network");
    check(&baseline, &[("pass", "outcome", "trial")]);
    baseline.samples.clear();
    check(&baseline, &[("no-data", "net.throughput", "*")]);
}
