//! Linear least squares by Householder reflections: [`solve`] gives a [`Solution`] with its covariance.
//!
//! Reflections work on the columns themselves and not on their products, which would square the condition of the
//! problem: Golub, "Numerical methods for solving linear least squares problems", Numer. Math. 7, 1965; Golub & Van
//! Loan, "Matrix Computations", 4th edition, 2013, 5.3. Pinned on the eleven linear data sets of the NIST Statistical
//! Reference Datasets.

/// The coefficients that leave the least sum of squares, and what their uncertainty follows from.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// One per column.
    pub coefficients: Vec<f64>,
    /// The sum of squared residuals.
    pub residual_squares: f64,
    /// How many rows there were.
    pub rows: usize,
    /// The upper triangle of the decomposition by columns: column `j` has `j + 1` entries.
    triangle: Vec<Vec<f64>>,
}

/// Solves `columns * coefficients = y` in the least-squares sense. For weights multiply every row of the columns and
/// of `y` by the root of its weight.
///
/// `None` where the columns do not determine the coefficients (fewer rows than columns, a column that the others make
/// up to rounding) or a number is not finite.
///
/// # Panics
/// If a column is not as long as `y`.
#[must_use]
pub fn solve(columns: &[Vec<f64>], y: &[f64]) -> Option<Solution> {
    let (rows, count) = (y.len(), columns.len());
    if rows < count {
        return None;
    }
    let mut work = columns.to_vec();
    let mut right = y.to_vec();
    let mut triangle: Vec<Vec<f64>> = Vec::with_capacity(count);
    for pivot in 0..count {
        let (done, rest) = work.split_at_mut(pivot + 1);
        let column = &mut done[pivot];
        let whole = norm(&columns[pivot]);
        let below = norm(&column[pivot..]);
        // What rounding leaves of a column that depends on those before it.
        if !below.is_finite() || below <= whole * 4.0 * f64::EPSILON {
            return None;
        }
        let corner = if column[pivot] > 0.0 { -below } else { below };
        column[pivot] -= corner;
        let reflector = &column[pivot..];
        // Twice over the square of the reflector's length.
        let factor = -1.0 / (corner * reflector[0]);
        for other in rest.iter_mut().map(|other| &mut other[pivot..]).chain([&mut right[pivot..]]) {
            let share = factor * dot(reflector, other);
            for (value, along) in other.iter_mut().zip(reflector) {
                *value -= share * along;
            }
        }
        let mut entries = column[..pivot].to_vec();
        entries.push(corner);
        triangle.push(entries);
    }
    let mut coefficients = right[..count].to_vec();
    for j in (0..count).rev() {
        coefficients[j] /= triangle[j][j];
        let known = coefficients[j];
        for (value, entry) in coefficients[..j].iter_mut().zip(&triangle[j]) {
            *value -= known * entry;
        }
    }
    let residual_squares = right[count..].iter().map(|value| value * value).sum();
    let finite = coefficients.iter().all(|value| value.is_finite());
    finite.then_some(Solution { coefficients, residual_squares, rows, triangle })
}

impl Solution {
    /// Rows less columns.
    #[must_use]
    pub fn freedom(&self) -> usize {
        self.rows - self.coefficients.len()
    }

    /// The variance of `row * coefficients` where the variance of a residual is 1: `row (X'X)^-1 row'`.
    #[must_use]
    pub fn leverage(&self, row: &[f64]) -> f64 {
        let mut solved: Vec<f64> = Vec::with_capacity(row.len());
        for (value, column) in row.iter().zip(&self.triangle) {
            let known: f64 = dot(&solved, column);
            solved.push((value - known) / column[solved.len()]);
        }
        dot(&solved, &solved)
    }

    /// The standard error of each coefficient, from the residuals; `None` without a degree of freedom.
    #[must_use]
    pub fn standard_errors(&self) -> Option<Vec<f64>> {
        let freedom = self.freedom();
        let count = self.coefficients.len();
        let variance = self.residual_squares / freedom as f64;
        let unit =
            |at: usize| (0..count).map(|i| if i == at { 1.0 } else { 0.0 }).collect::<Vec<_>>();
        let error = |at: usize| (variance * self.leverage(&unit(at))).sqrt();
        (freedom > 0).then(|| (0..count).map(error).collect())
    }
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(p, q)| p * q).sum()
}

