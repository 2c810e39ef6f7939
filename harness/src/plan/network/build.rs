//! From a scenario to its [`Workflow`].

use std::collections::BTreeMap;

use super::path::result_path;
use super::workflow::{
    Cycle, CycleType, EbpfCase, GlobalConfig, Host, Metadata, Monitoring, Origin, OwnCycle, Tasks,
    TestCycle, TestParams, Workflow,
};
use crate::model::quantity::Length;
use crate::model::spec::TargetSpec;
use crate::model::spec::network::{
    Hook, Level, NetworkSpec, NodeSpec, Test, TestbedSpec, Tool, Topic,
};
use crate::model::{Param, Params, template};
use crate::plan::combinations;
use crate::scenario::Scenario;
use crate::scenario::network::config::{Config, Configured, Ends};
use crate::scenario::network::expand::tool_name;
use crate::scenario::network::{Ordered, flows, selection};

/// The directory of raw output in a node's workdir.
pub(crate) const RESULTS: &str = "performance-test-results";

impl Workflow {
    /// All that a scenario of kind network asks for; nothing of any other.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        let mut all = Vec::new();
        if let Some(config) = &scenario.network {
            // The scenario was checked: every combination has its tests.
            let combinations: Vec<(Params, Vec<Test>)> = combinations(&scenario.matrix)
                .into_iter()
                .map(|params| {
                    let tests = flows::tests(&scenario.protocol.network, &params);
                    (params, tests.unwrap_or_default())
                })
                .collect();
            let builder = Builder { scenario, config, combinations };
            all.extend(builder.baselines());
            all.extend(builder.cases());
        }
        let origin = origin(scenario);
        Self {
            metadata: Metadata::of(&all),
            global_config: GlobalConfig::of(&origin.testbed, &all),
            test_sequence: all,
            proofload: origin,
        }
    }
}

impl Metadata {
    /// What these cycles are; when it was written is for the writer to say.
    pub(super) fn of(cycles: &[Cycle]) -> Self {
        let mut environments: Vec<String> = Vec::new();
        for cycle in cycles {
            if !environments.contains(&cycle.environment) {
                environments.push(cycle.environment.clone());
            }
        }
        let has_case = cycles.iter().any(|cycle| cycle.cycle_type == CycleType::EbpfTest);
        let source = if has_case { "unified_test_cases" } else { "baseline_only" };
        Self {
            generation_time: None,
            total_test_cycles: cycles.len(),
            environments,
            source: source.to_owned(),
        }
    }
}

impl TestCycle {
    /// What is done in a cycle of these tests and hooks.
    pub(super) fn of(network: &NetworkSpec) -> Self {
        let mut tests: Vec<BTreeMap<Topic, Vec<String>>> = Vec::new();
        for test in &network.tests {
            match tests.iter_mut().find_map(|topic| topic.get_mut(&test.topic)) {
                Some(names) => names.push(test.name.clone()),
                None => tests.push(BTreeMap::from([(test.topic, vec![test.name.clone()])])),
            }
        }
        let tasks = |named: fn(&Hook) -> bool| {
            let hooks = network.hooks.iter().filter(|hook| named(hook));
            Tasks { tasks: hooks.map(|hook| hook.name.clone()).collect() }
        };
        Self {
            init_hook: tasks(|hook| hook.init.is_some()),
            performance_tests: tests,
            post_hook: tasks(|hook| hook.post.is_some()),
        }
    }
}

impl Monitoring {
    /// What is watched in a cycle.
    pub(super) fn of(cycle_type: CycleType, interval: Length) -> Self {
        Self { enabled: cycle_type == CycleType::EbpfTest, interval }
    }
}

/// How long the tests of a cycle take in all walks, in seconds. `alone` says that a baseline is run on its own too.
pub(super) fn expected_duration(
    network: &NetworkSpec,
    cycle_type: CycleType,
    alone: bool,
    repeat: u32,
) -> f64 {
    let walks = match cycle_type {
        CycleType::Baseline => u32::from(alone),
        // A block is two pairs, and a pair is two walks.
        CycleType::EbpfTest => 4,
    };
    let seconds: f64 = network.tests.iter().map(|test| test.flow.seconds()).sum();
    seconds * f64::from(walks) * f64::from(repeat)
}

