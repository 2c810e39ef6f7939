//! [`Hooks`]: commands before and after something, every one that was begun with its counterpart.
//!
//! Levels nest: [`Hooks::enter`] begins one, [`Hooks::leave`] ends it with all that is still open inside. Each command is
//! a line in the event log.

mod builtin;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use super::log;
use super::node::{Node, NodeError, RETRY, RemoteOutput, patiently};
use crate::model::spec::network::{Hook, Level};

/// How long a hook may take.
const WITHIN: Duration = Duration::from_secs(120);

/// Where hooks run: nodes, or a fake of them.
#[async_trait]
pub trait Runner: Send + Sync {
    /// The nodes that a hook runs on that names none, in this order.
    fn nodes(&self) -> Vec<String>;

    /// Runs a line on a node.
    ///
    /// # Errors
    /// As [`Node::run`].
    async fn run(&self, node: &str, line: &str) -> Result<RemoteOutput, NodeError>;

    /// Copies the content of a directory to a node.
    ///
    /// # Errors
    /// As [`Node::upload`].
    async fn upload(&self, node: &str, local: &Path, remote: &str) -> Result<(), NodeError>;

    /// Ends lines that nobody waits for any more, on all nodes that can be reached.
    async fn end_lines(&self);
}

/// The open levels of some hooks.
pub struct Hooks {
    hooks: Vec<Hook>,
    runner: Box<dyn Runner>,
    /// The event log; `None` for nowhere.
    log: Option<PathBuf>,
    /// Where paths of this machine begin.
    root: PathBuf,
    open: Vec<Open>,
}

/// Hooks that failed, a line each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct HookError(pub Vec<String>);

/// Something that must be closed.
enum Open {
    Level(Level, String),
    /// A hook that was begun on a node.
    Hook {
        hook: Hook,
        node: String,
    },
}

