//! [`find`]: the node that a command outside a run speaks to; and how it waits, and tells of progress.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use super::Failure;
use super::check::workspace;
use super::runtime::{Interrupts, runtime};
use crate::model::spec::network::NodeSpec;
use crate::plan::network::RESULTS;
use crate::scenario::network::config::Config;

/// Progress is shown of what takes longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// The directory of raw output on a node.
pub(super) fn results(spec: &NodeSpec) -> String {
    format!("{}/{RESULTS}", spec.workdir.trim_end_matches('/'))
}

/// A node by its name in a configuration, else as `ssh` takes it.
pub(super) fn find(
    config: Option<&Path>,
    host: &str,
    ssh_config: Option<&Path>,
) -> Result<NodeSpec, Failure> {
    let mut spec = match config {
        None => NodeSpec {
            name: host.to_owned(),
            ssh: host.to_owned(),
            ssh_config: None,
            workdir: "/tmp".to_owned(),
            sudo: false,
        },
        Some(config) => {
            let nodes = of(config)?;
            let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
            let known = names.join(", ");
            nodes.iter().find(|node| node.name == host).cloned().ok_or_else(|| {
                Failure::usage(format!(
                    "error: {} has no node {host:?}: expected one of {known}",
                    config.display()
                ))
            })?
        }
    };
    if let Some(file) = ssh_config {
        spec.ssh_config = Some(file.to_owned());
    }
    Ok(spec)
}

/// The nodes of a configuration.
fn of(directory: &Path) -> Result<Vec<NodeSpec>, Failure> {
    let directory = std::path::absolute(directory).map_err(Failure::usage)?;
    let root = workspace(None).map_or_else(|_| directory.clone(), |workspace| workspace.root);
    Config::load(&root, &directory).map(|config| config.nodes).map_err(Failure::usage)
}

/// Runs what speaks to nodes, until it ends or the user has had enough.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    runtime()?.block_on(async {
        let mut interrupts = Interrupts::listen()?;
        tokio::select! {
            done = work => Ok(done),
            code = interrupts.code() => Err(Failure { code, message: "interrupted".to_owned() }),
        }
    })
}

/// Tells on standard error how many files have arrived, once it takes long.
pub(super) fn counting(node: &str) -> impl FnMut(usize, usize) + Send + use<'_> {
    let began = Instant::now();
    move |done, all| {
        if began.elapsed() > PATIENCE || (done == all && std::io::stderr().is_terminal()) {
            let _ = writeln!(std::io::stderr(), "{node}: {done} of {all} files");
        }
    }
}
