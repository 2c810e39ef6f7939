//! [`TrialSummary`]: what each container used in one trial, with the original framework's names and more.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::analysis::series::{Series, by_source};
use crate::analysis::{MIB, PER_MINUTE};
use crate::model::{Kind, Sample, metric};
use crate::results::TrialRecord;

/// One trial.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrialSummary {
    /// The trial's id.
    pub id: String,
    /// What was asked.
    pub kind: Option<Kind>,
    /// With `scenario_params` and the repetition the trial's identity.
    pub scenario_name: String,
    /// The trial's parameters.
    pub scenario_params: Map<String, Value>,
    /// How many samples were taken.
    pub total_samples: usize,
    /// How many containers were read.
    pub containers_sampled: usize,
    /// Every container that was read.
    pub focus_containers: BTreeMap<String, ContainerSummary>,
}

/// One container over a whole trial. Memory is the working set in MiB, processor use in percent of one core. A
/// number that could not be measured is null.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say statistic and unit")]
pub struct ContainerSummary {
    pub memory_mean_mb: Option<f64>,
    pub memory_std_mb: Option<f64>,
    pub memory_min_mb: Option<f64>,
    pub memory_max_mb: Option<f64>,
    pub memory_p50_mb: Option<f64>,
    pub memory_p95_mb: Option<f64>,
    pub memory_p99_mb: Option<f64>,
    /// The limit at the last reading; 0 where it is unknown or there is none, as the original framework writes.
    pub memory_limit_mb: f64,
    /// Least squares over all samples of the trial.
    pub memory_slope_mb_per_min: Option<f64>,
    /// The 95% interval of that slope.
    pub memory_slope_interval_mb_per_min: Option<[f64; 2]>,
    pub cpu_mean_percent: Option<f64>,
    pub cpu_std_percent: Option<f64>,
    pub cpu_min_percent: Option<f64>,
    pub cpu_max_percent: Option<f64>,
    pub cpu_p50_percent: Option<f64>,
    pub cpu_p95_percent: Option<f64>,
    pub cpu_p99_percent: Option<f64>,
    pub cpu_slope_percent_per_min: Option<f64>,
    pub cpu_slope_interval_percent_per_min: Option<[f64; 2]>,
    /// One row per phase, in trials that have several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<PhaseSummary>,
}

/// One container in one phase.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say statistic and unit")]
pub struct PhaseSummary {
    /// The phase's name.
    pub phase: String,
    /// Which repetition of the phase, from 1; 0 where it does not repeat.
    pub cycle: u32,
    /// How many memory or processor readings were taken, whichever is more.
    pub readings: usize,
    pub memory_mean_mb: Option<f64>,
    pub memory_max_mb: Option<f64>,
    pub memory_slope_mb_per_min: Option<f64>,
    pub cpu_mean_percent: Option<f64>,
    pub cpu_max_percent: Option<f64>,
    pub cpu_slope_percent_per_min: Option<f64>,
}

/// Sums a trial up.
#[must_use]
pub fn summarize(trial: &TrialRecord) -> TrialSummary {
    let whole = Usage::of(trial, |_| true);
    let limits = by_source(trial, &metric::MEMORY_LIMIT.name, |_| true);
    let anon = by_source(trial, &metric::MEMORY_ANON.name, |_| true);
    let phases = phases(trial);
    let parts: Vec<Usage<'_>> = if phases.len() < 2 {
        Vec::new()
    } else {
        let part = |(phase, cycle): &(&str, u32)| {
            Usage::of(trial, |sample| (&*sample.phase, sample.cycle) == (*phase, *cycle))
        };
        phases.iter().map(part).collect()
    };
    // Anonymous memory alone makes a container too: the null fields then say what is missing.
    let names: BTreeSet<&str> = whole.sources().chain(anon.into_keys()).collect();
    let container = |name: &&str| {
        let rows = phases.iter().zip(&parts).filter_map(|(phase, part)| part.row(name, *phase));
        let limit = limits.get(name).map_or(0.0, |limit| limit.last() / MIB);
        ((*name).to_owned(), whole.container(name, limit, rows.collect()))
    };
    let focus_containers: BTreeMap<_, _> = names.iter().map(container).collect();
    TrialSummary {
        id: trial.id.clone(),
        kind: trial.kind,
        scenario_name: trial.scenario_name.clone(),
        scenario_params: trial.scenario_params.clone(),
        total_samples: trial.samples.len(),
        containers_sampled: focus_containers.len(),
        focus_containers,
    }
}

