//! `tidy`: the rules of the tree that neither the compiler nor clippy knows. A test runs it too.
//!
//! Every rule is a function from files to [`Violation`]s, with its table and the reasons beside it.

mod doors;
mod layers;
mod readme;
mod source;
mod text;

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use self::source::Source;

/// Prints every violation; the exit code is 1 where there is one.
pub(crate) fn run(root: &Path) -> ExitCode {
    match violations(root) {
        Ok(violations) if violations.is_empty() => ExitCode::SUCCESS,
        Ok(violations) => {
            let mut out = std::io::stdout().lock();
            for violation in &violations {
                let _ = writeln!(out, "{violation}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("rig: {error}");
            ExitCode::from(4)
        }
    }
}

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    /// Relative to the root.
    file: PathBuf,
    /// From 1.
    line: usize,
    /// What is wrong and what to do.
    message: String,
}

impl Violation {
    fn new(file: &Path, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.message)
    }
}

/// A text file of the tree.
struct Page {
    /// Relative to the root.
    path: PathBuf,
    text: String,
}

fn violations(root: &Path) -> std::io::Result<Vec<Violation>> {
    let pages = pages(root)?;
    let library = source::library(&pages);
    let manifest = Path::new("harness/Cargo.toml");
    let dependencies = pages.iter().find(|page| page.path == manifest);
    let mut violations = text::check(&pages);
    violations.extend(layers::check(&library));
    violations.extend(doors::check(&library, dependencies));
    violations.extend(readme::check(&pages));
    violations.sort();
    Ok(violations)
}

/// Every file that a person writes, in order of path.
fn pages(root: &Path) -> std::io::Result<Vec<Page>> {
    const WRITTEN: [&str; 7] = ["rs", "toml", "md", "yml", "yaml", "sh", "cfg"];
    // Only at the root: `target` and `results` are modules of the library too. Recorded output is as it came.
    const NOT_OURS: [&str; 5] =
        [".git", "target", "results", "fixtures/outputs", "fixtures/results"];
    let mut pages = Vec::new();
    let mut left = vec![root.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            let relative = path.strip_prefix(root).unwrap_or(&path).to_owned();
            if NOT_OURS.iter().any(|name| relative == Path::new(name)) || path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|ext| WRITTEN.iter().any(|known| ext == *known))
            {
                pages.push(Page { path: relative, text: fs::read_to_string(&path)? });
            }
        }
    }
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::violations;

    #[test]
    fn the_tree_is_tidy() {
        let violations = violations(&crate::root()).unwrap();
        let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    }
}
