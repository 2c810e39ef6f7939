//! For a terminal, and as Markdown.

use super::lines::{
    FINDINGS, Line, NOTHING, finding, headline, notes, noteworthy, significance, verdict,
};
use super::{EXPLAINED, TableReport};
use crate::analysis::table::CategoryComparison;
use crate::report::github::one_line;
use crate::report::{markdown, table};

pub(super) fn render(report: TableReport<'_>) -> String {
    let mut text = format!("{}: {}\n", one_line(&report.comparison.test), headline(report));
    for note in notes(report) {
        text.push_str(&format!("{}\n", one_line(&note)));
    }
    for category in &report.comparison.categories {
        let (header, rows) = grid(report, category);
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        text.push_str(&format!("\n{}\n{}", one_line(&category.name), table::render(&header, rows)));
    }
    let checks = noteworthy(report);
    if !checks.is_empty() {
        let rows = checks.into_iter().map(|check| shown(finding(check)));
        text.push_str(&format!("\nFindings\n{}", table::render(&FINDINGS, rows)));
    }
    text.push_str(&format!("\nWhat this rests on: {EXPLAINED}\n"));
    text
}

pub(super) fn markdown(report: TableReport<'_>) -> String {
    let mut text = format!(
        "# {}\n\n**{}**\n\n",
        markdown::cell(&report.comparison.test),
        markdown::cell(&headline(report))
    );
    for note in notes(report) {
        text.push_str(&format!("- {}\n", markdown::cell(&note)));
    }
    for category in &report.comparison.categories {
        let (header, rows) = grid(report, category);
        text.push_str(&markdown::grid(&category.name, &header, rows));
    }
    let checks = noteworthy(report);
    if !checks.is_empty() {
        let header = FINDINGS.map(str::to_owned);
        text.push_str(&markdown::grid("Findings", &header, checks.into_iter().map(finding)));
    }
    text.push_str(&format!("\n[What this rests on]({EXPLAINED})\n"));
    text
}

fn shown(cells: Vec<String>) -> Vec<String> {
    cells.iter().map(|cell| one_line(cell)).collect()
}

/// Header and lines of a category; a row's key stands at its first line only.
fn grid(report: TableReport<'_>, category: &CategoryComparison) -> (Vec<String>, Vec<Vec<String>>) {
    let mut header: Vec<String> = category.keys.iter().map(|key| one_line(key)).collect();
    header.push(String::new());
    header.extend(category.columns.iter().map(|column| one_line(&column.name)));
    let mut rows = Vec::new();
    for row in &category.rows {
        for (index, line) in Line::ALL.into_iter().enumerate() {
            let blank = |key: &String| if index == 0 { one_line(key) } else { String::new() };
            let mut cells: Vec<String> = row.key.iter().map(blank).collect();
            cells.push(line.name().to_owned());
            let pairs = row.cells.iter().zip(&category.columns);
            cells.extend(pairs.map(|(cell, column)| {
                line.cell(cell, verdict(report, category, &row.key, &column.name))
            }));
            rows.push(cells);
        }
    }
    if category.columns.iter().any(|column| column.total_significance.is_some()) {
        let mut cells = vec![NOTHING.to_owned(); category.keys.len()];
        cells.push("Total Significance".to_owned());
        cells.extend(category.columns.iter().map(|column| significance(column.total_significance)));
        rows.push(cells);
    }
    (header, rows)
}
