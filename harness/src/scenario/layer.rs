//! [`Layer`]: one source of keys, and the merging of several.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::error::{ScenarioError, explain};
use super::file::ScenarioFile;

/// A text with its name in messages.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// Some of the keys of a scenario, and where they stand.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    source: Arc<Source>,
    prefix: Vec<String>,
    pub(crate) table: toml::Table,
}

impl Layer {
    /// A whole text, checked against the keys and types of a scenario file.
    pub(crate) fn parse(path: &Path, text: String) -> Result<Self, ScenarioError> {
        let _: ScenarioFile = typed(path, &text)?;
        Self::unchecked(path, text)
    }

    /// A whole text of which the caller has checked the keys.
    pub(crate) fn unchecked(path: &Path, text: String) -> Result<Self, ScenarioError> {
        let table = typed(path, &text)?;
        let source = Arc::new(Source { path: path.to_owned(), text });
        let layer = Self { source, prefix: Vec::new(), table };
        for name in layer.profiles() {
            if layer.profile(&name).table.contains_key("profile") {
                let path = ["profile", &name, "profile"];
                return Err(error_at(
                    std::slice::from_ref(&layer),
                    &path,
                    "a profile has no profiles",
                ));
            }
        }
        Ok(layer)
    }

    /// The keys of one profile; empty where it has none of that name.
    pub(crate) fn profile(&self, name: &str) -> Self {
        let table = self.table.get("profile").and_then(|profiles| profiles.get(name));
        Self {
            source: Arc::clone(&self.source),
            prefix: vec!["profile".to_owned(), name.to_owned()],
            table: table.and_then(toml::Value::as_table).cloned().unwrap_or_default(),
        }
    }

    /// The names of its profiles.
    pub(crate) fn profiles(&self) -> Vec<String> {
        let profiles = self.table.get("profile").and_then(toml::Value::as_table);
        profiles.map(|table| table.keys().cloned().collect()).unwrap_or_default()
    }

    /// Leaves out the parts of `target` and `driver` for which `keep` has no table: a default for a target must not
    /// ask for that target.
    pub(crate) fn only_parts_of(mut self, keep: &[&Self]) -> Self {
        for part in ["target", "driver"] {
            if let Some(toml::Value::Table(table)) = self.table.get_mut(part) {
                table.retain(|name, _| {
                    keep.iter()
                        .any(|layer| layer.table.get(part).is_some_and(|t| t.get(name).is_some()))
                });
                if table.is_empty() {
                    self.table.remove(part);
                }
            }
        }
        self
    }

    /// An error of the whole text.
    pub(crate) fn whole(&self, message: &str) -> ScenarioError {
        ScenarioError::plain(&self.source.path, message)
    }

    /// Where the key stands in the text, if this layer has it.
    pub(super) fn find(&self, path: &[&str]) -> Option<Range<usize>> {
        // A text may say more than the layer took from it.
        path.iter().try_fold(None, |value: Option<&toml::Value>, key| {
            Some(Some(match value {
                None => self.table.get(*key)?,
                Some(toml::Value::Array(items)) => items.get(key.parse::<usize>().ok()?)?,
                Some(value) => value.get(*key)?,
            }))
        })?;
        let document = DeTable::parse(&self.source.text).ok()?;
        let mut path = self.prefix.iter().map(String::as_str).chain(path.iter().copied());
        let mut value = entry(document.get_ref(), path.next()?)?;
        for key in path {
            value = match value.get_ref() {
                DeValue::Table(table) => entry(table, key)?,
                DeValue::Array(items) => items.get(key.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(value.span())
    }
}

fn entry<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<&'a toml::Spanned<DeValue<'i>>> {
    table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
}

/// Parses a text into a type; an error points at the key and names the nearest known one.
pub(crate) fn typed<T: serde::de::DeserializeOwned>(
    path: &Path,
    text: &str,
) -> Result<T, ScenarioError> {
    toml::from_str(text).map_err(|error| {
        let message = explain(error.message());
        ScenarioError::at(path, text, error.span().unwrap_or(0..0), message)
    })
}

/// Merges layers, from the weakest to the strongest: tables key by key, everything else whole. Of `duration.minutes`
/// and `duration.phases`, which say the same thing in two ways, the stronger replaces the other.
pub(crate) fn merge(layers: &[Layer]) -> toml::Table {
    let mut merged = toml::Table::new();
    for layer in layers {
        let says = |key| layer.table.get("duration").is_some_and(|d| d.get(key).is_some());
        if let Some(toml::Value::Table(duration)) = merged.get_mut("duration") {
            match (says("minutes"), says("phases")) {
                (true, false) => drop(duration.remove("phases")),
                (false, true) => {
                    duration.insert("minutes".to_owned(), toml::Value::Array(Vec::new()));
                }
                _ => {}
            }
        }
        overlay(&mut merged, &layer.table);
    }
    merged.remove("profile");
    merged
}

fn overlay(under: &mut toml::Table, over: &toml::Table) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => overlay(under, over),
            _ => {
                under.insert(key.clone(), value.clone());
            }
        }
    }
}

