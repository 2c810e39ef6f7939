//! [`rates`]: how often two versions are told apart that are the same, and how often a regression is found.
//!
//! The whole path is taken: runs as results have them, the analysis, the gate.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, json};

use super::{Expected, Rate};
use crate::analysis::compare;
use crate::gate;
use crate::gate::ab::Comparison;
use crate::model::rules::{AbMetric, AbRule, Prior};
use crate::model::{Metric, Outcome, Reading, Rules, Sample, Severity, Stat, Unit, Verdict};
use crate::results::document::Date;
use crate::results::{Results, TrialRecord};
use crate::simulate::runs::{Noise, Order, experiment};

/// What is measured: more is better.
const METRIC: Metric = Metric::higher("throughput", Unit::Count);
const SOURCE: &str = "client";
/// How many pairs, or runs of each version.
const PAIRS: usize = 5;
/// The looks of the rule that stops early.
const LOOKS: [u32; 4] = [3, 5, 7, 10];
/// The regression that must be found.
const EFFECT: f64 = 0.05;

/// Counts over `per_cell` simulated comparisons per row.
#[must_use]
pub fn rates(seed: u64, per_cell: usize) -> Vec<Rate> {
    let mut rates = Vec::new();
    for noise in Noise::ALL {
        let known = Some(Prior { sd: noise.scatter(), runs: 20 });
        let demanding = matches!(noise, Noise::Gauss | Noise::Session | Noise::Drift);
        let mut cell = |rule: &str, what: &str, expected, hit: &dyn Fn(&str) -> bool| {
            let key = |index: usize| format!("{rule}/{what}/{index}");
            let hits = (0..per_cell).filter(|&index| hit(&key(index))).count();
            let what = format!("{what}, {}", noise.as_str());
            rates.push(Rate { rule: rule.to_owned(), what, hits, trials: per_cell, expected });
        };
        let most = Expected::AtMost(0.03);
        let power = if demanding { Expected::AtLeast(0.9) } else { Expected::Reported };
        let same = "false alarms, no change";
        let worse = "found, 5% worse";
        let fails = |comparison: Comparison| comparison.verdict == Verdict::Fail;

        let rule = "5 interleaved pairs, known scatter";
        let fixed = |key: &str, effect: f64, prior| {
            let runs = experiment(seed, key, noise, Order::Interleaved, PAIRS, effect);
            judged(&runs, PAIRS, &[5], prior)
        };
        cell(rule, same, most, &|key| fails(fixed(key, 0.0, known)));
        cell(rule, worse, power, &|key| fails(fixed(key, EFFECT, known)));
        cell(rule, "passed, no change", Expected::Reported, &|key| {
            fixed(key, 0.0, known).verdict == Verdict::Pass
        });

        let rule = "5 interleaved pairs, scatter of 20 past pairs";
        let past = |key: &str| {
            history(&experiment(seed, &format!("past/{key}"), noise, Order::Interleaved, 20, 0.0))
        };
        cell(rule, same, Expected::Reported, &|key| fails(fixed(key, 0.0, past(key))));
        cell(rule, worse, Expected::Reported, &|key| fails(fixed(key, EFFECT, past(key))));

        let rule = "5 interleaved pairs, no past runs";
        cell(rule, same, most, &|key| fails(fixed(key, 0.0, None)));
        cell(rule, worse, Expected::Reported, &|key| fails(fixed(key, EFFECT, None)));

        for (rule, prior) in [
            ("looks at 3, 5, 7, 10 pairs, known scatter", known),
            ("looks at 3, 5, 7, 10 pairs, no past runs", None),
        ] {
            let looked = |key: &str, effect: f64| {
                let runs = experiment(seed, key, noise, Order::Interleaved, 10, effect);
                let looks = LOOKS.iter().map(|pairs| *pairs as usize);
                let mut taken = looks.map(|pairs| (pairs, judged(&runs, pairs, &LOOKS, prior)));
                // The last look decides in any case.
                taken.find(|(_, comparison)| comparison.decided)
            };
            let found = |key: &str, effect: f64| {
                looked(key, effect).is_some_and(|(_, comparison)| fails(comparison))
            };
            let early =
                |key: &str, effect: f64| looked(key, effect).is_some_and(|(pairs, _)| pairs <= 5);
            cell(rule, same, most, &|key| found(key, 0.0));
            cell(rule, worse, Expected::Reported, &|key| found(key, EFFECT));
            let (reported, quick) = (Expected::Reported, "decided after 3 or 5 pairs");
            cell(rule, &format!("{quick}, no change"), reported, &|key| early(key, 0.0));
            cell(rule, &format!("{quick}, 5% worse"), reported, &|key| early(key, EFFECT));
        }

        let rule = "5 and 5 runs in separate sittings";
        let apart = |key: &str, effect: f64| {
            let runs = experiment(seed, key, noise, Order::Separate, PAIRS, effect);
            separate(&runs) == Verdict::Fail
        };
        cell(rule, same, Expected::Reported, &|key| apart(key, 0.0));
        cell(rule, worse, Expected::Reported, &|key| apart(key, EFFECT));
    }
    rates
}

