//! A straight line through points by ordinary least squares, with the uncertainty of its slope:
//! [`Line`].
//!
//! Formulas: Draper & Smith, "Applied Regression Analysis", 3rd edition, 1998, chapter 1. Sums are
//! taken about the means in a second pass, which keeps the digits that the textbook sums of
//! products lose. Pinned on the data set Norris of the NIST Statistical Reference Datasets.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use crate::analysis::describe::mean;

/// The line `y = slope * x + intercept` that fits points best, and how far the points support its
/// slope.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The change of y for one unit of x, in the unit of y per unit of x.
    pub slope: f64,
    /// The value at x = 0, in the unit of y.
    pub intercept: f64,
    /// The two-sided 95% interval of the slope, from Student's t with `n - 2` degrees of freedom,
    /// in the unit of the slope. Absent for two points, which leave nothing to estimate the scatter
    /// from. It supposes independent errors; readings close in time are not, and their true
    /// interval is wider.
    pub slope_interval: Option<[f64; 2]>,
    /// The standard error of the slope, in its unit. Absent for two points.
    pub standard_error: Option<f64>,
    /// The share of the variation of y that the line explains, 0 to 1; 0 when y does not vary.
    pub r_squared: f64,
    /// How many points there are, at least two.
    pub n: usize,
}

impl Line {
    /// Fits a line to points `(x, y)`, in any order.
    ///
    /// `None` for fewer than two distinct x, and for a coordinate that is NaN or infinite.
    #[must_use]
    pub fn through(points: &[(f64, f64)]) -> Option<Self> {
        let Projection { slope, intercept, x_squares, residual_squares, total_squares } =
            Projection::of(points)?;
        let freedom = points.len() as f64 - 2.0;
        let standard_error =
            (freedom > 0.0).then(|| (residual_squares / freedom / x_squares).sqrt());
        let slope_interval = standard_error.and_then(|error| {
            let reach = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(0.975) * error;
            Some([slope - reach, slope + reach])
        });
        let r_squared = r_squared(residual_squares, total_squares);
        Some(Self { slope, intercept, slope_interval, standard_error, r_squared, n: points.len() })
    }

    /// The value of the line at `x`, in the unit of y.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        self.slope * x + self.intercept
    }
}

/// `1 - SSres / SStot`, the definition of R² that the original tool uses; 0 when y does not vary.
pub(super) fn r_squared(residual_squares: f64, total_squares: f64) -> f64 {
    if total_squares == 0.0 { 0.0 } else { (1.0 - residual_squares / total_squares).max(0.0) }
}

/// The least-squares line and its sums of squares, without their interpretation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Projection {
    pub(super) slope: f64,
    pub(super) intercept: f64,
    pub(super) x_squares: f64,
    pub(super) residual_squares: f64,
    pub(super) total_squares: f64,
}

