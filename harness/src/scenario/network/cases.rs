//! [`Cases`]: `<env>-cases.json`, the cases that a template expands to.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::yaml::Ordered;
use crate::model::Param;
use crate::scenario::ScenarioError;

/// Every case of an environment. The format is that of the framework that Proofload succeeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    /// What they are of.
    pub metadata: Metadata,
    /// In the order of the template.
    pub test_cases: Vec<Case>,
}

/// What cases are of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The environment's name, with which its files begin.
    pub environment: String,
    /// How many they are.
    pub total_cases: usize,
}

/// One tool with one choice of its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// From 1, in the order of the template.
    pub id: u32,
    /// The script without its extension, and the parameters.
    pub name: String,
    /// A line for the node's shell.
    pub command: String,
    /// The script's file name.
    pub script: String,
    /// The category, which is also the script's directory.
    pub category: String,
    /// `host` or `vm`.
    pub environment: String,
    /// The chosen parameters, the direction last.
    pub parameters: Ordered<Param>,
    /// In seconds.
    pub duration: i64,
}

impl Cases {
    /// Cases of an environment.
    #[must_use]
    pub fn new(environment: &str, test_cases: Vec<Case>) -> Self {
        let metadata =
            Metadata { environment: environment.to_owned(), total_cases: test_cases.len() };
        Self { metadata, test_cases }
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// [`ScenarioError`] with the line.
    pub fn read(path: &Path, text: &str) -> Result<Self, ScenarioError> {
        serde_json::from_str(text).map_err(|error| {
            let line = error.line().saturating_sub(1);
            let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
            let at = start + error.column().saturating_sub(1);
            ScenarioError::at(path, text, at..at + 1, error.to_string())
        })
    }

    /// The text of its file.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Refuses cases that are not those that the configuration expands to now.
    ///
    /// # Errors
    /// [`ScenarioError`] that names the first case that differs, and says to run bootstrap again.
    pub fn is_current(&self, fresh: &Self, path: &Path) -> Result<(), ScenarioError> {
        if self == fresh {
            return Ok(());
        }
        let mut pairs = self.test_cases.iter().zip(&fresh.test_cases);
        let differs = pairs.find(|(old, new)| old != new).map(|(old, _)| &old.name);
        let what = match differs {
            Some(name) => format!("case {name:?} is not what the tools expand to now"),
            None => format!(
                "it has {} cases, and the tools expand to {}",
                self.test_cases.len(),
                fresh.test_cases.len()
            ),
        };
        Err(ScenarioError::plain(path, format!("{what}: run `cargo xtask bootstrap` again")))
    }
}
