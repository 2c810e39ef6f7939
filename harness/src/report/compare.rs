//! What `compare` prints: the verdict, what to know before believing it, and a row per metric and source.

use super::sections::Section;
use super::{Format, Report, github, json, markdown, text};
use crate::analysis::Change;
use crate::gate::{Check, worst_first};

/// A comparison of two versions.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// What was compared with what.
    pub title: &'a str,
    /// The findings, the verdict, and what to know before believing it.
    pub report: Report<'a>,
}

/// Renders a comparison, ending in a line feed. `color` asks for ANSI colors, which only [`Format::Text`] has.
#[must_use]
pub fn render(compared: &Compared<'_>, format: Format, color: bool) -> String {
    let Compared { title, report } = compared;
    let warnings = &report.judgement.warnings;
    let headline = format!("{}: {title}", report.judgement.verdict.as_str());
    let all = sections(report);
    let sections = all.iter().filter(|section| !section.rows.is_empty());
    match format {
        Format::Json => json::render(report),
        Format::Text => {
            let mut page = format!("{}\n", text::paint(&headline, color));
            for warning in warnings {
                page.push_str(&format!("warning: {}\n", github::one_line(warning)));
            }
            sections.for_each(|section| page.push_str(&text::table(section, color)));
            page
        }
        Format::Markdown => {
            let mut page = format!("# compare\n\n**{}**\n", markdown::cell(&headline));
            for warning in warnings {
                page.push_str(&format!("\n- warning: {}\n", markdown::cell(warning)));
            }
            sections.for_each(|section| page.push_str(&markdown::table(section)));
            page
        }
    }
}

/// The changes, and the checks that are not on one of them.
fn sections(report: &Report<'_>) -> Vec<Section> {
    let is_of = |check: &Check, change: &Change| {
        (&change.id, &change.metric, &change.source) == (&check.id, &check.metric, &check.source)
    };
    let changes = &report.analysis.changes;
    let is_other = |check: &&Check| {
        !changes.iter().any(|change| is_of(check, change) && check.reason == change.reason)
    };
    let is_claim = |check: &Check| {
        changes.iter().any(|change| is_of(check, change) && change.equivalence.is_some())
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
    let others = worst_first(&report.judgement.checks).into_iter();
    let others: Vec<&Check> = others.filter(is_other).collect();
    let has_claim = others.iter().any(|check| is_claim(check));
    vec![
        super::changes::section(report.analysis),
        Section {
            title: "Other checks",
            header: &["verdict", "trial", "metric", "source", "expected", "reason"],
            rows: others.into_iter().map(row).collect(),
            explained: has_claim.then_some("the-overhead-of-a-tool"),
        },
        super::changes::unmatched(report.analysis),
    ]
}
