//! [`Workflow::validate`]: refuses a workflow file that cannot be meant.

use std::collections::BTreeSet;

use super::workflow::{Cycle, CycleType, GlobalConfig, Workflow};
use crate::model::Params;
use crate::model::spec::network::{Flow, Test, Topic};

/// What is wrong with a workflow file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", place(.cycle))]
pub struct WorkflowError {
    /// The cycle that is at fault, where one is.
    pub cycle: Option<String>,
    /// What is wrong and what was expected.
    pub message: String,
}

fn place(cycle: &Option<String>) -> String {
    cycle.as_ref().map(|cycle| format!("cycle {cycle}: ")).unwrap_or_default()
}

impl Workflow {
    /// Refuses cycles without tests, of one name, or compared with what they cannot be compared with.
    ///
    /// # Errors
    /// [`WorkflowError`] that names the cycle.
    pub fn validate(&self) -> Result<(), WorkflowError> {
        let whole = |message: String| Err(WorkflowError { cycle: None, message });
        let count = self.test_sequence.len();
        if count == 0 {
            return whole("test_sequence is empty: expected at least one cycle".to_owned());
        }
        if self.metadata.total_test_cycles != count {
            return whole(format!(
                "metadata.total_test_cycles is {}, and test_sequence has {count} cycles",
                self.metadata.total_test_cycles
            ));
        }
        if self.proofload.repeat < 2 {
            return whole(format!(
                "proofload.repeat is {}: expected at least 2 blocks",
                self.proofload.repeat
            ));
        }
        if let Some((topic, limit)) =
            self.proofload.limits.iter().find(|(_, limit)| !(**limit > 0.0 && **limit < 1.0))
        {
            return whole(format!(
                "proofload.limits: expected a fraction above 0 and below 1 of {topic:?}, found {limit}"
            ));
        }
        for topic in [Topic::Throughput, Topic::Latency, Topic::Pps] {
            if !self.proofload.limits.contains_key(&topic) {
                return whole(format!("proofload.limits: expected a fraction of {topic:?} too"));
            }
        }
        let mut ids = BTreeSet::new();
        let mut params = BTreeSet::new();
        for cycle in &self.test_sequence {
            let refused = |message: String| {
                Err(WorkflowError { cycle: Some(cycle.cycle_id.clone()), message })
            };
            if cycle.cycle_id.is_empty() || !ids.insert(&cycle.cycle_id) {
                return refused("expected a cycle_id of its own".to_owned());
            }
            let own = Params(cycle.proofload.params.0.clone()).to_string();
            if !params.insert(own.clone()) {
                return refused(format!("another cycle has the parameters {own} too"));
            }
            self.cycle_is_sound(cycle).or_else(refused)?;
        }
        self.global_is_sound().or_else(whole)
    }

    /// What all cycles share is for readers and is not run: it must say what is.
    fn global_is_sound(&self) -> Result<(), String> {
        let expected = GlobalConfig::of(&self.proofload.testbed, &self.test_sequence);
        let found = &self.global_config;
        if found.ssh_hosts != expected.ssh_hosts {
            return Err(
                "global_config.ssh_hosts and proofload.testbed.nodes differ: change both, and the nodes of the cycles"
                    .to_owned(),
            );
        }
        if found.performance_specs != expected.performance_specs {
            let specs = &expected.performance_specs;
            let differs = |name: &&str| found.performance_specs.get(name) != specs.get(name);
            let names: Vec<&str> =
                specs.names().chain(found.performance_specs.names()).filter(differs).collect();
            return Err(format!(
                "global_config.performance_specs and proofload.network.tests of the cycles differ, or their order does: change both ({})",
                names.first().unwrap_or(&"order")
            ));
        }
        Ok(())
    }

