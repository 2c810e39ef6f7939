//! [`moderated`]: the paired t test with a variance that leans on past runs.
//!
//! Few pairs say little of their own scatter, which is why a plain paired t needs many of them. Past runs of the same
//! comparison know it: the variance of the differences is the mean of theirs and the pairs' own, weighted by degrees
//! of freedom, as Smyth, "Linear models and empirical Bayes methods for assessing differential expression in
//! microarray experiments", Statistical Applications in Genetics and Molecular Biology 3(1), 2004, does for genes.

use super::estimate::{Estimate, moments};
use crate::model::rules::Prior;

/// The degrees of freedom that past runs weigh.
const WEIGHT: f64 = 10.0;
/// How many past runs they must be.
const ENOUGH: u32 = 10;
/// No machine repeats a run better than this, whatever a lucky history says: standard deviation of a log.
const FLOOR: f64 = 0.01;
/// Readings that are counted in ticks or pages may differ by the same amount in every pair, which is no certainty:
/// standard deviation of a difference below which nothing is believed.
const RESOLUTION: f64 = 0.0005;

/// The change that pairs of runs show: `differences` are those of the logs, positive where worse. `None` of fewer
/// than two.
#[must_use]
pub fn moderated(differences: &[f64], prior: Option<Prior>) -> Option<Estimate> {
    let (mean, own) = moments(differences)?;
    let n = differences.len() as f64;
    let prior = prior.filter(|prior| weighs(*prior));
    let (weight, single) = prior.map_or((0.0, 0.0), |prior| (WEIGHT, prior.sd.max(FLOOR)));
    let freedom = weight + n - 1.0;
    // A difference of two runs has twice the variance of one.
    let variance =
        (weight * 2.0 * single.powi(2) + (n - 1.0) * own.max(RESOLUTION.powi(2))) / freedom;
    Some(Estimate { mean, error: (variance / n).sqrt(), freedom })
}

/// True of a prior from enough runs, with a usable number.
#[must_use]
pub fn weighs(prior: Prior) -> bool {
    prior.runs >= ENOUGH && prior.sd.is_finite() && prior.sd >= 0.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Student, "The probable error of a mean", Biometrika 6, 1908: hours of sleep gained with two drugs, the second
    /// less the first.
    const SLEEP: [f64; 10] = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4];

    #[track_caller]
    fn close(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected}");
    }

    #[test]
    fn without_a_prior_it_is_students_paired_t() {
        let estimate = moderated(&SLEEP, None).unwrap();
        close(estimate.mean, 1.58, 1e-12);
        close(estimate.mean / estimate.error, 4.0621, 1e-4);
        close(2.0 * estimate.above(0.0), 0.002_833, 1e-6);
        let [low, high] = estimate.interval(0.95);
        close(low, 0.700_114_2, 1e-6);
        close(high, 2.459_885_8, 1e-6);
    }

    #[test]
    fn with_a_prior_it_is_that_of_the_prototype() {
        // reggate.py's paired_mod in numpy and scipy, with S0 = 0.02 and D0 = 10.
        let differences = [0.031, 0.052, 0.018, 0.044, 0.027];
        let estimate = moderated(&differences, Some(Prior { sd: 0.02, runs: 10 })).unwrap();
        close(estimate.mean, 0.034_4, 1e-12);
        close(estimate.error, 0.011_172_159_274_605_017, 1e-12);
        close(estimate.above(0.0), 0.004_082_301_474_102_186, 1e-9);
        assert_eq!(estimate.freedom, 14.0);
    }

    #[test]
    fn a_short_history_weighs_nothing_and_a_quiet_one_is_not_believed() {
        let differences = [0.01, 0.02, 0.03];
        let with = |sd, runs| moderated(&differences, Some(Prior { sd, runs }));
        assert_eq!(with(0.5, 9), moderated(&differences, None));
        assert_eq!(with(f64::NAN, 20), moderated(&differences, None));
        assert_eq!(with(0.0, 20), with(0.01, 20));
        assert_eq!(moderated(&[0.01], Some(Prior { sd: 0.02, runs: 20 })), None);
    }

    proptest! {
        #[test]
        fn a_prior_draws_the_variance_towards_itself_and_leaves_the_mean(
            differences in prop::collection::vec(-0.2..0.2_f64, 3..12), sd in 0.01..0.1_f64,
        ) {
            let plain = moderated(&differences, None).unwrap();
            let with = moderated(&differences, Some(Prior { sd, runs: 10 })).unwrap();
            let n = differences.len() as f64;
            let (own, own_and_past) = (plain.error.powi(2) * n, with.error.powi(2) * n);
            let past = 2.0 * sd * sd;
            prop_assert_eq!(plain.mean, with.mean);
            prop_assert!(own_and_past >= own.min(past) * (1.0 - 1e-9));
            prop_assert!(own_and_past <= own.max(past) * (1.0 + 1e-9));
        }

        #[test]
        fn swapping_the_versions_turns_the_sign(
            differences in prop::collection::vec(-0.2..0.2_f64, 3..12),
        ) {
            let there = moderated(&differences, None).unwrap();
            let back: Vec<f64> = differences.iter().map(|difference| -difference).collect();
            let back = moderated(&back, None).unwrap();
            prop_assert!((there.mean + back.mean).abs() < 1e-12);
            prop_assert!((there.above(0.0) - back.below(0.0)).abs() < 1e-9);
        }
    }
}
