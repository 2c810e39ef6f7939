//! [`History`]: what each series came to in each of many runs, and where its level changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::change_points::{ChangePoint, Method, change_points};
use super::describe::mean;
use super::ending;
use super::series::{Series, by_source, is_counter};
use crate::model::{Better, Metric, Outcome, Sample, Unit, metric};
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
    values: BTreeMap<Identity, (Better, Unit, f64)>,
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

/// What a run adds: the trials that came to their end.
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
    let ended = results.scenarios.iter().filter(|trial| ending(trial) == Some(Outcome::Completed));
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
    Contribution { run, values }
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

/// Puts runs in order and collects their series. Of two runs of one name the later one in the list is left out.
#[must_use]
pub fn assemble(mut contributions: Vec<Contribution>) -> History {
    contributions.sort_by(|a, b| {
        (a.run.started_at, &a.run.test_id).cmp(&(b.run.started_at, &b.run.test_id))
    });
    contributions
        .dedup_by(|a, b| a.run.test_id == b.run.test_id && a.run.started_at == b.run.started_at);
    let mut series: BTreeMap<Identity, HistorySeries> = BTreeMap::new();
    let mut runs = Vec::new();
    for Contribution { run, values } in contributions {
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
    History { runs, series: series.into_values().collect() }
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
mod tests {
    use super::*;
    use crate::analysis::tests::OWN;
    use crate::results::parse;

    #[test]
    fn an_id_is_the_same_in_every_repetition_and_version() {
        for (id, expected) in [
            ("load::scaling::process::agents=5::r=2", "load::scaling::process::agents=5"),
            ("baseline::idle::ab=a", "baseline::idle"),
            ("load::x::agents=5,ab=b::r=10", "load::x::agents=5"),
            ("load::r=x::agents=5", "load::r=x::agents=5"),
        ] {
            assert_eq!(identity(id), expected);
        }
    }

    #[test]
    fn a_run_gives_means_of_the_followed_metrics() {
        let results = parse(OWN).unwrap();
        let history = assemble(vec![contribution(&results)]);
        let find = |metric: &str| {
            let mut series = history.series.iter();
            series.find(|s| s.trial == "baseline::steady" && s.metric == metric).unwrap()
        };
        let trial = &results.scenarios[0];
        let readings = trial.samples.iter().flat_map(|sample| &sample.readings);
        let anon: Vec<f64> =
            readings.filter(|r| r.metric == "memory.anon").map(|r| r.value).collect();
        let series = find("memory.anon");
        assert_eq!(series.points, [Point { run: 0, value: mean(&anon).unwrap() }]);
        assert_eq!(
            (series.better, series.unit, series.scale),
            (Better::Lower, Unit::Bytes, Scale::Mean)
        );
        assert!(history.series.iter().all(|series| series.metric != "cpu.time"));
    }

    #[test]
    fn runs_are_put_in_the_order_of_time_and_counted_once() {
        let mut early = parse(OWN).unwrap();
        early.test_id = "z".into();
        let mut late = parse(OWN).unwrap();
        late.started_at.0 += jiff::SignedDuration::from_secs(60);
        late.config = serde_json::json!({"commit": "abc"});
        let history =
            assemble(vec![contribution(&late), contribution(&early), contribution(&late)]);
        let runs: Vec<_> = history.runs.iter().map(|run| run.commit.as_deref()).collect();
        assert_eq!(runs, [None, Some("abc")]);
        assert!(history.series.iter().all(|series| series.points.len() == 2));
    }

    #[test]
    fn versions_run_in_turn_give_their_ratio() {
        let mut results = parse(OWN).unwrap();
        let base = results.scenarios[0].clone();
        results.scenarios.clear();
        for (repeat, side, factor) in [
            (0, "a", 1.0),
            (0, "b", 9.0),
            (1, "a", 1.0),
            (1, "b", 1.1),
            (2, "b", 1.1),
            (2, "a", 1.0),
            (3, "a", 1.0),
        ] {
            let mut trial = base.clone();
            trial.repeat = repeat;
            trial.id = format!("baseline::steady::ab={side}::r={repeat}");
            trial.scenario_params.insert("ab".into(), side.into());
            for reading in trial.samples.iter_mut().flat_map(|sample| &mut sample.readings) {
                reading.value *= factor;
            }
            results.scenarios.push(trial);
        }
        let history = assemble(vec![contribution(&results)]);
        let series = history.series.iter().find(|s| s.metric == "memory.anon").unwrap();
        assert_eq!((series.trial.as_str(), series.scale), ("baseline::steady", Scale::Ratio));
        assert!((series.points[0].value - 1.1).abs() < 1e-12, "{series:?}");
    }
}
