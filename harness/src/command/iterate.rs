//! `iterate`: the network cases of a configuration, several times over; after each time what the nodes keep is brought here.
//!
//! An iteration is over when its file `iteration.json` is there. One that was cut off is taken up again: a run that came to
//! its end is not run again, and files that have arrived are not brought again.

mod record;
mod summary;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Answer, Failure, nodes, workspace};
use crate::host::collect::{Collected, collect, remove};
use crate::host::node::{Node, NodeError};
use crate::model::Verdict;
use crate::model::quantity::Length;
use crate::model::spec::network::NodeSpec;
use crate::results;
use crate::suite::Suite;
use record::{Iteration, Kept, Status};

/// The arguments of `iterate`.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The directory of the configuration, with <env>-full.yaml and <env>-cases.json
    #[arg(long, value_name = "DIR")]
    pub config_dir: PathBuf,
    /// How many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub iterations: u32,
    /// How long to wait before the first, in seconds or as 5m
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = delay)]
    pub delay: Length,
    /// Where results go, a directory per iteration
    #[arg(long, value_name = "DIR", default_value = "results/iterations")]
    pub results_dir: PathBuf,
    /// Leave what the nodes keep where it is; else it is removed there once it has arrived whole
    #[arg(long)]
    pub no_cleanup: bool,
    /// A scenario file with the settings; its config is replaced by --config-dir [default: those of the defaults]
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// Which cases
    #[command(flatten)]
    pub select: super::workflow::Select,
}

fn delay(text: &str) -> Result<Length, String> {
    match text.parse() {
        Ok(seconds) => Ok(Length(Duration::from_secs(seconds))),
        Err(_) => text.parse(),
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    let root = workspace::nearest()?;
    let specs = nodes::all(&arguments.config_dir)?;
    let scenarios = workspace::scratch("iterate").map_err(Failure::rig)?;
    let done = attempt(arguments, &root, &specs, &scenarios);
    let _ = fs::remove_dir_all(&scenarios);
    done
}

fn attempt(
    arguments: &Arguments,
    root: &Path,
    specs: &[NodeSpec],
    scenarios: &Path,
) -> Result<Answer, Failure> {
    let config = arguments.config_dir.canonicalize().map_err(Failure::usage)?;
    let text =
        super::workflow::scenario(arguments.scenario.as_deref(), &config, &arguments.select)?;
    fs::write(scenarios.join("network.toml"), text).map_err(Failure::rig)?;
    wait(arguments.delay)?;
    let mut iterations = Vec::new();
    for number in 1..=arguments.iterations {
        let directory = arguments.results_dir.join(format!("iteration_{number:03}"));
        let iteration = match Iteration::read(&directory)? {
            Some(over) => {
                eprintln!("note: {} is there already and is kept", directory.display());
                over
            }
            None => {
                fs::create_dir_all(&directory).map_err(Failure::rig)?;
                eprintln!("iteration {number} of {}", arguments.iterations);
                let iteration = one(arguments, root, specs, scenarios, &directory, number)?;
                iteration.write(&directory).map_err(Failure::rig)?;
                iteration
            }
        };
        iterations.push((directory, iteration));
    }
    let text = summary::overall(&iterations);
    let written = super::replace(&arguments.results_dir, "overall_summary.txt", text.as_bytes());
    written.map_err(Failure::rig)?;
    let code = iterations.iter().map(|(_, iteration)| iteration.status);
    let code = Status::worst(code).map_or(0, Status::exit_code);
    Ok(Answer { text, code })
}

/// Runs and collects once. Results are collected whatever came of the run.
fn one(
    arguments: &Arguments,
    root: &Path,
    specs: &[NodeSpec],
    scenarios: &Path,
    directory: &Path,
    number: u32,
) -> Result<Iteration, Failure> {
    let runs = directory.join("runs");
    let code = match verdict(&runs) {
        // What the rig failed, or never ran, is run again.
        Some(verdict) if !matches!(verdict, Verdict::Error | Verdict::Skipped) => {
            verdict.exit_code(false)
        }
        _ => {
            let own = [
                ("PROOFLOAD_SCENARIOS".to_owned(), scenarios.display().to_string()),
                ("PROOFLOAD_RESULTS".to_owned(), absolute(&runs)?),
            ];
            let variables = workspace::variables().into_iter().chain(own);
            let code = match Suite::at(root).run_all(variables, &directory.join("libtest.log")) {
                Ok(code) => code,
                Err(failure) if failure.code > 128 => return Err(failure),
                Err(Failure { code, message }) => {
                    eprintln!("{message}");
                    code
                }
            };
            if code > 128 {
                return Err(Failure { code, message: "interrupted".to_owned() });
            }
            code
        }
    };
    let kept = nodes::block_on(bring(specs, directory, !arguments.no_cleanup))?;
    let ran = verdict(&runs).is_some_and(|verdict| verdict != Verdict::Skipped);
    let iteration = Iteration::new(number, code, ran, kept);
    let text = summary::collection(&iteration);
    super::replace(directory, "collection_summary.txt", text.as_bytes()).map_err(Failure::rig)?;
    Ok(iteration)
}

/// Brings here what every node keeps, and removes it there where that is wanted and all of it has arrived.
async fn bring(specs: &[NodeSpec], directory: &Path, clean: bool) -> Vec<(String, Kept)> {
    let mut all = Vec::new();
    for spec in specs {
        let kept = match of_node(spec, directory, clean).await {
            Ok((collected, cleaned)) => Kept {
                files: collected.files.len(),
                bytes: collected.bytes,
                cleaned,
                error: None,
            },
            Err(error) => Kept { error: Some(error.to_string()), ..Kept::default() },
        };
        all.push((spec.name.clone(), kept));
    }
    all
}

async fn of_node(
    spec: &NodeSpec,
    directory: &Path,
    clean: bool,
) -> Result<(Collected, bool), NodeError> {
    let node = Node::new(spec);
    let _connection = node.connect().await?;
    let remote = nodes::results(spec);
    if crate::host::collect::manifest(&node, &remote).await?.is_none() {
        // A node that ran nothing keeps nothing.
        return Ok((Collected::default(), false));
    }
    let local = directory.join(&spec.name).join(nodes::RESULTS);
    let collected = collect(&node, &remote, &local, &mut nodes::counting(&spec.name)).await?;
    if clean {
        remove(&node, &remote, &collected.files).await?;
    }
    Ok((collected, clean))
}

/// What the newest run of an iteration came to; `None` where none came to its end.
fn verdict(runs: &Path) -> Option<Verdict> {
    let results = results::read(&runs.join("latest")).ok()?;
    results.completed_at?;
    Some(crate::gate::judge(&results, &crate::analysis::analyze(&results)).verdict)
}

fn absolute(path: &Path) -> Result<String, Failure> {
    Ok(std::path::absolute(path).map_err(Failure::rig)?.display().to_string())
}

fn wait(delay: Length) -> Result<(), Failure> {
    if delay.0.is_zero() {
        return Ok(());
    }
    eprintln!("waiting for {delay}");
    nodes::block_on(tokio::time::sleep(delay.0))
}
