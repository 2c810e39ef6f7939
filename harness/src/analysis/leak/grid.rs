//! Readings on a regular grid of time, as the statistics of [`leakscore`](super::leakscore) want them.

use crate::analysis::series::Series;

/// Readings that come faster are averaged to this many seconds: the limits were set at this interval.
const STEP: f64 = 2.0;
/// A larger part of the readings may not be missing.
const MISSING: f64 = 0.05;

/// Values at equal distances.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// The values, in the unit of the series.
    pub values: Vec<f64>,
    /// Seconds between two.
    pub step: f64,
}

impl Grid {
    /// Puts readings on the grid of their own interval, which is their median distance. Single ones that are missing are
    /// interpolated.
    ///
    /// # Errors
    /// Why the readings cannot stand for a regular trace, in words.
    pub fn of(series: &Series) -> Result<Self, String> {
        let points = series.points();
        let mut distances: Vec<f64> = points.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        if distances.is_empty() {
            return Err("a single reading has no trend".to_owned());
        }
        let median = super::kendall::median(&mut distances);
        // Readings are due at whole intervals; what is left below 10 ms is how late they were taken.
        let rounded = (median * 100.0).round() / 100.0;
        let interval = if rounded > 0.0 { rounded } else { median };
        let fine = interval < 0.95 * STEP;
        let step = if fine { STEP } else { interval };
        let start = points[0].0;
        // Half an interval of tolerance to either side: a reading is never early, but the first may be late.
        let slot = |time: f64| ((time - start + interval / 2.0) / step).floor() as usize;
        let whole = slot(start + series.span());
        // A bin that is not full is left out.
        let count = if fine {
            ((series.span() + 1.5 * interval) / step).floor() as usize
        } else {
            whole + 1
        };
        let mut sums = vec![(0.0, 0_u32); count];
        for (time, value) in points {
            if let Some(sum) = sums.get_mut(slot(*time)) {
                // On a coarse grid a second reading in a slot was taken late; the first stands.
                if fine || sum.1 == 0 {
                    *sum = (sum.0 + value, sum.1 + 1);
                }
            }
        }
        let known: Vec<(usize, f64)> = sums
            .iter()
            .enumerate()
            .filter(|(_, sum)| sum.1 > 0)
            .map(|(slot, sum)| (slot, sum.0 / f64::from(sum.1)))
            .collect();
        let missing = count - known.len();
        if missing as f64 > MISSING * count as f64 {
            return Err(format!("{missing} of {count} readings are missing, and 5% may be"));
        }
        Ok(Self { values: interpolated(&known, count), step })
    }
}

/// Fills what is missing between known slots in a straight line; beyond them the nearest holds.
fn interpolated(known: &[(usize, f64)], count: usize) -> Vec<f64> {
    let at = |slot: usize| {
        let next = known.partition_point(|(known, _)| *known < slot);
        match (next.checked_sub(1).map(|before| known[before]), known.get(next)) {
            (_, Some((place, value))) if *place == slot => *value,
            (Some((before, low)), Some((after, high))) => {
                low + (high - low) * (slot - before) as f64 / (after - before) as f64
            }
            (Some((_, value)), None) => value,
            (None, Some((_, value))) => *value,
            (None, None) => f64::NAN,
        }
    };
    (0..count).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(points: impl IntoIterator<Item = (f64, f64)>) -> Result<Grid, String> {
        Grid::of(&Series::of(points).unwrap())
    }

    #[test]
    fn late_readings_fall_into_their_slots_and_single_gaps_are_filled() {
        let late =
            |index: u32| f64::from(index) * 2.0 + if index.is_multiple_of(3) { 0.4 } else { 0.003 };
        let points = (0..60).filter(|index| *index != 30).map(|i| (late(i), f64::from(i)));
        let grid = grid(points).unwrap();
        assert_eq!(grid.step, 2.0);
        assert_eq!(grid.values, (0..60).map(f64::from).collect::<Vec<_>>());
    }

    #[test]
    fn too_many_missing_readings_are_said() {
        let points = (0..60).filter(|i| i % 10 != 5).map(|i| (f64::from(i) * 2.0, 1.0));
        assert_eq!(grid(points).unwrap_err(), "6 of 60 readings are missing, and 5% may be");
        assert!(grid([(0.0, 1.0)]).is_err());
    }

    #[test]
    fn fast_readings_are_averaged_and_slow_ones_are_not() {
        let fast = grid((0..600).map(|i| (f64::from(i) * 0.2, f64::from(i % 10)))).unwrap();
        assert_eq!((fast.step, fast.values.len()), (2.0, 60));
        assert!(fast.values.iter().all(|value| (value - 4.5).abs() < 1e-12), "{:?}", fast.values);
        let slow = grid((0..30).map(|i| (f64::from(i) * 10.0, f64::from(i)))).unwrap();
        assert_eq!((slow.step, slow.values.len()), (10.0, 30));
    }
}
