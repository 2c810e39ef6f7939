//! Growth from reset to reset.

use super::*;
use crate::model::rules::ResetMethod;

const SET: (&Metric, &str) = (&metric::MEMORY_WORKING_SET, "api");
const ANON: (&Metric, &str) = (&metric::MEMORY_ANON, "api");

/// A trial with one phase of readings in MiB after each reset; `of` is read in every phase, the working set beside it.
fn cycles(of: (&Metric, &str), baseline: &[f64], posts: &[&[f64]]) -> TrialRecord {
    let bytes = |mib: &[f64]| mib.iter().map(|mib| mib * MIB).collect::<Vec<_>>();
    let mut record = trial(Kind::Reset, "reset::x");
    let mut both = |phase, mib: &[f64]| {
        read(&mut record, phase, SET, 2.0, &bytes(mib));
        if of.0 != SET.0 {
            read(&mut record, phase, of, 2.0, &bytes(mib));
        }
    };
    both(("baseline", 0), baseline);
    for (cycle, mib) in (1..).zip(posts) {
        both(("load", cycle), &[500.0; 4]);
        both(("post", cycle), mib);
    }
    record
}

#[test]
fn what_every_cycle_keeps_fails_and_what_the_first_peak_keeps_does_not() {
    let check = |posts: [f64; 4], verdict, reason: &str| {
        let posts = posts.map(|floor| [floor + 30.0, floor, floor + 10.0]);
        let posts = posts.each_ref().map(|post| &post[..]);
        let found = resets_of(&cycles(ANON, &[100.0; 4], &posts));
        assert_eq!(found.verdict, verdict, "{}", found.reason);
        assert!(found.reason.contains(reason), "{}", found.reason);
        assert_eq!(found.growth.unwrap().channel, "memory.anon");
    };
    check([125.0, 125.2, 124.9, 125.1], ResetVerdict::Pass, "no more than 1%");
    check([125.0, 127.1, 128.9, 131.0], ResetVerdict::Fail, "every cycle keeps some");
    // Surely above 0, and too little to matter.
    check([125.0, 125.5, 126.0, 126.5], ResetVerdict::Pass, "0.5% of the baseline per cycle");
    check([100.0, 101.0, 103.0, 105.0], ResetVerdict::Fail, "every cycle keeps some");
    check([100.0, 104.0, 101.0, 106.0], ResetVerdict::Unknown, "too uneven");
    check([100.0, 110.0, 90.0, 103.0], ResetVerdict::Unknown, "a growth of 5% could hide");
}

#[test]
fn growth_needs_three_cycles_with_readings() {
    let check = |posts: &[&[f64]]| {
        let found = resets_of(&cycles(ANON, &[100.0; 4], posts));
        assert_eq!((found.verdict, &found.growth), (ResetVerdict::Unknown, &None));
        assert!(found.reason.contains("needs 3"), "{}", found.reason);
    };
    check(&[&[100.0; 4], &[120.0; 4]]);
    check(&[&[100.0; 4], &[110.0], &[120.0; 4]]);
}

#[test]
fn the_working_set_stands_in_for_anonymous_memory() {
    let posts = [[100.0; 4], [110.0; 4], [120.0; 4], [130.0; 4]];
    let posts = posts.each_ref().map(|post| &post[..]);
    let found = resets_of(&cycles(SET, &[100.0; 4], &posts));
    assert_eq!(found.growth.unwrap().channel, "memory.working_set");
    assert_eq!(found.verdict, ResetVerdict::Fail);
}

#[test]
fn the_original_rule_is_there_on_request() {
    let posts = [[125.0; 4]; 4];
    let posts = posts.each_ref().map(|post| &post[..]);
    let record = cycles(ANON, &[100.0; 4], &posts);
    let within = ruled(record.clone(), |rules| rules.reset.rule = ResetMethod::Within);
    assert_eq!(resets_of(&record).verdict, ResetVerdict::Pass);
    let found = resets_of(&within);
    assert_eq!(found.verdict, ResetVerdict::Fail);
    assert_eq!(found.reason, "125 MiB after 4 resets, 25% above the baseline");
    assert!(found.growth.is_some(), "reported all the same");
}

fn resets_of(record: &TrialRecord) -> Reset {
    reset::resets(record).remove(0)
}
