//! [`Reset`]: how far memory came back after a reset, over the trials of kind `reset`.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::analysis::series::{Series, by_source};
use crate::analysis::{MIB, rules};
use crate::model::{Kind, Sample, metric};
use crate::results::{SEED_RESET, TrialRecord};

/// One container's memory before, under and after load, in MiB.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reset {
    /// The trial's id.
    pub id: String,
    /// With `scenario_params` and the repetition the trial's identity.
    pub scenario_name: String,
    /// The trial's parameters.
    pub scenario_params: Map<String, Value>,
    /// The container.
    pub container: String,
    /// The metric that was judged; `memory_used_mb` in files of the original framework.
    pub channel: String,
    /// Mean before the first load.
    pub baseline_mb: f64,
    /// Maximum under load, over all cycles; null where it was not read.
    pub load_peak_mb: Option<f64>,
    /// Mean after the last reset.
    pub post_reset_mb: f64,
    /// How many readings the baseline has; null in files of the original framework, which do not say.
    pub baseline_n: Option<usize>,
    /// How many readings there are after the last reset.
    pub post_reset_n: Option<usize>,
    /// How far it is above the baseline, in percent of it; below it, negative. Null of a baseline of 0.
    pub diff_percent: Option<f64>,
    /// How far it may be, either way.
    pub within_percent: f64,
    /// What follows.
    pub verdict: ResetVerdict,
    /// How many times load and reset followed each other.
    pub cycles: u32,
}

/// What a reset comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ResetVerdict {
    /// Memory is back.
    Pass,
    /// It is not.
    Fail,
    /// The run cannot tell.
    Unknown,
}

impl Reset {
    /// How many readings there must be before and after: one may be any moment's.
    pub const LEAST: usize = 2;

    fn compared(self) -> Self {
        let Self { baseline_mb, post_reset_mb, within_percent, .. } = self;
        let diff = (post_reset_mb - baseline_mb) / baseline_mb * 100.0;
        let diff_percent = (baseline_mb > 0.0).then_some(diff);
        let few =
            [self.baseline_n, self.post_reset_n].into_iter().flatten().any(|n| n < Self::LEAST);
        let verdict = match diff_percent {
            None => ResetVerdict::Unknown,
            Some(_) if few => ResetVerdict::Unknown,
            // The fraction of a limit such as 0.10 times 100 is not 10 to the last bit.
            Some(diff) if diff.abs() <= within_percent * (1.0 + 1e-12) => ResetVerdict::Pass,
            Some(_) => ResetVerdict::Fail,
        };
        Self { diff_percent, verdict, ..self }
    }
}

/// The reset of every container of a trial of kind `reset`. A container without readings before or after has none.
#[must_use]
pub fn resets(trial: &TrialRecord) -> Vec<Reset> {
    if trial.kind != Some(Kind::Reset) {
        return Vec::new();
    }
    if let Some(analysis) = trial.metadata.get(SEED_RESET) {
        return original(trial, analysis).into_iter().collect();
    }
    let within_percent = rules::of(trial).reset.within * 100.0;
    let after = |sample: &&Sample| &*sample.phase == "post";
    let last = trial.samples.iter().filter(after).map(|sample| sample.cycle).max().unwrap_or(0);
    let series = |phase: &'static str, cycle: Option<u32>| {
        by_source(trial, &metric::MEMORY_WORKING_SET.name, move |sample| {
            &*sample.phase == phase && cycle.is_none_or(|cycle| cycle == sample.cycle)
        })
    };
    let (baselines, loads) = (series("baseline", None), series("load", None));
    let container = |(name, post): (&str, Series)| {
        let baseline = baselines.get(name)?;
        let peak = loads.get(name).and_then(Series::describe).map(|load| load.max / MIB);
        let reset = Reset {
            baseline_mb: baseline.describe()?.mean / MIB,
            load_peak_mb: peak,
            post_reset_mb: post.describe()?.mean / MIB,
            baseline_n: Some(baseline.len()),
            post_reset_n: Some(post.len()),
            within_percent,
            cycles: last.max(1),
            ..blank(trial, name, metric::MEMORY_WORKING_SET.id())
        };
        Some(reset.compared())
    };
    series("post", Some(last)).into_iter().filter_map(container).collect()
}

/// The original framework has no phases in its samples, and tells one container's reset apart from them.
fn original(trial: &TrialRecord, analysis: &Value) -> Option<Reset> {
    let number = |key: &str| analysis.get(key).and_then(Value::as_f64);
    let (baseline_mb, post_reset_mb) = (number("baseline_avg_mb")?, number("post_reset_avg_mb")?);
    let within = number("tolerance_percent");
    let within_percent = within.unwrap_or(rules::of(trial).reset.within * 100.0);
    let container = analysis.get("container").and_then(Value::as_str)?;
    let reset = Reset {
        baseline_mb,
        load_peak_mb: number("load_peak_mb"),
        post_reset_mb,
        within_percent,
        ..blank(trial, container, "memory_used_mb")
    };
    Some(reset.compared())
}

fn blank(trial: &TrialRecord, container: &str, channel: &str) -> Reset {
    Reset {
        id: trial.id.clone(),
        scenario_name: trial.scenario_name.clone(),
        scenario_params: trial.scenario_params.clone(),
        container: container.to_owned(),
        channel: channel.to_owned(),
        baseline_mb: 0.0,
        load_peak_mb: None,
        post_reset_mb: 0.0,
        baseline_n: None,
        post_reset_n: None,
        diff_percent: None,
        within_percent: 0.0,
        verdict: ResetVerdict::Unknown,
        cycles: 1,
    }
}