/// Phases and cycles in order of their first sample.
fn phases(trial: &TrialRecord) -> Vec<(&str, u32)> {
    let mut phases: Vec<(&str, u32)> = Vec::new();
    for sample in &trial.samples {
        let phase = (&*sample.phase, sample.cycle);
        if phases.last() != Some(&phase) && !phases.contains(&phase) {
            phases.push(phase);
        }
    }
    phases
}

/// Memory and processor use by container over some of the samples.
struct Usage<'a> {
    memory: BTreeMap<&'a str, Statistics>,
    cpu: BTreeMap<&'a str, Statistics>,
}

/// The statistics of one series, in the units of the summary.
#[derive(Clone, Copy, Default)]
struct Statistics {
    n: usize,
    mean: Option<f64>,
    std: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    p50: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
    slope: Option<f64>,
    interval: Option<[f64; 2]>,
}

impl Statistics {
    fn of(series: &Series, scale: f64) -> Self {
        let (line, described) = (series.line(), series.describe());
        let get = |value: fn(&crate::analysis::describe::Description) -> f64| {
            described.as_ref().map(|described| value(described) * scale)
        };
        let per_minute = scale * PER_MINUTE;
        Self {
            n: series.len(),
            mean: get(|d| d.mean),
            std: get(|d| d.std),
            min: get(|d| d.min),
            max: get(|d| d.max),
            p50: get(|d| d.p50),
            p95: get(|d| d.p95),
            p99: get(|d| d.p99),
            slope: line.map(|line| line.slope * per_minute),
            interval: line.and_then(|line| line.slope_interval).map(|i| i.map(|x| x * per_minute)),
        }
    }
}

impl<'a> Usage<'a> {
    fn of(trial: &'a TrialRecord, wanted: impl Fn(&Sample) -> bool) -> Self {
        let statistics = |metric: &crate::model::Metric, scale: f64| {
            let series = by_source(trial, &metric.name, &wanted);
            series.iter().map(|(name, series)| (*name, Statistics::of(series, scale))).collect()
        };
        Self {
            memory: statistics(&metric::MEMORY_WORKING_SET, 1.0 / MIB),
            cpu: statistics(&metric::CPU_USAGE, 100.0),
        }
    }

    fn sources(&self) -> impl Iterator<Item = &'a str> {
        self.memory.keys().chain(self.cpu.keys()).copied()
    }

    fn both(&self, name: &str) -> (Statistics, Statistics) {
        let get = |of: &BTreeMap<&str, Statistics>| of.get(name).copied().unwrap_or_default();
        (get(&self.memory), get(&self.cpu))
    }

    fn container(&self, name: &str, limit: f64, phases: Vec<PhaseSummary>) -> ContainerSummary {
        let (memory, cpu) = self.both(name);
        ContainerSummary {
            memory_mean_mb: memory.mean,
            memory_std_mb: memory.std,
            memory_min_mb: memory.min,
            memory_max_mb: memory.max,
            memory_p50_mb: memory.p50,
            memory_p95_mb: memory.p95,
            memory_p99_mb: memory.p99,
            memory_limit_mb: limit,
            memory_slope_mb_per_min: memory.slope,
            memory_slope_interval_mb_per_min: memory.interval,
            cpu_mean_percent: cpu.mean,
            cpu_std_percent: cpu.std,
            cpu_min_percent: cpu.min,
            cpu_max_percent: cpu.max,
            cpu_p50_percent: cpu.p50,
            cpu_p95_percent: cpu.p95,
            cpu_p99_percent: cpu.p99,
            cpu_slope_percent_per_min: cpu.slope,
            cpu_slope_interval_percent_per_min: cpu.interval,
            phases,
        }
    }

    /// `None` where the container was not read in the phase.
    fn row(&self, name: &str, (phase, cycle): (&str, u32)) -> Option<PhaseSummary> {
        let (memory, cpu) = self.both(name);
        let readings = memory.n.max(cpu.n);
        (readings > 0).then(|| PhaseSummary {
            phase: phase.to_owned(),
            cycle,
            readings,
            memory_mean_mb: memory.mean,
            memory_max_mb: memory.max,
            memory_slope_mb_per_min: memory.slope,
            cpu_mean_percent: cpu.mean,
            cpu_max_percent: cpu.max,
            cpu_slope_percent_per_min: cpu.slope,
        })
    }
}
