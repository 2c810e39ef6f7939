//! [`Network`]: the tests between two nodes, run one after the other, with or without a tool under test beside them.
//!
//! Which program measures is behind [`tool::NetTool`].

mod clients;
mod collect;
mod counters;
mod course;
mod iperf3;
mod names;
mod netperf;
mod ping;
mod remote;
mod socket;
mod subject;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

pub mod figures;
pub mod tool;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Driver, DriverError};
use crate::host::Node;
use crate::host::hooks::{HookError, Hooks, OnNodes, Runner};
use crate::model::spec::NetworkSpec;
use crate::model::spec::network::Level;
use crate::model::{Action, Observation};
use course::{Course, Ends};
use remote::Remote;
use subject::Subject;

/// How long the end of a trial may take beside its tool's grace and its hooks: clients and servers that end, the copy of
/// the tool's output, and nodes that do not answer meanwhile.
const STOP: Duration = Duration::from_secs(480);

/// Runs the tests of one trial.
pub struct Network {
    spec: NetworkSpec,
    logs: PathBuf,
    server: Arc<dyn Remote>,
    client: Arc<dyn Remote>,
    hooks: Hooks,
    subject: Option<Subject>,
    course: Option<Course>,
    /// True while an action is under way: one that was cut off may have left a line that still runs.
    is_busy: bool,
    /// What the next reading tells.
    pending: Observation,
}

/// Where everything of a trial runs.
struct Nodes {
    server: Arc<dyn Remote>,
    client: Arc<dyn Remote>,
    tool: Option<Arc<dyn Remote>>,
    hooks: Box<dyn Runner>,
}

impl Network {
    /// Nothing is contacted yet. `logs` is an existing directory for raw output, beside which hooks are told in
    /// `hooks.jsonl`; the paths of hooks are below `root`.
    ///
    /// # Errors
    /// [`DriverError`] for a test that its tool cannot run, or a `ready` that is no regular expression.
    pub fn open(spec: &NetworkSpec, root: &Path, logs: &Path) -> Result<Self, DriverError> {
        let (server, client) = (Node::new(&spec.server.node), Node::new(&spec.client.node));
        let tool = spec.tool.as_ref().map(|tool| Node::new(&tool.node));
        let nodes = Nodes {
            server: Arc::new(server),
            client: Arc::new(client),
            tool: tool.map(|node| -> Arc<dyn Remote> { Arc::new(node) }),
            hooks: hook_runner(spec),
        };
        Self::with(spec, root, logs, nodes)
    }

    fn with(
        spec: &NetworkSpec,
        root: &Path,
        logs: &Path,
        nodes: Nodes,
    ) -> Result<Self, DriverError> {
        for test in &spec.tests {
            Course::new(spec, test, String::new()).map_err(|error| DriverError {
                message: format!("test {}: {error}", test.name),
                ..error
            })?;
        }
        let Nodes { server, client, tool, hooks } = nodes;
        let subject = spec.tool.as_ref().zip(tool);
        let subject = subject.map(|(tool, node)| Subject::new(tool, node)).transpose()?;
        let mut hooks = Hooks::new(&spec.hooks, hooks, root);
        hooks.log_to(&logs.parent().unwrap_or(logs).join("hooks.jsonl"));
        Ok(Self {
            spec: spec.clone(),
            logs: logs.to_owned(),
            server,
            client,
            hooks,
            subject,
            course: None,
            is_busy: false,
            pending: Observation::default(),
        })
    }

    async fn start(&mut self) -> Result<(), DriverError> {
        let tool = self.spec.tool.as_ref().map_or("baseline", |tool| tool.name.as_str());
        let label = format!("{tool} {}", self.spec.environment);
        self.hooks.enter(Level::Case, &label).await.map_err(|error| failed(&error))?;
        let Some(subject) = &mut self.subject else { return Ok(()) };
        let output = names::tool_output(&self.spec.results, &stamp(Timestamp::now()));
        let readings = subject.start(output, self.spec.within.0).await?;
        self.pending.readings.extend(readings);
        Ok(())
    }

