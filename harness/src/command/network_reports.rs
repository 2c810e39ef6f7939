//! [`write()`]: the tables of network trials, for one run or several, and their averages.

use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::analysis::{self, Analysis};
use crate::gate::{self, Judgement};
use crate::report::{Report, network};
use crate::results::{self, Results};

/// Writes the tables of these runs below a directory, and averages where they are several.
///
/// # Errors
/// [`Failure`] of results that cannot be read, have no network trials, or are of one name with others, and of files that
/// cannot be written.
pub(super) fn write(directory: &Path, runs: &[PathBuf]) -> Result<(), Failure> {
    let mut read: Vec<(String, Results, Analysis, Judgement)> = Vec::new();
    for path in runs {
        let results =
            results::read(path).map_err(|error| Failure::usage(format!("error: {error}")))?;
        let analysis = analysis::analyze(&results);
        let judgement = gate::judge(&results, &analysis);
        let name = network::iteration(path, &results);
        if read.iter().any(|(known, ..)| *known == name) {
            let message = format!("error: {}: results named {name} stand twice", path.display());
            return Err(Failure::usage(message));
        }
        read.push((name, results, analysis, judgement));
    }
    let iterations: Vec<(String, Report<'_>)> = read
        .iter()
        .map(|(name, results, analysis, judgement)| {
            (name.clone(), Report { results, analysis, judgement })
        })
        .collect();
    let files = network::files(&iterations);
    if files.is_empty() {
        return Err(Failure::usage(
            "error: no network trials in these results, so there are no tables of them",
        ));
    }
    for (name, text) in files {
        let path = directory.join(name);
        let failed = |error| Failure::rig(format!("cannot write {}: {error}", path.display()));
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
        fs::write(&path, text).map_err(failed)?;
    }
    Ok(())
}
