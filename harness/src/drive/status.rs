//! The number of live agents in a status answer: [`live`]. Text in, number out.

use serde_json::Value;

/// What a JSON pointer finds in `text`: a number, or the length of an array.
///
/// The error is a fragment that says what is there instead.
pub(super) fn live(text: &str, pointer: &str) -> Result<u64, String> {
    let document: Value =
        serde_json::from_str(text).map_err(|error| format!("is not JSON ({error})"))?;
    let found = document
        .pointer(pointer)
        .ok_or_else(|| format!("has nothing at {pointer:?}: {}", nearest(&document, pointer)))?;
    let number = match found {
        Value::Array(agents) => u64::try_from(agents.len()).ok(),
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        _ => None,
    };
    number.ok_or_else(|| {
        format!("has {} at {pointer:?}, expected a whole number or an array", describe(found))
    })
}

/// Some languages write every number with a fraction.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole and small"
)]
fn whole(number: f64) -> Option<u64> {
    (number >= 0.0 && number.fract() == 0.0 && number <= 1e15).then_some(number as u64)
}

/// What the deepest part of the pointer that exists has to offer.
fn nearest(document: &Value, pointer: &str) -> String {
    if !pointer.starts_with('/') {
        return "a JSON pointer begins with a slash".to_owned();
    }
    let ends = pointer.rmatch_indices('/').map(|(at, _)| &pointer[..at]);
    let found = ends.into_iter().find_map(|part| Some((part, document.pointer(part)?)));
    let (part, value) = found.unwrap_or(("", document));
    let place = if part.is_empty() { "it".to_owned() } else { format!("{part:?}") };
    format!("{place} is {}", describe(value))
}

fn describe(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "an object without keys".to_owned(),
        Value::Object(members) => {
            const SHOWN: usize = 20;
            let mut keys: Vec<String> =
                members.keys().take(SHOWN).map(|key| format!("{key:?}")).collect();
            if members.len() > SHOWN {
                keys.push(format!("and {} more", members.len() - SHOWN));
            }
            format!("an object with the keys {}", keys.join(", "))
        }
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::String(_) => "a string".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, pointer: &str, expected: Result<u64, &str>) {
        assert_eq!(
            live(text, pointer).as_ref().map_err(String::as_str),
            expected.as_ref().map_err(|e| *e),
            "{text} {pointer}"
        );
    }

    #[test]
    fn the_pointer_leads_to_a_number_or_to_an_array() {
        check(r#"{"live": 37}"#, "/live", Ok(37));
        check(r#"{"live": 37.0}"#, "/live", Ok(37));
        check(r#"{"groups": [{"a/b": 3}]}"#, "/groups/0/a~1b", Ok(3));
        check(r#"{"agents": ["x", "y"]}"#, "/agents", Ok(2));
        check("[1, 2, 3]", "", Ok(3));
        check("5", "", Ok(5));
    }

    #[test]
    fn what_is_there_instead_is_told_with_the_keys() {
        check(
            r#"{"live": 37, "pending": 3}"#,
            "/alive",
            Err(r#"has nothing at "/alive": it is an object with the keys "live", "pending""#),
        );
        check(
            r#"{"data": {"live": 1}}"#,
            "/data/agents/live",
            Err(r#"has nothing at "/data/agents/live": "/data" is an object with the keys "live""#),
        );
        check(r#"{"a": [1]}"#, "/a/3", Err(r#"has nothing at "/a/3": "/a" is an array of 1"#));
        check("{}", "/live", Err(r#"has nothing at "/live": it is an object without keys"#));
        check("{}", "live", Err(r#"has nothing at "live": a JSON pointer begins with a slash"#));
        let expected = ", expected a whole number or an array";
        for (value, said) in [("null", "null"), ("\"3\"", "a string"), ("-1", "-1"), ("1.5", "1.5")]
        {
            check(
                &format!("{{\"live\": {value}}}"),
                "/live",
                Err(&format!("has {said} at \"/live\"{expected}")),
            );
        }
        assert!(live("<html>", "/live").unwrap_err().starts_with("is not JSON (expected value"));
    }
}
