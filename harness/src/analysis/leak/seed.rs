//! The rule `seed`: the original framework's bands of a least-squares slope, held back by the interval of that slope.
//! The interval supposes independent readings and is too narrow for real memory.

use std::time::Duration;

use super::{Band, LeakVerdict};
use crate::analysis::digits::short;
use crate::analysis::regression::Line;
use crate::analysis::series::Series;
use crate::model::rules::{LeakGate, LeakRule};

/// Where a slope lies, in the limits' unit.
pub(super) fn band(rule: &LeakRule, slope: f64) -> Band {
    // A scenario may set its leak limit below the watch limit, and above it growth is a leak all the same.
    if slope > rule.leak.value {
        Band::Leak
    } else if slope < rule.watch.value {
        Band::Normal
    } else {
        Band::Watch
    }
}

pub(super) fn conclude(
    rule: &LeakRule,
    line: Option<&Line>,
    series: &Series,
) -> (LeakVerdict, String) {
    use LeakVerdict::{Clean, Leak, Suspect, Unknown};
    let LeakRule { gate, watch, leak, gross, certain, shortest, .. } = rule;
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
