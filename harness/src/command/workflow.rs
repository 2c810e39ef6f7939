//! `workflow`: the plan of network cases as a file: written, checked, or run.

use std::path::{Path, PathBuf};

use super::check::{load, variables, workspace};
use super::{Answer, Failure};
use crate::model::Kind;
use crate::plan::network::{CycleType, Workflow};
use crate::scenario::file::SelectFile;
use crate::scenario::network::{Config, selection};
use crate::scenario::{self, Names, Scenario, Workspace};
use crate::suite::Suite;

/// The arguments of `workflow`.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// What is planned
    #[command(flatten)]
    pub source: Source,
    /// Where to write the plan; `-` is standard output
    #[arg(long, value_name = "FILE", default_value = "generated_workflow.json")]
    pub output: PathBuf,
    /// Check a file and say what is in it
    #[arg(long, value_name = "FILE", conflicts_with = "run", conflicts_with_all = WRITING)]
    pub validate: Option<PathBuf>,
    /// Run a file
    #[arg(long, value_name = "FILE", conflicts_with_all = WRITING)]
    pub run: Option<PathBuf>,
    /// The workspace [default: the nearest directory upwards with scenarios/ or proofload.toml]
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

/// What a file that is there already has said.
const WRITING: [&str; 8] = [
    "config_dir",
    "scenario",
    "tools",
    "environments",
    "category",
    "protocol",
    "direction",
    "output",
];

/// Which network cases are meant.
#[derive(Clone, Debug, clap::Args)]
pub struct Source {
    /// Those of a configuration directory, with the default settings
    #[arg(long, value_name = "DIR", conflicts_with = "scenario")]
    pub config_dir: Option<PathBuf>,
    /// Those of a scenario of kind network, by name or file; the only one where none is named
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Only these tools: scripts without their extension
    #[arg(long, value_name = "TOOL", num_args = 1..)]
    pub tools: Option<Vec<String>>,
    /// Only these environments, baselines too: host, vm
    #[arg(long, value_name = "ENVIRONMENT", num_args = 1..)]
    pub environments: Option<Vec<String>>,
    /// Only categories that begin so
    #[arg(long, value_name = "CATEGORY", num_args = 1..)]
    pub category: Option<Vec<String>>,
    /// Only cases of this protocol
    #[arg(long, value_name = "PROTOCOL")]
    pub protocol: Option<String>,
    /// Only cases of this direction
    #[arg(long, value_name = "DIRECTION")]
    pub direction: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    if let Some(file) = &arguments.validate {
        return Ok(Answer::pass(summary(&read(file)?)));
    }
    let workspace = workspace(arguments.root.as_deref())?;
    if let Some(file) = &arguments.run {
        read(file)?;
        let file = std::path::absolute(file).map_err(Failure::rig)?;
        let suite = Suite::at(&workspace.root).workflow(&file);
        let code = suite.run_aloud(variables())?;
        return Ok(Answer { text: String::new(), code });
    }
    let workflow = arguments.source.plan(&workspace)?;
    let text = workflow.to_json();
    if arguments.output == Path::new("-") {
        return Ok(Answer::pass(text));
    }
    std::fs::write(&arguments.output, text).map_err(|error| {
        Failure::rig(format!("cannot write {}: {error}", arguments.output.display()))
    })?;
    let written = format!("{}wrote {}\n", summary(&workflow), arguments.output.display());
    Ok(Answer::pass(written))
}

