//! Rank tests for a monotonic trend: [`hamed_rao`] on all readings, [`exact_tail`] on a handful of them.
//!
//! Mann, "Nonparametric tests against trend", Econometrica 13, 1945, with the variance for ties of Kendall, "Rank
//! Correlation Methods", 1975; the correction for autocorrelation of Hamed & Rao, "A modified Mann-Kendall trend test
//! for autocorrelated data", Journal of Hydrology 204, 1998; the slope of Sen, JASA 63, 1968.

use statrs::distribution::{ContinuousCDF as _, Normal};

/// More readings than this are averaged in pairs first: the work grows with their square.
const MOST: usize = 360;

/// Kendall's S: rising pairs less falling ones, counted as Knight does (JASA 61, 1966), by sorting.
#[must_use]
pub fn concordance(values: &[f64]) -> f64 {
    let count = values.len();
    let mut sorted = values.to_vec();
    let falling = falling_pairs(&mut sorted, &mut vec![0.0; count]);
    let groups = sorted.chunk_by(|one, next| one == next).map(<[f64]>::len);
    let equal: usize = groups.map(|size| size * (size - 1) / 2).sum();
    let pairs = count * count.saturating_sub(1) / 2;
    (pairs - equal) as f64 - 2.0 * falling as f64
}

/// Sorts by merging and says how many pairs fall.
fn falling_pairs(values: &mut [f64], spare: &mut [f64]) -> usize {
    let count = values.len();
    if count < 2 {
        return 0;
    }
    let middle = count / 2;
    let (left, right) = values.split_at_mut(middle);
    let mut falling = falling_pairs(left, spare) + falling_pairs(right, spare);
    let (mut one, mut other) = (0, middle);
    for slot in &mut spare[..count] {
        if one < middle && (other == count || values[one] <= values[other]) {
            *slot = values[one];
            one += 1;
        } else {
            *slot = values[other];
            falling += middle - one;
            other += 1;
        }
    }
    values.copy_from_slice(&spare[..count]);
    falling
}

/// What ties take from 18 times the variance of S: the sum of t (t - 1) (2t + 5) over groups of t equal values, where
/// values that agree to six decimals are equal.
fn ties(values: &[f64]) -> f64 {
    let mut rounded: Vec<f64> =
        values.iter().map(|value| (value * 1e6).round_ties_even() / 1e6).collect();
    rounded.sort_unstable_by(f64::total_cmp);
    let groups = rounded.chunk_by(|one, next| one == next).map(|group| group.len() as f64);
    groups.filter(|t| *t > 1.0).map(|t| t * (t - 1.0) * (2.0 * t + 5.0)).sum()
}

/// The normal deviate of S, its variance multiplied by `correction`.
fn deviate(values: &[f64], correction: f64) -> f64 {
    let n = values.len() as f64;
    let s = concordance(values);
    let variance = (n * (n - 1.0) * (2.0 * n + 5.0) - ties(values)) / 18.0 * correction;
    let sign = if s == 0.0 { 0.0 } else { s.signum() };
    (s - sign) / variance.max(1.0).sqrt()
}

/// The median slope over all pairs, per unit of `times`. Wants at least two values.
#[must_use]
pub fn sen(times: &[f64], values: &[f64]) -> f64 {
    let n = values.len();
    let mut slopes = vec![0.0; n * (n - 1) / 2];
    let mut rest = &mut slopes[..];
    for (index, (time, value)) in times.iter().zip(values).enumerate() {
        let (own, others) = rest.split_at_mut(n - index - 1);
        for (slot, (at, later)) in
            own.iter_mut().zip(times[index + 1..].iter().zip(&values[index + 1..]))
        {
            *slot = (later - value) / (at - time);
        }
        rest = others;
    }
    median_of_many(slopes)
}

