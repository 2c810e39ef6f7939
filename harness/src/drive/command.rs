//! [`Command`]: an external load generator, started for a level and ended with everything it started.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;

use super::process::Group;
use super::secret::{self, Lookup, Secrets};
use super::values::Values;
use super::{Driver, DriverError};
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
    group: Group,
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
        let path = self.log();
        let log_fault =
            |error| DriverError::rig(format!("{} cannot be written: {error}", path.display()));
        let log = OpenOptions::new().create(true).append(true).open(&path).map_err(log_fault)?;
        let from = log.metadata().map_err(log_fault)?.len();
        if !self.cwd.is_dir() {
            let message = format!("driver.command.cwd: {} is no directory", self.cwd.display());
            return Err(DriverError::rig(message));
        }
        let group = Group::spawn(&words, env, &self.cwd, log).map_err(|error| {
            DriverError::rig(format!(
                "the load generator `{}` cannot be started: {error}",
                words.join(" ")
            ))
        })?;
        self.running = Some(Running { group, from, told: false });
        Ok(())
    }

    /// Ends what runs. It stays in place until it has ended, so that a cancelled call leaves it to the next, or to drop.
    async fn end(&mut self) {
        self.look();
        if let Some(running) = &mut self.running {
            running.told = true;
            running.group.stop(self.grace).await;
        }
        self.running = None;
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
        // Secrets first: a cut through one would leave a part of it.
        let tail = tail(&self.secrets.redact(&printed(&path, running.from).unwrap_or_default()));
        let said = if tail.is_empty() {
            "it printed nothing".to_owned()
        } else {
            format!("its last lines: {tail}")
        };
        let message =
            format!("the load generator ended before it was stopped, {}; {said}", describe(status));
        self.incidents.push(Incident::new(EventKind::DriverError, &self.source, message));
    }

    fn log(&self) -> PathBuf {
        self.logs.join("driver.log")
    }

    /// Program and arguments. A program with a slash is looked for below the root, wherever it then runs.
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
        match words.first_mut() {
            None => return Err(DriverError::rig("driver.command.command: expected a program")),
            Some(program) if program.contains('/') => {
                *program = self.root.join(&*program).display().to_string();
            }
            Some(_) => {}
        }
        Ok(words)
    }

    fn env(&mut self, level: u32) -> Result<Vec<(String, String)>, DriverError> {
        let values = values(level, &self.logs, &self.params);
        let mut env = Vec::new();
        for (name, value) in &self.spec.env {
            let key = format!("driver.command.env.{name}");
            let value = self.secrets.resolve(&values.render(value, &key)?, &key)?;
            env.push((name.clone(), value.expose_secret().to_owned()));
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
                self.end().await;
                self.start(level)
            }
            Action::Stop => {
                self.end().await;
                Ok(())
            }
            Action::Reset => {
                self.end().await;
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

/// The end of what was printed from `from` on, in whole lines as far as possible.
fn printed(path: &Path, from: u64) -> io::Result<String> {
    const BYTES: u64 = 64 * 1024;
    let mut file = File::open(path)?;
    let end = file.metadata()?.len();
    file.seek(SeekFrom::Start(from.max(end.saturating_sub(BYTES))))?;
    let mut bytes = Vec::new();
    file.take(BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The last lines, on one line.
fn tail(text: &str) -> String {
    const LINES: usize = 5;
    const SHOWN: usize = 200;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    let cut = |line: &&str| line.chars().take(SHOWN).collect::<String>();
    last.iter().map(cut).collect::<Vec<_>>().join(" | ")
}
