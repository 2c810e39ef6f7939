//! [`Results`]: the document `results.json`. Its names are those of the framework that Proofload succeeds, so that
//! files of either can be analysed; what is ours is added beside them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{Event, Kind, Metric, Outcome, Rules, Sample, Verdict};

/// The version of the format that this library writes. To be raised when the meaning of a field changes or a reader
/// of the version before would misread a file; 0 is a file without the field, of the original framework.
pub const SCHEMA_VERSION: u32 = 1;

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Results {
    /// See [`SCHEMA_VERSION`].
    #[serde(default)]
    pub schema_version: u32,
    /// The run's name, which is also its directory's.
    pub test_id: String,
    /// When the run began, RFC 3339.
    #[schemars(with = "String")]
    pub started_at: Date,
    /// When it ended; absent of a run that did not.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub completed_at: Option<Date>,
    /// True of a run, or of a trial in it, that was cut off.
    #[serde(default)]
    pub incomplete: bool,
    /// The settings of the run: its profile and filter; the phases and probes of a trial are in its `metadata`. In files
    /// of the original framework whatever it wrote.
    #[serde(default)]
    pub config: Value,
    /// The machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// One per trial.
    pub scenarios: Vec<TrialRecord>,
    /// What the analysis found; written for readers, never read back.
    #[serde(default)]
    pub analysis: Value,
}

/// One trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrialRecord {
    /// The trial's id; in files of the original framework its name, with its parameters where trials of one name have
    /// different ones, and `::r=N` where they have the same.
    #[serde(default)]
    pub id: String,
    /// What was asked; in files of the original framework told by the name's prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// With `scenario_params` the trial's identity.
    pub scenario_name: String,
    /// Parameters, and `total_agents` where agents ran.
    #[serde(default)]
    pub scenario_params: Map<String, Value>,
    /// `process` or `compose`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Which repetition, from 1; in a comparison the number of the pair, where 0 is the warm-up.
    #[serde(default = "one")]
    pub repeat: u32,
    /// When the trial began, RFC 3339; the run's begin in files that do not say.
    #[serde(default = "unknown")]
    #[schemars(with = "String")]
    pub started_at: Date,
    /// When it ended.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub completed_at: Option<Date>,
    /// Seconds from begin to end.
    #[serde(default)]
    pub duration_seconds: Option<f64>,
    /// What was read.
    #[serde(default, with = "super::samples")]
    #[schemars(with = "Vec<super::samples::SampleSchema>")]
    pub samples: Vec<Sample>,
    /// What happened.
    #[serde(default)]
    pub events: Vec<Event>,
    /// The OOM kills among the events.
    #[serde(default)]
    pub oom_events: Vec<OomEvent>,
    /// True where the system under test died.
    #[serde(default)]
    pub aborted: bool,
    /// Of what.
    #[serde(default)]
    pub abort_reason: Option<String>,
    /// How it ended; absent where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What the run's own gate made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What it is judged by; absent in files of the original framework.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
    /// Units and directions of metrics that are not in the catalog.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
    /// What reading cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampler: Option<SamplerCost>,
    /// Anything else.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

/// The key of `metadata` in every trial of ours: its phases.
pub(crate) const PHASES: &str = "phases";

/// The keys of `metadata` in a run of a comparison: its id, whether it only warmed up, the first of its runs, and in the
/// last why no further pair was begun, where that was for want of time.
pub(crate) const ENDED: &str = "ended";
pub(crate) const COMPARISON: &str = "comparison";
pub(crate) const DISCARDED: &str = "discarded";
pub(crate) const FIRST: &str = "first";

/// The key of `metadata` that names the trial that a second run confirms.
pub(crate) const CONFIRMS: &str = "confirms";

/// Ends the id of the record of a target that could not be taken down after the last trial of a scenario.
pub(crate) const DOWN: &str = "::down";

fn one() -> u32 {
    1
}

