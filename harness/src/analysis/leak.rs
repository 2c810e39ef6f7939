//! [`Leak`]: how fast memory grows under constant load, over the trials of kind `duration`.
//!
//! The rule `seed` is the original framework's, bands of a least-squares slope, held back by the interval of that
//! slope. The interval supposes independent readings and is too narrow for real memory; stronger statistics are to
//! take the place of this file behind the same finding.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::analysis::digits::short;
use crate::analysis::regression::Line;
use crate::analysis::series::{Series, by_source};
use crate::analysis::{MIB, PER_MINUTE, rules};
use crate::model::rules::{LeakGate, LeakRule};
use crate::model::{Kind, Sample, metric};
use crate::results::TrialRecord;

/// The smallest leak that a run sees with 90% power at a level of 1%, in standard errors of its slope
/// (z of 0.99 and of 0.90 added).
const DETECTABLE: f64 = 3.6;

/// One container's growth in one trial.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leak {
    /// The trial's id.
    pub id: String,
    /// With `scenario_params` and the repetition the trial's identity.
    pub scenario_name: String,
    /// The trial's parameters.
    pub scenario_params: Map<String, Value>,
    /// The container.
    pub container: String,
    /// The metric that was judged; `memory_used_mb` in files of the original framework, which have no better one.
    pub channel: String,
    /// How it was judged.
    pub rule: LeakMethod,
    /// Least squares, in MiB per minute; null of a single reading.
    pub slope_mb_per_min: Option<f64>,
    /// The 95% interval of the slope; null of fewer than three readings.
    pub interval: Option<[f64; 2]>,
    /// The smallest leak that this run could have seen, in MiB per minute; null where the readings do not scatter:
    /// memory is counted in pages, so a flat run tells nothing about how small a growth it would have shown.
    pub detectable_mb_per_min: Option<f64>,
    /// Where the slope lies; null without one.
    pub band: Option<Band>,
    /// What follows.
    pub verdict: LeakVerdict,
    /// Why, in words.
    pub reason: String,
    /// How many readings there were.
    pub n: usize,
}

/// How growth is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LeakMethod {
    /// Bands of the slope, as the original framework has them.
    Seed,
}

/// Where a slope lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Band {
    /// Below the watch limit.
    Normal,
    /// From there to the leak limit.
    Watch,
    /// Above it.
    Leak,
}

/// What growth comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LeakVerdict {
    /// It grows too fast.
    Leak,
    /// It may; a longer run would tell.
    Suspect,
    /// It does not.
    Clean,
    /// The run cannot tell.
    Unknown,
}

/// The growth of every container of a trial of kind `duration`, while the load was held.
#[must_use]
pub fn leaks(trial: &TrialRecord) -> Vec<Leak> {
    if trial.kind != Some(Kind::Duration) {
        return Vec::new();
    }
    // The original framework knows no phases.
    let held = |sample: &Sample| matches!(&*sample.phase, "active" | "");
    let channel = |metric: &str, name: &'static str| {
        let sources = by_source(trial, metric, held).into_iter();
        sources.map(move |(source, series)| (source, (name, series)))
    };
    let (working_set, anon) = (metric::MEMORY_WORKING_SET.id(), metric::MEMORY_ANON.id());
    let original = trial.rules.is_none();
    let name = if original { "memory_used_mb" } else { working_set };
    let mut channels: BTreeMap<&str, (&str, Series)> = channel(working_set, name).collect();
    channels.extend(channel(anon, anon));
    let rule = &rules::of(trial).leak;
    let growth = |(source, (channel, series))| leak(trial, rule, source, channel, &series);
    channels.into_iter().map(growth).collect()
}

fn leak(
    trial: &TrialRecord,
    rule: &LeakRule,
    source: &str,
    channel: &str,
    series: &Series,
) -> Leak {
    const SCALE: f64 = PER_MINUTE / MIB;
    let line = series.line();
    let (verdict, reason) = conclude(rule, line.as_ref(), series);
    Leak {
        id: trial.id.clone(),
        scenario_name: trial.scenario_name.clone(),
        scenario_params: trial.scenario_params.clone(),
        container: source.to_owned(),
        channel: channel.to_owned(),
        rule: LeakMethod::Seed,
        slope_mb_per_min: line.map(|line| line.slope * SCALE),
        interval: line.and_then(|line| line.slope_interval).map(|ends| ends.map(|end| end * SCALE)),
        detectable_mb_per_min: line
            .and_then(|line| line.standard_error)
            .filter(|error| *error > 0.0)
            .map(|error| DETECTABLE * error * SCALE),
        band: line.map(|line| band(rule, line.slope)),
        verdict,
        reason,
        n: series.len(),
    }
}

fn band(rule: &LeakRule, slope: f64) -> Band {
    // A scenario may set its leak limit below the watch limit, and above it growth is a leak all the same.
    if slope > rule.leak.value {
        Band::Leak
    } else if slope < rule.watch.value {
        Band::Normal
    } else {
        Band::Watch
    }
}

fn conclude(rule: &LeakRule, line: Option<&Line>, series: &Series) -> (LeakVerdict, String) {
    use LeakVerdict::{Clean, Leak, Suspect, Unknown};
    let LeakRule { gate, watch, leak, gross, certain, shortest } = rule;
    let Some(line) = line else { return (Unknown, "a single reading has no slope".to_owned()) };
    let gross_only = *gate == LeakGate::Gross;
    if gross_only && line.slope_interval.is_some_and(|[low, _]| low > gross.value) {
        return (Leak, format!("the whole interval is above {gross}"));
    }
    if *certain {
        let covered = covered(series, shortest.0);
        if covered.1 < shortest.0 {
            let seconds = short(covered.0.as_secs_f64().round());
            return (Unknown, format!("{seconds} s of readings, a verdict needs {shortest}"));
        }
        let Some([low, high]) = line.slope_interval else {
            return (Unknown, "two readings give a slope no interval".to_owned());
        };
        if low <= leak.value && leak.value <= high {
            return (Unknown, format!("the interval includes the limit {leak}"));
        }
    }
    match band(rule, line.slope) {
        Band::Leak if gross_only => {
            (Unknown, format!("above {leak}, and only growth surely above {gross} is judged"))
        }
        Band::Leak => (Leak, format!("above {leak}")),
        Band::Watch => (Suspect, format!("between {watch} and {leak}")),
        Band::Normal => match line.slope_interval {
            Some([_, high]) if *certain && high > watch.value => {
                (Suspect, format!("below {leak}, but the interval reaches beyond {watch}"))
            }
            _ => (Clean, format!("below {watch}")),
        },
    }
}

/// The time from the first reading to the last, and the longest time that may stand for: the first and the last
/// reading may each lie up to one interval inside it. Readings that are missing widen the interval, and must not
/// make a run longer, so that it counts for a twentieth of the shortest run at most.
fn covered(series: &Series, shortest: Duration) -> (Duration, Duration) {
    let span = series.span();
    let interval = span / (series.len() - 1).max(1) as f64;
    let interval = interval.min(shortest.as_secs_f64() / 20.0);
    let duration = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    (duration(span), duration(span + 2.0 * interval))
}
