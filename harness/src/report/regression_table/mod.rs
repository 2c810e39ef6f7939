//! A regression table rendered: text, Markdown, JSON and HTML, with the rows of Avocado's regression tables and ours.

pub mod html;

mod lines;
mod text;

use serde::Serialize;

use crate::analysis::table::TableComparison;
use crate::gate::table::TableJudgement;
use crate::report::Format;

/// All that a rendering draws on.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TableReport<'a> {
    /// What follows.
    pub judgement: &'a TableJudgement,
    /// The facts.
    pub comparison: &'a TableComparison,
}

/// Where the method is explained.
pub const EXPLAINED: &str =
    concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/statistics.md#regression-tables");

/// Renders a table, ending in a line feed; [`html::render`] makes a page of it.
#[must_use]
pub fn render(report: TableReport<'_>, format: Format) -> String {
    match format {
        Format::Text => text::render(report),
        Format::Markdown => text::markdown(report),
        Format::Json => {
            // Writing to memory fails only for maps with keys that are not strings, of which there are none.
            let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
            text.push('\n');
            text
        }
    }
}

#[cfg(test)]
mod tests;
