//! [`check`]: what the types of a complete scenario cannot rule out.

mod parts;
mod placeholders;
mod protocol;

use std::path::Path;

use super::Scenario;
use super::error::{ScenarioError, hint};
use super::layer::{Layer, error_at};
use super::resolve::Names;
use crate::model::spec::{DriverSpec, ProbeSpec};
use crate::model::{EventKind, Param, Stat, Threshold, metric};

/// What checking needs besides the scenario.
pub(crate) struct Context<'a> {
    pub(crate) layers: &'a [Layer],
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

    /// True where some layer has this key.
    fn has(&self, path: &[&str]) -> bool {
        self.layers.iter().any(|layer| layer.find(path).is_some())
    }
}

/// Refuses what cannot be meant.
pub(crate) fn check(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    protocol::check(scenario, context)?;
    parts::check(scenario, context)?;
    placeholders::check(scenario, context)?;
    for (index, threshold) in scenario.rules.thresholds.iter().enumerate() {
        self::threshold(scenario, threshold, &index.to_string(), context)?;
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
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

fn threshold(
    scenario: &Scenario,
    threshold: &Threshold,
    index: &str,
    context: &Context<'_>,
) -> Result<(), ScenarioError> {
    let at = |key| ["threshold", index, key];
    let events = [
        EventKind::OomKill,
        EventKind::Died,
        EventKind::Restarted,
        EventKind::Unhealthy,
        EventKind::MemoryHigh,
        EventKind::ProbeMissed,
        EventKind::SamplingGap,
        EventKind::DriverError,
    ];
    let is_event = events.iter().any(|event| event.as_str() == threshold.metric);
    context.require(!is_event || threshold.stat == Stat::Count, &at("stat"), || {
        format!("{} is an event: expected stat = \"count\"", threshold.metric)
    })?;
    let entry = metric::find(&threshold.metric);
    let queried = scenario.probes.iter().any(|probe| match probe {
        ProbeSpec::Prometheus(spec) => {
            spec.query.iter().any(|query| query.metric == threshold.metric)
        }
        _ => false,
    });
    let open = matches!(scenario.driver, Some(DriverSpec::Custom(_)))
        || scenario.probes.iter().any(|probe| matches!(probe, ProbeSpec::Custom { .. }));
    context.require(is_event || entry.is_some() || queried || open, &at("metric"), || {
        let known = metric::CATALOG
            .iter()
            .map(crate::model::Metric::id)
            .chain(events.map(EventKind::as_str));
        let known: Vec<&str> = known.collect();
        format!(
            "unknown metric {:?}{} (expected one of {})",
            threshold.metric,
            hint(&threshold.metric, known.iter().copied()),
            known.join(", ")
        )
    })?;
    let counts = threshold.stat == Stat::Count;
    let value = &threshold.value;
    // A bare number fits any statistic; "10/min" is none.
    let is_bare = value.unit.is_none() && !value.per_second;
    let rate_fits = value.per_second == threshold.stat.is_rate() || is_bare;
    context.require(rate_fits, &at("value"), || {
        let form = if threshold.stat.is_rate() {
            "a rate such as \"1 MiB/min\""
        } else {
            "a value without \"/min\""
        };
        format!("{} is compared with {form}, found {:?}", threshold.stat, value.text)
    })?;
    context.require(!counts || value.unit.is_none(), &at("value"), || {
        format!("count is compared with a number, found {:?}", value.text)
    })?;
    if let (Some(metric), Some(unit), false) = (entry, value.unit, counts) {
        context.require(metric.unit == unit, &at("value"), || {
            format!("{} is in {:?}, found {:?}", metric.name, metric.unit, value.text)
                .to_lowercase()
        })?;
    }
    let known_per = threshold.per.as_deref().is_none_or(|per| {
        let numeric = |values: &[Param]| values.iter().all(|value| value.as_number().is_some());
        per == "agents"
            || per == "minutes"
            || scenario.matrix.iter().any(|(name, values)| name == per && numeric(values))
    });
    context.require(known_per, &at("per"), || {
        "expected the name of a numeric parameter of the trial, for example \"agents\"".to_owned()
    })?;
    let decidable = !threshold.abort_on_fail || threshold.stat.decided_by_one(threshold.op);
    context.require(decidable, &at("abort_on_fail"), || {
        format!(
            "one reading cannot decide {:?}: use max with <, or min with >",
            threshold.requirement()
        )
    })
}
