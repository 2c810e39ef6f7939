//! [`read`]: the runs that a path names; [`machines`]: whether they were made on one machine.

use std::fs;
use std::path::{Path, PathBuf};

use crate::analysis::compare::machine::differences;
use crate::results::{self, Results, RunDirectory};

/// Reads a results.json, a run directory, or every run directory in a directory, in order of their names.
///
/// # Errors
/// The path and what was expected.
pub(super) fn read(path: &Path) -> Result<Vec<Results>, String> {
    let one = |path: &Path| results::read(path).map_err(|error| error.to_string());
    if !path.is_dir() || is_run(path) {
        return Ok(vec![one(path)?]);
    }
    let failed = |error| format!("{}: cannot be read: {error}", path.display());
    let entries = fs::read_dir(path).map_err(failed)?;
    // `latest` is a link to one of the others.
    let mut runs: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| !path.is_symlink() && path.is_dir() && is_run(path))
        .collect();
    runs.sort();
    if runs.is_empty() {
        return Err(format!(
            "{}: expected a results.json, a run directory or a directory of run directories",
            path.display()
        ));
    }
    runs.iter().map(|run| one(run)).collect()
}

fn is_run(path: &Path) -> bool {
    let run = RunDirectory::at(path);
    run.journal().exists() || run.results().exists()
}

/// What to warn of where runs may have been made on different machines.
///
/// # Errors
/// Every difference, unless it is `forced`.
pub(super) fn machines(
    base: &[Results],
    new: &[Results],
    forced: bool,
) -> Result<Vec<String>, String> {
    let all = || base.iter().chain(new);
    let first = all().find_map(|results| results.environment.as_ref());
    let mut found: Vec<String> = Vec::new();
    for results in all() {
        if let (Some(first), Some(environment)) = (first, &results.environment) {
            let new = differences(first, environment);
            found.extend(
                new.into_iter()
                    .filter(|difference| !found.contains(difference))
                    .collect::<Vec<_>>(),
            );
        }
    }
    if !found.is_empty() && !forced {
        let found = found.join("; ");
        return Err(format!(
            "the runs are of different machines: {found}; --force compares them all the same"
        ));
    }
    let mut warnings: Vec<String> = Vec::new();
    if !found.is_empty() {
        warnings.push(format!("the runs are of different machines: {}", found.join("; ")));
    }
    if all().any(|results| results.environment.is_none()) {
        warnings.push("a run does not say on which machine it was made".to_owned());
    }
    Ok(warnings)
}