/// The verdict on the first so many pairs.
fn judged(
    (base, new): &(Vec<f64>, Vec<f64>),
    pairs: usize,
    looks: &[u32],
    prior: Option<Prior>,
) -> Comparison {
    let rule = AbRule { looks: looks.to_vec(), ..rule(prior) };
    let records = interleaved(&base[..pairs], &new[..pairs], &rule);
    gate::ab::compare(&records.iter().collect::<Vec<_>>())
}

/// What past pairs say of their scatter: two of each past run, which is the least that a run can have.
fn history((base, new): &(Vec<f64>, Vec<f64>)) -> Option<Prior> {
    let rule = rule(None);
    let run = |(base, new): (&[f64], &[f64])| {
        let mut past = empty();
        past.scenarios = interleaved(base, new, &rule);
        past
    };
    let past: Vec<Results> = base.chunks(2).zip(new.chunks(2)).map(run).collect();
    let asked = compare::Asked { comparison: ID, metadata: &Map::new(), machine: None };
    compare::priors(&past, asked, &rule.metrics[0]).remove(SOURCE)
}

/// The verdict on runs in sittings of their own.
fn separate((base, new): &(Vec<f64>, Vec<f64>)) -> Verdict {
    let sitting = |logs: &[f64], begin: usize| -> Vec<TrialRecord> {
        let records = logs.iter().enumerate();
        records.map(|(slot, log)| record(ID, begin + slot, *log)).collect()
    };
    let (base, new) = (sitting(base, 0), sitting(new, base.len()));
    let (base, new): (Vec<&TrialRecord>, Vec<&TrialRecord>) =
        (base.iter().collect(), new.iter().collect());
    let (sides, _) = compare::sides(&base, &new);
    let found = compare::between(&sides, &rule(None), |_, of| of.priors.clone());
    let analysis = crate::analysis::Analysis { changes: found.changes, ..Default::default() };
    gate::sides::judge(&analysis, &base, &new, false).verdict
}

const ID: &str = "load::simulated";

fn rule(prior: Option<Prior>) -> AbRule {
    let metric = AbMetric {
        metric: METRIC.name.to_string(),
        source: None,
        stat: Stat::Mean,
        severity: Severity::Fail,
        min_effect: None,
        margin: None,
        priors: prior.map(|prior| (SOURCE.to_owned(), prior)).into_iter().collect(),
    };
    AbRule {
        looks: Vec::new(),
        min_effect: 0.02,
        margin: 0.05,
        within: None,
        metrics: vec![metric],
    }
}

