//! [`priors`]: the scatter of single walks that past interleaved comparisons show.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::estimate::moments;
use super::machine;
use super::matching::trial_id;
use super::measure::values;
use super::pairs;
use crate::model::rules::{AbMetric, Prior};
use crate::results::document::PHASES;
use crate::results::{Environment, Results, Traffic, TrialRecord};

/// What a past run must be a run of to tell the scatter of the runs that are planned.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The comparison's id, which is that of its trial without a repetition.
    pub comparison: &'a str,
    /// The metadata of its trials. One id has other phases in every profile; and once its configuration names another
    /// testbed, traffic between other ends.
    pub metadata: &'a Map<String, Value>,
    /// The machine, where it is known.
    pub machine: Option<&'a Environment>,
}

/// What past runs of a comparison say of one metric, by source: a run is one that the suite made, with at least two
/// complete pairs.
///
/// Each gives the variance of its pairs' log differences about their own mean, so that a true change between its
/// versions is no scatter; half of the pooled variance is that of a single walk of one side.
#[must_use]
pub fn priors(past: &[Results], asked: Asked<'_>, of: &AbMetric) -> BTreeMap<String, Prior> {
    #[derive(Default)]
    struct Pool {
        squares: f64,
        freedom: f64,
        runs: u32,
    }
    let elsewhere = |results: &&Results| match (asked.machine, &results.environment) {
        (Some(here), Some(there)) => machine::differences(here, there).is_empty(),
        _ => true,
    };
    let traffic = Traffic::in_metadata(asked.metadata);
    let same_ends = |trial: &TrialRecord| match (&traffic, trial.traffic()) {
        (Some(own), Some(past)) => own.is_comparable(&past),
        (own, past) => own.is_none() && past.is_none(),
    };
    let mut pools: BTreeMap<String, Pool> = BTreeMap::new();
    for results in past.iter().filter(elsewhere) {
        let is_it = |trial: &&TrialRecord| {
            let id = asked.comparison;
            trial.comparison().is_some_and(|own| own == id || trial_id(trial) == id)
                && trial.metadata.get(PHASES) == asked.metadata.get(PHASES)
                && same_ends(trial)
        };
        let records: Vec<&TrialRecord> = results.scenarios.iter().filter(is_it).collect();
        let mut differences: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (a, b) in pairs(&records) {
            let (a, b) = (values(a, of), values(b, of));
            for (source, a) in a {
                let Some(b) = b.get(&source).copied() else { continue };
                if a > 0.0 && b > 0.0 {
                    differences.entry(source).or_default().push((b / a).ln());
                }
            }
        }
        for (source, differences) in differences {
            // A single pair says nothing of scatter.
            let Some((_, variance)) = moments(&differences) else { continue };
            let pool = pools.entry(source).or_default();
            let freedom = differences.len() as f64 - 1.0;
            pool.squares += variance * freedom;
            pool.freedom += freedom;
            pool.runs += 1;
        }
    }
    let prior =
        |pool: Pool| Prior { sd: (pool.squares / pool.freedom / 2.0).sqrt(), runs: pool.runs };
    pools.into_iter().map(|(source, pool)| (source, prior(pool))).collect()
}
