//! `--format json`: one object for programs.

use serde::Serialize;

use super::Report;
use crate::analysis::Analysis;
use crate::gate::Check;
use crate::model::Verdict;

#[derive(Serialize)]
struct Document<'a> {
    verdict: Verdict,
    incomplete: bool,
    checks: &'a [Check],
    warnings: &'a [String],
    analysis: &'a Analysis,
}

/// Renders `{verdict, incomplete, checks, warnings, analysis}`.
#[must_use]
pub fn render(report: &Report<'_>) -> String {
    let document = Document {
        verdict: report.judgement.verdict,
        incomplete: report.judgement.incomplete,
        checks: &report.judgement.checks,
        warnings: &report.judgement.warnings,
        analysis: report.analysis,
    };
    // Writing to memory fails only for maps with keys that are not strings, of which there are none.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}
