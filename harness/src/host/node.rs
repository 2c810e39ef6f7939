//! [`Node`]: a host or virtual machine on which commands are run, over the system's `ssh`.
//!
//! A node runs lines for its shell. [`Node::run`] waits for the end; [`Node::start`] leaves a [`RemoteGroup`] running, in a
//! session of its own, whose id is kept on the node. All that a run leaves on a node carries the run's mark, by which the
//! next run finds and ends it.

mod client;
mod connection;
mod ending;
mod explain;
mod files;
mod group;
mod script;
mod session;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub use connection::Connection;
pub use group::{GroupState, RemoteGroup, Stopped};
pub use session::Session;

use tokio::time::Instant;

use super::owner::{Owner, short_hash};
use super::{CommandError, command};
use crate::model::quantity::Length;
use crate::model::spec::network::NodeSpec;
use ending::{Ending, Scope};
use script::Reply;

/// The variable that marks what a run started on a node: `<owner>:<node>:<kind>:<name>:`.
const MARK: &str = "PROOFLOAD_REMOTE";

/// Groups, in their marks.
const GROUP: &str = "group";
/// The lines of a trial, which leave nothing behind it.
const RUN: &str = "run";
/// The lines around trials: what they leave in the background stays for those trials.
const AROUND: &str = "around";

/// How long a node is asked again and again that does not answer, as its connection was lost.
pub(super) const RETRY: Duration = Duration::from_secs(10);
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// What runs in place of a line that must not run outside the workdir.
const OUTSIDE: &str = "echo 'the workdir cannot be entered' >&2; exit 1";

/// A node, as one run reaches it. Cheap to clone; all nodes of one specification share a connection while one of them
/// holds what [`Node::connect`] returned. Lines run in the workdir, where it is there already, with the programs of the
/// administrator on `PATH` as well.
#[derive(Clone, Debug)]
pub struct Node {
    spec: NodeSpec,
    owner: Owner,
    control: PathBuf,
    /// What its lines are, in their marks: [`RUN`], or [`AROUND`] trials.
    lines: &'static str,
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

impl Node {
    /// The node of that specification; nothing is contacted.
    #[must_use]
    pub fn new(spec: &NodeSpec) -> Self {
        Self::of(spec, Owner::current())
    }

    fn of(spec: &NodeSpec, owner: &Owner) -> Self {
        let control = client::control_path(spec, owner);
        Self { spec: spec.clone(), owner: owner.clone(), control, lines: RUN }
    }

    /// The same node for lines around trials: what they leave in the background is not ended with a trial.
    #[must_use]
    pub fn around(&self) -> Self {
        Self { lines: AROUND, ..self.clone() }
    }

    /// Its specification.
    #[must_use]
    pub fn spec(&self) -> &NodeSpec {
        &self.spec
    }

    /// The directory on the node where this run keeps the records of its groups; see [`RemoteGroup`]'s module for them.
    #[must_use]
    pub fn state_dir(&self) -> String {
        format!("{}/{}/{}", self.state_base(), self.owner, self.key())
    }

    /// Runs a line of the node's shell to its end, for no longer than `within`. Its exit code is no error. What it
    /// leaves behind with its output open is waited for too; what is to stay up is for [`Node::start`].
    ///
    /// # Errors
    /// [`NodeError`] when the node cannot be reached, or the line does not end in time; it is then ended.
    pub async fn run(&self, line: &str, within: Duration) -> Result<RemoteOutput, NodeError> {
        self.run_or(line, "", within).await
    }

    /// As [`Node::run`], but fails with an exit code where the workdir cannot be entered, in place of running the line
    /// elsewhere.
    ///
    /// # Errors
    /// As [`Node::run`].
    pub async fn run_inside(
        &self,
        line: &str,
        within: Duration,
    ) -> Result<RemoteOutput, NodeError> {
        self.run_or(line, OUTSIDE, within).await
    }

    /// Runs `outside`, where it is not empty, in place of `line` where the workdir cannot be entered.
    async fn run_or(
        &self,
        line: &str,
        outside: &str,
        within: Duration,
    ) -> Result<RemoteOutput, NodeError> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let mark = self.mark(&format!("{}:{}", self.lines, NEXT.fetch_add(1, Ordering::Relaxed)));
        let mut cut = Cut { node: self, mark: Some(mark.clone()) };
        let ended = self.attempt(line, outside, &mark, within).await;
        if ended.as_ref().is_err_and(|failed| failed.goes_on) {
            // If the node cannot be reached now, the next sweep finds it.
            let _ = self.end(&Ending::of(Scope::Line(&mark))).await;
        }
        cut.mark = None;
        ended.map_err(|failed| failed.error)
    }

