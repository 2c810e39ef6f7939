//! [`Reset`]: what memory does over resets, in the trials of kind `reset`: whether it grows from cycle to cycle, and how
//! far it came back to the baseline.

mod growth;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::analysis::digits::short;
use crate::analysis::series::{Series, by_source};
use crate::analysis::{MIB, rules};
use crate::model::rules::{ResetMethod, ResetRule};
use crate::model::{Kind, Sample, metric};
use crate::results::{SEED_RESET, TrialRecord};

pub use growth::Growth;

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
    /// The metric of the levels below; `memory_used_mb` in files of the original framework.
    pub channel: String,
    /// How it was judged.
    pub rule: ResetMethod,
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
    /// Growth from cycle to cycle; null of fewer than three cycles.
    pub growth: Option<Growth>,
    /// What follows.
    pub verdict: ResetVerdict,
    /// Why, in words.
    pub reason: String,
    /// How many times load and reset followed each other.
    pub cycles: u32,
}

/// What a reset comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ResetVerdict {
    /// Memory is back, or does not grow.
    Pass,
    /// It is not, or does.
    Fail,
    /// The run cannot tell.
    Unknown,
}

impl Reset {
    /// How many readings there must be before and after: one may be any moment's.
    pub const LEAST: usize = 2;

    /// How far memory is from the baseline, and what the rule makes of it.
    fn concluded(self, rule: &ResetRule) -> Self {
        let Self { baseline_mb, post_reset_mb, .. } = self;
        let diff = (post_reset_mb - baseline_mb) / baseline_mb * 100.0;
        let reset = Self { diff_percent: (baseline_mb > 0.0).then_some(diff), ..self };
        let (verdict, reason) = match reset.rule {
            ResetMethod::Growth => reset.grown(rule),
            ResetMethod::Within => reset.returned(),
        };
        Self { verdict, reason, ..reset }
    }

    fn grown(&self, rule: &ResetRule) -> (ResetVerdict, String) {
        let (limit, detect) = (rule.growth * 100.0, rule.detect * 100.0);
        let Some(growth) = &self.growth else {
            let reason = format!(
                "{}; growth from cycle to cycle needs {} of at least {} readings each, and a baseline above 0",
                plural(self.cycles, "cycle"),
                Growth::LEAST,
                Self::LEAST
            );
            return (ResetVerdict::Unknown, reason);
        };
        let [low, high] = growth.bounds_percent;
        let slope = growth.percent_per_cycle;
        // Without scatter the bounds claim a certainty that no reading has.
        let bounds = format!(
            " (at least {}%, at most {}%, each with 95% confidence)",
            short(low),
            short(high)
        );
        let found = format!(
            "over {} memory after a reset changes by {}% of the baseline per cycle{}",
            plural(self.cycles, "reset"),
            short(slope),
            if low < high { &bounds } else { "" }
        );
        if slope > limit && low > 0.0 {
            (ResetVerdict::Fail, format!("{found}: every cycle keeps some"))
        } else if slope > limit {
            (ResetVerdict::Unknown, format!("{found}: too uneven to tell growth from chance"))
        } else if high > detect {
            let reason = format!("{found}: a growth of {}% could hide in that", short(detect));
            (ResetVerdict::Unknown, reason)
        } else {
            (ResetVerdict::Pass, format!("{found}: no more than {}%", short(limit)))
        }
    }

    fn returned(&self) -> (ResetVerdict, String) {
        let found =
            format!("{} MiB after {}", short(self.post_reset_mb), plural(self.cycles, "reset"));
        let Some(diff) = self.diff_percent else {
            let reason = format!("{found}, and nothing compares with a baseline of 0 MiB");
            return (ResetVerdict::Unknown, reason);
        };
        if let Some((before, after)) = self.baseline_n.zip(self.post_reset_n)
            && before.min(after) < Self::LEAST
        {
            let reason = format!(
                "{found}; readings: {before} before the load, {after} after the reset, and a verdict needs {} of each",
                Self::LEAST
            );
            return (ResetVerdict::Unknown, reason);
        }
        let side = if diff < 0.0 { "below" } else { "above" };
        let reason = format!("{found}, {}% {side} the baseline", short(diff.abs()));
        // The fraction of a limit such as 0.10 times 100 is not 10 to the last bit.
        if diff.abs() <= self.within_percent * (1.0 + 1e-12) {
            (ResetVerdict::Pass, reason)
        } else {
            (ResetVerdict::Fail, reason)
        }
    }
}

fn plural(count: u32, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
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
    let rule = &rules::of(trial).reset;
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
            rule: rule.rule,
            baseline_mb: baseline.describe()?.mean / MIB,
            load_peak_mb: peak,
            post_reset_mb: post.describe()?.mean / MIB,
            baseline_n: Some(baseline.len()),
            post_reset_n: Some(post.len()),
            within_percent: rule.within * 100.0,
            growth: growth(trial, name, last),
            cycles: last.max(1),
            ..blank(trial, name, metric::MEMORY_WORKING_SET.id())
        };
        Some(reset.concluded(rule))
    };
    series("post", Some(last)).into_iter().filter_map(container).collect()
}

/// The growth of a container over the resets, by its anonymous memory where that was read in every cycle.
fn growth(trial: &TrialRecord, container: &str, last: u32) -> Option<Growth> {
    let channels = [metric::MEMORY_ANON.id(), metric::MEMORY_WORKING_SET.id()];
    channels.into_iter().find_map(|channel| {
        let floor = |phase: &'static str, cycle: u32| {
            let wanted = move |sample: &Sample| &*sample.phase == phase && sample.cycle == cycle;
            let series = by_source(trial, channel, wanted);
            let series = series.get(container).filter(|series| series.len() >= Reset::LEAST);
            series.map(|series| growth::floor(series) / MIB)
        };
        let floors: Option<Vec<f64>> = (1..=last).map(|cycle| floor("post", cycle)).collect();
        Growth::of(channel, floor("baseline", 0)?, floors?)
    })
}

/// The original framework has no phases in its samples, and tells one container's reset apart from them.
fn original(trial: &TrialRecord, analysis: &Value) -> Option<Reset> {
    let number = |key: &str| analysis.get(key).and_then(Value::as_f64);
    let (baseline_mb, post_reset_mb) = (number("baseline_avg_mb")?, number("post_reset_avg_mb")?);
    let rule = &rules::of(trial).reset;
    let within_percent = number("tolerance_percent").unwrap_or(rule.within * 100.0);
    let container = analysis.get("container").and_then(Value::as_str)?;
    let reset = Reset {
        baseline_mb,
        load_peak_mb: number("load_peak_mb"),
        post_reset_mb,
        within_percent,
        ..blank(trial, container, "memory_used_mb")
    };
    Some(reset.concluded(rule))
}

fn blank(trial: &TrialRecord, container: &str, channel: &str) -> Reset {
    Reset {
        id: trial.id.clone(),
        scenario_name: trial.scenario_name.clone(),
        scenario_params: trial.scenario_params.clone(),
        container: container.to_owned(),
        channel: channel.to_owned(),
        rule: ResetMethod::Within,
        baseline_mb: 0.0,
        load_peak_mb: None,
        post_reset_mb: 0.0,
        baseline_n: None,
        post_reset_n: None,
        diff_percent: None,
        within_percent: 0.0,
        growth: None,
        verdict: ResetVerdict::Unknown,
        reason: String::new(),
        cycles: 1,
    }
}
