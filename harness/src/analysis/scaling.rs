//! [`Scaling`]: how a container's memory grows with agents, over the trials of kind `load`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::analysis::digits::short;
use crate::analysis::fit::{Capacity, Curves, Fit, Prediction, Warning};
use crate::analysis::series::{Series, by_source};
use crate::analysis::validity::left_out;
use crate::analysis::{MIB, ending, rules};
use crate::model::quantity::Quantity;
use crate::model::{Event, EventKind, Kind, Outcome, Sample, metric};
use crate::results::{Results, TrialRecord};

/// One container's curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scaling {
    /// The fit that the data support best, see [`crate::analysis::fit::select`].
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
    /// The memory at 1.5 times and at twice the largest level.
    pub predictions: Vec<Prediction>,
    /// The load at which the memory limit is reached; absent where no limit is known.
    pub capacity: Option<Capacity>,
    /// What a reader should know of the curve.
    pub warnings: Vec<Warning>,
    /// The finding in one sentence.
    pub reason: String,
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

/// Trials that differ in their level and repetition alone.
pub(super) struct Group<'a> {
    pub(super) name: String,
    pub(super) params: Map<String, Value>,
    pub(super) trials: Vec<&'a TrialRecord>,
}

/// The trials of kind `load` that belong to one curve, in the order of their first trial.
///
/// Only trials that ran to their end count: what died under its load, or was ended early by a threshold, has no mean
/// under that load; nor has one whose data cannot be judged. Trials that differ in more than the level (other scenario,
/// target or matrix parameters) are different curves.
pub(super) fn groups(results: &Results) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for trial in results.scenarios.iter().filter(|trial| trial.kind == Some(Kind::Load)) {
        let is_whole = ending(trial) == Some(Outcome::Completed) && !ended_early(trial);
        if !is_whole || trial.is_discarded() || left_out(trial).is_some() {
            continue;
        }
        let (name, params) = (curve_name(trial), shared(trial));
        match groups.iter_mut().find(|group| group.name == name && group.params == params) {
            Some(group) => group.trials.push(trial),
            None => groups.push(Group { name, params, trials: vec![trial] }),
        }
    }
    groups
}

/// Fits every container that was read at two levels or more, in the order of the first trial, then by name.
///
/// The limit for [`Scaling::capacity`] is `capacity` where it is given, else the scenario's `load.capacity`, else the
/// container's own limit.
#[must_use]
pub fn scalings(results: &Results, capacity: Option<&Quantity>) -> Vec<Scaling> {
    let curves = groups(results).into_iter().flat_map(|group| {
        let points = points(&group.trials);
        let curve = |(container, points)| curve(&group, capacity, container, points);
        points.into_iter().filter_map(curve).collect::<Vec<Scaling>>()
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
    let mut params = trial.params_of_all_repetitions();
    params.retain(|name, _| !LEVELS.contains(&name.as_str()));
    params
}

/// The original framework knows no phases; all that it writes is sampled.
pub(super) fn is_sampled(sample: &Sample) -> bool {
    matches!(&*sample.phase, "sample" | "")
}

fn points<'a>(trials: &[&'a TrialRecord]) -> BTreeMap<&'a str, Vec<DataPoint>> {
    let mut points: BTreeMap<&str, Vec<DataPoint>> = BTreeMap::new();
    for trial in trials {
        let Some(agents) = trial.total_agents() else { continue };
        for (name, series) in by_source(trial, &metric::MEMORY_WORKING_SET.name, is_sampled) {
            let Some(described) = series.describe() else { continue };
            let point = DataPoint { agents, memory_mb: described.mean / MIB };
            points.entry(name).or_default().push(point);
        }
    }
    points
}

/// The limit that a container's memory is held against (MiB), and who set it.
fn limit(
    group: &Group<'_>,
    asked: Option<&Quantity>,
    container: &str,
) -> Option<(f64, &'static str)> {
    if let Some(asked) = asked {
        return Some((asked.value / MIB, "the command line"));
    }
    let ruled = group.trials.iter().find_map(|trial| rules::of(trial).load.capacity.as_ref());
    if let Some(ruled) = ruled {
        return Some((ruled.value / MIB, "load.capacity"));
    }
    let own = group.trials.iter().rev().find_map(|trial| {
        by_source(trial, &metric::MEMORY_LIMIT.name, is_sampled).get(container).map(Series::last)
    });
    own.filter(|limit| *limit > 0.0).map(|limit| (limit / MIB, "memory.limit"))
}

fn curve(
    group: &Group<'_>,
    capacity: Option<&Quantity>,
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
    let curves = Curves::through(&pairs)?;
    let capacity =
        limit(group, capacity, container).map(|(limit, from)| curves.capacity(limit, from));
    let predictions = [1.5, 2.0].map(|times| curves.predict(times * highest)).to_vec();
    let warnings = curves.warnings(capacity.as_ref());
    let best_fit = curves.best();
    Some(Scaling {
        reason: reason(&best_fit, &predictions, capacity.as_ref()),
        all_fits: curves.fits(),
        best_fit,
        data_points: points,
        scenario_name: group.name.clone(),
        scenario_params: group.params.clone(),
        container: container.to_owned(),
        predictions,
        capacity,
        warnings,
    })
}

/// `memory is linear in agents; at 160 agents 704.5 MiB [698, 711]; at 512 MiB: 81 agents [79, 84]`.
fn reason(fit: &Fit, predictions: &[Prediction], capacity: Option<&Capacity>) -> String {
    use crate::analysis::fit::Family;
    let mut parts = vec![match fit.family {
        Family::Constant => "memory does not grow with agents".to_owned(),
        family => format!("memory is {} in agents", family.as_str()),
    }];
    let far = predictions.last().and_then(|far| Some((far.agents, far.memory_mb?, far.interval)));
    if let Some((agents, memory, interval)) = far {
        let interval = interval.map_or_else(
            || ", with no interval".to_owned(),
            |[low, high]| format!(" [{}, {}]", short(low), short(high)),
        );
        parts.push(format!("at {} agents {} MiB{interval}", short(agents), short(memory)));
    }
    parts.extend(capacity.map(|capacity| capacity.reason.clone()));
    parts.join("; ")
}
