//! Comparisons of two versions.

use super::*;
use crate::analysis::compare::tests::{of, pairs_of, rule};
use crate::gate::ab::compare;
use crate::model::Severity;
use crate::model::rules::AbRule;

const ANON: &Metric = &metric::MEMORY_ANON;
const SLOW: [(f64, f64); 5] = [(1.0, 1.2), (1.01, 1.21), (0.99, 1.2), (1.0, 1.19), (1.0, 1.21)];
const SAME: [(f64, f64); 5] = [(1.0, 1.0), (1.01, 1.0), (0.99, 1.0), (1.0, 1.01), (1.0, 0.99)];
const WIDE: [(f64, f64); 5] = [(1.0, 1.1), (1.0, 0.9), (1.0, 1.15), (1.0, 0.95), (1.0, 1.02)];

#[track_caller]
fn check(rule: &AbRule, values: &[(f64, f64)], expected: &[&str], decided: bool) {
    let trials = pairs_of(rule, &[(ANON, values)]);
    let refs: Vec<&TrialRecord> = trials.iter().collect();
    let found = compare(&refs);
    let verdicts: Vec<&str> = found.checks.iter().map(|check| check.verdict.as_str()).collect();
    assert_eq!((verdicts.as_slice(), found.decided), (expected, decided), "{:#?}", found.checks);
    assert_eq!(Some(found.verdict), Verdict::worst(found.checks.iter().map(|c| c.verdict)));
    // A results file judged again has the same checks, besides those of the runs.
    let results = run(trials);
    let again = judge(&results, &analyze(&results));
    let of_comparison: Vec<Check> =
        again.checks.into_iter().filter(|check| check.id == "load::x::agents=10").collect();
    assert_eq!(of_comparison, found.checks);
}

#[test]
fn a_comparison_ends_where_nothing_more_can_come_of_it() {
    let rule = |looks: &[u32]| rule(looks, vec![of(ANON)]);
    check(&rule(&[5]), &SLOW, &["fail"], true);
    check(&rule(&[5]), &WIDE, &["inconclusive"], true);
    check(&rule(&[5, 10]), &SLOW, &["fail"], true);
    check(&rule(&[5, 10]), &SAME, &["pass"], true);
    check(&rule(&[5, 10]), &WIDE, &["inconclusive"], false);
    check(&rule(&[5, 10]), &SLOW[..2], &["inconclusive"], false);
}

#[test]
fn severity_softens_what_is_not_surely_above_the_smallest_effect() {
    let mut soft = rule(&[5], vec![of(ANON)]);
    soft.metrics[0].severity = Severity::Warn;
    let slight = [(1.0, 1.03), (1.0, 1.035), (1.0, 1.01), (1.0, 1.04), (1.0, 1.025)];
    check(&soft, &slight, &["warn"], true);
    check(&soft, &SLOW, &["fail"], true);
}

#[test]
fn a_claim_of_equivalence_is_a_check_of_its_own() {
    let claim = |limit: f64| AbRule { within: Some(limit), ..rule(&[5, 10], vec![of(ANON)]) };
    check(&claim(0.05), &SAME, &["pass", "pass"], true);
    check(&claim(0.005), &SAME, &["pass", "inconclusive"], false);
    check(&claim(0.05), &SLOW, &["fail", "fail"], true);
    // An improvement is no failure, but it is no equivalence either.
    check(&claim(0.05), &SLOW.map(|(a, b)| (b, a)), &["pass", "warn"], true);
}

#[test]
fn a_metric_that_no_side_has_is_no_data() {
    let mut metrics = vec![of(ANON), of(&metric::CPU_USAGE), of(ANON)];
    metrics[2].source = Some("db".to_owned());
    check(&rule(&[5], metrics), &SAME, &["pass", "no-data", "no-data"], true);
    assert_eq!(compare(&[]).checks, []);
    assert_ne!(compare(&[]).verdict, Verdict::Pass);
}

#[test]
fn a_run_that_died_fails_its_comparison() {
    let mut trials = pairs_of(&rule(&[5], vec![of(ANON)]), &[(ANON, &SAME)]);
    trials[9].outcome = Some(Outcome::Aborted("oom-kill of api".into()));
    let results = run(trials);
    let judgement = judge(&results, &analyze(&results));
    assert_eq!(judgement.verdict, Verdict::Fail);
    let bad: Vec<String> =
        judgement.checks.iter().filter(|c| c.needs_attention()).map(Check::message).collect();
    assert_eq!(bad, ["aborted: oom-kill of api"]);
}

#[test]
fn a_new_version_that_died_fails_and_an_old_one_does_not() {
    let mut died = trial(Kind::Load, "load::x");
    died.outcome = Some(Outcome::Aborted("exit code 1".into()));
    let mut analysis = analyze(&run(pairs_of(&rule(&[5], vec![of(ANON)]), &[(ANON, &SAME)])));
    let lived = trial(Kind::Load, "load::x");
    assert_eq!(sides::judge(&analysis, &[&lived], &[&died], false).verdict, Verdict::Fail);
    let both = sides::judge(&analysis, &[&died], &[&died], false);
    assert_eq!(both.verdict, Verdict::Pass);
    assert_eq!(both.warnings, ["load::x died in both: exit code 1"]);
    let fresh = sides::judge(&analysis, &[], &[&died], false);
    assert_eq!(fresh.verdict, Verdict::Pass);
    assert!(fresh.warnings[0].starts_with("load::x died, and BASE has no run of it"));
    assert_eq!(sides::judge(&analysis, &[], &[], false).verdict, Verdict::Pass);
    analysis.changes.clear();
    assert_eq!(sides::judge(&analysis, &[], &[], false).verdict, Verdict::NoData);
}
