//! [`Validity`]: what a trial's data are worth: whether samples were taken when they were due, and what else the machine
//! did meanwhile.

mod limits;

use serde::Serialize;

use super::describe::quantile;
use super::ending;
use super::scaling::ended_early;
use super::series::{Series, by_source};
use crate::model::{Outcome, Phase, Sample, metric};
use crate::results::TrialRecord;

pub use limits::{Breach, breaches, left_out, reasons};

/// The source of what is read of this machine as a whole.
pub const HOST: &str = "host";

/// What can be said of one trial's data. A fact that was not recorded is null.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Validity {
    /// The trial's id.
    pub id: String,
    /// The share of due samples that were not taken.
    pub missing: Option<f64>,
    /// How late samples were taken, as a multiple of their phase's interval: the 95th percentile.
    pub late_intervals: Option<f64>,
    /// The phase and cycle with the fewest samples, and their number; of a trial that walked all of them.
    pub fewest: Option<Fewest>,
    /// The step of the wall clock between two samples that lies farthest beyond a tenth of the time between them, less
    /// that tenth, in seconds, without sign.
    pub clock_step_seconds: Option<f64>,
    /// Processor time that the hypervisor took, as a share of what this machine wanted.
    pub steal: Option<f64>,
    /// Time for which a processor quota held back the harness's control group, as a share of the time; above 1 where
    /// several processors waited at once.
    pub throttled: Option<f64>,
    /// Processor time of neither the target nor the harness, as a share of all processors.
    pub elsewhere: Option<f64>,
    /// Processor time of the harness and its drivers, as a share of all processors.
    pub harness: Option<f64>,
}

impl Validity {
    /// True where anything is known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        let Self { id: _, missing, late_intervals, fewest, .. } = self;
        let Self { clock_step_seconds, steal, throttled, elsewhere, harness, .. } = self;
        let facts =
            [missing, late_intervals, clock_step_seconds, steal, throttled, elsewhere, harness];
        fewest.is_some() || facts.iter().any(|fact| fact.is_some())
    }
}

/// A phase by its number of samples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fewest {
    /// The phase.
    pub phase: String,
    /// Which repetition of it, from 1; 0 where it does not repeat.
    pub cycle: u32,
    /// How many samples it has.
    pub samples: usize,
}

/// Looks at everything that tells what a trial's data are worth.
#[must_use]
pub fn examine(trial: &TrialRecord) -> Validity {
    let phases = phases(trial);
    let mean = |metric: &crate::model::Metric| host_mean(trial, &metric.name);
    let (busy, steal, cpus) =
        (mean(&metric::HOST_CPU_BUSY), mean(&metric::HOST_CPU_STEAL), mean(&metric::HOST_CPUS));
    let share = |part: f64| cpus.filter(|cpus| *cpus > 0.0).map(|cpus| part / cpus);
    let harness = mean(&metric::HOST_CPU_HARNESS);
    Validity {
        id: trial.id.clone(),
        missing: trial.sampler.and_then(|cost| {
            let due = cost.samples + cost.missed;
            (due > 0).then(|| cost.missed as f64 / due as f64)
        }),
        late_intervals: late(trial, &phases),
        fewest: fewest(trial, &phases)
            .filter(|_| ending(trial) == Some(Outcome::Completed) && !ended_early(trial)),
        clock_step_seconds: clock_step(trial),
        steal: busy.zip(steal).map(|(busy, steal)| {
            let wanted = busy + steal;
            if wanted > 0.0 { steal / wanted } else { 0.0 }
        }),
        throttled: throttled(trial),
        elsewhere: elsewhere(trial).and_then(share),
        harness: harness.and_then(share),
    }
}

/// The sampled phases, where the trial says them.
fn phases(trial: &TrialRecord) -> Vec<Phase> {
    let phases = trial.metadata.get("phases").cloned().unwrap_or_default();
    let phases: Vec<Phase> = serde_json::from_value(phases).unwrap_or_default();
    phases.into_iter().filter(|phase| phase.sampled).collect()
}

fn host(trial: &TrialRecord, metric: &str) -> Option<Series> {
    by_source(trial, metric, |_| true).remove(HOST)
}

fn host_mean(trial: &TrialRecord, metric: &str) -> Option<f64> {
    host(trial, metric)?.describe().map(|described| described.mean)
}

fn late(trial: &TrialRecord, phases: &[Phase]) -> Option<f64> {
    let late = |sample: &Sample| {
        let own = |phase: &&Phase| *phase.name == *sample.phase && phase.cycle == sample.cycle;
        let interval = phases.iter().find(own)?.interval.as_secs_f64();
        let reading = sample.readings.iter().find(|r| r.metric == metric::SAMPLER_LATENESS.name)?;
        (interval > 0.0).then(|| reading.value / interval)
    };
    let mut late: Vec<f64> = trial.samples.iter().filter_map(late).collect();
    late.sort_by(f64::total_cmp);
    quantile(&late, 0.95)
}

fn fewest(trial: &TrialRecord, phases: &[Phase]) -> Option<Fewest> {
    let count = |phase: &Phase| {
        let own = |sample: &&Sample| *sample.phase == *phase.name && sample.cycle == phase.cycle;
        let samples = trial.samples.iter().filter(own).count();
        Fewest { phase: phase.name.clone(), cycle: phase.cycle, samples }
    };
    phases.iter().map(count).min_by_key(|fewest| fewest.samples)
}

