//! [`TestbedTarget`]: hosts and virtual machines that are there already, entered over SSH and left as they were.
//!
//! It stays up from trial to trial. Hooks of the levels global and tool are its own, as they surround several trials.

pub mod discovery;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;

use super::{Target, TargetError};
use crate::host::hooks::{HookError, Hooks, OnNodes};
use crate::host::node::{Connection, Node, NodeError, patiently};
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

/// How long making a directory may take.
const MAKE: Duration = Duration::from_secs(30);

/// The nodes of a configuration.
pub struct TestbedTarget {
    spec: TestbedSpec,
    root: PathBuf,
    nodes: Vec<Entered>,
    /// Once it is up; they outlive the connections.
    hooks: Option<Hooks>,
    /// The nodes that hooks of the level global were begun on where they name none.
    reached: Vec<String>,
    /// The tool whose level is open, with its hooks.
    tool: Option<(String, Vec<Hook>)>,
    /// True while levels are begun or ended: where that was cut off, a hook's line may still run.
    is_entering: bool,
}

/// A node that was entered.
struct Entered {
    node: Node,
    /// `None` until it was reached.
    connection: Option<Connection>,
    /// True once nothing of earlier runs is on it, and the tools are.
    is_ready: bool,
    /// True once a trial has needed it.
    was_needed: bool,
}

impl Entered {
    /// True where something of this run may be on it.
    fn was_reached(&self) -> bool {
        self.is_ready || self.connection.is_some()
    }
}

impl TestbedTarget {
    /// Nothing is contacted yet. Paths in `spec` are relative to `root`.
    #[must_use]
    pub fn new(spec: &TestbedSpec, root: &Path) -> Self {
        let (spec, root) = (spec.clone(), root.to_owned());
        Self {
            spec,
            root,
            nodes: Vec::new(),
            hooks: None,
            reached: Vec::new(),
            tool: None,
            is_entering: false,
        }
    }

    /// Connects to nodes and makes them ready, all at once: all of them the first time, later those that a trial needs.
    /// A node that nobody needs may be out of reach.
    async fn reach(&mut self, logs: &Path) -> Result<(), TargetError> {
        let is_new = self.nodes.is_empty();
        if is_new {
            let entered = |spec: &NodeSpec| Entered {
                node: Node::new(spec),
                connection: None,
                is_ready: false,
                was_needed: false,
            };
            self.nodes = self.spec.nodes.iter().map(entered).collect();
        }
        let tools = self.spec.tools.as_ref();
        let tools = tools.map(|tools| self.root.join(&self.spec.config).join(tools));
        let spec = &self.spec;
        let reaching = self.nodes.iter_mut().map(|entered| async {
            let needed = is_needed(spec, &entered.node.spec().name);
            entered.was_needed |= needed;
            if !needed && !is_new {
                return Ok(Vec::new());
            }
            match ready(entered, tools.as_deref()).await {
                Err(_) if !needed => Ok(Vec::new()),
                done => done,
            }
        });
        let lines = all(join_all(reaching).await)?.concat();
        if !lines.is_empty() {
            let file = logs.join(LEFT_LOG);
            let written = std::fs::write(&file, lines.join("\n") + "\n");
            written.map_err(|error| TargetError::rig(format!("{}: {error}", file.display())))?;
        }
        Ok(())
    }

    /// Opens the level global, and the tool's, where they are not open yet; a tool that had its turn is left first.
    async fn enter(&mut self, logs: &Path) -> Result<(), TargetError> {
        let ready = self.nodes.iter().filter(|entered| entered.is_ready);
        let reached: Vec<String> = ready.map(|entered| entered.node.spec().name.clone()).collect();
        if let (Some(hooks), true) = (&mut self.hooks, self.reached != reached) {
            // A node came back: what surrounds everything has not begun there.
            hooks.leave(Level::Global).await.map_err(failed)?;
            self.hooks = None;
        }
        self.reached.clone_from(&reached);
        let hooks = self.hooks.get_or_insert_with(|| {
            let all = self.nodes.iter().map(|entered| entered.node.around()).collect();
            Hooks::new(&self.spec.hooks, Box::new(OnNodes { all, usual: reached }), &self.root)
        });
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
        self.reach(logs).await?;
        self.is_entering = true;
        let entered = self.enter(logs).await;
        self.is_entering = false;
        entered?;
        let member = |spec: &NodeSpec| Member {
            name: Arc::from(spec.name.as_str()),
            handle: Handle::Node {
                node: spec.clone(),
                for_tool: self.spec.tool_node.as_ref() == Some(&spec.name),
            },
        };
        let watched = |spec: &&NodeSpec| self.spec.watched.contains(&spec.name);
        Ok(self.spec.nodes.iter().filter(watched).map(member).collect())
    }

