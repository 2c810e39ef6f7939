//! [`Subject`]: the tool under test: started before the traffic, looked at before and after each test, and ended.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;
use tokio::time::Instant;

use super::DriverError;
use super::remote::{BRIEF, Group, Remote, lost, tail, word};
use crate::host::node::{GroupState, Stopped};
use crate::host::{Check, wait_for};
use crate::model::Reading;
use crate::model::metric::{TOOL_STARTUP_CPU, TOOL_STARTUP_TIME};
use crate::model::quantity::Length;
use crate::model::spec::network::{TOOL, Tool};

const POLL: Duration = Duration::from_millis(50);

/// How much of its output is looked through for the line that says that it is ready, in bytes.
const LOOKED_THROUGH: u32 = 256 * 1024;

/// The tool under test of a trial.
pub(super) struct Subject {
    pub(super) node: Arc<dyn Remote>,
    /// Its output, relative to the node's workdir.
    pub(super) output: String,
    tool: Tool,
    source: Arc<str>,
    ready: Option<Regex>,
    group: Option<Box<dyn Group>>,
    /// Its end has been told.
    dead: bool,
}

impl Subject {
    /// Nothing is started yet.
    pub(super) fn new(tool: &Tool, node: Arc<dyn Remote>) -> Result<Self, DriverError> {
        let ready =
            tool.ready.as_deref().map(Regex::new).transpose().map_err(|error| {
                DriverError::rig(format!("`ready` of tool {}: {error}", tool.name))
            })?;
        Ok(Self {
            node,
            output: String::new(),
            tool: tool.clone(),
            source: tool.name.as_str().into(),
            ready,
            group: None,
            dead: false,
        })
    }

    /// Starts it and waits until it is ready; gives what that cost. `within` is for both.
    pub(super) async fn start(
        &mut self,
        output: String,
        within: Duration,
    ) -> Result<Vec<Reading>, DriverError> {
        self.output = output;
        let began = Instant::now();
        // Known before it runs, so that it is ended also where this is cut off.
        self.group = Some(self.node.group(TOOL));
        let started = self.node.start(TOOL, &self.tool.command, &self.output).await;
        let group = &*self.group.insert(started.map_err(|error| lost(&error))?);
        let subject = (&*self.node, self.output.as_str(), &**group);
        let ready = match &self.ready {
            Some(line) => wait_for(within, POLL, || says(subject, line)).await,
            None => {
                wait_for(self.tool.settle.0 + BRIEF, POLL, || {
                    lives(&**group, began, self.tool.settle.0)
                })
                .await
            }
        };
        let took = began.elapsed();
        if let Err(error) = ready {
            let (name, node) = (&self.tool.name, self.node.name());
            let tail = tail(&*self.node, &self.output).await;
            let message = format!("tool {name} on {node} did not become ready: {error}:{tail}");
            return Err(DriverError::system(message));
        }
        let session = group.session();
        let mut readings = Vec::new();
        if self.ready.is_some() {
            // Without a line to wait for, the time would be that which was waited.
            readings.push(Reading::new(&TOOL_STARTUP_TIME, &self.source, took.as_secs_f64()));
        }
        let line = "getconf CLK_TCK && cat /proc/[0-9]*/stat 2>/dev/null; :";
        let printed = self.node.run(line, BRIEF).await.map_err(|error| lost(&error))?;
        let spent = processor_time(&printed.stdout, session);
        readings.extend(spent.map(|spent| Reading::new(&TOOL_STARTUP_CPU, &self.source, spent)));
        Ok(readings)
    }

    /// Fails where it does not live, and tells how it died.
    pub(super) async fn must_live(&mut self) -> Result<(), DriverError> {
        let name = &self.tool.name;
        if self.dead {
            return Err(DriverError::system(format!("tool {name} ended before the traffic did")));
        }
        let Some(group) = self.group.as_deref() else { return Ok(()) };
        let how = match group.state().await {
            // A node that does not answer now is told by whatever is asked of it next.
            Ok(GroupState::Running) | Err(_) => return Ok(()),
            Ok(GroupState::Ended(code)) => format!("with exit status {code}"),
            Ok(GroupState::Unknown) => "without a trace".to_owned(),
        };
        self.dead = true;
        let (tail, node) = (tail(&*self.node, &self.output).await, self.node.name());
        Err(DriverError::system(format!(
            "tool {name}: it ended on {node} before the traffic did, {how}:{tail}"
        )))
    }

    /// Ends it. It may be called again.
    pub(super) async fn stop(&mut self, grace: Duration) -> Result<(), DriverError> {
        let Some(group) = &self.group else { return Ok(()) };
        let stopped = group.stop(grace).await.map_err(|error| lost(&error))?;
        self.group = None;
        let (name, node) = (&self.tool.name, self.node.name());
        match stopped {
            Stopped::InTime => Ok(()),
            Stopped::Before if self.dead => Ok(()),
            Stopped::Before => {
                let tail = tail(&*self.node, &self.output).await;
                let message = format!("tool {name} on {node} ended before it was stopped:{tail}");
                Err(DriverError::system(message))
            }
            Stopped::Killed => {
                let grace = Length(grace);
                let message = format!(
                    "tool {name} on {node} did not end within {grace} of SIGTERM and was killed"
                );
                Err(DriverError::system(message))
            }
        }
    }
}

