//! Curves of memory against agents: [`Curves`] holds every family that the points can bear, fitted, and the one that
//! they support best.
//!
//! Every family is linear in all but one coefficient, so the fit is a search in one dimension with a small linear
//! problem solved at each step ([`profile`]); there are no start values and nothing can fail to converge. [`select`]
//! chooses among the families, and [`interval`] says how far the choice can be relied on beyond the points.

pub mod family;
pub mod interval;
pub mod knee;
pub mod profile;
pub mod select;
pub mod warning;

mod points;

use serde::{Deserialize, Serialize};

pub use family::{Coefficients, Family};
pub use interval::{Capacity, Prediction};
pub use warning::Warning;

use crate::analysis::regression::r_squared;
use points::Points;
use profile::Curve;
use select::Candidate;

/// One family fitted to points of (agents, MiB).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// The shape.
    #[serde(rename = "fit_type")]
    pub family: Family,
    /// The function for people, `memory_mb = 2.45 * agents + 312.5`, its coefficients rounded.
    pub formula: String,
    /// `1 - SSres / SStot`, 0 to 1; 0 when the memory does not vary.
    pub r_squared: f64,
    /// The function for programs, not rounded.
    pub coefficients: Coefficients,
    /// The sum of squared residuals (MiB²), every point counting alike.
    pub residual_squares: f64,
    /// How many points were used.
    pub n: usize,
    /// The scatter of the points about the curve as a fraction of their size; absent where the curve has as many
    /// coefficients as there are points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scatter: Option<f64>,
    /// Akaike's criterion for small samples; absent where there are too few points for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aicc: Option<f64>,
    /// How far the curve through the other levels is from a level that was left out, as a fraction of it, root mean
    /// square over levels; absent where the other levels do not bear the family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out_error: Option<f64>,
    /// The weight of evidence for the family among all of them, 0 to 1; absent below twelve points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// True where the points do not rule the family out.
    #[serde(default)]
    pub plausible: bool,
    /// True where the exponent or rate is at the end of the range that was searched.
    #[serde(default)]
    pub at_bound: bool,
}

impl Fit {
    /// The memory (MiB) that the fitted function gives for so many agents.
    #[must_use]
    pub fn at(&self, agents: f64) -> f64 {
        self.coefficients.at(self.family, agents)
    }
}

/// Every family that the points can bear, fitted, and what the points say of each.
#[derive(Clone, Debug)]
pub struct Curves {
    points: Points,
    /// From the simplest to the most complex.
    candidates: Vec<Candidate>,
    /// The index of the family that the points support best.
    best: usize,
}

impl Curves {
    /// Fits points of (agents, MiB).
    ///
    /// A constant takes one point, a line and a logarithm two distinct x, a power and an exponential three. A point
    /// with a negative x or a coordinate that is not finite is left out, which [`Fit::n`] tells; `None` where none is
    /// left. Points count by the square of their relative error, because each level is a run of its own and errors
    /// grow with what is measured.
    #[must_use]
    pub fn through(points: &[(f64, f64)]) -> Option<Self> {
        let points = Points::of(points)?;
        let bearable = |family: &Family| family.coefficients() <= points.levels().len();
        let mut candidates: Vec<Candidate> = Family::ALL
            .into_iter()
            .filter(bearable)
            .filter_map(|family| profile::fit(family, &points, true))
            .map(|curve| Candidate::of(curve, &points))
            .collect();
        select::weigh(&mut candidates, points.len());
        let best = select::choose(&candidates, points.len())?;
        select::keep_plausible(&mut candidates, best, points.len());
        Some(Self { points, candidates, best })
    }

    /// The fit that the points support best.
    #[must_use]
    pub fn best(&self) -> Fit {
        self.fit(&self.candidates[self.best])
    }

    /// All fits, the chosen one first, the others by falling R².
    #[must_use]
    pub fn fits(&self) -> Vec<Fit> {
        let others = self.candidates.iter().enumerate().filter(|(index, _)| *index != self.best);
        let mut others: Vec<Fit> = others.map(|(_, candidate)| self.fit(candidate)).collect();
        others.sort_by(|p, q| q.r_squared.total_cmp(&p.r_squared));
        others.insert(0, self.best());
        others
    }

    fn chosen(&self) -> &Curve {
        &self.candidates[self.best].curve
    }

    fn fit(&self, candidate: &Candidate) -> Fit {
        let curve = &candidate.curve;
        let (family, coefficients) = (curve.family, curve.coefficients());
        let residuals = self.points.pairs().map(|(x, y)| (y - curve.at(x)).powi(2));
        let residual_squares: f64 = residuals.sum();
        Fit {
            family,
            formula: family.formula(coefficients, self.points.largest()),
            r_squared: r_squared(residual_squares, self.points.total_squares()),
            coefficients,
            residual_squares,
            n: self.points.len(),
            scatter: curve.scatter(),
            aicc: candidate.aicc,
            left_out_error: candidate.left_out,
            weight: candidate.weight,
            plausible: candidate.plausible,
            at_bound: curve.at_bound,
        }
    }
}

#[cfg(test)]
mod tests;
