//! What GitHub Actions reads: annotations in the output of a step, and the file that `GITHUB_STEP_SUMMARY` names.
//!
//! Limits (docs.github.com, "Workflow commands" and its limits): ten annotations per kind and step, the rest is
//! dropped silently; 1 MiB of summary per step, beyond which none is shown.

use crate::gate::{Check, Judgement, worst_first};
use crate::model::Verdict;

/// What a step may write to its summary, in bytes.
const SUMMARY_LIMIT: usize = 1024 * 1024;
/// How many annotations of a kind a step may have.
const ANNOTATIONS: usize = 10;

/// One `::error` or `::warning` line per check that did not pass, worst first; where there are more than GitHub
/// shows, the last one of a kind says how many more there are.
#[must_use]
pub fn annotations(judgement: &Judgement) -> String {
    let bad = worst_first(&judgement.checks).into_iter().filter(|check| check.needs_attention());
    let (errors, warnings): (Vec<&Check>, Vec<&Check>) =
        bad.partition(|check| check.verdict != Verdict::Warn);
    let mut text = String::new();
    for (command, checks) in [("error", errors), ("warning", warnings)] {
        let fits = checks.len() <= ANNOTATIONS;
        let shown = if fits { checks.len() } else { ANNOTATIONS - 1 };
        for check in &checks[..shown] {
            let title = format!("{}: {}", check.verdict.as_str(), check.id);
            text.push_str(&annotation(command, &title, &check.message()));
        }
        if !fits {
            let more = format!("{} more checks", checks.len() - shown);
            text.push_str(&annotation(command, &more, "see the summary of the step"));
        }
    }
    text
}

/// The Markdown report, cut at the end of a line where it exceeds what GitHub shows.
#[must_use]
pub fn step_summary(markdown: &str) -> String {
    const NOTE: &str = "\nCut here: the whole report is in the run directory.\n";
    if markdown.len() <= SUMMARY_LIMIT {
        return markdown.to_owned();
    }
    let room = SUMMARY_LIMIT - NOTE.len();
    // A line feed is one byte and no part of any other character.
    let feed = markdown.as_bytes()[..room].iter().rposition(|byte| *byte == b'\n');
    format!("{}{NOTE}", &markdown[..feed.map_or(0, |feed| feed + 1)])
}

fn annotation(command: &str, title: &str, message: &str) -> String {
    let title = escape(title).replace(':', "%3A").replace(',', "%2C");
    format!("::{command} title={title}::{}\n", escape(message))
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text without control characters, which may come from the output of a system under test.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
