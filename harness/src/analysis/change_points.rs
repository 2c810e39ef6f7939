//! [`change_points`]: where the level of a series of runs changed.
//!
//! Two methods, both hierarchical: the most likely split is tested, and each half is searched again.
//! E-divisive: Matteson & James, "A nonparametric approach for multiple change point analysis of multivariate data",
//! Journal of the American Statistical Association 109, 2014, with the energy distance of exponent 1 and a permutation
//! test. The t-split: Welch's test of the best split at a small p-value in place of the permutations, as Apache Otava
//! (formerly Hunter) has it: Fleming et al., "Hunter: using change point detection to hunt for performance
//! regressions", ICPE 2023.

use serde::Serialize;

use super::describe::mean;
use super::table::significance::{Spread, welch};

/// How a split is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The energy statistic and permutations: also finds a change of spread, and bears outliers.
    EDivisive,
    /// Welch's t-test of the best split.
    TSplit,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 2] = [Self::EDivisive, Self::TSplit];

    /// The word that names it on a command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EDivisive => "e-divisive",
            Self::TSplit => "t-split",
        }
    }

    /// The method that a word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == word)
    }

    /// A split is a change point at or below this p-value.
    #[must_use]
    pub fn level(self) -> f64 {
        match self {
            Self::EDivisive => 0.01,
            Self::TSplit => 0.001,
        }
    }

    /// The fewest runs in which a change can be found. With fewer than twelve, more than one permutation in a hundred
    /// is as extreme as the clearest step, so that no p-value reaches the level.
    #[must_use]
    pub fn fewest(self) -> usize {
        match self {
            Self::EDivisive => 12,
            Self::TSplit => 2 * SHORTEST,
        }
    }
}

/// The fewest runs between two change points.
pub const SHORTEST: usize = 4;
/// The permutations of a test.
const PERMUTATIONS: usize = 499;

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ChangePoint {
    /// The index of the first run at the new level.
    pub at: usize,
    /// The level of the segment before.
    pub before: f64,
    /// The level of the segment that begins here.
    pub after: f64,
    /// `after` less `before`, relative to the size of `before`; infinite where that is 0.
    pub change: f64,
    /// The p-value of the split when it was found.
    pub p: f64,
}

/// The change points of a series, those with a change below `smallest` (a fraction) left out.
///
/// Values above 0 are compared by their logs, and a level is then their geometric mean; others as they are. A value that
/// is not finite must have been left out.
#[must_use]
pub fn change_points(values: &[f64], method: Method, smallest: f64) -> Vec<ChangePoint> {
    let ratio = values.iter().all(|value| *value > 0.0);
    let scaled: Vec<f64> =
        if ratio { values.iter().map(|value| value.ln()).collect() } else { values.to_vec() };
    let mut splits = Vec::new();
    search(&scaled, 0, method, &mut splits);
    splits.sort_by_key(|split: &Split| split.at);
    // A split that was found while others were still in its halves may lie beside the step.
    for index in 0..splits.len() {
        let from = if index == 0 { 0 } else { splits[index - 1].at };
        let to = splits.get(index + 1).map_or(values.len(), |split| split.at);
        if let Some(best) = best(&scaled[from..to], method) {
            splits[index].at = from + best.at;
        }
    }
    let level = |from: usize, to: usize| {
        let level = mean(&scaled[from..to]).unwrap_or(0.0);
        if ratio { level.exp() } else { level }
    };
    // Dropping the smallest change merges two segments, which changes the levels of its neighbors.
    loop {
        let found: Vec<ChangePoint> = (0..splits.len())
            .map(|index| {
                let from = if index == 0 { 0 } else { splits[index - 1].at };
                let to = splits.get(index + 1).map_or(values.len(), |split| split.at);
                let Split { at, p } = splits[index];
                let (before, after) = (level(from, at), level(at, to));
                ChangePoint { at, before, after, change: relative(before, after), p }
            })
            .collect();
        let size = |index: &usize| found[*index].change.abs();
        let least = (0..found.len()).min_by(|a, b| size(a).total_cmp(&size(b)));
        match least.filter(|index| size(index) < smallest) {
            Some(index) => drop(splits.remove(index)),
            None => return found,
        }
    }
}

/// The level of the segment that ends the series, given its change points.
#[must_use]
pub fn last_level(points: &[ChangePoint]) -> Option<f64> {
    points.last().map(|point| point.after)
}

/// The change from one level to another, relative to the size of the first.
#[must_use]
pub fn relative(before: f64, after: f64) -> f64 {
    if before == after { 0.0 } else { (after - before) / before.abs() }
}

#[derive(Clone, Copy)]
struct Split {
    at: usize,
    p: f64,
}

fn search(values: &[f64], offset: usize, method: Method, splits: &mut Vec<Split>) {
    let Some(Split { at, p }) = split(values, method) else { return };
    splits.push(Split { at: offset + at, p });
    search(&values[..at], offset, method, splits);
    search(&values[at..], offset + at, method, splits);
}