    async fn begin(&mut self, index: u32) -> Result<(), DriverError> {
        if self.course.is_some() {
            return Err(DriverError::rig("a test was to begin before the one before had ended"));
        }
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        let test = self.spec.tests.get(place);
        let test = test.ok_or_else(|| DriverError::rig(format!("there is no test {index}")))?;
        if let Some(subject) = &mut self.subject {
            subject.must_live().await?;
        }
        self.hooks.enter(Level::Test, &test.name).await.map_err(|error| failed(&error))?;
        let course = self.course.insert(Course::new(&self.spec, test, stamp(Timestamp::now()))?);
        let ends = Ends { spec: &self.spec, server: &*self.server, client: &*self.client };
        course.begin(ends).await
    }

    async fn collect(&mut self) -> Result<(), DriverError> {
        let Some(course) = &mut self.course else {
            return Err(DriverError::rig("no test runs that could end"));
        };
        let ends = Ends { spec: &self.spec, server: &*self.server, client: &*self.client };
        let collected = course.collect(ends, &self.logs).await;
        let left = self.hooks.leave(Level::Test).await.map_err(|error| failed(&error));
        // Where the tool died, that is the reason for whatever else went wrong.
        if let Some(subject) = &mut self.subject {
            subject.must_live().await?;
        }
        self.pending.absorb(collected?);
        self.course = None;
        left
    }

    /// Ends everything, whatever fails on the way; the first failure is told.
    async fn stop(&mut self, was_cut: bool) -> Result<(), DriverError> {
        if was_cut {
            self.hooks.end_lines().await;
        }
        let traffic = match &mut self.course {
            Some(course) => course.end().await,
            None => Ok(()),
        };
        if traffic.is_ok() {
            self.course = None;
        }
        let test = self.hooks.leave(Level::Test).await.map_err(|error| failed(&error));
        let subject = self.end_subject().await;
        let case = self.hooks.leave(Level::Case).await.map_err(|error| failed(&error));
        traffic.and(test).and(subject).and(case)
    }

    async fn end_subject(&mut self) -> Result<(), DriverError> {
        let Some(subject) = &mut self.subject else { return Ok(()) };
        let stopped = subject.stop(self.spec.grace.0).await;
        if subject.output.is_empty() {
            return stopped;
        }
        let results = &self.spec.results;
        let kept = collect::keep_log(&*subject.node, results, &subject.output, &self.logs).await;
        if kept.is_ok() {
            // Once; but again where the node could not be reached.
            subject.output.clear();
        }
        stopped.and(kept)
    }
}

/// Hooks may name any node of the configuration; those that name none run where the trial does.
fn hook_runner(spec: &NetworkSpec) -> Box<dyn Runner> {
    let all = spec.nodes.iter().map(Node::new).collect();
    let ends = [&spec.server.node, &spec.client.node].into_iter();
    let mut usual: Vec<String> = Vec::new();
    for node in ends.chain(spec.tool.as_ref().map(|tool| &tool.node)) {
        if !usual.contains(&node.name) {
            usual.push(node.name.clone());
        }
    }
    Box::new(OnNodes { all, usual })
}

/// Hooks are the rig.
fn failed(error: &HookError) -> DriverError {
    DriverError::rig(error.to_string())
}

#[async_trait]
impl Driver for Network {
    async fn enter(&mut self, action: &Action) -> Result<(), DriverError> {
        let was_cut = std::mem::replace(&mut self.is_busy, true);
        let entered = match *action {
            Action::Keep => Ok(()),
            Action::Stop => self.stop(was_cut).await,
            Action::Start => self.start().await,
            Action::Test(index) => self.begin(index).await,
            Action::Collect => self.collect().await,
            Action::Level(_) | Action::Reset => {
                Err(DriverError::rig("network tests have neither agents nor a reset"))
            }
        };
        self.is_busy = false;
        entered
    }

    async fn read(&mut self) -> Observation {
        // No node is asked anything here: that would be work beside the tool, on one side of the comparison alone.
        std::mem::take(&mut self.pending)
    }

    fn stop_within(&self) -> Duration {
        // What hooks began is undone here and nowhere else.
        self.spec.grace.0 + STOP + self.hooks.leave_within()
    }
}

/// When something began, in the names of its files on the nodes: `20260101_235959`, by Greenwich time.
pub(crate) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y%m%d_%H%M%S").to_string()
}
