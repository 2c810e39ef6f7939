//! [`sides`]: which run of one version belongs to which of the other, and which series of both are the same.
//!
//! By name and all dimensions, never by position: a scenario that was added, or a level that was dropped, must not
//! shift what is compared with what.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::analysis::ending;
use crate::analysis::validity::left_out;
use crate::model::Outcome;
use crate::results::TrialRecord;
use crate::scenario::Ab;

/// The parameter that tells the versions of an interleaved comparison apart.
pub(crate) const VERSION: &str = Ab::SIDE;

/// What makes a trial the same trial in another version: all that was asked, and nothing that came of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    kind: Option<&'static str>,
    scenario: String,
    target: Option<String>,
    dimensions: BTreeMap<String, String>,
}

impl Identity {
    /// The identity of a trial, without its version.
    #[must_use]
    pub fn of(trial: &TrialRecord) -> Self {
        Self {
            kind: trial.kind.map(crate::model::Kind::as_str),
            scenario: trial.scenario_name.clone(),
            target: trial.target.clone(),
            dimensions: dimensions(trial).iter().map(|(k, v)| (k.clone(), canonical(v))).collect(),
        }
    }
}

/// A trial's parameters without its version and repetition.
pub(super) fn dimensions(trial: &TrialRecord) -> Map<String, Value> {
    let mut params = trial.params_of_all_repetitions();
    params.retain(|name, _| name != VERSION);
    params
}

/// What runs that are compared with one another share: a trial of an interleaved comparison keeps its version.
pub(crate) type Key = (Identity, Option<String>);

/// The key of a run.
pub(crate) fn key(trial: &TrialRecord) -> Key {
    (Identity::of(trial), trial.scenario_params.get(VERSION).map(Value::to_string))
}

/// 10 and 10.0 are one level.
fn canonical(value: &Value) -> String {
    value.as_f64().map_or_else(|| value.to_string(), |number| number.to_string())
}

/// The completed runs of one trial in both versions, each in order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Sides<'a> {
    /// Of the version that is there.
    pub base: Vec<&'a TrialRecord>,
    /// Of the version that is to be judged.
    pub new: Vec<&'a TrialRecord>,
}

/// What only one side has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// The trial.
    pub id: String,
    /// The metric, where the trial itself is on both sides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The source that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `base` or `new`: the side that has it.
    pub only_in: &'static str,
}

/// Puts the trials of both sides together. A trial of an interleaved comparison keeps its version: a is compared with
/// a. A trial that the other side ran too, and lost, is neither compared nor of one side only.
#[must_use]
pub fn sides<'a>(
    base: &[&'a TrialRecord],
    new: &[&'a TrialRecord],
) -> (Vec<Sides<'a>>, Vec<Unmatched>) {
    let mut found: BTreeMap<Key, Sides<'a>> = BTreeMap::new();
    let mut order: Vec<Key> = Vec::new();
    let mut add = |trial: &'a TrialRecord, is_new: bool| {
        let key = key(trial);
        let sides = found.entry(key.clone()).or_insert_with(|| {
            order.push(key);
            Sides { base: Vec::new(), new: Vec::new() }
        });
        if is_new { sides.new.push(trial) } else { sides.base.push(trial) }
    };
    base.iter().filter(|trial| counts(trial)).for_each(|trial| add(trial, false));
    new.iter().filter(|trial| counts(trial)).for_each(|trial| add(trial, true));
    let lost_of = |trials: &[&TrialRecord]| -> BTreeSet<Key> {
        trials.iter().filter(|trial| lost(trial).is_some()).map(|trial| key(trial)).collect()
    };
    let (lost_base, lost_new) = (lost_of(base), lost_of(new));
    let (mut both, mut unmatched) = (Vec::new(), Vec::new());
    for key in order {
        let Some(mut sides) = found.remove(&key) else { continue };
        sides.base.sort_by_key(|trial| trial.started_at);
        sides.new.sort_by_key(|trial| trial.started_at);
        let only = |trial: &TrialRecord, only_in| Unmatched {
            id: trial_id(trial).to_owned(),
            metric: None,
            source: None,
            only_in,
        };
        match (sides.base.first(), sides.new.first()) {
            (Some(_), Some(_)) => both.push(sides),
            (Some(trial), None) if !lost_new.contains(&key) => unmatched.push(only(trial, "base")),
            (None, Some(trial)) if !lost_base.contains(&key) => unmatched.push(only(trial, "new")),
            _ => {}
        }
    }
    (both, unmatched)
}

