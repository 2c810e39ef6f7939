//! What a journal comes to: whole, cut off, damaged, written by several processes.

use serde_json::json;

use super::{begin, complete, end, event, passed, run, sample, text};
use crate::model::{EventKind, Metric, Outcome, Unit, Verdict};
use crate::results::journal::assemble;
use crate::results::{Journal, Line, SamplerCost, read};

/// The trials (id and number of samples, with `*` where there is no outcome) and whether the run is incomplete.
fn check(journal: &str, trials: &[&str], incomplete: bool) {
    let results = assemble(journal).unwrap_or_else(|error| panic!("{error}\nof\n{journal}"));
    let shown: Vec<String> = results
        .scenarios
        .iter()
        .map(|trial| {
            let open = if trial.outcome.is_none() { "*" } else { "" };
            format!("{} {}{open}", trial.id, trial.samples.len())
        })
        .collect();
    assert_eq!(shown, trials, "{journal}");
    assert_eq!(results.incomplete, incomplete, "{journal}");
    assert_eq!(results.completed_at.is_none(), incomplete, "{journal}");
}

#[test]
fn every_kind_of_line_is_found_in_the_results() {
    let cost = SamplerCost { cpu_seconds: 0.5, samples: 2, ..Default::default() };
    let custom = Metric::higher("queue.depth", Unit::Count);
    let journal = text(&[
        run(),
        begin("a"),
        Line::Metrics { metrics: vec![custom.clone()] },
        sample(1.0),
        event(EventKind::OomKill),
        event(EventKind::Note),
        sample(2.0),
        Line::End {
            at: super::date(9),
            outcome: Outcome::Aborted("api was killed".to_owned()),
            verdict: Verdict::Fail,
            sampler: Some(cost),
        },
        complete(),
    ]);
    check(&journal, &["a 2"], false);
    let results = assemble(&journal).unwrap();
    assert_eq!(results.test_id, "20260130_143022");
    assert_eq!(results.config, json!({ "profile": "quick" }));
    assert_eq!(results.environment.unwrap().cpus, 2);
    assert_eq!((results.started_at, results.completed_at), (super::date(0), Some(super::date(10))));
    let trial = &results.scenarios[0];
    assert_eq!(trial.metrics, [custom]);
    assert_eq!(trial.events.len(), 2);
    assert_eq!(trial.oom_events.len(), 1);
    assert_eq!(trial.oom_events[0].container_name, "api");
    assert!((trial.oom_events[0].timestamp - 1_769_783_424.0).abs() < 1e-6);
    assert_eq!((trial.aborted, trial.abort_reason.as_deref()), (true, Some("api was killed")));
    assert_eq!((trial.verdict, trial.sampler), (Some(Verdict::Fail), Some(cost)));
    assert_eq!(trial.duration_seconds, Some(8.0));
    assert_eq!(trial.total_agents(), Some(20.0));
    assert_eq!(trial.rules, Some(super::rules()));
    assert_eq!(trial.metadata["description"], "x");
}

#[test]
fn every_outcome_survives() {
    for outcome in [
        Outcome::Completed,
        Outcome::Aborted("a".to_owned()),
        Outcome::Skipped("b".to_owned()),
        Outcome::Broken("c".to_owned()),
        Outcome::Interrupted("d".to_owned()),
    ] {
        let ended = end(outcome.clone(), Verdict::Skipped);
        let results = assemble(&text(&[run(), begin("a"), ended, complete()])).unwrap();
        assert_eq!(results.scenarios[0].aborted, matches!(outcome, Outcome::Aborted(_)));
        assert_eq!(results.scenarios[0].outcome, Some(outcome));
    }
}

