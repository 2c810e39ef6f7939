//! The prototype's scores of a thousand traces.

use std::collections::HashMap;

use super::floors::FloorSlope;
use super::guard::{judge, standstill};
use super::leakscore::Trace;
use super::*;

/// Traces in pages of 4 KiB, see tests/data/leakscore/README.md.
const TRACES: &[u8] = include_bytes!("../../../tests/data/leakscore/traces.bin");
const SCORES: &str = include_str!("../../../tests/data/leakscore/scores.csv");
const GUARD: &str = include_str!("../../../tests/data/leakscore/guard.csv");

/// The next number: 7 bits a byte, the lowest first.
fn number(bytes: &mut impl Iterator<Item = u8>) -> u64 {
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes.next().expect("the file ends within a number");
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    number
}

/// The next whole number, its sign folded into the lowest bit.
fn signed(bytes: &mut impl Iterator<Item = u8>) -> i64 {
    let folded = number(bytes).cast_signed();
    (folded >> 1) ^ -(folded & 1)
}

/// The next trace, in MiB: how many values, then the differences in pages.
fn trace(bytes: &mut impl Iterator<Item = u8>) -> Vec<f64> {
    let mut pages = 0;
    let mut next = |count| {
        pages += count;
        pages as f64 / 256.0
    };
    let count = signed(bytes);
    (0..count).map(|_| next(signed(bytes))).collect()
}

fn name(verdict: LeakVerdict) -> &'static str {
    match verdict {
        LeakVerdict::Leak => "LEAK",
        LeakVerdict::Suspect => "SUSPECT",
        LeakVerdict::Clean => "CLEAN",
        LeakVerdict::Unknown => "UNKNOWN",
    }
}

#[test]
fn a_thousand_traces_have_the_scores_and_verdicts_of_the_prototype() {
    let mut bytes = TRACES.iter().copied();
    let mut wrong = Vec::new();
    let rows: Vec<&str> = SCORES.lines().skip(1).collect();
    assert_eq!(rows.len(), 1000);
    for row in rows {
        let fields: Vec<&str> = row.split(',').collect();
        let number = |index: usize| fields[index].parse::<f64>().unwrap();
        let trace = Trace::of(&trace(&mut bytes), 2.0).unwrap();
        let verdict = name(trace.verdict(trace.limits(), 0.25));
        assert_eq!(trace.seconds, number(3), "{row}");
        // Where columns are almost dependent the prototype's slope has fewer digits than its score.
        let slopes = [(trace.model_slope, 7, 1e-5), (trace.whole.slope, 8, 1e-6)];
        let bounds = [(trace.whole.high(), 9), (trace.late.slope, 10), (trace.late.high(), 11)];
        let bounds = bounds.map(|(actual, field)| (actual, field, 1e-6));
        for (actual, field, digits) in
            [(trace.score, 6, 1e-6)].into_iter().chain(slopes).chain(bounds)
        {
            let expected = number(field);
            if (actual - expected).abs() > digits * expected.abs() + 1e-9 {
                wrong.push(format!("{row}: {actual} is not {expected}"));
            }
        }
        if verdict != fields[5] {
            wrong.push(format!("{row}: {verdict} is not {}", fields[5]));
        }
    }
    assert!(bytes.next().is_none(), "the file holds more than the table");
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// The scores are the prototype's own, so that nothing but the guard is asked.
#[test]
fn every_alarm_among_them_is_judged_as_in_the_table_of_the_guard() {
    let mut bytes = TRACES.iter().copied();
    let identity = |row: &'static str| row.splitn(6, ',').take(5).collect::<Vec<_>>();
    let mut rows: HashMap<_, _> = GUARD.lines().skip(1).map(|row| (identity(row), row)).collect();
    assert_eq!(rows.len(), 319);
    for row in SCORES.lines().skip(1) {
        let values = trace(&mut bytes);
        let Some(expected) = rows.remove(&identity(row)) else { continue };
        let number = |index: usize| row.split(',').nth(index).unwrap().parse::<f64>().unwrap();
        let floor = |late| FloorSlope::of(&values, 2.0, late);
        let (whole, late) = (floor(false), floor(true));
        let still = standstill(&values, 2.0, late.slope);
        let (seconds, score, model_slope) = (number(3), number(6), number(7));
        let trace = Trace { seconds, score, model_slope, whole, late, still };
        let verdict = name(judge(&trace, trace.limits(), 0.25).verdict);
        let expected: Vec<&str> = expected.split(',').collect();
        assert_eq!(still, expected[5].parse().ok(), "{row}");
        assert_eq!(verdict, expected[6], "{row}");
    }
    assert!(rows.is_empty(), "{rows:?}");
}
