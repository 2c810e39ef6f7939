//! Targets, drivers and probes that cannot be brought up or are not known.

use std::path::Path;

use super::{Context, is_name, placeholders, unique};
use crate::model::spec::driver::{AgentsSpec, Request};
use crate::model::spec::{DriverSpec, ProbeSpec, TargetSpec};
use crate::scenario::Scenario;
use crate::scenario::error::{ScenarioError, hint};

/// What an agents driver can send.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Refuses parts that cannot work.
pub(super) fn check(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    targets(scenario, context)?;
    driver(scenario, context)?;
    probes(scenario, context)
}

fn targets(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    context.require(!scenario.targets.is_empty(), &["target"], || {
        "a scenario needs a [target.process], a [target.compose] or a [target.testbed]".to_owned()
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
                    program(&service.command, &own, context)?;
                    let is_asked = service.ready.as_ref().is_some_and(|r| r.healthy == Some(true));
                    let own = ["target", "process", "service", &at, "ready", "healthy"];
                    context.require(!is_asked, &own, || {
                        "`healthy` is for containers: use `http`, `tcp`, `log` or `command`"
                            .to_owned()
                    })?;
                }
            }
            TargetSpec::Testbed(_) => {}
            TargetSpec::Compose(spec) => {
                context.require(
                    !spec.files.is_empty() || spec.attach,
                    &["target", "compose"],
                    || "`target.compose.file` is required, for example \"compose.yml\"".to_owned(),
                )?;
                let is_file = |file: &Path, path: &[&str]| {
                    for file in placeholders::rendered(&file.to_string_lossy(), scenario) {
                        context.require(context.root.join(&file).is_file(), path, || {
                            format!("no such file below {}: {file}", context.root.display())
                        })?;
                    }
                    Ok(())
                };
                for (index, file) in spec.files.iter().enumerate() {
                    let index = index.to_string();
                    let one = ["target", "compose", "file"];
                    let several = ["target", "compose", "files", &index];
                    let is_list = context.has(&several);
                    is_file(file, if is_list { &several } else { &one })?;
                }
                if let Some(file) = &spec.env_file {
                    is_file(file, &["target", "compose", "env_file"])?;
                }
            }
        }
    }
    Ok(())
}

/// Refuses a command line that names no program.
fn program(command: &[String], path: &[&str], context: &Context<'_>) -> Result<(), ScenarioError> {
    context.require(command.first().is_some_and(|program| !program.is_empty()), path, || {
        "expected a program and its arguments, for example [\"target/release/api\", \"--listen\", \"127.0.0.1:18080\"]".to_owned()
    })
}

fn driver(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    match &scenario.driver {
        Some(DriverSpec::Agents(spec)) => {
            let path = ["driver", "agents", "groups"];
            context.require(!spec.groups.is_empty(), &path, || {
                "expected at least one group, for example [\"agents\"]".to_owned()
            })?;
            unique(&spec.groups, &path, context)?;
            requests(spec, context)
        }
        Some(DriverSpec::Command(spec)) => {
            program(&spec.command, &["driver", "command", "command"], context)
        }
        Some(DriverSpec::Network(_)) => Ok(()),
        Some(DriverSpec::Custom(custom)) => {
            let known = &context.names.drivers;
            let known_here = context.names.any || known.contains(&custom.name);
            context.require(known_here, &["driver", "custom", "name"], || {
                format!(
                    "no driver {:?} is registered{} (registered: {}); register it in tests/perf.rs",
                    custom.name,
                    hint(&custom.name, known.iter().map(String::as_str)),
                    list(known)
                )
            })
        }
        None => Ok(()),
    }
}

/// Refuses requests that cannot be sent, and an answer that cannot be looked at.
fn requests(spec: &AgentsSpec, context: &Context<'_>) -> Result<(), ScenarioError> {
    let method = |request: &Request| request.method.clone();
    let sent = [
        ("start", spec.start.as_ref().map(method)),
        ("spawn", Some(method(&spec.spawn))),
        ("status", spec.status.as_ref().map(|status| status.method.clone())),
        ("stop", spec.stop.as_ref().map(method)),
        ("reset", spec.reset.as_ref().map(method)),
    ];
    for (name, method) in sent {
        let Some(method) = method else { continue };
        let is_known = METHODS.iter().any(|known| known.eq_ignore_ascii_case(&method));
        context.require(is_known, &["driver", "agents", name, "method"], || {
            format!("expected GET, POST, PUT, PATCH or DELETE, found {method:?}")
        })?;
    }
    let Some(status) = &spec.status else { return Ok(()) };
    let is_pointer = status.live.is_empty() || status.live.starts_with('/');
    context.require(is_pointer, &["driver", "agents", "status", "live"], || {
        format!(
            "expected a JSON pointer such as \"/live\", or \"\" for the whole answer, found {:?}",
            status.live
        )
    })
}

fn probes(scenario: &Scenario, context: &Context<'_>) -> Result<(), ScenarioError> {
    let built_in = ["containers", "oom", "host", "nodes", "cadvisor", "prometheus"];
    for (index, probe) in scenario.probes.iter().enumerate() {
        if let ProbeSpec::Custom { name, .. } = probe {
            let known = &context.names.probes;
            let known_here = context.names.any || known.contains(name);
            context.require(known_here, &["probes", &index.to_string()], || {
                let all = built_in.into_iter().chain(known.iter().map(String::as_str));
                format!("unknown probe {name:?}{} (expected containers, oom, host, nodes, cadvisor, prometheus or a registered one: {})", hint(name, all), list(known))
            })?;
        }
    }
    Ok(())
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
