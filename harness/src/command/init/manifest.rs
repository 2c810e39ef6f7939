//! [`Manifest`]: what `init` has to know of a package's Cargo.toml.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::super::Failure;

/// What declares the test.
pub(super) const STANZA: &str = "\
[[test]]
name = \"perf\"
harness = false   # libtest-mimic runs it
test = false      # plain `cargo test` never starts a system
";

/// What makes the library available to it.
pub(super) fn dependency() -> String {
    format!("[dev-dependencies]\nproofload = \"{}\"\n", env!("CARGO_PKG_VERSION"))
}

/// A package's Cargo.toml.
pub(super) struct Manifest {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// The package's name.
    pub(super) package: String,
    /// True where the tests can use the library.
    pub(super) depends: bool,
    table: Table,
}

/// How the test is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stanza {
    /// As it must be.
    Declared,
    /// Not at all, and [`STANZA`] can be appended.
    Missing,
    /// Not at all, and nothing can be appended: `test = [...]` is closed.
    CannotAppend,
    /// With the standard harness, or so that plain `cargo test` runs it.
    Other,
}

impl Manifest {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let text = fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("error: no package here: {shown}: {error}")))?;
        let table: Table = toml::from_str(&text)
            .map_err(|error| Failure::usage(format!("error: {shown}: {error}")))?;
        let package =
            table.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
        let package = package.map(str::to_owned).ok_or_else(|| {
            Failure::usage(format!(
                "error: {shown} has no [package]; tests belong to a package: name the directory of one"
            ))
        })?;
        let depends = ["dependencies", "dev-dependencies"]
            .iter()
            .any(|kind| table.get(*kind).and_then(|list| list.get("proofload")).is_some());
        Ok(Self { path: path.to_owned(), text, package, depends, table })
    }

    pub(super) fn stanza(&self) -> Stanza {
        let tests = self.table.get("test").and_then(Value::as_array);
        let perf = tests
            .into_iter()
            .flatten()
            .find(|test| test.get("name").and_then(Value::as_str) == Some("perf"));
        match perf {
            Some(perf) => {
                let off = |key| perf.get(key).and_then(Value::as_bool) == Some(false);
                if off("harness") && off("test") { Stanza::Declared } else { Stanza::Other }
            }
            None => {
                let appended = format!("{}\n{STANZA}", self.text);
                if toml::from_str::<Table>(&appended).is_ok() {
                    Stanza::Missing
                } else {
                    Stanza::CannotAppend
                }
            }
        }
    }
}
