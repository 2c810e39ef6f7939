//! One made history in every form.

use serde_json::{Value, json};

use super::*;
use crate::analysis::change_points::Method;
use crate::analysis::history::{Point, Run, changes};
use crate::gate::history::judge;
use crate::model::{Better, Unit};

/// Two series over sixteen runs, one of which steps up by a half; a third one lacks a run.
fn history() -> History {
    let series =
        |metric: &str, better, unit, scale, value: fn(usize) -> f64, n: usize| HistorySeries {
            trial: "load::x::agents=5".into(),
            metric: metric.into(),
            source: "api".into(),
            better,
            unit,
            scale,
            points: (16 - n..16).map(|run| Point { run, value: value(run) }).collect(),
        };
    let run = |index: usize| Run {
        test_id: format!("run{index}"),
        started_at: jiff::Timestamp::from_second(1_767_225_600 + index as i64 * 86_400).unwrap(),
        commit: (index == 8).then(|| "abc".to_owned()),
    };
    let step = |run: usize| 1_048_576.0 * if run < 8 { 2.0 } else { 3.0 };
    let history = vec![
        series("memory.anon", Better::Lower, Unit::Bytes, Scale::Mean, step, 16),
        series("orders", Better::Higher, Unit::Count, Scale::Rate, |_| 7.0, 16),
        series("late", Better::Lower, Unit::Ratio, Scale::Ratio, |_| 1.5, 15),
    ];
    History { runs: (0..16).map(run).collect(), series: history, left_out: Vec::new() }
}

fn rendered(format: Format) -> String {
    let history = history();
    let changes = changes(&history, Method::EDivisive, 0.02);
    let today = jiff::civil::date(2026, 6, 1);
    let judgement = judge(&history, &changes, Method::EDivisive, 0.02, &[], today);
    render(&history, &judgement, format)
}

#[track_caller]
fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

#[test]
fn a_change_is_shown_with_its_run_levels_and_reason() {
    let parts = [
        "memory.anon",
        "run8",
        "2026-01-09",
        "2 MiB",
        "3 MiB",
        "50%",
        "worse: 50% higher since run run8 (commit abc)",
    ];
    for format in [Format::Text, Format::Markdown] {
        let text = rendered(format);
        holds(
            &text,
            &[
                "fail: 16 runs, 3 series searched, 1 changes: 1 for the worse that stand, 0 of",
                EXPLAINED,
            ],
        );
        if format == Format::Markdown {
            holds(&text, &parts);
        } else {
            holds(&text, &parts[..6]);
        }
    }
    let json: Value = serde_json::from_str(&rendered(Format::Json)).unwrap();
    assert_eq!(json["judgement"]["verdict"], "fail");
    assert_eq!(json["judgement"]["findings"][0]["run"]["test_id"], "run8");
}

#[test]
fn bencher_gets_the_last_run() {
    let found: Value = serde_json::from_str(&export::bencher(&history())).unwrap();
    let measures = json!({
        "memory.anon": {"value": 3_145_728.0},
        "orders per second": {"value": 7.0},
        "late b/a": {"value": 1.5},
    });
    assert_eq!(found, json!({"load::x::agents=5 api": measures}));
}

#[test]
fn github_action_benchmark_gets_a_list_per_direction() {
    let list = |better| export::github_action_benchmark(&history(), better);
    let smaller: Value = serde_json::from_str(&list(Better::Lower).unwrap()).unwrap();
    assert_eq!(
        smaller[0],
        json!({"name": "load::x::agents=5 api memory.anon", "unit": "bytes", "value": 3_145_728.0, "extra": "run run15"})
    );
    let bigger: Value = serde_json::from_str(&list(Better::Higher).unwrap()).unwrap();
    assert_eq!((smaller.as_array().unwrap().len(), bigger.as_array().unwrap().len()), (2, 1));
    let mut one_way = history();
    one_way.series.remove(1);
    assert_eq!(export::github_action_benchmark(&one_way, Better::Higher), None);
    assert_eq!(export::github_action_benchmark(&History::default(), Better::Lower), None);
}

#[test]
fn otava_gets_a_row_per_run_and_no_empty_cells() {
    let (text, gaps) = export::otava(&history());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 17);
    assert_eq!(
        lines[0],
        "time,run,commit,load::x::agents=5 api memory.anon,load::x::agents=5 api orders per second"
    );
    assert_eq!(lines[9], "2026-01-09T00:00:00Z,run8,abc,3145728,7");
    assert_eq!(gaps, ["load::x::agents=5 api late b/a"]);
}
