//! `check`: what a run needs, and whether it is there.
//!
//! Nothing is started, built or changed. Every look takes two seconds at most, and those that can be are at one time.

mod look;
mod question;
mod row;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::runtime::runtime;
use super::{Answer, Failure};
use crate::plan;
use crate::scenario::{self, Names, Scenario, ScenarioError, Workspace};
use row::{Row, State};

/// The arguments of `check`.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// Names of scenarios, or their files; all of the workspace by default
    #[arg(value_name = "SCENARIO")]
    pub scenarios: Vec<String>,
    /// The workspace [default: the nearest directory upwards with scenarios/ or proofload.toml]
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    Text,
    /// One object, for a program.
    Json,
}

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    let workspace = workspace(arguments.root.as_deref())?;
    let scenarios = load(&workspace, &arguments.scenarios)?;
    let trials = scenarios.iter().flat_map(plan::trials);
    let asked = question::of(trials);
    let runtime = runtime()?;
    let rows = runtime.block_on(look::all(&workspace, asked));
    let text = match arguments.format {
        Format::Text => row::text(&rows, scenarios.len()),
        Format::Json => row::json(&rows).map_err(Failure::rig)?,
    };
    Ok(Answer { text, code: if is_ready(&rows) { 0 } else { 4 } })
}

/// The environment's variables. Those that are not UTF-8 cannot be ours.
pub(super) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The workspace at `root`, or the nearest one upwards.
pub(super) fn workspace(root: Option<&Path>) -> Result<Workspace, Failure> {
    let root = match root {
        Some(root) => root.to_owned(),
        None => nearest(&std::env::current_dir().map_err(Failure::rig)?)?,
    };
    let root = root
        .canonicalize()
        .map_err(|error| Failure::usage(format!("error: {}: {error}", root.display())))?;
    Workspace::open(&root, variables()).map_err(Failure::usage)
}

fn is_ready(rows: &[Row]) -> bool {
    rows.iter().all(|row| row.state != State::Missing)
}

fn nearest(start: &Path) -> Result<PathBuf, Failure> {
    let is_root = |at: &&Path| at.join("proofload.toml").is_file() || at.join("scenarios").is_dir();
    start.ancestors().find(is_root).map(Path::to_owned).ok_or_else(|| {
        Failure::usage(format!(
            "error: neither {} nor a directory above it has scenarios/ or proofload.toml: name the workspace with --root",
            start.display()
        ))
    })
}

/// The scenarios of these names, or all. Every one that cannot be used is told.
pub(super) fn load(workspace: &Workspace, wanted: &[String]) -> Result<Vec<Scenario>, Failure> {
    let files = scenario::files(&workspace.scenarios).map_err(Failure::usage)?;
    let files = choose(&files, wanted)?;
    if files.is_empty() {
        let at = workspace.scenarios.display();
        return Err(Failure::usage(format!("error: there is no scenario in {at}")));
    }
    // Only the test binary knows what it registers.
    let names = Names { any: true, ..Names::default() };
    let (loaded, refused): (Vec<_>, Vec<_>) =
        files.iter().map(|file| scenario::load(workspace, file, &names)).partition(Result::is_ok);
    let refused: Vec<String> =
        refused.into_iter().filter_map(Result::err).map(|e: ScenarioError| e.to_string()).collect();
    if !refused.is_empty() {
        return Err(Failure::usage(refused.join("\n\n")));
    }
    Ok(loaded.into_iter().filter_map(Result::ok).collect())
}

/// The files that are wanted: by stem among `files`, or by a path of their own.
fn choose(files: &[PathBuf], wanted: &[String]) -> Result<Vec<PathBuf>, Failure> {
    if wanted.is_empty() {
        return Ok(files.to_vec());
    }
    let stem = |file: &Path| file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let find = |name: &String| {
        let by_name = files.iter().find(|file| stem(file) == *name).cloned();
        let by_path = || std::path::absolute(name).ok().filter(|path| path.is_file());
        by_name.or_else(by_path).ok_or_else(|| {
            let known: Vec<String> = files.iter().map(|file| stem(file)).collect();
            Failure::usage(format!("error: no scenario {name:?}: expected {}", known.join(", ")))
        })
    };
    let mut chosen = wanted.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    chosen.sort();
    chosen.dedup();
    Ok(chosen)
}

#[cfg(test)]
mod tests;
