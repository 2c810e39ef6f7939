//! [`judge`]: what an alarm of the rule [`leakscore`](super::leakscore) has to stand up to before it is reported.
//!
//! The score's models are smooth growth and one step or two. An allocator's high-water mark is none of these: it stands
//! still until a peak is higher than all before it, which is ever more rare (the largest of n values of noise grows like
//! the square root of 2 ln n). For the length of a run its few steps look like a line. So an alarm has two questions more
//! to answer, both on the part after the first 40%, which warm-ups do not reach: does it still grow, and does it most of
//! the time? Where it does not, the run cannot tell it from growth that ends.
//!
//! The numbers here were set on simulated traces of seeds 1 and 7; docs/statistics.md says what they cost.

use serde::Serialize;

use super::LeakVerdict;
use super::floors::{late, per_block};
use super::leakscore::{Limits, NEARLY, Trace};

/// In how many blocks the late part is looked at.
const BLOCKS: usize = 16;
/// From block to block there are so many moves.
const MOVES: usize = BLOCKS - 1;
/// The mean of fewer readings is hardly quieter than one of them.
const FEWEST_PER_BLOCK: usize = 2;
/// A block whose mean differs from the last by less than this part of what the slope asks stands still.
const STILL: f64 = 0.5;
/// Where this many of the moves are none, growth is in steps. A line with noise on it does not come near: whatever the
/// scatter, at most one in four of its moves is as small.
const STEPS: usize = 10;
/// Runs below this many seconds hardly see a buffer or a warm-up end.
const LONG: f64 = 480.0;
/// They are called a leak where the score is above the limit by this much.
const SHORT_MARGIN: f64 = 3.0;

/// Why growth is not reported as what its score says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// After the first 40% of the run it no longer grows by as much as a leak has to.
    Ended,
    /// It grows in few steps and stands still between them.
    Steps {
        /// How many blocks of the late part hardly differ from the one before.
        still: usize,
        /// Of how many.
        of: usize,
    },
}

/// What is reported of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: LeakVerdict,
    /// What the score was held against.
    pub limits: Limits,
    /// Why the verdict is not that of the score.
    pub doubt: Option<Doubt>,
}

/// The verdict under the limits for this trace among those of its trial ([`step_down`](super::leakscore::step_down)):
/// an alarm in doubt is `unknown`. Slower growth than `least` per minute is none. Too short runs are left as they are,
/// they are never called a leak.
#[must_use]
pub fn judge(trace: &Trace, limits: Limits, least: f64) -> Judgement {
    let short = trace.seconds * NEARLY < LONG;
    let margin = if short { SHORT_MARGIN } else { 0.0 };
    let limits = Limits { leak: limits.leak + margin, ..limits };
    let verdict = trace.verdict(limits, least);
    let is_alarm = matches!(verdict, LeakVerdict::Leak | LeakVerdict::Suspect);
    let doubt = if is_alarm && trace.is_decisive() { doubt(trace, least) } else { None };
    let verdict = if doubt.is_some() { LeakVerdict::Unknown } else { verdict };
    Judgement { verdict, limits, doubt }
}

fn doubt(trace: &Trace, least: f64) -> Option<Doubt> {
    if trace.late.slope < least {
        return Some(Doubt::Ended);
    }
    let still = trace.still.filter(|still| *still >= STEPS)?;
    Some(Doubt::Steps { still, of: MOVES })
}

/// How many of the moves from block to block of the late part of values `step` seconds apart are less than half of what
/// `slope` per minute asks; `None` of too few values.
#[must_use]
pub fn standstill(values: &[f64], step: f64, slope: f64) -> Option<usize> {
    let late = late(values);
    if late.len() < BLOCKS * FEWEST_PER_BLOCK {
        return None;
    }
    // About the first value, so that a high level costs no digits.
    let mean = |_, block: &[f64]| {
        block.iter().map(|value| value - late[0]).sum::<f64>() / block.len() as f64
    };
    let means = per_block(late, BLOCKS, mean);
    let asked = slope / 60.0 * step * late.len() as f64 / BLOCKS as f64;
    let is_still = |pair: &&[f64]| (pair[1] - pair[0]).abs() < STILL * asked;
    Some(means.windows(2).filter(is_still).count())
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
