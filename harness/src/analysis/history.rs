//! [`History`]: what each series came to in each of many runs, and where its level changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::change_points::{ChangePoint, Method, change_points};
use super::compare::matching::counts;
use super::describe::mean;
use super::series::{Series, by_source, is_counter};
use super::validity::left_out;
use crate::model::{Better, Metric, Sample, Unit, metric};
use crate::results::{Results, TrialRecord};

/// The catalog metrics that a history follows; a trial's own metrics are followed too.
pub const FOLLOWED: [Metric; 3] =
    [metric::MEMORY_ANON, metric::MEMORY_WORKING_SET, metric::CPU_USAGE];

/// Many runs, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct History {
    /// The runs.
    pub runs: Vec<Run>,
    /// What was followed over them.
    pub series: Vec<HistorySeries>,
    /// What is not in it and why, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// Its name.
    pub test_id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The commit that was measured, where the run says.
    pub commit: Option<String>,
}

/// A metric of a source in one trial over the runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HistorySeries {
    /// The trial's id without its repetition.
    pub trial: String,
    /// The metric.
    pub metric: String,
    /// The container, process or driver.
    pub source: String,
    /// The direction of improvement.
    pub better: Better,
    /// The unit of the values, unless they are ratios.
    pub unit: Unit,
    /// What the values are.
    pub scale: Scale,
    /// The runs that have a value.
    pub points: Vec<Point>,
}

/// What the values of a series are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// The mean of the readings.
    Mean,
    /// How far a counter went per second.
    Rate,
    /// What version b came to over version a, run in turn: the geometric mean over their pairs.
    Ratio,
}

/// What a series came to in one run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The index of the run.
    pub run: usize,
    /// The value, in the metric's base unit.
    pub value: f64,
}

/// What one run adds to a history.
#[derive(Clone, Debug, PartialEq)]
pub struct Contribution {
    run: Run,
    profile: Option<String>,
    values: BTreeMap<Identity, (Better, Unit, f64)>,
    /// The trials whose data are not valid, each with why.
    invalid: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    trial: String,
    metric: String,
    source: String,
    scale: Scale,
}

/// A series with its change points.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeriesChanges {
    /// Index into [`History::series`].
    pub series: usize,
    /// The change points; their `at` counts the points of the series, not the runs.
    pub changes: Vec<ChangePoint>,
}

/// What a run adds: the trials that came to their end, with data that are valid.
#[must_use]
pub fn contribution(results: &Results) -> Contribution {
    let commit = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let stated = commit(results.config.get("commit"));
    let of_trial =
        || results.scenarios.iter().find_map(|trial| commit(trial.metadata.get("commit")));
    let run = Run {
        test_id: results.test_id.clone(),
        started_at: results.started_at.0,
        commit: stated.or_else(of_trial).filter(|commit| !commit.is_empty()),
    };
    let invalid = results
        .scenarios
        .iter()
        .filter_map(|trial| Some(format!("{}: {}", trial.id, left_out(trial)?)))
        .collect();
    let ended = results.scenarios.iter().filter(|trial| counts(trial));
    let (mut plain, mut sides) = (BTreeMap::new(), BTreeMap::new());
    for trial in ended {
        let side = trial.scenario_params.get("ab").and_then(Value::as_str).map(str::to_owned);
        for (identity, followed) in readings(trial) {
            match &side {
                None => plain.entry(identity).or_insert_with(Vec::new).push(followed),
                Some(side) => {
                    let pairs: &mut BTreeMap<u32, BTreeMap<String, Followed>> =
                        sides.entry(identity).or_default();
                    pairs.entry(trial.repeat).or_default().insert(side.clone(), followed);
                }
            }
        }
    }
    let mut values = BTreeMap::new();
    for (identity, followed) in plain {
        let all: Vec<f64> = followed.iter().map(|followed| followed.value).collect();
        if let (Some(first), Some(value)) = (followed.first(), mean(&all)) {
            values.insert(identity, (first.better, first.unit, value));
        }
    }
    for (identity, pairs) in sides {
        let log_ratio = |pair: &BTreeMap<String, Followed>| {
            let (a, b) = (pair.get("a")?.value, pair.get("b")?.value);
            (a > 0.0 && b > 0.0).then(|| b.ln() - a.ln())
        };
        // The pair before the first, which warms up, has no number.
        let counted = pairs.iter().filter(|(repeat, _)| **repeat > 0);
        let ratios: Vec<f64> = counted.filter_map(|(_, pair)| log_ratio(pair)).collect();
        let any = pairs.values().flat_map(BTreeMap::values).next().copied();
        if let (Some(any), Some(ratio)) = (any, mean(&ratios)) {
            let identity = Identity { scale: Scale::Ratio, ..identity };
            values.insert(identity, (any.better, Unit::Ratio, ratio.exp()));
        }
    }
    let profile = results.config.get("profile").and_then(Value::as_str).map(str::to_owned);
    Contribution { run, profile, values, invalid }
}

#[derive(Clone, Copy)]
struct Followed {
    better: Better,
    unit: Unit,
    value: f64,
}

