//! [`compared`]: what is compared where nobody says: what a service uses, how fast it is, and how often.

use std::collections::BTreeMap;

use super::measure::describe;
use crate::analysis::series::is_counter;
use crate::model::{Metric, Stat, metric};
use crate::results::TrialRecord;

/// The metrics of the catalog that are compared by their mean; of its counters those in [`RATES`] are by their rate. The
/// others say the same in another way, or belong to the harness.
const MEANS: &[Metric] = &[
    metric::MEMORY_ANON,
    metric::MEMORY_WORKING_SET,
    metric::CPU_USAGE,
    metric::AGENTS_SPAWN_TIME,
];
const RATES: &[Metric] = &[
    metric::CPU_THROTTLED,
    metric::NETWORK_RECEIVED,
    metric::NETWORK_SENT,
    metric::DISK_READ,
    metric::DISK_WRITTEN,
];

/// The metrics to compare and the statistic of each, in order of their names: those `asked` for, or, where none is,
/// those of the catalog above and every one that a run declares with its direction. A counter is compared by its rate.
///
/// # Errors
/// A metric that was asked for and that no run has, with those that there are.
pub fn compared(trials: &[&TrialRecord], asked: &[String]) -> Result<Vec<(String, Stat)>, String> {
    let mut present: BTreeMap<&str, Stat> = BTreeMap::new();
    for trial in trials {
        for reading in trial.samples.iter().flat_map(|sample| &sample.readings) {
            let name = reading.metric.as_ref();
            if !present.contains_key(name) {
                // `_total` ends the name of a counter, as Prometheus has it.
                let counter = is_counter(name) || name.ends_with("_total");
                present.insert(name, if counter { Stat::Rate } else { Stat::Mean });
            }
        }
    }
    if let Some(missing) = asked.iter().find(|name| !present.contains_key(name.as_str())) {
        let names: Vec<&str> = present.into_keys().collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(format!("no run has the metric {missing:?}; there are {names}"));
    }
    let by_default = |name: &str| {
        let cataloged = MEANS.iter().chain(RATES).any(|metric| metric.name == name);
        let declared = metric::find(name).is_none() && describe(name, trials).is_some();
        cataloged || declared
    };
    let wanted = |name: &str| {
        if asked.is_empty() { by_default(name) } else { asked.iter().any(|asked| asked == name) }
    };
    let present = present.into_iter().filter(|(name, _)| wanted(name));
    Ok(present.map(|(name, stat)| (name.to_owned(), stat)).collect())
}
