//! `selftest`: shows that the gate of this build passes what is sound and fails what is not.
//!
//! *Controls* are real runs of the demo workload, with and without a fault. *Simulated runs* go through the journal, the
//! results file and the gate as real ones do. *Rates* count how often each rule is wrong on data with a known truth;
//! with many trials they are the table of docs/accuracy.md.

pub mod comparisons;
pub mod history;
pub mod leaks;
pub mod rate;
pub mod resets;
pub mod scaling;

mod controls;
mod paper;
mod shipped;
mod table;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Answer, Failure};
use crate::analysis::Analysis;
use crate::gate::{self, Judgement};
use crate::results::Results;

pub use rate::{Expected, Rate};

/// The arguments of `selftest`.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The short form that CI runs: fewer simulated runs, fewer pairs
    #[arg(long)]
    pub short: bool,
    /// Simulated data only, which needs no workload
    #[arg(long)]
    pub simulated: bool,
    /// Simulated data sets per row of the table [default: 200, with --short 40]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(10..))]
    pub per_cell: Option<u32>,
    /// Which simulated data; thresholds were found with seeds 1 and 7
    #[arg(long, value_name = "SEED", default_value_t = 30)]
    pub seed: u64,
    /// Also write the table of rates to this file, and hold every rate to its target without allowance for chance
    #[arg(long, value_name = "PATH")]
    pub write: Option<PathBuf>,
}

/// What turns results into verdicts. Always [`gate::judge`], but in the test that shows what this command is worth.
type Judge = fn(&Results, &Analysis) -> Judgement;

/// One line of the table: something that must come out in one way.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    /// What was tried.
    what: String,
    /// What has to come out.
    wanted: String,
    /// What came out.
    found: String,
    /// Whether that is it.
    holds: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    let per_cell = arguments.per_cell.unwrap_or(if arguments.short { 40 } else { 200 }) as usize;
    let mut outcomes = Vec::new();
    if !arguments.simulated {
        outcomes.extend(controls::run(arguments.short, gate::judge)?);
    }
    eprintln!("simulated runs through journal, results and gate");
    outcomes.extend(shipped::run(arguments.seed, per_cell.clamp(100, 200), gate::judge)?);
    let rates = rates(arguments.seed, per_cell);
    let strict = arguments.write.is_some();
    if let Some(path) = &arguments.write {
        let failed = |error| Failure::rig(format!("cannot write {}: {error}", path.display()));
        fs::write(path, table::page(&rates, arguments.seed, per_cell)).map_err(failed)?;
    }
    let off = |rate: &&Rate| if strict { !rate.holds() } else { rate.is_off() };
    let wrong =
        outcomes.iter().filter(|outcome| !outcome.holds).count() + rates.iter().filter(off).count();
    Ok(Answer { text: table::text(&outcomes, &rates, wrong, strict), code: u8::from(wrong > 0) })
}

/// A directory of our own, empty.
fn scratch(name: &str) -> std::io::Result<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("proofload-selftest-{name}-{}-{count}", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::create_dir(&path)?;
    Ok(path)
}

/// Measures the error rates of one part of the rules: from a seed, with so many data sets per row.
type Measure = fn(u64, usize) -> Vec<Rate>;

/// All of them.
const PARTS: &[(&str, Measure)] = &[
    ("leaks", leaks::rates),
    ("resets", resets::rates),
    ("scaling laws", scaling::rates),
    ("comparisons", comparisons::rates),
    ("histories", history::rates),
];

/// Every rule on simulated data, `per_cell` data sets for each row.
#[must_use]
pub fn rates(seed: u64, per_cell: usize) -> Vec<Rate> {
    let part = |(name, measure): &(&str, Measure)| {
        eprintln!("simulated {name}");
        measure(seed, per_cell)
    };
    PARTS.iter().flat_map(part).collect()
}

#[cfg(test)]
mod tests;
