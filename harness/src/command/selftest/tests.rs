//! A self-test that cannot fail proves nothing.

use super::*;
use crate::model::Verdict;

/// The gate as a mutation may leave it.
fn always_pass(results: &Results, analysis: &Analysis) -> Judgement {
    let Judgement { incomplete, checks, .. } = gate::judge(results, analysis);
    let passed = checks.into_iter().map(|check| gate::Check { verdict: Verdict::Pass, ..check });
    Judgement { verdict: Verdict::Pass, incomplete, checks: passed.collect(), warnings: Vec::new() }
}

fn always_fail(results: &Results, analysis: &Analysis) -> Judgement {
    let Judgement { incomplete, checks, .. } = gate::judge(results, analysis);
    let failed = checks.into_iter().map(|check| gate::Check { verdict: Verdict::Fail, ..check });
    Judgement { verdict: Verdict::Fail, incomplete, checks: failed.collect(), warnings: Vec::new() }
}

#[test]
fn a_gate_that_always_passes_or_always_fails_is_found_out() {
    let held = |judge| {
        let outcomes = shipped::run(5, 20, judge).unwrap();
        outcomes.iter().filter(|outcome| outcome.holds).count()
    };
    let all = shipped::run(5, 20, gate::judge).unwrap();
    assert!(all.iter().all(|outcome| outcome.holds), "{all:#?}");
    // Three sets must not fail, three must, and one must not be decided either way.
    assert_eq!((all.len(), held(always_pass), held(always_fail)), (7, 3, 3));
}

#[test]
fn the_page_on_accuracy_has_every_row_that_is_measured() {
    let page = include_str!("../../../../docs/accuracy.md");
    for rate in rates(2, 1) {
        let row = format!("| {} | {} |", rate.rule, rate.what);
        assert!(page.contains(&row), "docs/accuracy.md lacks {row}");
    }
}
