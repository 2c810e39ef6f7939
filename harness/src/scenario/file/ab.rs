//! `[ab]` and `[validity]` as typed in.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use crate::model::quantity::Length;
use crate::model::{Param, Severity, Stat};

/// `[ab]`: two versions, run in turn.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AbFile {
    /// What the placeholders of the old version are.
    #[schemars(with = "Option<BTreeMap<String, Param>>")]
    pub a: Option<toml::Table>,
    /// What the same placeholders of the new version are.
    #[schemars(with = "Option<BTreeMap<String, Param>>")]
    pub b: Option<toml::Table>,
    /// After how many pairs the comparison is looked at.
    pub looks: Option<Vec<u32>>,
    /// No further pair is begun after this time.
    pub budget: Option<Length>,
    /// True: a pair that does not count is run first.
    pub warmup: Option<bool>,
    /// The smallest effect of interest, as a fraction.
    pub min_effect: Option<f64>,
    /// An effect surely below this passes, as a fraction.
    pub margin: Option<f64>,
    /// Asks for the claim that both differ by less than this, either way.
    pub within: Option<f64>,
    /// What is compared: names of metrics, or tables.
    pub metrics: Option<Vec<AbMetricFile>>,
}

/// One thing that is compared: `"cpu.usage"`, or a table.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AbMetricTable {
    /// The metric. Required.
    pub metric: Option<String>,
    /// One source; every one when left out.
    pub source: Option<String>,
    /// What a run comes to; the mean by default.
    pub stat: Option<Stat>,
    /// What follows from a regression: `warn` softens only one that is at least `min_effect` as estimated and not surely
    /// above it. One that is surely above it fails.
    pub severity: Option<Severity>,
    /// In place of `ab.min_effect`.
    pub min_effect: Option<f64>,
    /// In place of `ab.margin`.
    pub margin: Option<f64>,
}

/// An [`AbMetricTable`], which may be typed in as the metric's name alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AbMetricFile(pub AbMetricTable);

impl<'de> Deserialize<'de> for AbMetricFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = AbMetricFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a metric's name, or a table such as { metric = \"cpu.usage\", source = \"api\" }")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
                let metric = Some(name.to_owned());
                Ok(AbMetricFile(AbMetricTable { metric, ..AbMetricTable::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                AbMetricTable::deserialize(de::value::MapAccessDeserializer::new(map))
                    .map(AbMetricFile)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for AbMetricFile {
    fn schema_name() -> Cow<'static, str> {
        "AbMetricFile".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<AbMetricTable>();
        schemars::json_schema!({
            "description": "One thing that is compared: a metric's name, or a table.",
            "anyOf": [{ "type": "string" }, table],
        })
    }
}

/// `[validity]`: when a run cannot be judged.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidityFile {
    /// False: what is wrong is reported only.
    pub gate: Option<bool>,
    /// The largest share of due samples that may be missing.
    pub missing: Option<f64>,
    /// How late 95% of the samples must not be, in intervals.
    pub late: Option<f64>,
    /// The fewest readings of a sampled phase.
    pub samples: Option<u32>,
    /// How far the wall clock may step between two samples.
    pub step: Option<Length>,
    /// The largest share of the wanted processor time that a hypervisor may take.
    pub steal: Option<f64>,
    /// The largest share of the time for which a quota may hold the harness back.
    pub throttled: Option<f64>,
    /// The largest share of this machine's processors that may be busy with something else.
    pub elsewhere: Option<f64>,
}