#[test]
fn a_run_that_did_not_complete_is_incomplete() {
    check(&text(&[run()]), &[], true);
    check(&text(&[run(), complete()]), &[], false);
    check(&text(&[run(), begin("a")]), &["a 0*"], true);
    check(&text(&[run(), begin("a"), sample(1.0)]), &["a 1*"], true);
    check(&text(&[run(), begin("a"), sample(1.0), passed()]), &["a 1"], true);
    check(&text(&[run(), begin("a"), sample(1.0), passed(), complete()]), &["a 1"], false);
    check(&text(&[run(), begin("a"), sample(1.0), complete()]), &["a 1*"], true);
}

#[test]
fn a_line_that_was_cut_off_at_any_byte_loses_no_line_before_it() {
    let whole = text(&[run(), begin("a"), sample(1.0)]);
    let last = text(&[event(EventKind::OomKill)]);
    for (end, _) in last.char_indices().skip(1) {
        check(&format!("{whole}{}", &last[..end]), &["a 1*"], true);
    }
}

#[test]
fn a_journal_cut_off_within_a_character_can_still_be_read() {
    let mut bytes = text(&[run(), begin("a"), sample(1.0), event(EventKind::Note)]).into_bytes();
    let at = bytes.iter().position(|byte| !byte.is_ascii()).unwrap();
    bytes.truncate(at + 1);
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("journal.jsonl"), bytes).unwrap();
    let results = read(root.path()).unwrap();
    assert_eq!((results.scenarios[0].samples.len(), results.incomplete), (1, true));
}

#[test]
fn a_damaged_line_in_the_middle_is_passed_over_and_makes_the_run_incomplete() {
    let damaged = |before: &[Line], after: &[Line]| {
        format!("{}{{\"line\": \"sam\u{0}\n{}", text(before), text(after))
    };
    let rest = [sample(2.0), passed(), complete()];
    check(&damaged(&[run(), begin("a"), sample(1.0)], &rest), &["a 2"], true);
    // Without its first line a trial's samples belong to nobody, least of all to the trial before.
    check(&damaged(&[run(), begin("a"), sample(1.0), passed()], &rest), &["a 1"], true);
    // An empty line is no loss.
    check(&format!("{}\n{}", text(&[run(), begin("a")]), text(&rest)), &["a 1"], false);
}

#[test]
fn several_processes_that_follow_each_other_make_one_run() {
    let process = |id: &str| [run(), begin(id), sample(1.0), passed(), complete()];
    let (a, b) = (process("a"), process("b"));
    check(&text(&[a.as_slice(), &b].concat()), &["a 1", "b 1"], false);
    check(&text(&[&a[..3], &b].concat()), &["a 1*", "b 1"], true);
    check(&text(&[a.as_slice(), &b[..3]].concat()), &["a 1", "b 1*"], true);
    check(&text(&[a.as_slice(), &b[..4]].concat()), &["a 1", "b 1"], true);
}

#[test]
fn a_retry_of_a_trial_replaces_it() {
    let failed = end(Outcome::Completed, Verdict::Fail);
    let first = [run(), begin("a"), sample(1.0), sample(2.0), failed, complete()];
    let second = [run(), begin("a"), sample(1.0), passed(), complete()];
    let journal = text(&[first.as_slice(), &second].concat());
    check(&journal, &["a 1"], false);
    assert_eq!(assemble(&journal).unwrap().scenarios[0].verdict, Some(Verdict::Pass));
}

#[test]
fn a_text_that_is_no_journal_is_refused() {
    let refused = |journal: &str, part: &str| {
        let error = assemble(journal).unwrap_err();
        assert!(error.contains(part), "{error}\nof\n{journal}");
    };
    refused("", "the journal is empty");
    refused("\n\n", "the journal is empty");
    refused("hello\n", "line 1: expected a journal's first line");
    refused(&text(&[begin("a")]), "expected a journal's first line");
    refused("{\"line\":\"run\",\"schema_version\":99}\n", "schema_version 99");
    let newer = text(&[run()]).replace("\"schema_version\":1", "\"schema_version\":2");
    refused(&newer, "reads up to 1: update proofload");
}

