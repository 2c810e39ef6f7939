//! `bootstrap`: one file that a user wrote becomes the whole configuration of network cases.
//!
//! `Input` reads what the user wrote, `target::testbed::discovery` asks the nodes, `conclude` makes the files of it.
//! A configuration that is there already is replaced only by one that can be gone on with; where there is none, the full
//! file is written also when something is missing, as it says what.

mod answer;
mod compose;
mod input;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use self::input::Input;
use super::runtime::runtime;
use super::{Answer, Failure};
use crate::scenario::network::expand::expand;
use crate::scenario::network::{Cases, Expansion, Full};
use crate::target::testbed::discovery::{Discovery, Nodes, discover};

/// The arguments of `bootstrap`.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// What you wrote: nodes, test pairs, hints
    #[arg(short, long, value_name = "FILE")]
    pub input: PathBuf,
    /// Where the files are written; made if missing. The input and the template are copied there, if they are elsewhere
    #[arg(short, long, value_name = "DIR")]
    pub output_dir: PathBuf,
    /// The tools under test [default: tools-template.yaml beside the input, or one directory up]
    #[arg(long, value_name = "FILE")]
    pub tools_template: Option<PathBuf>,
    /// Ask the nodes and print what would be written
    #[arg(long)]
    pub dry_run: bool,
    /// Also print every command that was tried
    #[arg(short, long)]
    pub verbose: bool,
    /// Also print every case
    #[arg(long)]
    pub list_cases: bool,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    Text,
    /// One object, for a program: everything that was found.
    Json,
}

/// What came of it.
struct Outcome {
    full: Full,
    /// The files, with their texts; none where those that are there are better.
    files: Vec<(PathBuf, String)>,
    /// `None` where a tool needs what was not found.
    expansion: Option<Expansion>,
    discovery: Discovery,
    /// For the user, a sentence each.
    notes: Vec<String>,
    /// Why the answer is none to go on with, with the exit code.
    failure: Option<(u8, String)>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    let input = Input::read(arguments)?;
    let runtime = runtime()?;
    let nodes = Nodes::new(&input.specs());
    let subjects = input.subjects();
    let discovery = runtime.block_on(async {
        let watched = watch::Watched::new(&nodes);
        let port_type = &input.minimal.internal_port_type;
        watch::until_interrupted(&watched, discover(&watched, &subjects, port_type)).await
    })?;
    let outcome = conclude(&input, discovery, &arguments.output_dir)?;
    if !arguments.dry_run {
        write(&outcome.files)?;
    }
    for line in answer::remarks(&outcome) {
        eprintln!("{line}");
    }
    let text = match arguments.format {
        Format::Text => answer::text(arguments, &outcome),
        Format::Json => answer::json(arguments, &outcome).map_err(Failure::rig)?,
    };
    Ok(Answer { text, code: outcome.failure.map_or(0, |(code, _)| code) })
}

/// Makes the files of what was written and what was found.
fn conclude(input: &Input, discovery: Discovery, directory: &Path) -> Result<Outcome, Failure> {
    let full = compose::full(input, &discovery);
    let name = |rest: &str| directory.join(format!("{}-{rest}", full.environment));
    let text = full.to_yaml().map_err(Failure::rig)?;
    let mut files = vec![(name("full.yaml"), text)];
    files.extend(input.copies.iter().cloned());
    let mut notes: Vec<String> = input.notes(directory);
    notes.extend(discovery.notes.iter().map(|note| format!("{}: {}", note.node, note.text)));
    let mut failure = compose::obstacle(input, &full, &discovery).map(|why| (4, why));
    let expansion = match expand(&full, &input.template_path, &input.template_text) {
        Ok(expansion) => {
            notes.extend(expansion.warnings.iter().cloned());
            let cases = Cases::new(&full.environment, expansion.cases.clone());
            files.insert(1, (name("cases.json"), cases.to_json()));
            Some(expansion)
        }
        // A template that would be wrong with all facts is the user's to mend.
        Err(error) if discovery.missing.is_empty() => return Err(Failure::usage(error)),
        Err(error) => {
            let missing: Vec<String> = discovery
                .missing
                .iter()
                .map(|missing| format!("{} of {}", missing.fact, missing.node))
                .collect();
            let cases =
                format!("{error}\nno cases were made; what was not found: {}", missing.join(", "));
            let message = match failure.take() {
                Some((_, why)) => format!("{why}\n{cases}"),
                None => cases,
            };
            failure = Some((4, message));
            None
        }
    };
    let kept = name("full.yaml");
    if failure.is_some() && kept.exists() {
        notes.push(format!(
            "{} is kept as it was: what was found now cannot replace it",
            kept.display()
        ));
        files.clear();
    }
    Ok(Outcome { full, files, expansion, discovery, notes, failure })
}

/// Writes every file beside its place first, so that none of them is ever half there.
fn write(files: &[(PathBuf, String)]) -> Result<(), Failure> {
    let mut beside = Vec::new();
    let written = files
        .iter()
        .try_for_each(|(path, text)| {
            let failed = |error| (path, error);
            let directory = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(directory).map_err(failed)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let temporary = directory.join(format!(".{name}.{}", std::process::id()));
            beside.push((temporary.clone(), path));
            fs::write(&temporary, text).map_err(failed)
        })
        .and_then(|()| {
            beside.iter().try_for_each(|(temporary, path)| {
                fs::rename(temporary, path).map_err(|error| (*path, error))
            })
        });
    written.map_err(|(path, error)| {
        // Those that are in their places are no longer here.
        for (temporary, _) in &beside {
            let _ = fs::remove_file(temporary);
        }
        Failure::rig(format!("cannot write {}: {error}", path.display()))
    })
}

#[cfg(test)]
mod tests;
