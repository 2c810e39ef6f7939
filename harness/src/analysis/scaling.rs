//! [`Scaling`]: how a container's memory grows with agents, over the trials of kind `load`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::analysis::fit::{self, Fit};
use crate::analysis::series::by_source;
use crate::analysis::{MIB, ending};
use crate::model::{Event, EventKind, Kind, Outcome, Sample, metric};
use crate::results::{Results, TrialRecord};

/// One container's curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scaling {
    /// The fit that the data support best, see [`fit::select`].
    pub best_fit: Fit,
    /// All fits, the chosen one first, the others by falling R².
    pub all_fits: Vec<Fit>,
    /// What was fitted, one point per trial, by rising agents.
    pub data_points: Vec<DataPoint>,
    /// The scenario, without the level.
    pub scenario_name: String,
    /// The parameters that its trials share.
    pub scenario_params: Map<String, Value>,
    /// The container.
    pub container: String,
}

/// The mean of one trial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DataPoint {
    /// Live agents over all groups.
    pub agents: f64,
    /// Mean working set in the phase `sample`, in MiB.
    pub memory_mb: f64,
}

/// Parameters that say how high the load is, and so are the x of the curve.
const LEVELS: [&str; 4] = ["agents", "total_agents", "drivers", "riders"];

/// Fits every container that was read at two levels or more, in the order of the first trial, then by name.
///
/// Only trials that ran to their end count: what died under its load, or was ended early by a threshold, has no mean
/// under that load. Trials that differ
/// in more than the level (other scenario, target or matrix parameters) are different curves.
#[must_use]
pub fn scalings(results: &Results) -> Vec<Scaling> {
    let mut groups: Vec<(String, Map<String, Value>, Vec<&TrialRecord>)> = Vec::new();
    for trial in results.scenarios.iter().filter(|trial| trial.kind == Some(Kind::Load)) {
        let is_whole = ending(trial) == Some(Outcome::Completed) && !ended_early(trial);
        if !is_whole || trial.is_discarded() {
            continue;
        }
        let (name, params) = (curve_name(trial), shared(trial));
        match groups.iter_mut().find(|group| group.0 == name && group.1 == params) {
            Some(group) => group.2.push(trial),
            None => groups.push((name, params, vec![trial])),
        }
    }
    let curves = groups.into_iter().flat_map(|(name, params, trials)| {
        let points = points(&trials).into_iter();
        points.filter_map(move |(container, points)| curve(&name, &params, container, points))
    });
    curves.collect()
}

/// True where a threshold with `abort_on_fail` cut the trial short, as the run loop notes.
pub(super) fn ended_early(trial: &TrialRecord) -> bool {
    let noted =
        |event: &Event| event.kind == EventKind::Note && event.message.starts_with("ended early");
    trial.events.iter().any(noted)
}

/// The original framework puts the level into the name.
fn curve_name(trial: &TrialRecord) -> String {
    let name = &trial.scenario_name;
    match name.strip_prefix("load_scaling_") {
        Some(level) if level.parse::<u64>().is_ok() => "load_scaling".to_owned(),
        _ => name.clone(),
    }
}

/// The parameters without the level, and without which repetition it was: repetitions are points of one curve.
fn shared(trial: &TrialRecord) -> Map<String, Value> {
    let mut params = trial.scenario_params.clone();
    let repetition = |name: &str| trial.repeat > 1 && name == "repeat";
    params.retain(|name, _| !LEVELS.contains(&name.as_str()) && !repetition(name));
    params
}

fn points<'a>(trials: &[&'a TrialRecord]) -> BTreeMap<&'a str, Vec<DataPoint>> {
    // The original framework knows no phases; all that it writes is sampled.
    let sampled = |sample: &Sample| matches!(&*sample.phase, "sample" | "");
    let mut points: BTreeMap<&str, Vec<DataPoint>> = BTreeMap::new();
    for trial in trials {
        let Some(agents) = trial.total_agents() else { continue };
        for (name, series) in by_source(trial, &metric::MEMORY_WORKING_SET.name, sampled) {
            let Some(described) = series.describe() else { continue };
            let point = DataPoint { agents, memory_mb: described.mean / MIB };
            points.entry(name).or_default().push(point);
        }
    }
    points
}

fn curve(
    name: &str,
    params: &Map<String, Value>,
    container: &str,
    mut points: Vec<DataPoint>,
) -> Option<Scaling> {
    points.sort_by(|p, q| p.agents.total_cmp(&q.agents).then(p.memory_mb.total_cmp(&q.memory_mb)));
    let (lowest, highest) = (points.first()?.agents, points.last()?.agents);
    if lowest == highest {
        return None;
    }
    let pairs: Vec<(f64, f64)> =
        points.iter().map(|point| (point.agents, point.memory_mb)).collect();
    let mut all_fits = fit::fit_all(&pairs);
    let best_fit = fit::select(&all_fits)?.clone();
    all_fits.sort_by(|p, q| {
        let last = |fit: &Fit| fit.family != best_fit.family;
        last(p).cmp(&last(q)).then(q.r_squared.total_cmp(&p.r_squared))
    });
    Some(Scaling {
        best_fit,
        all_fits,
        data_points: points,
        scenario_name: name.to_owned(),
        scenario_params: params.clone(),
        container: container.to_owned(),
    })
}
