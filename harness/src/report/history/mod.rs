//! A history rendered: text, Markdown and JSON; and the files that other programs take it from, in [`export`].

pub mod export;

use serde::Serialize;

use super::{Format, github, markdown, table, units};
use crate::analysis::digits::short;
use crate::analysis::history::{History, HistorySeries, Scale};
use crate::gate::history::{HistoryFinding, HistoryJudgement};

/// Where the method is explained.
pub const EXPLAINED: &str =
    concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/statistics.md#change-points");

const HEADER: [&str; 11] = [
    "verdict", "metric", "source", "trial", "run", "date", "before", "after", "change", "p",
    "reason",
];

/// Renders what was found, ending in a line feed.
#[must_use]
pub fn render(history: &History, judgement: &HistoryJudgement, format: Format) -> String {
    let headline = headline(history, judgement);
    let rows = || judgement.findings.iter().map(|finding| row(history, finding));
    match format {
        Format::Text => {
            let mut text = format!("{headline}\n");
            for note in &judgement.notes {
                text.push_str(&format!("{}\n", github::one_line(note)));
            }
            if !judgement.findings.is_empty() {
                let plain =
                    |cells: Vec<String>| cells.iter().map(|cell| github::one_line(cell)).collect();
                text.push_str(&format!("\nChanges\n{}", table::render(&HEADER, rows().map(plain))));
            }
            text.push_str(&format!("\nWhat this rests on: {EXPLAINED}\n"));
            text
        }
        Format::Markdown => {
            let mut text = format!("# History\n\n**{headline}**\n\n");
            for note in &judgement.notes {
                text.push_str(&format!("- {}\n", markdown::cell(note)));
            }
            if !judgement.findings.is_empty() {
                text.push_str(&markdown::grid("Changes", &HEADER.map(str::to_owned), rows()));
            }
            text.push_str(&format!("\n[What this rests on]({EXPLAINED})\n"));
            text
        }
        Format::Json => json(history, judgement),
    }
}

fn json(history: &History, judgement: &HistoryJudgement) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        judgement: &'a HistoryJudgement,
        history: &'a History,
    }
    // Writing to memory fails only for maps with keys that are not strings, of which there are none.
    let document = Document { judgement, history };
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn headline(history: &History, judgement: &HistoryJudgement) -> String {
    let count = |wanted: fn(&HistoryFinding) -> bool| {
        judgement.findings.iter().filter(|finding| wanted(finding)).count()
    };
    format!(
        "{}: {} runs, {} series searched, {} changes: {} for the worse that stand, {} of them acknowledged",
        judgement.verdict.as_str(),
        history.runs.len(),
        judgement.searched,
        judgement.findings.len(),
        count(|finding| finding.stands),
        count(|finding| finding.stands && finding.acknowledged.is_some())
    )
}

fn row(history: &History, finding: &HistoryFinding) -> Vec<String> {
    let series = &history.series[finding.series];
    let change = finding.change.change * 100.0;
    let change =
        if change.is_finite() { format!("{}%", short(change)) } else { "from 0".to_owned() };
    vec![
        finding.verdict.as_str().to_owned(),
        finding.metric.clone(),
        finding.source.clone(),
        finding.trial.clone(),
        finding.run.test_id.clone(),
        finding.run.started_at.strftime("%Y-%m-%d").to_string(),
        shown(series, finding.change.before),
        shown(series, finding.change.after),
        change,
        short(finding.change.p),
        finding.reason.clone(),
    ]
}

fn shown(series: &HistorySeries, value: f64) -> String {
    match series.scale {
        Scale::Mean => units::value(value, series.unit),
        Scale::Rate => format!("{}/s", units::value(value, series.unit)),
        Scale::Ratio => format!("b/a {}", short(value)),
    }
}

#[cfg(test)]
mod tests;