    /// Runs a line of our own, which ends by itself and carries no mark.
    async fn exec(&self, line: &str, within: Duration) -> Result<RemoteOutput, NodeError> {
        self.attempt(line, "", "", within).await.map_err(|failed| failed.error)
    }

    async fn attempt(
        &self,
        line: &str,
        outside: &str,
        mark: &str,
        within: Duration,
    ) -> Result<RemoteOutput, Failed> {
        let failed = |goes_on, message: String| Failed { goes_on, error: self.error(message) };
        let workdir = &self.spec.workdir;
        if !workdir.starts_with('/') {
            return Err(failed(false, format!("workdir `{workdir}` must be an absolute path")));
        }
        let nonce = self.nonce();
        let command = script::wrapped(&nonce, mark, workdir, line, outside)
            .map_err(|message| failed(false, message))?;
        let command = client::client(&self.spec, &self.control, &command);
        let short = shortened(line);
        let ended = match command::run(&command, within).await {
            Ok(ended) => ended,
            Err(CommandError::TimedOut { tail, .. }) => {
                let tail = tail.lines().filter(|line| !line.contains(&nonce)).collect::<Vec<_>>();
                let (within, tail) = (Length(within), tail.join("\n"));
                let message = format!("`{short}` did not end within {within}; it printed:{tail}");
                return Err(failed(true, message));
            }
            Err(error) => return Err(failed(false, connection::not_started(&error))),
        };
        match script::reply(&nonce, &ended.stdout, &ended.stderr) {
            // With its end told, its output may still have been under way.
            Reply::Ended(output) if ended.status.success() => Ok(output),
            Reply::Ended(_) | Reply::Cut => {
                let why = explain::explain(&ended.stderr.replace(&nonce, ""));
                Err(failed(true, format!("the connection was lost while `{short}` ran: {why}")))
            }
            Reply::None if ended.status.code() == Some(255) => {
                Err(failed(false, explain::explain(&ended.stderr)))
            }
            Reply::None => Err(failed(
                false,
                format!(
                    "its shell did not run `{short}` ({}); it printed:{}",
                    ended.status,
                    ended.tail()
                ),
            )),
        }
    }

    /// What tells the output of one line from whatever else is printed.
    fn nonce(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        format!("proofload:{}:{}", self.owner, NEXT.fetch_add(1, Ordering::Relaxed))
    }

    fn state_base(&self) -> String {
        format!("{}/.proofload", self.spec.workdir.trim_end_matches('/'))
    }

    /// The beginning of all marks of a kind of things that this run starts on this node.
    fn mark(&self, kind: &str) -> String {
        let end = if kind.is_empty() { "" } else { ":" };
        format!("{}:{}:{kind}{end}", self.owner, self.key())
    }

    /// The node's name, as far as it can be in marks and the names of files.
    fn key(&self) -> String {
        let name = &self.spec.name;
        if is_plain(name) { name.clone() } else { short_hash(name) }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> NodeError {
        NodeError { node: self.spec.name.clone(), message: message.into() }
    }

    fn unexpected(&self, what: &str, said: &RemoteOutput) -> NodeError {
        let printed = super::log::quote(&format!("{}\n{}", said.stdout, said.stderr));
        self.error(format!("`{what}` failed with code {}; it printed:{printed}", said.code))
    }
}

/// True for what can be a file's name and part of a mark.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// A line that did not come to a known end.
struct Failed {
    /// True where it may still run.
    goes_on: bool,
    error: NodeError,
}

/// Does again what failed, for as long as a node may need to answer again whose connection was lost.
///
/// # Errors
/// The last failure.
pub async fn patiently<T, E, A>(attempt: impl Fn() -> A) -> Result<T, E>
where
    A: Future<Output = Result<T, E>>,
{
    let until = Instant::now() + RETRY;
    loop {
        match attempt().await {
            Err(_) if Instant::now() < until => tokio::time::sleep(RETRY_EVERY).await,
            done => return done,
        }
    }
}

/// The first line of a command, as messages quote it.
fn shortened(line: &str) -> String {
    let first = line.lines().next().unwrap_or_default();
    if first.chars().count() <= 200 && first.len() == line.trim_end().len() {
        return first.to_owned();
    }
    format!("{}...", first.chars().take(200).collect::<String>())
}

/// Ends a line whose caller no longer waits for it.
struct Cut<'a> {
    node: &'a Node,
    mark: Option<String>,
}

impl Drop for Cut<'_> {
    fn drop(&mut self) {
        let (Some(mark), Ok(runtime)) = (self.mark.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let node = self.node.clone();
        // Best effort: the next sweep finds what this does not.
        runtime.spawn(async move { node.end(&Ending::of(Scope::Line(&mark))).await });
    }
}

#[cfg(test)]
mod tests;
