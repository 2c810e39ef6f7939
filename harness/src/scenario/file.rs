//! [`ScenarioFile`]: what can be typed in. Every key is optional and an unknown key is refused.
//!
//! Any key of a table may stand in any layer; only the merged whole must be complete. What stands in a list is replaced
//! whole, and so is complete where it stands: services and queries are the same type on both sides.

mod ab;
mod leak;
mod network;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::quantity::{Length, Quantity};
use crate::model::rules::ResetMethod;
use crate::model::spec::probe::Query;
use crate::model::spec::target::{Clean, Ready, Service};
use crate::model::{Kind, Op, Param, Severity, Stat};

pub use ab::{AbFile, AbMetricFile, AbMetricTable, ValidityFile};
pub use leak::LeakFile;
pub use network::{NetworkFile, NetworkProtocol, SelectFile, TestFile, TestTable, TestbedFile};

/// A scenario file, one of its profiles, or the environment.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// What the scenario asks. Required.
    pub kind: Option<Kind>,
    /// One line for reports.
    pub description: Option<String>,
    /// The systems to bring up; each gives its own trials.
    pub target: Option<TargetFile>,
    /// What loads them; one.
    pub driver: Option<DriverFile>,
    /// When readings are taken.
    pub sample: Option<SamplingFile>,
    /// Settings of kind baseline.
    pub baseline: Option<BaselineFile>,
    /// Settings of kind load.
    pub load: Option<LoadFile>,
    /// Settings of kind duration.
    pub duration: Option<DurationFile>,
    /// Settings of kind reset.
    pub reset: Option<ResetFile>,
    /// Settings of kind network.
    pub network: Option<NetworkFile>,
    /// How memory growth is judged.
    pub leak: Option<LeakFile>,
    /// Names of probes.
    pub probes: Option<Vec<String>>,
    /// Settings of probes.
    pub probe: Option<ProbeFile>,
    /// How often every trial is run.
    pub repeat: Option<u32>,
    /// Lists of parameter values by name.
    #[schemars(with = "Option<BTreeMap<String, Vec<Param>>>")]
    pub matrix: Option<toml::Table>,
    /// Two versions to compare.
    pub ab: Option<AbFile>,
    /// When a run cannot be judged.
    pub validity: Option<ValidityFile>,
    /// What must hold.
    pub threshold: Option<Vec<ThresholdFile>>,
    /// Any key again, for that profile.
    pub profile: Option<BTreeMap<String, ScenarioFile>>,
}

/// `[target]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetFile {
    /// Commands on this machine.
    pub process: Option<ProcessFile>,
    /// A Docker Compose project.
    pub compose: Option<ComposeFile>,
    /// Hosts and virtual machines over SSH, of kind network.
    pub testbed: Option<TestbedFile>,
}

/// `[target.process]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessFile {
    /// Shell command run once per run, from the workspace root.
    pub build: Option<String>,
    /// How long a service without `ready.within` may take.
    pub within: Option<Length>,
    /// The services, started in order.
    pub service: Option<Vec<Service>>,
}

/// `[target.compose]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComposeFile {
    /// Shell command run once per run, from the workspace root.
    pub build: Option<String>,
    /// The Compose file, relative to the workspace root.
    pub file: Option<PathBuf>,
    /// Several Compose files; later ones override.
    pub files: Option<Vec<PathBuf>>,
    /// Profiles to enable.
    pub profiles: Option<Vec<String>>,
    /// A file of variables for the Compose files.
    pub env_file: Option<PathBuf>,
    /// Services to watch; empty is all.
    pub services: Option<Vec<String>>,
    /// When it counts as up.
    pub ready: Option<Ready>,
    /// How often to start from nothing.
    pub clean: Option<Clean>,
    /// Use a running project, never stop or wipe it.
    pub attach: Option<bool>,
    /// The project to attach to.
    pub project: Option<String>,
    /// Variables passed to Compose.
    pub env: Option<BTreeMap<String, String>>,
}

/// `[driver]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriverFile {
    /// Agents behind an HTTP API.
    pub agents: Option<AgentsFile>,
    /// An external load generator.
    pub command: Option<CommandFile>,
    /// A driver that the test binary registered.
    pub custom: Option<CustomFile>,
}

/// `[driver.agents]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentsFile {
    /// What paths are appended to. Required.
    pub base_url: Option<String>,
    /// Sent with every request.
    pub headers: Option<BTreeMap<String, String>>,
    /// Agent groups.
    pub groups: Option<Vec<String>>,
    /// Sent once before the first spawn.
    pub start: Option<RequestFile>,
    /// Sent per group. Required.
    pub spawn: Option<RequestFile>,
    /// Says how many agents are live.
    pub status: Option<StatusFile>,
    /// Stops the load.
    pub stop: Option<RequestFile>,
    /// Releases everything.
    pub reset: Option<RequestFile>,
    /// How long agents may take to become live.
    pub within: Option<Length>,
    /// How long one request may take.
    pub timeout: Option<Length>,
}

/// A request of `[driver.agents]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestFile {
    /// GET, POST, PUT, PATCH or DELETE. Required.
    pub method: Option<String>,
    /// Appended to the base URL. Required.
    pub path: Option<String>,
    /// Sent with this request only.
    pub headers: Option<BTreeMap<String, String>>,
    /// The body; sent as JSON unless a header says otherwise.
    pub body: Option<String>,
    /// Statuses that count as success; any 2xx by default.
    pub expect: Option<Vec<u16>>,
}

