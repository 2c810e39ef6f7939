//! A knee: the load from which memory grows faster, [`Curves::knee`].

use super::Curves;
use super::points::Points;
use super::profile::search;
use crate::analysis::least_squares::solve;

/// By how much two pieces must be better than one curve, in Schwarz's criterion ("strong evidence": Kass & Raftery,
/// J. Am. Stat. Assoc. 90, 1995).
const STRONGLY: f64 = 6.0;
/// Distinct levels on each side.
const SIDE: usize = 3;
/// How many places between the outer levels are tried before the search narrows.
const PLACES: usize = 60;

impl Curves {
    /// The agents at which two straight pieces that meet there describe the points strongly better than the chosen
    /// curve and than one line do; `None` without such a place, or without three levels on each side of it.
    #[must_use]
    pub fn knee(&self) -> Option<f64> {
        let (place, squares) = pieces(&self.points)?;
        let n = self.points.len() as f64;
        let criterion = |squares: f64, coefficients: usize| {
            n * (squares.max(n * 1e-18) / n).ln() + coefficients as f64 * n.ln()
        };
        let one = |candidate: &super::Candidate| {
            criterion(candidate.curve.squares, candidate.curve.family.coefficients())
        };
        let smooth = self.candidates.iter().map(one).fold(f64::INFINITY, f64::min);
        (smooth - criterion(squares, 4) > STRONGLY).then_some(place)
    }
}

/// The place where two pieces meet best, and the squares that they leave.
fn pieces(points: &Points) -> Option<(f64, f64)> {
    let levels: Vec<f64> = points.levels().into_iter().map(|level| level.0).collect();
    if levels.len() < 2 * SIDE {
        return None;
    }
    // The pieces meet between the third level and the third from the end, so that three levels lie on each side.
    let (from, to) = (levels[SIDE - 1], levels[levels.len() - SIDE]);
    let step = (to - from) / (PLACES - 1) as f64;
    let places: Vec<f64> = (0..PLACES).map(|index| from + step * index as f64).collect();
    let y = points.scaled();
    let (ones, line) = (points.column(|_| 1.0), points.column(|x| x));
    let bent = |place: f64| {
        solve(&[ones.clone(), line.clone(), points.column(|x| (x - place).max(0.0))], &y)
    };
    let (place, solution, _) = search(&places, bent)?;
    // A curve that levels off has no knee.
    (solution.coefficients[2] > 0.0).then_some((place, solution.residual_squares))
}
