//! `[target.testbed]` and `[network]`: as typed in, and complete.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::model::quantity::Length;
use crate::model::spec::network::{Direction, Hook, Protocol, Shape, Topic};

/// `[target.testbed]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestbedFile {
    /// The configuration directory, relative to the workspace root. Required.
    pub config: Option<PathBuf>,
}

/// Declares the table twice: with every key optional, as typed in, and complete.
macro_rules! network {
    ($($(#[$doc:meta])* $key:ident: $type:ty,)* ; $($(#[$opt_doc:meta])* $opt:ident: $opt_type:ty,)*) => {
        /// `[network]`, as typed in: every key is optional.
        #[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct NetworkFile {
            $($(#[$doc])* pub $key: Option<$type>,)*
            $($(#[$opt_doc])* pub $opt: Option<$opt_type>,)*
        }

        /// `[network]`, complete.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct NetworkProtocol {
            $($(#[$doc])* pub $key: $type,)*
            $($(#[$opt_doc])* pub $opt: Option<$opt_type>,)*
        }
    };
}

network! {
    /// The tests, in order: names of built-in ones, or tables.
    tests: Vec<TestFile>,
    /// How long data count in each test; a duration, which may hold parameters of the matrix.
    length: String,
    /// How long is sent before that and not counted, by tools that can.
    omit: String,
    /// Parallel streams of `throughput_parallel`.
    streams: u32,
    /// Processes of `throughput_multi` and `pps_multi`, each on a port of its own.
    processes: u32,
    /// The first port of iperf3.
    port: u16,
    /// The port of netserver.
    control_port: u16,
    /// What `throughput_udp` sends, for example `1 Gbit/s`.
    udp_rate: String,
    /// The size of datagrams of the packet tests, for example `64 B`.
    pps_block: String,
    /// Between two readings of the nodes.
    interval: Length,
    /// How long a server or a tool may take to become ready.
    within: Length,
    /// How long a tool may take to end when it is asked to.
    grace: Length,
    /// How long a tool without a ready line must have been alive.
    settle: Length,
    /// How much longer a transaction may take with a tool, as a fraction.
    latency_degradation: f64,
    /// How much less may be carried with a tool, as a fraction.
    throughput_degradation: f64,
    /// How many fewer packets may be carried with a tool, as a fraction.
    pps_degradation: f64,
    /// True: environments are also run without a tool, beside the comparisons.
    baseline: bool,
    /// Blocks of a comparison where `repeat` is not said: baseline, tool, tool, baseline each.
    repeat: u32,
    /// No further block of a comparison is begun after this time.
    budget: Length,
    /// Which cases are run.
    select: SelectFile,
    /// Commands before and after what is run.
    hook: Vec<Hook>,
    ;
    /// The size of datagrams of `throughput_udp`, for example `1400 B`.
    udp_block: String,
    /// What each process of a packet test sends at most; as much as it can where absent.
    pps_rate: String,
}

/// `select` of `[network]`: what is not said is not restricted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SelectFile {
    /// Names of tools: scripts without their extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
    /// `host`, `vm`; holds for baselines too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<Vec<String>>,
    /// Categories, or what they begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
    /// Only cases with this parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Only cases with this parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
}

/// A test of one's own, or a built-in one with changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TestTable {
    /// Its name in results; that of `like` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The built-in test from which it takes what it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
    /// What its figures are about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<Topic>,
    /// The network tool: `iperf3`, `netperf` or `ping`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// What is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// The transport.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Which way bulk data go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Processes, each on a port of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<u32>,
    /// Parallel streams of each process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streams: Option<u32>,
    /// How long data count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<String>,
    /// How long is sent before that and not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub omit: Option<String>,
    /// The most that each stream sends, for example `1 Gbit/s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<String>,
    /// Bytes per write, datagram or request, for example `64 B`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<String>,
    /// The first port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// A built-in test whose traffic runs beside it and is not reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
}

impl TestTable {
    /// Its name in results.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref().or(self.like.as_deref())
    }
}

/// A [`TestTable`], which may be typed in as the name of a built-in test.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestFile(pub TestTable);

impl Serialize for TestFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TestFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = TestFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a test's name, or a table such as { name = \"long\", like = \"tcp_rr\", length = \"60s\" }")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
                let like = Some(name.to_owned());
                Ok(TestFile(TestTable { like, ..TestTable::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                TestTable::deserialize(de::value::MapAccessDeserializer::new(map)).map(TestFile)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for TestFile {
    fn schema_name() -> Cow<'static, str> {
        "TestFile".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<TestTable>();
        schemars::json_schema!({
            "description": "One test: the name of a built-in one, or a table.",
            "anyOf": [{ "type": "string" }, table],
        })
    }
}
