//! [`check`]: what the types of a complete scenario cannot rule out.

mod ab;
mod network;
mod parts;
pub(super) mod placeholders;
mod protocol;
mod thresholds;
mod validity;

use std::path::Path;

use super::Scenario;
use super::error::ScenarioError;
use super::layer::{Layer, error_at};
use super::resolve::Names;

/// What checking needs besides the scenario.
pub(crate) struct Context<'a> {
    pub(crate) layers: &'a [Layer],
    /// Those of the scenario's own file.
    pub(crate) own: &'a [Layer],
    pub(crate) root: &'a Path,
    pub(crate) names: &'a Names,
}

impl Context<'_> {
    fn require(
        &self,
        holds: bool,
        path: &[&str],
        message: impl FnOnce() -> String,
    ) -> Result<(), ScenarioError> {
        if holds { Ok(()) } else { Err(error_at(self.layers, path, message())) }
    }

    /// Whichever of two keys the strongest layer that has one of them says; the first, where it says both.
    fn stronger<'p>(&self, one: &'p [&'p str], other: &'p [&'p str]) -> &'p [&'p str] {
        let layers = self.layers.iter().rev();
        let mut says = layers.map(|layer| (layer.find(one).is_some(), layer.find(other).is_some()));
        if says.find(|says| says.0 || says.1) == Some((false, true)) { other } else { one }
    }

    /// True where some layer has this key.
    fn has(&self, path: &[&str]) -> bool {
        self.layers.iter().any(|layer| layer.find(path).is_some())
    }
}

/// Refuses what cannot be meant.
pub(crate) fn check(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    protocol::check(scenario, context)?;
    network::check(scenario, context)?;
    placeholders::check(scenario, context)?;
    ab::check(scenario, context)?;
    validity::check(&scenario.rules, context)?;
    parts::check(scenario, context)?;
    thresholds::check(scenario, context)
}

pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn unique<T: PartialEq + std::fmt::Display>(
    values: &[T],
    path: &[&str],
    context: &Context<'_>,
) -> Result<(), ScenarioError> {
    let twice = values.iter().enumerate().find(|(index, value)| values[..*index].contains(value));
    match twice {
        None => Ok(()),
        Some((_, value)) => Err(error_at(
            context.layers,
            path,
            format!("{value} stands twice; use `repeat` to repeat"),
        )),
    }
}
