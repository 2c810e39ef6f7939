//! `iterate`: the network cases of a configuration, several times over; after each time what the nodes keep is brought here.
//!
//! An iteration is over when its file `iteration.json` is there. One that was cut off is taken up again: a run that came to
//! its end is not run again, and files that have arrived are not brought again. Only its own files are an iteration's: see
//! `own::Own`.

mod bring;
mod own;
mod record;
mod summary;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::check::{variables, workspace};
use super::workflow::Source;
use super::{Answer, Failure, network_reports, nodes};
use crate::drive::network::stamp;
use crate::model::Verdict;
use crate::model::quantity::Length;
use crate::model::spec::network::NodeSpec;
use crate::plan::network::Workflow;
use crate::results;
use crate::scenario::Workspace;
use crate::suite::environment::allow_inconclusive;
use crate::suite::{Suite, lock};
use bring::bring;
use own::Own;
use record::{Iteration, Status};

/// The plan of all iterations, below the directory of their results.
const PLAN: &str = "workflow.json";

/// The arguments of `iterate`.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// What is run
    #[command(flatten)]
    pub source: Source,
    /// How many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub iterations: u32,
    /// How long to wait before the first, in seconds or as 5m
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = delay)]
    pub delay: Length,
    /// Where results go, a directory iteration_NNN per iteration; iterations that are over there are not run again
    #[arg(long, value_name = "DIR", default_value = "results/iterations")]
    pub results_dir: PathBuf,
    /// Leave on the nodes what has arrived; else it is removed there
    #[arg(long)]
    pub no_cleanup: bool,
    /// The workspace [default: the nearest directory upwards with scenarios/ or proofload.toml]
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

fn delay(text: &str) -> Result<Length, String> {
    match text.parse() {
        Ok(seconds) => Ok(Length(Duration::from_secs(seconds))),
        Err(_) => text.parse(),
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    let workspace = workspace(arguments.root.as_deref())?;
    let workflow = arguments.source.plan(&workspace)?;
    let results = &arguments.results_dir;
    let broken = |error: std::io::Error| {
        Failure::rig(format!("cannot write below {}: {error}", results.display()))
    };
    fs::create_dir_all(results).map_err(broken)?;
    let plan = results.join(PLAN);
    same_plan(&plan, &workflow)?;
    fs::write(&plan, workflow.to_json()).map_err(broken)?;
    wait(arguments.delay)?;
    let mut iterations: Vec<(PathBuf, Iteration)> = Vec::new();
    for number in 1..=arguments.iterations {
        let directory = results.join(format!("iteration_{number:03}"));
        let iteration = match Iteration::read(&directory)? {
            Some(over) => {
                eprintln!("note: {} is there already and is kept", directory.display());
                over
            }
            None => {
                fs::create_dir_all(&directory).map_err(broken)?;
                eprintln!("iteration {number} of {}", arguments.iterations);
                let once = Once { arguments, workspace: &workspace, plan: &plan, number };
                let iteration = once.run(&workflow.proofload.testbed.nodes, &directory)?;
                iteration.write(&directory).map_err(broken)?;
                iteration
            }
        };
        iterations.push((directory, iteration));
    }
    let text = summary::overall(&iterations);
    fs::write(results.join("overall_summary.txt"), &text).map_err(broken)?;
    reports(results, &iterations)?;
    let worst = Status::worst(iterations.iter().map(|(_, iteration)| iteration.status));
    Ok(Answer { text, code: worst.map_or(0, Status::exit_code) })
}

/// Refuses a directory whose iterations were of another plan: they would pass for iterations of this one.
fn same_plan(path: &Path, workflow: &Workflow) -> Result<(), Failure> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(()) };
    let refused = |why: String| Failure::usage(format!("error: {}: {why}", path.display()));
    let mut earlier = Workflow::read(&text).map_err(refused)?;
    earlier.metadata.generation_time.clone_from(&workflow.metadata.generation_time);
    if earlier == *workflow {
        return Ok(());
    }
    Err(refused("the iterations there are of another plan: name another --results-dir".to_owned()))
}

/// Writes the tables of all iterations that were run, and their averages.
fn reports(results: &Path, iterations: &[(PathBuf, Iteration)]) -> Result<(), Failure> {
    let runs = iterations.iter().map(|(directory, _)| directory.join("runs/latest"));
    let runs: Vec<PathBuf> = runs.filter(|run| run.exists()).collect();
    if runs.is_empty() {
        return Ok(());
    }
    network_reports::write(&results.join("reports"), &runs)
}

/// One iteration that is to be run.
struct Once<'a> {
    arguments: &'a Arguments,
    workspace: &'a Workspace,
    plan: &'a Path,
    number: u32,
}

impl Once<'_> {
    /// Runs and collects once. Results are collected whatever came of the run.
    fn run(&self, nodes: &[NodeSpec], directory: &Path) -> Result<Iteration, Failure> {
        let runs = directory.join("runs");
        let code = match verdict(&runs) {
            // What the rig failed, or never ran, is run again.
            Some(verdict) if !matches!(verdict, Verdict::Error | Verdict::Skipped) => {
                verdict.exit_code(allow_inconclusive())
            }
            _ => self.suite(&runs, directory)?,
        };
        let own = Own::of(&runs);
        let kept = nodes::block_on(async {
            // Another run may have begun since ours ended, and is not to be disturbed.
            let Workspace { lock, lock_within, .. } = self.workspace;
            let kept = match lock::take(lock, lock_within.0).await {
                Ok(_lock) => bring(nodes, directory, &own, !self.arguments.no_cleanup).await,
                Err(Failure { message, .. }) => bring::nothing(nodes, &message),
            };
            // The next one must not begin in the second in which this one ended: names on the nodes tell no less.
            while own.last().is_some_and(|last| *stamp(Timestamp::now()) <= *last) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            kept
        })?;
        let ran = verdict(&runs).is_some_and(|verdict| verdict != Verdict::Skipped);
        let iteration = Iteration::new(self.number, code, ran, kept);
        let text = summary::collection(&iteration);
        fs::write(directory.join("collection_summary.txt"), text).map_err(Failure::rig)?;
        Ok(iteration)
    }

    fn suite(&self, runs: &Path, directory: &Path) -> Result<u8, Failure> {
        let runs = std::path::absolute(runs).map_err(Failure::rig)?;
        let own = [("PROOFLOAD_RESULTS".to_owned(), runs.display().to_string())];
        let plan = std::path::absolute(self.plan).map_err(Failure::rig)?;
        let suite = Suite::at(&self.workspace.root).workflow(&plan);
        let code = match suite.run_all(variables().chain(own), &directory.join("libtest.log")) {
            Ok(code) => code,
            Err(Failure { code, message }) => {
                eprintln!("{message}");
                code
            }
        };
        if code > 128 {
            return Err(Failure { code, message: "interrupted".to_owned() });
        }
        Ok(code)
    }
}

/// What the newest run of an iteration came to; `None` where none came to its end.
fn verdict(runs: &Path) -> Option<Verdict> {
    let results = results::read(&runs.join("latest")).ok()?;
    results.completed_at?;
    Some(crate::gate::judge(&results, &crate::analysis::analyze(&results)).verdict)
}

fn wait(delay: Length) -> Result<(), Failure> {
    if delay.0.is_zero() {
        return Ok(());
    }
    eprintln!("waiting for {delay}");
    nodes::block_on(tokio::time::sleep(delay.0))
}
