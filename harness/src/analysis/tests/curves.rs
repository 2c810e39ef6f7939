//! Curves over several trials: capacity and throughput.

use super::*;
use crate::model::Stat;
use crate::model::rules::ThroughputRule;

const LEVELS: [i64; 6] = [1, 5, 10, 20, 40, 80];

/// Trials at every level, three times over, with 2 MiB per agent on 100 and a limit of 300 MiB.
fn trials(change: impl Fn(&mut Rules)) -> Vec<TrialRecord> {
    let mut trials = Vec::new();
    for repeat in 0..3_u32 {
        for agents in LEVELS {
            let mut trial = ruled(load("load::a", agents, &[]), &change);
            // An error of half a percent, up and down in turn.
            let sign = f64::from((agents as u32 + repeat) % 3) - 1.0;
            let memory = (100.0 + 2.0 * agents as f64) * (1.0 + 0.005 * sign) * MIB;
            let sample = ("sample", 0);
            read(&mut trial, sample, (&metric::MEMORY_WORKING_SET, "api"), 1.0, &[memory; 3]);
            read(&mut trial, sample, (&metric::MEMORY_LIMIT, "api"), 1.0, &[300.0 * MIB; 3]);
            let rate = 50.0 * agents as f64 / (1.0 + agents.pow(2) as f64 / 900.0);
            let sent = [0.0, rate, 2.0 * rate];
            read(&mut trial, sample, (&metric::NETWORK_SENT, "api"), 1.0, &sent);
            trials.push(trial);
        }
    }
    trials
}

#[test]
fn a_capacity_is_told_for_the_limit_that_was_asked_ruled_or_found() {
    let capacity = |change: fn(&mut Rules), asked: Option<&str>| {
        let asked = asked.map(|text| text.parse().unwrap());
        let analysis = analyze_for(&run(trials(change)), asked.as_ref());
        let scaling = &analysis.scalings[0];
        let capacity = scaling.capacity.clone().unwrap();
        assert!(scaling.reason.ends_with(&capacity.reason), "{scaling:?}");
        assert_eq!(scaling.best_fit.family, fit::Family::Linear);
        (capacity.limit_mb, capacity.limit_from, capacity.agents.unwrap())
    };
    let ruled = |rules: &mut Rules| rules.load.capacity = Some("200 MiB".parse().unwrap());
    let check = |found: (f64, String, f64), limit: f64, from: &str, agents: f64| {
        assert_eq!((found.0, found.1.as_str()), (limit, from));
        assert!((found.2 - agents).abs() < 1.0, "{found:?}");
    };
    check(capacity(|_| {}, None), 300.0, "memory.limit", 100.0);
    check(capacity(ruled, None), 200.0, "load.capacity", 50.0);
    check(capacity(ruled, Some("160 MiB")), 160.0, "the command line", 30.0);
}

#[test]
fn an_unlimited_container_has_a_curve_without_a_capacity() {
    let trials = LEVELS.map(|agents| load("load::a", agents, &["api"]));
    let analysis = analyze(&run(trials.to_vec()));
    assert_eq!(analysis.scalings[0].capacity, None);
    let predictions = &analysis.scalings[0].predictions;
    assert_eq!(predictions.iter().map(|at| at.agents).collect::<Vec<_>>(), [120.0, 160.0]);
    assert!(analysis.throughput.is_empty());
}

#[test]
fn throughput_is_the_rate_of_a_counter_and_peaks_where_the_law_does() {
    let rule = |stat| {
        move |rules: &mut Rules| {
            let metric = "network.sent".to_owned();
            rules.load.throughput = Some(ThroughputRule { metric, stat });
        }
    };
    let analysis = analyze(&run(trials(rule(None))));
    let [found] = &analysis.throughput[..] else { panic!("{:?}", analysis.throughput) };
    assert_eq!((found.source.as_str(), found.stat.as_str()), ("api", "rate"));
    assert_eq!(found.data_points.len(), 3 * LEVELS.len());
    // 50 N / (1 + N^2 / 900) has its peak at 30.
    let peak = found.peak.unwrap();
    assert!(
        (peak.agents - 30.0).abs() < 1.0 && (peak.throughput - 750.0).abs() < 20.0,
        "{found:?}"
    );
    assert!(found.reason.starts_with("peaks at 30 agents ["), "{}", found.reason);
    let means = analyze(&run(trials(rule(Some(Stat::Mean)))));
    assert_eq!(means.throughput[0].stat, "mean");
    let few = trials(rule(None)).into_iter().filter(|trial| trial.total_agents() > Some(15.0));
    let few = analyze(&run(few.collect()));
    assert!(few.throughput[0].reason.starts_with("fewer than four levels"), "{few:?}");
}
