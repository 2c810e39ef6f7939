//! `compare`: two versions by their runs, or the versions of an interleaved comparison.

mod runs;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;

use super::compare_table::{self, TableArguments};
use super::percent::percent;
use super::{Answer, Failure, analyze};
use crate::analysis::compare::{self, comparisons, duplicate};
use crate::analysis::{Analysis, analyze as analyze_results};
use crate::gate::{self, table::TableLimits};
use crate::model::Severity;
use crate::model::rules::{AbMetric, AbRule};
use crate::report::compare::{Compared, render};
use crate::report::{Format, Report};
use crate::results::{Results, TrialRecord};
use crate::suite::environment::{allow_inconclusive, allows_color};

/// The arguments of `compare`.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The runs of the version that is there: a results.json, a run directory, or a directory of run directories
    #[arg(value_name = "BASE")]
    pub base: PathBuf,
    /// Those of the version to be judged; without it, BASE must hold an interleaved comparison
    #[arg(value_name = "NEW")]
    pub new: Option<PathBuf>,
    /// Compare this metric only; may be given several times
    #[arg(long = "metric", value_name = "NAME")]
    pub metrics: Vec<String>,
    /// The smallest effect of interest [default: 2%, or that of the comparison]
    #[arg(long, value_name = "PERCENT", value_parser = fraction)]
    pub min_effect: Option<f64>,
    /// A regression surely below this passes [default: 5%, or that of the comparison]
    #[arg(long, value_name = "PERCENT", value_parser = fraction)]
    pub margin: Option<f64>,
    /// Also ask for the claim that the two differ by less than this, either way
    #[arg(long, value_name = "PERCENT", value_parser = fraction)]
    pub within: Option<f64>,
    /// Take the scatter of single runs from the interleaved comparisons in this directory of run directories
    #[arg(long, value_name = "DIR")]
    pub history: Option<PathBuf>,
    /// How to print what was found
    #[arg(long, value_parser = analyze::formats(), default_value = Format::Text.as_str())]
    pub format: Format,
    /// Compare runs of different machines all the same
    #[arg(long)]
    pub force: bool,
    /// Exit with 0 where the verdict is inconclusive or no-data
    #[arg(long)]
    pub allow_inconclusive: bool,
    /// BASE and NEW are directories of a benchmark's tables (*.RHS), described by this section of a perf.conf
    #[arg(
        long,
        value_name = "FILE:TEST",
        requires = "new",
        conflicts_with_all = ["metrics", "within", "history", "force"]
    )]
    pub table: Option<String>,
    /// Also write the tables to this file as a page of HTML
    #[arg(long, value_name = "PATH", requires = "table")]
    pub html: Option<PathBuf>,
}

/// Reads a part of a whole.
fn fraction(text: &str) -> Result<f64, String> {
    percent(text).filter(|value| *value > 0.0 && *value < 1.0).ok_or_else(|| {
        format!("expected a share above 0% and below 100%, such as 2% or 2, found {text:?}")
    })
}

/// The smallest effect of interest, unless one is given.
const MIN_EFFECT: f64 = 0.02;
/// What passes, unless it is given.
const MARGIN: f64 = 0.05;

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    if let (Some(conf), Some(new)) = (&arguments.table, &arguments.new) {
        return compare_table::run(&TableArguments {
            conf: conf.clone(),
            a: arguments.base.clone(),
            b: new.clone(),
            format: arguments.format,
            html: arguments.html.clone(),
            limits: TableLimits {
                min_effect: arguments.min_effect.unwrap_or(MIN_EFFECT),
                margin: arguments.margin.unwrap_or(MARGIN),
            },
            allow_inconclusive: arguments.allow_inconclusive,
        });
    }
    let usage = |error: String| Failure::usage(format!("error: {error}"));
    let mut base = runs::read(&arguments.base).map_err(usage)?;
    let new = match &arguments.new {
        Some(path) => runs::read(path).map_err(usage)?,
        None => Vec::new(),
    };
    for results in base.iter().chain(&new) {
        if let Some(twice) = duplicate(&results.scenarios) {
            return Err(usage(format!("{}: {twice}", results.test_id)));
        }
    }
    if arguments.new.is_none() {
        let path = arguments.base.display();
        let [results] = base.as_mut_slice() else {
            return Err(usage(format!("{path}: several runs; give NEW, or one run")));
        };
        return interleaved(arguments, results);
    }
    let warnings = runs::machines(&base, &new, arguments.force).map_err(usage)?;
    two(arguments, &base, &new, warnings)
}

