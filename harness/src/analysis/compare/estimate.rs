//! [`Estimate`]: a change on the log scale and how well it is known. What every method of comparison comes to.
//!
//! Logs, because versions differ by factors: the scatter of a run is a share of its value, and a ratio has the same
//! interval whichever version is divided by the other.

use statrs::distribution::{ContinuousCDF as _, Normal, StudentsT};

use crate::analysis::describe::mean;

/// A change, as a difference of logs, with Student's t to judge it by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean difference of natural logs; positive where the new version is worse.
    pub mean: f64,
    /// Its standard error; 0 where nothing varied.
    pub error: f64,
    /// Degrees of freedom of that error, above 0.
    pub freedom: f64,
}

impl Estimate {
    /// The one-sided p value of the claim that the change is above `limit`.
    #[must_use]
    pub fn above(&self, limit: f64) -> f64 {
        self.tail(self.mean - limit)
    }

    /// The one-sided p value of the claim that the change is below `limit`.
    #[must_use]
    pub fn below(&self, limit: f64) -> f64 {
        self.tail(limit - self.mean)
    }

    /// The two-sided interval that covers the change with this probability.
    #[must_use]
    pub fn interval(&self, confidence: f64) -> [f64; 2] {
        let reach = quantile(0.5 + confidence / 2.0, self.freedom) * self.error;
        [self.mean - reach, self.mean + reach]
    }

    fn tail(&self, distance: f64) -> f64 {
        if self.error > 0.0 {
            let student = StudentsT::new(0.0, 1.0, self.freedom);
            student.map_or(1.0, |student| student.sf(distance / self.error))
        } else if distance > 0.0 {
            0.0
        } else {
            1.0
        }
    }
}

/// The quantile of Student's t.
pub(super) fn quantile(probability: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |student| student.inverse_cdf(probability))
}

/// The quantile of the standard normal distribution.
pub(super) fn normal_quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

/// The share of the standard normal distribution above a value.
pub(super) fn normal_tail(value: f64) -> f64 {
    Normal::standard().sf(value)
}

/// The mean and the sample variance (divisor n - 1); `None` of fewer than two values.
pub(super) fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (mean, squares / (values.len() as f64 - 1.0)))
}

/// How many pairs, at least 3, show an effect with 90% power when the logs of pairs differ with this standard
/// deviation: the smallest n at which the effect, in standard errors, reaches the sum of the two quantiles of t (one
/// for the error of 2.5%, one for the power). `None` beyond 1,000, or for an effect that is not above 0.
///
/// The exact noncentral t asks for at most one pair more or fewer.
#[must_use]
pub fn pairs_needed(sd: f64, effect: f64) -> Option<usize> {
    let reaches = |n: &usize| {
        let freedom = *n as f64 - 1.0;
        let wanted = quantile(0.975, freedom) + quantile(0.9, freedom);
        effect * (*n as f64).sqrt() >= wanted * sd
    };
    if effect > 0.0 { (3..=1000).find(reaches) } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_pairs_needed_are_those_of_the_power_tables() {
        // Noncentral t, 90% power, two-sided 5%: (sd, effect, pairs).
        for (sd, effect, pairs) in [
            (0.01, 0.01, 13),
            (0.01, 0.02, 5),
            (0.01, 0.03, 4),
            (0.02, 0.01, 44),
            (0.02, 0.02, 13),
            (0.02, 0.03, 7),
            (0.03, 0.01, 97),
            (0.03, 0.05, 7),
        ] {
            let needed = pairs_needed(sd, effect).unwrap();
            assert!(needed.abs_diff(pairs) <= 1, "{sd} {effect}: {needed}, {pairs}");
        }
        assert_eq!(pairs_needed(0.0, 0.05), Some(3));
        assert_eq!(pairs_needed(0.02, 0.0), None);
        assert_eq!(pairs_needed(1.0, 0.0001), None);
    }

    #[test]
    fn what_did_not_vary_is_certain() {
        let sure = Estimate { mean: 0.1, error: 0.0, freedom: 4.0 };
        assert_eq!([sure.above(0.05), sure.above(0.1), sure.below(0.05)], [0.0, 1.0, 1.0]);
        assert_eq!(sure.interval(0.95), [0.1, 0.1]);
    }

    proptest! {
        /// The interval and the p values are two views of one test.
        #[test]
        fn a_bound_is_where_the_p_value_is_its_level(
            mean in -1.0..1.0_f64, error in 1e-3..1.0_f64, freedom in 1.0..40.0_f64,
        ) {
            let estimate = Estimate { mean, error, freedom };
            let [low, high] = estimate.interval(0.95);
            prop_assert!((estimate.above(low) - 0.025).abs() < 1e-6);
            prop_assert!((estimate.below(high) - 0.025).abs() < 1e-6);
            prop_assert!((estimate.above(0.3) + estimate.below(0.3) - 1.0).abs() < 1e-9);
        }
    }
}
