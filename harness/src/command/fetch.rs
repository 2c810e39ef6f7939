//! `fetch`: brings a directory of a node here, and proves that all of it arrived.

use std::path::PathBuf;

use super::{Answer, Failure, nodes};
use crate::host::collect::collect;
use crate::host::node::Node;

/// The arguments of `fetch`.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// A node of the configuration that --config-dir names; without it what ssh takes, such as user@host
    #[arg(long, value_name = "NODE")]
    pub host: String,
    /// The directory on the node [default: performance-test-results below its workdir; without --config-dir below /tmp]
    #[arg(long, value_name = "DIR")]
    pub remote_path: Option<String>,
    /// Where to; files that are here already, and are the same, are not brought again
    #[arg(long, value_name = "DIR", default_value = "fetched_results")]
    pub local_dir: PathBuf,
    /// The directory of the configuration that names the node
    #[arg(long, value_name = "DIR")]
    pub config_dir: Option<PathBuf>,
    /// A configuration file for ssh in place of your own
    #[arg(long, value_name = "FILE")]
    pub ssh_config: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    let spec = nodes::find(
        arguments.config_dir.as_deref(),
        &arguments.host,
        arguments.ssh_config.as_deref(),
    )?;
    let remote = arguments.remote_path.clone().unwrap_or_else(|| nodes::results(&spec));
    let local = &arguments.local_dir;
    let collected = nodes::block_on(async {
        let node = Node::new(&spec);
        let _connection = node.connect().await?;
        collect(&node, &remote, local, &|_| true, &mut nodes::counting(&spec.name)).await
    })?;
    let collected = collected
        .map_err(Failure::rig)?
        .ok_or_else(|| Failure::rig(format!("{}: there is no directory {remote}", spec.name)))?;
    Ok(Answer::pass(format!(
        "{}: {} files, {} bytes of {remote} are in {}; {} were here already\n",
        spec.name,
        collected.files.len(),
        collected.bytes,
        local.display(),
        collected.kept,
    )))
}