/// The followed series of a trial, over the phases whose readings are evidence.
fn readings(trial: &TrialRecord) -> Vec<(Identity, Followed)> {
    let phases = trial.metadata.get("phases").and_then(Value::as_array);
    let sampled = |sample: &Sample| {
        let is = |phase: &&Value| phase["name"] == *sample.phase;
        let Some(phase) = phases.and_then(|phases| phases.iter().find(is)) else { return true };
        phase["sampled"].as_bool().unwrap_or(true)
    };
    let own = trial.metrics.iter().filter(|own| metric::find(&own.name).is_none());
    let mut found = Vec::new();
    for followed in FOLLOWED.iter().chain(own) {
        let scale = if is_counter(&followed.name) { Scale::Rate } else { Scale::Mean };
        for (source, series) in by_source(trial, &followed.name, sampled) {
            let Some(value) = value(&series, scale) else { continue };
            let identity = Identity {
                trial: identity(&trial.id),
                metric: followed.name.to_string(),
                source: source.to_owned(),
                scale,
            };
            found
                .push((identity, Followed { better: followed.better, unit: followed.unit, value }));
        }
    }
    found
}

fn value(series: &Series, scale: Scale) -> Option<f64> {
    match scale {
        Scale::Rate => series.increase().map(|increase| increase / series.span()),
        Scale::Mean | Scale::Ratio => mean(&series.values()),
    }
}

/// A trial's id without what tells repetitions and the two versions of a comparison apart.
fn identity(id: &str) -> String {
    let is_repetition =
        |part: &str| part.strip_prefix("r=").is_some_and(|number| number.parse::<u32>().is_ok());
    let kept = id.split("::").filter(|part| !is_repetition(part)).filter_map(|part| {
        let words: Vec<&str> =
            part.split(',').filter(|word| !["ab=a", "ab=b"].contains(word)).collect();
        (!words.is_empty()).then(|| words.join(","))
    });
    kept.collect::<Vec<_>>().join("::")
}

/// Puts runs in order and collects their series. Of two runs of one name the later one in the list is left out, and so
/// are the runs of other profiles than that of the newest: their trials last as long as another profile says.
#[must_use]
pub fn assemble(mut contributions: Vec<Contribution>) -> History {
    contributions.sort_by(|a, b| {
        (a.run.started_at, &a.run.test_id).cmp(&(b.run.started_at, &b.run.test_id))
    });
    contributions
        .dedup_by(|a, b| a.run.test_id == b.run.test_id && a.run.started_at == b.run.started_at);
    let mut left_out = other_profiles(&mut contributions);
    left_out.extend(invalid(&contributions));
    let mut series: BTreeMap<Identity, HistorySeries> = BTreeMap::new();
    let mut runs = Vec::new();
    for Contribution { run, values, .. } in contributions {
        let index = runs.len();
        runs.push(run);
        for (identity, (better, unit, value)) in values.into_iter().filter(|(_, v)| v.2.is_finite())
        {
            let entry = series.entry(identity.clone()).or_insert_with(|| HistorySeries {
                trial: identity.trial,
                metric: identity.metric,
                source: identity.source,
                better,
                unit,
                scale: identity.scale,
                points: Vec::new(),
            });
            entry.points.push(Point { run: index, value });
        }
    }
    History { runs, series: series.into_values().collect(), left_out }
}

/// Takes the runs of other profiles than the newest has out, and names them.
fn other_profiles(contributions: &mut Vec<Contribution>) -> Vec<String> {
    let Some(newest) = contributions.last().map(|newest| newest.profile.clone()) else {
        return Vec::new();
    };
    let mut others: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
    contributions.retain(|one| {
        if one.profile != newest {
            others.entry(one.profile.clone()).or_default().push(one.run.test_id.clone());
        }
        one.profile == newest
    });
    let shown = |profile: &Option<String>| match profile {
        Some(name) => format!("profile {name}"),
        None => "no profile".to_owned(),
    };
    let newest = shown(&newest);
    let sentence = |(profile, runs): (&Option<String>, &Vec<String>)| {
        format!(
            "left out, being of {} where the newest run is of {newest}: {}",
            shown(profile),
            runs.join(", ")
        )
    };
    others.iter().map(sentence).collect()
}

/// How many trials have data that are not valid, and of the first why.
fn invalid(contributions: &[Contribution]) -> Option<String> {
    let mut all = contributions
        .iter()
        .flat_map(|one| one.invalid.iter().map(|trial| format!("{}: {trial}", one.run.test_id)));
    let first = all.next()?;
    Some(format!(
        "left out, as their data are not valid: {} trials, the first {first}",
        1 + all.count()
    ))
}

/// The change points of every series that is long enough for the method.
#[must_use]
pub fn changes(history: &History, method: Method, smallest: f64) -> Vec<SeriesChanges> {
    let long = history.series.iter().enumerate();
    let long = long.filter(|(_, series)| series.points.len() >= method.fewest());
    let changes = long.map(|(index, series)| {
        let values: Vec<f64> = series.points.iter().map(|point| point.value).collect();
        SeriesChanges { series: index, changes: change_points(&values, method, smallest) }
    });
    changes.collect()
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
