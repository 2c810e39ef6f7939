//! [`load`]: a scenario file and everything below it become one complete [`Scenario`].

mod ab;
mod load;
mod network;
mod thresholds;

use std::path::Path;

use serde::de::DeserializeOwned;

use super::check::{self, Context};
use super::error::{ScenarioError, hint};
use super::file::{
    AgentsFile, CommandFile, ComposeFile, CustomFile, DurationProtocol, LeakFile, ProcessFile,
    RequestFile, ScenarioFile, StatusFile,
};
use super::layer::{Layer, error_at, merge};
use super::{Protocol, Scenario, Workspace};
use crate::model::rules::{LeakRule, ResetRule};
use crate::model::spec::driver::{AgentsSpec, CommandSpec, CustomSpec, Request, Status};
use crate::model::spec::probe::{CadvisorSpec, PrometheusSpec};
use crate::model::spec::target::{ComposeSpec, ProcessSpec, Ready};
use crate::model::spec::{DriverSpec, ProbeSpec, TargetSpec};
use crate::model::{Param, Rules};

/// The names that the test binary registered.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Of drivers.
    pub drivers: Vec<String>,
    /// Of probes.
    pub probes: Vec<String>,
    /// True where no test binary is there to ask: every name is taken to be registered.
    pub any: bool,
}

/// Reads one scenario file and completes it.
///
/// # Errors
/// [`ScenarioError`] for anything that cannot be meant: an unknown key, a wrong unit, an empty list, a missing file.
pub fn load(workspace: &Workspace, path: &Path, names: &Names) -> Result<Scenario, ScenarioError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        ScenarioError::plain(&workspace.shown(path), format!("cannot be read: {error}"))
    })?;
    load_text(workspace, path, text, names)
}

/// Completes the text of a scenario file, which need not be on disk; `path` gives it its name.
///
/// # Errors
/// As [`load`].
pub fn load_text(
    workspace: &Workspace,
    path: &Path,
    text: String,
    names: &Names,
) -> Result<Scenario, ScenarioError> {
    let shown = workspace.shown(path);
    let own = Layer::parse(&shown, text)?;
    for profile in own.profiles() {
        let known = &workspace.layers.profiles;
        if !known.contains(&profile) {
            let suggestion = hint(&profile, known.iter().map(String::as_str));
            let known = known.join(", ");
            let message = format!("unknown profile {profile:?}{suggestion}: expected {known}");
            return Err(error_at(&[own], &["profile", &profile], message));
        }
    }
    let strong = [own.clone(), own.profile(&workspace.profile)];
    let named: Vec<&Layer> = strong.iter().collect();
    // What holds for every scenario must not give a scenario a target or a driver that it does not have.
    let common = |layer: &Layer| layer.clone().only_parts_of(&named);
    let weak = workspace.layers.weak.iter().map(common);
    let environment = common(&workspace.layers.environment);
    let layers: Vec<Layer> = weak.chain(strong.iter().cloned()).chain([environment]).collect();
    let merged = merge(&layers);
    let file: ScenarioFile =
        merged.clone().try_into().map_err(|error: toml::de::Error| own.whole(error.message()))?;
    let resolver = Resolver { layers: &layers, merged: &merged };
    let scenario = resolver.scenario(workspace, path, file)?;
    let context = Context { layers: &layers, own: &strong, root: &workspace.root, names };
    check::check(&scenario, &context)?;
    Ok(scenario)
}

struct Resolver<'a> {
    layers: &'a [Layer],
    merged: &'a toml::Table,
}

