//! The runs of a comparison as one.

use serde_json::json;

use super::*;
use crate::analysis::compare::pairs;
use crate::gate::comparison::judge as compare;
use crate::model::rules::AbRule;
use crate::model::{Outcome, Reading};

/// One run, with a threshold and a quarter of the wanted time stolen where it is not valid.
fn side(side: &str, pair: u32, valid: bool) -> TrialRecord {
    let rule: AbRule = serde_json::from_value(json!({
        "looks": [3], "min_effect": 0.02, "margin": 0.05,
        "metrics": [{ "metric": "memory.anon", "stat": "mean", "severity": "fail" }],
    }))
    .unwrap();
    let below = r#"{"metric": "memory.anon", "stat": "max", "op": "<", "value": "200 B"}"#;
    let mut run = ruled(trial(Kind::Baseline, &format!("c::ab={side}::r={pair}")), |rules| {
        rules.ab = Some(rule);
        rules.thresholds = vec![threshold(below)];
        rules.validity = Some(super::validity::rule(true));
    });
    run.repeat = pair;
    run.scenario_params.insert("ab".into(), side.into());
    run.metadata.insert("comparison".into(), "c".into());
    if pair == 0 {
        run.metadata.insert("discarded".into(), true.into());
    }
    read(&mut run, ("sample", 0), (&metric::MEMORY_ANON, "api"), 1.0, &[100.0; 4]);
    for sample in &mut run.samples {
        let steal = if valid { 0.0 } else { 0.2 };
        sample.readings.push(Reading::new(&metric::HOST_CPU_BUSY, &"host".into(), 0.6));
        sample.readings.push(Reading::new(&metric::HOST_CPU_STEAL, &"host".into(), steal));
    }
    run
}

fn repeats(runs: &[TrialRecord]) -> Vec<u32> {
    let runs: Vec<&TrialRecord> = runs.iter().collect();
    pairs(&runs).iter().map(|pair| pair.0.repeat).collect()
}

#[test]
fn the_warm_up_halves_and_what_is_not_valid_do_not_count() {
    let runs = [
        side("a", 0, true),
        side("b", 0, true),
        side("a", 1, true),
        side("b", 1, true),
        side("b", 2, true),
        side("a", 2, false),
        side("a", 3, true),
        side("b", 3, true),
        side("b", 4, true),
    ];
    assert_eq!(repeats(&runs), [1, 3]);
}

/// The verdict on two runs of which one ended so, and the check on that run.
fn ended(which: &str, how: Outcome) -> (Verdict, Check) {
    let mut runs = [side("a", 1, true), side("b", 1, true)];
    let id = format!("c::ab={which}::r=1");
    runs.iter_mut().find(|run| run.id == id).unwrap().outcome = Some(how);
    let judged = compare("c", &runs.iter().collect::<Vec<_>>());
    let check = judged.checks.into_iter().find(|check| check.metric == "outcome").unwrap();
    assert_eq!(check.id, id);
    (judged.verdict, check)
}

#[test]
fn the_new_version_fails_where_it_dies_and_the_old_one_leaves_the_question_open() {
    let died = || Outcome::Aborted("died: api".to_owned());
    let (verdict, check) = ended("b", died());
    assert_eq!((verdict, check.verdict), (Verdict::Fail, Verdict::Fail));
    assert_eq!(check.message(), "aborted: died: api");
    let (verdict, check) = ended("a", died());
    assert_eq!(check.verdict, Verdict::Inconclusive);
    assert_eq!(check.reason, "the old version died: died: api");
    assert_eq!(verdict.exit_code(false), 3);
    for which in ["a", "b"] {
        let (verdict, check) = ended(which, Outcome::Broken("no Docker".to_owned()));
        assert_eq!((verdict, check.verdict), (Verdict::Error, Verdict::Error));
        assert_eq!(check.message(), "rig: no Docker");
    }
}

