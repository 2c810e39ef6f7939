//! [`check`]: what the types of a complete scenario cannot rule out.

use std::path::Path;

use super::Scenario;
use super::error::{ScenarioError, hint};
use super::layer::{Layer, error_at};
use super::resolve::Names;
use crate::model::spec::{DriverSpec, ProbeSpec, TargetSpec};
use crate::model::{EventKind, Kind, Stat, Threshold, metric, template};

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
}

/// Refuses what cannot be meant.
pub(crate) fn check(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    protocol(scenario, context)?;
    targets(scenario, context)?;
    names(scenario, context)?;
    placeholders(scenario, context)?;
    for (index, threshold) in scenario.rules.thresholds.iter().enumerate() {
        self::threshold(scenario, threshold, &index.to_string(), context)?;
    }
    Ok(())
}

fn protocol(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    let protocol = &scenario.protocol;
    let interval = protocol.sample.interval.0;
    context.require(!interval.is_zero(), &["sample", "interval"], || {
        "expected an interval above 0, for example \"2s\"".to_owned()
    })?;
    let lengths: &[(&[&str], std::time::Duration)] = match scenario.kind {
        Kind::Baseline => &[(&["baseline", "length"], protocol.baseline.length.0)],
        Kind::Load => &[(&["sample", "length"], protocol.sample.length.0)],
        Kind::Duration => &[],
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
    let minutes = &protocol.duration.minutes;
    let sane = |minutes: f64| minutes.is_finite() && minutes > 0.0 && minutes < 1e6;
    context.require(
        !minutes.is_empty() && minutes.iter().all(|m| sane(*m)),
        &["duration", "minutes"],
        || "expected at least one number of minutes above 0, for example [1, 2, 4, 8]".to_owned(),
    )?;
    unique(minutes, &["duration", "minutes"], context)?;
    for phase in protocol.duration.intervals.keys() {
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
    }
    context.require(protocol.reset.cycles > 0, &["reset", "cycles"], || {
        "expected at least 1".to_owned()
    })?;
    let within = protocol.reset.within;
    context.require(within > 0.0 && within.is_finite(), &["reset", "within"], || {
        format!("expected a fraction above 0, for example 0.10, found {within}")
    })?;
    context.require(scenario.repeat > 0, &["repeat"], || "expected at least 1".to_owned())?;
    let needs_driver = scenario.kind != Kind::Baseline;
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
    for (key, quantity) in [("watch", &leak.watch), ("leak", &leak.leak), ("gross", &leak.gross)] {
        let is_slope = quantity.per_second && quantity.unit == Some(crate::model::Unit::Bytes);
        context.require(is_slope, &["leak", key], || {
            format!("expected bytes per time such as \"1 MiB/min\", found {:?}", quantity.text)
        })?;
    }
    Ok(())
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

fn targets(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    context.require(!scenario.targets.is_empty(), &["target"], || {
        "a scenario needs a [target.process] or a [target.compose]".to_owned()
    })?;
    for target in &scenario.targets {
        match target {
            TargetSpec::Process(spec) => {
                context.require(!spec.service.is_empty(), &["target", "process"], || {
                    "expected at least one [[target.process.service]]".to_owned()
                })?;
                for (index, service) in spec.service.iter().enumerate() {
                    let at = index.to_string();
                    let path = |key| ["target", "process", "service", &at, key].map(str::to_owned);
                    let own = path("name");
                    let own: Vec<&str> = own.iter().map(String::as_str).collect();
                    let is_new =
                        !spec.service[..index].iter().any(|other| other.name == service.name);
                    context.require(is_new && is_name(&service.name), &own, || {
                        format!("expected a service name of its own, of letters, digits, - _ and ., found {:?}", service.name)
                    })?;
                    let own = path("command");
                    let own: Vec<&str> = own.iter().map(String::as_str).collect();
                    context.require(service.command.first().is_some_and(|program| !program.is_empty()), &own, || {
                        "expected a program and its arguments, for example [\"target/release/api\", \"--listen\", \"127.0.0.1:18080\"]".to_owned()
                    })?;
                }
            }
            TargetSpec::Compose(spec) => {
                context.require(
                    !spec.files.is_empty() || spec.attach,
                    &["target", "compose"],
                    || "`target.compose.file` is required, for example \"compose.yml\"".to_owned(),
                )?;
                for file in spec.files.iter().chain(&spec.env_file) {
                    let key =
                        if spec.env_file.as_ref() == Some(file) { "env_file" } else { "file" };
                    context.require(
                        context.root.join(file).is_file(),
                        &["target", "compose", key],
                        || {
                            format!(
                                "no such file below {}: {}",
                                context.root.display(),
                                file.display()
                            )
                        },
                    )?;
                }
            }
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn names(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    if let Some(DriverSpec::Custom(custom)) = &scenario.driver {
        let known = &context.names.drivers;
        context.require(known.contains(&custom.name), &["driver", "custom", "name"], || {
            format!(
                "no driver {:?} is registered{} (registered: {}); register it in tests/perf.rs",
                custom.name,
                hint(&custom.name, known.iter().map(String::as_str)),
                list(known)
            )
        })?;
    }
    let built_in = ["containers", "oom", "cadvisor", "prometheus"];
    for (index, probe) in scenario.probes.iter().enumerate() {
        if let ProbeSpec::Custom { name, .. } = probe {
            let known = &context.names.probes;
            context.require(known.contains(name), &["probes", &index.to_string()], || {
                let all = built_in.into_iter().chain(known.iter().map(String::as_str));
                format!("unknown probe {name:?}{} (expected containers, oom, cadvisor, prometheus or a registered one: {})", hint(name, all), list(known))
            })?;
        }
    }
    Ok(())
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn placeholders(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    let mut params: Vec<&str> = scenario.matrix.iter().map(|(name, _)| name.as_str()).collect();
    for (name, _) in &scenario.matrix {
        let taken = ["agents", "minutes", "r", "group", "count"].contains(&name.as_str());
        context.require(!taken && is_name(name), &["matrix", name], || {
            format!("{name:?} cannot name a parameter: expected a name of letters, digits and _, and not agents, minutes, r, group or count")
        })?;
    }
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
        let known =
            metric::CATALOG.iter().map(|metric| metric.id()).chain(events.map(EventKind::as_str));
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
    let rate_fits = value.per_second == threshold.stat.is_rate() || value.unit.is_none();
    context.require(rate_fits, &at("value"), || {
        let form = if threshold.stat.is_rate() {
            "a rate such as \"1 MiB/min\""
        } else {
            "a value without \"/min\""
        };
        format!("{} is compared with {form}, found {:?}", threshold.stat, value.text)
    })?;
    if let (Some(metric), Some(unit), false) = (entry, value.unit, counts) {
        context.require(metric.unit == unit, &at("value"), || {
            format!("{} is in {:?}, found {:?}", metric.name, metric.unit, value.text)
                .to_lowercase()
        })?;
    }
    let known_per = threshold.per.as_deref().is_none_or(|per| {
        per == "agents" || per == "minutes" || scenario.matrix.iter().any(|(name, _)| name == per)
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
