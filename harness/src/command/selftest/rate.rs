//! [`Rate`]: how often something happened on simulated data, and how often it should.

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
