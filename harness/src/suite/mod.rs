//! [`Suite`]: the front door. Arguments and scenario files become test trials; what they come to, an exit code.

mod ab;
mod confirm;
pub(crate) mod environment;
mod failure;
mod finish;
mod kept;
mod live;
pub(crate) mod lock;
mod looks;
mod opening;
mod progress;
mod recorder;
mod select;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use libtest_mimic::Arguments;

pub use failure::Failure;
use failure::RIG;

use crate::drive::Driver;
use crate::model::{Member, Params};
use crate::plan::{self, Trial};
use crate::probe::Probe;
use crate::run::Parts;
use crate::scenario::{self, Names, Workspace};

/// What a user's own opening function may fail with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The performance tests of one workspace.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     proofload::Suite::at(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).main()
/// }
/// ```
pub struct Suite {
    root: PathBuf,
    parts: Parts,
    /// A workflow file, run in place of the scenarios.
    workflow: Option<PathBuf>,
}

#[derive(Parser)]
#[command(
    long_about = None,
    about = "Runs the performance tests of this workspace: every trial brings a system up, loads it, reads it and judges it.",
    after_long_help = AFTER_HELP,
    after_help = AFTER_HELP
)]
struct Cli {
    #[command(flatten)]
    arguments: Arguments,
}

/// That of libtest-mimic, which comes with its arguments, says neither what this is nor how it is called.
const HELP: &str = "{about-with-newline}\n{usage-heading} {usage}\n\n{all-args}{after-help}\n";

const AFTER_HELP: &str = "\
A filter equal to a kind (baseline, load, duration, reset, network) runs that kind; any other is a substring of trial names.
Environment:
  PROOFLOAD_PROFILE=quick|ci|full|seed     protocol and lengths; quick by default
  PROOFLOAD_SCENARIOS, PROOFLOAD_RESULTS   other directories
  PROOFLOAD__SAMPLE__LENGTH='\"30s\"'        any key of a scenario, as TABLE__KEY
  PROOFLOAD_REQUIRE=docker,testbed         what is missing fails its trials, which are else ignored
  PROOFLOAD_ALLOW_INCONCLUSIVE=1           inconclusive and no-data do not fail
Exit codes: 0 pass, 1 gate failed or the system died, 2 bad input, 3 inconclusive or no data, 4 the rig failed, 130/143 interrupted.";

impl Suite {
    /// The suite of the workspace at `root`, which has `scenarios/` and may have `proofload.toml`.
    #[must_use]
    pub fn at(root: impl AsRef<Path>) -> Self {
        Self { root: root.as_ref().to_owned(), parts: Parts::default(), workflow: None }
    }

    /// Registers a driver for `[driver.custom] name = "..."`. `open` gets the scenario's `options` and the trial's
    /// parameters.
    #[must_use]
    pub fn driver<F>(mut self, name: &str, open: F) -> Self
    where
        F: Fn(&toml::Table, &Params) -> Result<Box<dyn Driver>, BoxError> + Send + Sync + 'static,
    {
        self.parts.drivers.insert(name.to_owned(), Arc::new(open));
        self
    }

    /// Registers a probe for `probes = ["..."]`. `open` gets the scenario's `[probe.options.<name>]` and the members
    /// of the target.
    #[must_use]
    pub fn probe<F>(mut self, name: &str, open: F) -> Self
    where
        F: Fn(&toml::Table, &[Member]) -> Result<Box<dyn Probe>, BoxError> + Send + Sync + 'static,
    {
        self.parts.probes.insert(name.to_owned(), Arc::new(open));
        self
    }

    /// Runs the trials of a workflow file, as `cargo xtask workflow` writes it, in place of the scenarios.
    #[must_use]
    pub fn workflow(mut self, file: &Path) -> Self {
        self.workflow = Some(file.to_owned());
        self
    }

    /// Runs what the command line asks for.
    #[must_use]
    pub fn main(self) -> ExitCode {
        let matches = Cli::command().help_template(HELP).get_matches();
        let Cli { arguments } =
            Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        // Variables that are not UTF-8 cannot be ours.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        match self.run(arguments, variables) {
            Ok(code) => ExitCode::from(code),
            Err(Failure { code, message }) => {
                say(&message);
                ExitCode::from(code)
            }
        }
    }

    /// Runs every scenario as a command that has a line of its own to say: what libtest would print goes to `log`.
    /// `variables` stand for the environment's.
    pub(crate) fn run_all(
        self,
        variables: impl IntoIterator<Item = (String, String)>,
        log: &Path,
    ) -> Result<u8, Failure> {
        let logfile = Some(log.display().to_string());
        self.run(Arguments { logfile, ..Arguments::default() }, variables)
    }

    /// Runs everything, and prints as a test does. `variables` stand for the environment's.
    pub(crate) fn run_aloud(
        self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<u8, Failure> {
        self.run(Arguments::default(), variables)
    }

    fn run(
        mut self,
        arguments: Arguments,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<u8, Failure> {
        let root = std::path::absolute(&self.root).map_err(Failure::rig)?;
        self.root = root.canonicalize().unwrap_or(root);
        self.parts.root.clone_from(&self.root);
        let workspace = Workspace::open(&self.root, variables).map_err(Failure::usage)?;
        let trials = self.plan(&workspace).map_err(Failure::usage)?;
        let selection = select::select(arguments, trials)?;
        if selection.arguments.list {
            return Ok(select::list(selection));
        }
        live::run(workspace, self.parts, selection)
    }

    fn plan(&self, workspace: &Workspace) -> Result<Vec<Trial>, scenario::ScenarioError> {
        let names = Names {
            drivers: self.parts.drivers.keys().cloned().collect(),
            probes: self.parts.probes.keys().cloned().collect(),
            any: false,
        };
        if let Some(file) = &self.workflow {
            return workflow(file);
        }
        let mut trials = Vec::new();
        for file in scenario::files(&workspace.scenarios)? {
            trials.extend(plan::trials(&scenario::load(workspace, &file, &names)?));
        }
        trials.sort_by_key(|trial| trial.kind);
        Ok(trials)
    }
}

/// The trials of a workflow file.
fn workflow(file: &Path) -> Result<Vec<Trial>, scenario::ScenarioError> {
    let refused = |message: String| scenario::ScenarioError::plain(file, message);
    let text = std::fs::read_to_string(file)
        .map_err(|error| refused(format!("cannot be read: {error}")))?;
    let workflow = plan::network::Workflow::read(&text).map_err(refused)?;
    workflow.validate().map_err(|error| refused(error.to_string()))?;
    let unavailable = scenario::network::config::unreachable(&workflow.proofload.testbed.nodes);
    Ok(workflow.trials(unavailable.as_deref()))
}

/// Writes a line to standard error. A reader that has gone is no reason to leave a target up, as a panic would.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