/// A line of the event log.
#[derive(Serialize)]
struct Event<'a> {
    at: Timestamp,
    level: Level,
    /// What the level surrounds.
    label: &'a str,
    hook: &'a str,
    node: &'a str,
    /// `init` or `post`.
    what: &'a str,
    /// Its exit code; none where it did not run to its end.
    code: Option<i32>,
    seconds: f64,
    /// How deep its level nests: 1 of global to 4 of test.
    depth: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl Hooks {
    /// Hooks that run over `runner`; nothing is open yet. `root` is where the paths of this machine begin.
    #[must_use]
    pub fn new(hooks: &[Hook], runner: Box<dyn Runner>, root: &Path) -> Self {
        let (hooks, root) = (hooks.to_vec(), root.to_owned());
        Self { hooks, runner, log: None, root, open: Vec::new() }
    }

    /// From now on, what runs is told in the file `path`, a JSON object a line.
    pub fn log_to(&mut self, path: &Path) {
        self.log = Some(path.to_owned());
    }

    /// Takes other hooks for the levels that will be entered. What is open is left as it was entered.
    pub fn replace(&mut self, hooks: &[Hook]) {
        self.hooks = hooks.to_vec();
    }

    /// True while a level is open.
    #[must_use]
    pub fn is_open(&self, level: Level) -> bool {
        self.open.iter().any(|open| matches!(open, Open::Level(own, _) if *own == level))
    }

    /// Begins a level: runs the first command of each of its hooks, in declared order, up to the first that fails. After
    /// a failure the level is open all the same, and must be left. `label` says what it surrounds.
    ///
    /// # Errors
    /// [`HookError`] with the hook that failed.
    pub async fn enter(&mut self, level: Level, label: &str) -> Result<(), HookError> {
        self.open.push(Open::Level(level, label.to_owned()));
        let hooks: Vec<Hook> =
            self.hooks.iter().filter(|hook| hook.level == level).cloned().collect();
        for hook in hooks {
            let nodes = hook.node.clone().map_or_else(|| self.runner.nodes(), |node| vec![node]);
            for node in nodes {
                // First, as it may be cut off half way.
                self.open.push(Open::Hook { hook: hook.clone(), node: node.clone() });
                if let Some(line) = &hook.init {
                    self.command(&hook, &node, "init", line)
                        .await
                        .map_err(|e| HookError(vec![e]))?;
                }
            }
        }
        Ok(())
    }

    /// Ends a level, and those that are open inside it: runs the second commands of the hooks that were begun, in
    /// reverse order, whatever fails. A level that is not open needs nothing.
    ///
    /// # Errors
    /// [`HookError`] with all that failed; the level is closed nevertheless.
    pub async fn leave(&mut self, level: Level) -> Result<(), HookError> {
        let mut errors = Vec::new();
        while self.is_open(level) {
            match self.open.last() {
                Some(Open::Hook { hook, node }) => {
                    let (hook, node) = (hook.clone(), node.clone());
                    if let Some(line) = &hook.post {
                        errors.extend(self.command(&hook, &node, "post", line).await.err());
                    }
                    // Only now: a command that is cut off is run again.
                    self.open.pop();
                }
                Some(Open::Level(own, _)) => {
                    let ends = *own == level;
                    self.open.pop();
                    if ends {
                        break;
                    }
                }
                None => break,
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(HookError(errors)) }
    }

    /// How long it may take to end all that is open.
    #[must_use]
    pub fn leave_within(&self) -> Duration {
        let has_post =
            |open: &&Open| matches!(open, Open::Hook { hook, .. } if hook.post.is_some());
        let posts = self.open.iter().filter(has_post).count();
        (WITHIN + RETRY) * u32::try_from(posts).unwrap_or(u32::MAX)
    }

    /// Waits for the end of lines that were cut off, which what comes next would overtake.
    pub async fn end_lines(&self) {
        self.runner.end_lines().await;
    }

    async fn command(
        &self,
        hook: &Hook,
        node: &str,
        what: &'static str,
        line: &str,
    ) -> Result<(), String> {
        let (at, start) = (Timestamp::now(), Instant::now());
        let run = || builtin::run(&*self.runner, node, line, &self.root);
        // What was begun is undone, also on a node whose connection has just been lost.
        let done = if what == "post" { patiently(run).await } else { run().await };
        let (code, error) = match &done {
            Ok(output) if output.code == 0 => (Some(0), None),
            Ok(output) => {
                let printed = log::quote(&format!("{}\n{}", output.stdout, output.stderr));
                (Some(output.code), Some(format!("code {}; it printed:{printed}", output.code)))
            }
            Err(error) => (None, Some(error.to_string())),
        };
        let label = self.open.iter().rev().find_map(|open| match open {
            Open::Level(_, label) => Some(label.as_str()),
            Open::Hook { .. } => None,
        });
        let event = Event {
            at,
            level: hook.level,
            label: label.unwrap_or_default(),
            hook: &hook.name,
            node,
            what,
            code,
            seconds: start.elapsed().as_secs_f64(),
            // Levels around this one may be open elsewhere: the driver has hooks of its own.
            depth: hook.level as usize + 1,
            error: error.as_deref(),
        };
        let written = self.write(&event);
        if let Some(error) = error {
            return Err(format!("{what} of hook `{}` on {node} failed: {error}", hook.name));
        }
        written.map_err(|error| format!("the event log of hooks cannot be written: {error}"))
    }

    fn write(&self, event: &Event<'_>) -> std::io::Result<()> {
        let Some(path) = &self.log else { return Ok(()) };
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        // In one write, as several write to it.
        file.write_all(format!("{}\n", serde_json::to_string(event)?).as_bytes())
    }
}

/// Hooks over real nodes.
pub struct OnNodes {
    /// All that a hook may name.
    pub all: Vec<Node>,
    /// The names of those that it runs on where it names none.
    pub usual: Vec<String>,
}

#[async_trait]
impl Runner for OnNodes {
    fn nodes(&self) -> Vec<String> {
        self.usual.clone()
    }

    async fn run(&self, node: &str, line: &str) -> Result<RemoteOutput, NodeError> {
        // A line that removes must not do so in whatever directory a login begins in.
        find(&self.all, node)?.run_inside(line, WITHIN).await
    }

    async fn end_lines(&self) {
        // Best effort: what cannot be reached now is ended when it is entered again.
        join_all(self.all.iter().map(Node::end_lines)).await;
    }

    async fn upload(&self, node: &str, local: &Path, remote: &str) -> Result<(), NodeError> {
        let node = find(&self.all, node)?;
        let remote = match remote.starts_with('/') {
            true => remote.to_owned(),
            false => format!("{}/{remote}", node.spec().workdir),
        };
        node.upload(local, &remote).await
    }
}

fn find<'a>(nodes: &'a [Node], name: &str) -> Result<&'a Node, NodeError> {
    nodes.iter().find(|node| node.spec().name == name).ok_or_else(|| {
        let names: Vec<&str> = nodes.iter().map(|node| node.spec().name.as_str()).collect();
        let message = format!("there is no node of that name; there are {}", names.join(", "));
        NodeError { node: name.to_owned(), message }
    })
}

#[cfg(test)]
mod tests;
