//! Two versions of one system: [`comparison`] of runs in turn, [`between`] of runs of any kind. Both give a [`Change`]
//! per metric and source.
//!
//! Each method has a file of its own. Everything is on logs, so that a change is a ratio; the limits come with the
//! comparison.

pub mod change;
pub mod equivalence;
pub mod estimate;
pub mod machine;
pub mod matching;
pub mod metrics;
pub mod multiple;
pub mod paired;
pub mod prior;
pub mod ranks;
pub mod sequential;
pub mod welch;

mod measure;
mod settle;

use std::collections::BTreeMap;

use serde_json::Value;

pub use change::{Change, ChangeVerdict, Design, Look, SecondOpinion};
pub use matching::{Sides, Unmatched, duplicate, sides};
pub use measure::Runs;
pub use prior::{Asked, priors};

use crate::model::Kind;
use crate::model::rules::{AbMetric, AbRule, Prior};
use crate::results::{Traffic, TrialRecord};

/// The one-sided error of a regression, over all looks: half of 5%.
pub const ALPHA: f64 = 0.025;
/// Fewer pairs, or runs of a side, allow no verdict.
pub const FEWEST: usize = 3;

/// What differs, and what could not be compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// One per metric and source that both sides have.
    pub changes: Vec<Change>,
    /// What one side alone has.
    pub unmatched: Vec<Unmatched>,
}

/// The interleaved comparisons among trials, by id, in order of their first run.
#[must_use]
pub fn comparisons(trials: &[TrialRecord]) -> Vec<(&str, Vec<&TrialRecord>)> {
    let mut found: Vec<(&str, Vec<&TrialRecord>)> = Vec::new();
    for trial in trials {
        let Some(id) = trial.comparison() else { continue };
        match found.iter_mut().find(|(known, _)| *known == id) {
            Some((_, runs)) => runs.push(trial),
            None => found.push((id, vec![trial])),
        }
    }
    found
}

/// One of the two versions of an interleaved comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The old one.
    A,
    /// The new one.
    B,
}

/// Which of the two versions a run is of.
#[must_use]
pub fn version(trial: &TrialRecord) -> Option<Version> {
    match trial.scenario_params.get(matching::VERSION).and_then(Value::as_str) {
        Some("a") => Some(Version::A),
        Some("b") => Some(Version::B),
        _ => None,
    }
}

/// The complete pairs of a comparison, a and b, in order of their number: both runs came to their end, neither was a
/// warm-up, and they are no [`strangers`].
#[must_use]
pub fn pairs<'a>(records: &[&'a TrialRecord]) -> Vec<(&'a TrialRecord, &'a TrialRecord)> {
    let mut found: BTreeMap<u32, [Option<&'a TrialRecord>; 2]> = BTreeMap::new();
    for &trial in records.iter().filter(|trial| matching::counts(trial)) {
        if let Some(version) = version(trial) {
            found.entry(trial.repeat).or_default()[version as usize] = Some(trial);
        }
    }
    let both = found.into_values().filter_map(|[a, b]| Some((a?, b?)));
    both.filter(|(a, b)| strangers(a, b).is_none()).collect()
}

/// Why two runs of kind network say nothing of one another, if they do not: a tool in a virtual machine is held against
/// the traffic between virtual machines, and never against that between hosts.
#[must_use]
pub fn strangers(base: &TrialRecord, new: &TrialRecord) -> Option<String> {
    let (Some(base), Some(new)) = (base.traffic(), new.traffic()) else {
        let environment = |run: &TrialRecord| {
            run.scenario_params
                .get("environment")
                .filter(|_| run.kind == Some(Kind::Network))
                .cloned()
        };
        let (base, new) = (environment(base)?, environment(new)?);
        return (base != new).then(|| format!("a {new} run is compared with a {base} one"));
    };
    if base.is_comparable(&new) {
        return None;
    }
    let what = |traffic: &Traffic| match &traffic.tool {
        Some(tool) => format!("the {} tool {}", traffic.environment, tool.name),
        None => format!("the {} baseline", traffic.environment),
    };
    let ends = |traffic: &Traffic| format!("{} to {}", traffic.client.ip, traffic.server.ip);
    let (new, base, new_ends, base_ends) = (what(&new), what(&base), ends(&new), ends(&base));
    Some(format!("{new} ({new_ends}) is compared with {base} ({base_ends})"))
}

/// Compares the runs of one interleaved comparison, a and b, by the rule that they carry.
#[must_use]
pub fn comparison(records: &[&TrialRecord]) -> Found {
    let rule = records.iter().find_map(|trial| trial.rules.as_ref()?.ab.as_ref());
    let (Some(first), Some(rule)) = (records.first(), rule) else { return Found::default() };
    let pairs = pairs(records);
    let n = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
    let mut found = Found::default();
    add(&mut found, first.comparison().unwrap_or(&first.id), &Runs::Pairs(pairs), rule);
    let most = rule.looks.last().copied().unwrap_or(n);
    let number = rule.looks.iter().filter(|look| **look <= n).count();
    let look = Look { number, of: rule.looks.len(), pairs: n, most };
    for change in &mut found.changes {
        change.look = Some(look);
    }
    settle::settle(&mut found.changes, &rule.looks, n);
    found
}

/// Compares the runs of several trials as one family, each in pairs where its runs took turns; the rule's looks are
/// not used. See [`Sides::pairs`]. `past` gives what past runs say of the trial that a run is of, as [`priors`] does.
#[must_use]
pub fn between(
    trials: &[Sides<'_>],
    rule: &AbRule,
    past: impl Fn(&TrialRecord, &AbMetric) -> BTreeMap<String, Prior>,
) -> Found {
    let mut found = Found::default();
    for sides in trials {
        let Some(first) = sides.new.first() else { continue };
        let id = matching::trial_id(first);
        let mut rule = rule.clone();
        for of in &mut rule.metrics {
            of.priors = past(first, of);
        }
        let apart = || Runs::Apart(sides.base.clone(), sides.new.clone());
        let runs = sides.pairs().map_or_else(apart, Runs::Pairs);
        add(&mut found, id, &runs, &rule);
    }
    for change in found.changes.iter_mut().filter(|change| change.design == Design::Unpaired) {
        change.warnings.push(SEPARATE.to_owned());
    }
    settle::settle(&mut found.changes, &[], 0);
    found
}

/// What is wrong with runs that did not take turns.
pub const SEPARATE: &str = "the versions were run in separate sittings: where sittings differ by 3%, such a comparison \
     flags 18 to 36% of identical builds, and more runs make it worse; run them in turn";

fn add(found: &mut Found, id: &str, runs: &Runs<'_>, rule: &AbRule) {
    for of in &rule.metrics {
        let (changes, unmatched) = measure::measure(id, runs, rule, of);
        found.changes.extend(changes);
        found.unmatched.extend(unmatched);
    }
}

#[cfg(test)]
pub(crate) mod tests;
