//! Which family the points support: `choose` picks one, `keep_plausible` those that they do not rule out.
//!
//! R² is no criterion: it never falls when a coefficient is added. From twelve points on the choice goes by Akaike's
//! criterion for small samples (Hurvich & Tsai, Biometrika 76(2), 1989; Burnham & Anderson, "Model Selection and
//! Multimodel Inference", 2nd edition, 2002, 2.4), and what it prefers must also foretell levels that it has not seen.
//! With fewer points the criterion is undefined or decides nothing, and foretelling decides alone (leave-one-out:
//! Stone, J. R. Stat. Soc. B 36(2), 1974; a whole level is left out, because its repetitions repeat its deviation).

use super::family::Family;
use super::points::Points;
use super::profile::{self, Curve};
use crate::analysis::describe::mean;

/// From so many points on AICc decides.
const ENOUGH: usize = 12;
/// A family with more coefficients must be better by this much AICc: less is not told apart by the data.
const CLEARLY: f64 = 2.0;
/// A logarithm must be better than a line by this much AICc.
const SLIGHTLY: f64 = 1.0;
/// With few points a family with more coefficients must foretell with less than this fraction of the error.
const PARSIMONY: f64 = 0.75;
/// Families this close to the best one in AICc are not ruled out (Burnham & Anderson, 2.6: "considerably less
/// support" begins at 4 to 7).
const PLAUSIBLE: f64 = 6.0;
/// With few points, those that foretell with at most this many times the least error.
const PLAUSIBLE_ERROR: f64 = 2.0;
/// Relative errors below this are rounding: comparing them would be chance.
const ROUNDING: f64 = 1e-9;

/// A curve and what the points say of its family.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The curve.
    pub curve: Curve,
    /// Akaike's criterion for small samples; the smaller the better.
    pub aicc: Option<f64>,
    /// The root mean square of relative errors at levels that were left out.
    pub left_out: Option<f64>,
    /// The Akaike weight.
    pub weight: Option<f64>,
    /// True where the points do not rule the family out.
    pub plausible: bool,
}

impl Candidate {
    pub(super) fn of(curve: Curve, points: &Points) -> Self {
        let n = points.len() as f64;
        // The variance is estimated too.
        let k = curve.family.coefficients() as f64 + 1.0;
        let squares = curve.squares.max(n * ROUNDING * ROUNDING);
        let aicc = n * (squares / n).ln() + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0);
        let left_out = left_out(curve.family, points).map(|error| error.max(ROUNDING));
        let aicc = (n > k + 1.0).then_some(aicc);
        Self { curve, aicc, left_out, weight: None, plausible: false }
    }

    fn complexity(&self) -> usize {
        self.curve.family.coefficients()
    }
}

/// The error at levels that were left out, one by one: the end levels count as extrapolation.
fn left_out(family: Family, points: &Points) -> Option<f64> {
    let levels = points.levels();
    if levels.len() <= family.coefficients() {
        return None;
    }
    let mut sum = 0.0;
    for (x, range) in &levels {
        let others = points.without(range)?;
        let foretold = profile::fit(family, &others, false)?.at(*x);
        let values = points.values(range);
        let size = points.size_of(mean(values)?);
        sum += mean(&values.iter().map(|y| ((y - foretold) / size).powi(2)).collect::<Vec<_>>())?;
    }
    Some((sum / levels.len() as f64).sqrt())
}

/// Gives every family its Akaike weight, where there are enough points for it to mean something.
pub(super) fn weigh(candidates: &mut [Candidate], n: usize) {
    let lowest =
        candidates.iter().filter_map(|candidate| candidate.aicc).fold(f64::INFINITY, f64::min);
    let likelihood =
        |candidate: &Candidate| candidate.aicc.map(|aicc| (-(aicc - lowest) / 2.0).exp());
    let total: f64 = candidates.iter().filter_map(likelihood).sum();
    for candidate in candidates.iter_mut().filter(|_| n >= ENOUGH) {
        candidate.weight = likelihood(candidate).map(|likelihood| likelihood / total);
    }
}

/// The index of the family that the points support best, of candidates from the simplest to the most complex; `None`
/// only for no candidates.
pub(super) fn choose(candidates: &[Candidate], n: usize) -> Option<usize> {
    let constant = (!candidates.is_empty()).then_some(0)?;
    let of = |complexity: usize| {
        (0..candidates.len()).filter(move |i| candidates[*i].complexity() == complexity)
    };
    let aicc = |index: usize| candidates[index].aicc.unwrap_or(f64::INFINITY);
    let error = |index: usize| candidates[index].left_out.unwrap_or(f64::INFINITY);
    let two = |score: &dyn Fn(usize) -> f64| of(2).min_by(|p, q| score(*p).total_cmp(&score(*q)));
    let three = |score: &dyn Fn(usize) -> f64| of(3).min_by(|p, q| score(*p).total_cmp(&score(*q)));
    let Some(simple) = two(&aicc) else { return Some(constant) };
    if n >= ENOUGH {
        let line = of(2).next().unwrap_or(simple);
        let simple = if aicc(line) - aicc(simple) < SLIGHTLY { line } else { simple };
        let best = three(&aicc).filter(|complex| {
            aicc(simple) - aicc(*complex) >= CLEARLY && error(*complex) <= error(simple)
        });
        let best = best.unwrap_or(simple);
        return Some(if aicc(constant) - aicc(best) < CLEARLY { constant } else { best });
    }
    let simple = two(&error).unwrap_or(simple);
    if error(simple).is_infinite() {
        // Two levels leave nothing to foretell one from; the line between them is what there is to say.
        let (flat, sloped) = (&candidates[constant], &candidates[simple]);
        let better = match (flat.aicc, sloped.aicc) {
            (Some(flat), Some(sloped)) => flat - sloped >= CLEARLY,
            _ => flat.curve.squares > n as f64 * ROUNDING * ROUNDING,
        };
        return Some(if better { simple } else { constant });
    }
    let best = three(&error).filter(|complex| error(*complex) < PARSIMONY * error(simple));
    let best = best.unwrap_or(simple);
    Some(if error(best) < PARSIMONY * error(constant) { best } else { constant })
}

/// Marks the families that the points do not rule out; the chosen one is always among them.
pub(super) fn keep_plausible(candidates: &mut [Candidate], best: usize, n: usize) {
    let least = |score: fn(&Candidate) -> Option<f64>| {
        candidates.iter().filter_map(score).fold(f64::INFINITY, f64::min)
    };
    let (aicc, error) = (least(|candidate| candidate.aicc), least(|candidate| candidate.left_out));
    for (index, candidate) in candidates.iter_mut().enumerate() {
        let close = if n >= ENOUGH {
            candidate.aicc.is_some_and(|own| own - aicc <= PLAUSIBLE)
        } else {
            candidate.left_out.is_some_and(|own| own <= PLAUSIBLE_ERROR * error)
        };
        candidate.plausible = close || index == best;
    }
}
