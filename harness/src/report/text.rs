//! The summary for a terminal.

use super::sections::{self, Section, VERDICTS};
use super::{Report, events, github, table};
use crate::model::Verdict;

/// Renders the summary; `color` asks for ANSI colors, which the caller decides on (terminal, `NO_COLOR`).
#[must_use]
pub fn render(report: &Report<'_>, color: bool) -> String {
    let headline = sections::headline(report);
    let mut text = format!("{}: {}\n", report.results.test_id, paint(&headline, color));
    for warning in events::warnings(report) {
        text.push_str(&github::one_line(&warning));
        text.push('\n');
    }
    for section in sections::main(report).iter().filter(|section| !section.rows.is_empty()) {
        text.push_str(&table(section, color));
    }
    text
}

pub(super) fn table(section: &Section, color: bool) -> String {
    let rows = section.rows.iter();
    let rows = rows.map(|row| row.iter().map(|cell| github::one_line(cell)).collect());
    let mut text = format!("\n{}\n", section.title);
    for line in table::render(section.header, rows).lines() {
        text.push_str(&paint(line, color));
        text.push('\n');
    }
    if let Some(caveat) = section.caveat() {
        text.push_str(&format!("  {caveat}\n"));
    }
    if let Some(page) = section.explanation() {
        text.push_str(&format!("  explained in {page}\n"));
    }
    text
}

/// Colors the verdict at the start of a line. The table must not know: it would count the codes as width. A line
/// that continues a reason is indented, and may begin with any word.
pub(super) fn paint(line: &str, color: bool) -> String {
    let start = line.len() - line.trim_start().len();
    let (space, rest) = line.split_at(start);
    let color = color && start <= 2;
    let starts = |verdict: &Verdict| {
        let after = rest.strip_prefix(verdict.as_str());
        after.is_some_and(|after| after.is_empty() || after.starts_with([' ', ':']))
    };
    match VERDICTS.into_iter().find(starts) {
        Some(verdict) if color => {
            let (word, after) = rest.split_at(verdict.as_str().len());
            let code = match verdict {
                Verdict::Pass => "32",
                Verdict::Fail | Verdict::Error => "1;31",
                Verdict::Warn | Verdict::Inconclusive | Verdict::NoData => "33",
                Verdict::Skipped => "2",
            };
            format!("{space}\u{1b}[{code}m{word}\u{1b}[0m{after}")
        }
        _ => line.to_owned(),
    }
}
