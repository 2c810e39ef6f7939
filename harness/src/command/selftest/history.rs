//! Change points of simulated histories: how often there is one where nothing changed, and how often a step is found.

use super::{Expected, Rate};
use crate::analysis::change_points::{Method, change_points};
use crate::simulate::history::history;
use crate::simulate::runs::Noise;

/// Runs before the step and after it.
const RUNS: [usize; 2] = [30, 10];
/// A change point that far from the step is the step.
const NEAR: usize = 3;
/// The smallest change that counts, the default of `history`.
const SMALLEST: f64 = 0.02;

/// Measures both methods, with `per_cell` series for every kind of noise and effect.
#[must_use]
pub fn rates(seed: u64, per_cell: usize) -> Vec<Rate> {
    let mut rates = Vec::new();
    for method in Method::ALL {
        for noise in Noise::ALL {
            rates.push(rate(seed, per_cell, method, noise, None));
        }
        for noise in Noise::ALL {
            rates.push(rate(seed, per_cell, method, noise, Some(0.05)));
        }
    }
    rates
}

/// Without an effect a series with any change point counts, with one a change point near the step.
fn rate(seed: u64, trials: usize, method: Method, noise: Noise, effect: Option<f64>) -> Rate {
    let [before, after] = RUNS;
    let hit = |index: &usize| {
        let values = history(noise, before + after, before, effect.unwrap_or(0.0), seed, *index);
        let found = change_points(&values, method, SMALLEST);
        match effect {
            None => !found.is_empty(),
            Some(_) => found.iter().any(|point| point.at.abs_diff(before) <= NEAR),
        }
    };
    let (name, runs) = (noise.as_str(), before + after);
    let what = match effect {
        None => format!("false alarms, {name}, {runs} runs"),
        Some(effect) => format!("{}% found after {after} runs, {name}", effect * 100.0),
    };
    // A drift is a change of level, and the other kinds of noise hide a step of 5%: these are told, not required.
    let expected = match (method, noise, effect) {
        (Method::EDivisive, Noise::Gauss | Noise::Heavy, None) => Expected::AtMost(0.02),
        (Method::EDivisive, Noise::Gauss, Some(_)) => Expected::AtLeast(0.90),
        (Method::EDivisive, Noise::Heavy, Some(_)) => Expected::AtLeast(0.85),
        _ => Expected::Reported,
    };
    let rule = format!("change points, {}", method.as_str());
    Rate { rule, what, hits: (0..trials).filter(hit).count(), trials, expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rates_hold_on_a_small_set() {
        let one = |method, noise, effect| rate(20_261_121, 40, method, noise, effect);
        for noise in [Noise::Gauss, Noise::Heavy] {
            for effect in [None, Some(0.05)] {
                let rate = one(Method::EDivisive, noise, effect);
                assert!(!rate.is_off(), "{rate:?}");
            }
        }
        // A rule that never finds anything would not do.
        assert!(one(Method::TSplit, Noise::Gauss, Some(0.05)).hits > 30);
    }
}