fn clock_step(trial: &TrialRecord) -> Option<f64> {
    let offsets = host(trial, &metric::HOST_CLOCK_OFFSET.name)?;
    let beyond = |pair: &[(f64, f64)]| {
        let ((before, from), (after, to)) = (pair[0], pair[1]);
        ((to - from).abs() - 0.1 * (after - before)).max(0.0)
    };
    offsets.points().windows(2).map(beyond).max_by(f64::total_cmp)
}

fn throttled(trial: &TrialRecord) -> Option<f64> {
    let held_back = host(trial, &metric::HOST_CPU_THROTTLED.name)?;
    Some(held_back.increase()? / held_back.span())
}

/// Cores that were busy with neither the target nor the harness, over the samples that say all three.
fn elsewhere(trial: &TrialRecord) -> Option<f64> {
    let rest = |sample: &Sample| {
        let own = |name: &str| {
            let mut readings = sample.readings.iter();
            readings.find(|r| r.metric == name && *r.source == *HOST).map(|reading| reading.value)
        };
        let usage = || sample.readings.iter().filter(|r| r.metric == metric::CPU_USAGE.name);
        let target: f64 = usage().map(|reading| reading.value).sum();
        // Without any the target was not read, and what it used would count as somebody else's.
        usage().next()?;
        Some(own(&metric::HOST_CPU_BUSY.name)? - own(&metric::HOST_CPU_HARNESS.name)? - target)
    };
    let rest: Vec<f64> = trial.samples.iter().filter_map(rest).collect();
    let mean = rest.iter().sum::<f64>() / rest.len() as f64;
    (!rest.is_empty()).then(|| mean.max(0.0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::analysis::tests::{read, trial};
    use crate::model::{Kind, Metric};
    use crate::results::SamplerCost;

    /// A trial of two phases of which `active` is sampled every 2 s, with readings of this machine and one target.
    fn busy(readings: &[(&Metric, &str, [f64; 4])]) -> TrialRecord {
        let mut trial = trial(Kind::Load, "t");
        let phase = |name: &str, sampled: bool| json!({ "name": name, "enter": "keep", "length": "8s", "sampled": sampled, "interval": "2s" });
        trial
            .metadata
            .insert("phases".into(), json!([phase("settle", false), phase("sample", true)]));
        for (index, (metric, source, values)) in readings.iter().enumerate() {
            if index == 0 {
                read(&mut trial, ("sample", 0), (metric, source), 2.0, values);
                continue;
            }
            for (sample, value) in trial.samples.iter_mut().zip(values) {
                sample.readings.push(crate::model::Reading::new(metric, &(*source).into(), *value));
            }
        }
        trial
    }

    #[test]
    fn shares_are_of_what_was_wanted_of_all_processors_and_of_the_time() {
        let facts = examine(&busy(&[
            (&metric::HOST_CPU_BUSY, HOST, [1.5; 4]),
            (&metric::HOST_CPU_STEAL, HOST, [0.5; 4]),
            (&metric::HOST_CPU_HARNESS, HOST, [0.25; 4]),
            (&metric::HOST_CPUS, HOST, [2.0; 4]),
            (&metric::CPU_USAGE, "api", [0.5; 4]),
            (&metric::CPU_USAGE, "db", [0.25; 4]),
            (&metric::HOST_CPU_THROTTLED, HOST, [3.0, 3.0, 3.3, 3.6]),
            // The clock is set back by 30 s after the second sample.
            (&metric::HOST_CLOCK_OFFSET, HOST, [0.0, 0.1, -30.0, -30.0]),
            (&metric::SAMPLER_LATENESS, "sampler", [0.0, 0.0, 0.0, 1.0]),
        ]));
        let near = |actual: Option<f64>, expected: f64| {
            assert!((actual.unwrap() - expected).abs() < 1e-9, "{actual:?} is not {expected}");
        };
        near(facts.steal, 0.25);
        near(facts.elsewhere, 0.25);
        near(facts.harness, 0.125);
        near(facts.throttled, 0.1);
        near(facts.clock_step_seconds, 29.9);
        // np.percentile([0, 0, 0, 0.5], 95)
        near(facts.late_intervals, 0.425);
        assert_eq!(facts.fewest, Some(Fewest { phase: "sample".into(), cycle: 0, samples: 4 }));
        assert_eq!(facts.missing, None);
    }

    #[test]
    fn a_target_that_was_not_read_is_nobody_elses_load() {
        let host = [
            (&metric::HOST_CPU_BUSY, HOST, [1.5; 4]),
            (&metric::HOST_CPU_HARNESS, HOST, [0.0; 4]),
            (&metric::HOST_CPUS, HOST, [2.0; 4]),
        ];
        assert_eq!(examine(&busy(&host)).elsewhere, None);
    }

    #[test]
    fn what_the_sampler_missed_is_a_share_of_what_was_due() {
        let mut trial = busy(&[]);
        trial.sampler = Some(SamplerCost { samples: 30, missed: 10, ..SamplerCost::default() });
        let facts = examine(&trial);
        assert_eq!(facts.missing, Some(0.25));
        assert_eq!(facts.fewest.unwrap().samples, 0);
    }

    #[test]
    fn a_file_that_recorded_nothing_says_nothing() {
        assert!(!examine(&trial(Kind::Load, "t")).is_known());
    }
}
