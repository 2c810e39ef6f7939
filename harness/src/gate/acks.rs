//! [`Ack`]: a known change for the worse, with its reason and the day until which it is accepted. They come from
//! `acks.toml` and count in a history only: the verdict of a stored result never depends on the day it is looked at.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// One `[[ack]]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ack {
    /// The trial, without its repetition.
    pub trial: String,
    /// The metric.
    pub metric: String,
    /// The container, process or driver.
    pub source: String,
    /// The run at which it changed: its `test_id`.
    pub run: String,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it counts.
    pub expires: Date,
    /// Its line in the file, from 1.
    pub line: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    ack: Vec<toml::Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    trial: String,
    metric: String,
    source: String,
    run: String,
    reason: String,
    expires: toml::Spanned<String>,
}

/// Reads the text of an `acks.toml`.
///
/// # Errors
/// `LINE: what was expected`, to stand behind the file's name.
pub fn parse(text: &str) -> Result<Vec<Ack>, String> {
    let line = |offset: usize| text.get(..offset).unwrap_or(text).matches('\n').count() + 1;
    let file: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(1, |span| line(span.start));
        format!("{at}: {}", error.message().lines().next().unwrap_or("not TOML"))
    })?;
    let ack = |entry: toml::Spanned<Entry>| {
        let at = line(entry.span().start);
        let Entry { trial, metric, source, run, reason, expires } = entry.into_inner();
        let day: Date = expires.get_ref().parse().map_err(|_| {
            let found = expires.get_ref();
            format!(
                "{}: expected expires to be a day such as \"2026-12-31\", found {found:?}",
                line(expires.span().start)
            )
        })?;
        if reason.trim().is_empty() {
            return Err(format!("{at}: expected a reason"));
        }
        Ok(Ack { trial, metric, source, run, reason, expires: day, line: at })
    };
    file.ack.into_iter().map(ack).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACK: &str = "# known\n[[ack]]\ntrial = \"load::x\"\nmetric = \"memory.anon\"\nsource = \"api\"\n\
        run = \"20260101_000000\"\nreason = \"a larger cache\"\nexpires = \"2026-12-31\"\n";

    #[test]
    fn an_ack_is_read() {
        let acks = parse(ACK).unwrap();
        assert_eq!((acks.len(), acks[0].line, acks[0].trial.as_str()), (1, 2, "load::x"));
        assert_eq!(acks[0].expires, jiff::civil::date(2026, 12, 31));
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, expected) in [
            (ACK.replace("2026-12-31", "soon"), "8: expected expires to be a day such as"),
            (ACK.replace("reason = ", "why = "), "7: unknown field `why`"),
            (ACK.replace("a larger cache", " "), "2: expected a reason"),
            (ACK.replace("source = \"api\"\n", ""), "2: missing field `source`"),
            ("x = [".to_owned(), "1: "),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
