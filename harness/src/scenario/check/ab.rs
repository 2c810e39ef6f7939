//! Comparisons that compare nothing, or never end.

use super::{Context, placeholders, thresholds};
use crate::model::rules::AbRule;
use crate::model::spec::TargetSpec;
use crate::model::spec::target::{Clean, ComposeSpec, Service};
use crate::model::template;
use crate::scenario::error::ScenarioError;
use crate::scenario::{Ab, Scenario};

/// The fewest pairs that a comparison can be looked at after: two have no scatter to speak of.
const LEAST: u32 = 3;

/// Refuses comparisons that cannot be meant.
pub(super) fn check(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    let (Some(ab), Some(rule)) = (&scenario.ab, &scenario.rules.ab) else { return Ok(()) };
    context.require(scenario.repeat == 1, &["repeat"], || {
        "`repeat` and [ab] exclude each other: `ab.looks` says how many pairs are run".to_owned()
    })?;
    // A profile may run every load scenario several times, which a comparison does not follow.
    let repeats = ["load", "repeat"];
    let typed = context.own.iter().any(|layer| layer.find(&repeats).is_some());
    context.require(!typed || scenario.protocol.load.repeat == 1, &repeats, || {
        "`load.repeat` and [ab] exclude each other: `ab.looks` says how many pairs are run"
            .to_owned()
    })?;
    names(scenario, ab, context)?;
    differ(scenario, ab, context)?;
    clean(scenario, ab, context)?;
    context.require(!ab.budget.0.is_zero(), &["ab", "budget"], || {
        "expected a time above 0, for example \"1h\"".to_owned()
    })?;
    looks(rule, context)?;
    effects(rule, context)?;
    metrics(scenario, rule, context)
}

/// Names that both sides have, that can be written as placeholders, and that nothing else has.
fn names(scenario: &Scenario, ab: &Ab, context: &Context<'_>) -> Result<(), ScenarioError> {
    let [a, b] = ab.sides();
    for ((side, own), (other, others)) in [(a, b), (b, a)] {
        for (name, _) in &own.0 {
            let path = ["ab", side, name];
            placeholders::free(name, &path, context)?;
            let is_new = scenario.matrix.iter().all(|(taken, _)| taken != name);
            context.require(is_new, &path, || format!("{name:?} is a parameter of the matrix"))?;
            context.require(others.get(name).is_some(), &path, || {
                format!("ab.{other} has no {name:?}: expected the same names on both sides")
            })?;
            let used = scenario.targets.iter().any(|target| uses(target, name))
                || uses(&scenario.driver, name);
            context.require(used, &path, || {
                format!("no string of the target or the driver uses {{{name}}}")
            })?;
        }
    }
    Ok(())
}

/// For every target something that runs must differ between the sides.
fn differ(scenario: &Scenario, ab: &Ab, context: &Context<'_>) -> Result<(), ScenarioError> {
    let differing = differing(ab);
    let differs = |part: &serde_json::Value| differing.iter().any(|name| says(part, name));
    if scenario.driver.as_ref().is_some_and(|driver| differs(&json(driver))) {
        return Ok(());
    }
    for target in &scenario.targets {
        if differs(&running(target)) {
            continue;
        }
        let name = target.name();
        let built = target.build().is_some_and(|build| differs(&build.into()));
        context.require(!built, &["target", name, "build"], || {
            let keys = match target {
                TargetSpec::Process(_) => "`command`, `cwd` or `env`",
                TargetSpec::Compose(_) => "`files`, `env` or `services`",
                TargetSpec::Testbed(_) => "the commands",
            };
            format!("only the build differs: both builds run before the first pair, so both sides would run what was built last; use the name in {keys} too")
        })?;
        context.require(false, &["ab", "b"], || {
            format!("both sides are the same: nothing that target {name} or the driver runs uses {{ab}} or a name whose values differ")
        })?;
    }
    Ok(())
}

/// Every run must start from nothing, on what its side asks for.
fn clean(scenario: &Scenario, ab: &Ab, context: &Context<'_>) -> Result<(), ScenarioError> {
    let differing = differing(ab);
    for target in &scenario.targets {
        let TargetSpec::Compose(spec) = target else { continue };
        if spec.attach {
            let driver = scenario.driver.as_ref().map(json).unwrap_or_default();
            let differs = differing.iter().any(|name| says(&driver, name));
            context.require(differs, &["target", "compose", "attach"], || {
                "`attach` and [ab] exclude each other unless the driver's strings differ: both sides would be the project that runs already".to_owned()
            })?;
        } else {
            context.require(spec.clean == Clean::Trial, &["target", "compose", "clean"], || {
                "expected \"trial\" with [ab]: every run of a comparison must start clean, or a run finds what the one before left".to_owned()
            })?;
        }
    }
    Ok(())
}

