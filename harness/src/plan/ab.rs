//! [`Comparison`]: two versions that are walked in turn, as one trial.

use std::time::Duration;

use serde::Serialize;

use super::{Parts, Trial, Variant};
use crate::model::quantity::as_length;
use crate::model::{Param, Params};
use crate::scenario::{Ab, Scenario};

/// The two versions of a comparison, and when it ends at the latest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The old version.
    pub a: Trial,
    /// The new one.
    pub b: Trial,
    /// No further block is begun after this time.
    #[serde(with = "as_length")]
    pub budget: Duration,
    /// The key that says so.
    pub budget_key: &'static str,
    /// How many pairs are a block, of which none is left half done for want of time.
    pub block: u32,
    /// True: a pair that does not count is run first.
    pub warmup: bool,
}

impl Comparison {
    /// The runs of a pair in their order, which alternates: a b, b a, a b, ... A drift of the machine that goes one
    /// way then bears on both alike. Pair 0 is the warm-up.
    #[must_use]
    pub fn pair(&self, number: u32) -> [Trial; 2] {
        let run = |side: &Trial| {
            let mut run = side.clone();
            run.id = format!("{}::r={number}", side.id);
            run.repeat = number;
            run
        };
        let (a, b) = (run(&self.a), run(&self.b));
        if number > 0 && number.is_multiple_of(2) { [b, a] } else { [a, b] }
    }

    /// True where a block ends with this pair.
    #[must_use]
    pub fn ends_block(&self, pair: u32) -> bool {
        pair.is_multiple_of(self.block)
    }
}

/// The trial that compares both sides of a scenario.
pub(super) fn trial(
    scenario: &Scenario,
    ab: &Ab,
    parts: Parts<'_>,
    combination: &Params,
    variant: &Variant,
) -> Trial {
    let [a, b] = ab.sides().map(|(name, values)| {
        let name = Param::Text(name.to_owned());
        let mut own = Params::default().with(Ab::SIDE, name.clone());
        own.0.extend(values.0.iter().cloned());
        let mut side = super::trial(scenario, parts, combination, variant, (1, 1), own);
        side.params = side.params.with(Ab::SIDE, name.clone());
        // Leaks of a side are not judged, and a side that ends early is not the run that the other one is.
        side.rules.leak.looks.clear();
        side.rules.leak.confirm = false;
        side.id = format!("{}::{}={name}", side.id, Ab::SIDE);
        side
    });
    let id = a.id.strip_suffix("::ab=a").unwrap_or(&a.id).to_owned();
    let params = Params(a.params.0.iter().filter(|(name, _)| name != Ab::SIDE).cloned().collect());
    let comparison = Comparison {
        a: a.clone(),
        b,
        budget: ab.budget.0,
        budget_key: "ab.budget",
        block: 1,
        warmup: ab.warmup,
    };
    Trial { id, params, side: Params::default(), comparison: Some(Box::new(comparison)), ..a }
}
