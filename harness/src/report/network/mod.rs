//! [`files`]: the tables of network runs, with the names and columns of the original framework: per environment and
//! iteration what each tool did to latency, throughput and packets and what it used, and over iterations the averages.
//!
//! Client columns are the sender's figures, server columns the receiver's; packets are datagrams that were counted. A
//! value is the mean over the completed walks of its side, and a difference is worked out from such values, also from
//! those that are averages over iterations. What was not measured is an empty cell, and named in the overview.

mod average;
mod cases;
mod columns;
mod overview;
mod packets;
mod resources;
mod table;

use std::path::{Path, PathBuf};

use super::Report;
use crate::model::Kind;
use crate::results::Results;
use columns::Columns;
use table::Table;

/// Every file of these runs, by its path below a directory: one set per run, named after its iteration, and averages
/// where the runs are several.
#[must_use]
pub fn files(iterations: &[(String, Report<'_>)]) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut tables: Vec<(String, Columns, Table)> = Vec::new();
    for (iteration, report) in iterations {
        for topic in cases::topics(report) {
            let name = |what: &str, ending: &str| {
                let (topic, iteration) = (safe(&topic.name), safe(iteration));
                PathBuf::from(format!("{topic}_{what}_{iteration}.{ending}"))
            };
            let mut own = Vec::new();
            // A baseline that nothing is compared with is in the overview alone.
            let all = Columns::ALL.into_iter().filter(|_| !topic.cases.is_empty());
            for columns in all {
                let table = columns.table(&topic.cases);
                files.push((name(columns.as_str(), "csv"), table.csv()));
                own.push((columns, table));
            }
            files.push((name("overview", "md"), overview::render(&topic, iteration, report, &own)));
            let own = own.into_iter().map(|(columns, table)| (topic.name.clone(), columns, table));
            tables.extend(own);
        }
    }
    if iterations.len() > 1 {
        files.extend(average::files(&tables));
    }
    files
}

/// True of a run that has something to show here.
#[must_use]
pub fn has_network(results: &Results) -> bool {
    results.scenarios.iter().any(|trial| trial.kind == Some(Kind::Network))
}

/// What the files of results are named after: the directory `iteration_NNN` that they were collected in, else the run.
#[must_use]
pub fn iteration(path: &Path, results: &Results) -> String {
    let numbered = |name: &str| {
        let number = name.strip_prefix("iteration_")?;
        let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
        is_number.then(|| name.to_owned())
    };
    let mut parts = path.components().rev().filter_map(|part| part.as_os_str().to_str());
    parts.find_map(numbered).unwrap_or_else(|| results.test_id.clone())
}

/// A name that is part of a file's name wherever files are kept.
fn safe(name: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    name.chars().map(keep).collect()
}

#[cfg(test)]
mod tests;
