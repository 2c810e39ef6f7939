//! [`Remote`]: what the driver asks of a node. [`Node`] is it over SSH; tests have one that only notes what it is asked.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;

use super::DriverError;
use crate::host::node::{GroupState, Node, NodeError, RemoteGroup, RemoteOutput, Stopped};
use crate::host::quote::quote;

/// How long a line may take that only looks, or makes a directory.
pub(super) const BRIEF: Duration = Duration::from_secs(20);

/// A node.
#[async_trait]
pub(super) trait Remote: Send + Sync {
    /// Its name in the configuration.
    fn name(&self) -> &str;

    /// See [`Node::run`].
    async fn run(&self, line: &str, within: Duration) -> Result<RemoteOutput, NodeError>;

    /// See [`Node::start`].
    async fn start(
        &self,
        name: &str,
        line: &str,
        output: &str,
    ) -> Result<Box<dyn Group>, NodeError>;

    /// See [`Node::group`].
    fn group(&self, name: &str) -> Box<dyn Group>;

    /// Copies files below a directory of its workdir to the same places below one that is here, in one round trip; see
    /// [`Node::download`].
    async fn fetch(&self, remote: &str, names: &[&str], local: &Path) -> Result<(), NodeError>;
}

/// A command that stays up on a node.
#[async_trait]
pub(super) trait Group: Send + Sync {
    /// See [`RemoteGroup::state`].
    async fn state(&self) -> Result<GroupState, NodeError>;

    /// See [`RemoteGroup::stop`].
    async fn stop(&self, grace: Duration) -> Result<Stopped, NodeError>;

    /// The session that all its processes are in.
    fn session(&self) -> u32;
}

#[async_trait]
impl Remote for Node {
    fn name(&self) -> &str {
        &self.spec().name
    }

    async fn run(&self, line: &str, within: Duration) -> Result<RemoteOutput, NodeError> {
        Node::run(self, line, within).await
    }

    async fn start(
        &self,
        name: &str,
        line: &str,
        output: &str,
    ) -> Result<Box<dyn Group>, NodeError> {
        Ok(Box::new(Node::start(self, name, line, output).await?))
    }

    fn group(&self, name: &str) -> Box<dyn Group> {
        Box::new(Node::group(self, name))
    }

    async fn fetch(&self, remote: &str, names: &[&str], local: &Path) -> Result<(), NodeError> {
        let remote = format!("{}/{remote}", self.spec().workdir);
        self.download(&remote, names, local).await
    }
}

#[async_trait]
impl Group for RemoteGroup {
    async fn state(&self) -> Result<GroupState, NodeError> {
        RemoteGroup::state(self).await
    }

    async fn stop(&self, grace: Duration) -> Result<Stopped, NodeError> {
        RemoteGroup::stop(self, grace).await
    }

    fn session(&self) -> u32 {
        RemoteGroup::session(self)
    }
}

/// Runs a line that has to succeed, and gives what it printed.
pub(super) async fn succeed(
    node: &dyn Remote,
    line: &str,
    doing: &str,
) -> Result<String, DriverError> {
    let output = node.run(line, BRIEF).await.map_err(|error| lost(&error))?;
    match output.code {
        0 => Ok(output.stdout),
        code => {
            let said = output.stderr.trim();
            let name = node.name();
            Err(DriverError::rig(format!("{doing} on {name}: exit status {code}: {said}")))
        }
    }
}

/// A node that does not do what is asked is the rig's fault.
pub(super) fn lost(error: &NodeError) -> DriverError {
    DriverError::rig(error.to_string())
}

/// The line that runs these words.
pub(super) fn line(words: &[String]) -> Result<String, DriverError> {
    let quoted: Option<Vec<String>> = words.iter().map(|word| quote(word)).collect();
    quoted.map(|words| words.join(" ")).ok_or_else(|| {
        DriverError::rig(format!("no shell can be told `{}`: it has a NUL", words.join(" ")))
    })
}

/// One word.
pub(super) fn word(text: &str) -> Result<String, DriverError> {
    line(&[text.to_owned()])
}

/// The last lines of a file on a node, as messages quote them.
pub(super) async fn tail(node: &dyn Remote, file: &str) -> String {
    let Ok(file) = word(file) else { return String::new() };
    match node.run(&format!("tail -c 4096 -- {file}"), BRIEF).await {
        Ok(output) if output.code != 0 => {
            format!(" (its output cannot be read: {})", output.stderr.trim())
        }
        Ok(output) => crate::host::log::quote(&output.stdout),
        Err(error) => format!(" (its output cannot be read: {error})"),
    }
}
