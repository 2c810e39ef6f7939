//! Samples in JSON: the original framework's fields per container, and every reading under `metrics`.
//!
//! Reading goes straight from the text into [`Sample`]s, without a tree in between: a file has millions of readings.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};

use crate::model::{Reading, Sample, metric};

const MIB: f64 = 1_048_576.0;

/// How one sample is written; for the JSON Schema.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct SampleSchema {
    /// Seconds since 1970.
    timestamp: f64,
    /// RFC 3339.
    timestamp_iso: String,
    /// Seconds on the monotonic clock since the trial began.
    elapsed_seconds: Option<f64>,
    phase: Option<String>,
    cycle: Option<u32>,
    containers: std::collections::BTreeMap<String, ContainerSchema>,
    /// Readings of sources that are not members of the target.
    sources: Option<std::collections::BTreeMap<String, std::collections::BTreeMap<String, f64>>>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct ContainerSchema {
    /// Working set in MiB.
    memory_used_mb: Option<f64>,
    /// In MiB; 0 is unknown.
    memory_limit_mb: Option<f64>,
    memory_percent: Option<f64>,
    /// Percent of one core.
    cpu_percent: Option<f64>,
    /// Every reading, in base units.
    metrics: Option<std::collections::BTreeMap<String, f64>>,
}

pub(super) fn serialize<S: Serializer>(
    samples: &[Sample],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(Some(samples.len()))?;
    for sample in samples {
        sequence.serialize_element(&Written(sample))?;
    }
    sequence.end()
}

/// One sample in the form of a results file.
pub(super) struct Written<'a>(pub(super) &'a Sample);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sample = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("timestamp", &seconds(sample.timestamp))?;
        map.serialize_entry("timestamp_iso", &sample.timestamp)?;
        map.serialize_entry("elapsed_seconds", &sample.elapsed)?;
        map.serialize_entry("phase", &*sample.phase)?;
        if sample.cycle > 0 {
            map.serialize_entry("cycle", &sample.cycle)?;
        }
        let mut groups: Vec<(&Arc<str>, Vec<&Reading>)> = Vec::new();
        // JSON has no word for what is not finite; as `null` it would spoil the file for every reader.
        for reading in sample.readings.iter().filter(|reading| reading.value.is_finite()) {
            match groups.iter_mut().find(|(source, _)| **source == reading.source) {
                Some((_, readings)) => readings.push(reading),
                None => groups.push((&reading.source, vec![reading])),
            }
        }
        // A container is what has memory or processor readings; everything else is a source.
        let (containers, sources): (Vec<_>, Vec<_>) = groups
            .into_iter()
            .partition(|(_, readings)| readings.iter().any(|reading| is_container(reading)));
        map.serialize_entry("containers", &Groups(&containers, true))?;
        if !sources.is_empty() {
            map.serialize_entry("sources", &Groups(&sources, false))?;
        }
        map.end()
    }
}

fn is_container(reading: &Reading) -> bool {
    reading.metric.starts_with("memory.") || reading.metric.starts_with("cpu.")
}

#[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 are below 2^53")]
pub(super) fn seconds(timestamp: Timestamp) -> f64 {
    timestamp.as_microsecond() as f64 / 1e6
}

struct Groups<'a>(&'a [(&'a Arc<str>, Vec<&'a Reading>)], bool);

impl Serialize for Groups<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (source, readings) in self.0 {
            let metrics = WrittenMetrics(readings);
            if self.1 {
                map.serialize_entry(&***source, &WrittenContainer(&metrics))?;
            } else {
                map.serialize_entry(&***source, &metrics)?;
            }
        }
        map.end()
    }
}

struct WrittenMetrics<'a>(&'a [&'a Reading]);

impl WrittenMetrics<'_> {
    fn value(&self, metric: &crate::model::Metric) -> Option<f64> {
        self.0.iter().find(|reading| reading.metric == metric.name).map(|reading| reading.value)
    }
}

impl Serialize for WrittenMetrics<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|reading| (&*reading.metric, reading.value)))
    }
}

struct WrittenContainer<'a>(&'a WrittenMetrics<'a>);

