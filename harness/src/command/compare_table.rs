//! `compare --table`: two directories of a benchmark's tables, as Avocado's regression tables compare them.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::{Answer, Failure};
use crate::analysis::table::{Repetition, compare};
use crate::gate::table::{TableLimits, judge};
use crate::report::Format;
use crate::report::regression_table::{TableReport, html, render};
use crate::results::{PerfConf, RhsTable};
use crate::suite::environment::allow_inconclusive;

/// What to compare, and how to print it.
#[derive(Clone, Debug)]
pub struct TableArguments {
    /// `FILE:TEST`: a `perf.conf` and its section.
    pub conf: String,
    /// The directory of the first side.
    pub a: PathBuf,
    /// That of the second.
    pub b: PathBuf,
    /// How to print it.
    pub format: Format,
    /// Also write the page to this file.
    pub html: Option<PathBuf>,
    /// From which change on a cell fails or passes.
    pub limits: TableLimits,
    /// Inconclusive and no data exit with 0.
    pub allow_inconclusive: bool,
}

/// Compares the tables of two directories.
///
/// # Errors
/// A [`Failure`] for a file that cannot be read or is no table, and for fewer than two repetitions on a side.
pub fn run(arguments: &TableArguments) -> Result<Answer, Failure> {
    let usage = |message: String| Failure::usage(format!("error: {message}"));
    let (file, test) = arguments.conf.rsplit_once(':').ok_or_else(|| {
        let found = &arguments.conf;
        usage(format!("expected --table FILE:TEST, such as perf.conf:netperf, found {found:?}"))
    })?;
    let text = fs::read_to_string(file)
        .map_err(|error| usage(format!("{file}: cannot be read: {error}")))?;
    let conf = PerfConf::parse(&text, test).map_err(|error| usage(format!("{file}:{error}")))?;
    let pattern = Regex::new(&format!("(?:^|/)(?:{})$", conf.pattern)).map_err(|error| {
        let found = &conf.pattern;
        // It draws the expression over several lines; the last one says what is wrong.
        let error = error.to_string();
        let error = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        usage(format!("{file}: result_file_pattern {found:?} is no regular expression: {error}"))
    })?;
    let a = side(&arguments.a, &conf, &pattern).map_err(usage)?;
    let b = side(&arguments.b, &conf, &pattern).map_err(usage)?;
    for (directory, files) in [(&arguments.a, &a), (&arguments.b, &b)] {
        if files.len() < 2 {
            return Err(usage(format!(
                "{}: {} files have a path that contains {test:?} and ends in {:?}; at least 2 repetitions are needed on each side",
                directory.display(),
                files.len(),
                conf.pattern
            )));
        }
    }
    let comparison = compare(&conf, &a, &b).map_err(|message| {
        usage(format!("{} and {}: {message}", arguments.a.display(), arguments.b.display()))
    })?;
    let judgement = judge(&comparison, arguments.limits);
    let report = TableReport { judgement: &judgement, comparison: &comparison };
    if let Some(path) = &arguments.html {
        let failed = |error| Failure::rig(format!("cannot write {}: {error}", path.display()));
        fs::write(path, html::render(report)).map_err(failed)?;
    }
    let allowed = arguments.allow_inconclusive || allow_inconclusive();
    Ok(Answer {
        text: render(report, arguments.format),
        code: judgement.verdict.exit_code(allowed),
    })
}

/// The tables below a directory, in the order of their paths, each one a repetition.
fn side(directory: &Path, conf: &PerfConf, pattern: &Regex) -> Result<Vec<Repetition>, String> {
    let mut files = Vec::new();
    walk(directory, &mut files)?;
    files.sort();
    let mut repetitions = Vec::new();
    for path in files {
        let name = path.to_string_lossy();
        if !name.contains(&conf.test) || !pattern.is_match(&name) {
            continue;
        }
        let bytes = fs::read(&path).map_err(|error| format!("{name}: cannot be read: {error}"))?;
        let table = RhsTable::parse(&String::from_utf8_lossy(&bytes), conf.keys)
            .map_err(|error| format!("{name}:{error}"))?;
        repetitions.push(Repetition { file: name.into_owned(), table });
    }
    Ok(repetitions)
}

/// Every file below a directory; links to directories are not followed, as `find` does not.
fn walk(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |error| format!("{}: cannot be read: {error}", directory.display());
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            walk(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
