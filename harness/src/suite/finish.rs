//! What a run leaves: its verdicts, its files, and what it says at the end.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};

use super::environment::allows_color;
use super::say;
use crate::analysis::{self, Analysis};
use crate::gate::{self, Check, Judgement};
use crate::model::Verdict;
use crate::report::{self, Format, Report, csv, github, junit, network};
use crate::results::{self, Results, RunDirectory, TrialRecord};

/// Where the tables of network trials lie in a run's directory.
const NETWORK: &str = "network";

/// A run as it was last written.
pub(super) struct Published {
    results: Results,
    analysis: Analysis,
    judgement: Judgement,
}

/// Judges one trial as a later analysis of its results will.
pub(super) fn judge(record: &TrialRecord) -> (Verdict, Vec<Check>) {
    gate::judge_trial(record, &analysis::analyze_trial(record))
}

/// Assembles the journal and writes `results.json`, `report.md`, `junit.xml` and `samples.csv`, each whole; and the
/// tables of network trials, where there are such.
pub(super) fn publish(directory: &RunDirectory) -> io::Result<Published> {
    let _lock = directory.lock()?;
    let mut results = results::read(directory.path()).map_err(io::Error::other)?;
    let analysis = analysis::analyze(&results);
    let judgement = gate::judge(&results, &analysis);
    results.analysis = serde_json::to_value(&analysis)?;
    directory.replace("results.json", &serde_json::to_vec(&results)?)?;
    let report = Report { results: &results, analysis: &analysis, judgement: &judgement };
    let markdown = report::render(&report, Format::Markdown, false);
    directory.replace("report.md", markdown.as_bytes())?;
    let junit = junit::render(&report).map_err(io::Error::other)?;
    directory.replace("junit.xml", junit.as_bytes())?;
    directory.replace("samples.csv", csv::render(&results).as_bytes())?;
    if network::has_network(&results) {
        std::fs::create_dir_all(directory.path().join(NETWORK))?;
        for (path, text) in network::files(&[(results.test_id.clone(), report)]) {
            directory.replace(&format!("{NETWORK}/{}", path.display()), text.as_bytes())?;
        }
    }
    Ok(Published { results, analysis, judgement })
}

/// Says what the run came to, on standard error, and to GitHub where that is listening.
pub(super) fn announce(published: &Published, directory: &RunDirectory) -> io::Result<()> {
    let Published { results, analysis, judgement } = published;
    let report = Report { results, analysis, judgement };
    let color = allows_color() && io::stderr().is_terminal();
    say(&report::render(&report, Format::Text, color));
    say(&format!("results: {}", directory.path().display()));
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) {
        let summary = github::step_summary(&report::render(&report, Format::Markdown, false));
        OpenOptions::new().create(true).append(true).open(path)?.write_all(summary.as_bytes())?;
    }
    if std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true") {
        say(github::annotations(judgement).trim_end());
    }
    Ok(())
}
