//! Durations, sizes, rates and other quantities as users write them: a number and a unit, in one string.
//!
//! [`Length`] (a span of time) and [`Quantity`] (a value with its dimension) parse from and print to such strings.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Unit;

/// A span of time, written `"500ms"`, `"2s"`, `"1m 30s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Length(pub Duration);

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!("expected a duration such as \"2s\", \"500ms\" or \"1m 30s\", found {text:?}")
        };
        let span: jiff::SignedDuration = text.trim().parse().map_err(|_| expected())?;
        Duration::try_from(span).map(Self).map_err(|_| expected())
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::SignedDuration::try_from(self.0) {
            Ok(span) => write!(f, "{span:#}"),
            Err(_) => write!(f, "{}s", self.0.as_secs_f64()),
        }
    }
}

/// Durations in files, as strings with units: for `#[serde(with)]`.
pub(crate) mod as_length {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Length;

    pub(crate) fn serialize<S: Serializer>(
        length: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Length(*length).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        Length::deserialize(deserializer).map(|length| length.0)
    }
}

/// A value in its base unit, optionally per second, with the text that the user wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// The value in base units (bytes, seconds, ratio, count, bit/s; per second where `per_second`).
    pub value: f64,
    /// The dimension; `None` for a bare number, which fits counts, ratios and metrics of unknown unit.
    pub unit: Option<Unit>,
    /// True for a rate of change, such as `1 MiB/min`.
    pub per_second: bool,
    /// As written.
    pub text: String,
}

/// Unit words, the base unit they belong to and their size in it. SI and IEC prefixes after bytesize.
const UNITS: &[(&str, Unit, f64)] = &[
    ("ms", Unit::Seconds, 1e-3),
    ("us", Unit::Seconds, 1e-6),
    ("ns", Unit::Seconds, 1e-9),
    ("s", Unit::Seconds, 1.0),
    ("m", Unit::Seconds, 60.0),
    ("min", Unit::Seconds, 60.0),
    ("h", Unit::Seconds, 3600.0),
    ("%", Unit::Ratio, 0.01),
    ("cores", Unit::Ratio, 1.0),
    ("core", Unit::Ratio, 1.0),
    ("bit/s", Unit::BitsPerSecond, 1.0),
    ("kbit/s", Unit::BitsPerSecond, 1e3),
    ("Mbit/s", Unit::BitsPerSecond, 1e6),
    ("Gbit/s", Unit::BitsPerSecond, 1e9),
];

impl FromStr for Quantity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "expected a number with a unit such as \"512 MiB\", \"1 MiB/min\", \"500ms\", \"80%\" or \"3\", found {text:?}"
            )
        };
        let trimmed = text.trim();
        let split = trimmed
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
            .unwrap_or(trimmed.len());
        let (number, rest) = trimmed.split_at(split);
        let number: f64 = number.parse().map_err(|_| expected())?;
        let rest = rest.trim();
        let (unit_word, over) = match rest.rsplit_once('/') {
            Some((unit, "s" | "sec" | "second")) if !unit.ends_with("bit") => {
                (unit.trim(), Some(1.0))
            }
            Some((unit, "min" | "m" | "minute")) => (unit.trim(), Some(60.0)),
            Some((unit, "h" | "hour")) => (unit.trim(), Some(3600.0)),
            _ => (rest, None),
        };
        let (value, unit) = if unit_word.is_empty() {
            (number, None)
        } else if let Some((_, unit, size)) = UNITS.iter().find(|(word, ..)| *word == unit_word) {
            (number * size, Some(*unit))
        } else {
            let unit: bytesize::Unit = unit_word.parse().map_err(|_| expected())?;
            (number * (unit * 1.0_f64), Some(Unit::Bytes))
        };
        Ok(Self {
            value: value / over.unwrap_or(1.0),
            unit,
            per_second: over.is_some(),
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

macro_rules! as_string {
    ($type:ty, $name:literal, $description:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($description)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $description })
            }
        }
    };
}

as_string!(Length, "Length", "a duration string such as \"2s\", \"500ms\" or \"1m 30s\"");
as_string!(
    Quantity,
    "Quantity",
    "a string with a number and a unit such as \"512 MiB\", \"1 MiB/min\", \"500ms\" or \"80%\""
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_unit() {
        let check = |text: &str, millis: u64| {
            assert_eq!(text.parse(), Ok(Length(Duration::from_millis(millis))), "{text}");
        };
        check("2s", 2_000);
        check("500ms", 500);
        check("1m 30s", 90_000);
        check("10m", 600_000);
        assert!("2".parse::<Length>().is_err());
        assert!("-2s".parse::<Length>().is_err());
        assert!("fast".parse::<Length>().unwrap_err().contains("expected a duration"));
    }

    #[test]
    fn quantities_are_converted_to_base_units() {
        let check = |text: &str, value: f64, unit: Option<Unit>, per_second: bool| {
            let quantity: Quantity = text.parse().unwrap();
            assert!((quantity.value - value).abs() <= 1e-12 * value.abs(), "{text}: {quantity:?}");
            assert_eq!((quantity.unit, quantity.per_second), (unit, per_second), "{text}");
        };
        check("512 MiB", 512.0 * 1_048_576.0, Some(Unit::Bytes), false);
        check("1 MiB/min", 1_048_576.0 / 60.0, Some(Unit::Bytes), true);
        check("0.5MB/s", 500_000.0, Some(Unit::Bytes), true);
        check("500ms", 0.5, Some(Unit::Seconds), false);
        check("80%", 0.8, Some(Unit::Ratio), false);
        check("5 %/min", 0.05 / 60.0, Some(Unit::Ratio), true);
        check("1.5 cores", 1.5, Some(Unit::Ratio), false);
        check("3", 3.0, None, false);
        check("10/min", 10.0 / 60.0, None, true);
        check("9.5 Gbit/s", 9.5e9, Some(Unit::BitsPerSecond), false);
        assert!("12 parsecs".parse::<Quantity>().unwrap_err().contains("expected a number"));
        assert!("MiB".parse::<Quantity>().is_err());
    }
}
