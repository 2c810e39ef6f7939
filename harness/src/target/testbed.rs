//! [`TestbedTarget`]: hosts and virtual machines that are there already, entered over SSH and left as they were.
//!
//! It stays up from trial to trial. Hooks of the levels global and tool are its own, as they surround several trials.

pub mod discovery;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::time::Instant;

use super::{Target, TargetError};
use crate::host::hooks::{HookError, Hooks};
use crate::host::node::{Connection, Node, NodeError};
use crate::model::spec::network::{Hook, Level, NodeSpec};
use crate::model::spec::{TargetSpec, TestbedSpec};
use crate::model::{Handle, Member};

/// Where the tools under test are on a node, below its workdir.
pub const TOOLS: &str = "measurement-tools";

/// The file beside the directories of trials that tells which hook ran when.
const HOOKS_LOG: &str = "hooks.jsonl";

/// What was found of earlier runs, in the logs of the trial that found it.
const LEFT_LOG: &str = "left-over.txt";

/// How long what a walk started may take to end after it.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a node is asked again and again when its connection was lost.
const RETRY: Duration = Duration::from_secs(10);
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// How long making a directory may take.
const MAKE: Duration = Duration::from_secs(30);

/// The nodes of a configuration.
pub struct TestbedTarget {
    spec: TestbedSpec,
    root: PathBuf,
    nodes: Vec<Entered>,
    /// Once it is up; they outlive the connections.
    hooks: Option<Hooks>,
    /// The tool whose level is open, with its hooks.
    tool: Option<(String, Vec<Hook>)>,
}

/// A node that was entered.
struct Entered {
    node: Node,
    /// `None` until it was reached.
    connection: Option<Connection>,
    has_tools: bool,
}

impl TestbedTarget {
    /// Nothing is contacted yet. Paths in `spec` are relative to `root`.
    #[must_use]
    pub fn new(spec: &TestbedSpec, root: &Path) -> Self {
        let (spec, root) = (spec.clone(), root.to_owned());
        Self { spec, root, nodes: Vec::new(), hooks: None, tool: None }
    }

    /// Connects to all nodes that are not connected, at once.
    async fn connect(&mut self) -> Result<(), TargetError> {
        if self.nodes.is_empty() {
            let entered = |spec: &NodeSpec| Entered {
                node: Node::new(spec),
                connection: None,
                has_tools: false,
            };
            self.nodes = self.spec.nodes.iter().map(entered).collect();
        }
        let connecting = self.nodes.iter_mut().map(|entered| async {
            if entered.connection.as_mut().is_some_and(Connection::is_up) {
                return Ok(());
            }
            entered.connection = Some(entered.node.connect().await?);
            Ok(())
        });
        all(join_all(connecting).await).map(drop)
    }

    /// Ends what killed runs left, and this one where it lost the node, and makes the node ready.
    async fn prepare(&mut self, logs: &Path) -> Result<(), TargetError> {
        let sweeping = self.nodes.iter().map(|entered| clear(&entered.node));
        let swept = join_all(sweeping).await;
        let lines = all(swept)?.concat();
        if !lines.is_empty() {
            let file = logs.join(LEFT_LOG);
            let written = std::fs::write(&file, lines.join("\n") + "\n");
            written.map_err(|error| TargetError::rig(format!("{}: {error}", file.display())))?;
        }
        let tools = self.spec.tools.as_ref();
        let tools = tools.map(|tools| self.root.join(&self.spec.config).join(tools));
        let preparing = self.nodes.iter_mut().map(|entered| async {
            // The workdir is made by making anything below it.
            let to = format!("{}/{TOOLS}", entered.node.spec().workdir);
            entered.node.make_directory(&to, MAKE).await?;
            if let (Some(tools), false) = (&tools, entered.has_tools) {
                entered.node.upload(tools, &to).await?;
                entered.has_tools = true;
            }
            Ok(())
        });
        all(join_all(preparing).await).map(drop)
    }

    /// Opens the level global, and the tool's, where they are not open yet; a tool that had its turn is left first.
    async fn enter(&mut self, logs: &Path) -> Result<(), TargetError> {
        let nodes: Vec<Node> = self.nodes.iter().map(|entered| entered.node.clone()).collect();
        let hooks = self
            .hooks
            .get_or_insert_with(|| Hooks::new(&self.spec.hooks, Box::new(nodes), &self.root));
        hooks.log_to(&logs.parent().unwrap_or(logs).join(HOOKS_LOG));
        let wanted = self.spec.tool.clone().map(|tool| (tool, of(&self.spec, Level::Tool)));
        if self.tool != wanted && hooks.is_open(Level::Tool) {
            let before = self.tool.as_ref().map_or("of before", |(tool, _)| tool.as_str());
            let left = hooks.leave(Level::Tool).await;
            left.map_err(|error| {
                TargetError::rig(format!("tool {before} could not be left: {error}"))
            })?;
        }
        hooks.replace(&self.spec.hooks);
        if !hooks.is_open(Level::Global) {
            let label = self.spec.config.display().to_string();
            hooks.enter(Level::Global, &label).await.map_err(failed)?;
        }
        self.tool = wanted;
        if let (Some((tool, _)), false) = (&self.tool, hooks.is_open(Level::Tool)) {
            hooks.enter(Level::Tool, tool).await.map_err(failed)?;
        }
        Ok(())
    }
}

