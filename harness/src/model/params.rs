//! [`Params`]: the parameters that tell a scenario's trials apart, in declared order.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One parameter's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
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
