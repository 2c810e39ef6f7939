//! Simulated runs on the shipped path: a journal on disk, the results that are read from it, the analysis, the gate.

use std::fs;
use std::sync::Arc;

use super::paper::{self, Stretch};
use super::{Expected, Failure, Judge, Outcome, Rate, resets};
use crate::analysis::validity::HOST;
use crate::analysis::{self, MIB, rules};
use crate::gate::Judgement;
use crate::model::rules::{AbMetric, AbRule};
use crate::model::{Kind, Reading, Severity, Stat, Verdict, metric};
use crate::results::document::COMPARISON;
use crate::results::{self, Journal, Line, RunDirectory};
use crate::scenario::Ab;
use crate::simulate::memory::{LEAKS, NULLS, trace};
use crate::simulate::runs::{Noise, Order, experiment};

/// What the gate decides on at once: a trial, or the trials of a comparison.
struct Unit {
    /// With which the ids of its checks begin.
    id: String,
    trials: Vec<Vec<Line>>,
}

/// Simulated units that are all sound, all faulty, or all disturbed.
struct Set {
    what: &'static str,
    units: Vec<Unit>,
    /// The verdicts that are counted.
    counted: &'static [Verdict],
    expected: Expected,
}

const ALARM: &[Verdict] = &[Verdict::Fail, Verdict::Warn];
const FAIL: &[Verdict] = &[Verdict::Fail];
const DECIDED: &[Verdict] = &[Verdict::Fail, Verdict::Warn, Verdict::Pass];

/// Judges `count` units of every set, each set as one run.
pub(super) fn run(seed: u64, count: usize, judge: Judge) -> Result<Vec<Outcome>, Failure> {
    let units = |unit: &dyn Fn(usize) -> Unit| (0..count).map(unit).collect();
    let sets = [
        Set {
            what: "15 minutes without a leak that alarm",
            units: units(&|index| growth(seed, NULLS[index % NULLS.len()], 0.0, index)),
            counted: ALARM,
            expected: Expected::AtMost(0.01),
        },
        Set {
            what: "15 minutes with a leak of 2 MiB/min that alarm",
            units: units(&|index| growth(seed, LEAKS[index % LEAKS.len()], 2.0, index)),
            counted: ALARM,
            expected: Expected::AtLeast(0.95),
        },
        Set {
            what: "resets of sound services that fail",
            units: units(&|index| reset(seed, 0.0, index)),
            counted: FAIL,
            expected: Expected::AtMost(0.01),
        },
        Set {
            what: "resets that keep 5% per cycle that fail",
            units: units(&|index| reset(seed, 0.05, index)),
            counted: FAIL,
            expected: Expected::AtLeast(0.90),
        },
        Set {
            what: "10 pairs of equal versions that fail",
            units: units(&|index| comparison(seed, 0.0, index)),
            counted: FAIL,
            expected: Expected::AtMost(0.03),
        },
        Set {
            what: "10 pairs with a version 10% slower that fail",
            units: units(&|index| comparison(seed, 0.10, index)),
            counted: FAIL,
            expected: Expected::AtLeast(0.90),
        },
        Set {
            what: "leaks and none on a machine that is taken away that are decided",
            units: units(&|index| disturbed(seed, index)),
            counted: DECIDED,
            expected: Expected::AtMost(0.0),
        },
    ];
    sets.into_iter().map(|set| outcome(set, judge)).collect()
}

fn growth(seed: u64, family: &str, rate: f64, index: usize) -> Unit {
    const SECONDS: u32 = 900;
    let values: Vec<f64> =
        trace(seed, family, rate, SECONDS, index).iter().map(|mib| mib * MIB).collect();
    let stretch = Stretch { phase: "active", cycle: 0, values: &values };
    let id = format!("duration::simulated::index={index}");
    let lines = paper::lines(&id, Kind::Duration, &metric::MEMORY_ANON, &[stretch]);
    Unit { id, trials: vec![lines] }
}

/// Growth that is read while a hypervisor takes four tenths of the processor time that the machine wants.
fn disturbed(seed: u64, index: usize) -> Unit {
    let (family, rate) = if index.is_multiple_of(2) { (LEAKS[0], 2.0) } else { (NULLS[0], 0.0) };
    let mut unit = growth(seed, family, rate, index);
    let host: Arc<str> = HOST.into();
    for line in unit.trials.iter_mut().flatten() {
        match line {
            Line::Begin { trial, .. } => {
                trial.rules.validity = Some(rules::default_validity().clone());
            }
            Line::Sample(sample) => {
                for (metric, cores) in
                    [(&metric::HOST_CPU_BUSY, 0.6), (&metric::HOST_CPU_STEAL, 0.4)]
                {
                    sample.readings.push(Reading::new(metric, &host, cores));
                }
            }
            _ => {}
        }
    }
    unit
}

