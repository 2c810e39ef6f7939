//! What the curve says where nothing was measured: [`Curves::predict`] and [`Curves::capacity`].
//!
//! The interval of a [`Prediction`] is for the mean of one more run at that load, and is the envelope of the intervals
//! of all plausible families: an interval of the chosen one alone forgets that another might have been chosen, and
//! covers 70 to 85 times of 100 what it should cover 95 times (Chatfield, J. R. Stat. Soc. A 158(3), 1995). Each
//! family's own is the delta method with Student's t (Bates & Watts, "Nonlinear Regression Analysis", 1988, 2.3).
//! Beyond twice the largest level nothing is said.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::Curves;
use super::profile::Curve;
use crate::analysis::digits::short;

/// How far beyond the largest level a curve is followed, as a multiple of that level.
pub const FARTHEST: f64 = 2.0;
/// From here on a value is extrapolated, as a multiple of the largest level: it is said with a warning.
pub const FAR: f64 = 1.5;

/// What a curve says of one load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// Live agents over all groups.
    pub agents: f64,
    /// The memory in MiB; absent beyond twice the largest level.
    pub memory_mb: Option<f64>,
    /// Where the mean of one more run at this load lies with 95% confidence, in MiB; absent where there are as many
    /// coefficients as points.
    pub interval: Option<[f64; 2]>,
}

/// The load at which a limit is reached.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Capacity {
    /// The limit in MiB.
    pub limit_mb: f64,
    /// Who set the limit: `memory.limit`, `load.capacity` or the command line.
    pub limit_from: String,
    /// Live agents over all groups; absent where the limit is not reached within twice the largest level.
    pub agents: Option<f64>,
    /// The 95% interval; an end is absent where the envelope does not reach the limit within twice the largest level.
    pub interval: Option<[Option<f64>; 2]>,
    /// The answer in one sentence.
    pub reason: String,
}

impl Curves {
    /// What the chosen curve says of a load, with the envelope of all plausible ones.
    #[must_use]
    pub fn predict(&self, agents: f64) -> Prediction {
        let within = (0.0..=FARTHEST * self.points.highest()).contains(&agents);
        if !within {
            return Prediction { agents, memory_mb: None, interval: None };
        }
        let memory_mb = Some(self.chosen().at(agents));
        Prediction { agents, memory_mb, interval: self.envelope(agents) }
    }

    /// The load at which the curve reaches a limit (MiB); `limit_from` says whose limit it is.
    #[must_use]
    pub fn capacity(&self, limit_mb: f64, limit_from: &str) -> Capacity {
        let lowest = self.points.x()[0];
        let most = FARTHEST * self.points.highest();
        let first = |value: &dyn Fn(f64) -> Option<f64>| crossing([0.0, most], limit_mb, value);
        let agents = first(&|x| Some(self.chosen().at(x)));
        let end = |index: usize| first(&|x| self.envelope(x).map(|ends| ends[index]));
        let interval = self.envelope(lowest).map(|_| [end(1), end(0)]);
        let shown = |agents: f64| format!("{:.0}", agents.floor());
        let limit = short(limit_mb);
        let reason = match (agents, interval) {
            (Some(at), _) if at <= 0.0 => format!("{limit} MiB is less than it takes without load"),
            (Some(at), Some([low, high])) => format!(
                "at {limit} MiB: {} agents [{}, {}]",
                shown(at),
                low.map_or_else(|| "0".to_owned(), shown),
                high.map_or_else(|| format!("more than {}", shown(most)), shown),
            ),
            (Some(at), None) => format!("at {limit} MiB: {} agents, with no interval", shown(at)),
            (None, Some([Some(low), _])) => format!(
                "{limit} MiB is not reached at {} agents, twice the largest level, and not before {} agents at 95%",
                shown(most),
                shown(low),
            ),
            (None, _) => {
                format!(
                    "{limit} MiB is not reached at {} agents, twice the largest level",
                    shown(most)
                )
            }
        };
        Capacity { limit_mb, limit_from: limit_from.to_owned(), agents, interval, reason }
    }

    /// The lowest and highest end of the intervals of all plausible families.
    fn envelope(&self, x: f64) -> Option<[f64; 2]> {
        let mut ends = self.reach(self.chosen(), x).map(|reach| {
            let middle = self.chosen().at(x);
            [middle - reach, middle + reach]
        })?;
        for candidate in self.candidates.iter().filter(|candidate| candidate.plausible) {
            let middle = candidate.curve.at(x);
            // A curve through all points has no interval of its own, and is a possibility all the same.
            let reach = self.reach(&candidate.curve, x).unwrap_or(0.0);
            ends = [ends[0].min(middle - reach), ends[1].max(middle + reach)];
        }
        ends.iter().all(|end| end.is_finite()).then_some(ends)
    }

    /// Half the width of one family's interval.
    fn reach(&self, curve: &Curve, x: f64) -> Option<f64> {
        let scatter = curve.scatter()?;
        let t = StudentsT::new(0.0, 1.0, curve.freedom() as f64).ok()?.inverse_cdf(0.975);
        let own = self.points.size_of(curve.at(x)).powi(2);
        Some(t * scatter * (own + curve.variance(x)?).sqrt())
    }
}

/// The first x at which a function passes a limit from below; the start where it is at the limit there already.
fn crossing([from, to]: [f64; 2], limit: f64, value: &dyn Fn(f64) -> Option<f64>) -> Option<f64> {
    const STEPS: u32 = 200;
    let beyond = |x: f64| value(x).is_some_and(|value| value >= limit);
    let at = |step: u32| from + (to - from) * f64::from(step) / f64::from(STEPS);
    let first = (0..=STEPS).find(|step| beyond(at(*step)))?;
    if first == 0 {
        return Some(from);
    }
    let (mut low, mut high) = (at(first - 1), at(first));
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if beyond(middle) { high = middle } else { low = middle }
    }
    Some(high)
}
