//! [`selected`]: which cases of a configuration are run.

use super::config::{Config, Configured};
use super::expand::tool_name;
use crate::model::Param;
use crate::scenario::error::hint;
use crate::scenario::file::SelectFile;

/// The cases that a selection leaves, in order.
#[must_use]
pub fn selected<'a>(config: &'a Config, select: &SelectFile) -> Vec<&'a Configured> {
    config.cases.iter().filter(|configured| keeps(select, configured)).collect()
}

/// True where the environment is left by a selection.
#[must_use]
pub fn keeps_environment(select: &SelectFile, environment: &str) -> bool {
    let wanted = select.environments.as_ref();
    wanted.is_none_or(|wanted| wanted.iter().any(|name| name == environment))
}

/// True where a category is left by a selection.
#[must_use]
pub fn keeps_category(select: &SelectFile, category: &str) -> bool {
    let wanted = select.categories.as_ref();
    wanted.is_none_or(|wanted| wanted.iter().any(|start| category.starts_with(start.as_str())))
}

/// A tool's name as it may be typed in: in any case, with `-` or `_`, with or without its extension.
#[must_use]
pub fn normal(tool: &str) -> String {
    tool_name(&tool.to_lowercase())
}

/// Refuses words of a selection that nothing in the configuration is called: the key, and what there is.
///
/// # Errors
/// The key below `select`, and a sentence.
pub fn check(config: &Config, select: &SelectFile) -> Result<(), (&'static str, String)> {
    let cases = || config.cases.iter().map(|configured| &configured.case);
    let tools: Vec<String> = cases().map(|case| normal(&case.script)).collect();
    for tool in select.tools.iter().flatten() {
        known("tools", &normal(tool), tools.iter().map(String::as_str), |word, tool| word == tool)?;
    }
    let environments = config.pairs.iter().map(|ends| ends.environment.as_str());
    for environment in select.environments.iter().flatten() {
        known("environments", environment, environments.clone(), |word, name| word == name)?;
    }
    for category in select.categories.iter().flatten() {
        let categories = cases().map(|case| case.category.as_str());
        known("categories", category, categories, |word, name| name.starts_with(word))?;
    }
    for (key, wanted) in [("protocol", &select.protocol), ("direction", &select.direction)] {
        let Some(wanted) = wanted else { continue };
        let values: Vec<String> =
            cases().filter_map(|case| case.parameters.get(key)).map(Param::to_string).collect();
        known(key, wanted, values.iter().map(String::as_str), |word, value| word == value)?;
    }
    Ok(())
}

/// Refuses a selection that leaves nothing of what it asks for. `baseline` says that baselines are run alone too: they
/// suffice only where no case is asked for.
///
/// # Errors
/// A sentence.
pub fn leaves_something(
    config: &Config,
    select: &SelectFile,
    baseline: bool,
) -> Result<(), String> {
    let SelectFile { tools, environments: _, categories, protocol, direction } = select;
    let asked = [
        ("tools", tools.is_some()),
        ("categories", categories.is_some()),
        ("protocol", protocol.is_some()),
        ("direction", direction.is_some()),
    ];
    let asked: Vec<&str> = asked.into_iter().filter_map(|(key, is)| is.then_some(key)).collect();
    if !selected(config, select).is_empty() || baseline && asked.is_empty() {
        return Ok(());
    }
    Err(match asked[..] {
        [] => "nothing is selected, and no baseline is asked for".to_owned(),
        _ => format!(
            "no case is left by what is selected ({}) in the environments that are: take one of them out",
            asked.join(", ")
        ),
    })
}

fn known<'a>(
    key: &'static str,
    word: &str,
    all: impl Iterator<Item = &'a str>,
    fits: impl Fn(&str, &str) -> bool,
) -> Result<(), (&'static str, String)> {
    let mut all: Vec<&str> = all.collect();
    if all.iter().any(|one| fits(word, one)) {
        return Ok(());
    }
    all.sort_unstable();
    all.dedup();
    let suggestion = hint(word, all.iter().copied());
    let there = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    Err((key, format!("{key}: nothing is called {word:?}{suggestion} (there is: {there})")))
}

fn keeps(select: &SelectFile, Configured { case, .. }: &Configured) -> bool {
    let own = normal(&case.script);
    let tool = select.tools.as_ref();
    let parameter = |name: &str, wanted: &Option<String>| {
        let value = case.parameters.get(name).map(Param::to_string);
        wanted.is_none() || value == *wanted
    };
    tool.is_none_or(|wanted| wanted.iter().any(|tool| normal(tool) == own))
        && keeps_environment(select, &case.environment)
        && keeps_category(select, &case.category)
        && parameter("protocol", &select.protocol)
        && parameter("direction", &select.direction)
}