fn reset(seed: u64, kept: f64, index: usize) -> Unit {
    let (id, lines) = resets::trial(seed, kept, index);
    Unit { id, trials: vec![lines] }
}

/// Pairs of runs whose throughput is lower in b by the fraction `effect`; what is compared is the time per request.
fn comparison(seed: u64, effect: f64, index: usize) -> Unit {
    const PAIRS: usize = 10;
    let id = format!("load::simulated::index={index}");
    let key = format!("shipped/{effect}/{index}");
    let (a, b) = experiment(seed, &key, Noise::Gauss, Order::Interleaved, PAIRS, effect);
    let measured = &metric::AGENTS_SPAWN_TIME;
    let rule = AbRule {
        looks: vec![3, 5, 7, PAIRS as u32],
        min_effect: 0.02,
        margin: 0.05,
        within: None,
        metrics: vec![AbMetric {
            metric: measured.id().to_owned(),
            source: None,
            stat: Stat::Mean,
            severity: Severity::Fail,
            min_effect: None,
            margin: None,
            priors: std::collections::BTreeMap::new(),
        }],
    };
    let run = |version: &str, pair: usize, log: f64| {
        let seconds = [(-log).exp(); 3];
        let stretch = Stretch { phase: "sample", cycle: 0, values: &seconds };
        let own = format!("{id}::ab={version}::r={pair}");
        let mut lines = paper::lines(&own, Kind::Load, measured, &[stretch]);
        if let Some(Line::Begin { trial, .. }) = lines.first_mut() {
            trial.scenario_name = "load::simulated".to_owned();
            trial.scenario_params.insert("index".to_owned(), index.into());
            trial.scenario_params.insert(Ab::SIDE.to_owned(), version.into());
            trial.repeat = pair as u32;
            trial.rules.ab = Some(rule.clone());
            trial.metadata.insert(COMPARISON.to_owned(), id.clone().into());
        }
        lines
    };
    let pairs = (1..).zip(a.into_iter().zip(b));
    let trials = pairs.flat_map(|(pair, (a, b))| [run("a", pair, a), run("b", pair, b)]).collect();
    Unit { id, trials }
}

fn outcome(set: Set, judge: Judge) -> Result<Outcome, Failure> {
    let ids: Vec<String> = set.units.iter().map(|unit| unit.id.clone()).collect();
    let trials = set.units.into_iter().flat_map(|unit| unit.trials).collect();
    let judgement = judged(trials, judge).map_err(Failure::rig)?;
    let counts = |id: &&String| {
        let own = judgement.checks.iter().filter(|check| check.id == **id);
        let verdict = Verdict::worst(own.map(|check| check.verdict));
        verdict.is_some_and(|verdict| set.counted.contains(&verdict))
    };
    let rate = Rate {
        rule: "the whole path".to_owned(),
        what: set.what.to_owned(),
        hits: ids.iter().filter(counts).count(),
        trials: ids.len(),
        expected: set.expected,
    };
    let wanted = match set.expected {
        Expected::AtMost(most) => format!("at most {}%", most * 100.0),
        Expected::AtLeast(least) => format!("at least {}%", least * 100.0),
        Expected::Between(..) | Expected::Reported => String::new(),
    };
    let (holds, found) = (!rate.is_off(), format!("{} of {}", rate.hits, rate.trials));
    Ok(Outcome { what: rate.what, wanted, found, holds })
}

/// Journals the trials in a directory of their own, reads them back and judges them.
fn judged(trials: Vec<Vec<Line>>, judge: Judge) -> std::io::Result<Judgement> {
    let directory = super::scratch("journal")?;
    let attempt = || {
        let mut journal = Journal::open(&RunDirectory::at(&directory).journal())?;
        for line in paper::journal(trials) {
            journal.write(&line)?;
        }
        let results = results::read(&directory).map_err(std::io::Error::other)?;
        Ok(judge(&results, &analysis::analyze(&results)))
    };
    let judgement = attempt();
    let _ = fs::remove_dir_all(&directory);
    judgement
}