fn norm(values: &[f64]) -> f64 {
    let size = values.iter().fold(0.0, |size: f64, value| size.max(value.abs()));
    if size == 0.0 || !size.is_finite() {
        return size;
    }
    size * values.iter().map(|value| (value / size).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::strd::Set;

    /// The columns of a linear set's model.
    fn columns(name: &str, set: &Set) -> Vec<Vec<f64>> {
        let power = |exponent: i32| set.column(1).iter().map(|x| x.powi(exponent)).collect();
        match name {
            "NoInt1" | "NoInt2" => vec![power(1)],
            "Longley" => {
                let ones = vec![1.0; set.rows.len()];
                std::iter::once(ones).chain((1..=6).map(|at| set.column(at))).collect()
            }
            _ => (0..set.certified.len() as i32).map(power).collect(),
        }
    }

    #[test]
    fn the_linear_sets_of_nist_have_their_certified_digits() {
        // What the decomposition reaches; Filip defeats the normal equations altogether.
        for (name, digits) in [
            ("Norris", 12.0),
            ("Pontius", 11.5),
            ("NoInt1", 14.0),
            ("NoInt2", 14.0),
            ("Filip", 7.0),
            ("Longley", 10.0),
            ("Wampler1", 9.0),
            ("Wampler2", 12.0),
            ("Wampler3", 9.0),
            ("Wampler4", 7.5),
            ("Wampler5", 5.5),
        ] {
            let set = Set::read(name);
            let solution = solve(&columns(name, &set), &set.column(0)).expect(name);
            let found = set.digits(&solution.coefficients);
            assert!(found >= digits, "{name}: {found:.1} digits, {solution:?}");
            let errors = solution.standard_errors().unwrap();
            if set.residual_squares > 0.0 {
                let off = (solution.residual_squares / set.residual_squares - 1.0).abs();
                assert!(off < 1e-7, "{name}: {off:e}");
                for (error, certified) in errors.iter().zip(&set.deviations) {
                    assert!((error / certified - 1.0).abs() < 1e-6, "{name}: {error} {certified}");
                }
            }
        }
    }

    #[test]
    fn columns_that_determine_nothing_are_refused() {
        let ones = vec![1.0; 3];
        assert_eq!(solve(&[ones.clone(), ones.clone()], &[1.0, 2.0, 3.0]), None);
        assert_eq!(solve(&[vec![0.0; 3]], &[1.0, 2.0, 3.0]), None);
        assert_eq!(solve(&[vec![1.0], vec![2.0]], &[1.0]), None);
        assert_eq!(solve(&[vec![1.0, f64::NAN, 1.0]], &[1.0, 2.0, 3.0]), None);
        assert!(solve(&[ones], &[1.0, 2.0, 3.0]).unwrap().standard_errors().is_some());
    }

    proptest! {
        #[test]
        fn residuals_are_orthogonal_to_every_column(
            rows in prop::collection::vec([-10.0..10.0_f64, -10.0..10.0_f64, -10.0..10.0_f64, -1e3..1e3_f64], 4..20),
        ) {
            let column = |at: usize| rows.iter().map(|row| row[at]).collect::<Vec<f64>>();
            let columns = [column(0), column(1), column(2)];
            if let Some(solution) = solve(&columns, &column(3)) {
                let fitted = |row: &[f64; 4]| row.iter().zip(&solution.coefficients).map(|(x, b)| x * b).sum::<f64>();
                let residuals: Vec<f64> = rows.iter().map(|row| row[3] - fitted(row)).collect();
                let size = solution.coefficients.iter().fold(1e3, |size: f64, b| size.max(b.abs())) * 1e2;
                for column in &columns {
                    prop_assert!(dot(column, &residuals).abs() < 1e-9 * size * rows.len() as f64);
                }
                let squares = dot(&residuals, &residuals);
                prop_assert!((squares - solution.residual_squares).abs() <= 1e-9 * size * size);
                // The hat matrix projects onto as many dimensions as there are columns.
                let trace: f64 = rows.iter().map(|row| solution.leverage(&row[..3])).sum();
                prop_assert!((trace - 3.0).abs() < 1e-6, "{trace}");
            }
        }
    }
}
