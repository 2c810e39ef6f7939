//! Scenario files from their text to complete scenarios: what is accepted, what it becomes, what is refused.

mod comparisons;
mod complete;
mod layers;
mod refusals;
mod rig;
mod rules;

use std::path::Path;

use super::{Names, Scenario, ScenarioError, Workspace, load};

/// A process target of one service.
const TARGET: &str = r#"
[[target.process.service]]
name = "api"
command = ["api"]
"#;

/// A driver with every request that any kind needs.
const DRIVER: &str = r#"
[driver.agents]
base_url = "http://127.0.0.1:1"
spawn = { method = "POST", path = "/agents" }
reset = { method = "POST", path = "/reset" }
"#;

/// A scenario of that kind that says no more than it must.
fn minimal(kind: &str) -> String {
    format!("kind = \"{kind}\"\n{TARGET}{DRIVER}")
}

/// Loads `checkout.toml` of a workspace that has the files that the contract names.
fn complete(
    scenario: &str,
    workspace: &str,
    environment: &[(&str, &str)],
) -> Result<Scenario, ScenarioError> {
    let root = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("proofload.toml", workspace);
    write("scenarios/checkout.toml", scenario);
    write("fixtures/stacks/steady/compose.yml", "");
    write(".env", "");
    let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let workspace = Workspace::open(root.path(), environment)?;
    let names =
        Names { drivers: vec!["ticker".to_owned()], probes: vec!["queue".to_owned()], any: false };
    load(&workspace, &workspace.scenarios.join(Path::new("checkout.toml")), &names)
}
