//! [`priors`]: the scatter of single runs that past interleaved comparisons show.

use std::collections::BTreeMap;

use super::estimate::moments;
use super::machine;
use super::matching::trial_id;
use super::measure::values;
use super::pairs;
use crate::model::rules::{AbMetric, Prior};
use crate::results::{Environment, Results, TrialRecord};

/// What past runs of a comparison say of one metric, by source.
///
/// `comparison` is the comparison's id, which is that of its trial without a repetition. Runs on another machine than
/// `machine` are left out. Each past run gives the variance of its pairs' log differences about their own mean, so
/// that a true change between its versions is no scatter; half of the pooled variance is that of a single run.
#[must_use]
pub fn priors(
    past: &[Results],
    comparison: &str,
    of: &AbMetric,
    machine: Option<&Environment>,
) -> BTreeMap<String, Prior> {
    #[derive(Default)]
    struct Pool {
        squares: f64,
        freedom: f64,
        pairs: u32,
    }
    let elsewhere = |results: &&Results| match (machine, &results.environment) {
        (Some(here), Some(there)) => machine::differences(here, there).is_empty(),
        _ => true,
    };
    let mut pools: BTreeMap<String, Pool> = BTreeMap::new();
    for results in past.iter().filter(elsewhere) {
        let is_it = |trial: &&TrialRecord| {
            trial.comparison().is_some_and(|id| id == comparison || trial_id(trial) == comparison)
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
            pool.pairs += u32::try_from(differences.len()).unwrap_or(u32::MAX);
        }
    }
    let prior =
        |pool: Pool| Prior { sd: (pool.squares / pool.freedom / 2.0).sqrt(), runs: pool.pairs };
    pools.into_iter().map(|(source, pool)| (source, prior(pool))).collect()
}
