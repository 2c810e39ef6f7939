//! `history`: where the level of a metric changed over many runs.

use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::percent::percent;
use super::{Answer, Failure, analyze};
use crate::analysis::change_points::Method;
use crate::analysis::history::{Contribution, History, assemble, changes, contribution};
use crate::gate::{acks, history};
use crate::model::Better;
use crate::report::Format;
use crate::report::history::{export, render};
use crate::results;
use crate::suite::environment::allow_inconclusive;

/// The arguments of `history`.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// A directory of runs, such as results; files named results*.json or in directories below count too
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// How a change of level is found
    #[arg(long, value_parser = methods(), default_value = Method::EDivisive.as_str())]
    pub method: Method,
    /// The smallest change that counts
    #[arg(long, value_name = "PERCENT", default_value = "2%", value_parser = smallest)]
    pub min_effect: f64,
    /// Only trials whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub trial: Option<String>,
    /// Known changes that are accepted until a day [default: acks.toml beside DIR, where it exists]
    #[arg(long, value_name = "FILE")]
    pub acks: Option<PathBuf>,
    /// How to print what was found
    #[arg(long, value_parser = analyze::formats(), default_value = Format::Text.as_str())]
    pub format: Format,
    /// Also write the values for another program, to --out
    #[arg(long, value_parser = Export::WORDS.map(|word| word.0), requires = "out")]
    pub export: Option<String>,
    /// Where to; github-action-benchmark gets NAME.smaller.EXT and NAME.bigger.EXT, one per direction
    #[arg(long, value_name = "FILE", requires = "export")]
    pub out: Option<PathBuf>,
    /// Exit with 0 where there are too few runs
    #[arg(long)]
    pub allow_inconclusive: bool,
}

fn methods() -> impl TypedValueParser<Value = Method> {
    PossibleValuesParser::new(Method::ALL.map(Method::as_str))
        .try_map(|word| Method::parse(&word).ok_or("no such method"))
}

fn smallest(text: &str) -> Result<f64, String> {
    percent(text).ok_or_else(|| format!("expected a share, such as 2% or 2, found {text:?}"))
}

/// A form of another program.
#[derive(Clone, Copy)]
enum Export {
    Bencher,
    GithubActionBenchmark,
    Otava,
}

impl Export {
    const WORDS: [(&'static str, Self); 3] = [
        ("bencher", Self::Bencher),
        ("github-action-benchmark", Self::GithubActionBenchmark),
        ("otava", Self::Otava),
    ];
}

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    let usage = |message: String| Failure::usage(format!("error: {message}"));
    let directory = &arguments.directory;
    let (contributions, mut notes) = collect(directory).map_err(usage)?;
    if contributions.is_empty() {
        let message =
            "expected runs: directories with a journal.jsonl or a results.json, found none";
        return Err(usage(format!("{}: {message}", directory.display())));
    }
    let mut whole = assemble(contributions);
    if let Some(part) = &arguments.trial {
        whole.series.retain(|series| series.trial.contains(part));
        if whole.series.is_empty() {
            return Err(usage(format!(
                "{}: no trial has {part:?} in its name",
                directory.display()
            )));
        }
    }
    let acks = acknowledged(arguments).map_err(usage)?;
    let smallest = arguments.min_effect;
    let changes = changes(&whole, arguments.method, smallest);
    let today = jiff::Zoned::now().date();
    let mut judgement = history::judge(&whole, &changes, arguments.method, smallest, &acks, today);
    if let (Some(word), Some(out)) = (&arguments.export, &arguments.out) {
        let form = Export::WORDS.into_iter().find(|(known, _)| known == word);
        if let Some((_, form)) = form {
            notes.extend(write(&whole, form, out)?);
        }
    }
    judgement.notes.extend(whole.left_out.iter().cloned());
    judgement.notes.extend(notes);
    let allowed = arguments.allow_inconclusive || allow_inconclusive();
    Ok(Answer {
        text: render(&whole, &judgement, arguments.format),
        code: judgement.verdict.exit_code(allowed),
    })
}

/// Every run below a directory, and what was passed over. `latest` is another name of a run and is not followed.
fn collect(directory: &Path) -> Result<(Vec<Contribution>, Vec<String>), String> {
    let failed = |error| format!("{}: cannot be read: {error}", directory.display());
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_file = name.ends_with(".json") && path.is_file();
        let is_run = path.is_dir()
            && ["journal.jsonl", "results.json"].iter().any(|file| path.join(file).exists());
        if !path.is_symlink() && (is_run || is_file && name.starts_with("results")) {
            paths.push(path);
        }
    }
    paths.sort();
    let (mut contributions, mut notes) = (Vec::new(), Vec::new());
    // One at a time: a run's samples are let go before the next one is read.
    for path in paths {
        match results::read(&path) {
            Ok(results) => contributions.push(contribution(&results)),
            Err(error) => notes.push(format!("passed over: {error}")),
        }
    }
    Ok((contributions, notes))
}

fn acknowledged(arguments: &Arguments) -> Result<Vec<acks::Ack>, String> {
    let path = match &arguments.acks {
        Some(path) => path.clone(),
        None => {
            let directory = fs::canonicalize(&arguments.directory)
                .unwrap_or_else(|_| arguments.directory.clone());
            let beside = directory.parent().unwrap_or(&directory).join("acks.toml");
            if !beside.exists() {
                return Ok(Vec::new());
            }
            beside
        }
    };
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    acks::parse(&text).map_err(|error| format!("{}:{error}", path.display()))
}

/// Writes an export; returns what to say of it.
fn write(history: &History, form: Export, out: &Path) -> Result<Vec<String>, Failure> {
    let write = |path: &Path, text: String| {
        fs::write(path, text)
            .map_err(|error| Failure::rig(format!("cannot write {}: {error}", path.display())))
    };
    let mut notes = Vec::new();
    match form {
        Export::Bencher => {
            write(out, export::bencher(history))?;
            notes.push(format!("{}: the last run, for bencher run --adapter json", out.display()));
        }
        Export::Otava => {
            let (text, gaps) = export::otava(history);
            write(out, text)?;
            notes.push(format!(
                "{}: all runs, with time_column: time and attributes: [run, commit]",
                out.display()
            ));
            if !gaps.is_empty() {
                notes.push(format!(
                    "not in it, having no value in some runs (--trial selects runs too): {}",
                    gaps.join(", ")
                ));
            }
        }
        Export::GithubActionBenchmark => {
            for (better, part, tool) in [
                (Better::Lower, "smaller", "customSmallerIsBetter"),
                (Better::Higher, "bigger", "customBiggerIsBetter"),
            ] {
                let extension = out.extension().unwrap_or("json".as_ref()).to_string_lossy();
                let path = out.with_extension(format!("{part}.{extension}"));
                let Some(text) = export::github_action_benchmark(history, better) else { continue };
                write(&path, text)?;
                notes.push(format!("{}: the last run, for tool: {tool}", path.display()));
            }
        }
    }
    Ok(notes)
}
