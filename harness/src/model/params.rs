//! [`Params`]: the parameters that tell a scenario's trials apart, in declared order.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One parameter's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Number(f64),
    /// Text.
    Text(String),
    /// A switch.
    Flag(bool),
}

impl Param {
    /// The value as a number, where it is one.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "parameters are far below 2^53")]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Integer(n) => Some(*n as f64),
            Self::Number(n) => Some(*n),
            Self::Text(_) | Self::Flag(_) => None,
        }
    }
}

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(n) => n.fmt(f),
            Self::Number(n) => n.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Flag(flag) => flag.fmt(f),
        }
    }
}

impl Serialize for Param {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Integer(n) => serializer.serialize_i64(*n),
            Self::Number(n) => serializer.serialize_f64(*n),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
        }
    }
}

impl<'de> Deserialize<'de> for Param {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Param;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a string or a boolean")
            }

            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Param, E> {
                Ok(Param::Integer(n))
            }

            fn visit_u64<E: de::Error>(self, n: u64) -> Result<Param, E> {
                i64::try_from(n).map(Param::Integer).map_err(|_| {
                    E::invalid_value(de::Unexpected::Unsigned(n), &"a number below 2^63")
                })
            }

            fn visit_f64<E: de::Error>(self, n: f64) -> Result<Param, E> {
                Ok(Param::Number(n))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Param, E> {
                Ok(Param::Text(text.to_owned()))
            }

            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Param, E> {
                Ok(Param::Flag(flag))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Param {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Param".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["number", "string", "boolean"],
            "description": "One parameter's value: a number, a string or a boolean.",
        })
    }
}

/// Name and value pairs; names are unique.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params(pub Vec<(String, Param)>);

impl Params {
    /// The value of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Param> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// These and one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: Param) -> Self {
        self.0.push((name.to_owned(), value));
        self
    }

    /// True where nothing tells the trials apart.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `k=v,k=v`, the last part of a trial id.
impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (key, value)) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{key}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_it_is_written() {
        for (text, param) in [
            ("1", Param::Integer(1)),
            ("-1", Param::Integer(-1)),
            ("1.5", Param::Number(1.5)),
            ("\"small\"", Param::Text("small".to_owned())),
            ("true", Param::Flag(true)),
        ] {
            assert_eq!(serde_json::from_str::<Param>(text).unwrap(), param, "{text}");
            assert_eq!(serde_json::to_string(&param).unwrap(), text);
        }
    }

    #[test]
    fn a_value_that_is_no_parameter_is_refused_with_what_was_expected() {
        for text in ["null", "[1]", "{}"] {
            let error = serde_json::from_str::<Param>(text).unwrap_err().to_string();
            assert!(error.contains("expected a number, a string or a boolean"), "{text}: {error}");
        }
        assert!(serde_json::from_str::<Param>("9223372036854775808").is_err());
    }
}