#[test]
fn a_journal_is_appended_to_and_half_a_line_swallows_nothing() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("journal.jsonl");
    let mut journal = Journal::open(&path).unwrap();
    journal.write(&run()).unwrap();
    journal.write(&begin("a")).unwrap();
    drop(journal);
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + "{\"line\":\"sam").unwrap();
    let mut journal = Journal::open(&path).unwrap();
    for line in [run(), begin("b"), sample(1.0), passed(), complete()] {
        journal.write(&line).unwrap();
    }
    check(&std::fs::read_to_string(&path).unwrap(), &["a 0*", "b 1"], true);
}

/// The first line of one run of comparison `c`.
fn of_comparison(id: &str, repeat: u32, first: bool) -> Line {
    let Line::Begin { at, mut trial } = begin(id) else { unreachable!("it begins a trial") };
    trial.repeat = repeat;
    trial.rules.ab = Some(
        serde_json::from_value(
            json!({ "looks": [3], "min_effect": 0.02, "margin": 0.05, "metrics": [] }),
        )
        .unwrap(),
    );
    trial.metadata.insert("comparison".to_owned(), json!("c"));
    if first {
        trial.metadata.insert("first".to_owned(), json!(true));
        trial.metadata.insert("discarded".to_owned(), json!(true));
    }
    Line::Begin { at, trial }
}

#[test]
fn a_retry_of_a_comparison_replaces_all_of_its_runs() {
    let once = |runs: &[(&str, u32, bool)]| -> Vec<Line> {
        let runs = runs.iter().map(|(id, repeat, first)| of_comparison(id, *repeat, *first));
        runs.flat_map(|begin| [begin, sample(1.0), passed()]).collect()
    };
    let mut lines = vec![run(), begin("other"), passed()];
    lines.extend(once(&[("a0", 0, true), ("b0", 0, false), ("a1", 1, false), ("b1", 1, false)]));
    lines.extend(once(&[("a0", 0, true), ("b0", 0, false)]));
    lines.push(complete());
    check(&text(&lines), &["other 0", "a0 1", "b0 1"], false);
    let results = assemble(&text(&lines)).unwrap();
    let again: crate::results::Results =
        crate::results::parse(&serde_json::to_string(&results).unwrap()).unwrap();
    assert_eq!(again, results);
    let warm_up = &again.scenarios[1];
    assert_eq!(
        (warm_up.comparison(), warm_up.repeat, warm_up.is_discarded()),
        (Some("c"), 0, true)
    );
    assert_eq!(again.scenarios[0].comparison(), None);
}

#[test]
fn a_retry_drops_the_run_that_confirmed_it() {
    let Line::Begin { at, mut trial } = begin("a::confirm") else {
        unreachable!("it begins a trial")
    };
    trial.metadata.insert("confirms".to_owned(), json!("a"));
    let confirm = Line::Begin { at, trial };
    let once = [begin("a"), passed(), confirm, sample(1.0), passed()];
    let lines = [&[run(), begin("b"), passed()], &once[..], &[complete()]].concat();
    check(&text(&lines), &["b 0", "a 0", "a::confirm 1"], false);
    let lines =
        [&[run(), begin("b"), passed()], &once[..], &[begin("a"), passed(), complete()]].concat();
    check(&text(&lines), &["b 0", "a 0"], false);
}

#[test]
fn why_a_comparison_ended_is_kept_with_the_run_that_it_ended_after() {
    let reason = "ended after 1 of 3 pairs: ab.budget = 1ms is used up".to_owned();
    let ended = Line::Ended { id: "a".to_owned(), reason: reason.clone() };
    let passed = passed();
    let journal = text(&[run(), begin("a"), passed.clone(), ended, begin("b"), passed, complete()]);
    let results = assemble(&journal).unwrap();
    assert_eq!(results.scenarios[0].metadata["ended"], json!(reason));
    assert!(!results.scenarios[1].metadata.contains_key("ended") && !results.incomplete);
}
