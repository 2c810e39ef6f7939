//! What of a workflow file is for readers and is not run: it must say what is.

use super::build::expected_duration;
use super::validate::WorkflowError;
use super::workflow::{Cycle, GlobalConfig, Metadata, Monitoring, TestCycle, Workflow};
use crate::scenario::network::expand::tool_name;

impl Workflow {
    /// Refuses copies for readers that differ from what stands below `proofload`, which is run.
    ///
    /// # Errors
    /// [`WorkflowError`] that names both.
    pub(super) fn readable_is_run(&self) -> Result<(), WorkflowError> {
        let whole = |message: String| Err(WorkflowError { cycle: None, message });
        let expected = Metadata::of(&self.test_sequence);
        let (environments, source) = (&self.metadata.environments, &self.metadata.source);
        same("metadata.environments", environments, &expected.environments).or_else(whole)?;
        same("metadata.source", source, &expected.source).or_else(whole)?;
        self.global_is_run().or_else(whole)?;
        for cycle in &self.test_sequence {
            self.cycle_is_run(cycle).map_err(|message| WorkflowError {
                cycle: Some(cycle.cycle_id.clone()),
                message,
            })?;
        }
        Ok(())
    }

    fn global_is_run(&self) -> Result<(), String> {
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

    fn cycle_is_run(&self, cycle: &Cycle) -> Result<(), String> {
        let network = &cycle.proofload.network;
        let expected = TestCycle::of(network);
        let TestCycle { init_hook, performance_tests, post_hook } = &cycle.test_cycle;
        same("test_cycle.performance_tests", performance_tests, &expected.performance_tests)?;
        same("test_cycle.init_hook.tasks", &init_hook.tasks, &expected.init_hook.tasks)?;
        same("test_cycle.post_hook.tasks", &post_hook.tasks, &expected.post_hook.tasks)?;
        let expected = Monitoring::of(cycle.cycle_type, self.proofload.interval);
        let Monitoring { enabled, interval } = &cycle.monitoring_config;
        same("monitoring_config.enabled", enabled, &expected.enabled)?;
        same("monitoring_config.interval", &interval.to_string(), &expected.interval.to_string())?;
        self.case_is_run(cycle)?;
        let (alone, repeat) = (cycle.proofload.alone, self.proofload.repeat);
        let seconds = expected_duration(network, cycle.cycle_type, alone, repeat);
        // A reader may have rounded it.
        match (cycle.expected_duration - seconds).abs() < 1.0 {
            true => Ok(()),
            false => same("expected_duration", &cycle.expected_duration, &seconds),
        }
    }

    fn case_is_run(&self, cycle: &Cycle) -> Result<(), String> {
        let params = &cycle.proofload.params;
        let param = |name: &str, default: &str| {
            params.get(name).map_or_else(|| default.to_owned(), ToString::to_string)
        };
        let environment = &cycle.environment;
        same("environment", environment, &param("environment", ""))?;
        let (Some(case), Some(tool)) = (&cycle.ebpf_case, &cycle.proofload.network.tool) else {
            return same("proofload.params.tool", &param("tool", ""), &"baseline".to_owned());
        };
        same("ebpf_case.tool", &case.tool, &tool.name)?;
        same("ebpf_case.tool", &case.tool, &param("tool", ""))?;
        same("the tool of ebpf_case.script", &tool_name(&case.script), &tool.name)?;
        same("ebpf_case.category", &case.category, &param("category", ""))?;
        let test_params = &case.test_params;
        same("ebpf_case.test_params.protocol", &test_params.protocol, &param("protocol", "tcp"))?;
        same("ebpf_case.test_params.direction", &test_params.direction, &param("direction", "rx"))?;
        // With a matrix, its parameters follow.
        let rest = tool.case.strip_prefix(&case.name);
        match rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_')) {
            true => Ok(()),
            false => same("ebpf_case.name", &case.name, &tool.case),
        }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(key: &str, found: &T, run: &T) -> Result<(), String> {
    if found == run {
        return Ok(());
    }
    Err(format!("{key} is {found:?}, and what is run below proofload is {run:?}: change both"))
}
