//! Fitting one family by profiling its nonlinear coefficient: `fit` gives a [`Curve`].
//!
//! For a given exponent or rate the rest is a linear problem of two columns: variable projection (Golub & Pereyra,
//! SIAM J. Numer. Anal. 10(2), 1973). A grid finds the valley, golden sections (Kiefer, Proc. Amer. Math. Soc. 4(3),
//! 1953) its floor, and Levenberg-Marquardt steps the last digits. The term in x has the form of Box & Cox,
//! `(u^b - 1) / b` and `(e^(b u) - 1) / b` with `u = x / largest x`, which goes over into a logarithm or a line where
//! b comes near 0, so that the columns stay apart.

use super::family::{Coefficients, Family};
use super::points::Points;
use crate::analysis::least_squares::{Solution, solve};
use crate::analysis::nonlinear;

/// How many exponents or rates are tried before the search narrows.
const GRID: usize = 25;
/// Exponents that a power may have. Beyond them it is a logarithm or a step at the last point.
pub(super) const EXPONENTS: [f64; 2] = [0.05, 4.0];
/// How many times e an exponential may turn over between 0 and the largest x, at least and at most. Below, it is a
/// line with huge cancelling coefficients; above, it passes through the last point whatever the others are.
pub(super) const TURNS: [f64; 2] = [0.1, 8.0];

/// One family fitted.
#[derive(Clone, Debug)]
pub struct Curve {
    /// The shape.
    pub family: Family,
    /// True where the exponent or rate is at the end of its range.
    pub at_bound: bool,
    /// The sum of squared relative residuals.
    pub squares: f64,
    /// How many points were fitted.
    pub n: usize,
    /// What x is divided by: the largest.
    unit: f64,
    /// The nonlinear coefficient, of `x / unit`.
    shape: f64,
    /// What multiplies 1 and the term in x.
    linear: [f64; 2],
    /// The linearized problem at the optimum, for the variance of what the curve says.
    linearized: Option<Solution>,
}

impl Curve {
    /// The value at x.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        self.linear[0] + self.linear[1] * term(self.family, x / self.unit, self.unit, self.shape)
    }

    /// Points less coefficients.
    #[must_use]
    pub fn freedom(&self) -> usize {
        self.n.saturating_sub(self.family.coefficients())
    }

    /// The scatter of the points about the curve, relative to their size; `None` without a degree of freedom.
    #[must_use]
    pub fn scatter(&self) -> Option<f64> {
        (self.freedom() > 0).then(|| (self.squares / self.freedom() as f64).sqrt())
    }

    /// The coefficients under the names of results files.
    #[must_use]
    pub fn coefficients(&self) -> Coefficients {
        let ([offset, factor], shape) = (self.linear, self.shape);
        let outer = factor / shape;
        match self.family {
            // Adding 0 takes the sign from a zero.
            Family::Constant => Coefficients { a: offset + 0.0, b: None, c: None },
            Family::Linear => Coefficients { a: factor / self.unit, b: Some(offset), c: None },
            Family::Logarithmic => Coefficients { a: factor, b: Some(offset), c: None },
            Family::Power => Coefficients {
                a: outer / self.unit.powf(shape),
                b: Some(shape),
                c: Some(offset - outer),
            },
            Family::Exponential => {
                Coefficients { a: outer, b: Some(shape / self.unit), c: Some(offset - outer) }
            }
        }
    }

    /// The variance of the curve at x where a point's relative error has variance 1, by the delta method; `None` where
    /// the points do not determine the curve.
    pub(super) fn variance(&self, x: f64) -> Option<f64> {
        let row: Vec<f64> = gradient(self.family, self.linear[1], self.shape, self.unit)
            .into_iter()
            .map(|derivative| derivative(x))
            .collect();
        let linearized = self.linearized.as_ref()?;
        Some(linearized.leverage(&row[..linearized.coefficients.len()]))
    }
}

/// The term in x; of a power and an exponential with its shape.
fn term(family: Family, u: f64, unit: f64, shape: f64) -> f64 {
    match family {
        Family::Constant => 0.0,
        Family::Linear => u,
        Family::Logarithmic => (u * unit).ln_1p(),
        Family::Power => (u.powf(shape) - 1.0) / shape,
        Family::Exponential => (shape * u).exp_m1() / shape,
    }
}

/// The derivative of the term by the shape.
fn slope_of_term(family: Family, u: f64, shape: f64) -> f64 {
    match family {
        Family::Constant | Family::Linear | Family::Logarithmic => 0.0,
        Family::Power => {
            // At x = 0 the power is 0 for every exponent.
            let grown = if u > 0.0 { u.powf(shape) * u.ln() } else { 0.0 };
            (grown - term(family, u, 1.0, shape)) / shape
        }
        Family::Exponential => (u * (shape * u).exp() - term(family, u, 1.0, shape)) / shape,
    }
}

type Derivative = Box<dyn Fn(f64) -> f64>;

/// The derivatives of the curve by its coefficients, as functions of x.
fn gradient(family: Family, factor: f64, shape: f64, unit: f64) -> Vec<Derivative> {
    let mut gradient: Vec<Derivative> = vec![Box::new(|_| 1.0)];
    if family.coefficients() > 1 {
        gradient.push(Box::new(move |x| term(family, x / unit, unit, shape)));
    }
    if family.coefficients() > 2 {
        gradient.push(Box::new(move |x| factor * slope_of_term(family, x / unit, shape)));
    }
    gradient
}

