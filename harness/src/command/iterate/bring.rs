//! [`bring`]: what the nodes keep of an iteration is brought here, and removed there where that is wanted.

use std::fs;
use std::path::Path;

use super::own::Own;
use super::record::Kept;
use crate::command::nodes;
use crate::host::collect::{Manifest, collect, remove};
use crate::host::node::{Node, NodeError};
use crate::model::spec::network::NodeSpec;
use crate::plan::network::RESULTS;

/// The sums of all files that have arrived from a node, beside them. It is written before anything is removed there: what
/// it names has not to be there any more.
const ARRIVED: &str = "collected.json";

/// What comes of all nodes where none may be asked.
pub(super) fn nothing(specs: &[NodeSpec], why: &str) -> Vec<(String, Kept)> {
    specs.iter().map(|spec| (spec.name.clone(), Kept::failed(why))).collect()
}

/// Brings here what every node keeps of an iteration, and with `clean` removes it there once all of it has arrived.
pub(super) async fn bring(
    specs: &[NodeSpec],
    directory: &Path,
    own: &Own,
    clean: bool,
) -> Vec<(String, Kept)> {
    let mut all = Vec::new();
    for (place, spec) in specs.iter().enumerate() {
        // Files that two names stand for come with the first.
        if specs[..place].iter().any(|earlier| is_one_place(earlier, spec)) {
            continue;
        }
        let kept = of_node(spec, directory, own, clean).await;
        let kept = kept.unwrap_or_else(Kept::failed);
        all.push((spec.name.clone(), kept));
    }
    all
}

fn is_one_place(one: &NodeSpec, other: &NodeSpec) -> bool {
    let place = |spec: &NodeSpec| (spec.ssh.clone(), spec.ssh_config.clone(), nodes::results(spec));
    place(one) == place(other)
}

async fn of_node(
    spec: &NodeSpec,
    directory: &Path,
    own: &Own,
    clean: bool,
) -> Result<Kept, NodeError> {
    let node = Node::new(spec);
    let failed = |message: String| NodeError { node: spec.name.clone(), message };
    let _connection = node.connect().await?;
    let remote = nodes::results(spec);
    let (list, local) = {
        let directory = directory.join(&spec.name);
        (directory.join(ARRIVED), directory.join(RESULTS))
    };
    let is_own = |name: &str| own.has(name);
    let counting = &mut nodes::counting(&spec.name);
    let found = collect(&node, &remote, &local, &is_own, counting).await?;
    let found = found.unwrap_or_default().files;
    let broken = |error: String| failed(format!("{}: {error}", list.display()));
    let mut arrived = read(&list).map_err(broken)?;
    if !found.is_empty() {
        arrived.extend(found.clone());
        write(&list, &arrived).map_err(|error| broken(error.to_string()))?;
    }
    if arrived.is_empty() && own.ran_on(&spec.name) {
        return Err(failed(format!(
            "it took part in the run, and {remote} has no file of that: was it removed?"
        )));
    }
    let mut bytes = 0;
    for name in arrived.keys() {
        let file = local.join(name);
        let size = fs::metadata(&file).map(|data| data.len());
        bytes +=
            size.map_err(|error| failed(format!("{} had arrived: {error}", file.display())))?;
    }
    if clean {
        remove(&node, &remote, &found).await?;
    }
    Ok(Kept { files: arrived.len(), bytes, cleaned: clean && !arrived.is_empty(), error: None })
}

/// What has arrived so far.
fn read(list: &Path) -> Result<Manifest, String> {
    match fs::read(list) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| error.to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Manifest::new()),
        Err(error) => Err(error.to_string()),
    }
}

fn write(list: &Path, arrived: &Manifest) -> std::io::Result<()> {
    // By way of another name: half a list would forget files that are removed then.
    let part = list.with_extension("part");
    fs::write(&part, serde_json::to_vec_pretty(arrived)?)?;
    fs::rename(part, list)
}
