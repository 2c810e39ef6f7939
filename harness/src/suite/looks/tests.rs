//! Looks at runs that go on.

use std::sync::Arc;

use super::*;
use crate::analysis::MIB;
use crate::analysis::tests::{ruled, trial as record};
use crate::model::{Action, Params, Reading, metric};

/// A trial of kind `duration` over 15 minutes with looks after 4 and 8.
fn trial() -> Trial {
    let looks = ["4m", "8m"].map(|look| look.parse().unwrap()).to_vec();
    let ruled = ruled(record(Kind::Duration, "duration::x"), |rules| rules.leak.looks = looks);
    let held = Phase {
        name: HELD.to_owned(),
        cycle: 0,
        enter: Action::Keep,
        length: std::time::Duration::from_secs(900),
        sampled: true,
        interval: std::time::Duration::from_secs(2),
    };
    Trial {
        id: "duration::x".to_owned(),
        name: "duration::x".to_owned(),
        scenario: "x".to_owned(),
        kind: Kind::Duration,
        description: String::new(),
        target: crate::model::spec::TargetSpec::Process(crate::model::spec::target::ProcessSpec {
            build: None,
            service: Vec::new(),
        }),
        driver: None,
        probes: Vec::new(),
        params: Params::default(),
        total_agents: None,
        repeat: 1,
        phases: vec![held],
        comparison: None,
        unavailable: None,
        side: Params::default(),
        rules: ruled.rules.unwrap(),
    }
}

/// What is decided over a run of that many samples: the samples taken, and what was said.
fn walk(trial: &Trial, value: impl Fn(f64) -> f64) -> (usize, Vec<String>, bool) {
    let looks = Looks::new(trial);
    let api: Arc<str> = "api".into();
    let mut said = Vec::new();
    for index in 0..450 {
        let elapsed = 5.0 + f64::from(index) * 2.0;
        let bytes = value(f64::from(index) * 2.0) * MIB;
        let sample = Sample {
            elapsed,
            timestamp: jiff::Timestamp::UNIX_EPOCH,
            phase: HELD.into(),
            cycle: 0,
            readings: vec![Reading::new(&metric::MEMORY_ANON, &api, bytes)],
        };
        match looks.decide(&sample) {
            Decision::GoOn => {}
            Decision::Note(note) => said.push(note),
            Decision::End(reason) => {
                said.push(reason);
                return (index as usize + 1, said, true);
            }
        }
    }
    (450, said, false)
}

fn noise(time: f64) -> f64 {
    (time * 7.3).sin() * 0.3
}

#[test]
fn a_run_that_does_not_leak_ends_at_the_first_look() {
    let (samples, said, ended) = walk(&trial(), |time| 100.0 + noise(time));
    assert_eq!((samples, ended), (120, true));
    assert_eq!(said, ["nothing leaks after 4m"]);
}

#[test]
fn a_run_that_leaks_goes_on_and_says_what_was_seen() {
    let (samples, said, ended) = walk(&trial(), |time| 100.0 + time / 30.0 + noise(time));
    assert_eq!((samples, ended), (450, false));
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("looked after 4m and went on: memory.anon of api: "), "{said:?}");
}

#[test]
fn no_look_is_taken_where_none_was_asked_for_or_only_gross_growth_counts() {
    let flat = |time| 100.0 + noise(time);
    let mut without = trial();
    without.rules.leak.looks.clear();
    assert_eq!(walk(&without, flat), (450, Vec::new(), false));
    let mut gross = trial();
    gross.rules.leak.gate = LeakGate::Gross;
    assert_eq!(walk(&gross, flat), (450, Vec::new(), false));
}

#[test]
fn what_a_look_ended_is_judged_the_same_later() {
    let looks = trial();
    let (samples, ..) = walk(&looks, |time| 100.0 + noise(time));
    let mut later = record(Kind::Duration, "duration::x");
    let values: Vec<f64> =
        (0..samples).map(|index| (100.0 + noise(index as f64 * 2.0)) * MIB).collect();
    let api = (&metric::MEMORY_ANON, "api");
    crate::analysis::tests::read(&mut later, (HELD, 0), api, 2.0, &values);
    let (verdict, checks) = gate::judge_trial(&later, &crate::analysis::analyze_trial(&later));
    assert_eq!(verdict, crate::model::Verdict::Pass, "{checks:?}");
}