/// The names that are not the same on both sides.
fn differing(ab: &Ab) -> Vec<&str> {
    let names = ab.a.0.iter().filter(|(name, value)| ab.b.get(name) != Some(value));
    names.map(|(name, _)| name.as_str()).chain([Ab::SIDE]).collect()
}

/// What of a target runs in a trial: all but how it is built, called and waited for.
fn running(target: &TargetSpec) -> serde_json::Value {
    match target {
        TargetSpec::Process(spec) => {
            let parts = |service: &Service| json(&(&service.command, &service.env, &service.cwd));
            spec.service.iter().map(parts).collect()
        }
        TargetSpec::Compose(spec) => {
            let ComposeSpec { files, profiles, env_file, services, project, env, .. } = spec;
            json(&(files, profiles, env_file, services, project, env))
        }
        TargetSpec::Testbed(spec) => json(spec),
    }
}

fn json(part: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(part).unwrap_or_default()
}

fn uses(part: &impl serde::Serialize, name: &str) -> bool {
    says(&json(part), name)
}

fn says(part: &serde_json::Value, name: &str) -> bool {
    let mut found = false;
    placeholders::strings(part, &mut |text| found |= template::names(text).contains(&name));
    found
}

fn looks(rule: &AbRule, context: &Context<'_>) -> Result<(), ScenarioError> {
    let rising = rule.looks.windows(2).all(|pair| pair[0] < pair[1]);
    let first = rule.looks.first().is_some_and(|first| *first >= LEAST);
    context.require(rising && first, &["ab", "looks"], || {
        format!("expected rising numbers of pairs from {LEAST} on, for example [3, 5, 7, 10], found {:?}", rule.looks)
    })
}

fn effects(rule: &AbRule, context: &Context<'_>) -> Result<(), ScenarioError> {
    let sane = |value: f64, path: &[&str]| {
        context.require(value > 0.0 && value < 1.0, path, || {
            format!("expected a fraction above 0 and below 1, for example 0.05, found {value}")
        })
    };
    let ordered = |least: f64, margin: f64, path: &[&str]| {
        context.require(least <= margin, path, || {
            format!(
                "expected min_effect <= margin, found min_effect = {least} and margin = {margin}"
            )
        })
    };
    sane(rule.min_effect, &["ab", "min_effect"])?;
    sane(rule.margin, &["ab", "margin"])?;
    ordered(
        rule.min_effect,
        rule.margin,
        context.stronger(&["ab", "margin"], &["ab", "min_effect"]),
    )?;
    if let Some(within) = rule.within {
        sane(within, &["ab", "within"])?;
    }
    for (index, metric) in rule.metrics.iter().enumerate() {
        let index = index.to_string();
        let (least, margin) = (metric.min_effect, metric.margin);
        for (key, value) in [("min_effect", least), ("margin", margin)] {
            if let Some(value) = value {
                sane(value, &["ab", "metrics", &index, key])?;
            }
        }
        let (least, margin) = (least.unwrap_or(rule.min_effect), margin.unwrap_or(rule.margin));
        ordered(least, margin, &["ab", "metrics", &index])?;
    }
    Ok(())
}

fn metrics(scenario: &Scenario, rule: &AbRule, context: &Context<'_>) -> Result<(), ScenarioError> {
    context.require(!rule.metrics.is_empty(), &["ab", "metrics"], || {
        "expected at least one metric, for example [\"memory.anon\", \"cpu.usage\"]".to_owned()
    })?;
    for (index, metric) in rule.metrics.iter().enumerate() {
        let index_text = index.to_string();
        let path = ["ab", "metrics", &index_text];
        let same = |other: &crate::model::rules::AbMetric| {
            (&other.metric, &other.source, other.stat)
                == (&metric.metric, &metric.source, metric.stat)
        };
        context.require(!rule.metrics[..index].iter().any(same), &path, || {
            format!("{} of {} stands twice", metric.stat, metric.metric)
        })?;
        thresholds::known(scenario, &metric.metric)
            .or_else(|message| context.require(false, &path, || message))?;
    }
    Ok(())
}
