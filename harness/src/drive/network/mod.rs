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

use async_trait::async_trait;

use super::{Driver, DriverError};
use crate::host::Node;
use crate::model::spec::NetworkSpec;
use crate::model::{Action, Observation};
use course::{Course, Ends};
use remote::Remote;
use subject::Subject;

/// Runs the tests of one trial.
pub struct Network {
    spec: NetworkSpec,
    logs: PathBuf,
    nodes: Nodes,
    subject: Option<Subject>,
    course: Option<Course>,
    /// What the next reading tells.
    pending: Observation,
}

/// The ends of the traffic.
struct Nodes {
    server: Arc<dyn Remote>,
    client: Arc<dyn Remote>,
}

impl Network {
    /// Nothing is contacted yet. `logs` is an existing directory for raw output.
    ///
    /// # Errors
    /// [`DriverError`] for a test that its tool cannot run, or a `ready` that is no regular expression.
    pub fn open(spec: &NetworkSpec, logs: &Path) -> Result<Self, DriverError> {
        let node = |spec| -> Arc<dyn Remote> { Arc::new(Node::new(spec)) };
        let nodes = Nodes { server: node(&spec.server.node), client: node(&spec.client.node) };
        let tool = spec.tool.as_ref().map(|tool| node(&tool.node));
        Self::with(spec, logs, nodes, tool)
    }

    fn with(
        spec: &NetworkSpec,
        logs: &Path,
        nodes: Nodes,
        beside: Option<Arc<dyn Remote>>,
    ) -> Result<Self, DriverError> {
        for test in &spec.tests {
            Course::new(spec, test, String::new()).map_err(|error| DriverError {
                message: format!("test {}: {error}", test.name),
                ..error
            })?;
        }
        let subject = spec.tool.as_ref().zip(beside);
        let subject = subject.map(|(tool, node)| Subject::new(tool, node)).transpose()?;
        let (spec, logs) = (spec.clone(), logs.to_owned());
        Ok(Self { spec, logs, nodes, subject, course: None, pending: Observation::default() })
    }

    async fn start(&mut self) -> Result<(), DriverError> {
        let Some(subject) = &mut self.subject else { return Ok(()) };
        let output = names::tool_output(&self.spec.results, &stamp());
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
        let course = self.course.insert(Course::new(&self.spec, test, stamp())?);
        let Nodes { server, client } = &self.nodes;
        course.begin(Ends { spec: &self.spec, server: &**server, client: &**client }).await
    }

    async fn collect(&mut self) -> Result<(), DriverError> {
        let Some(course) = &mut self.course else {
            return Err(DriverError::rig("no test runs that could end"));
        };
        let Nodes { server, client } = &self.nodes;
        let ends = Ends { spec: &self.spec, server: &**server, client: &**client };
        let collected = course.collect(ends, &self.logs).await;
        // Where the tool died, that is the reason for whatever else went wrong.
        if let Some(subject) = &mut self.subject {
            subject.must_live().await?;
        }
        self.pending.absorb(collected?);
        self.course = None;
        Ok(())
    }

    /// Ends everything, whatever fails on the way; the first failure is told.
    async fn stop(&mut self) -> Result<(), DriverError> {
        let traffic = match &mut self.course {
            Some(course) => course.end().await,
            None => Ok(()),
        };
        if traffic.is_ok() {
            self.course = None;
        }
        let Some(subject) = &mut self.subject else { return traffic };
        let stopped = subject.stop(self.spec.grace.0).await;
        let kept = match std::mem::take(&mut subject.output) {
            output if output.is_empty() => Ok(()),
            output => collect::keep(&*subject.node, &self.spec.results, &[output], &self.logs)
                .await
                .map(drop),
        };
        traffic.and(stopped).and(kept)
    }
}

#[async_trait]
impl Driver for Network {
    async fn enter(&mut self, action: &Action) -> Result<(), DriverError> {
        match *action {
            Action::Keep => Ok(()),
            Action::Start => self.start().await,
            Action::Test(index) => self.begin(index).await,
            Action::Collect => self.collect().await,
            Action::Stop => self.stop().await,
            Action::Level(_) | Action::Reset => {
                Err(DriverError::rig("network tests have neither agents nor a reset"))
            }
        }
    }

    async fn read(&mut self) -> Observation {
        let mut seen = std::mem::take(&mut self.pending);
        if let Some(subject) = &mut self.subject {
            seen.incidents.extend(subject.look().await);
        }
        seen
    }
}

/// Now, in the names of files: `20260101_235959`, by Greenwich time.
fn stamp() -> String {
    jiff::Timestamp::now().strftime("%Y%m%d_%H%M%S").to_string()
}
