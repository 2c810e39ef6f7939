//! [`read`] and [`write()`]: the one place that knows YAML. Errors name file, line and what was expected.
//!
//! [`Ordered`] is a mapping in the order of its file, which decides about the order of cases; [`Located`] is a value that
//! remembers where it stands.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, Range};
use std::path::Path;

use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_saphyr::{Error, Location, Spanned};

use crate::scenario::error::{ScenarioError, unknown};

/// Reads a text of one document.
///
/// # Errors
/// [`ScenarioError`] at the line that is at fault: broken YAML, an unknown key, a wrong type.
pub fn read<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ScenarioError> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let span = error.location().as_ref().and_then(span);
        let message = message(&error);
        match span {
            Some(span) => ScenarioError::at(path, text, span, message),
            None => ScenarioError::plain(path, message),
        }
    })
}

/// Writes a value as a document of its own.
///
/// # Errors
/// A sentence, for a value that YAML cannot hold.
pub fn write(value: &impl Serialize) -> Result<String, String> {
    serde_saphyr::to_string(value).map_err(|error| format!("cannot be written as YAML: {error}"))
}

/// Where a location is in the text, in bytes.
fn span(location: &Location) -> Option<Range<usize>> {
    let span = location.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    Some(start..start + length)
}

/// The library's message in our words: without its own line, which is shown anyway.
fn message(error: &Error) -> String {
    match error.without_snippet() {
        Error::SerdeUnknownField { field, expected, .. } => unknown("key", field, expected),
        Error::SerdeUnknownVariant { variant, expected, .. } => unknown("value", variant, expected),
        error => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            let first = match first.strip_prefix("error: ").unwrap_or(first).split_once(": ") {
                Some((place, rest)) if place.starts_with("line ") => rest,
                _ => first,
            };
            let cut = first.rfind(" at line ").unwrap_or(first.len());
            first[..cut].trim_end_matches([',', ' ']).to_owned()
        }
    }
}

/// A value and where it stands in its file. Two are equal where their values are.
#[derive(Clone, Debug, Default)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// In bytes of the text; empty of a value that was not read.
    pub at: Range<usize>,
}

impl<T> Located<T> {
    /// A value that stands nowhere.
    pub fn nowhere(value: T) -> Self {
        Self { value, at: 0..0 }
    }
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Serialize> Serialize for Located<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { value, at: span(&referenced).unwrap_or(0..0) })
    }
}

/// A mapping in the order of its file; a name stands once.
#[derive(Clone, Debug, PartialEq)]
pub struct Ordered<V>(pub Vec<(String, V)>);

impl<V> Ordered<V> {
    /// The value of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&V> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// True where nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> FromIterator<(String, V)> for Ordered<V> {
    fn from_iter<I: IntoIterator<Item = (String, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl<V: Serialize> Serialize for Ordered<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Pairs<V> {
            type Value = Ordered<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<V>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Ordered(pairs))
            }
        }
        deserializer.deserialize_map(Pairs(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Param;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its errors are of interest")]
    struct Sample {
        version: String,
        count: u32,
    }

    fn check(text: &str, line: usize, expected: &str) {
        let error = read::<Sample>(Path::new("a.yaml"), text).unwrap_err();
        assert_eq!(error.line, Some(line), "{error}");
        assert!(error.message.contains(expected), "{error}");
        assert!(!error.message.contains("line "), "{error}");
    }

    #[test]
    fn an_error_names_the_line_and_what_was_expected() {
        check("version: a\ncuont: 1\n", 2, "unknown key `cuont`; did you mean \"count\"?");
        check("version: a\ncount: many\n", 2, "invalid");
        check("version: a\ncount: 1\ncount: 2\n", 3, "duplicate");
    }

    #[test]
    fn order_and_places_are_kept() {
        let text = "b: 1\na: [x]\nc: \"1\"\n";
        let read: Ordered<Located<serde_json::Value>> = read(Path::new("a.yaml"), text).unwrap();
        assert_eq!(read.names().collect::<Vec<_>>(), ["b", "a", "c"]);
        assert_eq!(&text[read.get("c").unwrap().at.clone()], "\"1\"");
        assert_eq!(write(&read).unwrap().lines().next(), Some("b: 1"));
    }

    #[test]
    fn a_quoted_number_is_text() {
        let read: Ordered<Param> = read(Path::new("a.yaml"), "a: 1\nb: '1'\nc: 0.5\n").unwrap();
        let kinds: Vec<&Param> = read.0.iter().map(|(_, value)| value).collect();
        let text = Param::Text("1".to_owned());
        assert_eq!(kinds, [&Param::Integer(1), &text, &Param::Number(0.5)]);
    }
}
