//! What the guard doubts and what it leaves alone.

use proptest::prelude::*;

use super::super::floors::FloorSlope;
use super::super::leakscore::Limits;
use super::*;

/// Readings every 2 s.
const STEP: f64 = 2.0;
/// Of eight minutes.
const COUNT: usize = 240;
const LEAST: f64 = 0.25;

/// What the rule sees of values whose score and slope are an alarm whatever else.
fn alarming(values: &[f64]) -> Trace {
    let floor = |late| FloorSlope::of(values, STEP, late);
    let (whole, late) = (floor(false), floor(true));
    Trace {
        seconds: values.len() as f64 * STEP,
        score: 61.0,
        model_slope: 100.0,
        whole,
        late,
        still: standstill(values, STEP, late.slope),
    }
}

fn judged(values: &[f64]) -> Judgement {
    let trace = alarming(values);
    judge(&trace, trace.limits(), LEAST)
}

fn over_time(count: usize, value: impl Fn(f64) -> f64) -> Vec<f64> {
    (0..count).map(|index| value(index as f64 * STEP)).collect()
}

#[test]
fn a_high_water_mark_is_doubted_and_a_staircase_of_many_steps_is_not() {
    let steps =
        |at: &[f64]| over_time(COUNT, |time| at.iter().filter(|at| **at <= time).count() as f64);
    let rare = judged(&steps(&[8.0, 20.0, 50.0, 120.0, 250.0, 400.0]));
    assert_eq!(rare.verdict, LeakVerdict::Unknown);
    assert_eq!(rare.doubt, Some(Doubt::Steps { still: 11, of: 15 }));
    let often: Vec<f64> = (1..16).map(|step| f64::from(step) * 31.0).collect();
    let often = judged(&steps(&often));
    assert_eq!((often.verdict, often.doubt), (LeakVerdict::Leak, None));
}

#[test]
fn only_alarms_are_doubted_and_only_of_runs_that_can_be_called_a_leak() {
    let stands = over_time(COUNT, |time| if time < 240.0 { 0.0 } else { 9.0 });
    let quiet = Trace { score: 0.0, ..alarming(&stands) };
    let limits = quiet.limits();
    let judgement = judge(&quiet, limits, LEAST);
    assert_eq!((judgement.verdict, judgement.doubt), (quiet.verdict(limits, LEAST), None));
    assert!(judged(&stands).doubt.is_some());
    let short = alarming(&stands[60..160]);
    let judgement = judge(&short, short.limits(), LEAST);
    assert_eq!((judgement.verdict, judgement.doubt), (LeakVerdict::Suspect, None));
}

#[test]
fn few_readings_leave_the_question_of_steps_out() {
    let late = |count: usize| standstill(&vec![1.0; count], STEP, 1.0);
    // 60% of 53 are 32, two for each block.
    assert_eq!((late(52), late(53)), (Some(15), Some(15)));
    assert_eq!(late(51), None);
}

#[test]
fn below_eight_minutes_a_leak_needs_more() {
    let verdict = |count: usize, above: f64| {
        let trace = alarming(&over_time(count, |time| time / 60.0));
        let limits = trace.limits();
        let Judgement { verdict, limits: raised, .. } =
            judge(&Trace { score: limits.leak + above, ..trace }, limits, LEAST);
        (verdict, raised.leak - limits.leak, raised.suspect - limits.suspect)
    };
    assert_eq!(verdict(120, 2.9), (LeakVerdict::Suspect, 3.0, 0.0));
    assert_eq!(verdict(120, 3.1), (LeakVerdict::Leak, 3.0, 0.0));
    // A reading that is missing makes no run short.
    assert_eq!(verdict(239, 0.1), (LeakVerdict::Leak, 0.0, 0.0));
}

#[test]
fn limits_that_others_raised_are_kept() {
    let trace = alarming(&over_time(COUNT, |time| time / 60.0));
    let limits = Limits { suspect: 20.0, leak: 30.0 };
    assert_eq!(judge(&trace, limits, LEAST).limits, limits);
}

proptest! {
    #[test]
    fn an_exact_ramp_is_never_doubted(count in 120_usize..900, slope in 0.26_f64..100.0, level in 0.0..1e4) {
        let values = over_time(count, |time| level + slope * time / 60.0);
        prop_assert_eq!(standstill(&values, STEP, FloorSlope::of(&values, STEP, true).slope), Some(0));
        prop_assert_eq!(judged(&values).doubt, None);
    }

    #[test]
    fn a_ramp_below_even_noise_of_any_size_is_no_staircase(
        slope in 0.5_f64..5.0,
        noise in proptest::collection::vec(-1.0..1.0, COUNT),
        size in 0.0..2.0,
    ) {
        let values: Vec<f64> = over_time(COUNT, |time| slope * time / 60.0);
        let values: Vec<f64> =
            values.iter().zip(&noise).map(|(value, noise): (&f64, &f64)| value + size * noise).collect();
        let in_steps = matches!(judged(&values).doubt, Some(Doubt::Steps { .. }));
        prop_assert!(!in_steps);
    }

    #[test]
    fn steps_that_are_ever_more_rare_are_always_doubted(
        first in 2.0_f64..60.0,
        factor in 1.6_f64..4.0,
        size in 0.1..50.0,
        count in 120_usize..900,
    ) {
        // Between 40% of the run and its end there are two at most: a logarithm in steps.
        let at = |time: f64| if time < first { 0.0 } else { ((time / first).ln() / factor.ln()).floor() + 1.0 };
        let values = over_time(count, |time| 100.0 + size * at(time));
        let judgement = judged(&values);
        prop_assert!(judgement.doubt.is_some());
        prop_assert_eq!(judgement.verdict, LeakVerdict::Unknown);
    }

    #[test]
    fn growth_that_has_ended_is_always_doubted(height in 1.0_f64..20.0, tau in 1.0_f64..30.0) {
        let values = over_time(COUNT, |time| height * (1.0 - (-time / tau).exp()));
        prop_assert_eq!(judged(&values).doubt, Some(Doubt::Ended));
    }

    #[test]
    fn neither_the_level_nor_the_unit_matters(
        values in proptest::collection::vec(0_u16..4096, 60..400),
        level in 0_u16..4096,
        slope in 0.1..10.0,
    ) {
        let of = |level: u16, unit: f64| {
            let values: Vec<f64> =
                values.iter().map(|value| unit * (f64::from(level) + f64::from(*value))).collect();
            standstill(&values, STEP, unit * slope)
        };
        prop_assert_eq!(of(0, 1.0), of(level, 256.0));
    }
}
