//! `[leak]` as typed in.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::quantity::{Length, Quantity};
use crate::model::rules::{LeakGate, LeakMethod};

/// `[leak]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeakFile {
    /// By which rule growth is judged.
    pub rule: Option<LeakMethod>,
    /// What the gate looks at.
    pub gate: Option<LeakGate>,
    /// With `rule = "leakscore"`: slower growth is no leak.
    pub least: Option<Quantity>,
    /// Below: normal.
    pub watch: Option<Quantity>,
    /// Above: a leak.
    pub leak: Option<Quantity>,
    /// With `gate = "gross"`: only a slope surely above this fails.
    pub gross: Option<Quantity>,
    /// An interval that includes the limit, or a short run, is unknown.
    pub certain: Option<bool>,
    /// The shortest run that can be judged.
    pub shortest: Option<Length>,
    /// True: a leak fails only where a second run shows it again.
    pub confirm: Option<bool>,
}