/// The median of many values: most of them are only counted, as those of a sample say on which side they lie.
fn median_of_many(mut values: Vec<f64>) -> f64 {
    const FEW: usize = 3000;
    if values.len() < FEW {
        return median(&mut values);
    }
    let mut sample: Vec<f64> = values.iter().copied().step_by(values.len() / 1023).collect();
    sample.sort_unstable_by(f64::total_cmp);
    let middle = sample.len() / 2;
    let (low, high) = (sample[middle - 40], sample[middle + 40]);
    let (mut below, mut between) = (0, Vec::new());
    for value in &values {
        if *value < low {
            below += 1;
        } else if *value <= high {
            between.push(*value);
        }
    }
    // The one or two in the middle.
    let (first, last) = ((values.len() - 1) / 2, values.len() / 2);
    if first < below || last - below >= between.len() {
        return median(&mut values);
    }
    if low == high {
        return low;
    }
    between.sort_unstable_by(f64::total_cmp);
    if first == last {
        between[last - below]
    } else {
        (between[first - below] + between[last - below]) / 2.0
    }
}

/// The median; of an even number the mean of the two in the middle. Wants at least one value.
pub(super) fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if !even {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (lower + upper) / 2.0
}

/// Ranks from 1, those of equal values averaged.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|one, other| values[*one].total_cmp(&values[*other]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for group in order.chunk_by(|one, next| values[*one] == values[*next]) {
        let rank = first as f64 + (group.len() as f64 + 1.0) / 2.0;
        for index in group {
            ranks[*index] = rank;
        }
        first += group.len();
    }
    ranks
}

/// By how much autocorrelation widens the variance of S: the significant autocorrelations of the ranks of what is left
/// when Sen's line is taken away.
fn widening(values: &[f64], times: &[f64]) -> f64 {
    let slope = sen(times, values);
    let left: Vec<f64> =
        values.iter().zip(times).map(|(value, time)| value - slope * time).collect();
    let mut ranks = ranks(&left);
    let count = ranks.len();
    let n = count as f64;
    let mean = ranks.iter().sum::<f64>() / n;
    for rank in &mut ranks {
        *rank -= mean;
    }
    let covariance = |lag: usize| {
        let pairs = ranks[lag..].iter().zip(&ranks[..count - lag]);
        pairs.map(|(one, other)| one * other).sum::<f64>() / n
    };
    let total = covariance(0) + 1e-12;
    let limit = 1.96 / n.sqrt();
    let mut sum = 0.0;
    for lag in 1..count - 1 {
        let correlation = covariance(lag) / total;
        if correlation.abs() > limit {
            let l = lag as f64;
            sum += (n - l) * (n - l - 1.0) * (n - l - 2.0) * correlation;
        }
    }
    (1.0 + 2.0 / (n * (n - 1.0) * (n - 2.0)) * sum).max(0.05)
}

