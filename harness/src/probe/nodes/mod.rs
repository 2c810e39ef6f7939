//! The probe [`Nodes`]: the hosts and virtual machines of a testbed, and the tool under test on them, over SSH.
//!
//! A shell that stays open on each node prints what the kernel says; everything is worked out here. Rates are taken over the
//! node's own clock, which tells 10 ms apart, so that the way back and forth bears on none of them.

mod answer;
mod script;
mod tool;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;

use super::Probe;
use super::host::Times;
use super::missed::Missed;
use super::procfs::TICKS;
use crate::host::Node;
use crate::host::node::Session;
use crate::host::quote::quote;
use crate::model::metric::{
    CPU_TIME, CPU_USAGE, FAULTS_MAJOR, FAULTS_MINOR, LOG_SIZE, MEMORY_RSS, MEMORY_VIRTUAL,
    NODE_CPU_BUSY, NODE_CPUS, PROCESSES,
};
use crate::model::spec::network::TOOL;
use crate::model::{Handle, Incident, Member, Metric, Observation, Reading};
use answer::Answer;
use script::{END, script};
use tool::Tree;

/// How long a node may take to answer; a tick waits for the slowest.
const WITHIN: Duration = Duration::from_secs(2);
/// Over less time than two ticks of the clock a rate says nothing.
const LEAST: f64 = 0.02;

/// Reads the nodes among the members of a target.
pub(super) struct Nodes {
    watched: Vec<Watched>,
    missed: Missed,
}

/// One node, and what it said before.
struct Watched {
    name: Arc<str>,
    node: Node,
    /// Its processes are listed.
    for_tool: bool,
    /// Opened when it is first asked, and anew after a failure.
    session: Option<Session>,
    /// Bytes of a page, which the node says once.
    page: Option<u64>,
    before: Option<(f64, Times)>,
    tool: Tree,
}

impl Nodes {
    /// Gets ready to read the nodes among the members; nothing is contacted yet.
    pub(super) fn open(members: &[Member]) -> Self {
        let watched = members.iter().filter_map(|member| match &member.handle {
            Handle::Node { node, for_tool } => Some(Watched {
                name: Arc::clone(&member.name),
                node: Node::new(node),
                for_tool: *for_tool,
                session: None,
                page: None,
                before: None,
                tool: Tree::default(),
            }),
            Handle::Process { .. } | Handle::Container { .. } => None,
        });
        Self { watched: watched.collect(), missed: Missed::default() }
    }

    /// What the nodes answered, as readings.
    fn observe(&mut self, answers: Vec<Result<String, String>>) -> Observation {
        let mut observation = Observation::default();
        for (watched, answer) in self.watched.iter_mut().zip(answers) {
            match answer.and_then(|text| watched.take(&text)) {
                Ok(readings) => {
                    self.missed.found(&watched.name, "node");
                    observation.readings.extend(readings);
                }
                Err(why) => {
                    let lost = self.missed.lost(&watched.name, "node", why);
                    observation.incidents.extend::<Option<Incident>>(lost);
                }
            }
        }
        observation
    }
}

impl Watched {
    async fn ask(&mut self) -> Result<String, String> {
        let line = {
            let record = format!("{}/{TOOL}.group", self.node.state_dir());
            let record = quote(&record).ok_or("the node's workdir holds a NUL")?;
            let listed = self.for_tool.then(|| (&*record, self.tool.known()));
            script(listed, self.page.is_none())
        };
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.node.session().map_err(|error| error.to_string())?,
        };
        let text = session.ask(&line, END, WITHIN).await.map_err(|error| error.to_string())?;
        self.session = Some(session);
        Ok(text)
    }

    /// The readings of the node, and those of the tool where its processes are listed.
    fn take(&mut self, text: &str) -> Result<Vec<Reading>, String> {
        let answer = Answer::parse(text)?;
        self.page = self.page.or(answer.page);
        let mut readings = Vec::new();
        let mut add =
            |metric: &Metric, value| readings.push(Reading::new(metric, &self.name, value));
        add(&NODE_CPUS, f64::from(answer.times.cpus));
        let elapsed = self.before.map_or(0.0, |(then, _)| answer.uptime - then);
        if let Some((_, before)) = self.before.filter(|_| elapsed >= LEAST) {
            let busy = answer.times.busy.saturating_sub(before.busy);
            add(&NODE_CPU_BUSY, busy as f64 / TICKS / elapsed);
        }
        if self.before.is_none() || !(0.0..LEAST).contains(&elapsed) {
            self.before = Some((answer.uptime, answer.times));
        }
        if let Some(tool) = answer.tool {
            let page = self.page.ok_or("the node does not say how large its pages are")?;
            readings.extend(self.tool.update(&tool, answer.uptime, page, &Arc::from(TOOL)));
        }
        Ok(readings)
    }
}

#[async_trait]
impl Probe for Nodes {
    fn metrics(&self) -> Vec<Metric> {
        vec![
            NODE_CPU_BUSY,
            NODE_CPUS,
            CPU_USAGE,
            CPU_TIME,
            MEMORY_RSS,
            MEMORY_VIRTUAL,
            FAULTS_MINOR,
            FAULTS_MAJOR,
            LOG_SIZE,
            PROCESSES,
        ]
    }

    async fn read(&mut self) -> Observation {
        let answers = join_all(self.watched.iter_mut().map(Watched::ask)).await;
        self.observe(answers)
    }
}

#[cfg(test)]
mod tests;
