//! A trace in blocks: the smallest value of each, which is the level after a garbage collection, or its mean.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::kendall::median;

/// Where `blocks` blocks of `count` values begin and end, as even as can be; halves are rounded to even.
fn edges(count: usize, blocks: usize) -> Vec<usize> {
    let step = count as f64 / blocks as f64;
    let edge = |index: usize| (index as f64 * step).round_ties_even() as usize;
    (0..=blocks).map(|index| if index == blocks { count } else { edge(index) }).collect()
}

/// What `of` makes of each block, which it is given with the place of its first value.
pub fn per_block<T>(values: &[f64], blocks: usize, of: impl Fn(usize, &[f64]) -> T) -> Vec<T> {
    let edges = edges(values.len(), blocks);
    edges.windows(2).map(|ends| of(ends[0], &values[ends[0]..ends[1]])).collect()
}

/// The smallest value of each block and its place among all values. Wants at least as many values as blocks.
#[must_use]
pub fn floors(values: &[f64], blocks: usize) -> Vec<(usize, f64)> {
    per_block(values, blocks, |first, block| {
        let mut least = (first, block[0]);
        for (index, value) in block.iter().enumerate() {
            if *value < least.1 {
                least = (first + index, *value);
            }
        }
        least
    })
}

/// The median second difference, which is blind to a trend.
fn roughness(values: &[f64]) -> f64 {
    let first: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut second: Vec<f64> = first.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    median(&mut second)
}

/// The floors or the means of blocks, whichever scatter less, and how much they do.
fn quieter(values: &[f64], blocks: usize) -> (Vec<f64>, f64) {
    let floors: Vec<f64> = floors(values, blocks).into_iter().map(|floor| floor.1).collect();
    let means =
        per_block(values, blocks, |_, block| block.iter().sum::<f64>() / block.len() as f64);
    let (rough_floors, rough_means) = (roughness(&floors), roughness(&means));
    if rough_floors <= rough_means { (floors, rough_floors) } else { (means, rough_means) }
}

/// The trace in that number of blocks which gives the smallest error of a slope: long cycles of garbage collection
/// choose long blocks. Fewer blocks have to be clearly quieter.
#[must_use]
pub fn reduce(values: &[f64]) -> Vec<f64> {
    const CLEARLY: f64 = 1.6;
    let count = values.len();
    let most = match count {
        30 => 15,
        60 => 20,
        120 | 240 => 24,
        _ => (count / 3).clamp(10, 24),
    };
    let (mut best, rough) = quieter(values, most);
    let mut cost = rough / (most as f64).sqrt() + 1e-3;
    for blocks in [12, 8].into_iter().filter(|blocks| *blocks < most) {
        let (reduced, rough) = quieter(values, blocks);
        let own = rough / (blocks as f64).sqrt() * CLEARLY + 1e-3;
        if own < cost {
            (best, cost) = (reduced, own);
        }
    }
    best
}

/// What is left of a trace without the first 40%, which a warm-up does not reach.
#[must_use]
pub fn late(values: &[f64]) -> &[f64] {
    &values[(values.len() as f64 * 0.4) as usize..]
}

/// The least-squares line through the floors of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FloorSlope {
    /// Per minute, in the unit of the values.
    pub slope: f64,
    /// Its standard error.
    pub error: f64,
    /// Blocks less two.
    freedom: f64,
}

impl FloorSlope {
    /// Of values `step` seconds apart: of all of them, or `late`, without the first 40%. Wants at least 14 values.
    #[must_use]
    pub fn of(values: &[f64], step: f64, late: bool) -> Self {
        let count = values.len();
        let part = if late { self::late(values) } else { values };
        let floors = floors(part, blocks(count, late));
        let at = |place: usize| place as f64 * step / 60.0;
        let n = floors.len() as f64;
        let time = floors.iter().map(|floor| at(floor.0)).sum::<f64>() / n;
        // About the first floor, so that equal ones have no slope at all.
        let origin = floors[0].1;
        let mean = origin + floors.iter().map(|floor| floor.1 - origin).sum::<f64>() / n;
        let centered = || floors.iter().map(|floor| (at(floor.0) - time, floor.1 - mean));
        let squares: f64 = centered().map(|(x, _)| x * x).sum();
        let slope = centered().map(|(x, y)| x * y).sum::<f64>() / squares;
        let left: f64 = centered().map(|(x, y)| (y - slope * x).powi(2)).sum();
        Self { slope, error: (left / (n - 2.0) / squares).sqrt(), freedom: n - 2.0 }
    }

    /// How many standard errors the quantile `share` of the slope's distribution is away.
    fn reach(&self, share: f64) -> f64 {
        StudentsT::new(0.0, 1.0, self.freedom)
            .map_or(f64::INFINITY, |distribution| distribution.inverse_cdf(share))
    }

    /// The one-sided 95% upper bound.
    #[must_use]
    pub fn high(&self) -> f64 {
        self.slope + self.reach(0.95) * self.error
    }

    /// The two-sided 95% interval.
    #[must_use]
    pub fn interval(&self) -> [f64; 2] {
        let reach = self.reach(0.975) * self.error;
        [self.slope - reach, self.slope + reach]
    }
}

/// In how many blocks the floors of a trace are tested.
#[must_use]
pub fn blocks(count: usize, late: bool) -> usize {
    if late || count <= 40 { 8 } else { 12 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_even_and_halves_round_to_even() {
        assert_eq!(edges(12, 8), [0, 2, 3, 4, 6, 8, 9, 10, 12]);
        assert_eq!(edges(24, 12), (0..=12).map(|index| index * 2).collect::<Vec<_>>());
    }

    #[test]
    fn long_cycles_choose_long_blocks() {
        let saw: Vec<f64> = (0..240).map(|index| f64::from(index % 19)).collect();
        assert_eq!(reduce(&saw).len(), 12);
        let straight: Vec<f64> = (0..240).map(f64::from).collect();
        assert_eq!(reduce(&straight).len(), 24);
    }

    #[test]
    fn the_line_through_floors_does_not_see_the_teeth() {
        // 0.5 per minute below teeth of height 40.
        let value = |index: i32| f64::from(index) / 60.0 + f64::from(index % 10) * 4.0;
        let values: Vec<f64> = (0..240).map(value).collect();
        let line = FloorSlope::of(&values, 2.0, false);
        assert!((line.slope - 0.5).abs() < 1e-9 && line.error < 1e-9, "{line:?}");
        assert!(FloorSlope::of(&values, 2.0, true).high() < 0.6);
    }
}