/// The normal deviate of Mann and Kendall's test, corrected for autocorrelation, of values `step` seconds apart. Wants
/// at least three values.
#[must_use]
pub fn hamed_rao(values: &[f64], step: f64) -> f64 {
    if values.len() > MOST {
        let pairs: Vec<f64> =
            values.chunks_exact(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect();
        return hamed_rao(&pairs, step * 2.0);
    }
    let times: Vec<f64> = (0..values.len()).map(|index| index as f64 * step / 60.0).collect();
    deviate(values, widening(values, &times))
}

/// The normal deviate that belongs to the exact chance of an S as large as that of these few values, were they in
/// random order; between two possible S, as ties give, it is interpolated.
#[must_use]
pub fn exact_tail(values: &[f64]) -> f64 {
    let tail = tail(values.len());
    let most = (tail.len() - 1) as f64;
    // S is `most - 2 inversions`.
    let place = (concordance(values) + most) / 2.0;
    let below = place.floor() as usize;
    let share = place - place.floor();
    let here = tail[below];
    let chance = tail.get(below + 1).map_or(here, |next| here + (next - here) * share);
    let chance = chance.clamp(1e-12, 1.0);
    -Normal::standard().inverse_cdf(chance)
}

/// The chance of at least each S, from the smallest, in steps of 2, for `count` values in random order: the numbers of
/// inversions are counted by inserting one value after the other.
fn tail(count: usize) -> Vec<f64> {
    let mut chances = vec![1.0];
    for size in 2..=count {
        let mut next = vec![0.0; chances.len() + size - 1];
        for shift in 0..size {
            for (slot, chance) in next[shift..].iter_mut().zip(&chances) {
                *slot += chance;
            }
        }
        for chance in &mut next {
            *chance /= size as f64;
        }
        chances = next;
    }
    // Symmetric: from the smallest S or the largest is the same.
    let mut sum = 0.0;
    for chance in chances.iter_mut().rev() {
        sum += *chance;
        *chance = sum;
    }
    chances
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_exact_chances_are_those_of_kendalls_table() {
        // Kendall, "Rank Correlation Methods", appendix table 1: S of n = 4, 8 and 10.
        let check = |n: usize, s: usize, expected: f64| {
            let tail = tail(n);
            let chance = tail[(s + tail.len() - 1) / 2];
            assert!((chance - expected).abs() < 5e-4, "{n} {s}: {chance}");
        };
        check(4, 4, 0.167);
        check(4, 6, 0.042);
        check(8, 10, 0.138);
        check(8, 16, 0.031);
        check(10, 21, 0.036);
        check(10, 27, 0.008);
    }

    #[test]
    fn ties_lower_the_variance_of_gilberts_example() {
        // Gilbert, "Statistical Methods for Environmental Pollution Monitoring", 1987, section 16.4: two groups of
        // ties, of 2 and of 3, take 18 and 66.
        assert_eq!(
            ties(&[10.0, 22.0, 21.0, 30.0, 22.0, 30.0, 40.0, 40.0, 40.0]),
            18.0 * 2.0 + 66.0
        );
        assert_eq!(ranks(&[2.0, 1.0, 2.0]), [2.5, 1.0, 2.5]);
        assert_eq!(sen(&[0.0, 1.0, 2.0, 3.0], &[0.0, 1.0, 2.0, 30.0]), 5.5 + 0.0);
    }

    proptest! {
        #[test]
        fn a_reversed_series_has_the_opposite_trend(values in prop::collection::vec(-100..100_i32, 8..60)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let reversed: Vec<f64> = values.iter().rev().copied().collect();
            prop_assert_eq!(concordance(&values), -concordance(&reversed));
            let (one, other) = (hamed_rao(&values, 2.0), hamed_rao(&reversed, 2.0));
            prop_assert!(one * other <= 0.0 && one.is_finite());
        }

        #[test]
        fn the_median_of_many_is_the_median(values in prop::collection::vec(-50..50_i32, 1..4000)) {
            let values: Vec<f64> = values.into_iter().map(|value| f64::from(value) / 8.0).collect();
            prop_assert_eq!(median_of_many(values.clone()), median(&mut values.clone()));
        }

        #[test]
        fn pairs_are_counted_as_one_by_one(values in prop::collection::vec(-5..5_i32, 0..40)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let pairs = (0..values.len()).flat_map(|i| (i + 1..values.len()).map(move |j| (i, j)));
            let signs = pairs.map(|(i, j)| f64::from(i32::from(values[j] > values[i]) - i32::from(values[j] < values[i])));
            prop_assert_eq!(concordance(&values), signs.sum::<f64>());
        }

        #[test]
        fn a_rising_series_is_beyond_chance(values in prop::collection::vec(0.01..1.0_f64, 12)) {
            let mut level = 0.0;
            let rising: Vec<f64> = values.iter().map(|step| { level += step; level }).collect();
            prop_assert!(exact_tail(&rising) > 5.0);
        }
    }
}
