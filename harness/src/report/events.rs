//! What happened during the trials, and what reading them cost: a section of its own, and warnings where sampling
//! fell behind.

use super::Report;
use super::sections::{NOTHING, Section};
use super::units::seconds;
use crate::analysis::digits::short;
use crate::model::EventKind;
use crate::results::{OomEvent, SamplerCost, TrialRecord};

/// How many events a report lists; results.json has all.
const SHOWN: usize = 50;
/// The gap between two samples, in intervals, from which on a reader should know.
const GAP: f64 = 2.0;

/// One row per event, the worst kinds first, else in their order.
pub(super) fn section(report: &Report<'_>) -> Section {
    let mut rows: Vec<(EventKind, Vec<String>)> =
        report.results.scenarios.iter().flat_map(happened).collect();
    // Kinds are declared from worst to mildest.
    rows.sort_by_key(|(kind, _)| *kind);
    let rest = rows.len().saturating_sub(SHOWN);
    let mut rows: Vec<Vec<String>> = rows.into_iter().take(SHOWN).map(|(_, row)| row).collect();
    if rest > 0 {
        let mut more = vec![NOTHING.to_owned(); 4];
        more.push(format!("and {rest} more, which results.json lists"));
        rows.push(more);
    }
    Section {
        title: "Events",
        header: &["after", "trial", "kind", "source", "message"],
        rows,
        explained: None,
    }
}

fn happened(trial: &TrialRecord) -> Vec<(EventKind, Vec<String>)> {
    let row = |kind: EventKind, after: String, source: &str, message: &str| {
        let cells = [&after, &trial.id, kind.as_str(), source, message];
        (kind, cells.map(str::to_owned).into())
    };
    if trial.events.is_empty() {
        // The original framework lists nothing but OOM kills.
        let kills = trial.oom_events.iter().map(|kill| {
            row(EventKind::OomKill, after(trial, kill), &kill.container_name, &kill.message)
        });
        return kills.collect();
    }
    let events = trial.events.iter();
    let events = events.map(|e| row(e.kind, seconds(e.elapsed_seconds), &e.source, &e.message));
    events.collect()
}

/// The time since the trial began, where the dates of the file can be compared.
fn after(trial: &TrialRecord, kill: &OomEvent) -> String {
    let elapsed = kill.timestamp - trial.started_at.0.as_millisecond() as f64 / 1000.0;
    let within = |length: f64| (0.0..=length).contains(&elapsed);
    let known = trial.duration_seconds.is_some_and(within);
    if known { seconds(elapsed) } else { NOTHING.to_owned() }
}

/// One line per trial whose samples were not taken as they were due.
pub(super) fn warnings(report: &Report<'_>) -> Vec<String> {
    let warning = |trial: &TrialRecord| {
        // The gate has a better sentence for what is beyond its limits.
        let begins = format!("{}: ", trial.comparison().unwrap_or(&trial.id));
        if report.judgement.warnings.iter().any(|warning| warning.starts_with(&begins)) {
            return None;
        }
        let cost = trial.sampler?;
        let what = fell_behind(&cost)?;
        Some(format!(
            "warning: {}: {what}; the machine may be too busy or a probe too slow: try a longer interval",
            trial.id
        ))
    };
    let judged = report.judgement.warnings.iter().map(|text| format!("warning: {text}"));
    report.results.scenarios.iter().filter_map(warning).chain(judged).collect()
}

fn fell_behind(cost: &SamplerCost) -> Option<String> {
    let mut parts = Vec::new();
    if cost.missed > 0 {
        let due = cost.samples + cost.missed;
        parts.push(format!("{} of {due} samples were missed", cost.missed));
    }
    if cost.worst_gap_intervals > GAP {
        let gap = short(cost.worst_gap_intervals);
        parts.push(format!("two samples lie {gap} intervals apart"));
    }
    (!parts.is_empty()).then(|| parts.join(" and "))
}
