//! Tails of the binomial distribution: how likely a count of hits is, given how likely a single one.

use statrs::distribution::{Binomial, DiscreteCDF as _};

/// The probability of `hits` or fewer in `trials`, each with probability `p` from 0 to 1; 1 outside of that.
#[must_use]
pub fn at_most(hits: u64, trials: u64, p: f64) -> f64 {
    Binomial::new(p, trials).map_or(1.0, |law| law.cdf(hits))
}

/// The probability of `hits` or more.
#[must_use]
pub fn at_least(hits: u64, trials: u64, p: f64) -> f64 {
    let Some(below) = hits.checked_sub(1) else { return 1.0 };
    Binomial::new(p, trials).map_or(1.0, |law| law.sf(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_scipy() {
        let close = |actual: f64, expected: f64| {
            assert!((actual / expected - 1.0).abs() < 1e-9, "{actual} {expected}");
        };
        // scipy.stats.binom
        close(at_least(5, 100, 0.01), 0.003_432_321_587_754_520_7);
        close(at_least(6, 100, 0.01), 0.000_534_534_463_993_034_2);
        close(at_most(80, 100, 0.9), 0.001_978_560_865_771_225);
        close(at_most(79, 100, 0.9), 0.000_807_573_874_366_265_7);
        assert_eq!((at_least(0, 10, 0.5), at_most(10, 10, 0.5)), (1.0, 1.0));
    }
}
