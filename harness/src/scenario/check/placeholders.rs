//! Matrix parameters, and the placeholders that they and the driver fill in.

use super::{Context, unique};
use crate::model::spec::DriverSpec;
use crate::model::spec::driver::AgentsSpec;
use crate::model::{Kind, template};
use crate::scenario::error::ScenarioError;
use crate::scenario::layer::error_at;
use crate::scenario::{Ab, Scenario};

/// Refuses a placeholder that nothing fills in, and parameters that could fill in none.
pub(super) fn check(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    let mut params: Vec<&str> = scenario.matrix.iter().map(|(name, _)| name.as_str()).collect();
    matrix(scenario, context)?;
    if scenario.kind == Kind::Duration {
        params.push("minutes");
    }
    if let Some(ab) = &scenario.ab {
        params.push(Ab::SIDE);
        params.extend(ab.a.0.iter().map(|(name, _)| name.as_str()));
    }
    for target in &scenario.targets {
        walk(&to_json(target), &mut vec!["target".to_owned()], &params, context)?;
    }
    match &scenario.driver {
        None | Some(DriverSpec::Network(_)) => Ok(()),
        Some(DriverSpec::Agents(spec)) => agents(spec, params, context),
        Some(DriverSpec::Command(_)) => driver(scenario, &params, &["agents", "log_dir"], context),
        // What a registered driver fills in is its own business.
        Some(DriverSpec::Custom(_)) => {
            driver(scenario, &params, &["agents", "group", "count", "log_dir"], context)
        }
    }
}

fn driver(
    scenario: &Scenario,
    params: &[&str],
    own: &[&str],
    context: &Context<'_>,
) -> Result<(), ScenarioError> {
    let known = [params, own].concat();
    walk(&to_json(&scenario.driver), &mut vec!["driver".to_owned()], &known, context)
}

/// Only spawn and status are sent per group, and only spawn for a count of agents.
fn agents(
    spec: &AgentsSpec,
    mut params: Vec<&str>,
    context: &Context<'_>,
) -> Result<(), ScenarioError> {
    params.push("agents");
    let mut by_group = params.clone();
    by_group.push("group");
    let mut by_count = by_group.clone();
    by_count.push("count");
    // These are part of every request, so they may name what the least of them knows.
    let is_plain = spec.start.is_some() || spec.stop.is_some() || spec.reset.is_some();
    let common = match (is_plain, &spec.status) {
        (true, _) => &params,
        (false, Some(_)) => &by_group,
        (false, None) => &by_count,
    };
    let serde_json::Value::Object(keys) = to_json(spec) else { return Ok(()) };
    for (key, value) in &keys {
        let known = match key.as_str() {
            "base_url" | "headers" => common,
            "status" => &by_group,
            "spawn" => &by_count,
            _ => &params,
        };
        walk(
            value,
            &mut vec!["driver".to_owned(), "agents".to_owned(), key.clone()],
            known,
            context,
        )?;
    }
    Ok(())
}

fn matrix(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    for (name, values) in &scenario.matrix {
        let path = ["matrix", name];
        free(name, &path, context)?;
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        for value in &values {
            is_clear(value).or_else(|message| context.require(false, &path, || message))?;
        }
        unique(&values, &path, context)?;
    }
    Ok(())
}

/// Refuses a value that would make two things of a trial's id.
///
/// # Errors
/// A sentence.
pub(in crate::scenario) fn is_clear(value: &str) -> Result<(), String> {
    let is_clear = !value.is_empty()
        && !value.contains(|c: char| c == ',' || c.is_control())
        && !value.contains("::");
    if is_clear {
        return Ok(());
    }
    Err(format!(
        "{value:?} cannot be part of a trial's id: expected text without a comma, \"::\" and control characters"
    ))
}

pub(super) fn free(name: &str, path: &[&str], context: &Context<'_>) -> Result<(), ScenarioError> {
    is_free(name).or_else(|message| context.require(false, path, || message))
}

/// Refuses a parameter's name that cannot be a placeholder, or is taken.
///
/// # Errors
/// A sentence.
pub(in crate::scenario) fn is_free(name: &str) -> Result<(), String> {
    // Names of the kinds, of the drivers, and of what results write among the parameters.
    let taken = [
        "agents",
        "minutes",
        "r",
        "group",
        "count",
        "log_dir",
        "total_agents",
        "repeat",
        "drivers",
        "riders",
        Ab::SIDE,
    ];
    if template::is_name(name) && !taken.contains(&name) {
        return Ok(());
    }
    let taken = taken.join(", ");
    Err(format!(
        "{name:?} cannot name a parameter: expected a name of letters, digits and _, and none of {taken}"
    ))
}

/// Calls `at` for every string.
pub(super) fn strings(value: &serde_json::Value, at: &mut impl FnMut(&str)) {
    match value {
        serde_json::Value::String(text) => at(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, at)),
        serde_json::Value::Object(fields) => fields.values().for_each(|item| strings(item, at)),
        _ => {}
    }
}

fn to_json(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn walk(
    value: &serde_json::Value,
    path: &mut Vec<String>,
    known: &[&str],
    context: &Context<'_>,
) -> Result<(), ScenarioError> {
    match value {
        serde_json::Value::String(text) => {
            let unknown =
                template::render(text, known, |name| known.contains(&name).then(String::new));
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            unknown.map(drop).map_err(|error| error_at(context.layers, &path, error.to_string()))
        }
        serde_json::Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                walk(item, path, known, context)?;
                path.pop();
            }
            Ok(())
        }
        serde_json::Value::Object(fields) => {
            for (key, item) in fields {
                path.push(key.clone());
                walk(item, path, known, context)?;
                path.pop();
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What a text of the target becomes in the scenario's trials. Its placeholders were checked.
pub(super) fn rendered(text: &str, scenario: &Scenario) -> Vec<String> {
    let names = template::names(text);
    let mut parameters: Vec<(&str, Vec<String>)> = scenario
        .matrix
        .iter()
        .map(|(name, values)| (name.as_str(), values.iter().map(ToString::to_string).collect()))
        .collect();
    if scenario.kind == Kind::Duration {
        let duration = &scenario.protocol.duration;
        let minutes = match &duration.phases {
            Some(phases) => vec![phases.active.0.as_secs_f64() / 60.0],
            None => duration.minutes.clone(),
        };
        parameters.push(("minutes", minutes.iter().map(ToString::to_string).collect()));
    }
    parameters.retain(|(name, _)| names.contains(name));
    let mut chosen = sides(scenario);
    for (name, values) in &parameters {
        let with = |one: Vec<(_, _)>| {
            values.iter().map(move |value| {
                let mut one = one.clone();
                one.push((*name, value.clone()));
                one
            })
        };
        chosen = chosen.into_iter().flat_map(with).collect();
    }
    let fill = |one: &Vec<(&str, String)>| {
        let value = |name: &str| one.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
        template::render(text, &[], value).unwrap_or_else(|_| text.to_owned())
    };
    chosen.iter().map(fill).collect()
}

/// What the placeholders of each side of a comparison are; one list without names where nothing is compared.
fn sides(scenario: &Scenario) -> Vec<Vec<(&str, String)>> {
    let Some(ab) = &scenario.ab else { return vec![Vec::new()] };
    ab.sides()
        .into_iter()
        .map(|(side, params)| {
            let own = params.0.iter().map(|(name, value)| (name.as_str(), value.to_string()));
            std::iter::once((Ab::SIDE, side.to_owned())).chain(own).collect()
        })
        .collect()
}
