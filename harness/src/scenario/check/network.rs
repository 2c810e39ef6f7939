//! Kind `network`: parts that it does not have, tests that cannot be run, selections that select nothing.

use super::Context;
use crate::model::spec::TargetSpec;
use crate::model::spec::network::{Hook, Level};
use crate::model::{Kind, Param, Params, template};
use crate::scenario::Scenario;
use crate::scenario::error::ScenarioError;
use crate::scenario::network::flows::{self, Refused};
use crate::scenario::network::sound::{self, OWN};
use crate::scenario::network::{Config, selection};

/// Refuses scenarios of kind network that cannot be run, and its parts in others.
pub(super) fn check(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    let is_testbed = |target: &TargetSpec| matches!(target, TargetSpec::Testbed(_));
    if scenario.kind != Kind::Network {
        let has_testbed = scenario.targets.iter().any(is_testbed);
        return context.require(!has_testbed, &["target", "testbed"], || {
            format!("[target.testbed] is for kind network, found kind {}", scenario.kind)
        });
    }
    let is_alone = scenario.targets.len() == 1 && scenario.targets.iter().all(is_testbed);
    context.require(is_alone, &["target"], || {
        "a scenario of kind network has one target: [target.testbed] with config = \"config/my-env\"".to_owned()
    })?;
    context.require(scenario.driver.is_none(), &["driver"], || {
        "a scenario of kind network has no [driver]: its tests are in [network]".to_owned()
    })?;
    context.require(scenario.ab.is_none(), &["ab"], || {
        "a scenario of kind network has no [ab]: each tool is compared with the baseline anyway"
            .to_owned()
    })?;
    holds(sound::repeat(scenario.repeat), &["repeat"], context)?;
    let Some(config) = &scenario.network else { return Ok(()) };
    settings(scenario, context)?;
    names(scenario, config, context)?;
    tests(scenario, context)?;
    hooks(scenario, config, context)?;
    pairs(scenario, config, context)
}

fn holds(
    sound: Result<(), String>,
    path: &[&str],
    context: &Context<'_>,
) -> Result<(), ScenarioError> {
    sound.or_else(|message| context.require(false, path, || message))
}

fn settings(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    let network = &scenario.protocol.network;
    let limits = [
        ("latency_degradation", network.latency_degradation),
        ("throughput_degradation", network.throughput_degradation),
        ("pps_degradation", network.pps_degradation),
    ];
    for (key, limit) in limits {
        holds(sound::limit(limit), &["network", key], context)?;
    }
    let times =
        [("within", network.within), ("grace", network.grace), ("interval", network.interval)];
    for (key, length) in times {
        holds(sound::time(length), &["network", key], context)?;
    }
    Ok(())
}

/// Parameters of cases and of the matrix are parts of one id.
fn names(scenario: &Scenario, config: &Config, context: &Context<'_>) -> Result<(), ScenarioError> {
    let cases = || config.cases.iter().map(|configured| &configured.case);
    for (name, _) in &scenario.matrix {
        let of_case = |case: &crate::scenario::network::Case| case.parameters.get(name).is_some();
        let is_new = !OWN.contains(&name.as_str()) && !cases().any(of_case);
        context.require(is_new, &["matrix", name], || {
            format!("{name:?} is a parameter of the cases already")
        })?;
    }
    let at = ["target", "testbed", "config"];
    for case in cases() {
        let told = |sound: Result<(), String>| {
            holds(sound.map_err(|message| format!("case {:?}: {message}", case.name)), &at, context)
        };
        for part in [&case.category, &case.script] {
            told(sound::part(part))?;
        }
        for (name, value) in &case.parameters.0 {
            told(sound::param(name, value))?;
        }
    }
    Ok(())
}

fn tests(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    let network = &scenario.protocol.network;
    context.require(!network.tests.is_empty(), &["network", "tests"], || {
        "expected at least one test, for example [\"throughput_single\", \"tcp_rr\"]".to_owned()
    })?;
    for params in combinations(scenario) {
        let tests = flows::tests(network, &params).or_else(|Refused { key, message }| {
            let path: Vec<&str> =
                ["network"].into_iter().chain(key.iter().map(String::as_str)).collect();
            context.require(false, &path, || message).map(|()| Vec::new())
        })?;
        for (index, test) in tests.iter().enumerate() {
            let place = index.to_string();
            let path = ["network", "tests", &place];
            holds(sound::test(test, &tests[..index], network.interval), &path, context)?;
        }
    }
    Ok(())
}

fn hooks(scenario: &Scenario, config: &Config, context: &Context<'_>) -> Result<(), ScenarioError> {
    let params: Vec<&str> = scenario.matrix.iter().map(|(name, _)| name.as_str()).collect();
    for (index, hook) in scenario.protocol.network.hook.iter().enumerate() {
        let place = index.to_string();
        let path = |key| ["network", "hook", place.as_str(), key];
        let Hook { level, init, post, .. } = hook;
        sound::hook(hook, &config.nodes)
            .or_else(|(key, message)| context.require(false, &path(key), || message))?;
        for (key, line) in [("init", init), ("post", post)] {
            let Some(line) = line else { continue };
            // What surrounds all trials cannot know the parameters of one.
            let known = if *level <= Level::Tool { &[][..] } else { &params[..] };
            let rendered =
                template::render(line, known, |name| known.contains(&name).then(String::new));
            rendered
                .map(drop)
                .or_else(|error| context.require(false, &path(key), || error.to_string()))?;
        }
    }
    Ok(())
}

/// Every tool that is asked for must have a pair of its environment, and with it a baseline.
fn pairs(scenario: &Scenario, config: &Config, context: &Context<'_>) -> Result<(), ScenarioError> {
    let network = &scenario.protocol.network;
    let select = &network.select;
    for (category, environment) in &config.without_pair {
        let is_asked = select.tools.is_none()
            && selection::keeps_environment(select, environment)
            && selection::keeps_category(select, category);
        context.require(!is_asked, &["target", "testbed", "config"], || {
            format!("the tools of {category} are for environment {environment}, which has no baseline to compare them with: add test_pairs.{environment} to {}, or leave them out: with network.select.environments, or `--environments` of a command", Config::MINIMAL)
        })?;
    }
    selection::check(config, select).or_else(|(key, message)| {
        context.require(false, &["network", "select", key], || message)
    })?;
    selection::leaves_something(config, select, network.baseline)
        .or_else(|message| context.require(false, &["network", "select"], || message))
}

/// Every combination of the matrix; the last name varies fastest.
fn combinations(scenario: &Scenario) -> Vec<Params> {
    let with = |all: Vec<Params>, (name, values): &(String, Vec<Param>)| {
        let each = |params: Params| {
            values.iter().map(move |value| params.clone().with(name, value.clone()))
        };
        all.into_iter().flat_map(each).collect()
    };
    scenario.matrix.iter().fold(vec![Params::default()], with)
}
