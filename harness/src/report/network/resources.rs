//! [`Used`]: what a tool under test used in a walk, or in the window of one of its tests.

use super::cases::{Case, mean, value};
use crate::model::metric::{
    CPU_TIME, CPU_USAGE, LOG_SIZE, MEMORY_RSS, MEMORY_VIRTUAL, TOOL_STARTUP_CPU, TOOL_STARTUP_TIME,
};
use crate::model::spec::network::TOOL;
use crate::model::{Metric, Sample};
use crate::results::TrialRecord;

/// What was used in the walks of a case: the mean of averages, the largest of maxima.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Used {
    /// In cores.
    pub(super) cpu_mean: Option<f64>,
    /// In cores.
    pub(super) cpu_max: Option<f64>,
    /// In bytes.
    pub(super) rss_max: Option<f64>,
    /// In bytes.
    pub(super) virtual_max: Option<f64>,
    /// Readings in all walks.
    pub(super) samples: Option<f64>,
}

/// In the window of a test, from its begin to its end; in the whole walk without one. What a tool used until it was
/// ready is in neither.
pub(super) fn used(case: &Case<'_>, test: Option<&str>) -> Used {
    let windows: Vec<Vec<&Sample>> = case.tool.iter().map(|run| window(run, test)).collect();
    let largest = |metric: &Metric, skip: usize| {
        let values = windows.iter().flat_map(|window| {
            window.iter().skip(skip).filter_map(|sample| reading(sample, metric))
        });
        values.reduce(f64::max)
    };
    let has_tool = |sample: &&&Sample| reading(sample, &MEMORY_RSS).is_some();
    let samples = windows.iter().map(|window| window.iter().filter(has_tool).count() as f64).sum();
    Used {
        cpu_mean: mean(windows.iter().filter_map(|window| cores(window))),
        // The first reading tells what was used before the window began.
        cpu_max: largest(&CPU_USAGE, 1),
        rss_max: largest(&MEMORY_RSS, 0),
        virtual_max: largest(&MEMORY_VIRTUAL, 0),
        samples: Some(samples).filter(|samples| *samples > 0.0),
    }
}

/// The size of the tool's output at the end of a walk, in bytes, as a mean.
pub(super) fn log_size(case: &Case<'_>) -> Option<f64> {
    let last =
        |run: &&TrialRecord| run.samples.iter().rev().find_map(|sample| reading(sample, &LOG_SIZE));
    mean(case.tool.iter().filter_map(last))
}

/// How long the tool took to become ready, and the processor time that it used until then, both in seconds.
pub(super) fn startup(case: &Case<'_>) -> [Option<f64>; 2] {
    [&TOOL_STARTUP_TIME, &TOOL_STARTUP_CPU]
        .map(|metric| mean(case.tool.iter().filter_map(|run| value(run, metric, None))))
}

/// The samples of a window that the traffic filled. The last one of a test is taken when its figures are there, after
/// the traffic ended.
fn window<'a>(run: &'a TrialRecord, test: Option<&str>) -> Vec<&'a Sample> {
    let of = |sample: &&Sample| test.is_none_or(|test| *sample.phase == *test);
    let ends = |sample: &&Sample| {
        let figure = |source: &str| sample.readings.iter().any(|r| *r.source == *source);
        test.is_some_and(figure)
    };
    run.samples.iter().filter(of).filter(|sample| !ends(sample)).collect()
}

/// The cores used from the first to the last reading of a window.
fn cores(window: &[&Sample]) -> Option<f64> {
    let points =
        || window.iter().filter_map(|sample| Some((sample.elapsed, reading(sample, &CPU_TIME)?)));
    let ((begin, before), (end, after)) = (points().next()?, points().next_back()?);
    (end > begin && after >= before).then(|| (after - before) / (end - begin))
}

fn reading(sample: &Sample, metric: &Metric) -> Option<f64> {
    let own = |reading: &&crate::model::Reading| {
        reading.metric == metric.name && *reading.source == *TOOL
    };
    sample.readings.iter().find(own).map(|reading| reading.value)
}
