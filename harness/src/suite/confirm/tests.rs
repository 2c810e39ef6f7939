//! Two runs of a trial, judged live and later.

use super::*;
use crate::analysis::tests::{read, ruled, run, trial};
use crate::analysis::{MIB, analyze, rules};
use crate::gate::judge_trial;
use crate::model::{Kind, metric};

/// Eight minutes with a leak of so many MiB per minute.
fn leaking(id: &str, slope: f64) -> TrialRecord {
    let mut record = ruled(trial(Kind::Duration, id), |rules| rules.leak.confirm = true);
    let noise = |index: f64| (index * 7.3).sin() * 0.3;
    let value = |index: f64| (100.0 + slope * index / 30.0 + noise(index)) * MIB;
    let values: Vec<f64> = (0..240).map(|index| value(f64::from(index))).collect();
    read(&mut record, ("active", 0), (&metric::MEMORY_ANON, "api"), 2.0, &values);
    record
}

fn again(slope: f64) -> TrialRecord {
    let mut record = leaking("duration::x::confirm", slope);
    record.metadata.insert(CONFIRMS.to_owned(), "duration::x".into());
    record
}

#[test]
fn a_leak_is_run_again_and_what_does_not_leak_is_not() {
    assert!(wanted(&leaking("duration::x", 2.0)));
    assert!(!wanted(&leaking("duration::x", 0.0)));
    assert!(!wanted(&again(2.0)), "a second run is the last");
    let unasked = ruled(leaking("duration::x", 2.0), |rules| rules.leak.confirm = false);
    assert!(!wanted(&unasked));
    let aborted = crate::model::Outcome::Aborted("died".into());
    assert!(!wanted(&TrialRecord { outcome: Some(aborted), ..leaking("duration::x", 2.0) }));
}

#[test]
fn two_runs_come_to_the_same_live_and_later() {
    let first = leaking("duration::x", 2.0);
    for (slope, expected, says) in [
        (2.0, Verdict::Fail, "a second run shows it again"),
        (0.0, Verdict::Warn, "a second run does not show it"),
    ] {
        let second = again(slope);
        let both = judge(&first, &second);
        assert_eq!((both.first, both.verdict), (expected, expected), "{:?}", both.checks);
        assert!(both.checks[0].reason.contains(says), "{:?}", both.checks);
        let results = run(vec![first.clone(), second]);
        let later = crate::gate::judge(&results, &analyze(&results));
        assert_eq!((later.verdict, later.checks), (both.verdict, both.checks));
    }
}

#[test]
fn a_second_run_that_cannot_tell_or_be_judged_decides_nothing() {
    let first = leaking("duration::x", 2.0);
    let short = TrialRecord { samples: again(0.0).samples[..20].to_vec(), ..again(0.0) };
    let mut disturbed = again(2.0);
    let validity = |record: &mut TrialRecord| {
        record.rules.as_mut().unwrap().validity = Some(rules::default_validity().clone());
    };
    validity(&mut disturbed);
    for sample in &mut disturbed.samples {
        for (metric, value) in [(&metric::HOST_CPU_BUSY, 0.6), (&metric::HOST_CPU_STEAL, 0.4)] {
            sample.readings.push(crate::model::Reading::new(metric, &"host".into(), value));
        }
    }
    let mut first_ruled = first.clone();
    validity(&mut first_ruled);
    for (first, second, says) in
        [(&first, short, "cannot tell"), (&first_ruled, disturbed, "cannot be judged")]
    {
        let both = judge(first, &second);
        assert_eq!(both.first, Verdict::Inconclusive, "{:?}", both.checks);
        assert!(both.checks.iter().any(|check| check.reason.contains(says)), "{:?}", both.checks);
        let results = run(vec![first.clone(), second]);
        let later = crate::gate::judge(&results, &analyze(&results));
        assert_eq!((later.verdict, later.checks), (both.verdict, both.checks));
    }
}

#[test]
fn without_the_second_run_nothing_is_shown() {
    let first = leaking("duration::x", 2.0);
    let (verdict, checks) = judge_trial(&first, &analyze_trial(&first));
    assert_eq!(verdict, Verdict::Inconclusive);
    assert!(checks[0].reason.ends_with("and there is none"), "{checks:?}");
}