impl GlobalConfig {
    /// What these nodes and cycles share.
    pub(super) fn of(testbed: &TestbedSpec, cycles: &[Cycle]) -> Self {
        let host = |node: &NodeSpec| {
            (node.name.clone(), Host { host: node.ssh.clone(), workdir: node.workdir.clone() })
        };
        let mut specs = Ordered::default();
        for test in cycles.iter().flat_map(|cycle| &cycle.proofload.network.tests) {
            if specs.get(&test.name).is_none() {
                specs.0.push((test.name.clone(), test.flow.clone()));
            }
        }
        Self { ssh_hosts: testbed.nodes.iter().map(host).collect(), performance_specs: specs }
    }
}

fn origin(scenario: &Scenario) -> Origin {
    let network = &scenario.protocol.network;
    let mut testbed = match scenario.targets.first() {
        Some(TargetSpec::Testbed(spec)) => spec.clone(),
        _ => TestbedSpec {
            config: std::path::PathBuf::new(),
            nodes: Vec::new(),
            watched: Vec::new(),
            tools: None,
            hooks: Vec::new(),
            tool: None,
            tool_node: None,
        },
    };
    testbed.hooks = hooks(scenario, &Params::default(), |level| level <= Level::Tool);
    Origin {
        scenario: scenario.name.clone(),
        description: scenario.description.clone(),
        testbed,
        probes: scenario.probes.clone(),
        interval: network.interval,
        repeat: scenario.repeat,
        budget: network.budget,
        rules: scenario.rules.clone(),
        limits: BTreeMap::from([
            (Topic::Throughput, network.throughput_degradation),
            (Topic::Latency, network.latency_degradation),
            (Topic::Pps, network.pps_degradation),
        ]),
    }
}

/// The hooks of some levels, their placeholders filled in.
fn hooks(scenario: &Scenario, params: &Params, wanted: impl Fn(Level) -> bool) -> Vec<Hook> {
    let value = |name: &str| params.get(name).map(ToString::to_string);
    let fill = |line: &Option<String>| {
        let line = line.as_ref()?;
        Some(template::render(line, &[], value).unwrap_or_else(|_| line.clone()))
    };
    let hooks = scenario.protocol.network.hook.iter().filter(|hook| wanted(hook.level));
    hooks
        .map(|hook| Hook { init: fill(&hook.init), post: fill(&hook.post), ..hook.clone() })
        .collect()
}

struct Builder<'a> {
    scenario: &'a Scenario,
    config: &'a Config,
    /// Of the matrix, with the tests of each.
    combinations: Vec<(Params, Vec<Test>)>,
}

