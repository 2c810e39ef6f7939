//! The lines that every rendering of a table shares: their names, and their cells as text.

use super::TableReport;
use crate::analysis::compare::SEPARATE;
use crate::analysis::digits::short;
use crate::analysis::table::{CategoryComparison, CellComparison, Spread};
use crate::gate::table::TableCheck;
use crate::model::Verdict;

pub(super) const NOTHING: &str = "-";

/// What one line says of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    AverageA,
    SpreadA,
    AverageB,
    SpreadB,
    Change,
    Significance,
    Adjusted,
    Verdict,
}

impl Line {
    pub(super) const ALL: [Self; 8] = [
        Self::AverageA,
        Self::SpreadA,
        Self::AverageB,
        Self::SpreadB,
        Self::Change,
        Self::Significance,
        Self::Adjusted,
        Self::Verdict,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AverageA => "Avg 1",
            Self::SpreadA => "%SD 1",
            Self::AverageB => "Avg 2",
            Self::SpreadB => "%SD 2",
            Self::Change => "%Diff between Avg",
            Self::Significance => "Significance",
            Self::Adjusted => "Welch p, all cells",
            Self::Verdict => "Verdict",
        }
    }

    pub(super) fn cell(self, cell: &CellComparison, verdict: Option<Verdict>) -> String {
        let number = |value: Option<f64>| value.map_or_else(|| NOTHING.to_owned(), short);
        match self {
            Self::AverageA => number(cell.average_a),
            Self::SpreadA => number(percent_of(cell.a)),
            Self::AverageB => number(cell.average_b),
            Self::SpreadB => number(percent_of(cell.b)),
            Self::Change => cell.change.map_or_else(
                || NOTHING.to_owned(),
                |change| {
                    let percent = short(change * 100.0);
                    if change > 0.0 { format!("+{percent}") } else { percent }
                },
            ),
            Self::Significance => significance(cell.significance),
            Self::Adjusted => number(cell.adjusted_p),
            Self::Verdict => verdict.map_or(NOTHING, Verdict::as_str).to_owned(),
        }
    }
}

/// The sample standard deviation in percent of the readings' mean.
fn percent_of(spread: Option<Spread>) -> Option<f64> {
    let Spread { mean, sd, .. } = spread?;
    Some(sd? / mean.abs() * 100.0).filter(|percent| percent.is_finite())
}

/// With a sign, as the original prints it; never rounded up to certainty.
pub(super) fn significance(value: Option<f64>) -> String {
    let Some(value) = value else { return NOTHING.to_owned() };
    if value.abs() >= 0.9995 && value.abs() < 1.0 {
        return if value < 0.0 { "-0.999+".to_owned() } else { "+0.999+".to_owned() };
    }
    format!("{value:+.3}")
}

/// The verdict of a cell; `None` of one that is reported only.
pub(super) fn verdict(
    report: TableReport<'_>,
    category: &CategoryComparison,
    key: &[String],
    column: &str,
) -> Option<Verdict> {
    let is = |check: &&TableCheck| {
        check.category == category.name
            && check.key == key
            && check.column.as_deref() == Some(column)
    };
    report.judgement.checks.iter().find(is).map(|check| check.verdict)
}

/// `fail: 60 cells judged (2 fail, 58 pass), 24 reported`.
pub(super) fn headline(report: TableReport<'_>) -> String {
    let judgement = report.judgement;
    let mut parts = Vec::new();
    for verdict in [Verdict::Fail, Verdict::NoData, Verdict::Inconclusive, Verdict::Pass] {
        let count = judgement.checks.iter().filter(|check| check.verdict == verdict).count();
        if count > 0 {
            parts.push(format!("{count} {}", verdict.as_str()));
        }
    }
    if parts.is_empty() {
        return format!(
            "{}: no column has a direction, so nothing is judged: name them with better = column: lower|higher in perf.conf",
            judgement.verdict.as_str()
        );
    }
    format!(
        "{}: {} judged ({}), {} reported only",
        judgement.verdict.as_str(),
        judgement.checks.len(),
        parts.join(", "),
        judgement.reported
    )
}

/// What is noteworthy besides the cells, a sentence each.
pub(super) fn notes(report: TableReport<'_>) -> Vec<String> {
    let comparison = report.comparison;
    let mut notes = Vec::new();
    if let Some(description) = &comparison.description {
        notes.push(description.clone());
    }
    notes.push(format!("{} repetitions against {}", comparison.a.len(), comparison.b.len()));
    notes.push(format!("warning: {SEPARATE}"));
    for (name, a, b) in &comparison.versions {
        let shown = |text: &String| if text.is_empty() { NOTHING.to_owned() } else { text.clone() };
        notes.push(format!("{name}: {} became {}", shown(a), shown(b)));
    }
    for missing in comparison.missing.iter().filter(|missing| !missing.whole_side) {
        let (row, files) = (missing.key.join("|"), missing.files.join(", "));
        notes.push(format!("row {row} of {} is missing in {files}", missing.category));
    }
    notes
}

/// The checks that a reader must look at, worst first, with improvements behind them.
pub(super) fn noteworthy<'a>(report: TableReport<'a>) -> Vec<&'a TableCheck> {
    let wanted =
        |check: &&TableCheck| check.verdict != Verdict::Pass || check.reason.starts_with("better");
    let mut checks: Vec<&TableCheck> = report.judgement.checks.iter().filter(wanted).collect();
    let rank = |verdict: Verdict| match verdict {
        Verdict::Fail => 0,
        Verdict::NoData => 1,
        Verdict::Inconclusive => 2,
        _ => 3,
    };
    checks.sort_by_key(|check| rank(check.verdict));
    checks
}

pub(super) const FINDINGS: [&str; 5] = ["finding", "category", "row", "column", "reason"];

pub(super) fn finding(check: &TableCheck) -> Vec<String> {
    vec![
        check.verdict.as_str().to_owned(),
        check.category.clone(),
        check.key.join("|"),
        check.column.clone().unwrap_or_else(|| NOTHING.to_owned()),
        check.reason.clone(),
    ]
}
