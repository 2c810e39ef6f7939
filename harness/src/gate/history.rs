//! [`judge`]: the change points of a history become a verdict.

use jiff::civil::Date;
use serde::Serialize;

use super::acks::Ack;
use crate::analysis::change_points::{ChangePoint, Method, SHORTEST, last_level, relative};
use crate::analysis::digits::short;
use crate::analysis::history::{History, HistorySeries, Run, SeriesChanges};
use crate::model::{Better, Verdict};

/// What a history comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HistoryJudgement {
    /// `fail` where a change for the worse stands and is not acknowledged; `inconclusive` where no series is long enough.
    pub verdict: Verdict,
    /// Every change, the worst first, then by run.
    pub findings: Vec<HistoryFinding>,
    /// How many series were searched.
    pub searched: usize,
    /// How many were too short.
    pub short: usize,
    /// What else a reader should know, a sentence each.
    pub notes: Vec<String>,
}

/// One change of one series.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HistoryFinding {
    /// Index into [`History::series`].
    pub series: usize,
    /// The metric.
    pub metric: String,
    /// The container, process or driver.
    pub source: String,
    /// The trial.
    pub trial: String,
    /// The first run at the new level.
    pub run: Run,
    /// The change; `at` is the index of that run among all runs.
    pub change: ChangePoint,
    /// True where it is for the worse.
    pub worse: bool,
    /// True where it is for the worse and the last level still is.
    pub stands: bool,
    /// Why it is accepted, where it is.
    pub acknowledged: Option<String>,
    /// `fail`, `warn` of one that is acknowledged, else `pass`.
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: String,
}

/// Judges the changes that were found, on a day.
#[must_use]
pub fn judge(
    history: &History,
    changes: &[SeriesChanges],
    method: Method,
    smallest: f64,
    acks: &[Ack],
    today: Date,
) -> HistoryJudgement {
    let mut used = vec![false; acks.len()];
    let mut findings = Vec::new();
    for SeriesChanges { series: index, changes } in changes {
        let series = &history.series[*index];
        let last = last_level(changes);
        for change in changes {
            let at = series.points[change.at].run;
            let worse = is_worse(series, change.change);
            let since = last.map_or(0.0, |last| relative(change.before, last));
            let stands = worse && is_worse(series, since) && since.abs() >= smallest;
            let mut acknowledged = None;
            for (ack, used) in acks
                .iter()
                .zip(&mut used)
                .filter(|(ack, _)| worse && matches(ack, series, history, at))
            {
                *used = true;
                if today <= ack.expires {
                    acknowledged = Some(ack.reason.clone());
                }
            }
            let verdict = match (stands, &acknowledged) {
                (true, None) => Verdict::Fail,
                (true, Some(_)) => Verdict::Warn,
                (false, _) => Verdict::Pass,
            };
            let run = history.runs[at].clone();
            findings.push(HistoryFinding {
                series: *index,
                metric: series.metric.clone(),
                source: series.source.clone(),
                trial: series.trial.clone(),
                reason: reason(change, &run, worse, stands, acknowledged.as_deref()),
                run,
                change: ChangePoint { at, ..*change },
                worse,
                stands,
                acknowledged,
                verdict,
            });
        }
    }
    let rank = |verdict: Verdict| [Verdict::Fail, Verdict::Warn].iter().position(|v| *v == verdict);
    findings.sort_by_key(|finding| (rank(finding.verdict).unwrap_or(2), finding.change.at));
    let (searched, short) = (changes.len(), history.series.len() - changes.len());
    let mut notes = notes_on(acks, &used, today);
    if searched == 0 {
        let most = history.series.iter().map(|series| series.points.len()).max().unwrap_or(0);
        notes.insert(
            0,
            format!(
                "{} runs, and at most {most} of one series: {} needs {} runs of a series to find a change, {} of them at the new level",
                history.runs.len(),
                method.as_str(),
                method.fewest(),
                SHORTEST
            ),
        );
    } else if short > 0 {
        notes.push(format!(
            "{short} series have fewer than {} runs and were not searched",
            method.fewest()
        ));
    }
    let worst = Verdict::worst(findings.iter().map(|finding| finding.verdict));
    let verdict =
        if searched == 0 { Verdict::Inconclusive } else { worst.unwrap_or(Verdict::Pass) };
    HistoryJudgement { verdict, findings, searched, short, notes }
}

fn is_worse(series: &HistorySeries, change: f64) -> bool {
    match series.better {
        Better::Lower => change > 0.0,
        Better::Higher => change < 0.0,
    }
}

/// An ack is of a series and a run. A change point moves by a few runs when more runs come: so many are passed over.
fn matches(ack: &Ack, series: &HistorySeries, history: &History, at: usize) -> bool {
    let same =
        (&ack.trial, &ack.metric, &ack.source) == (&series.trial, &series.metric, &series.source);
    let run = history.runs.iter().position(|run| run.test_id == ack.run);
    same && run.is_some_and(|run| run.abs_diff(at) < SHORTEST)
}

fn notes_on(acks: &[Ack], used: &[bool], today: Date) -> Vec<String> {
    let note = |(ack, used): (&Ack, &bool)| {
        let Ack { trial, metric, source, run, expires, line, .. } = ack;
        let what = format!("the ack in line {line}, of {metric} of {source} in {trial} at {run},");
        if today > *expires {
            return Some(format!("{what} has expired on {expires}"));
        }
        (!used).then(|| format!("{what} matches no change for the worse"))
    };
    acks.iter().zip(used).filter_map(note).collect()
}

fn reason(
    change: &ChangePoint,
    run: &Run,
    worse: bool,
    stands: bool,
    acknowledged: Option<&str>,
) -> String {
    let moved = if change.change.is_finite() {
        format!("{}%", short(change.change.abs() * 100.0))
    } else {
        "from zero".to_owned()
    };
    let direction = if change.after < change.before { "lower" } else { "higher" };
    let commit =
        run.commit.as_ref().map(|commit| format!(" (commit {commit})")).unwrap_or_default();
    let found = format!("{moved} {direction} since run {}{commit}", run.test_id);
    match (worse, stands, acknowledged) {
        (false, _, _) => format!("better: {found}"),
        (true, false, _) => format!("worse: {found}, and made up for since"),
        (true, true, Some(why)) => format!("worse: {found}; acknowledged: {why}"),
        (true, true, None) => format!("worse: {found}, and still so"),
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
