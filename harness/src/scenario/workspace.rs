//! [`Workspace`]: the directories, the profile and the keys that hold for every scenario of a repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::DEFAULTS;
use super::error::{ScenarioError, hint};
use super::file::ScenarioFile;
use super::layer::{Layer, typed};
use crate::model::quantity::Length;

/// `proofload.toml` at the workspace root. Every key is optional.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceFile {
    /// Directory of the scenario files; `scenarios` by default.
    pub scenarios: Option<PathBuf>,
    /// Directory of the results; `results` by default.
    pub results: Option<PathBuf>,
    /// How many runs are kept; 20 by default. Older ones are removed at the start of a run.
    pub keep: Option<usize>,
    /// The file that keeps two runs on one machine apart; `/tmp/proofload.lock` by default.
    pub lock: Option<PathBuf>,
    /// How long to wait for another run on this machine to end; `30m` by default.
    pub lock_within: Option<Length>,
    /// Keys of all scenarios, by profile.
    pub profile: Option<BTreeMap<String, ScenarioFile>>,
}

/// A repository that has scenarios.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Where relative paths start.
    pub root: PathBuf,
    /// The chosen profile.
    pub profile: String,
    /// Directory of the scenario files.
    pub scenarios: PathBuf,
    /// Directory of the results.
    pub results: PathBuf,
    /// How many runs are kept.
    pub keep: usize,
    /// The file that keeps two runs on one machine apart.
    pub lock: PathBuf,
    /// How long to wait for another run on this machine to end.
    pub lock_within: Length,
    pub(super) layers: WorkspaceLayers,
}

#[derive(Clone, Debug)]
pub(super) struct WorkspaceLayers {
    pub(super) weak: Vec<Layer>,
    pub(super) profiles: Vec<String>,
    pub(super) environment: Layer,
}

impl Workspace {
    /// Reads `proofload.toml`, if there is one, and the variables `PROOFLOAD_PROFILE`, `PROOFLOAD_SCENARIOS`,
    /// `PROOFLOAD_RESULTS` and `PROOFLOAD__<TABLE>__<KEY>` of `environment`.
    ///
    /// # Errors
    /// [`ScenarioError`] for an unknown key, a wrong type or a profile that nobody defines.
    pub fn open(
        root: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ScenarioError> {
        let environment: BTreeMap<String, String> = environment.into_iter().collect();
        let (file, own_layer) = read(root)?;
        let defaults = Layer::parse(Path::new("defaults.toml"), DEFAULTS.to_owned())?;

        let profile = environment.get("PROOFLOAD_PROFILE").filter(|name| !name.is_empty());
        let profile = profile.cloned().unwrap_or_else(|| "quick".to_owned());
        let mut known = defaults.profiles();
        known.extend(own_layer.profiles());
        known.sort();
        known.dedup();
        if !known.contains(&profile) {
            let suggestion = hint(&profile, known.iter().map(String::as_str));
            return Err(ScenarioError::plain(
                Path::new("PROOFLOAD_PROFILE"),
                format!("unknown profile {profile:?}{suggestion}: expected {}", known.join(", ")),
            ));
        }

        let directory = |variable: &str, key: Option<PathBuf>, default: &str| {
            let chosen =
                environment.get(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
            root.join(chosen.or(key).unwrap_or_else(|| default.into()))
        };
        Ok(Self {
            root: root.to_owned(),
            scenarios: directory("PROOFLOAD_SCENARIOS", file.scenarios, "scenarios"),
            results: directory("PROOFLOAD_RESULTS", file.results, "results"),
            keep: file.keep.unwrap_or(20),
            lock: root.join(file.lock.unwrap_or_else(|| "/tmp/proofload.lock".into())),
            lock_within: file.lock_within.unwrap_or(Length(std::time::Duration::from_secs(1800))),
            layers: WorkspaceLayers {
                weak: vec![
                    defaults.clone(),
                    defaults.profile(&profile),
                    own_layer.profile(&profile),
                ],
                profiles: known,
                environment: overrides(&environment)?,
            },
            profile,
        })
    }

    /// A path as messages show it: relative to the root where it lies below.
    #[must_use]
    pub fn shown(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }
}

fn read(root: &Path) -> Result<(WorkspaceFile, Layer), ScenarioError> {
    let path = root.join("proofload.toml");
    let shown = Path::new("proofload.toml");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(ScenarioError::plain(&path, format!("cannot be read: {error}"))),
    };
    let file: WorkspaceFile = typed(shown, &text)?;
    Ok((file, Layer::unchecked(shown, text)?))
}

/// `PROOFLOAD__SAMPLE__LENGTH="30s"` becomes `sample.length = "30s"`. A value that is not TOML is taken as a string.
fn overrides(environment: &BTreeMap<String, String>) -> Result<Layer, ScenarioError> {
    let mut text = String::new();
    for (name, value) in environment {
        let Some(path) = name.strip_prefix("PROOFLOAD__") else { continue };
        if path.to_ascii_lowercase().starts_with("profile__") {
            let message = "this variable overrides a profile: choose a profile with PROOFLOAD_PROFILE, and override its keys, for example PROOFLOAD__REPEAT";
            return Err(ScenarioError::plain(Path::new(name), message));
        }
        let key: Vec<String> =
            path.split("__").map(|part| format!("\"{}\"", part.to_ascii_lowercase())).collect();
        let value = if toml::from_str::<toml::Table>(&format!("v = {value}")).is_ok() {
            value.clone()
        } else {
            toml::Value::String(value.clone()).to_string()
        };
        text.push_str(&format!("{} = {value}\n", key.join(".")));
    }
    Layer::parse(Path::new("environment variables PROOFLOAD__*"), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(file: &str, environment: &[(&str, &str)]) -> Result<Workspace, ScenarioError> {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("proofload.toml"), file).unwrap();
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Workspace::open(root.path(), environment)
    }

    #[test]
    fn quick_is_the_default_profile() {
        assert_eq!(open("", &[]).unwrap().profile, "quick");
        assert_eq!(open("", &[("PROOFLOAD_PROFILE", "seed")]).unwrap().profile, "seed");
    }

    #[test]
    fn a_profile_of_the_workspace_file_can_be_chosen_and_a_mistyped_one_is_refused() {
        let file = "[profile.nightly]\nsample.length = \"2m\"";
        assert!(open(file, &[("PROOFLOAD_PROFILE", "nightly")]).is_ok());
        let error = open(file, &[("PROOFLOAD_PROFILE", "qick")]).unwrap_err();
        assert!(error.message.contains("did you mean \"quick\"?"), "{error}");
    }

    #[test]
    fn an_override_of_an_unknown_key_is_refused() {
        let error = open("", &[("PROOFLOAD__SAMPLE__LENGHT", "\"1s\"")]).unwrap_err();
        assert!(error.message.contains("did you mean \"length\"?"), "{error}");
    }

    #[test]
    fn an_unknown_key_of_the_workspace_file_is_refused_with_its_line() {
        let error = open("\nkeeep = 3", &[]).unwrap_err();
        assert_eq!(error.line, Some(2));
        assert!(error.message.contains("keep"), "{error}");
    }
}
