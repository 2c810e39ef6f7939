//! [`Series`]: one metric of one source over time, in the form that statistics rely on.

use std::collections::BTreeMap;

use crate::analysis::describe::Description;
use crate::analysis::regression::Line;
use crate::model::{Metric, Sample, metric};
use crate::results::TrialRecord;

/// Readings of one metric of one source: at least one, every number finite, time strictly increasing.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    points: Vec<(f64, f64)>,
}

impl Series {
    /// Takes over points (seconds, value in the metric's base unit). A point that is not finite, or not later than
    /// the one before it, is left out, as a wall clock that stepped back writes; `None` where nothing is left.
    pub fn of(points: impl IntoIterator<Item = (f64, f64)>) -> Option<Self> {
        let mut kept: Vec<(f64, f64)> = Vec::new();
        for (time, value) in points {
            let later = kept.last().is_none_or(|last| time > last.0);
            if time.is_finite() && value.is_finite() && later {
                kept.push((time, value));
            }
        }
        (!kept.is_empty()).then_some(Self { points: kept })
    }

    /// The points (seconds, value).
    #[must_use]
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// How many points there are, at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a series is never empty")]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// The values, in order of time.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        self.points.iter().map(|point| point.1).collect()
    }

    /// The last value.
    #[must_use]
    pub fn last(&self) -> f64 {
        self.points[self.points.len() - 1].1
    }

    /// Seconds from the first point to the last.
    #[must_use]
    pub fn span(&self) -> f64 {
        self.points[self.points.len() - 1].0 - self.points[0].0
    }

    /// Location, spread and tail of the values.
    #[must_use]
    pub fn describe(&self) -> Option<Description> {
        Description::of(&self.values())
    }

    /// The least-squares line, its slope per second; `None` of one point.
    #[must_use]
    pub fn line(&self) -> Option<Line> {
        Line::through(&self.points)
    }

    /// The last value less the first; `None` of one point.
    #[must_use]
    pub fn change(&self) -> Option<f64> {
        (self.points.len() > 1).then(|| self.last() - self.points[0].1)
    }

    /// How far a counter went from the first point to the last; `None` of one point. A counter only falls when its
    /// source started anew from 0, so that after a fall the value itself is what was added, as Prometheus'
    /// `increase` has it. What was counted between the last reading and the restart is lost.
    #[must_use]
    pub fn increase(&self) -> Option<f64> {
        let step = |pair: &[(f64, f64)]| {
            let (before, after) = (pair[0].1, pair[1].1);
            if after < before { after } else { after - before }
        };
        (self.points.len() > 1).then(|| self.points.windows(2).map(step).sum())
    }
}

/// The metrics of the catalog that only ever grow while their source lives.
const COUNTERS: &[Metric] = &[
    metric::CPU_TIME,
    metric::CPU_THROTTLED,
    metric::NETWORK_RECEIVED,
    metric::NETWORK_SENT,
    metric::DISK_READ,
    metric::DISK_WRITTEN,
    metric::OOM_KILLS,
    metric::HOST_CPU_THROTTLED,
];

/// True of a metric that counts since its source started.
#[must_use]
pub fn is_counter(name: &str) -> bool {
    COUNTERS.iter().any(|counter| counter.name == name)
}

/// A metric's series by source, from the samples that are `wanted`.
#[must_use]
pub fn by_source<'a>(
    trial: &'a TrialRecord,
    metric: &str,
    wanted: impl Fn(&Sample) -> bool,
) -> BTreeMap<&'a str, Series> {
    let mut sources: Vec<(&str, Vec<(f64, f64)>)> = Vec::new();
    for sample in trial.samples.iter().filter(|sample| wanted(sample)) {
        // Sources come in the same order in every sample: the next one is almost always the one looked for.
        let mut next = 0;
        for reading in sample.readings.iter().filter(|reading| reading.metric == metric) {
            let source = &*reading.source;
            if sources.get(next).is_none_or(|slot| slot.0 != source) {
                next = sources.iter().position(|slot| slot.0 == source).unwrap_or_else(|| {
                    sources.push((source, Vec::new()));
                    sources.len() - 1
                });
            }
            sources[next].1.push((sample.elapsed, reading.value));
            next += 1;
        }
    }
    let sources = sources.into_iter();
    sources.filter_map(|(source, points)| Some((source, Series::of(points)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_keeps_what_is_finite_and_later() {
        let check = |points: &[(f64, f64)], kept: &[(f64, f64)]| {
            let series = Series::of(points.iter().copied());
            assert_eq!(series.as_ref().map_or(&[][..], |series| series.points()), kept);
        };
        check(&[], &[]);
        check(&[(f64::NAN, 1.0), (1.0, f64::INFINITY)], &[]);
        check(&[(1.0, 5.0), (1.0, 6.0), (0.5, 7.0), (2.0, 8.0)], &[(1.0, 5.0), (2.0, 8.0)]);
    }

    #[test]
    fn a_counter_that_starts_anew_goes_on_from_zero() {
        let check = |values: &[f64], increase: Option<f64>, change: Option<f64>| {
            let points = values.iter().enumerate().map(|(time, value)| (time as f64, *value));
            let series = Series::of(points).unwrap();
            assert_eq!((series.increase(), series.change()), (increase, change), "{values:?}");
        };
        check(&[5.0], None, None);
        check(&[5.0, 7.0, 7.0, 10.0], Some(5.0), Some(5.0));
        check(&[5.0, 7.0, 1.0, 4.0], Some(6.0), Some(-1.0));
        check(&[5.0, 0.0], Some(0.0), Some(-5.0));
    }

    #[test]
    fn counters_are_in_the_catalog() {
        for counter in COUNTERS {
            assert!(metric::find(&counter.name).is_some(), "{}", counter.name);
        }
        assert!(is_counter("cpu.time") && !is_counter("memory.anon"));
    }
}