impl Builder<'_> {
    /// One per environment that is run at all.
    fn baselines(&self) -> Vec<Cycle> {
        let select = &self.scenario.protocol.network.select;
        let alone = self.scenario.protocol.network.baseline;
        let chosen = selection::selected(self.config, select);
        let is_wanted = |ends: &&Ends| {
            let has_case = chosen.iter().any(|one| one.case.environment == ends.environment);
            has_case || alone && selection::keeps_environment(select, &ends.environment)
        };
        let mut cycles = Vec::new();
        for ends in self.config.pairs.iter().filter(is_wanted) {
            for (matrix, tests) in &self.combinations {
                let params = own("baseline", None, &ends.environment);
                let path = format!("baseline/{}", ends.environment);
                let network = self.network(ends, matrix, tests, None, &path);
                let id = with_matrix(&format!("baseline_{}", ends.environment), matrix);
                let own =
                    OwnCycle { params: chained(params, matrix), baseline: None, alone, network };
                cycles.push(self.cycle(id, CycleType::Baseline, None, path, own));
            }
        }
        cycles
    }

    fn cases(&self) -> Vec<Cycle> {
        let select = &self.scenario.protocol.network.select;
        let mut cycles = Vec::new();
        for one in selection::selected(self.config, select) {
            // A case without a pair was refused.
            let Some(ends) = self.config.ends(&one.case.environment) else { continue };
            for (matrix, tests) in &self.combinations {
                cycles.push(self.case(one, ends, matrix, tests));
            }
        }
        cycles
    }

    fn case(&self, one: &Configured, ends: &Ends, matrix: &Params, tests: &[Test]) -> Cycle {
        let Configured { case, node, ready, settle } = one;
        let name = tool_name(&case.script);
        let test_params = test_params(&case.parameters, matrix);
        let path = result_path(&name, case.id, &test_params, &case.environment);
        let tool = Tool {
            name: name.clone(),
            case: with_matrix(&case.name, matrix),
            node: node.clone(),
            command: case.command.clone(),
            ready: ready.clone(),
            settle: settle.unwrap_or(self.scenario.protocol.network.settle),
        };
        let mut params = own(&name, Some(&case.category), &case.environment);
        for first in ["protocol", "direction"] {
            if let Some(value) = case.parameters.get(first) {
                params = params.with(first, value.clone());
            }
        }
        for (name, value) in &case.parameters.0 {
            if params.get(name).is_none() {
                params = params.with(name, value.clone());
            }
        }
        let own = OwnCycle {
            params: chained(params, matrix),
            baseline: Some(with_matrix(&format!("baseline_{}", case.environment), matrix)),
            alone: true,
            network: self.network(ends, matrix, tests, Some(tool), &path),
        };
        let ebpf = EbpfCase {
            case_id: case.id,
            name: case.name.clone(),
            tool: name.clone(),
            script: case.script.clone(),
            category: case.category.clone(),
            environment: case.environment.clone(),
            command: case.command.clone(),
            test_params,
        };
        let id = with_matrix(&format!("{name}_case_{}_{}", case.id, case.environment), matrix);
        self.cycle(id, CycleType::EbpfTest, Some(ebpf), path, own)
    }

    fn network(
        &self,
        ends: &Ends,
        matrix: &Params,
        tests: &[Test],
        tool: Option<Tool>,
        path: &str,
    ) -> NetworkSpec {
        let protocol = &self.scenario.protocol.network;
        NetworkSpec {
            environment: ends.environment.clone(),
            server: ends.server.clone(),
            client: ends.client.clone(),
            tests: tests.to_vec(),
            tool,
            nodes: self.config.nodes.clone(),
            hooks: hooks(self.scenario, matrix, |level| level >= Level::Case),
            results: format!("{RESULTS}/{path}"),
            within: protocol.within,
            grace: protocol.grace,
        }
    }

    fn cycle(
        &self,
        cycle_id: String,
        cycle_type: CycleType,
        ebpf_case: Option<EbpfCase>,
        result_path: String,
        proofload: OwnCycle,
    ) -> Cycle {
        let network = &proofload.network;
        Cycle {
            cycle_id,
            environment: network.environment.clone(),
            test_cycle: TestCycle::of(network),
            monitoring_config: Monitoring::of(cycle_type, self.scenario.protocol.network.interval),
            cycle_type,
            ebpf_case,
            expected_duration: expected_duration(
                network,
                cycle_type,
                proofload.alone,
                self.scenario.repeat,
            ),
            result_path,
            proofload,
        }
    }
}

/// What tells a cycle apart, before the parameters of its case.
fn own(tool: &str, category: Option<&str>, environment: &str) -> Params {
    let text = |text: &str| Param::Text(text.to_owned());
    let mut own = Params::default().with("tool", text(tool));
    if let Some(category) = category {
        own = own.with("category", text(category));
    }
    own.with("environment", text(environment))
}

/// The parameters of a cycle: its own, then those of the matrix.
fn chained(mut own: Params, matrix: &Params) -> Ordered<Param> {
    own.0.extend(matrix.0.iter().cloned());
    Ordered(own.0)
}

/// The original knows no matrix, and nothing more of a case: its id tells it apart.
fn test_params(case: &Ordered<Param>, matrix: &Params) -> TestParams {
    let or = |name: &str, default: &str| {
        case.get(name).map_or_else(|| default.to_owned(), ToString::to_string)
    };
    let extra: Vec<String> =
        matrix.0.iter().map(|(name, value)| format!("{name}_{value}")).collect();
    TestParams {
        protocol: or("protocol", "tcp"),
        direction: or("direction", "rx"),
        extra: extra.join("_"),
    }
}

/// An id that also tells combinations of the matrix apart.
fn with_matrix(id: &str, matrix: &Params) -> String {
    matrix.0.iter().fold(id.to_owned(), |id, (name, value)| format!("{id}_{name}_{value}"))
}
