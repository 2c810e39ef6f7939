//! The table of what differs between two versions.

use super::sections::{NOTHING, Section};
use super::units::value;
use crate::analysis::compare::Design;
use crate::analysis::digits::short;
use crate::analysis::{Analysis, Change, ChangeVerdict};

/// The columns of the table of changes.
pub(super) const HEADER: [&str; 12] = [
    "verdict",
    "trial",
    "metric",
    "source",
    "base",
    "new",
    "change",
    "95% interval",
    "runs",
    "p (Holm)",
    "p (BH)",
    "reason",
];

pub(super) fn section(analysis: &Analysis) -> Section {
    Section {
        title: "Changes",
        header: &HEADER,
        rows: analysis.changes.iter().map(row).collect(),
        explained: Some("comparing-two-versions"),
    }
}

/// The cells of a change, in the order of the header above.
pub(super) fn row(change: &Change) -> Vec<String> {
    let verdict = match change.verdict {
        ChangeVerdict::Fail => "fail",
        ChangeVerdict::Warn => "warn",
        ChangeVerdict::Pass => "pass",
        ChangeVerdict::Inconclusive => "inconclusive",
    };
    let nothing = || NOTHING.to_owned();
    let signed = |ratio: f64| format!("{:+.2}%", (ratio - 1.0) * 100.0);
    let per_second = if change.stat.is_rate() { "/s" } else { "" };
    let level = |level: Option<f64>| {
        let unit = |level: f64| match change.unit {
            Some(unit) => format!("{}{per_second}", value(level, unit)),
            None => short(level),
        };
        level.map_or_else(nothing, unit)
    };
    let runs = match (change.design, change.n) {
        (Design::Paired, 1) => "1 pair".to_owned(),
        (Design::Paired, n) => format!("{n} pairs"),
        (Design::Unpaired, _) => format!("{} and {}", change.runs[0], change.runs[1]),
    };
    let interval =
        change.interval.map(|[low, high]| format!("{} to {}", signed(low), signed(high)));
    vec![
        verdict.to_owned(),
        change.id.clone(),
        format!("{} {}", change.stat, change.metric),
        change.source.clone(),
        level(change.base),
        level(change.new),
        change.ratio.map_or_else(nothing, signed),
        interval.unwrap_or_else(nothing),
        runs,
        change.p_holm.map_or_else(nothing, short),
        change.p_bh.map_or_else(nothing, short),
        change.reason.clone(),
    ]
}

pub(super) fn unmatched(analysis: &Analysis) -> Section {
    let row = |unmatched: &crate::analysis::Unmatched| {
        let or_all = |name: &Option<String>| name.clone().unwrap_or_else(|| NOTHING.to_owned());
        vec![
            unmatched.id.clone(),
            or_all(&unmatched.metric),
            or_all(&unmatched.source),
            unmatched.only_in.to_owned(),
        ]
    };
    Section {
        title: "Not compared: on one side only",
        header: &["trial", "metric", "source", "only in"],
        rows: analysis.unmatched.iter().map(row).collect(),
        explained: None,
    }
}
