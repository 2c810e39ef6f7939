//! What a difference between repetitions is worth: t-tests with and without equal variance, and paired.
//!
//! Student, "The probable error of a mean", Biometrika 6(1), 1908; Welch, "The generalization of Student's problem when
//! several different population variances are involved", Biometrika 34, 1947. Spreads are taken about the mean in a
//! second pass: the textbook difference of sums loses all digits where the spread is small against the mean.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use crate::analysis::describe::mean;

/// Mean and spread of the repetitions of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// How many there are, at least one.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their sample standard deviation (divisor `n - 1`); absent of one.
    pub sd: Option<f64>,
}

impl Spread {
    /// `None` of no values, and of values that are not finite.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mean = mean(values).filter(|mean| mean.is_finite())?;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let freedom = values.len().checked_sub(1).filter(|freedom| *freedom > 0);
        let sd = freedom.map(|freedom| (squares / freedom as f64).sqrt());
        Some(Self { n: values.len(), mean, sd })
    }

    /// The squared standard error of the mean.
    fn error_squared(&self) -> Option<f64> {
        self.sd.map(|sd| sd * sd / self.n as f64)
    }
}

/// A difference of means with its test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Test {
    /// Two-sided p-value.
    pub p: f64,
    /// The 95% interval of the second mean less the first.
    pub interval: [f64; 2],
}

/// Student's t-test with equal variances; `None` where a side has one value, or neither side any spread.
#[must_use]
pub fn student(a: &Spread, b: &Spread) -> Option<Test> {
    let (freedom_a, freedom_b) = (a.n as f64 - 1.0, b.n as f64 - 1.0);
    let freedom = freedom_a + freedom_b;
    let pooled = (freedom_a * a.sd?.powi(2) + freedom_b * b.sd?.powi(2)) / freedom;
    let error = (pooled * (1.0 / a.n as f64 + 1.0 / b.n as f64)).sqrt();
    t_test(b.mean - a.mean, error, freedom)
}

/// Welch's t-test, which does not suppose equal variances; `None` as of [`student`].
#[must_use]
pub fn welch(a: &Spread, b: &Spread) -> Option<Test> {
    let (error_a, error_b) = (a.error_squared()?, b.error_squared()?);
    let sum = error_a + error_b;
    let freedom = sum * sum
        / (error_a * error_a / (a.n as f64 - 1.0) + error_b * error_b / (b.n as f64 - 1.0));
    t_test(b.mean - a.mean, sum.sqrt(), freedom)
}

/// The paired t-test of whether differences are 0 on average; `None` of fewer than two, or of equal ones.
#[must_use]
pub fn paired(differences: &[f64]) -> Option<Test> {
    let spread = Spread::of(differences)?;
    t_test(spread.mean, spread.error_squared()?.sqrt(), spread.n as f64 - 1.0)
}

fn t_test(difference: f64, error: f64, freedom: f64) -> Option<Test> {
    // Scatter that is nothing but rounding is none.
    if !(error > 1e-12 * difference.abs() && freedom > 0.0 && difference.is_finite()) {
        return None;
    }
    let student = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let p = 2.0 * student.cdf(-(difference / error).abs());
    let reach = student.inverse_cdf(0.975) * error;
    Some(Test { p: p.min(1.0), interval: [difference - reach, difference + reach] })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Student 1908, after Fisher's "Statistical Methods for Research Workers": hours of sleep gained by ten patients
    /// with two drugs (the data set `sleep` of R).
    const SLEEP: [[f64; 10]; 2] = [
        [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
        [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
    ];

    fn near(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected}");
    }

    #[test]
    fn the_sleep_data_give_the_published_p_values() {
        let [a, b] = SLEEP.map(|values| Spread::of(&values).unwrap());
        near(student(&a, &b).unwrap().p, 0.07919, 5e-6);
        let test = welch(&a, &b).unwrap();
        near(test.p, 0.07939, 5e-6);
        near(test.interval[0], -0.205_483_2, 1e-7);
        near(test.interval[1], 3.365_483_2, 1e-7);
        let differences: Vec<f64> = SLEEP[0].iter().zip(SLEEP[1]).map(|(a, b)| b - a).collect();
        near(paired(&differences).unwrap().p, 0.002_833, 5e-7);
    }

    #[test]
    fn without_spread_or_repetitions_there_is_no_test() {
        let of = |values: &[f64]| Spread::of(values).unwrap();
        for (a, b) in
            [(&[5.0, 5.0][..], &[5.0, 5.0][..]), (&[5.0, 5.0], &[6.0, 6.0]), (&[1.0], &[1.0, 2.0])]
        {
            assert_eq!(
                (student(&of(a), &of(b)), welch(&of(a), &of(b))),
                (None, None),
                "{a:?} {b:?}"
            );
        }
        assert_eq!(paired(&[0.1, 0.1, 0.1]), None);
        assert_eq!((Spread::of(&[]), Spread::of(&[f64::NAN])), (None, None));
    }

    #[test]
    fn a_small_spread_survives_a_large_mean() {
        let spread = Spread::of(&[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0]).unwrap();
        near(spread.sd.unwrap(), 30.0_f64.sqrt(), 1e-9);
    }

    proptest! {
        #[test]
        fn units_do_not_change_a_p_value(
            a in prop::collection::vec(1.0..2.0_f64, 2..8), b in prop::collection::vec(1.0..2.0_f64, 2..8),
            scale in 0.001..1000.0_f64,
        ) {
            let of = |values: &[f64], scale: f64| {
                Spread::of(&values.iter().map(|value| value * scale).collect::<Vec<_>>()).unwrap()
            };
            for test in [student, welch] {
                let (one, other) = (test(&of(&a, 1.0), &of(&b, 1.0)), test(&of(&a, scale), &of(&b, scale)));
                let (Some(one), Some(other)) = (one, other) else { continue };
                prop_assert!((one.p - other.p).abs() < 1e-9);
                prop_assert!((0.0..=1.0).contains(&one.p));
                let swapped = test(&of(&b, 1.0), &of(&a, 1.0)).unwrap();
                prop_assert!((swapped.p - one.p).abs() < 1e-12);
            }
        }
    }
}