/// Fits one family; `None` where the points do not bear it. Without `polish` the shape has nine digits, which is all
/// that comparing families takes.
pub(super) fn fit(family: Family, points: &Points, polish: bool) -> Option<Curve> {
    let unit = if points.highest() > 0.0 { points.highest() } else { 1.0 };
    let y = points.scaled();
    let ones = points.column(|_| 1.0);
    let at = |shape: f64| match family {
        Family::Constant => solve(std::slice::from_ref(&ones), &y),
        _ => solve(&[ones.clone(), points.column(|x| term(family, x / unit, unit, shape))], &y),
    };
    let (shape, solution, at_bound) = match family {
        Family::Constant | Family::Linear | Family::Logarithmic => (1.0, at(1.0)?, false),
        Family::Power => search(&evenly(EXPONENTS), at)?,
        Family::Exponential => {
            let rising: Vec<f64> = evenly(TURNS.map(f64::ln)).into_iter().map(f64::exp).collect();
            let falling: Vec<f64> = rising.iter().rev().map(|turns| -turns).collect();
            let sides = [search(&rising, at), search(&falling, at)].into_iter().flatten();
            sides.min_by(|p, q| p.1.residual_squares.total_cmp(&q.1.residual_squares))?
        }
    };
    let factor = solution.coefficients.get(1).copied().unwrap_or(0.0);
    let mut curve = Curve {
        family,
        at_bound,
        squares: solution.residual_squares,
        n: points.len(),
        unit,
        shape,
        linear: [solution.coefficients[0], factor],
        linearized: Some(solution),
    };
    if polish && family.coefficients() > 2 {
        polished(&mut curve, points, &y);
    }
    Some(curve)
}

/// Takes the last steps with all coefficients free, and keeps what they lead to where it is no worse and in range.
fn polished(curve: &mut Curve, points: &Points, y: &[f64]) {
    let (family, unit) = (curve.family, curve.unit);
    let residuals = |b: &[f64]| -> Vec<f64> {
        let fitted = points.column(|x| b[0] + b[1] * term(family, x / unit, unit, b[2]));
        fitted.iter().zip(y).map(|(fitted, y)| fitted - y).collect()
    };
    let columns = |b: &[f64]| -> Vec<Vec<f64>> {
        gradient(family, b[1], b[2], unit)
            .iter()
            .map(|derivative| points.column(derivative))
            .collect()
    };
    let start = [curve.linear[0], curve.linear[1], curve.shape];
    let minimum = nonlinear::minimize(&residuals, &columns, &start);
    let near = |minimum: &nonlinear::Minimum| {
        let moved = (minimum.parameters[2] - curve.shape).abs();
        minimum.residual_squares <= curve.squares * (1.0 + 1e-9)
            && moved <= 1e-3 * curve.shape.abs()
    };
    match minimum.filter(|minimum| !curve.at_bound && near(minimum)) {
        Some(minimum) => {
            curve.linear = [minimum.parameters[0], minimum.parameters[1]];
            curve.shape = minimum.parameters[2];
            curve.squares = curve.squares.min(minimum.residual_squares);
            curve.linearized = Some(minimum.linearized);
        }
        None => {
            // At the end of the range the shape is given, as far as the points can tell; elsewhere it is not, and a
            // curve whose coefficients the points do not determine keeps the variance of the two that they do.
            let back: Vec<f64> = y.iter().map(|y| -y).collect();
            curve.linearized = solve(&columns(&start), &back).or_else(|| curve.linearized.take());
        }
    }
}

/// The value of the nonlinear coefficient whose linear problem leaves the least residual, with that problem's
/// solution, and whether it is an end of the grid, which rises.
pub(super) fn search<F>(grid: &[f64], solved: F) -> Option<(f64, Solution, bool)>
where
    F: Fn(f64) -> Option<Solution>,
{
    let left = |at: f64| solved(at).map_or(f64::INFINITY, |solution| solution.residual_squares);
    let tried: Vec<f64> = grid.iter().map(|at| left(*at)).collect();
    let start = (0..grid.len()).min_by(|p, q| tried[*p].total_cmp(&tried[*q]))?;
    let (mut low, mut high) =
        (grid[start.saturating_sub(1)], grid[(start + 1).min(grid.len() - 1)]);
    let section = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut p, mut q) = (high - section * (high - low), low + section * (high - low));
    let (mut at_p, mut at_q) = (left(p), left(q));
    // 0.618^45 is 4e-10.
    for _ in 0..45 {
        if at_p <= at_q {
            (high, q, at_q) = (q, p, at_p);
            p = high - section * (high - low);
            at_p = left(p);
        } else {
            (low, p, at_p) = (p, q, at_q);
            q = low + section * (high - low);
            at_q = left(q);
        }
    }
    let end = (low + high) / 2.0;
    let best = if left(end) < tried[start] { end } else { grid[start] };
    let near = |end: f64| (best - end).abs() <= 0.01 * end.abs();
    Some((best, solved(best)?, near(grid[0]) || near(grid[grid.len() - 1])))
}

/// The grid between two ends.
pub(super) fn evenly([from, to]: [f64; 2]) -> Vec<f64> {
    let step = (to - from) / (GRID - 1) as f64;
    (0..GRID).map(|index| from + step * index as f64).collect()
}
