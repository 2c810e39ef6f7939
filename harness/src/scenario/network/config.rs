//! [`Config`]: a configuration directory, read as a whole and checked against itself.
//!
//! Where `<env>-full.yaml` is not there yet, cases are known by name only, and [`Config::unavailable`] says why they cannot
//! run. Nothing is contacted.

use std::fs::File;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::cases::{Case, Cases};
use super::current;
use super::expand::{Expansion, expand, outline};
use super::full::{Defaults, Full, Paths};
use super::minimal::{Minimal, Pair};
use super::template::{RunsOn, Template, ToolTemplate};
use crate::model::quantity::Length;
use crate::model::spec::network::{End, NodeSpec};
use crate::scenario::ScenarioError;

/// Everything that a configuration directory says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Config {
    /// Relative to the workspace root.
    pub directory: PathBuf,
    /// The environment's name, with which its files begin.
    pub name: String,
    /// Every node.
    pub nodes: Vec<NodeSpec>,
    /// The pairs of nodes.
    pub pairs: Vec<Ends>,
    /// What is copied to every node, relative to the directory; absent where there is no such directory.
    pub tools: Option<PathBuf>,
    /// Every case of every tool that has a pair.
    pub cases: Vec<Configured>,
    /// Categories of environments of which there is no pair, with the environment.
    pub without_pair: Vec<(String, String)>,
    /// What was written and has no effect.
    pub warnings: Vec<String>,
    /// Why nothing of it can run.
    pub unavailable: Option<String>,
}

/// The two ends of an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ends {
    /// `host` or `vm`.
    pub environment: String,
    /// The side that listens.
    pub server: End,
    /// The side that connects.
    pub client: End,
}

/// A case, and how its tool is run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Configured {
    /// The case.
    pub case: Case,
    /// Where its tool runs.
    pub node: NodeSpec,
    /// See [`crate::model::spec::network::Tool::ready`].
    pub ready: Option<String>,
    /// The same of `settle`; the scenario's where the tool does not say.
    pub settle: Option<Length>,
}

impl Config {
    /// The file that holds the user's input.
    pub const MINIMAL: &'static str = "minimal-input.yaml";
    /// The file that holds the tools; also looked for one directory up, where environments share it.
    pub const TEMPLATE: &'static str = "tools-template.yaml";

    /// Reads the directory, which is relative to `root`.
    ///
    /// # Errors
    /// [`ScenarioError`] of the file that is at fault, also where one of them is older than what it was made from.
    pub fn load(root: &Path, directory: &Path) -> Result<Self, ScenarioError> {
        let files = Files { root, directory };
        let (path, text) = files.needed(Self::MINIMAL)?;
        let minimal = Minimal::read(&path, &text)?;
        let own = files.read(Self::TEMPLATE)?;
        let template = match own {
            Some(found) => Some(found),
            None => files.read(&format!("../{}", Self::TEMPLATE))?,
        };
        let full = files.read(&format!("{}-full.yaml", minimal.environment))?;
        let loaded = match (full, template) {
            (Some(full), template) => Loaded::full(&files, &minimal, full, template)?,
            (None, Some(template)) => Loaded::outline(&minimal, template)?,
            (None, None) => {
                return Err(files.needed(Self::TEMPLATE).err().unwrap_or_else(|| {
                    ScenarioError::plain(directory, "there is no tools-template.yaml")
                }));
            }
        };
        loaded.complete(&files, &minimal)
    }

    /// The ends of an environment, `host` or `vm`.
    #[must_use]
    pub fn ends(&self, environment: &str) -> Option<&Ends> {
        self.pairs.iter().find(|ends| ends.environment == environment)
    }
}

/// Says why nodes cannot be reached, as far as that can be told without asking them.
#[must_use]
pub fn unreachable(nodes: &[NodeSpec]) -> Option<String> {
    let needed = nodes.iter().filter_map(|node| node.ssh_config.as_ref());
    let (path, error) =
        needed.into_iter().find_map(|path| Some((path.display(), File::open(path).err()?)))?;
    Some(match error.kind() {
        ErrorKind::NotFound => format!(
            "there is no {path}, by which its nodes are reached: for the local testbed, run `cargo xtask testbed up` as root"
        ),
        _ => format!(
            "{path} cannot be read ({error}): run as its user, which is root for the local testbed"
        ),
    })
}

