//! [`RemoteGroup`]: a command that stays up on a node, with all that it started.
//!
//! Its record is the file `<name>.group` in [`Node::state_dir`], one line: the session's id, which is the leader's pid,
//! the leader's start time (ticks since boot), the supervisor's pid and start time, the boot id, and the output's path.
//! Once the leader ended there is an empty file `<name>.exit.<code>` beside it.

use std::time::Duration;

use super::ending::{Ending, Scope};
use super::script::{self, As};
use super::{GROUP, Node, NodeError};

/// How long an operation on a node may take, beside what it waits for.
pub(super) const OPERATION: Duration = Duration::from_secs(30);

/// A command that stays up on a node, with all that it started.
#[derive(Clone, Debug)]
pub struct RemoteGroup {
    node: Node,
    name: String,
    session: u32,
}

/// What a group is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupState {
    /// Its leader runs.
    Running,
    /// Its leader ended, with this exit code; -1 where nobody could write it down, as its supervisor was killed.
    Ended(i32),
    /// There is none of that name.
    Unknown,
}

/// How a group ended that was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// By itself, before it was asked.
    Before,
    /// Within its grace.
    InTime,
    /// Only when it was killed.
    Killed,
}

impl Node {
    /// Starts a line of the node's shell in a session of its own and leaves it running, its input empty, in the node's
    /// workdir, which is made if missing. Its output goes to the file `output` on the node (relative to the workdir),
    /// which is emptied first. `name` is unique among the run's groups that run on the node: letters, digits, `-_.`.
    ///
    /// # Errors
    /// [`NodeError`] when the node cannot be reached, a group of that name runs, or files cannot be written there.
    pub async fn start(
        &self,
        name: &str,
        line: &str,
        output: &str,
    ) -> Result<RemoteGroup, NodeError> {
        if !super::is_plain(name) || output.contains('\n') {
            return Err(
                self.error(format!("`{name}` cannot name a group with its output in `{output}`"))
            );
        }
        let supervise = script::with_functions(script::SUPERVISE);
        let state = self.state_dir();
        let mark = self.mark(&format!("{GROUP}:{name}"));
        let args = [&self.spec.workdir, &state, name, output, line, &mark, &supervise];
        let start = self.operation(script::START, As::User, &args)?;
        let started = self.exec(&start, OPERATION).await?;
        match started.stdout.trim_end().split_once(' ') {
            Some(("started", session)) if session.parse::<u32>().is_ok() => {
                let session = session.parse().unwrap_or_default();
                Ok(RemoteGroup { node: self.clone(), name: name.to_owned(), session })
            }
            Some(("failed", reason)) => {
                Err(self.error(format!("`{line}` cannot be started: {reason}")))
            }
            _ => Err(self.unexpected("start", &started)),
        }
    }
}

impl Node {
    /// The group of that name of this run, whether it is known to have been started or not; its session is not known.
    #[must_use]
    pub fn group(&self, name: &str) -> RemoteGroup {
        RemoteGroup { node: self.clone(), name: name.to_owned(), session: 0 }
    }
}

impl RemoteGroup {
    /// The name that it was started by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of its session and the pid of its leader; 0 where it was not started through this value.
    #[must_use]
    pub fn session(&self) -> u32 {
        self.session
    }

    /// What it is doing.
    ///
    /// # Errors
    /// [`NodeError`] when the node cannot be reached.
    pub async fn state(&self) -> Result<GroupState, NodeError> {
        let args = [self.node.state_dir(), self.name.clone()];
        let line = self.node.operation(script::STATE, As::User, &[&args[0], &args[1]])?;
        let said = self.node.exec(&line, OPERATION).await?;
        match said.stdout.trim_end().split_once(' ') {
            Some(("ended", code)) if code.parse::<i32>().is_ok() => {
                Ok(GroupState::Ended(code.parse().unwrap_or(-1)))
            }
            None if said.stdout == "running\n" => Ok(GroupState::Running),
            None if said.stdout == "unknown\n" => Ok(GroupState::Unknown),
            _ => Err(self.node.unexpected("state", &said)),
        }
    }

    /// Asks every process of the session, all that they started and all that carries the group's mark to end, by id,
    /// kills after `grace` what has not, and waits until all are gone.
    ///
    /// # Errors
    /// [`NodeError`] when the node cannot be reached, or names what does not end even when killed.
    pub async fn stop(&self, grace: Duration) -> Result<Stopped, NodeError> {
        let node = &self.node;
        let ending = Ending { grace, ..Ending::of(Scope::Group(&self.name)) };
        let ended = node.end(&ending).await?;
        Ok(match (ended.processes.is_empty(), ended.killed) {
            (true, _) => Stopped::Before,
            (false, false) => Stopped::InTime,
            (false, true) => Stopped::Killed,
        })
    }
}
