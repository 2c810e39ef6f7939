//! The rule `leakscore`: a score from three looks at a trace, limits for it that were found by simulation, and a verdict.
//!
//! The score adds up how much better growth without end explains the blocks of a trace ([`bank`]) and two
//! rank tests for a trend ([`kendall`]), each held within bounds so that none outvotes the others. The
//! limits were set on simulated traces without a leak: 14 families of what allocators, garbage collectors, warm-ups and
//! buffers do, read every 2 s. docs/statistics.md says what that is worth.

use serde::{Deserialize, Serialize};

use super::floors::{self, FloorSlope};
use super::{LeakVerdict, bank, guard, kendall};

/// Shorter runs have no score, in seconds.
pub const SHORTEST: f64 = 60.0;
/// The shortest run that can be called a leak or clean, in seconds.
pub const DECISIVE: f64 = 240.0;
/// A run in which the last reading is missing is not shorter for it.
pub const NEARLY: f64 = 1.02;
/// Fewer readings have no score: blocks of one reading have no floor.
pub const FEWEST: usize = 24;
/// Growth surely below this per minute is none.
pub const CLEAN: f64 = 0.5;

/// What a score is held against.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Above: suspect. One in a hundred traces without a leak is, over all families.
    pub suspect: f64,
    /// Above: a leak. One in a hundred is in the worst family.
    pub leak: f64,
}

/// Limits by the seconds that a run takes at least, and the scale of the score's tail without a leak.
struct Calibrated {
    seconds: f64,
    limits: Limits,
    /// Above `suspect` the chance of a larger score falls by e for every so much: the mean excess over that limit of the
    /// scores of traces without a leak, 108 to 164 of 14,000: 1,000 of each family with seed 1, as the test
    /// `the_tails_of_scores_without_a_leak` of `selftest` counts them.
    tail: f64,
}

const fn calibrated(seconds: f64, suspect: f64, leak: f64, tail: f64) -> Calibrated {
    Calibrated { seconds, limits: Limits { suspect, leak }, tail }
}

const TABLE: [Calibrated; 5] = [
    calibrated(60.0, 41.066_867_364_361_16, 42.724_593_913_852_52, 1.38),
    calibrated(120.0, 25.292_657_278_806_093, 43.598_283_591_010_8, 8.03),
    calibrated(240.0, 18.861_720_837_644_67, 23.603_549_590_954_174, 4.11),
    calibrated(480.0, 16.858_346_261_218_37, 23.665_504_398_661_927, 4.45),
    calibrated(900.0, 16.199_785_797_504_934, 24.116_326_079_764_34, 4.14),
];

fn of_length(seconds: f64) -> &'static Calibrated {
    let fits = |row: &&Calibrated| row.seconds <= seconds * NEARLY;
    TABLE.iter().rev().find(fits).unwrap_or(&TABLE[0])
}

/// What the rule sees of one trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trace {
    /// How long it is, in seconds.
    pub seconds: f64,
    /// The score: above [`Limits`] it shows a leak.
    pub score: f64,
    /// The slope of the best model with a leak, per minute.
    pub model_slope: f64,
    /// The line through the floors of all of it.
    pub whole: FloorSlope,
    /// The same without the first 40%, which a warm-up does not reach.
    pub late: FloorSlope,
    /// How many blocks of the late part hardly differ from the one before, see [`guard::standstill`].
    pub still: Option<usize>,
}

impl Trace {
    /// Of values `step` seconds apart, in MiB or, of things that are counted, in ones; `None` where they are too few.
    #[must_use]
    pub fn of(values: &[f64], step: f64) -> Option<Self> {
        let seconds = values.len() as f64 * step;
        if values.len() < FEWEST || seconds * NEARLY < SHORTEST {
            return None;
        }
        let models = bank::compare(&floors::reduce(values), seconds);
        let few: Vec<f64> = floors::floors(values, floors::blocks(values.len(), false))
            .into_iter()
            .map(|floor| floor.1)
            .collect();
        let score = models.difference.clamp(-6.0, 30.0)
            + 1.5 * kendall::hamed_rao(values, step).clamp(-3.0, 15.0)
            + 1.5 * kendall::exact_tail(&few).clamp(-2.0, 6.0);
        let floor = |late| FloorSlope::of(values, step, late);
        let (whole, late) = (floor(false), floor(true));
        let still = guard::standstill(values, step, late.slope);
        Some(Self { seconds, score, model_slope: models.slope, whole, late, still })
    }

    /// The limits for a single trace of this length.
    #[must_use]
    pub fn limits(&self) -> Limits {
        of_length(self.seconds).limits
    }

    /// True where it is long enough to be called a leak or clean.
    #[must_use]
    pub fn is_decisive(&self) -> bool {
        self.seconds * NEARLY >= DECISIVE
    }

    /// True of growth of at least `least` per minute.
    #[must_use]
    pub fn grows(&self, least: f64) -> bool {
        self.model_slope.max(self.whole.slope) >= least
    }

    /// The one-sided 95% upper bound of the slope, of the whole trace or its late part, whichever is lower.
    #[must_use]
    pub fn bound(&self) -> f64 {
        self.whole.high().min(self.late.high())
    }

