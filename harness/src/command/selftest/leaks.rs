//! How often the rule `leakscore`, with its guard, calls a leak what is none, and how often it sees one: [`rates`].

use super::{Expected, Rate};
use crate::analysis::leak::LeakVerdict;
use crate::analysis::leak::guard::judge;
use crate::analysis::leak::leakscore::Trace;
use crate::simulate::memory::{LEAKS, NULLS, STEP, trace};

/// The limit of `[leak] least` in the defaults, in MiB per minute.
const LEAST: f64 = 0.25;

/// The rows for leaks: false alarms and power, `per_cell` traces of every family, length and rate.
#[must_use]
pub fn rates(seed: u64, per_cell: usize) -> Vec<Rate> {
    let mut rates = Vec::new();
    for minutes in [4, 8, 15] {
        let cells = NULLS.map(|family| Cell::count(seed, family, 0.0, minutes, per_cell));
        let at_most = |alarm: f64, leak: f64| [Expected::AtMost(alarm), Expected::AtMost(leak)];
        let what = |which: &str| format!("false alarms, {which}, {minutes} min");
        rates.extend(pooled(&cells).rates(&what("pooled"), at_most(0.01, 0.003)));
        let [alarm, leak] = at_most(0.04, 0.015);
        let worst = |hits: fn(&Cell) -> usize| {
            cells.iter().max_by_key(|cell| hits(cell)).unwrap_or(&cells[0])
        };
        let (alarms, leaks) = (worst(|cell| cell.alarms), worst(|cell| cell.leaks));
        rates.push(alarms.rate(ALARM, &what("worst family"), alarms.alarms, alarm));
        rates.push(leaks.rate(LEAK, &what("worst family"), leaks.leaks, leak));
    }
    let reported = Expected::Reported;
    let at_least = Expected::AtLeast;
    for (minutes, rate, alarm, leak) in [
        (8, 1.0, at_least(0.75), at_least(0.62)),
        (8, 2.0, at_least(0.90), reported),
        (15, 1.0, at_least(0.95), at_least(0.85)),
    ] {
        let cells = LEAKS.map(|family| Cell::count(seed, family, rate, minutes, per_cell));
        let what = format!("power, {rate} MiB/min, pooled, {minutes} min");
        rates.extend(pooled(&cells).rates(&what, [alarm, leak]));
    }
    rates
}

const ALARM: &str = "leak or suspect";
const LEAK: &str = "leak";

/// What was found in the traces of one family.
struct Cell {
    alarms: usize,
    leaks: usize,
    traces: usize,
}

impl Cell {
    fn count(seed: u64, family: &str, rate: f64, minutes: u32, traces: usize) -> Self {
        let mut cell = Self { alarms: 0, leaks: 0, traces };
        for index in 0..traces {
            let values = trace(seed, family, rate, minutes * 60, index);
            let Some(found) = Trace::of(&values, STEP) else { continue };
            match judge(&found, found.limits(), LEAST).verdict {
                LeakVerdict::Leak => {
                    cell.alarms += 1;
                    cell.leaks += 1;
                }
                LeakVerdict::Suspect => cell.alarms += 1,
                LeakVerdict::Clean | LeakVerdict::Unknown => {}
            }
        }
        cell
    }

    fn rate(&self, rule: &str, what: &str, hits: usize, expected: Expected) -> Rate {
        Rate { rule: rule.to_owned(), what: what.to_owned(), hits, trials: self.traces, expected }
    }

    fn rates(&self, what: &str, [alarm, leak]: [Expected; 2]) -> [Rate; 2] {
        [self.rate(ALARM, what, self.alarms, alarm), self.rate(LEAK, what, self.leaks, leak)]
    }
}

fn pooled(cells: &[Cell]) -> Cell {
    let sum = |of: fn(&Cell) -> usize| cells.iter().map(of).sum();
    let (alarms, leaks) = (sum(|cell| cell.alarms), sum(|cell| cell.leaks));
    Cell { alarms, leaks, traces: sum(|cell| cell.traces) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_promise_has_a_row() {
        let rates = rates(2, 3);
        assert_eq!(rates.len(), 3 * 4 + 3 * 2);
        let promised = |rate: &&Rate| rate.expected != Expected::Reported;
        assert_eq!(rates.iter().filter(promised).count(), 17);
        let power =
            rates.iter().find(|rate| rate.what == "power, 2 MiB/min, pooled, 8 min").unwrap();
        assert_eq!((power.rule.as_str(), power.trials), (ALARM, 30));
        assert!(power.measured() > 0.7, "{power:?}");
    }

    /// The table of docs/accuracy.md, on data that nothing was tuned on.
    #[test]
    #[ignore = "minutes of work"]
    fn the_promises_hold() {
        let per_cell = std::env::var("PER_CELL").ok().and_then(|n| n.parse().ok()).unwrap_or(500);
        let seed = std::env::var("SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
        let mut missed = Vec::new();
        for rate in rates(seed, per_cell) {
            let line = format!(
                "{:16} {:50} {:6}/{:6} {:.4} {:?} {}",
                rate.rule,
                rate.what,
                rate.hits,
                rate.trials,
                rate.measured(),
                rate.expected,
                rate.holds()
            );
            eprintln!("{line}");
            if !rate.holds() {
                missed.push(line);
            }
        }
        assert!(missed.is_empty(), "{missed:#?}");
    }

    /// How the tails of [`leakscore`](crate::analysis::leak::leakscore) were found: seed 1, which is not judged by.
    #[test]
    #[ignore = "minutes of work"]
    fn the_tails_of_scores_without_a_leak() {
        for seconds in [60, 120, 240, 480, 900] {
            let mut over = Vec::new();
            for family in NULLS {
                for index in 0..1000 {
                    let found = Trace::of(&trace(1, family, 0.0, seconds, index), STEP).unwrap();
                    over.push(found.score - found.limits().suspect);
                }
            }
            let beyond: Vec<f64> = over.iter().copied().filter(|excess| *excess > 0.0).collect();
            let mean = beyond.iter().sum::<f64>() / beyond.len() as f64;
            eprintln!("{seconds} s: {} of {} beyond, mean excess {mean}", beyond.len(), over.len());
        }
    }
}