/// Whether it printed a line that says that it is ready.
async fn says((node, output, group): (&dyn Remote, &str, &dyn Group), ready: &Regex) -> Check<()> {
    // Before the output is read: what it printed and then ended is seen.
    let state = group.state().await;
    let Ok(file) = word(output) else { return Check::Failed("no such file".to_owned()) };
    match node.run(&format!("head -c {LOOKED_THROUGH} -- {file}"), BRIEF).await {
        Err(error) => return Check::NotYet(error.to_string()),
        Ok(printed) if printed.code != 0 => return Check::NotYet(printed.stderr),
        Ok(printed) => {
            let running = matches!(state, Ok(GroupState::Running));
            if running && printed.stdout.lines().any(|line| ready.is_match(line)) {
                return Check::Ready(());
            }
        }
    }
    match state {
        Ok(GroupState::Running) => {
            Check::NotYet(format!("no line of its output matches `{ready}`"))
        }
        Ok(GroupState::Ended(code)) => Check::Failed(format!("it ended with exit status {code}")),
        Ok(GroupState::Unknown) => Check::Failed("it ended without a trace".to_owned()),
        Err(error) => Check::NotYet(error.to_string()),
    }
}

/// Whether it has lived for long enough.
async fn lives(group: &dyn Group, began: Instant, settle: Duration) -> Check<()> {
    match group.state().await {
        Ok(GroupState::Running) if began.elapsed() >= settle => Check::Ready(()),
        Ok(GroupState::Running) => Check::NotYet("it has just been started".to_owned()),
        Ok(GroupState::Ended(code)) => Check::Failed(format!("it ended with exit status {code}")),
        Ok(GroupState::Unknown) => Check::Failed("it ended without a trace".to_owned()),
        Err(error) => Check::NotYet(error.to_string()),
    }
}

/// The processor seconds of a session, of what it started elsewhere (as sudo does, which may use a session of its own),
/// and of the children of all these that were waited for, from the clock's ticks per second and the `stat` files of all
/// processes.
#[expect(clippy::cast_precision_loss, reason = "ticks of a start")]
fn processor_time(printed: &str, session: u32) -> Option<f64> {
    let (ticks, processes) = printed.split_once('\n')?;
    let per_second: f64 = ticks.trim().parse().ok().filter(|ticks| *ticks > 0.0)?;
    // Pid, parent, session, ticks. The name between the first two may hold anything, parentheses too.
    let process = |line: &str| {
        let (pid, rest) = (line.split(' ').next()?.parse().ok()?, line.rsplit_once(") ")?.1);
        let fields: Vec<&str> = rest.split(' ').collect();
        let number = |at: usize| fields.get(at)?.parse::<u32>().ok();
        let spent = fields.get(11..15)?.iter().map(|text| text.parse::<u64>().ok());
        Some((pid, number(1)?, number(3)?, spent.sum::<Option<u64>>()?))
    };
    let processes: Vec<(u32, u32, u32, u64)> = processes.lines().filter_map(process).collect();
    let mut tree: BTreeSet<u32> =
        processes.iter().filter(|(.., of, _)| *of == session).map(|(pid, ..)| *pid).collect();
    let mut before = 0;
    while before < tree.len() {
        before = tree.len();
        let children = processes.iter().filter(|(_, parent, ..)| tree.contains(parent));
        let children: Vec<u32> = children.map(|(pid, ..)| *pid).collect();
        tree.extend(children);
    }
    let own = processes.iter().filter(|(pid, ..)| tree.contains(pid));
    (before > 0).then(|| own.map(|(.., spent)| spent).sum::<u64>() as f64 / per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_time_of_a_start_is_that_of_its_session() {
        let printed = "100\n\
            7 (a) b) S 1 7 7 0 -1 4 1 2 3 4 150 30 12 8 20 0 1 0 99 0\n\
            9 (sh) S 7 7 7 0 -1 4 1 2 3 4 100 0 0 0 20 0 1 0 99 0\n\
            11 (sh) S 1 11 11 0 -1 4 1 2 3 4 9999 0 0 0 20 0 1 0 99 0\n\
            13 (python3) S 12 12 12 0 -1 4 1 2 3 4 50 0 0 0 20 0 1 0 99 0\n\
            12 (sudo) S 9 12 12 0 -1 4 1 2 3 4 50 0 0 0 20 0 1 0 99 0\n";
        assert_eq!(processor_time(printed, 7), Some(4.0));
        assert_eq!(processor_time(printed, 8), None);
        assert_eq!(processor_time("", 7), None);
    }
}
