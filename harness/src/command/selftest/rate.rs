//! [`Rate`]: how often something happened on simulated data, and how often it should.

use crate::analysis::binomial;

/// One row of the table of error rates.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// The rule: `leak or suspect`, `growth over resets`, ...
    pub rule: String,
    /// What was counted, and on which data: `false alarms, pooled, 8 min`.
    pub what: String,
    /// How often it happened.
    pub hits: usize,
    /// Of how many.
    pub trials: usize,
    /// How often it should.
    pub expected: Expected,
}

/// What a rate is held against, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// A false alarm.
    AtMost(f64),
    /// Power.
    AtLeast(f64),
    /// Coverage.
    Between(f64, f64),
    /// Nothing: it is reported.
    Reported,
}

impl Rate {
    /// The measured fraction; `NaN` of no trials.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn measured(&self) -> f64 {
        self.hits as f64 / self.trials as f64
    }

    /// True where the measured fraction is so far from what it should be that chance does not explain it: the exact
    /// binomial test of one side gives p < 0.001. A short run has few trials, and must not be red by bad luck.
    #[must_use]
    pub fn is_off(&self) -> bool {
        const LEVEL: f64 = 0.001;
        let (hits, trials) = (self.hits as u64, self.trials as u64);
        let too_many = |most| binomial::at_least(hits, trials, most) < LEVEL;
        let too_few = |least| binomial::at_most(hits, trials, least) < LEVEL;
        match self.expected {
            Expected::AtMost(most) => too_many(most),
            Expected::AtLeast(least) => too_few(least),
            Expected::Between(least, most) => too_few(least) || too_many(most),
            Expected::Reported => false,
        }
    }

    /// True where the measured fraction is what it should be.
    #[must_use]
    pub fn holds(&self) -> bool {
        let measured = self.measured();
        match self.expected {
            Expected::AtMost(most) => measured <= most,
            Expected::AtLeast(least) => measured >= least,
            Expected::Between(least, most) => (least..=most).contains(&measured),
            Expected::Reported => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_off_only_where_chance_does_not_explain_it() {
        let check = |hits, trials, expected, off| {
            let (rule, what) = (String::new(), String::new());
            let rate = Rate { rule, what, hits, trials, expected };
            assert_eq!(rate.is_off(), off, "{rate:?}");
        };
        // 1 - binom.cdf(4, 100, 0.01) = 0.0034, of 5: 0.00053.
        check(5, 100, Expected::AtMost(0.01), false);
        check(6, 100, Expected::AtMost(0.01), true);
        check(100, 100, Expected::AtLeast(0.9), false);
        // binom.cdf(80, 100, 0.9) = 0.0020, of 79: 0.00078.
        check(80, 100, Expected::AtLeast(0.9), false);
        check(79, 100, Expected::AtLeast(0.9), true);
        check(0, 100, Expected::Between(0.93, 0.99), true);
        check(96, 100, Expected::Between(0.93, 0.99), false);
        check(0, 100, Expected::Reported, false);
    }
}
