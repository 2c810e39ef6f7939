//! [`mann_whitney`]: a second opinion that no single outlier can sway, on runs that are not pairs.
//!
//! Mann and Whitney, "On a test of whether one of two random variables is stochastically larger than the other",
//! Annals of Mathematical Statistics 18, 1947; the shift is the estimate of Hodges and Lehmann, the same annals 34,
//! 1963. With three runs of each version it can reject nothing at 5%.

use super::estimate::normal_tail;
use crate::analysis::describe::quantile;

/// Up to so many values of both sides p is counted out; above it is that of the normal distribution.
const EXACT: usize = 40;

/// Whether one set tends to larger values than another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankTest {
    /// How many pairs of a new and a base value have the new one larger, a tie counting half.
    pub u: f64,
    /// The two-sided p value, given the ties that there are.
    pub p: f64,
    /// The median of all differences of a new and a base value.
    pub shift: f64,
}

/// Compares two sets; `None` where one is empty.
#[must_use]
pub fn mann_whitney(base: &[f64], new: &[f64]) -> Option<RankTest> {
    let pairs = || new.iter().flat_map(|new| base.iter().map(move |base| (new, base)));
    let mut shifts: Vec<f64> = pairs().map(|(new, base)| new - base).collect();
    shifts.sort_by(f64::total_cmp);
    let shift = quantile(&shifts, 0.5)?;
    let wins: u32 = pairs().map(|(new, base)| u32::from(new > base) + u32::from(new >= base)).sum();
    let u = f64::from(wins) / 2.0;
    let ranks = doubled_ranks(base.iter().chain(new).copied());
    let total = base.len() + new.len();
    let p = if total <= EXACT {
        exact(&ranks, ranks[base.len()..].iter().sum(), new.len())
    } else {
        approximate(&ranks, u, base.len() as f64, new.len() as f64)
    };
    Some(RankTest { u, p, shift })
}

/// Twice the rank of each value, the mean rank where several are equal: whole numbers.
fn doubled_ranks(values: impl Iterator<Item = f64> + Clone) -> Vec<usize> {
    let below = |value: f64| values.clone().filter(|other| *other < value).count();
    let upto = |value: f64| values.clone().filter(|other| *other <= value).count();
    values.clone().map(|value| below(value) + upto(value) + 1).collect()
}

/// Counts the ways to choose `n` of the ranks by their sum: every choice is equally likely where nothing changed.
fn exact(ranks: &[usize], observed: usize, n: usize) -> f64 {
    let most: usize = ranks.iter().sum();
    let mut ways = vec![vec![0.0; most + 1]; n + 1];
    ways[0][0] = 1.0;
    for &rank in ranks {
        for chosen in (0..n).rev() {
            for sum in (0..=most - rank).rev() {
                let more = ways[chosen][sum];
                ways[chosen + 1][sum + rank] += more;
            }
        }
    }
    let ways = &ways[n];
    let all: f64 = ways.iter().sum();
    let (low, high): (f64, f64) = (ways[..=observed].iter().sum(), ways[observed..].iter().sum());
    (2.0 * low.min(high) / all).min(1.0)
}

/// With the correction for ties and for continuity.
fn approximate(ranks: &[usize], u: f64, m: f64, n: f64) -> f64 {
    let total = m + n;
    let mut sorted = ranks.to_vec();
    sorted.sort_unstable();
    let ties: f64 = sorted
        .chunk_by(|one, other| one == other)
        .map(|tied| (tied.len() as f64).powi(3) - tied.len() as f64)
        .sum();
    let variance = m * n / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let distance = ((u - m * n / 2.0).abs() - 0.5).max(0.0);
    (2.0 * normal_tail(distance / variance.sqrt())).min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hollander and Wolfe, "Nonparametric statistical methods", 1973, page 69: permeability of membranes.
    const TERM: [f64; 10] = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    const EARLY: [f64; 5] = [1.15, 0.88, 0.90, 0.74, 1.21];

    #[test]
    fn the_published_example_without_ties() {
        let test = mann_whitney(&EARLY, &TERM).unwrap();
        assert_eq!(test.u, 35.0);
        assert!((test.p - 0.254_412_6).abs() < 1e-6, "{test:?}");
        assert!((test.shift - 0.305).abs() < 1e-9, "{test:?}");
    }

    #[test]
    fn ties_are_counted_out_too() {
        // All C(10, 5) choices of the midranks, in Python: itertools.combinations.
        let test = mann_whitney(&[1.0, 2.0, 2.0, 3.0, 4.0], &[2.0, 3.0, 5.0, 5.0, 6.0]).unwrap();
        assert_eq!(test.u, 20.5);
        assert!((test.p - 0.111_111_111_111_111_1).abs() < 1e-12, "{test:?}");
    }

    #[test]
    fn large_sets_have_the_normal_p_value() {
        // scipy.stats.mannwhitneyu(new, base, method = "asymptotic").
        let base: Vec<f64> = (0..30).map(|i| f64::from(i % 10)).collect();
        let new: Vec<f64> = (0..30).map(|i| f64::from(i % 12)).collect();
        let test = mann_whitney(&base, &new).unwrap();
        assert!((test.p - 0.727_200_376_196_544_9).abs() < 1e-9, "{test:?}");
    }

    #[test]
    fn three_of_each_can_never_be_sure() {
        let test = mann_whitney(&[1.0, 2.0, 3.0], &[10.0, 20.0, 30.0]).unwrap();
        assert!((test.p - 0.1).abs() < 1e-12, "{test:?}");
        assert_eq!(mann_whitney(&[1.0; 3], &[1.0; 4]).unwrap().p, 1.0);
        assert_eq!(mann_whitney(&[], &[1.0]), None);
    }

    proptest! {
        #[test]
        fn swapping_the_sets_turns_the_shift_and_keeps_p(
            base in prop::collection::vec(0..20_i32, 1..9), new in prop::collection::vec(0..20_i32, 1..9),
        ) {
            let floats = |values: &[i32]| values.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
            let (base, new) = (floats(&base), floats(&new));
            let there = mann_whitney(&base, &new).unwrap();
            let back = mann_whitney(&new, &base).unwrap();
            prop_assert!((there.p - back.p).abs() < 1e-12);
            prop_assert!((there.shift + back.shift).abs() < 1e-12);
            prop_assert_eq!(there.u + back.u, (base.len() * new.len()) as f64);
            prop_assert!(there.p > 0.0 && there.p <= 1.0);
        }
    }
}
