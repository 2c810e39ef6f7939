//! `init`: gives a package its first scenario and the test that runs it, and never touches what is already there.

mod manifest;

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use self::manifest::{Manifest, Stanza};
use super::{Answer, Failure};

/// The arguments of `init`.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The directory of the package, which holds its Cargo.toml
    #[arg(value_name = "DIR", default_value = ".")]
    pub directory: PathBuf,
    /// Also write a job that gates merges on the verdict
    #[arg(long, value_name = "SERVICE")]
    pub ci: Option<Ci>,
    /// Overwrite files that exist
    #[arg(long)]
    pub force: bool,
}

/// Who runs the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Ci {
    /// .github/workflows/perf.yml
    Github,
}

const SCENARIO: &str = include_str!("init/baseline.toml");
const TEST: &str = include_str!("init/perf.txt");
const GITHUB: &str = include_str!("init/github.yml");

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    let directory = &arguments.directory;
    let manifest = Manifest::read(&directory.join("Cargo.toml"))?;
    let mut text = String::new();
    let program = format!("{}target/release/{}", to_workspace(directory), manifest.package);
    let scenario = SCENARIO.replace("{package}", &manifest.package).replace("{program}", &program);

    let mut files = vec![("scenarios/baseline.toml", scenario), ("tests/perf.rs", TEST.to_owned())];
    if arguments.ci == Some(Ci::Github) {
        files.push((".github/workflows/perf.yml", GITHUB.to_owned()));
    }
    for (name, content) in &files {
        let done = write(&directory.join(name), content, arguments.force)?;
        say(&mut text, done, name);
    }
    say(&mut text, ignore_results(&directory.join(".gitignore"))?, ".gitignore: /results/");
    declare(&manifest, &mut text)?;
    if arguments.ci.is_some() && !directory.join(".git").exists() {
        text.push_str(
            "\nGitHub reads workflows at the root of a repository only: move .github there.\n",
        );
    }
    text.push_str(
        "\nNext: change what scenarios/baseline.toml marks with \"->\", then\n  cargo test --test perf\n",
    );
    Ok(Answer::pass(text))
}

/// What became of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    Wrote,
    Appended,
    Kept,
}

fn say(text: &mut String, done: Done, what: &str) {
    let word = match done {
        Done::Wrote => "wrote",
        Done::Appended => "appended",
        Done::Kept => "kept",
    };
    let why = if done == Done::Kept { "  (is there already)" } else { "" };
    let _ = writeln!(text, "{word:>8}  {what}{why}");
}

fn write(path: &Path, content: &str, force: bool) -> Result<Done, Failure> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
    }
    // `create_new` and not a check before: what appears in between is not ours to overwrite either.
    let file = if force { fs::File::create(path) } else { fs::File::create_new(path) };
    match file {
        Ok(mut file) => std::io::Write::write_all(&mut file, content.as_bytes())
            .map(|()| Done::Wrote)
            .map_err(|error| failed(path, &error)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Done::Kept),
        Err(error) => Err(failed(path, &error)),
    }
}

fn ignore_results(path: &Path) -> Result<Done, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(path, &error)),
    };
    if text.lines().any(|line| line.trim().trim_matches('/') == "results") {
        return Ok(Done::Kept);
    }
    append(path, &text, "/results/\n")?;
    Ok(Done::Appended)
}

/// Declares the test, and says what is left to the user.
fn declare(manifest: &Manifest, text: &mut String) -> Result<(), Failure> {
    let stanza = manifest::STANZA;
    let declared = "Cargo.toml: [[test]] perf";
    let why = match manifest.stanza() {
        Stanza::Declared => {
            say(text, Done::Kept, declared);
            "declares the test so that plain `cargo test` never starts a system"
        }
        Stanza::Missing => {
            append(&manifest.path, &manifest.text, &format!("\n{stanza}"))?;
            say(text, Done::Appended, declared);
            "declares the test so that plain `cargo test` never starts a system"
        }
        Stanza::Other => "declares a test named perf in another way; it must be",
        Stanza::CannotAppend => "has its tests in one inline list; add to it",
    };
    let _ = write!(text, "\n{} {why}:\n\n{stanza}", manifest.path.display());
    if !manifest.depends {
        let _ = write!(
            text,
            "\nAdd the dependency with `cargo add --dev proofload`, or by hand:\n\n{}",
            manifest::dependency()
        );
    }
    Ok(())
}

fn append(path: &Path, text: &str, addition: &str) -> Result<(), Failure> {
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let addition = if text.is_empty() { addition.trim_start() } else { addition };
    let open = fs::OpenOptions::new().append(true).create(true).open(path);
    open.and_then(|mut file| {
        std::io::Write::write_all(&mut file, format!("{gap}{addition}").as_bytes())
    })
    .map_err(|error| failed(path, &error))
}

/// The way from a package to the directory that cargo builds in: `../` for every level below the workspace root.
fn to_workspace(directory: &Path) -> String {
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let is_root = |path: &Path| {
        let manifest = fs::read_to_string(path.join("Cargo.toml")).unwrap_or_default();
        toml::from_str::<toml::Table>(&manifest).is_ok_and(|table| table.contains_key("workspace"))
    };
    let levels = directory.ancestors().position(is_root).unwrap_or(0);
    "../".repeat(levels)
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::rig(format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
