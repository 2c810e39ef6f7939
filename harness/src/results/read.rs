//! [`read`]: a results file or a run directory, ours or the original framework's.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::RunDirectory;
use super::document::{Results, SCHEMA_VERSION, TrialRecord, unknown};
use super::journal::{assemble, newer};
use crate::model::Kind;

/// A file that is no results file, or cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", path.display())]
pub struct ResultsError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong and what was expected; a lower-case fragment.
    pub message: String,
}

/// Reads a `results.json`, or a run directory, where the journal is preferred: it has what a killed run read last.
///
/// # Errors
/// [`ResultsError`] for a missing, truncated or foreign file, or one of a newer version.
pub fn read(path: &Path) -> Result<Results, ResultsError> {
    let fail = |path: &Path, message: String| ResultsError { path: path.to_owned(), message };
    let text = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|error| fail(path, format!("cannot be read: {error}")))
    };
    if !path.is_dir() {
        return parse(&text(path)?).map_err(|message| fail(path, message));
    }
    let directory = RunDirectory::at(path);
    let journal = directory.journal();
    if journal.exists() {
        // A line may have been cut off within a character: that must not cost the whole journal.
        let bytes = std::fs::read(&journal)
            .map_err(|error| fail(&journal, format!("cannot be read: {error}")))?;
        let text = String::from_utf8_lossy(&bytes);
        return assemble(&text).map_err(|message| fail(&journal, message));
    }
    let file = directory.results();
    if !file.exists() {
        return Err(fail(path, "no journal and no results.json in this directory".to_owned()));
    }
    parse(&text(&file)?).map_err(|message| fail(&file, message))
}

#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    schema_version: u32,
}

/// The sentence for a text of a newer version, which may well fail on a field: say the reason, not the symptom.
pub(super) fn is_newer(text: &str) -> Option<String> {
    let version: Version = serde_json::from_str(text).ok()?;
    (version.schema_version > SCHEMA_VERSION).then(|| newer(version.schema_version))
}

/// Parses the text of a results file.
///
/// # Errors
/// A sentence with line and column of what is wrong.
pub fn parse(text: &str) -> Result<Results, String> {
    let explain = |error: serde_json::Error| {
        let at = format!("line {}, column {}", error.line(), error.column());
        match error.classify() {
            serde_json::error::Category::Eof => format!("the file is truncated at {at}"),
            serde_json::error::Category::Syntax => format!("not JSON: {error}"),
            _ => format!("not a results file: {error}"),
        }
    };
    let mut results: Results = serde_json::from_str(text)
        .map_err(|error| is_newer(text).unwrap_or_else(|| explain(error)))?;
    if results.schema_version > SCHEMA_VERSION {
        return Err(newer(results.schema_version));
    }
    if results.schema_version == 0 {
        adopt(&mut results, text);
    }
    Ok(results)
}

/// Fills in what the original framework's files say in other ways.
fn adopt(results: &mut Results, text: &str) {
    results.incomplete = results.completed_at.is_none();
    for trial in &mut results.scenarios {
        if trial.started_at == unknown() {
            trial.started_at = results.started_at;
        }
        trial.kind = trial.kind.or_else(|| kind_of(&trial.scenario_name));
    }
    if results.scenarios.iter().any(|trial| trial.kind == Some(Kind::Reset)) {
        // The one thing that typed samples cannot hold: the analysis at the end of a reset scenario.
        let tree: Value = serde_json::from_str(text).unwrap_or_default();
        for (index, trial) in results.scenarios.iter_mut().enumerate() {
            let samples = tree["scenarios"][index]["samples"].as_array();
            let found = samples.into_iter().flatten().find_map(|sample| sample.get("analysis"));
            if let Some(analysis) = found {
                trial.metadata.insert(SEED_RESET.to_owned(), analysis.clone());
            }
        }
    }
    unique_ids(&mut results.scenarios);
}

/// The key of `metadata` that holds the original framework's own reset analysis.
pub(crate) const SEED_RESET: &str = "seed_reset_analysis";

fn kind_of(name: &str) -> Option<Kind> {
    let prefixes = [
        ("baseline", Kind::Baseline),
        ("load_scaling_", Kind::Load),
        ("duration_leak_", Kind::Duration),
        ("reset_behavior", Kind::Reset),
    ];
    prefixes.into_iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, kind)| kind)
}

/// Names trials without an id, and tells those of one name apart: by their parameters where these differ, and by
/// `::r=N` where they do not.
fn unique_ids(trials: &mut [TrialRecord]) {
    for index in 0..trials.len() {
        if !trials[index].id.is_empty() {
            continue;
        }
        let (name, params) = (&trials[index].scenario_name, &trials[index].scenario_params);
        let same_name = |trial: &&TrialRecord| trial.scenario_name == *name;
        let differ = trials.iter().filter(same_name).any(|trial| trial.scenario_params != *params);
        let before = trials[..index].iter().filter(same_name);
        let twice = before.filter(|trial| trial.scenario_params == *params).count();
        let mut id = name.clone();
        if differ && !params.is_empty() {
            id = format!("{id}::{}", shown(params));
        }
        if twice > 0 {
            id = format!("{id}::r={}", twice + 1);
            trials[index].repeat = u32::try_from(twice + 1).unwrap_or(u32::MAX);
        }
        trials[index].id = id;
    }
}

/// `k=v,k=v`, as in the ids of our own files.
fn shown(params: &Map<String, Value>) -> String {
    let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let shown: Vec<String> = params.iter().map(|(k, v)| format!("{k}={}", value(v))).collect();
    shown.join(",")
}
