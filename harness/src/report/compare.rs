//! What `compare` prints: the verdict, what to know before believing it, and a row per metric and source.

use super::sections::Section;
use super::{Format, Report, changes, github, json, markdown, text};
use crate::gate::{Check, worst_first};

/// A comparison of two versions.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// What was compared with what.
    pub title: &'a str,
    /// What to know before believing it.
    pub warnings: &'a [String],
    /// The findings and the verdict.
    pub report: Report<'a>,
}

/// Renders a comparison, ending in a line feed. `color` asks for ANSI colors, which only [`Format::Text`] has.
#[must_use]
pub fn render(compared: &Compared<'_>, format: Format, color: bool) -> String {
    let Compared { title, warnings, report } = compared;
    let headline = format!("{}: {title}", report.judgement.verdict.as_str());
    let all = sections(report);
    let sections = all.iter().filter(|section| !section.rows.is_empty());
    match format {
        Format::Json => json::render(report),
        Format::Text => {
            let mut page = format!("{}\n", text::paint(&headline, color));
            for warning in *warnings {
                page.push_str(&format!("warning: {}\n", github::one_line(warning)));
            }
            sections.for_each(|section| page.push_str(&text::table(section, color)));
            page
        }
        Format::Markdown => {
            let mut page = format!("# compare\n\n**{}**\n", markdown::cell(&headline));
            for warning in *warnings {
                page.push_str(&format!("\n- warning: {}\n", markdown::cell(warning)));
            }
            sections.for_each(|section| page.push_str(&markdown::table(section)));
            page
        }
    }
}

/// The changes, and the checks that are not on one of them.
fn sections(report: &Report<'_>) -> Vec<Section> {
    let is_other = |check: &&Check| {
        !report.analysis.changes.iter().any(|change| {
            (&change.id, &change.metric, &change.source)
                == (&check.id, &check.metric, &check.source)
                && check.reason == change.reason
        })
    };
    let row = |check: &Check| {
        vec![
            check.verdict.as_str().to_owned(),
            check.id.clone(),
            check.metric.clone(),
            check.source.clone(),
            check.expected.clone(),
            check.reason.clone(),
        ]
    };
    let others = worst_first(&report.judgement.checks).into_iter().filter(is_other);
    vec![
        changes::section(report.analysis),
        Section {
            title: "Other checks",
            header: &["verdict", "trial", "metric", "source", "expected", "reason"],
            rows: others.map(row).collect(),
            explained: Some("the-overhead-of-a-tool"),
        },
        changes::unmatched(report.analysis),
    ]
}