    /// The slope that is printed: of the late part, of a short run of the whole.
    #[must_use]
    pub fn slope(&self) -> FloorSlope {
        if self.is_decisive() { self.late } else { self.whole }
    }

    /// What follows from the score under these limits; what is reported is [`guard::judge`]'s.
    #[must_use]
    pub fn verdict(&self, limits: Limits, least: f64) -> LeakVerdict {
        let grows = self.grows(least);
        if self.score > limits.leak && grows && self.is_decisive() {
            LeakVerdict::Leak
        } else if self.score > limits.suspect && grows {
            LeakVerdict::Suspect
        } else if self.is_decisive() && self.bound() < CLEAN {
            LeakVerdict::Clean
        } else {
            LeakVerdict::Unknown
        }
    }
}

/// The limits of each of the traces of one trial, so that many containers do not make a false alarm more likely: Holm's
/// step-down (Scandinavian Journal of Statistics 6, 1979). The chance of a score beyond the limit falls by e per
/// `tail`, so that the k-th largest of m is held against a limit raised by `tail` ln(m - k + 1); after one that does
/// not exceed its limit, none does. A single trace keeps its limits.
#[must_use]
pub fn step_down(traces: &[Trace], least: f64) -> Vec<Limits> {
    let excess = |trace: &Trace| {
        let Calibrated { limits, tail, .. } = of_length(trace.seconds);
        // What hardly grows is no alarm whatever its score.
        if trace.grows(least) { (trace.score - limits.suspect) / tail } else { f64::NEG_INFINITY }
    };
    let mut order: Vec<usize> = (0..traces.len()).collect();
    order.sort_by(|one, other| excess(&traces[*other]).total_cmp(&excess(&traces[*one])));
    let mut raised: Vec<Limits> = traces.iter().map(Trace::limits).collect();
    // By how many times `tail` each limit is raised, once an earlier trace did not exceed it.
    let mut stopped: [Option<f64>; 2] = [None; 2];
    for (rank, index) in order.into_iter().enumerate() {
        let trace = &traces[index];
        let Calibrated { limits, tail, .. } = of_length(trace.seconds);
        let own = ((traces.len() - rank) as f64).ln();
        let mut raise = |which: usize, limit: f64| {
            let by = stopped[which].unwrap_or(own);
            let limit = limit + tail * by;
            let exceeds = trace.score > limit && trace.grows(least);
            if !exceeds && stopped[which].is_none() {
                stopped[which] = Some(by);
            }
            limit
        };
        raised[index] = Limits { suspect: raise(0, limits.suspect), leak: raise(1, limits.leak) };
    }
    raised
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trace of eight minutes with this score that surely grows.
    fn scored(score: f64) -> Trace {
        let rising: Vec<f64> = (0..240).map(f64::from).collect();
        Trace { score, ..Trace::of(&rising, 2.0).unwrap() }
    }

    #[test]
    fn one_container_keeps_its_limits_and_many_raise_them_step_by_step() {
        let table = of_length(480.0);
        let raised = |scores: &[f64]| -> Vec<f64> {
            let traces: Vec<Trace> = scores.iter().map(|score| scored(*score)).collect();
            let limits = step_down(&traces, 0.25).into_iter();
            limits.map(|limits| (limits.suspect - table.limits.suspect) / table.tail).collect()
        };
        let close = |actual: Vec<f64>, expected: &[f64]| {
            assert_eq!(actual.len(), expected.len());
            for (actual, expected) in actual.iter().zip(expected) {
                assert!((actual - expected).abs() < 1e-9, "{actual} {expected}");
            }
        };
        close(raised(&[20.0]), &[0.0]);
        close(raised(&[60.0, 50.0, 0.0]), &[3_f64.ln(), 2_f64.ln(), 0.0]);
        // The second stops; the third is held against no less.
        close(raised(&[17.0, 60.0, 16.9]), &[2_f64.ln(), 3_f64.ln(), 2_f64.ln()]);
    }

    #[test]
    fn twenty_quiet_containers_and_a_borderline_one_raise_no_alarm() {
        let limits = of_length(480.0).limits;
        let alone = scored(limits.suspect + 0.1);
        assert_eq!(alone.verdict(step_down(&[alone], 0.25)[0], 0.25), LeakVerdict::Suspect);
        let mut many = vec![scored(0.0); 20];
        many.push(alone);
        let raised = step_down(&many, 0.25);
        assert_ne!(alone.verdict(raised[20], 0.25), LeakVerdict::Suspect);
        let sure = scored(60.0);
        many.push(sure);
        assert_eq!(sure.verdict(step_down(&many, 0.25)[21], 0.25), LeakVerdict::Leak);
    }

    #[test]
    fn a_run_is_held_against_the_limits_of_the_length_that_it_reaches() {
        for (seconds, row) in
            [(10.0, 0), (60.0, 0), (119.0, 1), (200.0, 1), (238.0, 2), (3600.0, 4)]
        {
            assert_eq!(of_length(seconds).limits, TABLE[row].limits, "{seconds}");
        }
    }
}
