//! Matrix parameters, and the placeholders that they and the driver fill in.

use super::{Context, unique};
use crate::model::{Kind, template};
use crate::scenario::Scenario;
use crate::scenario::error::ScenarioError;
use crate::scenario::layer::error_at;

/// Refuses a placeholder that nothing fills in, and parameters that could fill in none.
pub(super) fn check(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    let mut params: Vec<&str> = scenario.matrix.iter().map(|(name, _)| name.as_str()).collect();
    matrix(scenario, context)?;
    if scenario.kind == Kind::Duration {
        params.push("minutes");
    }
    for target in &scenario.targets {
        walk(&to_json(target), &mut vec!["target".to_owned()], &params, context)?;
    }
    if let Some(driver) = &scenario.driver {
        params.extend(["agents", "group", "count", "log_dir"]);
        walk(&to_json(driver), &mut vec!["driver".to_owned()], &params, context)?;
    }
    Ok(())
}

fn matrix(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    for (name, values) in &scenario.matrix {
        let path = ["matrix", name];
        let taken = ["agents", "minutes", "r", "group", "count", "log_dir"];
        let is_free = template::is_name(name) && !taken.contains(&name.as_str());
        context.require(is_free, &path, || {
            let taken = taken.join(", ");
            format!("{name:?} cannot name a parameter: expected a name of letters, digits and _, and none of {taken}")
        })?;
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        for value in &values {
            let is_clear = !value.is_empty()
                && !value.contains(|c: char| c == ',' || c.is_control())
                && !value.contains("::");
            context.require(is_clear, &path, || {
                format!("{value:?} cannot be part of a trial's id: expected text without a comma, \"::\" and control characters")
            })?;
        }
        unique(&values, &path, context)?;
    }
    Ok(())
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