/// `status` of `[driver.agents]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusFile {
    /// GET, as a rule. Required.
    pub method: Option<String>,
    /// Appended to the base URL; with `{group}` in it, each group is asked apart and the answers added. Required.
    pub path: Option<String>,
    /// Sent with this request only.
    pub headers: Option<BTreeMap<String, String>>,
    /// Statuses that count as success; any 2xx by default.
    pub expect: Option<Vec<u16>>,
    /// JSON pointer (RFC 6901) to the number of live agents, or to an array of them. Required.
    pub live: Option<String>,
}

/// `[driver.command]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandFile {
    /// Program and arguments. Required.
    pub command: Option<Vec<String>>,
    /// Environment variables.
    pub env: Option<BTreeMap<String, String>>,
    /// Working directory, relative to the workspace root.
    pub cwd: Option<PathBuf>,
    /// An end before the phase's own end is an error.
    pub must_outlast: Option<bool>,
}

/// `[driver.custom]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomFile {
    /// The name under which it was registered. Required.
    pub name: Option<String>,
    /// Its settings.
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub options: Option<toml::Table>,
}

/// `[probe]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeFile {
    /// Where cAdvisor listens.
    pub cadvisor: Option<CadvisorFile>,
    /// Where Prometheus listens and what to ask.
    pub prometheus: Option<PrometheusFile>,
    /// Settings of registered probes, by name.
    #[schemars(with = "Option<BTreeMap<String, BTreeMap<String, serde_json::Value>>>")]
    pub options: Option<BTreeMap<String, toml::Table>>,
}

/// `[probe.cadvisor]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CadvisorFile {
    /// For example `http://127.0.0.1:8083`. Required.
    pub url: Option<String>,
}

/// `[probe.prometheus]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrometheusFile {
    /// For example `http://127.0.0.1:9090`. Required.
    pub url: Option<String>,
    /// The queries, each a metric of ours. Required.
    pub query: Option<Vec<Query>>,
}

/// `[[threshold]]`: either `check`, or `metric`, `stat`, `op` and `value`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThresholdFile {
    /// The whole requirement as one string: `"p(95) memory.anon < 512 MiB"`.
    pub check: Option<String>,
    /// A metric's name, or an event kind.
    pub metric: Option<String>,
    /// One source.
    pub source: Option<String>,
    /// One phase.
    pub phase: Option<String>,
    /// The statistic.
    pub stat: Option<Stat>,
    /// The relation.
    pub op: Option<Op>,
    /// The limit.
    pub value: Option<Quantity>,
    /// What follows when it does not hold.
    pub severity: Option<Severity>,
    /// Divide by this parameter.
    pub per: Option<String>,
    /// End the trial at the first reading beyond the limit.
    pub abort_on_fail: Option<bool>,
}

/// Declares a table twice: with every key optional, as typed in, and complete.
macro_rules! table {
    ($(#[$doc:meta])* $file:ident, $complete:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* } { $($(#[$opt_doc:meta])* $opt:ident: $opt_file:ty => $opt_type:ty,)* }) => {
        $(#[$doc])*
        #[doc = ""]
        #[doc = "As typed in: every key is optional."]
        #[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $file {
            $($(#[$field_doc])* pub $field: Option<$type>,)*
            $($(#[$opt_doc])* pub $opt: Option<$opt_file>,)*
        }

        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct $complete {
            $($(#[$field_doc])* pub $field: $type,)*
            $($(#[$opt_doc])* pub $opt: Option<$opt_type>,)*
        }
    };
}

table! {
    /// `[sample]`.
    SamplingFile, Sampling {
        /// Between two samples.
        interval: Length,
        /// Before the baseline: watched, not judged.
        warmup: Length,
        /// After the load is up: watched, not judged.
        settle: Length,
        /// How long readings are taken per level.
        length: Length,
    } {}
}

table! {
    /// `[baseline]`.
    BaselineFile, BaselineProtocol {
        /// How long an idle system is read.
        length: Length,
    } {}
}

table! {
    /// `[load]`.
    LoadFile, LoadProtocol {
        /// Agents per group.
        levels: Vec<u32>,
        /// How often each level is run.
        repeat: u32,
        /// Levels and repetitions in an order that drift cannot follow.
        shuffle: bool,
    } {
            /// The memory for which the number of agents is told, in place of the container's limit.
            capacity: Quantity => Quantity,
            /// The metric of work done: `METRIC`, `mean METRIC` or `rate METRIC`.
            throughput: String => String,
    }
}

table! {
    /// `[duration]`.
    DurationFile, DurationProtocol {
        /// One trial each.
        minutes: Vec<f64>,
        /// Agents per group.
        agents: u32,
        /// Sampling interval by phase.
        intervals: BTreeMap<String, Length>,
        /// Times at which a run of `minutes` may end because nothing leaks.
        looks: Vec<Length>,
    } {
            /// One trial with these phases in place of `minutes`.
            phases: DurationPhasesFile => DurationPhases,
    }
}

table! {
    /// `phases` of `[duration]`.
    DurationPhasesFile, DurationPhases {
        /// Under load.
        active: Length,
    } {
        /// From the stop of the load.
        drain: Length => Length,
        /// After the drain.
        cooldown: Length => Length,
    }
}

table! {
    /// `[reset]`.
    ResetFile, ResetProtocol {
        /// Agents per group.
        agents: u32,
        /// How often load and reset follow each other.
        cycles: u32,
        /// By what resets are judged.
        rule: ResetMethod,
        /// With `rule = "growth"`: the growth per cycle that fails, as a fraction of the baseline.
        growth: f64,
        /// With `rule = "growth"`: cycles that could hide this much growth each are unknown.
        detect: f64,
        /// With `rule = "within"`: how far memory may be from the baseline, as a fraction.
        within: f64,
        /// False: what was found is reported only.
        gate: bool,
        /// How long is read before the first load.
        baseline: Length,
        /// How long is read under each load.
        load: Length,
        /// How long is read after each reset.
        post: Length,
    } {}
}