fn interleaved(base: &[f64], new: &[f64], rule: &AbRule) -> Vec<TrialRecord> {
    let rules = Rules { ab: Some(rule.clone()), ..crate::analysis::rules::defaults().clone() };
    let run = |version: &str, pair: usize, slot: usize, log: f64| {
        let mut trial = record(&format!("{ID}::ab={version}::r={pair}"), slot, log);
        trial.repeat = u32::try_from(pair).unwrap_or(u32::MAX);
        trial.scenario_params.insert("ab".to_owned(), version.into());
        trial.metadata.insert("comparison".to_owned(), ID.into());
        trial.rules = Some(rules.clone());
        trial
    };
    let pairs = base.iter().zip(new).enumerate();
    let pairs = pairs.flat_map(|(index, (base, new))| {
        let (pair, slot) = (index + 1, 2 * index);
        [run("a", pair, slot, *base), run("b", pair, slot + 1, *new)]
    });
    pairs.collect()
}

/// A run with one reading, whose log is given.
fn record(id: &str, slot: usize, log: f64) -> TrialRecord {
    let source: Arc<str> = SOURCE.into();
    let reading = Reading { metric: METRIC.name.clone(), source, value: 1000.0 * log.exp() };
    let sample = Sample {
        elapsed: 0.0,
        timestamp: Timestamp::UNIX_EPOCH,
        phase: "sample".into(),
        cycle: 0,
        readings: vec![reading],
    };
    let minutes = SignedDuration::from_mins(i64::try_from(slot).unwrap_or(0));
    let started_at = Date(Timestamp::UNIX_EPOCH + minutes);
    TrialRecord {
        id: id.to_owned(),
        started_at,
        samples: vec![sample],
        outcome: Some(Outcome::Completed),
        metrics: vec![METRIC],
        ..blank()
    }
}

fn blank() -> TrialRecord {
    static BLANK: std::sync::LazyLock<TrialRecord> = std::sync::LazyLock::new(|| {
        serde_json::from_value(json!({ "scenario_name": "simulated" }))
            .expect("every other field has a default")
    });
    BLANK.clone()
}

fn empty() -> Results {
    serde_json::from_value(json!({
        "test_id": "simulated", "started_at": "1970-01-01T00:00:00Z", "scenarios": [],
    }))
    .expect("every other field has a default")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rates of the documentation, on a seed that nothing was tuned on:
    /// `cargo test --release -p proofload --lib comparisons::tests::the_rates -- --ignored --nocapture`.
    #[test]
    #[ignore = "takes minutes"]
    fn the_rates_that_are_documented() {
        let rates = rates(20_261_121, 2_000);
        for rate in &rates {
            let measured = rate.measured() * 100.0;
            eprintln!("{:<50} {:<45} {measured:6.2}% {:?}", rate.rule, rate.what, rate.expected);
        }
        assert!(rates.iter().all(Rate::holds));
    }

    #[test]
    fn twenty_past_pairs_of_ten_runs_are_enough_to_weigh() {
        let noise = Noise::ALL[0];
        let prior = history(&experiment(7, "past", noise, Order::Interleaved, 20, 0.0)).unwrap();
        assert!(prior.runs == 10 && compare::paired::weighs(prior), "{prior:?}");
        assert!((0.4..2.5).contains(&(prior.sd / noise.scatter())), "{prior:?}");
    }

    #[test]
    fn a_few_comparisons_of_each_kind_come_out_as_they_should() {
        let rates = rates(7, 40);
        let of = |rule: &str, what: &str| {
            let row = rates.iter().find(|rate| rate.rule.starts_with(rule) && rate.what == what);
            row.unwrap_or_else(|| panic!("{rule}: {what}")).measured()
        };
        let fixed = "5 interleaved pairs, known";
        assert!(of(fixed, "found, 5% worse, session") > 0.9);
        assert!(of(fixed, "false alarms, no change, session") < 0.1);
        assert!(of("looks at 3, 5, 7, 10 pairs, known", "found, 5% worse, gauss") > 0.8);
        // What the warning about separate sittings says.
        assert!(of("5 and 5 runs", "false alarms, no change, session") > 0.15);
        assert!(of("5 and 5 runs", "false alarms, no change, gauss") < 0.1);
    }
}
