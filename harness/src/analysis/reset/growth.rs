//! [`Growth`]: what a service keeps of each cycle of load and reset.
//!
//! An allocator keeps the memory of its first peak, and a healthy service may end anywhere above its baseline. What it
//! keeps *again* in every cycle is a leak. So the floors after the resets, from the first reset on, are fitted with a
//! line, and its slope is tested by Student's t (Draper & Smith, "Applied Regression Analysis", 3rd edition, 1998,
//! chapter 1). The floor of a phase is its smallest reading: what a collector left.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use crate::analysis::regression::Line;
use crate::analysis::series::Series;

/// How memory after a reset changes from cycle to cycle.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Growth {
    /// The metric whose floors were taken.
    pub channel: String,
    /// The smallest reading after each reset, in MiB, from the first cycle on.
    pub floors_mb: Vec<f64>,
    /// Slope of the floors in percent of the baseline's floor, per cycle.
    pub percent_per_cycle: f64,
    /// One-sided 95% bounds of that slope, lower and upper.
    pub bounds_percent: [f64; 2],
}

impl Growth {
    /// Three floors are the fewest whose line leaves something to judge its slope by.
    pub const LEAST: usize = 3;

    /// The growth of floors over a baseline, both in MiB; `None` of fewer than [`Growth::LEAST`] floors, and without a
    /// baseline above 0.
    #[must_use]
    pub fn of(channel: &str, baseline_mb: f64, floors_mb: Vec<f64>) -> Option<Self> {
        if floors_mb.len() < Self::LEAST || baseline_mb <= 0.0 {
            return None;
        }
        let points: Vec<(f64, f64)> =
            floors_mb.iter().enumerate().map(|(cycle, floor)| (cycle as f64, *floor)).collect();
        let line = Line::through(&points)?;
        let freedom = points.len() as f64 - 2.0;
        let quantile = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(0.95);
        let reach = quantile * line.standard_error?;
        let percent = |slope: f64| slope / baseline_mb * 100.0;
        Some(Self {
            channel: channel.to_owned(),
            percent_per_cycle: percent(line.slope),
            bounds_percent: [percent(line.slope - reach), percent(line.slope + reach)],
            floors_mb,
        })
    }
}

/// The smallest value of a series.
pub(super) fn floor(series: &Series) -> f64 {
    series.points().iter().map(|point| point.1).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn close(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-6, "{actual} is not {expected}");
    }

    #[test]
    fn bounds_are_those_of_scipy() {
        // scipy.stats.linregress([0, 1, 2, 3], floors) and stats.t.ppf(0.95, 2), in percent of 100 MiB.
        let growth = Growth::of("memory.anon", 100.0, vec![110.0, 112.5, 113.5, 116.5]).unwrap();
        close(growth.percent_per_cycle, 2.05);
        close(growth.bounds_percent[0], 1.291_365_5);
        close(growth.bounds_percent[1], 2.808_634_5);
    }

    #[test]
    fn too_little_to_judge_is_no_growth() {
        let check = |baseline, floors: &[f64]| {
            assert_eq!(Growth::of("memory.anon", baseline, floors.to_vec()), None);
        };
        check(100.0, &[100.0, 120.0]);
        check(0.0, &[1.0, 2.0, 3.0]);
    }

    proptest! {
        #[test]
        fn what_stays_after_the_first_peak_is_no_growth(
            floors in prop::collection::vec(50.0..500.0_f64, 3..9),
            kept in 0.0..200.0_f64,
        ) {
            let before = Growth::of("memory.anon", 100.0, floors.clone()).unwrap();
            let raised = floors.iter().map(|floor| floor + kept).collect();
            let after = Growth::of("memory.anon", 100.0, raised).unwrap();
            prop_assert!((before.percent_per_cycle - after.percent_per_cycle).abs() < 1e-9);
            prop_assert!((before.bounds_percent[0] - after.bounds_percent[0]).abs() < 1e-6);
            let [low, high] = after.bounds_percent;
            prop_assert!(low <= after.percent_per_cycle && after.percent_per_cycle <= high);
        }
    }
}