fn read(file: &Path) -> Result<Workflow, Failure> {
    let refused = |why: String| Failure::usage(format!("error: {}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
    let workflow = Workflow::read(&text).map_err(refused)?;
    workflow.validate().map_err(|error| refused(error.to_string()))?;
    Ok(workflow)
}

impl Source {
    /// The selection as typed in.
    fn typed(&self) -> SelectFile {
        SelectFile {
            tools: self.tools.clone(),
            environments: self.environments.clone(),
            categories: self.category.clone(),
            protocol: self.protocol.clone(),
            direction: self.direction.clone(),
        }
    }

    /// The plan of what is meant.
    ///
    /// # Errors
    /// [`Failure`] of bad input, also where the configuration has not been found out yet.
    pub(super) fn plan(&self, workspace: &Workspace) -> Result<Workflow, Failure> {
        let mut scenario = wanted(self, workspace)?;
        select(self, &mut scenario)?;
        let unavailable = scenario.network.as_ref().and_then(|config| config.unavailable.clone());
        if let Some(reason) = unavailable {
            let message = format!("error: there is nothing to plan with yet: {reason}");
            return Err(Failure::usage(message));
        }
        let mut workflow = Workflow::of(&scenario);
        workflow.metadata.generation_time = Some(jiff::Timestamp::now().to_string());
        workflow.validate().map_err(|error| Failure::usage(format!("error: {error}")))?;
        Ok(workflow)
    }
}

/// The scenario that is asked for, its own selection included.
fn wanted(arguments: &Source, workspace: &Workspace) -> Result<Scenario, Failure> {
    if let Some(directory) = &arguments.config_dir {
        return over(directory, &arguments.typed(), workspace);
    }
    let named: Vec<String> = arguments.scenario.iter().cloned().collect();
    let mut loaded = load(workspace, &named)?;
    loaded.retain(|scenario| scenario.kind == Kind::Network);
    match loaded.len() {
        1 => Ok(loaded.remove(0)),
        0 => Err(Failure::usage(
            "error: no scenario of kind network: name a directory with --config-dir",
        )),
        _ => {
            let names: Vec<&str> = loaded.iter().map(|scenario| scenario.name.as_str()).collect();
            Err(Failure::usage(format!(
                "error: several scenarios of kind network: name one with --scenario ({})",
                names.join(", ")
            )))
        }
    }
}

/// A scenario that says nothing but where its configuration is, and which cases of it are run.
fn over(directory: &Path, typed: &SelectFile, workspace: &Workspace) -> Result<Scenario, Failure> {
    let directory = directory
        .canonicalize()
        .map_err(|error| Failure::usage(format!("error: {}: {error}", directory.display())))?;
    let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let shown = workspace.shown(&directory);
    // Words that fit nothing are told as the command line's, as there is no file that has them.
    known(&Config::load(&workspace.root, &shown).map_err(Failure::usage)?, typed)?;
    let config = toml::Value::String(shown.display().to_string());
    let select = toml::to_string(typed).map_err(Failure::rig)?;
    let text = format!(
        "kind = \"network\"\n[target.testbed]\nconfig = {config}\n[network.select]\n{select}"
    );
    let names = Names { any: true, ..Names::default() };
    let path = workspace.scenarios.join(format!("{name}.toml"));
    scenario::load_text(workspace, &path, text, &names).map_err(Failure::usage)
}

/// Puts what the command line asks for in the place of the scenario's selection, key by key.
fn select(arguments: &Source, scenario: &mut Scenario) -> Result<(), Failure> {
    let Some(config) = &scenario.network else { return Ok(()) };
    let typed = arguments.typed();
    known(config, &typed)?;
    let network = &mut scenario.protocol.network;
    let own = &mut network.select;
    let SelectFile { tools, environments, categories, protocol, direction } = typed;
    own.tools = tools.or(own.tools.take());
    own.environments = environments.or(own.environments.take());
    own.categories = categories.or(own.categories.take());
    own.protocol = protocol.or(own.protocol.take());
    own.direction = direction.or(own.direction.take());
    selection::leaves_something(config, own, network.baseline)
        .map_err(|message| Failure::usage(format!("error: {message}")))
}

/// Refuses words of the command line that nothing in the configuration is called.
fn known(config: &Config, typed: &SelectFile) -> Result<(), Failure> {
    selection::check(config, typed).map_err(|(key, message)| {
        let option = if key == "categories" { "category" } else { key };
        let message = message.strip_prefix(key).unwrap_or(&message);
        Failure::usage(format!("error: --{option}{message}"))
    })
}

/// What is in a workflow, for a reader.
fn summary(workflow: &Workflow) -> String {
    let cycles = &workflow.test_sequence;
    let cases = cycles.iter().filter(|cycle| cycle.cycle_type == CycleType::EbpfTest);
    let mut tools: Vec<&str> =
        cases.clone().filter_map(|cycle| Some(cycle.ebpf_case.as_ref()?.tool.as_str())).collect();
    tools.sort_unstable();
    tools.dedup();
    let count = cases.count();
    let seconds: f64 = cycles.iter().map(|cycle| cycle.expected_duration).sum();
    let trials = workflow.trials(None).len();
    let mut text = format!(
        "{}: {} cycles: {} baselines, {count} cases of {} tools in {}\n",
        workflow.proofload.scenario,
        cycles.len(),
        cycles.len() - count,
        tools.len(),
        workflow.metadata.environments.join(", "),
    );
    for cycle in cycles {
        text.push_str(&format!("  {}  {:.0} s\n", cycle.cycle_id, cycle.expected_duration));
    }
    text.push_str(&format!(
        "{trials} trials, {} blocks each, at least {:.0} min of tests\n",
        workflow.proofload.repeat,
        seconds / 60.0
    ));
    text
}
