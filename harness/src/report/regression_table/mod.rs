//! A regression table rendered: text, Markdown, JSON and HTML, with the rows of Avocado's regression tables and ours.

pub mod html;

mod lines;
mod text;

use serde::Serialize;

use crate::analysis::table::TableComparison;
use crate::gate::table::TableJudgement;

/// All that a rendering draws on.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TableReport<'a> {
    /// What follows.
    pub judgement: &'a TableJudgement,
    /// The facts.
    pub comparison: &'a TableComparison,
}

/// How to print a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// For a terminal.
    Text,
    /// For a file or a web page.
    Markdown,
    /// For a program.
    Json,
    /// A page that needs no other file.
    Html,
}

impl TableFormat {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Text, Self::Markdown, Self::Json, Self::Html];

    /// The word that names it on a command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Html => "html",
        }
    }

    /// The format that a word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }
}

/// Where the method is explained.
pub const EXPLAINED: &str =
    concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/statistics.md#regression-tables");

/// Renders a table, ending in a line feed.
#[must_use]
pub fn render(report: TableReport<'_>, format: TableFormat) -> String {
    match format {
        TableFormat::Text => text::render(report),
        TableFormat::Markdown => text::markdown(report),
        TableFormat::Html => html::render(report),
        TableFormat::Json => {
            // Writing to memory fails only for maps with keys that are not strings, of which there are none.
            let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
            text.push('\n');
            text
        }
    }
}

#[cfg(test)]
mod tests;
