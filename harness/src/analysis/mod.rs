//! Facts drawn from results: [`analyze`] turns what was measured into findings. Nothing here passes or fails a trial;
//! the limits that findings speak of come with the trial, and only `gate` turns them into a verdict.
//!
//! Each finding has a file or a folder: [`summary`], [`scaling`], [`throughput`], [`leak`], [`reset`], [`compare`]. A
//! stronger method takes the place of such a file; [`Analysis`] and its JSON stay.

pub mod binomial;
pub mod change_points;
pub mod compare;
pub mod describe;
pub mod fit;
pub mod history;
pub mod leak;
pub mod least_squares;
pub mod nonlinear;
pub mod regression;
pub mod reset;
pub mod rules;
pub mod scaling;
pub mod series;
pub mod statistic;
pub mod summary;
pub mod table;
pub mod throughput;
pub mod usl;
pub mod validity;

pub(crate) mod digits;

use std::collections::HashSet;

use serde::ser::{Serialize, SerializeMap, Serializer};

pub use compare::{Change, ChangeVerdict, Unmatched};
pub use leak::{Band, Leak, LeakMethod, LeakVerdict};
pub use reset::{Growth, Reset, ResetVerdict};
pub use scaling::{DataPoint, Scaling};
pub use summary::{ContainerSummary, PhaseSummary, TrialSummary};
pub use throughput::{Throughput, ThroughputPoint};
pub use validity::Validity;

use crate::model::Outcome;
use crate::model::quantity::Quantity;
use crate::results::{Results, TrialRecord};

/// Bytes in a MiB, the `mb` of results files.
pub(crate) const MIB: f64 = 1_048_576.0;
/// Seconds in a minute: what a slope per second is multiplied with.
pub(crate) const PER_MINUTE: f64 = 60.0;

/// Every finding of a run.
///
/// In JSON it is one object: an entry per container of [`Analysis::scalings`], and the lists under the names in
/// [`Analysis::FIXED`]. See [`Analysis::scaling_keys`] for the containers' keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analysis {
    /// Memory against agents, per container and scenario.
    pub scalings: Vec<Scaling>,
    /// Work done against agents, per source and scenario that names a metric of throughput.
    pub throughput: Vec<Throughput>,
    /// What each container used, per trial.
    pub summaries: Vec<TrialSummary>,
    /// Growth over time, per container and trial of kind `duration`.
    pub leaks: Vec<Leak>,
    /// What came back after a reset, per container and trial of kind `reset`.
    pub resets: Vec<Reset>,
    /// What differs between two versions, per metric and source.
    pub changes: Vec<Change>,
    /// What only one of two versions has.
    pub unmatched: Vec<Unmatched>,
    /// What the data of each trial are worth, where something was recorded to tell by.
    pub validity: Vec<Validity>,
}

impl Analysis {
    /// The keys of the JSON object that are not containers.
    pub const FIXED: [&'static str; 7] =
        ["scenario_summaries", "throughput", "leaks", "resets", "validity", "changes", "unmatched"];

    /// The key of each of [`Analysis::scalings`] in JSON.
    ///
    /// It is the container's name. A container with the name of a fixed key is written `container:<name>` (as is one
    /// whose name starts so, lest two be the same), and where several scenarios load a container of that name the
    /// second and later ones are written `<name> @ <scenario>`, with a number behind it while that is taken.
    #[must_use]
    pub fn scaling_keys(&self) -> Vec<String> {
        let mut taken: HashSet<String> = HashSet::new();
        let key = |scaling: &Scaling| {
            let name = &scaling.container;
            let fixed = Self::FIXED.contains(&name.as_str()) || name.starts_with("container:");
            let name = if fixed { format!("container:{name}") } else { name.clone() };
            let qualified = format!("{name} @ {}", scaling.scenario_name);
            let numbered = (2..).map(|number| format!("{qualified} {number}"));
            let mut keys = [name, qualified.clone()].into_iter().chain(numbered);
            keys.find(|key| taken.insert(key.clone())).unwrap_or_default()
        };
        self.scalings.iter().map(key).collect()
    }

    fn absorb(&mut self, trial: &TrialRecord) {
        if trial.is_discarded() {
            return;
        }
        self.summaries.push(summary::summarize(trial));
        self.leaks.extend(leak::leaks(trial));
        self.resets.extend(reset::resets(trial));
        self.validity.extend(Some(validity::examine(trial)).filter(Validity::is_known));
    }
}

impl Serialize for Analysis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, scaling) in self.scaling_keys().iter().zip(&self.scalings) {
            map.serialize_entry(key, scaling)?;
        }
        map.serialize_entry("scenario_summaries", &self.summaries)?;
        map.serialize_entry("throughput", &self.throughput)?;
        map.serialize_entry("leaks", &self.leaks)?;
        map.serialize_entry("resets", &self.resets)?;
        map.serialize_entry("validity", &self.validity)?;
        map.serialize_entry("changes", &self.changes)?;
        if !self.unmatched.is_empty() {
            map.serialize_entry("unmatched", &self.unmatched)?;
        }
        map.end()
    }
}

/// Analyses a whole run.
#[must_use]
pub fn analyze(results: &Results) -> Analysis {
    analyze_for(results, None)
}

/// Analyses a whole run; `capacity` is the memory for which [`Scaling::capacity`] is told, in place of the limits that
/// scenarios and containers have.
#[must_use]
pub fn analyze_for(results: &Results, capacity: Option<&Quantity>) -> Analysis {
    let mut analysis = Analysis {
        scalings: scaling::scalings(results, capacity),
        throughput: throughput::throughputs(results),
        ..Analysis::default()
    };
    for trial in &results.scenarios {
        analysis.absorb(trial);
    }
    for (_, runs) in compare::comparisons(&results.scenarios) {
        let found = compare::comparison(&runs);
        analysis.changes.extend(found.changes);
        analysis.unmatched.extend(found.unmatched);
    }
    analysis
}

/// Analyses one trial: what a running suite needs to judge it. Curves over several trials are not in it.
#[must_use]
pub fn analyze_trial(trial: &TrialRecord) -> Analysis {
    analyze_trials([trial])
}

/// The same of several trials, each by itself.
#[must_use]
pub fn analyze_trials<'a>(trials: impl IntoIterator<Item = &'a TrialRecord>) -> Analysis {
    let mut analysis = Analysis::default();
    trials.into_iter().for_each(|trial| analysis.absorb(trial));
    analysis
}

/// How a trial ended; `None` of one that was cut off. Files of the original framework say it in other fields.
#[must_use]
pub fn ending(trial: &TrialRecord) -> Option<Outcome> {
    trial.outcome.clone().or_else(|| {
        if trial.aborted {
            let reason = trial.abort_reason.clone();
            return Some(Outcome::Aborted(reason.unwrap_or_else(|| "for no stated reason".into())));
        }
        trial.completed_at.map(|_| Outcome::Completed)
    })
}

#[cfg(test)]
pub(crate) mod strd;
#[cfg(test)]
pub(crate) mod tests;
