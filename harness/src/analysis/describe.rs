//! Describes one set of readings by its moments and quantiles: [`Description`].
//!
//! The definitions are those of NumPy's defaults (`mean`, `std` with `ddof = 0`, `percentile` with
//! `method = "linear"`), so that a number here equals the one the original tool would have written.

use serde::{Deserialize, Serialize};

/// Location, spread and tail of a set of readings. Every field but `n` has the unit of the
/// readings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// How many readings there are, at least one.
    pub n: usize,
    /// The arithmetic mean.
    pub mean: f64,
    /// The population standard deviation (divisor `n`, NumPy's `ddof = 0`).
    pub std: f64,
    /// The smallest reading.
    pub min: f64,
    /// The largest reading.
    pub max: f64,
    /// The median.
    pub p50: f64,
    /// The 95th percentile, see [`quantile`].
    pub p95: f64,
    /// The 99th percentile, see [`quantile`].
    pub p99: f64,
}

impl Description {
    /// Describes the readings, in any order.
    ///
    /// `None` when there are none, or when one is NaN or infinite: a reading that could not be
    /// taken has to be left out and counted by the caller, because leaving it out here would hide
    /// that it was missed.
    #[must_use]
    pub fn of(readings: &[f64]) -> Option<Self> {
        if readings.is_empty() || !readings.iter().all(|reading| reading.is_finite()) {
            return None;
        }
        let mut sorted = readings.to_vec();
        sorted.sort_by(f64::total_cmp);
        let mean = mean(&sorted)?;
        let squares: Vec<f64> = sorted.iter().map(|reading| (reading - mean).powi(2)).collect();
        Some(Self {
            n: sorted.len(),
            mean,
            std: self::mean(&squares)?.sqrt(),
            min: *sorted.first()?,
            max: *sorted.last()?,
            p50: quantile(&sorted, 0.50)?,
            p95: quantile(&sorted, 0.95)?,
            p99: quantile(&sorted, 0.99)?,
        })
    }
}

/// The arithmetic mean, in the unit of the values; `None` for no values.
///
/// It averages distances from the first value, so that the mean of equal values is that value
/// exactly and a constant series has no spurious variance.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    let origin = *values.first()?;
    let distance: f64 = values.iter().map(|value| value - origin).sum();
    Some(origin + distance / values.len() as f64)
}

/// The quantile `q` (0 to 1) of values in ascending order, in their unit.
///
/// It interpolates linearly between order statistics at position `(n - 1) q`: type 7 of Hyndman &
/// Fan, "Sample quantiles in statistical packages", The American Statistician 50(4), 1996, NumPy's
/// default. `None` for no values or a `q` outside 0 to 1.
#[must_use]
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    if sorted.is_empty() || !(0.0..=1.0).contains(&q) {
        return None;
    }
    debug_assert!(sorted.is_sorted(), "quantile wants its values in ascending order");
    let position = (sorted.len() - 1) as f64 * q;
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    let share = position - position.floor();
    // Interpolating from the nearer end keeps the result between the two and monotonic in q, as
    // NumPy does.
    Some(if share < 0.5 {
        below + (above - below) * share
    } else {
        above - (above - below) * (1.0 - share)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(readings: &[f64], expected: [f64; 7]) {
        let d = Description::of(readings).expect("finite readings");
        let actual = [d.mean, d.std, d.min, d.max, d.p50, d.p95, d.p99];
        for (actual, expected) in actual.into_iter().zip(expected) {
            assert!(
                (actual - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                "{readings:?}: {d:?}, {expected}"
            );
        }
        assert_eq!(d.n, readings.len());
    }

    #[test]
    fn descriptions_equal_those_of_numpy() {
        // np.mean, np.std, np.min, np.max, np.percentile(v, [50, 95, 99]).
        check(&[7.0], [7.0, 0.0, 7.0, 7.0, 7.0, 7.0, 7.0]);
        check(&[4.0, 1.0, 3.0, 2.0], [2.5, 1.25_f64.sqrt(), 1.0, 4.0, 2.5, 3.85, 3.97]);
        check(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], [5.0, 2.0, 2.0, 9.0, 4.5, 8.3, 8.86]);
    }

    #[test]
    fn equal_readings_have_no_spread_at_all() {
        check(&[0.1; 7], [0.1, 0.0, 0.1, 0.1, 0.1, 0.1, 0.1]);
        assert_eq!(Description::of(&[0.1; 7]).unwrap().std, 0.0);
    }

    #[test]
    fn a_small_spread_survives_a_large_offset() {
        check(
            &[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0],
            [
                1e9 + 10.0,
                22.5_f64.sqrt(),
                1e9 + 4.0,
                1e9 + 16.0,
                1e9 + 10.0,
                1e9 + 15.55,
                1e9 + 15.91,
            ],
        );
    }

    #[test]
    fn nothing_and_readings_that_are_not_numbers_are_refused() {
        for readings in [&[][..], &[1.0, f64::NAN], &[f64::INFINITY], &[f64::NEG_INFINITY, 2.0]] {
            assert_eq!(Description::of(readings), None, "{readings:?}");
        }
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[1.0], 1.5), None);
        assert_eq!(quantile(&[1.0], f64::NAN), None);
        assert_eq!(mean(&[]), None);
    }

    proptest! {
        #[test]
        fn quantiles_are_ordered_and_stay_within_the_readings(
            readings in prop::collection::vec(-1e6..1e6_f64, 1..50),
            p in 0.0..=1.0_f64,
            q in 0.0..=1.0_f64,
        ) {
            let d = Description::of(&readings).unwrap();
            prop_assert!(d.min <= d.p50 && d.p50 <= d.p95 && d.p95 <= d.p99 && d.p99 <= d.max);
            prop_assert!(d.std >= 0.0 && d.std <= (d.max - d.min) / 2.0 + 1e-9);
            let mut sorted = readings;
            sorted.sort_by(f64::total_cmp);
            prop_assert!(quantile(&sorted, p.min(q)) <= quantile(&sorted, p.max(q)));
        }
    }
}