#[async_trait]
impl Target for TestbedTarget {
    async fn up(&mut self, logs: &Path) -> Result<Vec<Member>, TargetError> {
        let is_new = self.hooks.is_none();
        self.connect().await?;
        if is_new {
            self.prepare(logs).await?;
        }
        self.enter(logs).await?;
        let member = |spec: &NodeSpec| Member {
            name: Arc::from(spec.name.as_str()),
            handle: Handle::Node { node: spec.clone() },
        };
        let watched = |spec: &&NodeSpec| self.spec.watched.contains(&spec.name);
        Ok(self.spec.nodes.iter().filter(watched).map(member).collect())
    }

    async fn save_logs(&mut self, _logs: &Path) -> Result<(), TargetError> {
        Ok(())
    }

    async fn down(&mut self) -> Result<(), TargetError> {
        let mut errors = Vec::new();
        // First what runs, as it is in the hooks' way; the connections go last. Nothing is on a node that was never
        // reached.
        let entered = self.nodes.iter().filter(|entered| entered.connection.is_some());
        let ended = join_all(entered.map(|entered| end(&entered.node))).await;
        errors.extend(ended.into_iter().filter_map(Result::err).map(|error| error.to_string()));
        if let Some(mut hooks) = self.hooks.take() {
            errors.extend(hooks.leave(Level::Global).await.err().map(|error| error.to_string()));
        }
        self.tool = None;
        for entered in &mut self.nodes {
            if let Some(mut connection) = entered.connection.take() {
                connection.close().await;
            }
        }
        self.nodes.clear();
        if errors.is_empty() { Ok(()) } else { Err(TargetError::rig(errors.join("; "))) }
    }

    async fn reset(&mut self) -> Result<(), TargetError> {
        let ending = self.nodes.iter().map(|entered| async {
            let left = entered.node.end_left(PATIENCE).await.map_err(|error| error.to_string())?;
            let name = &entered.node.spec().name;
            if left.is_empty() { Ok(()) } else { Err(format!("{} on {name}", left.join(", "))) }
        });
        let left: Vec<String> =
            join_all(ending).await.into_iter().filter_map(Result::err).collect();
        if left.is_empty() {
            return Ok(());
        }
        Err(TargetError::rig(format!("left by the trial, and ended now: {}", left.join("; "))))
    }

    fn adopt(&mut self, spec: &TargetSpec) -> bool {
        let TargetSpec::Testbed(spec) = spec else { return false };
        let same = spec.config == self.spec.config
            && spec.nodes == self.spec.nodes
            && spec.tools == self.spec.tools
            && of(spec, Level::Global) == of(&self.spec, Level::Global);
        if same {
            self.spec = spec.clone();
        }
        same
    }

    fn keeps_up(&self) -> bool {
        true
    }
}

/// Ends what is left on a node that this run has just entered, and tells what that was.
async fn clear(node: &Node) -> Result<Vec<String>, NodeError> {
    let (swept, own) = tokio::join!(node.sweep(), node.end_all());
    let name = &node.spec().name;
    let own = own?.into_iter().map(|process| {
        format!("ended {process} on {name}, left by this run when the node was lost")
    });
    Ok(swept?.into_iter().chain(own).collect())
}

/// Ends all that this run has on a node, also when it can be reached again only after a while.
async fn end(node: &Node) -> Result<(), NodeError> {
    let until = Instant::now() + RETRY;
    loop {
        match node.end_all().await {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() >= until => return Err(error),
            Err(_) => tokio::time::sleep(RETRY_EVERY).await,
        }
    }
}

fn of(spec: &TestbedSpec, level: Level) -> Vec<Hook> {
    spec.hooks.iter().filter(|hook| hook.level == level).cloned().collect()
}

/// Every node's, or one error that names all nodes that failed.
fn all<T>(done: Vec<Result<T, NodeError>>) -> Result<Vec<T>, TargetError> {
    let mut values = Vec::new();
    let mut errors = Vec::new();
    for one in done {
        match one {
            Ok(value) => values.push(value),
            Err(error) => errors.push(error.to_string()),
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(TargetError::rig(errors.join("; "))) }
}

fn failed(error: HookError) -> TargetError {
    TargetError::rig(error.to_string())
}

#[cfg(test)]
mod tests;