    fn cycle_is_sound(&self, cycle: &Cycle) -> Result<(), String> {
        let network = &cycle.proofload.network;
        let environment = &cycle.environment;
        if network.environment != *environment {
            return Err(format!(
                "it is of environment {environment}, and proofload.network of {}",
                network.environment
            ));
        }
        if network.tests.is_empty() {
            return Err("it has no tests".to_owned());
        }
        tests_are_sound(&network.tests)?;
        let nodes = || self.proofload.testbed.nodes.iter();
        let used = [
            Some(&network.server.node),
            Some(&network.client.node),
            network.tool.as_ref().map(|tool| &tool.node),
        ];
        for node in used.into_iter().flatten() {
            if !nodes().any(|known| known == node) {
                let known: Vec<&str> = nodes().map(|node| node.name.as_str()).collect();
                return Err(format!(
                    "node {:?} is not one of proofload.testbed.nodes ({})",
                    node.name,
                    known.join(", ")
                ));
            }
        }
        if cycle.result_path.is_empty() || !network.results.ends_with(&cycle.result_path) {
            return Err(format!(
                "result_path {:?} is not where proofload.network.results {:?} ends",
                cycle.result_path, network.results
            ));
        }
        match (cycle.cycle_type, &cycle.ebpf_case, &network.tool) {
            (CycleType::Baseline, None, None) => Ok(()),
            (CycleType::Baseline, ..) => {
                Err("a baseline has no tool: expected neither ebpf_case nor proofload.network.tool"
                    .to_owned())
            }
            (CycleType::EbpfTest, Some(case), Some(tool)) => {
                if case.command != tool.command {
                    return Err(
                        "ebpf_case.command and proofload.network.tool.command differ: change both"
                            .to_owned(),
                    );
                }
                if case.environment != *environment {
                    return Err(format!(
                        "it is of environment {environment}, and its ebpf_case of {}",
                        case.environment
                    ));
                }
                self.baseline_is_sound(cycle)
            }
            (CycleType::EbpfTest, ..) => {
                Err("expected an ebpf_case and a proofload.network.tool".to_owned())
            }
        }
    }

    /// A tool is compared with the baseline of its own environment, on the same ends and by the same tests.
    fn baseline_is_sound(&self, cycle: &Cycle) -> Result<(), String> {
        let name = cycle.proofload.baseline.as_deref().unwrap_or_default();
        let baseline = self.cycle(name).filter(|other| other.cycle_type == CycleType::Baseline);
        let baseline = baseline.ok_or_else(|| {
            format!("its baseline {name:?} is no baseline cycle of this workflow")
        })?;
        if baseline.environment != cycle.environment {
            return Err(format!(
                "a tool of environment {} cannot be compared with {name}, of environment {}",
                cycle.environment, baseline.environment
            ));
        }
        let (own, other) = (&cycle.proofload.network, &baseline.proofload.network);
        if (&own.server, &own.client, &own.tests) != (&other.server, &other.client, &other.tests) {
            return Err(format!(
                "its ends or its tests are not those of {name}, with which it is compared"
            ));
        }
        if own.hooks != other.hooks {
            return Err(format!(
                "its hooks are not those of {name}, with which it is compared: change both"
            ));
        }
        if (own.within, own.grace) != (other.within, other.grace) {
            return Err(format!(
                "its `within` or `grace` is not that of {name}, with which it is compared: change both"
            ));
        }
        Ok(())
    }
}

/// Every test has its own name and does something.
fn tests_are_sound(tests: &[Test]) -> Result<(), String> {
    let mut names = BTreeSet::new();
    for test in tests {
        if test.name.is_empty() || !names.insert(&test.name) {
            return Err(format!("test {:?}: expected a name of its own", test.name));
        }
        let beside = test.beside.iter().map(|beside| &beside.flow);
        let is_nothing =
            |flow: &Flow| flow.processes == 0 || flow.streams == 0 || flow.length.0.is_zero();
        if [&test.flow].into_iter().chain(beside).any(is_nothing) {
            return Err(format!(
                "test {:?}: expected at least one process, one stream and a length above 0",
                test.name
            ));
        }
    }
    Ok(())
}