/// The most likely split, where it is one. A level that came back to what it was shows in no split of the whole, as both
/// sides have both levels: the first and the last two thirds are looked at too, at a stricter level.
fn split(values: &[f64], method: Method) -> Option<Split> {
    let whole = split_at_level(values, method, method.level());
    whole.or_else(|| {
        let third = values.len() / 3;
        let windows = [(third, values.len()), (0, values.len() - third)];
        let found = windows.into_iter().find_map(|(from, to)| {
            let split = split_at_level(&values[from..to], method, method.level() * WINDOW)?;
            Some(Split { at: split.at + from, ..split })
        });
        found.filter(|_| third >= SHORTEST)
    })
}

/// The part of the level at which a window is tested.
const WINDOW: f64 = 0.25;

fn split_at_level(values: &[f64], method: Method, level: f64) -> Option<Split> {
    if values.len() < 2 * SHORTEST || values.iter().all(|value| *value == values[0]) {
        return None;
    }
    let found = best(values, method)?;
    match method {
        Method::EDivisive => permuted_p(values, found.p, level).map(|p| Split { p, ..found }),
        Method::TSplit => (found.p < level).then_some(found),
    }
}

/// The most likely split, tested or not; of [`Method::EDivisive`] with the statistic in place of the p-value.
fn best(values: &[f64], method: Method) -> Option<Split> {
    match method {
        Method::EDivisive => energy(values).map(|(statistic, at)| Split { at, p: statistic }),
        Method::TSplit => {
            let last = values.len().checked_sub(SHORTEST)?;
            let splits = (SHORTEST..=last).filter_map(|at| {
                let (a, b) = values.split_at(at);
                let (a, b) = (Spread::of(a)?, Spread::of(b)?);
                // Two constant levels have no scatter to test with, and differ beyond doubt.
                let p = match welch(&a, &b) {
                    Some(test) => test.p,
                    None if a.mean == b.mean => 1.0,
                    None => 0.0,
                };
                Some(Split { at, p })
            });
            splits.min_by(|a, b| a.p.total_cmp(&b.p))
        }
    }
}

/// The largest energy statistic over all splits, `k m / n (2 E|A-B| - E|A-A'| - E|B-B'|)` with the means over all pairs of
/// a left part of `k` values and a right part of `m`, and where it is; `None` of too few values.
#[must_use]
pub fn energy(values: &[f64]) -> Option<(f64, usize)> {
    largest_energy(&with_distances(values))
}

/// Every value with the sum of its distances to all, which no order changes.
fn with_distances(values: &[f64]) -> Vec<(f64, f64)> {
    let sum = |value: &f64| values.iter().map(|other| (value - other).abs()).sum();
    values.iter().map(|value| (*value, sum(value))).collect()
}

fn largest_energy(values: &[(f64, f64)]) -> Option<(f64, usize)> {
    let n = values.len();
    // Sums of distances over ordered pairs: all, within the left part, and across.
    let total: f64 = values.iter().map(|value| value.1).sum();
    let (mut left, mut across) = (0.0, 0.0);
    let mut best: Option<(f64, usize)> = None;
    for k in 1..n {
        let (value, sum) = values[k - 1];
        let mut to_left = 0.0;
        for other in &values[..k - 1] {
            to_left += (value - other.0).abs();
        }
        left += 2.0 * to_left;
        across += sum - 2.0 * to_left;
        if k < SHORTEST || n - k < SHORTEST {
            continue;
        }
        let (size_left, size_right) = (k as f64, (n - k) as f64);
        let right = total - left - 2.0 * across;
        let statistic = size_left * size_right / n as f64
            * (2.0 * across / (size_left * size_right)
                - left / (size_left * size_left)
                - right / (size_right * size_right));
        if best.is_none_or(|best| statistic > best.0) {
            best = Some((statistic, k));
        }
    }
    best
}

/// The share of permutations whose statistic is at least as large; `None` as soon as it is sure to be above the level.
fn permuted_p(values: &[f64], observed: f64, level: f64) -> Option<f64> {
    let mut shuffled = with_distances(values);
    let mut generator = SplitMix(0x5eed);
    let mut extreme = 1;
    // Sums in another order differ in their last digits; ties count as extreme.
    let observed = observed - 1e-9 * observed.abs();
    for _ in 0..PERMUTATIONS {
        for last in (1..shuffled.len()).rev() {
            shuffled.swap(last, generator.below(last + 1));
        }
        if largest_energy(&shuffled).is_some_and(|(statistic, _)| statistic >= observed) {
            extreme += 1;
            if extreme as f64 > level * (PERMUTATIONS + 1) as f64 {
                return None;
            }
        }
    }
    Some(extreme as f64 / (PERMUTATIONS + 1) as f64)
}

/// SplitMix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), from a fixed start: the
/// same series is always judged by the same permutations.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; its bias is below `bound / 2^64`.
    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

#[cfg(test)]
#[path = "change_points_tests.rs"]
mod tests;
