//! [`statistic`]: what a series comes to, by the statistics that thresholds and comparisons name.

use crate::analysis::describe::{Description, quantile};
use crate::analysis::series::{Series, is_counter};
use crate::model::Stat;

/// A statistic of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// In the metric's base unit; per second where the statistic is a rate.
    pub value: f64,
    /// The 95% interval, of slopes.
    pub interval: Option<[f64; 2]>,
    /// From how many readings.
    pub n: usize,
}

/// The statistic in base units.
///
/// # Errors
/// Why the series has none, in words.
pub fn statistic(stat: Stat, metric: &str, series: &Series) -> Result<Measured, String> {
    let least = match stat {
        Stat::Slope => 3,
        Stat::Change | Stat::Rate => 2,
        _ => 1,
    };
    let n = series.len();
    let too_few = || format!("a {stat} needs {least} readings, there are {n}");
    if n < least {
        return Err(too_few());
    }
    let described = |get: fn(Description) -> f64| series.describe().map(get);
    let counted = || if is_counter(metric) { series.increase() } else { series.change() };
    let mut interval = None;
    let value = match stat {
        Stat::Mean => described(|d| d.mean),
        Stat::Min => described(|d| d.min),
        Stat::Max => described(|d| d.max),
        Stat::Percentile(percent) => {
            let mut sorted = series.values();
            sorted.sort_by(f64::total_cmp);
            quantile(&sorted, percent / 100.0)
        }
        Stat::Slope => series.line().map(|line| {
            interval = line.slope_interval;
            line.slope
        }),
        Stat::Change => counted(),
        Stat::Count => Some(n as f64),
        // Of a gauge the plain difference; a counter may have started anew in between.
        Stat::Rate => counted().map(|change| change / series.span()),
    };
    let value = value.ok_or_else(too_few)?;
    Ok(Measured { value, interval, n })
}