/// An error at the strongest layer that has the key, or a parent of it.
pub(crate) fn error_at(
    layers: &[Layer],
    path: &[&str],
    message: impl Into<String>,
) -> ScenarioError {
    let message = message.into();
    for depth in (1..=path.len()).rev() {
        for layer in layers.iter().rev() {
            if let Some(span) = layer.find(&path[..depth]) {
                return ScenarioError::at(&layer.source.path, &layer.source.text, span, message);
            }
        }
    }
    // The strongest profile is the scenario's own; above it is only the environment.
    let own = layers.iter().rev().find(|layer| !layer.prefix.is_empty()).or(layers.last());
    ScenarioError::plain(own.map_or(Path::new("scenario"), |layer| &layer.source.path), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(text: &str) -> Layer {
        Layer::parse(Path::new("s.toml"), text.to_owned()).unwrap()
    }

    #[test]
    fn tables_are_merged_by_key_and_lists_whole() {
        let weak =
            layer("sample = { interval = \"2s\", length = \"60s\" }\nload.levels = [1, 2, 3]");
        let strong = layer("sample.length = \"9s\"\nload.levels = [7]");
        let merged = merge(&[weak, strong]);
        assert_eq!(merged["sample"]["interval"].as_str(), Some("2s"));
        assert_eq!(merged["sample"]["length"].as_str(), Some("9s"));
        assert_eq!(merged["load"]["levels"].as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn an_unknown_key_is_refused_with_line_and_nearest_key() {
        let text = "kind = \"load\"\n[sample]\nlenght = \"1s\"\n";
        let error = Layer::parse(Path::new("s.toml"), text.to_owned()).unwrap_err();
        assert_eq!(error.line, Some(3));
        assert!(
            error.message.starts_with("unknown key `lenght`; did you mean \"length\"?"),
            "{error}"
        );
        assert!(error.message.contains("interval"), "{error}");
    }

    #[test]
    fn a_wrong_unit_is_refused_with_what_was_expected() {
        let error = Layer::parse(Path::new("s.toml"), "[sample]\nlength = \"9 apples\"".to_owned())
            .unwrap_err();
        assert_eq!(error.line, Some(2));
        assert!(error.message.contains("expected a duration such as"), "{error}");
    }

    #[test]
    fn an_error_points_at_the_strongest_layer_that_has_the_key() {
        let weak = layer("load.levels = [1]");
        let strong = layer("\n\nload.levels = []");
        assert_eq!(error_at(&[weak.clone(), strong], &["load", "levels"], "empty").line, Some(3));
        let profile = layer("[profile.quick.load]\nlevels = []").profile("quick");
        assert_eq!(error_at(&[weak, profile], &["load", "levels"], "empty").line, Some(2));
    }
}
