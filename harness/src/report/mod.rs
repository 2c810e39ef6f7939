//! [`Report`] rendered to text: what a run came to, for people and for programs. Nothing is computed or judged here,
//! and nothing is printed; the caller writes the text where it belongs.

pub mod compare;
pub mod csv;
pub mod github;
pub mod history;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod network;
pub mod regression_table;
pub mod table;
pub mod text;
pub mod units;

mod changes;
mod events;
mod sections;

use crate::analysis::Analysis;
use crate::gate::Judgement;
use crate::results::Results;

/// All that a report draws on.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What was measured.
    pub results: &'a Results,
    /// What it means.
    pub analysis: &'a Analysis,
    /// What follows.
    pub judgement: &'a Judgement,
}

/// What `analyze` can print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Text,
    /// For a file or a web page.
    Markdown,
    /// For a program.
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Text, Self::Markdown, Self::Json];

    /// The word that names it on a command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Json => "json",
        }
    }

    /// The format that a word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }
}

/// Renders a report, ending in a line feed. `color` asks for ANSI colors, which only [`Format::Text`] has.
#[must_use]
pub fn render(report: &Report<'_>, format: Format, color: bool) -> String {
    match format {
        Format::Text => text::render(report, color),
        Format::Markdown => markdown::render(report),
        Format::Json => json::render(report),
    }
}

#[cfg(test)]
mod tests;
