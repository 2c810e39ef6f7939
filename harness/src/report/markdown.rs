//! `report.md`, which is also the summary of a GitHub step.

use super::sections::{self, Section};
use super::{Report, events};

/// Renders the report.
#[must_use]
pub fn render(report: &Report<'_>) -> String {
    let mut text = format!("# {}\n\n", cell(&report.results.test_id));
    text.push_str(&format!("**{}**\n", cell(&sections::headline(report))));
    let started = report.results.started_at.0;
    text.push_str(&format!("\nStarted {started}"));
    if let Some(environment) = &report.results.environment {
        let parts = [&environment.cpu_model, &environment.kernel, &environment.build_profile];
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            text.push_str(&format!(", {}", cell(part)));
        }
    }
    text.push_str(".\n");
    let warnings = events::warnings(report);
    if !warnings.is_empty() {
        text.push('\n');
    }
    for warning in warnings {
        text.push_str(&format!("- {}\n", cell(&warning)));
    }
    let sections = sections::main(report).into_iter().chain(sections::details(report));
    for section in sections.filter(|section| !section.rows.is_empty()) {
        text.push_str(&table(&section));
    }
    text
}

pub(super) fn table(section: &Section) -> String {
    let header: Vec<String> = section.header.iter().map(|name| (*name).to_owned()).collect();
    let mut text = grid(section.title, &header, section.rows.iter().cloned());
    if let Some(caveat) = section.caveat() {
        text.push_str(&format!("\n{caveat}\n"));
    }
    if let Some(page) = section.explanation() {
        text.push_str(&format!("\n[What this rests on]({page})\n"));
    }
    text
}

/// A titled table.
pub(super) fn grid(
    title: &str,
    header: &[String],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = format!("\n## {}\n\n", cell(title));
    text.push_str(&line(header.iter().map(|name| cell(name)).collect()));
    text.push_str(&line(header.iter().map(|_| "---".to_owned()).collect()));
    for row in rows {
        text.push_str(&line(row.iter().map(|text| cell(text)).collect()));
    }
    text
}

/// Text that means nothing in a table: no column, markup, link or line of its own.
pub(super) fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '[' | ']' | '~' => {
                safe.push('\\');
                safe.push(c);
            }
            // Within a word an underscore is text; GitHub agrees.
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