struct Files<'a> {
    root: &'a Path,
    directory: &'a Path,
}

impl Files<'_> {
    /// A file of the directory, with its path as messages show it; `None` where it is not there.
    fn read(&self, name: &str) -> Result<Option<(PathBuf, String)>, ScenarioError> {
        let shown = self.directory.join(name);
        match std::fs::read_to_string(self.root.join(&shown)) {
            Ok(text) => Ok(Some((shown, text))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ScenarioError::plain(&shown, format!("cannot be read: {error}"))),
        }
    }

    fn needed(&self, name: &str) -> Result<(PathBuf, String), ScenarioError> {
        self.read(name)?.ok_or_else(|| {
            let message = "there is no such file: a configuration directory has a minimal-input.yaml and a tools-template.yaml";
            ScenarioError::plain(&self.directory.join(name), message)
        })
    }
}

/// What differs between a configuration that was found out and one that was not.
struct Loaded {
    full: Option<(PathBuf, Full)>,
    tools: Template,
    expansion: Expansion,
}

impl Loaded {
    fn full(
        files: &Files<'_>,
        minimal: &Minimal,
        (path, text): (PathBuf, String),
        template: Option<(PathBuf, String)>,
    ) -> Result<Self, ScenarioError> {
        let full = Full::read(&path, &text)?;
        current::check(&full, minimal).map_err(|why| {
            ScenarioError::plain(&path, format!("{why}: run `cargo xtask bootstrap` again"))
        })?;
        if let Some((template_path, text)) = template {
            let guest = full.environments.get("vm").and_then(|vm| vm.kvm_config.as_ref());
            let guest = guest.and_then(|kvm| kvm.server.clone()).unwrap_or_default();
            let fresh = Template::read(&template_path, &text)?.with_vhost_pids(&guest.vhost_pids);
            if fresh != full.tools {
                let message = format!(
                    "its tools are not those of {}: run `cargo xtask bootstrap` again",
                    template_path.display()
                );
                return Err(ScenarioError::plain(&path, message));
            }
        }
        let expansion = expand(&full, &path, &text)?;
        let name = format!("{}-cases.json", full.environment);
        let (cases_path, text) = files.read(&name)?.ok_or_else(|| {
            let message = "there is no such file beside the full configuration: run `cargo xtask bootstrap` again";
            ScenarioError::plain(&files.directory.join(&name), message)
        })?;
        let fresh = Cases::new(&full.environment, expansion.cases.clone());
        Cases::read(&cases_path, &text)?.is_current(&fresh, &cases_path)?;
        Ok(Self { tools: full.tools.clone(), full: Some((path, full)), expansion })
    }

    fn outline(minimal: &Minimal, (path, text): (PathBuf, String)) -> Result<Self, ScenarioError> {
        let tools = Template::read(&path, &text)?;
        let pairs = [("host", &minimal.host), ("vm", &minimal.vm)];
        let names: Vec<&str> =
            pairs.iter().filter(|(_, pair)| pair.is_some()).map(|(name, _)| *name).collect();
        let expansion = outline(&tools, &names, &path, &text)?;
        Ok(Self { full: None, tools, expansion })
    }