impl Projection {
    /// `None` for fewer than two distinct x, and for a coordinate that is NaN or infinite.
    pub(super) fn of(points: &[(f64, f64)]) -> Option<Self> {
        let (xs, ys): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        let (x_mean, y_mean) = (mean(&xs)?, mean(&ys)?);
        let about_means = || points.iter().map(|(x, y)| (x - x_mean, y - y_mean));
        let x_squares: f64 = about_means().map(|(x, _)| x * x).sum();
        let products: f64 = about_means().map(|(x, y)| x * y).sum();
        let total_squares: f64 = about_means().map(|(_, y)| y * y).sum();
        if x_squares == 0.0
            || ![x_squares, products, total_squares].iter().all(|sum| sum.is_finite())
        {
            return None;
        }
        let slope = products / x_squares;
        let residual_squares = about_means().map(|(x, y)| (y - slope * x).powi(2)).sum();
        Some(Self {
            slope,
            intercept: y_mean - slope * x_mean,
            x_squares,
            residual_squares,
            total_squares,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// NIST StRD, linear regression, Norris: `(x, y)`, 36 observations. Public domain.
    #[rustfmt::skip]
    const NORRIS: [(f64, f64); 36] = [
        (0.2, 0.1), (337.4, 338.8), (118.2, 118.1), (884.6, 888.0), (10.1, 9.2), (226.5, 228.1),
        (666.3, 668.5), (996.3, 998.5), (448.6, 449.1), (777.0, 778.9), (558.2, 559.2), (0.4, 0.3),
        (0.6, 0.1), (775.5, 778.1), (666.9, 668.8), (338.0, 339.3), (447.5, 448.9), (11.6, 10.8),
        (556.0, 557.7), (228.1, 228.3), (995.8, 998.0), (887.6, 888.8), (120.2, 119.6), (0.3, 0.3),
        (0.3, 0.6), (556.8, 557.6), (339.1, 339.3), (887.2, 888.0), (999.0, 998.5), (779.0, 778.9),
        (11.1, 10.2), (118.3, 117.6), (229.2, 228.9), (669.1, 668.4), (448.9, 449.2), (0.5, 0.2),
    ];

    /// Anscombe, "Graphs in statistical analysis", The American Statistician 27(1), 1973, the first
    /// of the quartet.
    #[rustfmt::skip]
    const ANSCOMBE: [(f64, f64); 11] = [
        (10.0, 8.04), (8.0, 6.95), (13.0, 7.58), (9.0, 8.81), (11.0, 8.33), (14.0, 9.96),
        (6.0, 7.24), (4.0, 4.26), (12.0, 10.84), (7.0, 4.82), (5.0, 5.68),
    ];

    /// `expected`: slope, intercept, standard error of the slope, R².
    #[track_caller]
    fn check(points: &[(f64, f64)], expected: [f64; 4], tolerance: f64) {
        let line = Line::through(points).expect("a line");
        let actual = [line.slope, line.intercept, line.standard_error.unwrap(), line.r_squared];
        for (actual, expected) in actual.into_iter().zip(expected) {
            assert!(
                (actual - expected).abs() <= tolerance * expected.abs(),
                "{actual} is not {expected}: {line:?}"
            );
        }
        assert_eq!(line.n, points.len());
    }

    #[test]
    fn the_line_has_the_certified_digits_of_norris() {
        let certified = [
            1.002_116_818_020_45,
            -0.262_323_073_774_029,
            0.429_796_848_199_937e-3,
            0.999_993_745_883_712,
        ];
        check(&NORRIS, certified, 1e-11);
    }

    #[test]
    fn the_line_has_the_published_digits_of_anscombe() {
        check(&ANSCOMBE, [0.5001, 3.0001, 0.1179, 0.6665], 1e-4);
    }

    #[test]
    fn the_interval_is_the_slope_give_or_take_students_t() {
        for (points, t) in
            [(&NORRIS[..], 2.032_244_509_317_719), (&ANSCOMBE, 2.262_157_162_740_992)]
        {
            let line = Line::through(points).unwrap();
            let [low, high] = line.slope_interval.unwrap();
            let reach = t * line.standard_error.unwrap();
            assert!((low - (line.slope - reach)).abs() < 1e-9 * reach.max(1.0), "{low}");
            assert!((high - (line.slope + reach)).abs() < 1e-9 * reach.max(1.0), "{high}");
        }
    }

    #[test]
    fn two_points_give_a_line_without_an_interval() {
        let line = Line::through(&[(1.0, 5.0), (3.0, 9.0)]).unwrap();
        assert_eq!((line.slope, line.intercept, line.r_squared), (2.0, 3.0, 1.0));
        assert_eq!((line.slope_interval, line.standard_error), (None, None));
        assert_eq!(line.at(10.0), 23.0);
    }

    #[test]
    fn flat_points_have_slope_zero_and_explain_nothing() {
        let line = Line::through(&[(1.0, 0.1), (2.0, 0.1), (3.0, 0.1)]).unwrap();
        assert_eq!((line.slope, line.r_squared, line.slope_interval), (0.0, 0.0, Some([0.0, 0.0])));
    }

    #[test]
    fn points_without_a_line_are_refused() {
        for points in [
            &[][..],
            &[(1.0, 1.0)],
            &[(2.0, 1.0), (2.0, 3.0)],
            &[(1.0, f64::NAN), (2.0, 1.0)],
            &[(1.0, 1.0), (f64::INFINITY, 2.0)],
        ] {
            assert_eq!(Line::through(points), None, "{points:?}");
        }
    }

    proptest! {
        #[test]
        fn a_large_time_origin_does_not_change_the_slope(
            ys in prop::collection::vec(-1e3..1e3_f64, 3..40), origin in 0..2_000_000_000_u32,
        ) {
            let points = |origin: f64| -> Vec<(f64, f64)> {
                ys.iter().enumerate().map(|(i, y)| (origin + i as f64, *y)).collect()
            };
            let near = Line::through(&points(0.0)).unwrap();
            let far = Line::through(&points(f64::from(origin))).unwrap();
            prop_assert!((near.slope - far.slope).abs() < 1e-6, "{near:?} {far:?}");
            let [low, high] = near.slope_interval.unwrap();
            prop_assert!(low <= near.slope && near.slope <= high);
            prop_assert!((0.0..=1.0).contains(&near.r_squared));
        }
    }
}
