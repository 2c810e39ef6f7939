//! When to read, and how long: settings that would give no trials, or trials without readings.

use std::time::Duration;

use super::thresholds::known;
use super::{Context, unique};
use crate::model::rules::ResetMethod;
use crate::model::spec::DriverSpec;
use crate::model::{Kind, Unit};
use crate::scenario::Scenario;
use crate::scenario::error::{ScenarioError, hint};
use crate::scenario::layer::error_at;

/// Refuses a protocol that gives no trials, or trials without readings.
pub(super) fn check(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    let protocol = &scenario.protocol;
    let interval = protocol.sample.interval.0;
    context.require(!interval.is_zero(), &["sample", "interval"], || {
        "expected an interval above 0, for example \"2s\"".to_owned()
    })?;
    let lengths: &[(&[&str], Duration)] = match scenario.kind {
        Kind::Baseline => &[(&["baseline", "length"], protocol.baseline.length.0)],
        Kind::Load => &[(&["sample", "length"], protocol.sample.length.0)],
        Kind::Duration | Kind::Network => &[], // Each stretch has its own interval: below.
        Kind::Reset => &[
            (&["reset", "baseline"], protocol.reset.baseline.0),
            (&["reset", "load"], protocol.reset.load.0),
            (&["reset", "post"], protocol.reset.post.0),
        ],
    };
    for (path, length) in lengths {
        context.require(*length >= interval * 2, path, || {
            format!("expected at least two intervals of {}", protocol.sample.interval)
        })?;
    }
    context.require(!protocol.load.levels.is_empty(), &["load", "levels"], || {
        "expected at least one level, for example [10, 20, 40, 80]".to_owned()
    })?;
    unique(&protocol.load.levels, &["load", "levels"], context)?;
    load(scenario, context)?;
    duration(scenario, context)?;
    context.require(protocol.reset.cycles > 0, &["reset", "cycles"], || {
        "expected at least 1".to_owned()
    })?;
    let reset = &protocol.reset;
    for (key, fraction) in
        [("within", reset.within), ("growth", reset.growth), ("detect", reset.detect)]
    {
        context.require(fraction > 0.0 && fraction.is_finite(), &["reset", key], || {
            format!("expected a fraction above 0, for example 0.10, found {fraction}")
        })?;
    }
    let grows = scenario.kind == Kind::Reset && reset.rule == ResetMethod::Growth;
    context.require(!grows || reset.cycles >= 3, &["reset", "cycles"], || {
        "expected at least 3 for `rule = \"growth\"`, better 4 or more".to_owned()
    })?;
    repeats(scenario.repeat, &["repeat"], context)?;
    let needs_driver = !matches!(scenario.kind, Kind::Baseline | Kind::Network);
    context.require(!needs_driver || scenario.driver.is_some(), &["kind"], || {
        format!(
            "a scenario of kind {} needs a [driver.agents], [driver.command] or [driver.custom]",
            scenario.kind
        )
    })?;
    if let (Kind::Reset, Some(DriverSpec::Agents(agents))) = (scenario.kind, &scenario.driver) {
        context.require(agents.reset.is_some(), &["driver", "agents"], || {
            "a scenario of kind reset needs `reset`, for example { method = \"POST\", path = \"/reset\" }".to_owned()
        })?;
    }
    let leak = &scenario.rules.leak;
    for (key, quantity) in [
        ("watch", &leak.watch),
        ("leak", &leak.leak),
        ("gross", &leak.gross),
        ("least", &leak.least),
    ] {
        let is_slope = quantity.per_second && quantity.unit == Some(Unit::Bytes);
        context.require(is_slope, &["leak", key], || {
            format!("expected bytes per time such as \"1 MiB/min\", found {:?}", quantity.text)
        })?;
    }
    let is_ordered = 0.0 <= leak.watch.value && leak.watch.value <= leak.leak.value;
    let path = match leak.watch.value < 0.0 {
        true => &["leak", "watch"],
        false => context.stronger(&["leak", "watch"], &["leak", "leak"]),
    };
    context.require(is_ordered, path, || {
        let (watch, leak) = (&leak.watch.text, &leak.leak.text);
        format!(
            "expected 0 <= leak.watch <= leak.leak, found watch = {watch:?} and leak = {leak:?}"
        )
    })
}

