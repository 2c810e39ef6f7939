//! Placeholders in scenario strings: `{name}` is replaced, every other brace is literal, `{{` escapes.
//!
//! A name is an identifier. `${name}` is left alone, as shells and Compose spell their own variables so;
//! `${env:NAME}` is a secret, which only the part that uses it reads from the environment.

/// A placeholder whose name is not among the known ones.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown placeholder {{{name}}}: {}", expected(.known))]
pub struct UnknownName {
    /// The name that was written.
    pub name: String,
    /// The names that can be used there.
    pub known: Vec<String>,
}

fn expected(names: &[String]) -> String {
    if names.is_empty() {
        return "no placeholder can be used here; write {{ for a literal brace".to_owned();
    }
    let names: Vec<String> = names.iter().map(|name| format!("{{{name}}}")).collect();
    format!("expected {}; write {{{{ for a literal brace", names.join(", "))
}

enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(at) = rest[from..].find('{').map(|at| from + at) {
        let after = &rest[at + 1..];
        if let Some(escaped) = after.strip_prefix('{') {
            pieces.push(Piece::Text(&rest[..=at]));
            rest = escaped;
            from = 0;
            continue;
        }
        let end =
            after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
        let is_name = end > 0
            && after[end..].starts_with('}')
            && !after.starts_with(|c: char| c.is_ascii_digit())
            && !rest[..at].ends_with('$');
        if is_name {
            pieces.push(Piece::Text(&rest[..at]));
            pieces.push(Piece::Name(&after[..end]));
            rest = &after[end + 1..];
            from = 0;
        } else {
            from = at + 1;
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// Replaces every `{name}` by what `value` says of it.
///
/// # Errors
/// [`UnknownName`] for a name that `value` does not know; `known` lists those it does, for the message.
pub fn render(
    text: &str,
    known: &[&str],
    value: impl Fn(&str) -> Option<String>,
) -> Result<String, UnknownName> {
    let mut rendered = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => rendered.push_str(text),
            Piece::Name(name) => rendered.push_str(&value(name).ok_or_else(|| UnknownName {
                name: name.to_owned(),
                known: known.iter().map(|&name| name.to_owned()).collect(),
            })?),
        }
    }
    Ok(rendered)
}

/// Escapes nothing and replaces only the names in `value`; the others stay as placeholders for a later [`render`].
#[must_use]
pub fn render_some(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut rendered = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => {
                rendered.push_str(text);
                if text.ends_with('{') {
                    rendered.push('{');
                }
            }
            Piece::Name(name) => match value(name) {
                Some(value) => rendered.push_str(&value),
                None => {
                    rendered.push('{');
                    rendered.push_str(name);
                    rendered.push('}');
                }
            },
        }
    }
    rendered
}

/// True where `{name}` would be a placeholder.
#[must_use]
pub fn is_name(name: &str) -> bool {
    names(&format!("{{{name}}}")) == [name]
}

/// The placeholder names in a text, in order.
#[must_use]
pub fn names(text: &str) -> Vec<&str> {
    pieces(text)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Name(name) => Some(name),
            Piece::Text(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let value = |name: &str| match name {
            "count" => Some("40".to_owned()),
            "group" => Some("riders".to_owned()),
            _ => None,
        };
        let rendered = render(text, &["count", "group"], value);
        assert_eq!(rendered.as_deref().map_err(|error| error.name.as_str()), expected, "{text}");
    }

    #[test]
    fn names_are_replaced_and_other_braces_are_literal() {
        check("/agents/{group}", Ok("/agents/riders"));
        check(r#"{"count": {count}}"#, Ok(r#"{"count": 40}"#));
        check("{}", Ok("{}"));
        check("{ count }", Ok("{ count }"));
        check("{1}", Ok("{1}"));
        check("{{count}", Ok("{count}"));
        check("{{{count}}", Ok("{40}"));
        check("${HOME} ${env:KEY}", Ok("${HOME} ${env:KEY}"));
        check("{count", Ok("{count"));
        check("é{count}é", Ok("é40é"));
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        check("{cuont}", Err("cuont"));
        let error = render("{cuont}", &["count"], |_| None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown placeholder {cuont}: expected {count}; write {{ for a literal brace"
        );
    }

    #[test]
    fn a_partial_rendering_keeps_the_other_names_and_escapes_for_later() {
        let some = |text: &str| render_some(text, |name| (name == "a").then(|| "1".to_owned()));
        assert_eq!(some("{a}/{count}/{{x}"), "1/{count}/{{x}");
    }

    proptest::proptest! {
        #[test]
        fn text_without_braces_is_unchanged(text in "[^{]*") {
            proptest::prop_assert_eq!(render(&text, &[], |_| None), Ok(text));
        }
    }
}