/// The versions of the comparisons that one run holds.
fn interleaved(arguments: &Arguments, results: &mut Results) -> Result<Answer, Failure> {
    let usage = |error: String| Failure::usage(format!("error: {error}"));
    results.scenarios.retain(|trial| trial.comparison().is_some());
    if results.scenarios.is_empty() {
        let path = arguments.base.display();
        return Err(usage(format!(
            "{path}: no interleaved comparison in it: give NEW as well, or run a scenario with [ab]"
        )));
    }
    let rules = results.scenarios.iter_mut().filter_map(|trial| trial.rules.as_mut()?.ab.as_mut());
    let mut known: Vec<String> = Vec::new();
    for rule in rules {
        known.extend(rule.metrics.iter().map(|of| of.metric.clone()));
        adjust(arguments, rule);
    }
    if let Some(name) = arguments.metrics.iter().find(|name| !known.contains(name)) {
        known.sort();
        known.dedup();
        let known = known.join(", ");
        return Err(usage(format!("metric {name:?} is not compared; there are {known}")));
    }
    let analysis = analyze_results(results);
    let judgement = gate::judge(results, &analysis);
    let number = comparisons(&results.scenarios).len();
    let comparisons = if number == 1 { "comparison" } else { "comparisons" };
    let title = format!("{number} {comparisons} of a and b in {}", results.test_id);
    let report = Report { results, analysis: &analysis, judgement: &judgement };
    Ok(answer(arguments, &title, &report))
}

/// What the command line asks for, over what the comparison came with.
fn adjust(arguments: &Arguments, rule: &mut AbRule) {
    if !arguments.metrics.is_empty() {
        rule.metrics.retain(|of| arguments.metrics.contains(&of.metric));
    }
    for of in &mut rule.metrics {
        of.min_effect = arguments.min_effect.or(of.min_effect);
        of.margin = arguments.margin.or(of.margin);
    }
    rule.within = arguments.within.or(rule.within);
}

/// The runs of two versions.
fn two(
    arguments: &Arguments,
    base: &[Results],
    new: &[Results],
    mut warnings: Vec<String>,
) -> Result<Answer, Failure> {
    let usage = |error: String| Failure::usage(format!("error: {error}"));
    let flat = |side: &'_ [Results]| -> Vec<TrialRecord> {
        side.iter().flat_map(|results| results.scenarios.iter().cloned()).collect()
    };
    let (base_trials, new_trials) = (flat(base), flat(new));
    let base_trials: Vec<&TrialRecord> = base_trials.iter().collect();
    let new_trials: Vec<&TrialRecord> = new_trials.iter().collect();
    let all: Vec<&TrialRecord> = base_trials.iter().chain(&new_trials).copied().collect();
    let metrics = compare::metrics::compared(&all, &arguments.metrics).map_err(usage)?;
    let metrics = metrics.into_iter().map(|(metric, stat)| AbMetric {
        metric,
        source: None,
        stat,
        severity: Severity::Fail,
        min_effect: None,
        margin: None,
        priors: BTreeMap::new(),
    });
    let rule = AbRule {
        looks: Vec::new(),
        min_effect: arguments.min_effect.unwrap_or(MIN_EFFECT),
        margin: arguments.margin.unwrap_or(MARGIN),
        within: arguments.within,
        metrics: metrics.collect(),
    };
    let past = match &arguments.history {
        Some(path) => runs::read(path).map_err(usage)?,
        None => Vec::new(),
    };
    let machine = base.iter().chain(new).find_map(|results| results.environment.as_ref());
    let priors = |run: &TrialRecord, of: &AbMetric| {
        let (comparison, metadata) = (compare::matching::trial_id(run), &run.metadata);
        compare::priors(&past, compare::Asked { comparison, metadata, machine }, of)
    };
    let (sides, unmatched) = compare::sides(&base_trials, &new_trials);
    let mut found = compare::between(&sides, &rule, priors);
    for change in &mut found.changes {
        change.warnings.extend(warnings.iter().cloned());
    }
    let apart = found.changes.iter().flat_map(|change| &change.warnings);
    if apart.clone().any(|warning| warning == compare::SEPARATE) {
        warnings.push(compare::SEPARATE.to_owned());
    }
    let unmatched = unmatched.into_iter().chain(found.unmatched).collect();
    let analysis = Analysis { changes: found.changes, unmatched, ..Analysis::default() };
    let incomplete = base.iter().chain(new).any(|results| results.incomplete);
    let mut judgement = gate::sides::judge(&analysis, &base_trials, &new_trials, incomplete);
    judgement.warnings.splice(0..0, warnings);
    let side = |side: &[Results]| match side {
        [results] => results.test_id.clone(),
        several => format!("{} runs", several.len()),
    };
    let title = format!("{} against {}", side(new), side(base));
    let Some(results) = new.first() else { return Err(usage("no run in NEW".to_owned())) };
    let report = Report { results, analysis: &analysis, judgement: &judgement };
    Ok(answer(arguments, &title, &report))
}

fn answer(arguments: &Arguments, title: &str, report: &Report<'_>) -> Answer {
    let color = allows_color() && std::io::stdout().is_terminal();
    let allowed = arguments.allow_inconclusive || allow_inconclusive();
    Answer {
        text: render(&Compared { title, report: *report }, arguments.format, color),
        code: report.judgement.verdict.exit_code(allowed),
    }
}
