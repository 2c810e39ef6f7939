//! [`level`]: how small a p value must be at a planned look, so that looking several times costs nothing.
//!
//! The error is spent as Lan and DeMets, "Discrete sequential boundaries for clinical trials", Biometrika 70, 1983,
//! have it for bounds of the type of O'Brien and Fleming: after a share t of the pairs at most
//! `2 (1 - Phi(z(1 - alpha / 2) / sqrt(t)))` is spent, almost nothing early and nearly all at the end.
//!
//! Each look may spend what the function allows it beyond the look before, as if looks were independent tests
//! (Bonferroni). They are not, so this is a little stricter than needed: for a plain t at 3, 5, 7 and 10 pairs the
//! bounds are 108, 6.46, 3.57 and 2.48, where the exact ones, by simulation of the path, are 100, 6.39, 3.52 and 2.36.
//! In return they are exact at any degrees of freedom and at any level that a correction for many comparisons asks
//! for, and need no simulation.

use super::estimate::{normal_quantile, normal_tail};

/// The one-sided level of a look after `pairs` pairs, when `alpha` is to be spent over `looks`, which rise.
///
/// A look that was not planned, as when time ran out, comes after those that were planned before it. A single look
/// has all of `alpha`.
#[must_use]
pub fn level(looks: &[u32], pairs: u32, alpha: f64) -> f64 {
    let Some(&last) = looks.last() else { return alpha };
    let before = looks.iter().copied().filter(|look| *look < pairs.min(last)).max();
    let spent = before.map_or(0.0, |look| spending(share(look, last), alpha));
    spending(share(pairs, last), alpha) - spent
}

fn share(pairs: u32, last: u32) -> f64 {
    (f64::from(pairs) / f64::from(last.max(1))).min(1.0)
}

/// How much of `alpha` may be spent when this share of the pairs is there.
fn spending(share: f64, alpha: f64) -> f64 {
    if share <= 0.0 {
        return 0.0;
    }
    // At the end exactly, whatever the digits of the normal distribution.
    if share >= 1.0 {
        return alpha;
    }
    2.0 * normal_tail(normal_quantile(1.0 - alpha / 2.0) / share.sqrt())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::estimate::quantile;
    use super::*;

    const LOOKS: [u32; 4] = [3, 5, 7, 10];

    /// The bounds of Student's t at every look, for a statistic whose degrees of freedom after so many pairs `freedom`
    /// tells.
    fn bounds(looks: &[u32], alpha: f64, freedom: impl Fn(u32) -> f64) -> Vec<f64> {
        looks
            .iter()
            .map(|&pairs| quantile(1.0 - level(looks, pairs, alpha), freedom(pairs)))
            .collect()
    }

    #[test]
    fn spending_is_that_of_lan_and_demets() {
        // scipy.stats.norm: 2 (1 - Phi(z / sqrt(t))) at alpha = 0.025.
        for (share, expected) in [
            (0.3, 4.272_578_744_478_731_5e-5),
            (0.5, 0.001_525_322_757_988_899),
            (0.7, 0.007_384_489_357_694_412),
        ] {
            let spent = spending(share, 0.025);
            assert!((spent - expected).abs() < 1e-9, "{share}: {spent}");
        }
        assert_eq!((spending(0.0, 0.025), spending(1.0, 0.025)), (0.0, 0.025));
    }

    #[test]
    fn bounds_are_a_little_stricter_than_those_of_the_simulated_path() {
        let bounds = bounds(&LOOKS, 0.025, |pairs| f64::from(pairs) - 1.0);
        for (bound, (ours, path)) in
            bounds.iter().zip([(108.2, 100.0), (6.455, 6.39), (3.575, 3.52), (2.476, 2.36)])
        {
            assert!((bound / ours - 1.0).abs() < 0.001 && *bound > path, "{bounds:?}");
        }
    }

    #[test]
    fn one_look_has_it_all_and_an_unplanned_one_comes_between() {
        assert_eq!(level(&[5], 5, 0.025), 0.025);
        assert_eq!(level(&[], 5, 0.025), 0.025);
        assert!(level(&[5], 4, 0.025) < 0.025);
        let between = level(&LOOKS, 6, 0.025);
        assert!(between > 0.0 && between < level(&LOOKS, 7, 0.025));
        // More pairs than were planned spend no more.
        assert_eq!(level(&LOOKS, 12, 0.025), level(&LOOKS, 10, 0.025));
    }

    proptest! {
        #[test]
        fn the_looks_together_spend_alpha_and_no_more(
            steps in prop::collection::vec(1..6_u32, 1..8), alpha in 1e-4..0.1_f64,
        ) {
            let looks: Vec<u32> = steps.iter().scan(0, |sum, step| {
                *sum += step;
                Some(*sum)
            }).collect();
            let levels: Vec<f64> = looks.iter().map(|look| level(&looks, *look, alpha)).collect();
            prop_assert!(levels.iter().all(|level| *level >= 0.0));
            prop_assert!((levels.iter().sum::<f64>() - alpha).abs() < 1e-12);
        }
    }
}
