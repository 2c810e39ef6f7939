//! [`Workflow`]: what will be run, as a file.
//!
//! The keys are those of the framework that Proofload succeeds, for its readers; what stands below `proofload` is ours,
//! and is all that a run needs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::quantity::Length;
use crate::model::spec::ProbeSpec;
use crate::model::spec::network::{Flow, NetworkSpec, TestbedSpec, Topic};
use crate::model::{Param, Rules};
use crate::scenario::network::Ordered;

/// Everything that will be run, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// What it is.
    pub metadata: Metadata,
    /// What all cycles share.
    pub global_config: GlobalConfig,
    /// The baselines first, then every case.
    pub test_sequence: Vec<Cycle>,
    /// What the scenario says; ours.
    pub proofload: Origin,
}

/// What a workflow is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// When it was written, RFC 3339; absent where it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_time: Option<String>,
    /// How many cycles follow.
    pub total_test_cycles: usize,
    /// Those of the cycles.
    pub environments: Vec<String>,
    /// `unified_test_cases`, or `baseline_only` where no case is selected.
    pub source: String,
}

/// What all cycles share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalConfig {
    /// How nodes are reached.
    pub ssh_hosts: Ordered<Host>,
    /// What each test asks for, by its name.
    pub performance_specs: Ordered<Flow>,
}

/// How a node is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// As `ssh` takes it.
    pub host: String,
    /// The directory below which everything is written.
    pub workdir: String,
}

/// A baseline, or one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cycle {
    /// `baseline_<env>` or `<tool>_case_<id>_<env>`, with the parameters of the matrix.
    pub cycle_id: String,
    /// Which of the two.
    pub cycle_type: CycleType,
    /// `host` or `vm`.
    pub environment: String,
    /// The tool and its parameters, of a case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ebpf_case: Option<EbpfCase>,
    /// What is done.
    pub test_cycle: TestCycle,
    /// What is watched meanwhile.
    pub monitoring_config: Monitoring,
    /// How long its tests take in all walks, in seconds; starting and ending things comes on top.
    pub expected_duration: f64,
    /// Where raw output is kept on the nodes, below the results of the workdir.
    pub result_path: String,
    /// All that is needed to run it; ours.
    pub proofload: OwnCycle,
}

/// What a cycle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CycleType {
    /// Without a tool.
    Baseline,
    /// With a tool.
    EbpfTest,
}

/// The tool of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EbpfCase {
    /// From 1, in the order of the template.
    pub case_id: u32,
    /// The script without its extension, and the parameters.
    pub name: String,
    /// The script without its extension.
    pub tool: String,
    /// The script's file name.
    pub script: String,
    /// The category, which is also the script's directory.
    pub category: String,
    /// `host` or `vm`.
    pub environment: String,
    /// A line for the node's shell.
    pub command: String,
    /// What its result path is made from.
    pub test_params: TestParams,
}

/// The parameters that a result path is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestParams {
    /// `tcp` where the case has none.
    pub protocol: String,
    /// `rx` where the case has none.
    pub direction: String,
    /// The parameters of the matrix as `name_value`; empty without one, as it is in the original.
    pub extra: String,
}

/// What is done in a cycle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestCycle {
    /// Names of hooks, before.
    pub init_hook: Tasks,
    /// Names of tests, by what they are about.
    pub performance_tests: Vec<BTreeMap<Topic, Vec<String>>>,
    /// Names of hooks, after.
    pub post_hook: Tasks,
}

/// Names of hooks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tasks {
    /// In order.
    pub tasks: Vec<String>,
}

/// What is watched in a cycle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Monitoring {
    /// True where a tool runs.
    pub enabled: bool,
    /// Between two readings.
    pub interval: Length,
}

/// What the scenario says of all cycles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The scenario file's stem.
    pub scenario: String,
    /// One line for reports.
    pub description: String,
    /// The nodes, and the hooks around everything.
    pub testbed: TestbedSpec,
    /// What reads them.
    pub probes: Vec<ProbeSpec>,
    /// Between two samples.
    pub interval: Length,
    /// Blocks of a comparison, and walks of a baseline.
    pub repeat: u32,
    /// No further pair of a comparison is begun after this time.
    pub budget: Length,
    /// What every trial is judged by; comparisons have [`Origin::limits`] too.
    pub rules: Rules,
    /// By how much each kind of figure may be worse with a tool, as a fraction.
    pub limits: BTreeMap<Topic, f64>,
}

/// What a cycle needs to be run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnCycle {
    /// What tells its trial apart.
    pub params: Ordered<Param>,
    /// The cycle that its tool is compared with; absent of a baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// False: it is run only in comparisons.
    pub alone: bool,
    /// The tests, the ends and the tool.
    pub network: NetworkSpec,
}

impl Workflow {
    /// Reads a file's text; see [`Workflow::validate`].
    ///
    /// # Errors
    /// A sentence with the line.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The text of its file.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The cycle of that id.
    #[must_use]
    pub fn cycle(&self, id: &str) -> Option<&Cycle> {
        self.test_sequence.iter().find(|cycle| cycle.cycle_id == id)
    }
}