impl Serialize for WrittenContainer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(bytes) = self.0.value(&metric::MEMORY_WORKING_SET) {
            map.serialize_entry("memory_used_mb", &(bytes / MIB))?;
            let limit = self.0.value(&metric::MEMORY_LIMIT);
            map.serialize_entry("memory_limit_mb", &limit.map_or(0.0, |bytes| bytes / MIB))?;
            map.serialize_entry(
                "memory_percent",
                &limit.map_or(0.0, |limit| bytes / limit * 100.0),
            )?;
        }
        if let Some(cores) = self.0.value(&metric::CPU_USAGE) {
            map.serialize_entry("cpu_percent", &(cores * 100.0))?;
        }
        map.serialize_entry("metrics", self.0)?;
        map.end()
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Sample>, D::Error> {
    struct Samples;
    impl<'de> Visitor<'de> for Samples {
        type Value = Vec<Sample>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of samples")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
            let mut samples: Vec<Sample> = Vec::new();
            let mut first = None;
            while let Some(read) = sequence.next_element::<ReadSample>()? {
                let timestamp = match (read.timestamp, &read.analysis) {
                    (Some(timestamp), _) => timestamp,
                    // The original framework ends a reset scenario with a sample of nothing but its own analysis.
                    (None, Some(_)) => continue,
                    (None, None) => {
                        let message = "a sample without `timestamp`, the seconds since 1970";
                        return Err(serde::de::Error::custom(message));
                    }
                };
                let origin = *first.get_or_insert(timestamp);
                samples.push(read.into_sample(timestamp, origin));
            }
            Ok(samples)
        }
    }
    deserializer.deserialize_seq(Samples)
}

/// One sample as read.
#[derive(Deserialize)]
pub(super) struct ReadSample {
    timestamp: Option<f64>,
    analysis: Option<IgnoredAny>,
    elapsed_seconds: Option<f64>,
    #[serde(default)]
    phase: String,
    #[serde(default)]
    cycle: u32,
    #[serde(default)]
    containers: ReadContainers,
    #[serde(default)]
    sources: ReadSources,
}

impl ReadSample {
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 in microseconds fit")]
    fn into_sample(self, timestamp: f64, origin: f64) -> Sample {
        let mut readings = self.containers.0;
        readings.extend(self.sources.0);
        Sample {
            elapsed: self.elapsed_seconds.unwrap_or(timestamp - origin),
            timestamp: Timestamp::from_microsecond((timestamp * 1e6).round() as i64)
                .unwrap_or_default(),
            phase: self.phase.into(),
            cycle: self.cycle,
            readings,
        }
    }

    /// A sample that carries its own elapsed time, as the journal's do.
    pub(super) fn into_journalled(self) -> Option<Sample> {
        let timestamp = self.timestamp?;
        Some(self.into_sample(timestamp, timestamp))
    }
}

#[derive(Default)]
struct ReadContainers(Vec<Reading>);

impl<'de> Deserialize<'de> for ReadContainers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Containers;
        impl<'de> Visitor<'de> for Containers {
            type Value = Vec<Reading>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from container names to readings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut readings = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    let source: Arc<str> = name.into();
                    map.next_value_seed(Container { source: &source, readings: &mut readings })?;
                }
                Ok(readings)
            }
        }
        deserializer.deserialize_map(Containers).map(Self)
    }
}

struct Container<'a> {
    source: &'a Arc<str>,
    readings: &'a mut Vec<Reading>,
}

impl<'de> DeserializeSeed<'de> for Container<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Container<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a container's readings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let before = self.readings.len();
        let mut seed: Vec<Reading> = Vec::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let mut add = |metric: &crate::model::Metric, value: Option<f64>, scale: f64| {
                if let Some(value) = value.filter(|value| value.is_finite()) {
                    seed.push(Reading::new(metric, self.source, value * scale));
                }
            };
            match &*key {
                "memory_used_mb" => add(&metric::MEMORY_WORKING_SET, map.next_value()?, MIB),
                "memory_limit_mb" => {
                    let limit: Option<f64> = map.next_value()?;
                    add(&metric::MEMORY_LIMIT, limit.filter(|limit| *limit > 0.0), MIB);
                }
                "cpu_percent" => add(&metric::CPU_USAGE, map.next_value()?, 0.01),
                "metrics" => {
                    map.next_value_seed(Metrics { source: self.source, readings: self.readings })?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        // Our own files say everything under `metrics`; the other fields repeat it.
        if self.readings.len() == before {
            self.readings.append(&mut seed);
        }
        Ok(())
    }
}

struct Metrics<'a> {
    source: &'a Arc<str>,
    readings: &'a mut Vec<Reading>,
}

impl<'de> DeserializeSeed<'de> for Metrics<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Metrics<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from metric names to numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let value: f64 = map.next_value()?;
            let metric = metric::find(&name)
                .map_or_else(|| Cow::Owned(name.into_owned()), |metric| metric.name.clone());
            self.readings.push(Reading { metric, source: Arc::clone(self.source), value });
        }
        Ok(())
    }
}

#[derive(Default)]
struct ReadSources(Vec<Reading>);

impl<'de> Deserialize<'de> for ReadSources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sources;
        impl<'de> Visitor<'de> for Sources {
            type Value = Vec<Reading>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from source names to readings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut readings = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    let source: Arc<str> = name.into();
                    map.next_value_seed(Metrics { source: &source, readings: &mut readings })?;
                }
                Ok(readings)
            }
        }
        deserializer.deserialize_map(Sources).map(Self)
    }
}