    async fn save_logs(&mut self, _logs: &Path) -> Result<(), TargetError> {
        Ok(())
    }

    async fn down(&mut self) -> Result<(), TargetError> {
        let mut errors = Vec::new();
        // First what trials left, as it is in the hooks' way; then what hooks left; the connections go last. Nothing is
        // on a node that was never reached.
        let reached = self.nodes.iter().filter(|entered| entered.was_reached());
        let reached: Vec<&Entered> = reached.collect();
        let is_cut = std::mem::take(&mut self.is_entering);
        let ended = join_all(reached.iter().map(|Entered { node, .. }| {
            patiently(|| async {
                // A line of a hook that was cut off must not outlast what undoes it.
                let ended =
                    if is_cut { node.end_all().await } else { node.end_left(Duration::ZERO).await };
                ended.map(drop)
            })
        }));
        let ended = ended.await;
        if let Some(mut hooks) = self.hooks.take() {
            errors.extend(hooks.leave(Level::Global).await.err().map(|error| error.to_string()));
        }
        let last = join_all(reached.iter().map(|entered| entered.node.end_all())).await;
        for (entered, (before, last)) in reached.iter().zip(ended.into_iter().zip(last)) {
            // A node that no trial was about is nobody's failure.
            let failed = before.and(last.map(drop)).err().filter(|_| entered.was_needed);
            errors.extend(failed.map(|error| error.to_string()));
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
        let entered = self.nodes.iter().filter(|entered| entered.was_reached());
        let ending = entered.map(|entered| async {
            let name = &entered.node.spec().name;
            match entered.node.end_left(PATIENCE).await {
                Ok(left) if left.is_empty() => Ok(()),
                Ok(left) => {
                    Err(format!("left by the trial on {name}, and ended now: {}", left.join(", ")))
                }
                Err(_) if !is_needed(&self.spec, name) => Ok(()),
                Err(error) => Err(error.to_string()),
            }
        });
        let left: Vec<String> =
            join_all(ending).await.into_iter().filter_map(Result::err).collect();
        if left.is_empty() { Ok(()) } else { Err(TargetError::rig(left.join("; "))) }
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

/// True of a node that a trial is about, or a hook around it.
fn is_needed(spec: &TestbedSpec, name: &str) -> bool {
    let around = spec.hooks.iter().filter(|hook| matches!(hook.level, Level::Global | Level::Tool));
    let mut hooked = around.filter_map(|hook| hook.node.as_deref());
    spec.watched.iter().any(|watched| watched == name) || hooked.any(|node| node == name)
}

/// Connects to a node; the first time ends what killed runs left there, and this one where it lost the node, which is
/// told, and puts the tools there.
async fn ready(entered: &mut Entered, tools: Option<&Path>) -> Result<Vec<String>, NodeError> {
    let Entered { node, connection, is_ready, .. } = entered;
    if !connection.as_mut().is_some_and(Connection::is_up) {
        // The socket of the new one has the name of the old one's.
        if let Some(mut lost) = connection.take() {
            lost.close().await;
        }
        *connection = Some(node.connect().await?);
    }
    if *is_ready {
        return Ok(Vec::new());
    }
    let (swept, own) = tokio::join!(node.sweep(), node.end_all());
    let name = &node.spec().name;
    let own = own?.into_iter().map(|process| {
        format!("ended {process} on {name}, left by this run when the node was lost")
    });
    let left = swept?.into_iter().chain(own).collect();
    // The workdir is made by making anything below it.
    let to = format!("{}/{TOOLS}", node.spec().workdir);
    node.make_directory(&to, MAKE).await?;
    if let Some(tools) = tools {
        node.upload(tools, &to).await?;
    }
    *is_ready = true;
    Ok(left)
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
