//! `analyze`: judges results again, ours or those of the original framework.

use std::fs;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::{Answer, Failure, network_reports};
use crate::model::Unit;
use crate::model::quantity::Quantity;
use crate::report::{self, Format, Report, csv, junit};
use crate::suite::environment::{allow_inconclusive, allows_color};
use crate::{analysis, gate, results};

/// The arguments of `analyze`.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// A results.json, or a run directory such as results/latest
    #[arg(value_name = "RESULTS")]
    pub results: PathBuf,
    /// How to print what was found
    #[arg(long, value_parser = formats(), default_value = Format::Text.as_str())]
    pub format: Format,
    /// Tell how many agents this memory allows, in place of the limits that scenarios and containers have
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub capacity: Option<Quantity>,
    /// Also write every sample to this file, as CSV
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Also write the verdicts to this file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Also write the tables of network trials below this directory
    #[arg(long, value_name = "DIR")]
    pub network_reports: Option<PathBuf>,
    /// Other results of the same trials, to be averaged with in the tables of network trials; may be given several times
    #[arg(long, value_name = "RESULTS", requires = "network_reports")]
    pub iteration: Vec<PathBuf>,
    /// Exit with 0 where the verdict is inconclusive or no-data
    #[arg(long)]
    pub allow_inconclusive: bool,
}

/// Reads a size such as `512MiB`.
fn size(text: &str) -> Result<Quantity, String> {
    let expected = || format!("expected a size such as 512MiB, found {text:?}");
    let quantity: Quantity = text.parse().map_err(|_| expected())?;
    let is_size =
        quantity.unit == Some(Unit::Bytes) && !quantity.per_second && quantity.value > 0.0;
    if is_size { Ok(quantity) } else { Err(expected()) }
}

/// Reads the word that names a format; the help lists them.
pub(super) fn formats() -> impl TypedValueParser<Value = Format> {
    let words = Format::ALL.map(|format| {
        let about = match format {
            Format::Text => "For a terminal",
            Format::Markdown => "For a file or a web page",
            Format::Json => "One object, for a program",
        };
        PossibleValue::new(format.as_str()).help(about)
    });
    let unknown = "no such format";
    PossibleValuesParser::new(words).try_map(move |word| Format::parse(&word).ok_or(unknown))
}

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    let results = results::read(&arguments.results)
        .map_err(|error| Failure::usage(format!("error: {error}")))?;
    let analysis = analysis::analyze_for(&results, arguments.capacity.as_ref());
    let judgement = gate::judge(&results, &analysis);
    let report = Report { results: &results, analysis: &analysis, judgement: &judgement };
    let write = |path: &PathBuf, text: String| {
        let failed = |error| Failure::rig(format!("cannot write {}: {error}", path.display()));
        fs::write(path, text).map_err(failed)
    };
    if let Some(path) = &arguments.csv {
        write(path, csv::render(&results))?;
    }
    if let Some(path) = &arguments.junit {
        let text = junit::render(&report).map_err(Failure::rig)?;
        write(path, text)?;
    }
    if let Some(directory) = &arguments.network_reports {
        let paths: Vec<PathBuf> =
            std::iter::once(&arguments.results).chain(&arguments.iteration).cloned().collect();
        network_reports::write(directory, &paths)?;
    }
    let color = allows_color() && std::io::stdout().is_terminal();
    let allowed = arguments.allow_inconclusive || allow_inconclusive();
    Ok(Answer {
        text: report::render(&report, arguments.format, color),
        code: judgement.verdict.exit_code(allowed),
    })
}
