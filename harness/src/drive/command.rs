//! [`Command`]: an external load generator, started for a level and ended with everything it started.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;

use super::secret::{self, Lookup, Secrets};
use super::values::Values;
use super::{Driver, DriverError};
use crate::host::{self, ProcessGroup, log};
use crate::model::spec::driver::CommandSpec;
use crate::model::{Action, EventKind, Incident, Observation, Params};

#[cfg(test)]
mod tests;

/// How long the generator has to end by itself when it is asked to.
const GRACE: Duration = Duration::from_secs(2);

/// The driver. Dropping it kills the generator.
#[derive(Debug)]
pub(super) struct Command {
    spec: CommandSpec,
    params: Params,
    cwd: PathBuf,
    root: PathBuf,
    logs: PathBuf,
    secrets: Secrets,
    source: Arc<str>,
    grace: Duration,
    running: Option<Running>,
    incidents: Vec<Incident>,
}

#[derive(Debug)]
struct Running {
    group: ProcessGroup,
    /// Where its output begins in the log.
    from: u64,
    /// Its end has been looked at.
    told: bool,
}

impl Command {
    /// The driver, once everything in its settings has been tried.
    pub(super) fn open(
        spec: &CommandSpec,
        root: &Path,
        params: &Params,
        logs: &Path,
    ) -> Result<Self, DriverError> {
        Self::with(spec, root, params, logs, secret::environment)
    }

    fn with(
        spec: &CommandSpec,
        root: &Path,
        params: &Params,
        logs: &Path,
        lookup: Lookup,
    ) -> Result<Self, DriverError> {
        // The generator may run elsewhere, so that a relative path would not lead it to the logs.
        let absolute = |path: &Path| {
            let fault = |error| {
                DriverError::rig(format!("no absolute path of {}: {error}", path.display()))
            };
            std::path::absolute(path).map_err(fault)
        };
        let root = absolute(root)?;
        let mut driver = Self {
            spec: spec.clone(),
            params: params.clone(),
            cwd: root.join(spec.cwd.as_deref().unwrap_or(Path::new(""))),
            root,
            logs: absolute(logs)?,
            secrets: Secrets::new(lookup),
            source: "driver".into(),
            grace: GRACE,
            running: None,
            incidents: Vec::new(),
        };
        driver.words(0)?;
        driver.env(0)?;
        Ok(driver)
    }

    fn start(&mut self, level: u32) -> Result<(), DriverError> {
        let words = self.words(level)?;
        let env = self.env(level)?;
        if !self.cwd.is_dir() {
            let message = format!("driver.command.cwd: {} is no directory", self.cwd.display());
            return Err(DriverError::rig(message));
        }
        let fault = |why: &dyn Display| DriverError::rig(format!("the load generator: {why}"));
        let command = host::Command::in_root(&self.root, &words);
        let mut command = command.ok_or_else(|| fault(&"there is no program"))?;
        command.cwd = Some(self.cwd.clone());
        command.env = env;
        command.log = Some(self.log());
        let from = log::length(&self.log());
        let group = ProcessGroup::spawn(&command).map_err(|error| fault(&error))?;
        self.running = Some(Running { group, from, told: false });
        Ok(())
    }

    /// Ends what runs. It stays in place until it has ended, so that a cancelled call leaves it to the next, or to drop.
    async fn end(&mut self) -> Result<(), DriverError> {
        self.look();
        if let Some(running) = &mut self.running {
            running.told = true;
            let stopped = running.group.stop(self.grace).await;
            stopped.map_err(|error| DriverError::rig(format!("the load generator: {error}")))?;
        }
        self.running = None;
        Ok(())
    }

    /// Notes an end that nobody asked for.
    fn look(&mut self) {
        let path = self.log();
        let Some(running) = &mut self.running else { return };
        if running.told {
            return;
        }
        let Some(status) = running.group.exited() else { return };
        running.told = true;
        if status.success() && !self.spec.must_outlast {
            return;
        }
        let tail = self.secrets.redact(&log::tail(&path, running.from));
        let how = describe(status);
        let message = format!("the load generator ended before it was stopped, {how}:{tail}");
        self.incidents.push(Incident::new(EventKind::DriverError, &self.source, message));
    }

    fn log(&self) -> PathBuf {
        self.logs.join("driver.log")
    }

    /// Program and arguments.
    fn words(&self, level: u32) -> Result<Vec<String>, DriverError> {
        let values = values(level, &self.logs, &self.params);
        let mut words = Vec::new();
        for (index, word) in self.spec.command.iter().enumerate() {
            let key = format!("driver.command.command[{index}]");
            if Secrets::named_in(word) {
                let why =
                    "every user of this machine can read a command line: pass secrets in `env`";
                return Err(DriverError::rig(format!("{key}: {why}")));
            }
            words.push(values.render(word, &key)?);
        }
        match words.is_empty() {
            true => Err(DriverError::rig("driver.command.command: expected a program")),
            false => Ok(words),
        }
    }

    fn env(&mut self, level: u32) -> Result<BTreeMap<String, String>, DriverError> {
        let values = values(level, &self.logs, &self.params);
        let mut env = BTreeMap::new();
        for (name, value) in &self.spec.env {
            let key = format!("driver.command.env.{name}");
            let value = self.secrets.resolve(&values.render(value, &key)?, &key)?;
            env.insert(name.clone(), value.expose_secret().to_owned());
        }
        Ok(env)
    }
}

#[async_trait]
impl Driver for Command {
    async fn enter(&mut self, action: &Action) -> Result<(), DriverError> {
        match *action {
            Action::Keep => Ok(()),
            Action::Level(level) => {
                self.end().await?;
                self.start(level)
            }
            Action::Stop => self.end().await,
            Action::Start | Action::Test(_) | Action::Collect => {
                Err(DriverError::rig("a load generator runs no tests"))
            }
            Action::Reset => {
                self.end().await?;
                let why = "a load generator cannot ask the system to release what it holds";
                Err(DriverError::rig(format!(
                    "{why}: use [driver.agents] with `reset`, or a registered driver"
                )))
            }
        }
    }

    async fn read(&mut self) -> Observation {
        self.look();
        Observation { readings: Vec::new(), incidents: std::mem::take(&mut self.incidents) }
    }
}

fn values<'a>(level: u32, logs: &Path, params: &'a Params) -> Values<'a> {
    let own = vec![("agents", level.to_string()), ("log_dir", logs.display().to_string())];
    Values::new(own, params)
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("with exit status {code}"),
        (None, Some(signal)) => match nix::sys::signal::Signal::try_from(signal) {
            Ok(name) => format!("killed by {name}"),
            Err(_) => format!("killed by signal {signal}"),
        },
        (None, None) => status.to_string(),
    }
}