/// True of a run whose readings are compared: it ended as it should, was not a warm-up or a confirmation, and its data
/// are sound.
pub(crate) fn counts(trial: &TrialRecord) -> bool {
    let completed = ending(trial) == Some(Outcome::Completed);
    completed && !trial.is_discarded() && !trial.is_extra() && left_out(trial).is_none()
}

/// Why a run that ought to count does not: its data are not valid, or it was cut off.
pub(crate) fn lost(trial: &TrialRecord) -> Option<String> {
    if trial.is_discarded() || trial.is_extra() {
        return None;
    }
    match ending(trial) {
        Some(Outcome::Completed) => left_out(trial),
        Some(Outcome::Interrupted(reason)) => Some(format!("cut off: {reason}")),
        Some(Outcome::Aborted(_) | Outcome::Broken(_) | Outcome::Skipped(_)) => None,
        None => Some("cut off: the trial did not reach its end".to_owned()),
    }
}

/// A trial's id without the repetition.
pub(crate) fn trial_id(trial: &TrialRecord) -> &str {
    let id = &trial.id;
    let cut = id.rsplit_once("::r=").filter(|(_, n)| n.chars().all(|c| c.is_ascii_digit()));
    cut.map_or(id, |(id, _)| id)
}

impl<'a> Sides<'a> {
    /// The runs as pairs, where those of both versions took turns: sorted by their begin, each two that follow one
    /// another are one of each. `None` of fewer than two pairs, which no order can tell from two sittings.
    #[must_use]
    pub fn pairs(&self) -> Option<Vec<(&'a TrialRecord, &'a TrialRecord)>> {
        if self.base.len() != self.new.len() || self.base.len() < 2 {
            return None;
        }
        let mut runs: Vec<(bool, &'a TrialRecord)> = Vec::new();
        runs.extend(self.base.iter().map(|trial| (false, *trial)));
        runs.extend(self.new.iter().map(|trial| (true, *trial)));
        runs.sort_by_key(|(_, trial)| trial.started_at);
        let taken: Option<Vec<_>> = runs
            .chunks(2)
            .map(|two| match two {
                [(false, base), (true, new)] | [(true, new), (false, base)] => Some((*base, *new)),
                _ => None,
            })
            .collect();
        let apart = |two: &[(bool, &TrialRecord)]| two[0].1.started_at < two[1].1.started_at;
        taken.filter(|_| runs.windows(2).all(apart))
    }
}

/// What in one run is there twice: a trial of the same identity and repetition, or a series of one within a sample. A
/// second run that confirms a leak is no such trial.
#[must_use]
pub fn duplicate(trials: &[TrialRecord]) -> Option<String> {
    let mut seen = BTreeSet::new();
    for trial in trials.iter().filter(|trial| !trial.is_extra()) {
        if !seen.insert((key(trial), trial.is_discarded(), trial.repeat)) {
            return Some(format!(
                "two trials of one identity, {} in repetition {}",
                trial.id, trial.repeat
            ));
        }
        for sample in &trial.samples {
            let mut series = BTreeSet::new();
            let twice = sample
                .readings
                .iter()
                .find(|reading| !series.insert((reading.metric.as_ref(), reading.source.as_ref())));
            if let Some(reading) = twice {
                let (metric, source) = (&reading.metric, &reading.source);
                return Some(format!("two series {metric} of {source} in {}", trial.id));
            }
        }
    }
    None
}
