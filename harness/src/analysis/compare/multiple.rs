//! [`holm`] and [`benjamini_hochberg`]: p values of many comparisons at once.
//!
//! Of 24 comparisons at 5% without a true change, one or more is flagged in 71% of runs. Holm's adjusted values keep
//! the chance of any false one at the level: they decide. Those of Benjamini and Hochberg keep the expected share of
//! false ones among the flagged at the level: they are reported.

/// Adjusted p values, in the order given: Holm, "A simple sequentially rejective multiple test procedure",
/// Scandinavian Journal of Statistics 6, 1979.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let mut adjusted = vec![1.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, index) in order.into_iter().enumerate() {
        let remaining = (p_values.len() - rank) as f64;
        largest = largest.max(p_values[index] * remaining);
        adjusted[index] = largest.min(1.0);
    }
    adjusted
}

/// Adjusted p values, in the order given: Benjamini and Hochberg, "Controlling the false discovery rate", Journal of
/// the Royal Statistical Society B 57, 1995.
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let mut adjusted = vec![1.0; p_values.len()];
    let mut smallest = 1.0_f64;
    for (rank, index) in order.into_iter().enumerate().rev() {
        let share = p_values.len() as f64 / (rank as f64 + 1.0);
        smallest = smallest.min(p_values[index] * share);
        adjusted[index] = smallest;
    }
    adjusted
}

fn ascending(p_values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|one, other| p_values[*one].total_cmp(&p_values[*other]));
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The fifteen p values of a trial after heart attacks, section 4 of Benjamini and Hochberg 1995.
    const INFARCTION: [f64; 15] = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
        0.5719, 0.6528, 0.7590, 1.0,
    ];

    #[test]
    fn the_published_example_keeps_four_and_its_comparison_three() {
        let below = |adjusted: Vec<f64>| adjusted.iter().filter(|p| **p <= 0.05).count();
        assert_eq!(below(benjamini_hochberg(&INFARCTION)), 4);
        assert_eq!(below(holm(&INFARCTION)), 3);
    }

    #[test]
    fn adjusted_values_equal_those_of_r() {
        // p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm" and "BH").
        let close = |actual: Vec<f64>, expected: [f64; 4]| {
            for (actual, expected) in actual.iter().zip(expected) {
                assert!((actual - expected).abs() < 1e-12, "{actual} is not {expected}");
            }
        };
        close(holm(&[0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02]);
        close(benjamini_hochberg(&[0.01, 0.04, 0.03, 0.005]), [0.02, 0.04, 0.04, 0.02]);
        assert_eq!(holm(&[]), Vec::<f64>::new());
        assert_eq!(holm(&[0.02]), [0.02]);
    }

    proptest! {
        #[test]
        fn adjusting_never_helps_keeps_the_order_and_holm_is_the_stricter(
            p_values in prop::collection::vec(0.0..=1.0_f64, 1..30),
        ) {
            let (holm, rate) = (holm(&p_values), benjamini_hochberg(&p_values));
            for index in 0..p_values.len() {
                prop_assert!(p_values[index] <= rate[index] + 1e-15);
                prop_assert!(rate[index] <= holm[index] + 1e-12);
                prop_assert!(holm[index] <= (p_values[index] * p_values.len() as f64).min(1.0) + 1e-12);
                for other in 0..p_values.len() {
                    if p_values[index] < p_values[other] {
                        prop_assert!(holm[index] <= holm[other] && rate[index] <= rate[other]);
                    }
                }
            }
        }
    }
}