impl Resolver<'_> {
    fn missing(&self, key: &str, example: &str) -> ScenarioError {
        let path: Vec<&str> = key.split('.').collect();
        error_at(self.layers, &path, format!("`{key}` is required, for example {example}"))
    }

    /// A value that the defaults guarantee unless they were edited out.
    fn given<T>(&self, key: &str, value: Option<T>) -> Result<T, ScenarioError> {
        value.ok_or_else(|| self.missing(key, "as in defaults.toml"))
    }

    fn table<T: DeserializeOwned>(&self, key: &str) -> Result<T, ScenarioError> {
        let value = self.given(key, self.merged.get(key))?;
        value.clone().try_into().map_err(|error: toml::de::Error| {
            error_at(self.layers, &[key], format!("[{key}]: {}", error.message()))
        })
    }

    fn scenario(
        &self,
        workspace: &Workspace,
        path: &Path,
        file: ScenarioFile,
    ) -> Result<Scenario, ScenarioError> {
        let kinds = "\"baseline\", \"load\", \"duration\", \"reset\" or \"network\"";
        let kind = file.kind.ok_or_else(|| self.missing("kind", kinds))?;
        let phases = file.duration.as_ref().and_then(|duration| duration.phases.as_ref());
        if phases.is_some_and(|phases| phases.active.is_none()) {
            return Err(self.missing("duration.phases.active", "\"5m\""));
        }
        let protocol = Protocol {
            sample: self.table("sample")?,
            baseline: self.table("baseline")?,
            load: self.table("load")?,
            duration: self.table("duration")?,
            reset: self.table("reset")?,
            network: self.table("network")?,
        };
        let target = file.target.clone().unwrap_or_default();
        let mut targets = Vec::new();
        if let Some(process) = target.process {
            targets.push(self.process(process)?);
        }
        if let Some(compose) = target.compose {
            targets.push(self.compose(compose)?);
        }
        let testbed = target.testbed.as_ref();
        let config = testbed.map(|file| self.config(workspace, file)).transpose()?;
        targets.extend(config.as_ref().map(network::target));
        let rules = Rules {
            thresholds: self.thresholds(file.threshold.as_deref().unwrap_or_default())?,
            leak: self.leak(file.leak.clone().unwrap_or_default(), &protocol.duration)?,
            reset: ResetRule {
                rule: protocol.reset.rule,
                growth: protocol.reset.growth,
                detect: protocol.reset.detect,
                within: protocol.reset.within,
                gate: protocol.reset.gate,
            },
            load: self.load_rule(&protocol.load)?,
            ab: self.ab_rule(&file)?,
            validity: Some(self.table("validity")?),
        };
        let mut scenario = Scenario {
            name: path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default(),
            file: workspace.shown(path),
            kind,
            description: file.description.clone().unwrap_or_default(),
            targets,
            driver: self.driver(&file)?,
            probes: self.probes(&file)?,
            protocol,
            repeat: self.given("repeat", file.repeat)?,
            matrix: self.matrix(file.matrix.as_ref())?,
            ab: self.ab(&file)?,
            network: config.map(Box::new),
            rules,
        };
        self.network(&mut scenario, &file);
        Ok(scenario)
    }

    fn process(&self, file: ProcessFile) -> Result<TargetSpec, ScenarioError> {
        let within = self.given("target.process.within", file.within)?;
        let mut service = file.service.unwrap_or_default();
        for ready in service.iter_mut().filter_map(|service| service.ready.as_mut()) {
            ready.within.get_or_insert(within);
        }
        Ok(TargetSpec::Process(ProcessSpec { build: file.build, service }))
    }

    fn compose(&self, file: ComposeFile) -> Result<TargetSpec, ScenarioError> {
        let files = match (file.file, file.files) {
            (Some(file), None) => vec![file],
            (None, Some(files)) => files,
            (None, None) => Vec::new(),
            (Some(_), Some(_)) => {
                let path = ["target", "compose", "files"];
                return Err(error_at(self.layers, &path, "`file` and `files` exclude each other"));
            }
        };
        let ready: Ready = self.given("target.compose.ready", file.ready)?;
        Ok(TargetSpec::Compose(ComposeSpec {
            build: file.build,
            files,
            profiles: self.given("target.compose.profiles", file.profiles)?,
            env_file: file.env_file,
            services: self.given("target.compose.services", file.services)?,
            ready: Ready {
                within: Some(self.given("target.compose.ready.within", ready.within)?),
                ..ready
            },
            clean: self.given("target.compose.clean", file.clean)?,
            attach: self.given("target.compose.attach", file.attach)?,
            project: file.project,
            env: self.given("target.compose.env", file.env)?,
        }))
    }

    fn driver(&self, file: &ScenarioFile) -> Result<Option<DriverSpec>, ScenarioError> {
        let driver = file.driver.clone().unwrap_or_default();
        match (driver.agents, driver.command, driver.custom) {
            (None, None, None) => Ok(None),
            (Some(agents), None, None) => self.agents(agents).map(Some),
            (None, Some(command), None) => self.command(command).map(Some),
            (None, None, Some(custom)) => self.custom(custom).map(Some),
            _ => {
                Err(error_at(self.layers, &["driver"], "a scenario has one driver, found several"))
            }
        }
    }

    fn agents(&self, file: AgentsFile) -> Result<DriverSpec, ScenarioError> {
        let url = "\"http://127.0.0.1:18080\"";
        let spawn = r#"{ method = "POST", path = "/agents/{group}", body = '{"count": {count}}' }"#;
        Ok(DriverSpec::Agents(AgentsSpec {
            base_url: file.base_url.ok_or_else(|| self.missing("driver.agents.base_url", url))?,
            headers: self.given("driver.agents.headers", file.headers)?,
            groups: self.given("driver.agents.groups", file.groups)?,
            start: file.start.map(|start| self.request("start", start)).transpose()?,
            spawn: self.request(
                "spawn",
                file.spawn.ok_or_else(|| self.missing("driver.agents.spawn", spawn))?,
            )?,
            status: file.status.map(|status| self.status(status)).transpose()?,
            stop: file.stop.map(|stop| self.request("stop", stop)).transpose()?,
            reset: file.reset.map(|reset| self.request("reset", reset)).transpose()?,
            within: self.given("driver.agents.within", file.within)?,
            timeout: self.given("driver.agents.timeout", file.timeout)?,
        }))
    }

    fn request(&self, name: &str, file: RequestFile) -> Result<Request, ScenarioError> {
        let missing = |key: &str, example: &str| {
            self.missing(&format!("driver.agents.{name}.{key}"), example)
        };
        Ok(Request {
            method: file.method.ok_or_else(|| missing("method", "\"POST\""))?,
            path: file.path.ok_or_else(|| missing("path", &format!("\"/{name}\"")))?,
            headers: file.headers.unwrap_or_default(),
            body: file.body,
            expect: file.expect.unwrap_or_default(),
        })
    }

    fn status(&self, file: StatusFile) -> Result<Status, ScenarioError> {
        let missing = |key: &str, example: &str| {
            self.missing(&format!("driver.agents.status.{key}"), example)
        };
        Ok(Status {
            method: file.method.ok_or_else(|| missing("method", "\"GET\""))?,
            path: file.path.ok_or_else(|| missing("path", "\"/agents\""))?,
            headers: file.headers.unwrap_or_default(),
            expect: file.expect.unwrap_or_default(),
            live: file.live.ok_or_else(|| missing("live", "\"/live\""))?,
        })
    }

    fn command(&self, file: CommandFile) -> Result<DriverSpec, ScenarioError> {
        let example = r#"["k6", "run", "--vus", "{agents}", "load.js"]"#;
        Ok(DriverSpec::Command(CommandSpec {
            command: file.command.ok_or_else(|| self.missing("driver.command.command", example))?,
            env: self.given("driver.command.env", file.env)?,
            cwd: file.cwd,
            must_outlast: self.given("driver.command.must_outlast", file.must_outlast)?,
        }))
    }

    fn custom(&self, file: CustomFile) -> Result<DriverSpec, ScenarioError> {
        Ok(DriverSpec::Custom(CustomSpec {
            name: file.name.ok_or_else(|| self.missing("driver.custom.name", "\"ticker\""))?,
            options: file.options.unwrap_or_default(),
        }))
    }

    fn probes(&self, file: &ScenarioFile) -> Result<Vec<ProbeSpec>, ScenarioError> {
        let settings = file.probe.clone().unwrap_or_default();
        let spec = |name: &String| {
            Ok(match name.as_str() {
                "containers" => ProbeSpec::Containers,
                "oom" => ProbeSpec::Oom,
                "host" => ProbeSpec::Host,
                "nodes" => ProbeSpec::Nodes,
                "cadvisor" => ProbeSpec::Cadvisor(CadvisorSpec {
                    url: settings.cadvisor.clone().unwrap_or_default().url.ok_or_else(|| {
                        self.missing("probe.cadvisor.url", "\"http://127.0.0.1:8083\"")
                    })?,
                }),
                "prometheus" => {
                    let file = settings.prometheus.clone().unwrap_or_default();
                    let url = "\"http://127.0.0.1:9090\"";
                    let query = r#"[{ metric = "http.requests", expr = "sum(rate(http_requests_total[10s]))" }]"#;
                    ProbeSpec::Prometheus(PrometheusSpec {
                        url: file.url.ok_or_else(|| self.missing("probe.prometheus.url", url))?,
                        query: file
                            .query
                            .ok_or_else(|| self.missing("probe.prometheus.query", query))?,
                    })
                }
                name => ProbeSpec::Custom {
                    name: name.to_owned(),
                    options: settings
                        .options
                        .as_ref()
                        .and_then(|all| all.get(name))
                        .cloned()
                        .unwrap_or_default(),
                },
            })
        };
        self.given("probes", file.probes.as_ref())?.iter().map(spec).collect()
    }

    fn matrix(
        &self,
        table: Option<&toml::Table>,
    ) -> Result<Vec<(String, Vec<Param>)>, ScenarioError> {
        let mut matrix = Vec::new();
        for (name, value) in table.into_iter().flatten() {
            if name == "cartesian" {
                let message = "`cartesian` is not supported in this version: expected lists, for example { size = [\"small\", \"large\"] }";
                return Err(error_at(self.layers, &["matrix", name], message));
            }
            let expected = || {
                let message =
                    format!("matrix.{name}: expected a list of numbers, strings or booleans");
                error_at(self.layers, &["matrix", name], message)
            };
            let values: Vec<Param> = value.clone().try_into().map_err(|_| expected())?;
            if values.is_empty() {
                return Err(expected());
            }
            matrix.push((name.clone(), values));
        }
        Ok(matrix)
    }

    fn leak(&self, file: LeakFile, duration: &DurationProtocol) -> Result<LeakRule, ScenarioError> {
        // A run of phases is over when its phases are.
        let looks = if duration.phases.is_none() { duration.looks.clone() } else { Vec::new() };
        Ok(LeakRule {
            rule: self.given("leak.rule", file.rule)?,
            least: self.given("leak.least", file.least)?,
            gate: self.given("leak.gate", file.gate)?,
            watch: self.given("leak.watch", file.watch)?,
            leak: self.given("leak.leak", file.leak)?,
            gross: self.given("leak.gross", file.gross)?,
            certain: self.given("leak.certain", file.certain)?,
            shortest: self.given("leak.shortest", file.shortest)?,
            looks,
            confirm: self.given("leak.confirm", file.confirm)?,
        })
    }
}
