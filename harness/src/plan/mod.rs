//! What will be run: scenarios become [`Trial`]s, each a list of phases. One file per kind.
//!
//! Planning touches nothing outside: the same scenarios give the same trials in the same order, always.

mod ab;
mod baseline;
mod blank;
mod duration;
mod load;
pub mod network;
mod reset;

use serde::{Deserialize, Serialize};

use crate::model::spec::{DriverSpec, ProbeSpec, TargetSpec};
use crate::model::{Kind, Param, Params, Phase, Rules};
use crate::scenario::{Scenario, file::Sampling};
use blank::Blank;

pub use ab::Comparison;

/// One test trial: a target brought up once, and walked through phases; or, with [`Trial::comparison`], two of them in
/// turn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// `<kind>::<scenario>[::<target>][::k=v,k=v][::r=N]`, stable across runs; profiles differ in levels, and in whether
    /// trials repeat.
    pub id: String,
    /// The id without parameters and repeat: what results call the scenario.
    pub name: String,
    /// The scenario file's stem.
    pub scenario: String,
    /// What is asked.
    pub kind: Kind,
    /// One line for reports.
    pub description: String,
    /// What is brought up, its placeholders filled in.
    pub target: TargetSpec,
    /// What loads it; `{group}` and `{count}` are still open.
    pub driver: Option<DriverSpec>,
    /// What reads it.
    pub probes: Vec<ProbeSpec>,
    /// What tells it apart from its siblings.
    #[serde(serialize_with = "as_map")]
    pub params: Params,
    /// Live agents over all groups under load, for kinds that have agents.
    pub total_agents: Option<u64>,
    /// What the names of its side of a comparison are; empty of all others. Not part of what tells it apart.
    #[serde(serialize_with = "as_map", skip_serializing_if = "Params::is_empty")]
    pub side: Params,
    /// Which repetition, from 1.
    pub repeat: u32,
    /// The phases, in order.
    pub phases: Vec<Phase>,
    /// What it is judged by.
    pub rules: Rules,
    /// The two versions that it compares. The trial is then never walked itself; its own target is that of side a.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Box<Comparison>>,
    /// Why it cannot run, where that is known before anything is asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<String>,
}

impl Trial {
    /// Everything that placeholders of the trial can name: its parameters, and the names of its side.
    #[must_use]
    pub fn placeholders(&self) -> Params {
        let mut all = self.params.clone();
        let own = self.side.0.iter().filter(|(name, _)| self.params.get(name).is_none());
        all.0.extend(own.cloned());
        all
    }
}

fn as_map<S: serde::Serializer>(params: &Params, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(params.0.iter().map(|(key, value)| (key, value)))
}

/// What a kind makes of a scenario: the parameters of one trial, its agents per group and its phases.
struct Variant {
    params: Params,
    agents: Option<u32>,
    phases: Vec<Phase>,
}

/// The file that the whole plan is written to, for a reader.
#[derive(Debug, Serialize, Deserialize)]
pub struct PlanFile<T> {
    /// The profile.
    pub profile: String,
    /// The trials that were selected.
    pub trials: Vec<T>,
}

/// Every trial of a scenario, in declared order: targets, then matrix combinations, then the kind's own parameter,
/// then repetitions. Shuffled levels stand repetition by repetition.
#[must_use]
pub fn trials(scenario: &Scenario) -> Vec<Trial> {
    let protocol = &scenario.protocol;
    let variants = match scenario.kind {
        Kind::Baseline => baseline::variants(protocol),
        Kind::Load => load::variants(protocol),
        Kind::Duration => duration::variants(protocol),
        Kind::Reset => reset::variants(protocol),
        Kind::Network => return network::trials(scenario),
    };
    let repeats = match scenario.kind {
        // A comparison repeats its pairs.
        _ if scenario.ab.is_some() => 1,
        Kind::Load => scenario.repeat * protocol.load.repeat,
        Kind::Baseline | Kind::Duration | Kind::Reset | Kind::Network => scenario.repeat,
    };
    let order = match scenario.kind {
        Kind::Load => {
            load::order(&scenario.name, &protocol.load.levels, repeats, protocol.load.shuffle)
        }
        Kind::Baseline | Kind::Duration | Kind::Reset | Kind::Network => {
            let each = |variant| (1..=repeats).map(move |repeat| (variant, repeat));
            (0..variants.len()).flat_map(each).collect()
        }
    };
    let driver = scenario.driver.as_ref().map(Blank::of);
    let mut trials = Vec::new();
    for target in &scenario.targets {
        let target = Blank::of(target);
        for combination in combinations(&scenario.matrix) {
            for (variant, repeat) in &order {
                let parts = (&target, driver.as_ref());
                let variant = &variants[*variant];
                trials.push(match &scenario.ab {
                    Some(ab) => ab::trial(scenario, ab, parts, &combination, variant),
                    None => {
                        let (run, side) = ((*repeat, repeats), Params::default());
                        trial(scenario, parts, &combination, variant, run, side)
                    }
                });
            }
        }
    }
    trials
}

/// What is filled in for every trial.
type Parts<'a> = (&'a Blank<'a, TargetSpec>, Option<&'a Blank<'a, DriverSpec>>);

fn trial(
    scenario: &Scenario,
    (target, driver): Parts<'_>,
    combination: &Params,
    variant: &Variant,
    (repeat, repeats): (u32, u32),
    side: Params,
) -> Trial {
    let mut params = combination.clone();
    params.0.extend(variant.params.0.iter().cloned());
    let mut name = format!("{}::{}", scenario.kind, scenario.name);
    if scenario.targets.len() > 1 {
        name = format!("{name}::{}", target.spec.name());
    }
    let mut id = name.clone();
    if !params.is_empty() {
        id = format!("{id}::{params}");
    }
    if repeats > 1 {
        id = format!("{id}::r={repeat}");
    }
    let mut known = params.clone();
    known.0.extend(side.0.iter().cloned());
    let filled = target.filled(&known);
    if let (Some(agents), None) = (variant.agents, params.get("agents")) {
        known = known.with("agents", Param::Integer(agents.into()));
    }
    let groups = scenario.driver.as_ref().map_or(1, DriverSpec::group_count);
    Trial {
        id,
        name,
        scenario: scenario.name.clone(),
        kind: scenario.kind,
        description: scenario.description.clone(),
        target: filled,
        driver: driver.map(|driver| driver.partly_filled(&known)),
        probes: scenario.probes.clone(),
        total_agents: variant.agents.map(|agents| u64::from(agents) * groups as u64),
        params,
        side,
        repeat,
        phases: variant.phases.clone(),
        rules: scenario.rules.clone(),
        comparison: None,
        unavailable: None,
    }
}

/// Every combination of matrix values, the last name varying fastest; one empty combination of no names.
fn combinations(matrix: &[(String, Vec<Param>)]) -> Vec<Params> {
    matrix.iter().fold(vec![Params::default()], |combinations, (name, values)| {
        let with = |params: Params| {
            values.iter().map(move |value| params.clone().with(name, value.clone()))
        };
        combinations.into_iter().flat_map(with).collect()
    })
}

/// A phase that does nothing at its start.
fn phase(name: &str, length: std::time::Duration, sampled: bool, sampling: &Sampling) -> Phase {
    Phase {
        name: name.to_owned(),
        cycle: 0,
        enter: crate::model::Action::Keep,
        length,
        sampled,
        interval: sampling.interval.0,
    }
}

#[cfg(test)]
mod tests;
