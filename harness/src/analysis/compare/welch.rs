//! [`welch`]: two sets of runs that are not pairs, with variances of their own.
//!
//! Welch, "The generalization of Student's problem when several different population variances are involved",
//! Biometrika 34, 1947.

use super::estimate::{Estimate, moments};

/// The change from `base` to `new`, both logs, larger is worse. `None` where a side has fewer than two.
#[must_use]
pub fn welch(base: &[f64], new: &[f64]) -> Option<Estimate> {
    let part = |values: &[f64]| {
        let (mean, variance) = moments(values)?;
        Some((mean, variance / values.len() as f64, values.len() as f64 - 1.0))
    };
    let ((base, base_error, base_freedom), (new, new_error, new_freedom)) =
        (part(base)?, part(new)?);
    let error = base_error + new_error;
    let freedom = if error > 0.0 {
        error.powi(2) / (base_error.powi(2) / base_freedom + new_error.powi(2) / new_freedom)
    } else {
        base_freedom + new_freedom
    };
    Some(Estimate { mean: new - base, error: error.sqrt(), freedom })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_has_the_published_digits_of_students_sleep_data() {
        // As the documentation of R's t.test has it.
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let estimate = welch(&first, &second).unwrap();
        let [low, high] = estimate.interval(0.95);
        for (actual, expected, digits) in [
            (estimate.mean / estimate.error, 1.8608, 1e-4),
            (estimate.freedom, 17.776, 1e-3),
            (2.0 * estimate.above(0.0), 0.079_39, 1e-5),
            (low, -0.205_483_2, 1e-6),
            (high, 3.365_483_2, 1e-6),
        ] {
            assert!((actual - expected).abs() <= digits, "{actual} is not {expected}");
        }
    }

    #[test]
    fn one_run_of_a_side_is_no_sample() {
        assert_eq!(welch(&[1.0], &[1.0, 2.0]), None);
        assert_eq!(welch(&[1.0, 2.0], &[]), None);
        let same = welch(&[1.0, 1.0], &[1.0, 1.0, 1.0]).unwrap();
        assert_eq!(same, Estimate { mean: 0.0, error: 0.0, freedom: 3.0 });
    }

    proptest! {
        #[test]
        fn the_freedom_lies_between_the_smaller_side_and_both(
            base in prop::collection::vec(-1.0..1.0_f64, 2..12),
            new in prop::collection::vec(-1.0..1.0_f64, 2..12),
        ) {
            let estimate = welch(&base, &new).unwrap();
            let (least, most) = (base.len().min(new.len()) - 1, base.len() + new.len() - 2);
            prop_assert!(estimate.freedom >= least as f64 * (1.0 - 1e-9));
            prop_assert!(estimate.freedom <= most as f64 * (1.0 + 1e-9));
        }
    }
}
