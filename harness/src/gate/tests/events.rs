//! Limits on the number of events.

use super::*;
use crate::model::{Event, EventKind};

fn event(source: &str, phase: &str) -> Event {
    Event {
        kind: EventKind::ProbeMissed,
        elapsed_seconds: 1.0,
        timestamp_iso: jiff::Timestamp::UNIX_EPOCH,
        source: source.to_owned(),
        phase: phase.to_owned(),
        message: String::new(),
    }
}

#[test]
fn a_count_that_is_exceeded_stays_so_whatever_ends_the_trial() {
    let check = |op: &str, limit: u32, broken: bool| {
        let json = format!(
            r#"{{"metric": "probe-missed", "stat": "count", "op": "{op}", "value": "{limit}"}}"#
        );
        let mut trial = load(&[&json], &[10.0]);
        trial.events = vec![event("api", "sample"), event("api", "sample")];
        trial.outcome = Some(Outcome::Interrupted("SIGINT".into()));
        let cut_off = ("inconclusive", "outcome", "trial");
        let expected = [cut_off, ("fail", "probe-missed", "*")];
        super::check(&trial, if broken { &expected } else { &expected[..1] });
    };
    check("<", 2, true);
    check("<=", 1, true);
    check("<=", 2, false);
    check("==", 0, true);
    // More may have come.
    check("==", 3, false);
    check(">", 3, false);
}

#[test]
fn events_are_counted_by_source_and_phase() {
    let check = |extra: &str, verdict: Verdict, actual: Option<f64>| {
        let json = format!(
            r#"{{"metric": "probe-missed", "stat": "count", "op": "<", "value": "2" {extra}}}"#
        );
        let mut trial = load(&[&json], &[10.0]);
        trial.events = vec![event("api", "sample"), event("db", "sample"), event("db", "settle")];
        let (_, checks) = judged(&trial);
        assert_eq!((checks[0].verdict, checks[0].actual), (verdict, actual), "{checks:?}");
    };
    check("", Verdict::Fail, Some(3.0));
    check(r#", "source": "api""#, Verdict::Pass, Some(1.0));
    check(r#", "phase": "sample""#, Verdict::Fail, Some(2.0));
    check(r#", "source": "db", "phase": "sample""#, Verdict::Pass, Some(1.0));
    // Watched for events, and there was none.
    check(r#", "phase": "warmup""#, Verdict::Pass, Some(0.0));
    check(r#", "source": "api", "phase": "settle""#, Verdict::Pass, Some(0.0));
    // A name that nothing in the trial bears.
    check(r#", "source": "nobody""#, Verdict::NoData, None);
    check(r#", "phase": "simple""#, Verdict::NoData, None);
}
