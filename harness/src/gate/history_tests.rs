//! Made histories of one series.

use jiff::civil::date;

use super::*;
use crate::analysis::history::{Point, Scale, changes};
use crate::gate::acks;
use crate::model::Unit;

/// A history of levels, each held for ten runs with a little noise.
fn of(levels: &[f64], better: Better) -> History {
    let noise = [0.0, 0.004, -0.003, 0.005, -0.004, 0.001, -0.005, 0.003, -0.001, 0.002];
    let values = levels.iter().flat_map(|level| noise.map(|noise| level * (1.0 + noise)));
    let points: Vec<Point> = values.enumerate().map(|(run, value)| Point { run, value }).collect();
    let run = |index: usize| Run {
        test_id: format!("run{index}"),
        started_at: jiff::Timestamp::from_second(index as i64 * 86_400).unwrap(),
        commit: Some(format!("c{index}")),
    };
    let runs = (0..points.len()).map(run).collect();
    let (trial, metric, source) = ("load::x".into(), "memory.anon".into(), "api".into());
    let series = HistorySeries {
        trial,
        metric,
        source,
        better,
        unit: Unit::Bytes,
        scale: Scale::Mean,
        points,
    };
    History { runs, series: vec![series], left_out: Vec::new() }
}

fn judged(history: &History, acks: &[Ack]) -> HistoryJudgement {
    let changes = changes(history, Method::EDivisive, 0.02);
    judge(history, &changes, Method::EDivisive, 0.02, acks, date(2026, 6, 1))
}

fn ack(run: &str, expires: &str) -> Vec<Ack> {
    let text = format!(
        "[[ack]]\ntrial = \"load::x\"\nmetric = \"memory.anon\"\nsource = \"api\"\nrun = \"{run}\"\nreason = \"known\"\nexpires = \"{expires}\"\n"
    );
    acks::parse(&text).unwrap()
}

#[track_caller]
fn check(levels: &[f64], better: Better, verdict: Verdict, reasons: &[&str]) {
    let judgement = judged(&of(levels, better), &[]);
    assert_eq!(judgement.verdict, verdict, "{judgement:?}");
    let found: Vec<&str> = judgement.findings.iter().map(|f| f.reason.as_str()).collect();
    assert_eq!(found, reasons);
}

#[test]
fn a_change_is_judged_by_direction_and_by_what_became_of_it() {
    let (lower, higher) = (Better::Lower, Better::Higher);
    check(
        &[100.0, 110.0],
        lower,
        Verdict::Fail,
        &["worse: 10% higher since run run10 (commit c10), and still so"],
    );
    check(
        &[100.0, 110.0],
        higher,
        Verdict::Pass,
        &["better: 10% higher since run run10 (commit c10)"],
    );
    check(&[100.0, 100.0], lower, Verdict::Pass, &[]);
    check(
        &[100.0, 110.0, 100.0],
        lower,
        Verdict::Pass,
        &[
            "worse: 10% higher since run run10 (commit c10), and made up for since",
            "better: 9.091% lower since run run20 (commit c20)",
        ],
    );
    let twice = judged(&of(&[100.0, 120.0, 110.0], lower), &[]);
    assert_eq!((twice.verdict, twice.findings[0].stands), (Verdict::Fail, true));
}

#[test]
fn an_ack_holds_until_it_expires_and_for_its_change_only() {
    let history = of(&[100.0, 110.0], Better::Lower);
    let check = |acks: &[Ack], verdict: Verdict, notes: &[&str]| {
        let judgement = judged(&history, acks);
        assert_eq!(judgement.verdict, verdict);
        assert_eq!(judgement.notes.len(), notes.len(), "{:?}", judgement.notes);
        for (note, part) in judgement.notes.iter().zip(notes) {
            assert!(note.contains(part), "{note}");
        }
    };
    check(&ack("run10", "2026-06-01"), Verdict::Warn, &[]);
    check(&ack("run12", "2026-06-01"), Verdict::Warn, &[]);
    check(&ack("run10", "2026-05-31"), Verdict::Fail, &["has expired on 2026-05-31"]);
    check(&ack("run3", "2026-12-31"), Verdict::Fail, &["matches no change for the worse"]);
    check(&ack("gone", "2026-12-31"), Verdict::Fail, &["matches no change for the worse"]);
}

#[test]
fn too_few_runs_say_how_many_are_needed() {
    let judgement = judged(&of(&[100.0], Better::Lower), &[]);
    assert_eq!((judgement.verdict, judgement.short), (Verdict::Inconclusive, 1));
    assert!(judgement.notes[0].contains("at most 10 of one series: e-divisive needs 12 runs"));
}