    fn complete(self, files: &Files<'_>, minimal: &Minimal) -> Result<Config, ScenarioError> {
        let full = self.full.as_ref().map(|(_, full)| full);
        let use_sudo = full.map_or(Defaults::default().use_sudo, |full| full.defaults.use_sudo);
        let ssh_config =
            minimal.ssh_config.as_ref().map(|path| files.root.join(files.directory).join(path));
        let nodes: Vec<NodeSpec> =
            minimal.nodes.iter().map(|node| node.spec(ssh_config.as_deref(), use_sudo)).collect();
        let pairs = [("host", &minimal.host), ("vm", &minimal.vm)];
        let pairs = pairs.into_iter().filter_map(|(name, pair)| Some((name, pair.as_ref()?)));
        let pairs: Vec<Ends> = pairs
            .map(|(name, pair)| self.ends(minimal, &nodes, name, pair))
            .collect::<Result<_, _>>()?;
        let tools = full.map_or_else(Paths::default, |full| full.paths.clone());
        let tools = PathBuf::from(tools.measurement_tools_dir);
        let is_there = files.root.join(files.directory).join(&tools).is_dir();
        let unavailable = unreachable(&nodes).or_else(|| {
            let directory = files.directory.display();
            full.is_none().then(|| format!(
                "{directory} has no {}-full.yaml: run `cargo xtask bootstrap --input {directory}/{} --output-dir {directory}`",
                minimal.environment, Config::MINIMAL
            ))
        });
        let cases = self.expansion.cases.iter().zip(&self.expansion.origins);
        let cases = cases.map(|(case, (category, tool))| {
            let tool = &self.tools.categories.0[*category].1.tools[*tool];
            configured(case, tool, minimal, &pairs, &nodes)
        });
        let cases = cases.collect();
        let has_pair = |environment: &str| pairs.iter().any(|ends| ends.environment == environment);
        let categories = self.tools.categories.0.iter();
        let without_pair = categories
            .filter(|(_, category)| !has_pair(&category.environment))
            .map(|(name, category)| (name.clone(), category.environment.value.clone()))
            .collect();
        Ok(Config {
            directory: files.directory.to_owned(),
            name: minimal.environment.clone(),
            tools: is_there.then_some(tools),
            cases,
            without_pair,
            warnings: self.expansion.warnings,
            nodes,
            pairs,
            unavailable,
        })
    }

    fn ends(
        &self,
        minimal: &Minimal,
        nodes: &[NodeSpec],
        environment: &str,
        pair: &Pair,
    ) -> Result<Ends, ScenarioError> {
        let found =
            self.full.as_ref().map(|(path, full)| (path, full.environments.get(environment)));
        let end = |name: &str, word: &str| {
            let node = by_name(nodes, name);
            let written = minimal.node(name).and_then(|node| node.test_ip);
            let Some((path, environment_of)) = found else {
                // Nothing runs before the address was found out.
                let ip = written.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
                return Ok(End { node, ip, interface: None });
            };
            let side = environment_of.map(|found| match word {
                "server" => &found.server,
                _ => &found.client,
            });
            let ip = side.and_then(|side| side.test_ip).ok_or_else(|| {
                let message = format!("environments.{environment}.{word}.test_ip was not found: see `missing` at the end of the file, and run `cargo xtask bootstrap` again");
                ScenarioError::plain(path, message)
            })?;
            Ok(End { node, ip, interface: side.and_then(|side| side.interface.clone()) })
        };
        Ok(Ends {
            environment: environment.to_owned(),
            server: end(&pair.server, "server")?,
            client: end(&pair.client, "client")?,
        })
    }
}

fn configured(
    case: &Case,
    tool: &ToolTemplate,
    minimal: &Minimal,
    pairs: &[Ends],
    nodes: &[NodeSpec],
) -> Configured {
    let server = pairs.iter().find(|ends| ends.environment == case.environment);
    let server = server.map_or("", |ends| ends.server.node.name.as_str());
    let guest = minimal.node(server).and_then(|node| node.guest.as_ref());
    let on = match (guest, tool.runs_on) {
        (Some(guest), None | Some(RunsOn::Host)) => guest.host.as_str(),
        _ => server,
    };
    Configured {
        case: case.clone(),
        node: by_name(nodes, on),
        ready: tool.ready.as_ref().map(|ready| ready.value.clone()),
        settle: tool.settle,
    }
}

/// The node of that name, which was checked to exist.
fn by_name(nodes: &[NodeSpec], name: &str) -> NodeSpec {
    let node = nodes.iter().find(|node| node.name == name);
    node.unwrap_or_else(|| &nodes[0]).clone()
}
