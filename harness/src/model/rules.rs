//! [`Rules`]: what a trial is judged by. Results carry them, so that judging again gives the same verdict.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::{Length, Quantity};
use super::threshold::{Severity, Stat, Threshold};

/// Everything that a trial is judged by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rules {
    /// The scenario's thresholds.
    pub thresholds: Vec<Threshold>,
    /// How memory growth over time is judged, in trials of kind `duration`.
    pub leak: LeakRule,
    /// How a reset is judged, in trials of kind `reset`.
    pub reset: ResetRule,
    /// What the curves of kind `load` are held against.
    #[serde(default, skip_serializing_if = "LoadRule::is_empty")]
    pub load: LoadRule,
    /// How two versions are compared, in trials that run both; absent of all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ab: Option<AbRule>,
    /// When its data cannot be judged; absent where nothing was recorded to tell by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<ValidityRule>,
}

/// When the data of a trial cannot be judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidityRule {
    /// False: what is wrong is reported only.
    pub gate: bool,
    /// The largest share of due samples that may be missing.
    pub missing: f64,
    /// How late 95% of the samples must not be, in intervals.
    pub late: f64,
    /// The fewest readings of a sampled phase.
    pub samples: u32,
    /// How far the wall clock may step between two samples, beyond a tenth of the time between them.
    pub step: Length,
    /// The largest share of the wanted processor time that a hypervisor may take.
    pub steal: f64,
    /// The largest share of the time for which a quota may hold the harness back.
    pub throttled: f64,
    /// The largest share of this machine's processors that may be busy with something else.
    pub elsewhere: f64,
}

/// What the curves over trials of kind `load` are asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadRule {
    /// The memory for which the number of agents is told, in place of the container's limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Quantity>,
    /// What counts as work done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput: Option<ThroughputRule>,
}

impl LoadRule {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A metric of work done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThroughputRule {
    /// The metric.
    pub metric: String,
    /// The mean of a gauge or the rate of a counter; where absent, what the metric is known to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stat: Option<Stat>,
}

/// How two versions, a and b, are compared that were run in turn. An effect is a relative change for the worse, as a
/// fraction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AbRule {
    /// After how many pairs the comparison is looked at, rising; the last is the most that are run.
    pub looks: Vec<u32>,
    /// The smallest effect of interest.
    pub min_effect: f64,
    /// An effect surely below this passes.
    pub margin: f64,
    /// Asks for the claim that the two differ by less than this, either way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
    /// What is compared.
    pub metrics: Vec<AbMetric>,
}

/// One thing that is compared between two versions: a statistic of every run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AbMetric {
    /// The metric.
    pub metric: String,
    /// One container, process or driver; every one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What a run comes to.
    pub stat: Stat,
    /// What follows from a regression.
    pub severity: Severity,
    /// In place of [`AbRule::min_effect`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_effect: Option<f64>,
    /// In place of [`AbRule::margin`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// What past runs of the comparison say of scatter, by source.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub priors: BTreeMap<String, Prior>,
}

/// The scatter that past comparisons showed. It counts where they are ten or more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Prior {
    /// Standard deviation of the log of what one walk of one side comes to.
    pub sd: f64,
    /// From how many past runs of the comparison, each with at least two complete pairs.
    pub runs: u32,
}

/// How memory growth over time is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeakRule {
    /// By which rule; that of the original framework in files that do not say.
    #[serde(default)]
    pub rule: LeakMethod,
    /// What the gate looks at.
    pub gate: LeakGate,
    /// With [`LeakMethod::Leakscore`]: slower growth is no leak.
    #[serde(default = "least")]
    pub least: Quantity,
    /// Below this slope growth is normal fluctuation.
    pub watch: Quantity,
    /// Above this slope growth is a leak.
    pub leak: Quantity,
    /// With [`LeakGate::Gross`]: only a slope whose whole interval is above this fails.
    pub gross: Quantity,
    /// True: a slope whose interval includes the limit, or a run shorter than `shortest`, is `unknown`.
    pub certain: bool,
    /// The shortest run that can be judged when `certain`.
    pub shortest: Length,
    /// Times at which a run that is still going on may end because nothing leaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<Length>,
    /// True: a leak fails only where a second run shows it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirm: bool,
}

/// What slower growth is no leak, in files that do not say.
fn least() -> Quantity {
    "0.25 MiB/min".parse().expect("a slope, as a test shows")
}

/// By which rule growth is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LeakMethod {
    /// Models of growth that ends and of growth that does not, and tests for a trend.
    Leakscore,
    /// Bands of the slope, as the original framework has them.
    #[default]
    Seed,
}

/// What the gate looks at in a trial of kind `duration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LeakGate {
    /// The leak verdict: leak fails, suspect warns, unknown is inconclusive.
    Verdict,
    /// Only a gross slope fails; smaller leaks are reported as unknown.
    Gross,
    /// Nothing: growth is reported only.
    Off,
}

/// How resets are judged. Fractions are of memory before the first load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResetRule {
    /// By what; files without it were judged by the last level.
    #[serde(default = "within")]
    pub rule: ResetMethod,
    /// With [`ResetMethod::Growth`]: growth per cycle above this fails when it is surely above 0, as a fraction.
    #[serde(default)]
    pub growth: f64,
    /// With [`ResetMethod::Growth`]: cycles that could hide this much growth each are `unknown`.
    #[serde(default)]
    pub detect: f64,
    /// How far memory after the last reset may be from the baseline, as a fraction of it.
    pub within: f64,
    /// False: what was found is reported only.
    pub gate: bool,
}

fn within() -> ResetMethod {
    ResetMethod::Within
}

/// By what resets are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResetMethod {
    /// Growth of the level after a reset, from cycle to cycle.
    Growth,
    /// The level after the last reset against the baseline.
    Within,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_without_a_method_were_judged_by_the_seed_rule() {
        let json = r#"{"gate": "verdict", "watch": "0.5 MiB/min", "leak": "1 MiB/min", "gross": "60 MiB/min",
            "certain": true, "shortest": "4m"}"#;
        let rule: LeakRule = serde_json::from_str(json).unwrap();
        assert_eq!((rule.rule, rule.least.text.as_str()), (LeakMethod::Seed, "0.25 MiB/min"));
        assert!(rule.looks.is_empty() && !rule.confirm);
    }
}
