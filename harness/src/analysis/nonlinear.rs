//! Nonlinear least squares from a start value: [`minimize`], the method of Levenberg and Marquardt.
//!
//! A step solves the linearized problem with a damping that Nielsen's rule adapts ("Damping parameter in Marquardt's
//! method", IMM-REP-1999-05, Technical University of Denmark), by reflections on the Jacobian with the damping
//! appended to it, so that products of columns are never formed. Parameters are scaled by the largest length that
//! their columns have had (Moré, "The Levenberg-Marquardt algorithm", Lecture Notes in Mathematics 630, 1978). Pinned
//! on the 27 nonlinear data sets of the NIST Statistical Reference Datasets.
//!
//! Curves of memory are found without a start value, see [`super::fit`]; this polishes them to the last digit.

use super::least_squares::{Solution, solve};

/// Where no step leads further down.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimum {
    /// The parameters.
    pub parameters: Vec<f64>,
    /// The sum of squared residuals.
    pub residual_squares: f64,
    /// The last linearized problem: its [`Solution::leverage`] gives the variance of what the parameters determine.
    pub linearized: Solution,
}

/// More steps than any of the data sets takes that can be solved at all.
const MOST_STEPS: usize = 5_000;

/// Follows the sum of squares of `residuals` down from `start`; `jacobian` gives the derivatives of the residuals, a
/// column per parameter.
///
/// The minimum is a local one. `None` where the residuals at the start are not finite, or the parameters at the
/// minimum are not determined.
#[must_use]
pub fn minimize(
    residuals: &dyn Fn(&[f64]) -> Vec<f64>,
    jacobian: &dyn Fn(&[f64]) -> Vec<Vec<f64>>,
    start: &[f64],
) -> Option<Minimum> {
    let mut at = start.to_vec();
    let mut left = residuals(&at);
    let mut squares = sum_of_squares(&left);
    if !squares.is_finite() {
        return None;
    }
    let mut columns = jacobian(&at);
    let mut scale: Vec<f64> = vec![0.0; at.len()];
    let (mut damping, mut growth) = (1e-3_f64, 2.0);
    for _ in 0..MOST_STEPS {
        for (scale, column) in scale.iter_mut().zip(&columns) {
            let length = sum_of_squares(column).sqrt();
            *scale = if length.is_finite() { scale.max(length) } else { *scale };
        }
        let Some(step) = damped(&columns, &left, &scale, damping) else {
            damping *= growth;
            growth *= 2.0;
            if !damping.is_finite() {
                break;
            }
            continue;
        };
        let small = |(step, at): (&f64, &f64)| step.abs() <= 1e-15 * at.abs() + f64::MIN_POSITIVE;
        if step.iter().zip(&at).all(small) {
            break;
        }
        let next: Vec<f64> = at.iter().zip(&step).map(|(at, step)| at + step).collect();
        let next_left = residuals(&next);
        let next_squares = sum_of_squares(&next_left);
        let expected = squares - linear(&columns, &left, &step);
        if next_squares < squares {
            let ratio = if expected > 0.0 { (squares - next_squares) / expected } else { 1.0 };
            (at, left, squares) = (next, next_left, next_squares);
            columns = jacobian(&at);
            damping *= (1.0 - (2.0 * ratio - 1.0).powi(3)).max(1.0 / 3.0);
            damping = damping.max(f64::MIN_POSITIVE);
            growth = 2.0;
        } else {
            damping *= growth;
            growth *= 2.0;
            if !damping.is_finite() {
                break;
            }
        }
    }
    finish(residuals, jacobian, at, squares)
}

/// Full steps while they get shorter: near the minimum the sum of squares is flat to rounding, and the derivatives
/// still tell where it is.
fn finish(
    residuals: &dyn Fn(&[f64]) -> Vec<f64>,
    jacobian: &dyn Fn(&[f64]) -> Vec<Vec<f64>>,
    mut at: Vec<f64>,
    squares: f64,
) -> Option<Minimum> {
    let linearized = |at: &[f64]| {
        let back: Vec<f64> = residuals(at).iter().map(|value| -value).collect();
        solve(&jacobian(at), &back)
    };
    let length = |step: &[f64], at: &[f64]| {
        let relative =
            step.iter().zip(at).map(|(step, at)| step.abs() / at.abs().max(f64::MIN_POSITIVE));
        relative.fold(0.0, f64::max)
    };
    let mut last = linearized(&at)?;
    let mut squares = squares;
    for _ in 0..10 {
        let step = &last.coefficients;
        let next: Vec<f64> = at.iter().zip(step).map(|(at, step)| at + step).collect();
        let next_squares = sum_of_squares(&residuals(&next));
        let Some(after) = linearized(&next) else { break };
        let shorter = length(&after.coefficients, &next) < length(step, &at);
        if next_squares.is_nan() || next_squares > squares * (1.0 + 1e-9) || !shorter {
            break;
        }
        (at, last, squares) = (next, after, next_squares);
    }
    Some(Minimum { parameters: at, residual_squares: squares, linearized: last })
}

/// Derivatives of the residuals by central differences.
#[must_use]
pub fn differences(residuals: &dyn Fn(&[f64]) -> Vec<f64>, at: &[f64]) -> Vec<Vec<f64>> {
    let column = |index: usize| {
        let step = f64::EPSILON.cbrt() * at[index].abs().max(1e-8);
        let moved = |by: f64| {
            let mut moved = at.to_vec();
            moved[index] += by;
            (moved[index], residuals(&moved))
        };
        let ((low, below), (high, above)) = (moved(-step), moved(step));
        above.iter().zip(&below).map(|(above, below)| (above - below) / (high - low)).collect()
    };
    (0..at.len()).map(column).collect()
}

/// The step of the linearized problem with damping rows appended.
fn damped(columns: &[Vec<f64>], left: &[f64], scale: &[f64], damping: f64) -> Option<Vec<f64>> {
    let count = columns.len();
    let extended = |(index, column): (usize, &Vec<f64>)| {
        let mut column = column.clone();
        column.resize(left.len() + count, 0.0);
        column[left.len() + index] = damping.sqrt() * scale[index];
        column
    };
    let extended: Vec<Vec<f64>> = columns.iter().enumerate().map(extended).collect();
    let right: Vec<f64> =
        left.iter().map(|value| -value).chain(std::iter::repeat_n(0.0, count)).collect();
    solve(&extended, &right).map(|solution| solution.coefficients)
}

/// The sum of squares that the linearized problem expects after a step.
fn linear(columns: &[Vec<f64>], left: &[f64], step: &[f64]) -> f64 {
    let after = |row: usize| {
        left[row] + columns.iter().zip(step).map(|(column, step)| column[row] * step).sum::<f64>()
    };
    (0..left.len()).map(|row| after(row).powi(2)).sum()
}

fn sum_of_squares(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}

#[cfg(test)]
mod tests;
