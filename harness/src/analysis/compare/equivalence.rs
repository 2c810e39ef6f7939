//! [`Equivalence`]: the claim that two versions differ by less than a limit, by two one-sided tests.
//!
//! "No difference found" says that a test was too weak as often as that there is none. Here both claims have to be
//! shown: that the change is above the lower limit and that it is below the upper one. Schuirmann, "A comparison of the
//! two one-sided tests procedure and the power approach", Journal of Pharmacokinetics and Biopharmaceutics 15, 1987.

use serde::Serialize;

use super::estimate::Estimate;
use crate::analysis::digits::short;

/// Whether two versions were shown to differ by less than a limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Equivalence {
    /// The limit, as a fraction, either way.
    pub within: f64,
    /// The one-sided 95% bounds of the ratio.
    pub bounds: [f64; 2],
    /// The larger of the p values of the two tests.
    pub p: f64,
    /// True where both tests reject.
    pub shown: bool,
    /// True where the contrary is shown: both bounds lie beyond the limit.
    pub refuted: bool,
    /// In words.
    pub claim: String,
}

/// The one-sided level of the claim.
pub(super) const LEVEL: f64 = 0.05;

/// Tests the claim at a one-sided `level`, which is below `LEVEL` at a look before the last. `sign` is -1 where the
/// estimate counts the other way than the ratio.
#[must_use]
pub fn equivalence(estimate: &Estimate, within: f64, level: f64, sign: f64) -> Equivalence {
    // Symmetric for ratios: 1 / 1.02 to 1.02.
    let limit = within.ln_1p();
    let p = estimate.above(-limit).max(estimate.below(limit));
    let shown = p <= level;
    let refuted = estimate.above(limit) <= level || estimate.below(-limit) <= level;
    let mut bounds = estimate.interval(1.0 - 2.0 * LEVEL).map(|end| (sign * end).exp());
    bounds.sort_by(f64::total_cmp);
    let percent = short(within * 100.0);
    let claim = match (shown, refuted) {
        (true, _) => format!("a difference below {percent}% is shown"),
        (_, true) => format!("a difference above {percent}% is shown"),
        _ => format!("a difference below {percent}% is not shown"),
    };
    Equivalence { within, bounds, p, shown, refuted, claim }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(mean: f64, error: f64, shown: bool, refuted: bool) {
        let estimate = Estimate { mean, error, freedom: 11.0 };
        let found = equivalence(&estimate, 0.02, LEVEL, 1.0);
        assert_eq!((found.shown, found.refuted), (shown, refuted), "{found:?}");
    }

    #[test]
    fn only_what_both_tests_show_is_claimed() {
        check(0.0, 0.005, true, false);
        // Not different from 0, and nothing is shown.
        check(0.0, 0.02, false, false);
        check(0.015, 0.005, false, false);
        check(0.05, 0.005, false, true);
        check(-0.05, 0.005, false, true);
    }

    #[test]
    fn the_larger_p_value_is_that_of_scipy() {
        // scipy.stats.t.sf((ln(1.02) - 0.004) / 0.006, 11), which is the larger of the two.
        let estimate = Estimate { mean: 0.004, error: 0.006, freedom: 11.0 };
        let found = equivalence(&estimate, 0.02, LEVEL, 1.0);
        assert!((found.p - 0.011_625_115_792_383_027).abs() < 1e-9, "{found:?}");
        assert!(found.shown && found.claim == "a difference below 2% is shown", "{found:?}");
    }

    proptest! {
        #[test]
        fn a_claim_is_shown_where_both_bounds_are_within(
            mean in -0.1..0.1_f64, error in 1e-4..0.05_f64, within in 0.005..0.1_f64,
        ) {
            let estimate = Estimate { mean, error, freedom: 9.0 };
            let found = equivalence(&estimate, within, LEVEL, -1.0);
            let [low, high] = found.bounds;
            let inside = low > 1.0 / (1.0 + within) && high < 1.0 + within;
            let near = (low * (1.0 + within) - 1.0).abs() < 1e-9 || (high / (1.0 + within) - 1.0).abs() < 1e-9;
            prop_assert!(near || inside == found.shown, "{:?}", found);
            prop_assert!(!(found.shown && found.refuted));
        }
    }
}