/// What stands for a date that a file leaves out, until it is adopted.
pub(super) fn unknown() -> Date {
    Date(Timestamp::UNIX_EPOCH)
}

impl TrialRecord {
    /// The id of the comparison that this is one run of.
    #[must_use]
    pub fn comparison(&self) -> Option<&str> {
        self.rules.as_ref()?.ab.as_ref()?;
        self.metadata.get(COMPARISON)?.as_str()
    }

    /// True of a run that only warmed the machine up: it is kept, and no data.
    #[must_use]
    pub fn is_discarded(&self) -> bool {
        self.metadata.get(DISCARDED).and_then(Value::as_bool).unwrap_or(false)
    }

    /// True of a record beside the runs of a trial: a second run that confirmed a leak, or a target that could not be
    /// taken down in the end.
    #[must_use]
    pub fn is_extra(&self) -> bool {
        let of_down = self.id.strip_suffix(DOWN) == Some(self.scenario_name.as_str());
        of_down || self.metadata.contains_key(CONFIRMS)
    }

    /// The parameters without the number of the repetition, which a run writes among them from the second on.
    #[must_use]
    pub fn params_of_all_repetitions(&self) -> Map<String, Value> {
        let mut params = self.scenario_params.clone();
        params.retain(|name, _| self.repeat <= 1 || name != "repeat");
        params
    }

    /// Live agents over all groups under load: `total_agents`, else the sum of drivers and riders.
    #[must_use]
    pub fn total_agents(&self) -> Option<f64> {
        let number = |key: &str| self.scenario_params.get(key).and_then(Value::as_f64);
        number("total_agents").or_else(|| match (number("drivers"), number("riders")) {
            (None, None) => None,
            (drivers, riders) => Some(drivers.unwrap_or(0.0) + riders.unwrap_or(0.0)),
        })
    }
}

/// An OOM kill, with the original framework's names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OomEvent {
    /// The container or process.
    pub container_name: String,
    /// Seconds since 1970.
    #[serde(default)]
    pub timestamp: f64,
    /// RFC 3339.
    #[serde(default)]
    pub timestamp_iso: String,
    /// How it was seen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// What reading cost, so that a reader can tell whether it disturbed what it read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SamplerCost {
    /// Processor time of the harness for reading, in seconds. What the Docker client does in the background, where
    /// cgroup files cannot be read, is not in it.
    pub cpu_seconds: f64,
    /// The longest time between a sample's due time and its taking, in seconds.
    pub worst_lateness_seconds: f64,
    /// Samples taken in sampled phases.
    pub samples: u64,
    /// Samples that were due and not taken.
    pub missed: u64,
    /// The longest time between two samples of one phase, as a multiple of the interval.
    pub worst_gap_intervals: f64,
}

/// The machine and the build that measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// Version of this library.
    #[serde(default)]
    pub proofload: String,
    /// `debug` or `release`: how the harness, and so the load path, was built.
    #[serde(default)]
    pub build_profile: String,
    /// Kernel name and release.
    #[serde(default)]
    pub kernel: String,
    /// Processor model.
    #[serde(default)]
    pub cpu_model: String,
    /// Processors that the harness may use.
    #[serde(default)]
    pub cpus: u32,
    /// Frequency governor of the first processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// Memory of the machine in bytes.
    #[serde(default)]
    pub memory_bytes: u64,
    /// 1 or 2.
    #[serde(default)]
    pub cgroup_version: u32,
    /// Version of the Docker engine, where a trial used one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docker: Option<String>,
}

/// A date as files have it: RFC 3339, or without an offset, which is then UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub Timestamp);

impl Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = text.parse::<Timestamp>().or_else(|error| {
            let civil = text.parse::<jiff::civil::DateTime>().map_err(|_| error)?;
            jiff::tz::Offset::UTC.to_timestamp(civil)
        });
        parsed.map(Self).map_err(|_| {
            serde::de::Error::custom(format!(
                "expected a date such as 2026-01-30T14:30:22Z, found {text:?}"
            ))
        })
    }
}
