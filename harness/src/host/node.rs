//! [`Node`]: a host or virtual machine on which commands are run, over the system's `ssh`.
//!
//! A node runs lines for its shell. [`Node::run`] waits for the end; [`Node::start`] leaves a [`RemoteGroup`] running, in a
//! session of its own, whose id is kept on the node. All that a run leaves on a node carries the run's mark, by which the
//! next run finds and ends it.

use std::time::Duration;

use crate::model::spec::network::NodeSpec;

/// A node, as one run reaches it. Cheap to clone; all clones share a connection once [`Node::connect`] was called on one.
#[derive(Clone, Debug)]
pub struct Node {
    spec: NodeSpec,
}

/// How a command on a node ended and what it printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteOutput {
    /// Its exit code; 128 and more where a signal ended it, as the shell says.
    pub code: i32,
    /// What it printed to its standard output.
    pub stdout: String,
    /// What it printed to its standard error.
    pub stderr: String,
}

/// A node that cannot be reached, or a command on it that could not be carried out to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{node}: {message}")]
pub struct NodeError {
    /// The node's name.
    pub node: String,
    /// What failed and what to try; a lower-case fragment.
    pub message: String,
}

/// A command that stays up on a node, with all that it started.
#[derive(Clone, Debug)]
pub struct RemoteGroup {
    node: Node,
    name: String,
}

/// What a group is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupState {
    /// Its leader runs.
    Running,
    /// Its leader ended, with this exit code.
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
    /// The node of that specification; nothing is contacted.
    #[must_use]
    pub fn new(spec: &NodeSpec) -> Self {
        Self { spec: spec.clone() }
    }

    /// Its specification.
    #[must_use]
    pub fn spec(&self) -> &NodeSpec {
        &self.spec
    }

    /// SEAM
    #[must_use]
    pub fn state_dir(&self) -> String {
        self.spec.workdir.clone()
    }

    /// Runs a line of the node's shell to its end, for no longer than `within`. Its exit code is no error.
    ///
    /// # Errors
    /// [`NodeError`] when the node cannot be reached, or the line does not end in time; it is then ended.
    pub async fn run(&self, line: &str, within: Duration) -> Result<RemoteOutput, NodeError> {
        let _ = (line, within);
        Err(self.error("commands cannot be run on nodes"))
    }

    /// Starts a line of the node's shell in a session of its own and leaves it running; its output goes to the file
    /// `output` on the node. `name` is unique among the run's groups on the node.
    ///
    /// # Errors
    /// [`NodeError`] when the node cannot be reached.
    pub async fn start(
        &self,
        name: &str,
        line: &str,
        output: &str,
    ) -> Result<RemoteGroup, NodeError> {
        let _ = (line, output);
        let _ = RemoteGroup { node: self.clone(), name: name.to_owned() };
        Err(self.error("commands cannot be started on nodes"))
    }

    fn error(&self, message: &str) -> NodeError {
        NodeError { node: self.spec.name.clone(), message: message.to_owned() }
    }
}

impl RemoteGroup {
    /// What it is doing.
    ///
    /// # Errors
    /// [`NodeError`] when the node cannot be reached.
    pub async fn state(&self) -> Result<GroupState, NodeError> {
        Err(self.node.error(&self.name))
    }

    /// Asks every process of the session to end, by id, kills after `grace` what has not, and waits until all are gone.
    ///
    /// # Errors
    /// [`NodeError`] when the node cannot be reached, or names what does not end even when killed.
    pub async fn stop(&self, grace: Duration) -> Result<Stopped, NodeError> {
        let _ = grace;
        Err(self.node.error(&self.name))
    }
}