#[test]
fn a_threshold_fails_in_the_new_version_and_warns_in_the_old_one() {
    let high = |name: &str| {
        let mut run = side(name, 1, true);
        run.samples[2].readings[0].value = 300.0;
        run
    };
    for (name, expected) in [("a", Verdict::Warn), ("b", Verdict::Fail)] {
        let runs = [high(name)];
        let judged = compare("c", &[&runs[0]]);
        let check = judged.checks.iter().find(|check| check.id == runs[0].id).unwrap();
        assert_eq!((check.actual, check.verdict), (Some(300.0), expected));
        assert_eq!(check.reason.starts_with("the old version"), name == "a", "{}", check.reason);
        // What the run itself comes to is no worse.
        assert_eq!(judge_trial(&runs[0], &analyze(&super::run(vec![high(name)]))).0, expected);
    }
    // A reading that the old version does not have is no failure either; nor is what its death leaves.
    let mut dead = high("a");
    dead.outcome = Some(Outcome::Aborted("died: api".to_owned()));
    let judged = compare("c", &[&dead]);
    assert!(judged.checks.iter().all(|check| check.verdict != Verdict::Fail), "{judged:?}");
}

#[test]
fn what_is_left_open_for_want_of_time_says_so() {
    let mut runs = [side("a", 1, true), side("b", 1, true)];
    let without = compare("c", &[&runs[0], &runs[1]]);
    let ended = "ended after 1 of 3 pairs: ab.budget = 30m is used up";
    runs[1].metadata.insert("ended".into(), ended.into());
    let with = compare("c", &[&runs[0], &runs[1]]);
    assert_eq!(with.verdict, without.verdict);
    let [before, after] = [&without, &with].map(|judged| {
        let mut open = judged.checks.iter().filter(|c| c.verdict == Verdict::Inconclusive);
        open.next().unwrap().reason.clone()
    });
    assert_eq!(after, format!("{before}; {ended}"));
    assert!(with.checks.iter().all(|c| c.verdict != Verdict::Pass || !c.reason.contains(ended)));
}

#[test]
fn thresholds_hold_for_every_run_of_the_new_version_that_counts() {
    let mut high = side("b", 1, true);
    high.samples[2].readings[0].value = 300.0;
    let judged = compare("c", &[&side("a", 1, true), &high]);
    let failed: Vec<&str> = judged
        .checks
        .iter()
        .filter(|c| c.verdict == Verdict::Fail)
        .map(|c| c.id.as_str())
        .collect();
    assert_eq!(failed, ["c::ab=b::r=1"]);
    // Neither of a run that only warmed up nor of one whose data are not valid.
    let mut warm = high.clone();
    warm.repeat = 0;
    warm.metadata.insert("discarded".into(), true.into());
    let mut invalid = side("b", 1, false);
    invalid.samples[2].readings[0].value = 300.0;
    let judged = compare("c", &[&warm, &invalid]);
    assert!(judged.checks.iter().all(|check| check.verdict != Verdict::Fail), "{judged:?}");
}

#[test]
fn a_run_of_results_is_judged_as_the_comparison_was() {
    let runs: Vec<TrialRecord> = [("a", 1), ("b", 1), ("b", 2), ("a", 2)]
        .map(|(name, pair)| side(name, pair, pair == 1))
        .into();
    let live = compare("c", &runs.iter().collect::<Vec<_>>());
    let results = super::run(runs);
    let judgement = judge(&results, &analyze(&results));
    assert_eq!((judgement.verdict, judgement.checks), (live.verdict, live.checks));
    let sentence =
        "c: 2 of 4 runs and their pairs are not compared, the first c::ab=b::r=2: 25% of the";
    assert_eq!(judgement.warnings.len(), 1);
    assert!(judgement.warnings[0].starts_with(sentence), "{:?}", judgement.warnings);
}

#[test]
fn a_comparison_without_a_pair_is_not_a_pass() {
    let judged = compare("c", &[&side("a", 1, true)]);
    assert!(matches!(judged.verdict, Verdict::Inconclusive | Verdict::NoData), "{judged:?}");
    assert!(!judged.checks.is_empty());
}
