//! What a run writes before its first trial: the machine, the plan, and the trials that cannot run here.

use serde_json::Map;

use super::live::now;
use super::select::Planned;
use crate::model::spec::{DriverSpec, TargetSpec};
use crate::model::{Outcome, Verdict};
use crate::plan::{PlanFile, Trial};
use crate::results::document::PHASES;
use crate::results::network::NETWORK;
use crate::results::{Environment, Journal, Line, RunDirectory, Traffic, TrialHeader};
use crate::run;
use crate::scenario::Workspace;
use crate::target;

/// The machine, and Docker where a trial will use it.
pub(super) async fn environment(trials: &[&Trial]) -> Environment {
    let mut environment = run::environment();
    if trials.iter().any(|trial| matches!(trial.target, TargetSpec::Compose(_))) {
        environment.docker = target::compose::survey::engine_version().await;
    }
    environment
}

/// Writes `plan.json`; the processes of a shared run add their trials to it.
pub(super) fn write_plan(
    directory: &RunDirectory,
    workspace: &Workspace,
    trials: &[&Trial],
    shared: bool,
) -> std::io::Result<()> {
    let _lock = directory.lock()?;
    let file = PlanFile { profile: workspace.profile.clone(), trials: trials.to_vec() };
    let mut plan = serde_json::to_value(&file)?;
    let before = std::fs::read(directory.plan()).ok().filter(|_| shared);
    let before: Option<serde_json::Value> =
        before.and_then(|text| serde_json::from_slice(&text).ok());
    if let Some(earlier) = before.as_ref().and_then(|plan| plan["trials"].as_array()) {
        // The processes of one run each know one trial.
        let own = plan["trials"].as_array().cloned().unwrap_or_default();
        let others = earlier.iter().filter(|trial| own.iter().all(|own| own["id"] != trial["id"]));
        plan["trials"] = others.chain(&own).cloned().collect();
    }
    directory.replace("plan.json", &serde_json::to_vec_pretty(&plan)?)
}

/// Trials that were asked for and cannot run here are results too.
pub(super) fn skipped(
    journal: &mut Journal,
    trials: &[Planned],
    arguments: &libtest_mimic::Arguments,
) -> std::io::Result<()> {
    let unignored =
        libtest_mimic::Arguments { ignored: false, include_ignored: true, ..arguments.clone() };
    for planned in trials {
        let wanted = !planned.is_left_out(&unignored) && planned.is_left_out(arguments);
        if let (Some(reason), true) = (&planned.ignored, wanted) {
            journal.write(&Line::Begin { at: now(), trial: Box::new(header(&planned.trial)) })?;
            let outcome = Outcome::Skipped(reason.clone());
            let end = Line::End { at: now(), outcome, verdict: Verdict::Skipped, sampler: None };
            journal.write(&end)?;
        }
    }
    Ok(())
}

/// What the journal says of a trial before it begins.
pub(super) fn header(trial: &Trial) -> TrialHeader {
    let mut scenario_params: Map<String, serde_json::Value> = trial
        .params
        .0
        .iter()
        .map(|(key, value)| (key.clone(), serde_json::to_value(value).unwrap_or_default()))
        .collect();
    if let Some(agents) = trial.total_agents {
        scenario_params.insert("total_agents".to_owned(), agents.into());
    }
    if trial.repeat > 1 {
        scenario_params.insert("repeat".to_owned(), trial.repeat.into());
    }
    let mut metadata = Map::new();
    metadata.insert("description".to_owned(), trial.description.clone().into());
    metadata.insert("scenario".to_owned(), trial.scenario.clone().into());
    metadata.insert(PHASES.to_owned(), serde_json::to_value(&trial.phases).unwrap_or_default());
    let probes: Vec<&str> = trial.probes.iter().map(crate::model::spec::ProbeSpec::name).collect();
    metadata.insert("probes".to_owned(), probes.into());
    if let Some(DriverSpec::Network(spec)) = &trial.driver {
        let traffic = serde_json::to_value(Traffic::of(spec)).unwrap_or_default();
        metadata.insert(NETWORK.to_owned(), traffic);
    }
    TrialHeader {
        id: trial.id.clone(),
        kind: trial.kind,
        scenario_name: trial.name.clone(),
        scenario_params,
        target: trial.target.name().to_owned(),
        repeat: trial.repeat,
        rules: trial.rules.clone(),
        metadata,
    }
}
