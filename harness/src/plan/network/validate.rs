//! [`Workflow::validate`]: refuses a workflow file that cannot be meant.

use std::collections::BTreeSet;

use super::RESULTS;
use super::workflow::{Cycle, CycleType, Workflow};
use crate::model::Params;
use crate::model::quantity::Length;
use crate::model::spec::network::{Hook, Level, NodeSpec, Test, TestbedSpec, Topic};
use crate::scenario::network::sound::{self, PARAMS};

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
    /// Refuses what a scenario could not ask for, cycles that are compared with what they cannot be compared with, and
    /// what readers see and is not run.
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
        let origin = &self.proofload;
        let place = |key: &str, sound: Result<(), String>| {
            sound.map_err(|message| format!("proofload.{key}: {message}")).or_else(whole)
        };
        place("repeat", sound::repeat(origin.repeat))?;
        place("interval", sound::time(origin.interval))?;
        for (topic, limit) in &origin.limits {
            place(&format!("limits of {topic:?}"), sound::limit(*limit))?;
        }
        let TestbedSpec { hooks, nodes, .. } = &origin.testbed;
        place("testbed.hooks", hooks_are_sound(hooks, |level| level <= Level::Tool, nodes))?;
        for topic in [Topic::Throughput, Topic::Latency, Topic::Pps] {
            if !origin.limits.contains_key(&topic) {
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
        self.readable_is_run()
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
        tests_are_sound(&network.tests, self.proofload.interval)?;
        let place = |key: &str, sound: Result<(), String>| {
            sound.map_err(|message| format!("{key}: {message}"))
        };
        place("proofload.network.within", sound::time(network.within))?;
        place("proofload.network.grace", sound::time(network.grace))?;
        place("result_path", sound::below(&cycle.result_path))?;
        place("proofload.network.results", sound::below(&network.results))?;
        for (name, value) in &cycle.proofload.params.0 {
            let sound = match PARAMS.contains(&name.as_str()) {
                true => sound::part(&value.to_string()),
                false => sound::param(name, value),
            };
            place("proofload.params", sound)?;
        }
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
        if network.nodes != self.proofload.testbed.nodes {
            return Err("proofload.network.nodes and proofload.testbed.nodes differ: change both"
                .to_owned());
        }
        place(
            "proofload.network.hooks",
            hooks_are_sound(&network.hooks, |level| level >= Level::Case, &network.nodes),
        )?;
        if network.results != format!("{RESULTS}/{}", cycle.result_path) {
            return Err(format!(
                "proofload.network.results is {:?}: expected {RESULTS}/ and result_path, which is {:?}",
                network.results, cycle.result_path
            ));
        }
        match (cycle.cycle_type, &cycle.ebpf_case, &network.tool) {
            (CycleType::Baseline, None, None) => Ok(()),
            (CycleType::Baseline, ..) => {
                Err("a baseline has no tool: expected neither ebpf_case nor proofload.network.tool"
                    .to_owned())
            }
            (CycleType::EbpfTest, Some(case), Some(tool)) => {
                if tool.command.trim().is_empty() {
                    return Err("proofload.network.tool.command is empty: expected a line for the node's shell".to_owned());
                }
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

/// Every test can be run, and is what a scenario may ask for too.
fn tests_are_sound(tests: &[Test], interval: Length) -> Result<(), String> {
    for (index, test) in tests.iter().enumerate() {
        let at = |key: &str, message: String| {
            format!("proofload.network.tests[{index}]{key}, {:?}: {message}", test.name)
        };
        let beside = test.beside.iter().map(|beside| (".beside", &beside.tool, &beside.flow));
        for (of, tool, flow) in std::iter::once(("", &test.tool, &test.flow)).chain(beside) {
            sound::tool(tool).map_err(|message| at(&format!("{of}.tool"), message))?;
            sound::flow(flow).map_err(|(key, message)| at(&format!("{of}.flow.{key}"), message))?;
        }
        sound::test(test, &tests[..index], interval).map_err(|message| at("", message))?;
    }
    Ok(())
}

/// Hooks of the wrong level would never run.
fn hooks_are_sound(
    hooks: &[Hook],
    belongs: impl Fn(Level) -> bool,
    nodes: &[NodeSpec],
) -> Result<(), String> {
    for hook in hooks {
        if !belongs(hook.level) {
            return Err(format!(
                "hook {:?} is of level {:?}: levels global and tool are the testbed's, case and test the cycle's",
                hook.name, hook.level
            ));
        }
        sound::hook(hook, nodes).map_err(|(key, message)| format!("{key}: {message}"))?;
    }
    Ok(())
}
