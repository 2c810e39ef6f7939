//! [`TargetSpec`]: the system to bring up.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::network::TestbedSpec;
use crate::model::quantity::Length;

/// A target with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetSpec {
    /// Commands on this machine.
    Process(ProcessSpec),
    /// A Docker Compose project.
    Compose(ComposeSpec),
    /// Hosts and virtual machines over SSH.
    Testbed(TestbedSpec),
}

impl TargetSpec {
    /// The word used in scenario files and trial ids.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Process(_) => "process",
            Self::Compose(_) => "compose",
            Self::Testbed(_) => "testbed",
        }
    }

    /// The command to run once per run before the target first comes up.
    #[must_use]
    pub fn build(&self) -> Option<&str> {
        match self {
            Self::Process(spec) => spec.build.as_deref(),
            Self::Compose(spec) => spec.build.as_deref(),
            Self::Testbed(_) => None,
        }
    }
}

/// Commands on this machine, started in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessSpec {
    /// Shell command run once per run, from the workspace root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// The services, started in this order and stopped in the reverse one.
    #[serde(default)]
    pub service: Vec<Service>,
}

/// One command that stays up for a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The name under which results list it.
    pub name: String,
    /// Program and arguments; a program with a slash is relative to the workspace root.
    pub command: Vec<String>,
    /// Environment variables added to the harness's own.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Working directory, relative to the workspace root, which is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<PathBuf>,
    /// When it counts as up. Without it: as soon as it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<Ready>,
}

/// When a target counts as up. All the conditions that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// A GET of this URL answers with a 2xx status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    /// A TCP connection to this `host:port` is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<String>,
    /// A line of the output matches this regular expression (process targets).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// This command exits with 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Every container is healthy, running without a health check, or a one-shot that exited with 0 (Compose targets, where it is the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<bool>,
    /// How long to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Length>,
}

/// A Docker Compose project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComposeSpec {
    /// Shell command run once per run, from the workspace root: builds what the images need.
    pub build: Option<String>,
    /// Compose files, relative to the workspace root; later ones override.
    pub files: Vec<PathBuf>,
    /// Profiles to enable.
    pub profiles: Vec<String>,
    /// A file of variables for the Compose files, relative to the workspace root.
    pub env_file: Option<PathBuf>,
    /// Services to watch; empty is all.
    pub services: Vec<String>,
    /// When it counts as up.
    pub ready: Ready,
    /// How often to start from nothing.
    pub clean: Clean,
    /// Use the running project of this name (`project`, else the Compose default); never stop or wipe it.
    pub attach: bool,
    /// The project to attach to.
    pub project: Option<String>,
    /// Variables passed to Compose.
    pub env: BTreeMap<String, String>,
}

/// How often a Compose target starts from nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Clean {
    /// Before every trial, with empty volumes.
    Trial,
    /// Before the first trial of the run.
    Once,
    /// Never: volumes survive from run to run.
    Never,
}
