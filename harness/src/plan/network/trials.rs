//! From a [`Workflow`] to its trials.

use std::time::Duration;

use super::workflow::{Cycle, CycleType, Workflow};
use crate::model::rules::{AbMetric, AbRule};
use crate::model::spec::network::{NetworkSpec, Test, TestbedSpec};
use crate::model::spec::{DriverSpec, TargetSpec};
use crate::model::{Action, Kind, Param, Params, Phase, Rules, Severity, Stat};
use crate::plan::{Comparison, Trial};
use crate::scenario::Ab;

/// The shortest phase that is read: once.
const ONCE: Duration = Duration::from_millis(1);
/// The pairs of a block: baseline, tool, tool, baseline.
const BLOCK: u32 = 2;

impl Workflow {
    /// The trials of a valid workflow, in its order: a baseline as often as it says, a case as one comparison.
    /// `unavailable` says why they cannot run.
    #[must_use]
    pub fn trials(&self, unavailable: Option<&str>) -> Vec<Trial> {
        let mut trials = Vec::new();
        for cycle in self.test_sequence.iter().filter(|cycle| cycle.proofload.alone) {
            match cycle.cycle_type {
                CycleType::Baseline => {
                    let repeats = self.proofload.repeat;
                    trials.extend((1..=repeats).map(|repeat| {
                        let mut trial = self.walk(cycle, Params::default(), unavailable);
                        trial.id = format!("{}::r={repeat}", trial.id);
                        trial.repeat = repeat;
                        trial
                    }));
                }
                CycleType::EbpfTest => {
                    // One without was refused.
                    let baseline = cycle.proofload.baseline.as_deref();
                    let baseline = baseline.and_then(|baseline| self.cycle(baseline));
                    trials.extend(baseline.map(|a| self.comparison(a, cycle, unavailable)));
                }
            }
        }
        trials
    }

    /// One walk of a cycle, with these names of its side.
    fn walk(&self, cycle: &Cycle, side: Params, unavailable: Option<&str>) -> Trial {
        let origin = &self.proofload;
        let params = Params(cycle.proofload.params.0.clone());
        let name = format!("{}::{}", Kind::Network, origin.scenario);
        let network = &cycle.proofload.network;
        Trial {
            id: format!("{name}::{params}"),
            name,
            scenario: origin.scenario.clone(),
            kind: Kind::Network,
            description: origin.description.clone(),
            target: TargetSpec::Testbed(TestbedSpec {
                tool: cycle.ebpf_case.as_ref().map(|case| case.tool.clone()),
                watched: watched(network),
                tool_node: network.tool.as_ref().map(|tool| tool.node.name.clone()),
                ..origin.testbed.clone()
            }),
            driver: Some(DriverSpec::Network(network.clone())),
            probes: origin.probes.clone(),
            params,
            total_agents: None,
            side,
            repeat: 1,
            phases: phases(&network.tests, origin.interval.0),
            rules: origin.rules.clone(),
            comparison: None,
            unavailable: unavailable.map(str::to_owned),
        }
    }

    /// The trial that compares a baseline and a case.
    fn comparison(&self, baseline: &Cycle, cycle: &Cycle, unavailable: Option<&str>) -> Trial {
        let [a, b] = [("a", baseline), ("b", cycle)].map(|(word, own)| {
            let value = Param::Text(word.to_owned());
            let side = Params::default().with(Ab::SIDE, value.clone());
            // Both sides are called what the case is called: they are two runs of one thing.
            let network = own.proofload.network.clone();
            let mut trial = self.walk(cycle, side, unavailable);
            trial.driver = Some(DriverSpec::Network(network));
            trial.id = format!("{}::{}={word}", trial.id, Ab::SIDE);
            trial.params = trial.params.with(Ab::SIDE, value);
            trial.rules = self.rules(&cycle.proofload.network.tests);
            trial
        });
        let id = a.id.strip_suffix("::ab=a").unwrap_or(&a.id).to_owned();
        let params = Params(cycle.proofload.params.0.clone());
        let comparison = Comparison {
            a: a.clone(),
            b,
            budget: self.proofload.budget.0,
            budget_key: "network.budget",
            block: BLOCK,
            warmup: false,
        };
        Trial { id, params, side: Params::default(), comparison: Some(Box::new(comparison)), ..a }
    }

    /// The rules of a comparison: each test by the figure that it is about, and the limit of that.
    fn rules(&self, tests: &[Test]) -> Rules {
        let limits = &self.proofload.limits;
        let metric = |test: &Test| {
            let limit = limits.get(&test.topic).copied();
            AbMetric {
                metric: test.topic.metric().id().to_owned(),
                source: Some(test.name.clone()),
                stat: Stat::Mean,
                severity: Severity::Warn,
                min_effect: limit,
                margin: limit,
                priors: std::collections::BTreeMap::new(),
            }
        };
        let metrics = tests.iter().map(metric);
        // Every metric has its own; a workflow without limits was refused.
        let least = limits.values().copied().reduce(f64::min).unwrap_or_default();
        Rules {
            ab: Some(AbRule {
                looks: vec![BLOCK * self.proofload.repeat],
                min_effect: least,
                margin: least,
                within: None,
                metrics: metrics.collect(),
            }),
            ..self.proofload.rules.clone()
        }
    }
}

/// The nodes that a cycle is read on: that of the tool, and the ends. What runs on a node and is read on one side of a
/// comparison is read on the other too, so that reading bears on both alike.
fn watched(network: &NetworkSpec) -> Vec<String> {
    let tool = network.tool.as_ref().map(|tool| &tool.node);
    let mut names: Vec<String> = Vec::new();
    for node in [&network.server.node, &network.client.node].into_iter().chain(tool) {
        if !names.contains(&node.name) {
            names.push(node.name.clone());
        }
    }
    names
}

/// The tool's start, then each test and its figures, then the end.
fn phases(tests: &[Test], interval: Duration) -> Vec<Phase> {
    let phase = |name: &str, enter, length, sampled| Phase {
        name: name.to_owned(),
        cycle: 0,
        enter,
        length,
        sampled,
        interval,
    };
    let mut phases = vec![phase("start", Action::Start, ONCE, true)];
    for (place, test) in (0..).zip(tests) {
        let length = Duration::from_secs_f64(test.flow.seconds());
        phases.push(phase(&test.name, Action::Test(place), length, true));
        phases.push(phase(&test.name, Action::Collect, ONCE, true));
    }
    phases.push(phase("stop", Action::Stop, Duration::ZERO, false));
    phases
}
