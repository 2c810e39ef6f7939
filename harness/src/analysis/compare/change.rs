//! [`Change`]: how one metric of one source differs between two versions.

use serde::Serialize;
use serde_json::{Map, Value};

use super::equivalence::Equivalence;
use super::estimate::Estimate;
use crate::model::rules::Prior;
use crate::model::{Better, Severity, Stat, Unit};

/// How the runs of the two versions stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Design {
    /// In turns: each run of one version has one of the other beside it.
    Paired,
    /// Apart.
    Unpaired,
}

/// Where the change stands to the limits that came with the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeVerdict {
    /// Worse, by at least the smallest effect of interest.
    Fail,
    /// The same, where the comparison asks for a warning only.
    Warn,
    /// Surely worse by less than the margin.
    Pass,
    /// Neither was shown.
    Inconclusive,
}

/// A look at a comparison that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Look {
    /// Which planned look this is, from 1; of one that was not planned, the planned ones that it comes after.
    pub number: usize,
    /// How many are planned.
    pub of: usize,
    /// How many pairs there are.
    pub pairs: u32,
    /// How many there may be.
    pub most: u32,
}

/// What ranks say of unpaired runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SecondOpinion {
    /// `mann-whitney`.
    pub method: &'static str,
    /// Two-sided.
    pub p: f64,
    /// The Hodges-Lehmann estimate of new over base.
    pub ratio: f64,
}

/// How one metric of one source differs between two versions. A p value is one-sided, for being worse.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The comparison or the trial.
    pub id: String,
    /// The scenario.
    pub scenario_name: String,
    /// The parameters that both versions had.
    pub dimensions: Map<String, Value>,
    /// The metric.
    pub metric: String,
    /// What each run came to.
    pub stat: Stat,
    /// The container, process or driver.
    pub source: String,
    /// The unit of `base` and `new`; per second where the statistic is a rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Which direction is an improvement; absent where nothing says so.
    pub better: Option<Better>,
    /// How the runs stand to each other.
    pub design: Design,
    /// The method, in words.
    pub method: &'static str,
    /// The geometric mean over the runs of the old version.
    pub base: Option<f64>,
    /// The same of the new one.
    pub new: Option<f64>,
    /// New over base: the ratio of geometric means.
    pub ratio: Option<f64>,
    /// Its two-sided 95% interval, not adjusted for other comparisons or looks.
    pub interval: Option<[f64; 2]>,
    /// The change for the worse, as a fraction; negative of an improvement.
    pub estimate: Option<f64>,
    /// How many pairs, or runs of the side with fewer.
    pub n: usize,
    /// How many runs of each side had a value.
    pub runs: [usize; 2],
    /// The standard deviation of the difference of two logs that the interval rests on.
    pub sd: Option<f64>,
    /// Degrees of freedom.
    pub freedom: Option<f64>,
    /// What past runs say, where enough of them do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prior: Option<Prior>,
    /// That the new version is worse at all.
    pub p: Option<f64>,
    /// The same after Holm, which decides.
    pub p_holm: Option<f64>,
    /// The same after Benjamini and Hochberg, which is reported.
    pub p_bh: Option<f64>,
    /// That it is worse by more than `min_effect`, after Holm.
    pub p_min_effect_holm: Option<f64>,
    /// What `p_holm` has to be at most.
    pub level: f64,
    /// Of an interleaved comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look: Option<Look>,
    /// The smallest effect of interest, a fraction.
    pub min_effect: f64,
    /// An effect surely below this passes.
    pub margin: f64,
    /// Where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equivalence: Option<Equivalence>,
    /// Of unpaired runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_opinion: Option<SecondOpinion>,
    /// About how many pairs, or runs of each side, would tell an effect of the size of the margin.
    pub needed: Option<usize>,
    /// What follows.
    pub verdict: ChangeVerdict,
    /// Why, in words.
    pub reason: String,
    /// What a reader has to know before believing it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What follows from a regression that is not surely above the smallest effect.
    #[serde(skip)]
    pub severity: Severity,
    /// The change on the log scale.
    #[serde(skip)]
    pub log: Option<Estimate>,
    /// The limit of the equivalence claim, where it was asked for.
    #[serde(skip)]
    pub within: Option<f64>,
}

impl Change {
    /// A fraction for the worse on the log scale.
    pub(super) fn limit(&self, fraction: f64) -> f64 {
        match self.better {
            Some(Better::Higher) => -(-fraction).ln_1p(),
            Some(Better::Lower) | None => fraction.ln_1p(),
        }
    }

    /// A change on the log scale as a fraction for the worse.
    pub(super) fn fraction(&self, log: f64) -> f64 {
        match self.better {
            Some(Better::Higher) => -(-log).exp_m1(),
            Some(Better::Lower) | None => log.exp_m1(),
        }
    }

    /// -1 where a higher value is better, so that worse is positive.
    pub(super) fn sign(&self) -> f64 {
        if self.better == Some(Better::Higher) { -1.0 } else { 1.0 }
    }

    /// True where neither a further pair nor the equivalence claim can add anything that was asked for.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        let claimed = |claim: &Equivalence| claim.shown || claim.refuted;
        self.verdict != ChangeVerdict::Inconclusive
            && (self.within.is_none() || self.equivalence.as_ref().is_none_or(claimed))
    }
}