fn repeats(repeat: u32, path: &[&str], context: &Context<'_>) -> Result<(), ScenarioError> {
    let most = Scenario::MOST_REPEATS;
    context.require((1..=most).contains(&repeat), path, || {
        format!("expected at least 1 and at most {most}, found {repeat}")
    })
}

fn load(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    repeats(scenario.protocol.load.repeat, &["load", "repeat"], context)?;
    let rule = &scenario.rules.load;
    if let Some(capacity) = &rule.capacity {
        let is_size = capacity.unit == Some(Unit::Bytes) && !capacity.per_second;
        context.require(is_size && capacity.value > 0.0, &["load", "capacity"], || {
            format!("expected a size above 0, for example \"512 MiB\", found {:?}", capacity.text)
        })?;
    }
    let Some(throughput) = &rule.throughput else { return Ok(()) };
    known(scenario, &throughput.metric)
        .or_else(|message| context.require(false, &["load", "throughput"], || message))
}

/// Refuses stretches of a held level that are too short to be read twice.
fn duration(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    let protocol = &scenario.protocol;
    let minutes = &protocol.duration.minutes;
    let sane = |minutes: f64| minutes.is_finite() && minutes > 0.0 && minutes < 1e6;
    context.require(
        (!minutes.is_empty() || protocol.duration.phases.is_some())
            && minutes.iter().all(|m| sane(*m)),
        &["duration", "minutes"],
        || "expected at least one number of minutes above 0, for example [1, 2, 4, 8]".to_owned(),
    )?;
    unique(minutes, &["duration", "minutes"], context)?;
    let looks = &protocol.duration.looks;
    let rising = looks.windows(2).all(|pair| pair[0].0 < pair[1].0);
    context.require(
        rising && looks.iter().all(|look| !look.0.is_zero()),
        &["duration", "looks"],
        || "expected rising times above 0, for example [\"4m\", \"8m\"]".to_owned(),
    )?;
    for (phase, interval) in &protocol.duration.intervals {
        let known = ["active", "drain", "cooldown"];
        context.require(
            known.contains(&phase.as_str()),
            &["duration", "intervals", phase],
            || {
                format!(
                    "unknown phase {phase:?}{} (expected active, drain or cooldown)",
                    hint(phase, known)
                )
            },
        )?;
        context.require(!interval.0.is_zero(), &["duration", "intervals", phase], || {
            "expected an interval above 0, for example \"4s\"".to_owned()
        })?;
    }
    if scenario.kind != Kind::Duration {
        return Ok(());
    }
    let [minutes_key, phases_key] = [["duration", "minutes"], ["duration", "phases"]];
    for layer in context.layers {
        if layer.find(&minutes_key).is_some() && layer.find(&phases_key).is_some() {
            let message = "`minutes` and `phases` exclude each other: one trial per number of minutes, or one with phases";
            return Err(error_at(std::slice::from_ref(layer), &phases_key, message));
        }
    }
    let long_enough = |phase: &str, length: Duration, path: &[&str]| {
        let interval = protocol.duration.intervals.get(phase).unwrap_or(&protocol.sample.interval);
        context.require(length >= interval.0 * 2, path, || {
            format!("{phase}: expected at least two intervals of {interval}")
        })
    };
    let Some(phases) = &protocol.duration.phases else {
        return minutes.iter().try_for_each(|minutes| {
            let length = Duration::from_secs_f64(minutes * 60.0);
            long_enough("active", length, &["duration", "minutes"])
        });
    };
    let stretches =
        [("active", Some(phases.active)), ("drain", phases.drain), ("cooldown", phases.cooldown)];
    stretches.into_iter().try_for_each(|(phase, length)| match length {
        Some(length) => long_enough(phase, length.0, &["duration", "phases", phase]),
        None => Ok(()),
    })
}
