//! Kind `network`: its configuration directory, and what it does not share with the other kinds.

use super::Resolver;
use crate::model::Kind;
use crate::model::rules::ValidityRule;
use crate::model::spec::network::TestbedSpec;
use crate::model::spec::{ProbeSpec, TargetSpec};
use crate::scenario::error::ScenarioError;
use crate::scenario::file::{ScenarioFile, TestbedFile};
use crate::scenario::network::Config;
use crate::scenario::{Scenario, Workspace};

impl Resolver<'_> {
    /// Everything below the directory that `[target.testbed]` names.
    pub(super) fn config(
        &self,
        workspace: &Workspace,
        file: &TestbedFile,
    ) -> Result<Config, ScenarioError> {
        let directory = file.config.as_ref();
        let directory =
            directory.ok_or_else(|| self.missing("target.testbed.config", "\"config/my-env\""))?;
        Config::load(&workspace.root, directory)
    }

    /// What holds of a scenario of kind network unless it says something else.
    pub(super) fn network(&self, scenario: &mut Scenario, file: &ScenarioFile) {
        if scenario.kind != Kind::Network {
            return;
        }
        // The first layer is that of the defaults, which are those of all kinds.
        let is_said =
            |key: &str| self.layers.iter().skip(1).any(|layer| layer.find(&[key]).is_some());
        if !is_said("repeat") {
            scenario.repeat = scenario.protocol.network.repeat;
        }
        if !is_said("probes") || file.probes.is_none() {
            scenario.probes = vec![ProbeSpec::Nodes];
        }
        if let Some(validity) = &mut scenario.rules.validity {
            // The nodes do the work: what else this machine does is in nobody's way. Figures of a test are read once.
            *validity = ValidityRule {
                samples: 1,
                steal: 1.0,
                throttled: 1.0,
                elsewhere: 1.0,
                ..validity.clone()
            };
        }
    }
}

/// The target of a configuration.
pub(super) fn target(config: &Config) -> TargetSpec {
    TargetSpec::Testbed(TestbedSpec {
        config: config.directory.clone(),
        nodes: config.nodes.clone(),
        watched: Vec::new(),
        tools: config.tools.clone(),
        hooks: Vec::new(),
        tool: None,
        tool_node: None,
    })
}
