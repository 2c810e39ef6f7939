//! [`ScenarioError`]: bad input, with the file, the line and what was expected.

use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A file that cannot be used as it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rendered}")]
pub struct ScenarioError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1, where one is at fault.
    pub line: Option<usize>,
    /// What is wrong and what was expected.
    pub message: String,
    rendered: String,
}

impl ScenarioError {
    /// An error of the whole file.
    #[must_use]
    pub fn plain(path: &Path, message: impl Into<String>) -> Self {
        let message = message.into();
        let rendered = format!("error: {message}\n --> {}", path.display());
        Self { path: path.to_owned(), line: None, message, rendered }
    }

    /// An error at a span of the file's text, in bytes.
    #[must_use]
    pub fn at(path: &Path, text: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        let message = message.into();
        // The renderer panics on a span that splits a character or leaves the text.
        let is_boundary = |at: &usize| text.is_char_boundary(*at);
        let start = (0..=span.start.min(text.len())).rev().find(is_boundary).unwrap_or(0);
        let end = (span.end.max(start)..text.len()).find(is_boundary).unwrap_or(text.len());
        let file = path.display().to_string();
        let snippet =
            Snippet::source(text).path(&file).annotation(AnnotationKind::Primary.span(start..end));
        let report = &[Level::ERROR.primary_title(&message).element(snippet)];
        let rendered = Renderer::plain().render(report).to_string();
        let line = text[..start].matches('\n').count() + 1;
        Self { path: path.to_owned(), line: Some(line), message, rendered }
    }
}

/// The known word nearest to a mistyped one, if one is near enough to be meant.
#[must_use]
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(word.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `; did you mean "x"?`, or nothing.
pub(crate) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|near| format!("; did you mean {near:?}?")).unwrap_or_default()
}

/// Turns serde's "unknown field" and "unknown variant" into our words, with a suggestion.
pub(crate) fn explain(message: &str) -> String {
    let (what, rest) = if let Some(rest) = message.strip_prefix("unknown field `") {
        ("key", rest)
    } else if let Some(rest) = message.strip_prefix("unknown variant `") {
        ("value", rest)
    } else {
        return message.to_owned();
    };
    let mut words = rest.split('`').step_by(2);
    let unknown = words.next().unwrap_or_default();
    let known: Vec<&str> = words.collect();
    let suggestion = hint(unknown, known.iter().copied());
    format!("unknown {what} `{unknown}`{suggestion} (expected one of {})", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_file_line_and_text() {
        let error =
            ScenarioError::at(Path::new("a.toml"), "kind = 1\nlod = 2\n", 9..12, "unknown key");
        assert_eq!(error.line, Some(2));
        assert!(error.to_string().contains("a.toml:2:1"), "{error}");
        assert!(error.to_string().contains("lod = 2"), "{error}");
    }

    #[test]
    fn only_a_near_word_is_suggested() {
        assert_eq!(nearest("lenght", ["interval", "length"]), Some("length"));
        assert_eq!(nearest("xyz", ["interval", "length"]), None);
    }

    proptest::proptest! {
        #[test]
        fn any_span_of_any_text_can_be_shown(text in "\\PC{0,40}", start in 0_usize..60, length in 0_usize..9) {
            let error = ScenarioError::at(Path::new("x"), &text, start..start + length, "m");
            proptest::prop_assert!(error.to_string().contains('m'));
        }
    }
}
