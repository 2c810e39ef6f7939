//! What the user wrote: scenario files, the workspace file and the environment become complete [`Scenario`]s.
//!
//! [`ScenarioFile`] is what can be typed in, every key optional; [`Scenario`] is complete. [`load`] turns one into the
//! other in one place, over the embedded `defaults.toml`.

pub mod file;
pub mod network;
pub mod workspace;

mod check;
mod error;
mod layer;
mod resolve;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::model::quantity::Length;
use crate::model::spec::{DriverSpec, ProbeSpec, TargetSpec};
use crate::model::{Kind, Param, Params, Rules};

pub use error::ScenarioError;
pub use file::ScenarioFile;
pub use resolve::{Names, load, load_text};
pub use workspace::Workspace;

/// The embedded defaults, which are also the reference of all keys.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// One scenario file, complete.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scenario {
    /// The file's stem.
    pub name: String,
    /// Where it was read, relative to the workspace root.
    pub file: PathBuf,
    /// What it asks.
    pub kind: Kind,
    /// One line for reports.
    pub description: String,
    /// Each gives its own trials.
    pub targets: Vec<TargetSpec>,
    /// What loads the targets.
    pub driver: Option<DriverSpec>,
    /// What reads them.
    pub probes: Vec<ProbeSpec>,
    /// The settings of its kind.
    pub protocol: Protocol,
    /// How often every trial is run.
    pub repeat: u32,
    /// Parameter values by name, in declared order.
    pub matrix: Vec<(String, Vec<Param>)>,
    /// Two versions to compare.
    pub ab: Option<Ab>,
    /// The configuration that kind network runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Box<network::Config>>,
    /// What its trials are judged by.
    pub rules: Rules,
}

/// Two versions that are run in turn. What is compared, and how, is in [`Rules::ab`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ab {
    /// What the placeholders of the old version are.
    #[serde(serialize_with = "as_map")]
    pub a: Params,
    /// What they are of the new one; the same names.
    #[serde(serialize_with = "as_map")]
    pub b: Params,
    /// No further pair is begun after this time.
    pub budget: Length,
    /// True: a pair that does not count is run first.
    pub warmup: bool,
}

impl Ab {
    /// The name of the placeholder and of the parameter that tell the versions apart: `a` or `b`.
    pub const SIDE: &'static str = "ab";

    /// Both versions with their names, a first.
    #[must_use]
    pub fn sides(&self) -> [(&'static str, &Params); 2] {
        [("a", &self.a), ("b", &self.b)]
    }
}

fn as_map<S: serde::Serializer>(params: &Params, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(params.0.iter().map(|(key, value)| (key, value)))
}

impl Scenario {
    /// How often a trial is repeated at most: more is a slip of the pen, and every repeat is planned before any is run.
    pub const MOST_REPEATS: u32 = 1000;
}

/// When to read, and the settings of every kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Protocol {
    /// `[sample]`.
    pub sample: file::Sampling,
    /// `[baseline]`.
    pub baseline: file::BaselineProtocol,
    /// `[load]`.
    pub load: file::LoadProtocol,
    /// `[duration]`.
    pub duration: file::DurationProtocol,
    /// `[reset]`.
    pub reset: file::ResetProtocol,
    /// `[network]`.
    pub network: file::NetworkProtocol,
}

impl Protocol {
    /// The names of the phases that trials of this kind read, in order.
    #[must_use]
    pub fn sampled(&self, kind: Kind) -> Vec<&str> {
        match kind {
            Kind::Baseline | Kind::Load => vec!["sample"],
            Kind::Duration => {
                let phases = self.duration.phases.as_ref();
                let drain = phases.and_then(|phases| phases.drain).map(|_| "drain");
                let cooldown = phases.and_then(|phases| phases.cooldown).map(|_| "cooldown");
                std::iter::once("active").chain(drain).chain(cooldown).collect()
            }
            Kind::Reset => vec!["baseline", "load", "post"],
            Kind::Network => {
                let names = self.network.tests.iter().filter_map(|test| test.0.name());
                std::iter::once("start").chain(names).collect()
            }
        }
    }
}

/// The scenario files of a directory, sorted by name.
///
/// # Errors
/// [`ScenarioError`] when the directory cannot be read.
pub fn files(directory: &Path) -> Result<Vec<PathBuf>, ScenarioError> {
    let entries = std::fs::read_dir(directory).map_err(|error| {
        ScenarioError::plain(directory, format!("cannot read the scenario directory: {error}"))
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests;
