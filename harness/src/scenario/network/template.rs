//! [`Template`]: `tools-template.yaml`, the tools under test and how their command lines are made.
//!
//! Every key of a tool that has no meaning of its own is a variable of its command line.

use std::fmt;
use std::path::Path;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::full::Pid;
use super::yaml::{self, Located, Ordered};
use crate::model::Param;
use crate::model::quantity::Length;
use crate::scenario::ScenarioError;

/// Tools by category, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// A category is also the directory of its scripts below the tools.
    pub categories: Ordered<Category>,
}

/// The file: `tools`, with the template below.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateFile {
    #[serde(default)]
    #[expect(dead_code, reason = "accepted and not needed")]
    version: Option<String>,
    tools: Template,
}

impl Template {
    /// Reads the text of a `tools-template.yaml`.
    ///
    /// # Errors
    /// [`ScenarioError`] with the line.
    pub fn read(path: &Path, text: &str) -> Result<Self, ScenarioError> {
        yaml::read(path, text).map(|file: TemplateFile| file.tools)
    }

    /// Replaces parameters that ask for the guest's kernel threads, `"{vhost_pids}"`, by what was found. Where nothing
    /// was found they stay, and their variable is empty.
    #[must_use]
    pub fn with_vhost_pids(mut self, pids: &[Pid]) -> Self {
        let found: Vec<Param> = pids.iter().map(|pid| Param::Text(pid.to_string())).collect();
        let tools = self.categories.0.iter_mut().flat_map(|(_, category)| &mut category.tools);
        for (_, values) in tools.flat_map(|tool| &mut tool.parameters.0) {
            if values.asks_for_vhost() && !found.is_empty() {
                *values = Values::List(found.clone());
            }
        }
        self
    }
}

/// The tools of one directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// `host` or `vm`.
    #[serde(default = "host")]
    pub environment: Located<String>,
    /// Variables by direction.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub directions: Directions,
    /// In order.
    pub tools: Vec<ToolTemplate>,
}

fn host() -> Located<String> {
    Located::nowhere("host".to_owned())
}

/// Variables by direction, in order: `rx: {SRC_IP: "{host_REMOTE_IP}"}`.
pub type Directions = Ordered<Ordered<Param>>;

/// Which node a tool runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunsOn {
    /// The host of the server: in environment `vm` the guest's host, in `host` the node itself.
    Host,
    /// The guest itself.
    Vm,
}

/// One value or several of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Not expanded: the original ignores it.
    One(Param),
    /// One case each.
    List(Vec<Param>),
}

impl Values {
    /// True where the guest's kernel threads are asked for, and were not filled in.
    pub(super) fn asks_for_vhost(&self) -> bool {
        matches!(self, Self::One(Param::Text(text)) if text == "{vhost_pids}")
    }
}

/// A tool as it stands in a template.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolTemplate {
    /// The script's file name.
    pub script: Located<String>,
    /// The command line, with `{VARIABLES}`.
    pub template: Located<String>,
    /// Lists give one case per combination.
    pub parameters: Ordered<Values>,
    /// In place of the category's.
    pub directions: Option<Directions>,
    /// Variables that may be unknown or empty, with the option whose value they are; ours.
    pub optional: Vec<String>,
    /// A regular expression that a line of its output matches once it is ready; ours.
    pub ready: Option<Located<String>>,
    /// How long it must have been alive to count as ready, without `ready`; ours.
    pub settle: Option<Length>,
    /// Where it runs; ours. The host where it does not say.
    pub runs_on: Option<RunsOn>,
    /// Every other key: variables.
    pub defaults: Ordered<Param>,
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(value) => value.serialize(serializer),
            Self::List(values) => values.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        macro_rules! one {
            ($($visit:ident: $type:ty,)*) => {
                $(fn $visit<E: de::Error>(self, value: $type) -> Result<Values, E> {
                    Param::deserialize(de::IntoDeserializer::into_deserializer(value)).map(Values::One)
                })*
            };
        }
        impl<'de> Visitor<'de> for Either {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of numbers, strings or booleans")
            }

            one! { visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str, }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Values, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    values.push(value);
                }
                Ok(Values::List(values))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Serialize for ToolTemplate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("script", &self.script)?;
        map.serialize_entry("template", &self.template)?;
        for (name, value) in &self.defaults.0 {
            map.serialize_entry(name, value)?;
        }
        if let Some(directions) = &self.directions {
            map.serialize_entry("directions", directions)?;
        }
        if !self.parameters.is_empty() {
            map.serialize_entry("parameters", &self.parameters)?;
        }
        if !self.optional.is_empty() {
            map.serialize_entry("optional", &self.optional)?;
        }
        if let Some(ready) = &self.ready {
            map.serialize_entry("ready", ready)?;
        }
        if let Some(settle) = &self.settle {
            map.serialize_entry("settle", settle)?;
        }
        if let Some(runs_on) = &self.runs_on {
            map.serialize_entry("runs_on", runs_on)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for ToolTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = ToolTemplate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a tool: a mapping with `script` and `template`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ToolTemplate, A::Error> {
                let mut tool = ToolTemplate::default();
                let (mut script, mut template) = (None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "script" => script = Some(map.next_value()?),
                        "template" => template = Some(map.next_value()?),
                        "parameters" => tool.parameters = map.next_value()?,
                        "directions" => tool.directions = Some(map.next_value()?),
                        "optional" => tool.optional = map.next_value()?,
                        "ready" => tool.ready = Some(map.next_value()?),
                        "settle" => tool.settle = Some(map.next_value()?),
                        "runs_on" => tool.runs_on = Some(map.next_value()?),
                        _ => tool.defaults.0.push((key, map.next_value()?)),
                    }
                }
                tool.script = script.ok_or_else(|| de::Error::missing_field("script"))?;
                tool.template = template.ok_or_else(|| de::Error::missing_field("template"))?;
                Ok(tool)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}
