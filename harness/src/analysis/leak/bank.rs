//! The model bank: how much better growth without end explains a trace than growth that ends, by the Bayesian
//! information criterion (Schwarz 1978) over small linear models with AR(1) errors.

use super::designs::{COLUMNS, Shape, Tree, designs, dot, whiten};

/// What a parameter costs, in units of ln K.
const PENALTY: f64 = 1.4;
/// Scatter below this does not count: pages and counters are not finer.
const FLOOR: f64 = 0.03;
/// A leak grows faster than this per minute.
const LEAST_RATE: f64 = 0.1;
/// How far the tangent may move a time constant, as a part of the rise.
const WITHIN_CELL: f64 = 0.25;
/// The difference where no model with a leak is possible.
const NO_LEAK: f64 = -50.0;

/// What the bank says of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The criterion of the best model without a leak less that of the best with one.
    pub difference: f64,
    /// The slope of the best model with a leak, per minute; 0 where there is none.
    pub slope: f64,
}

/// The best design so far.
#[derive(Clone, Copy)]
struct Best {
    criterion: f64,
    slope: f64,
}

/// Compares the models on the block values of a run of so many seconds.
#[must_use]
pub fn compare(blocks: &[f64], seconds: f64) -> Comparison {
    let count = blocks.len() as f64;
    let mean = blocks.iter().sum::<f64>() / count;
    let centered: Vec<f64> = blocks.iter().map(|value| value - mean).collect();
    let nothing = Best { criterion: f64::INFINITY, slope: 0.0 };
    let (mut ends, mut leaks) = (nothing, nothing);
    for tree in designs(blocks.len(), seconds).iter() {
        let fitted = Fitted::new(tree, whiten(tree.phi, &centered));
        for (shape, designs) in &tree.designs {
            let Some((node, slope)) = fitted.best(*shape, designs, seconds) else { continue };
            let best = if shape.leaks() { &mut leaks } else { &mut ends };
            let criterion = fitted.criterion(*shape, node);
            if criterion < best.criterion {
                *best = Best { criterion, slope };
            }
        }
    }
    let difference =
        if leaks.criterion.is_finite() { ends.criterion - leaks.criterion } else { NO_LEAK };
    Comparison { difference, slope: leaks.slope }
}

/// A whitened trace on the columns of a tree.
struct Fitted<'a> {
    tree: &'a Tree,
    data: Vec<f64>,
    /// The share of each node's column in the data.
    shares: Vec<f64>,
    /// The sum of squares that is left with the columns up to each node.
    left: Vec<f64>,
}

impl<'a> Fitted<'a> {
    fn new(tree: &'a Tree, data: Vec<f64>) -> Self {
        let total = dot(&data, &data);
        let columns = tree.columns.chunks_exact(data.len());
        let shares: Vec<f64> = columns.map(|column| dot(column, &data)).collect();
        let mut left = Vec::with_capacity(shares.len());
        for (own, (node, share)) in tree.nodes.iter().zip(&shares).enumerate() {
            let before = if node.parent == own { total } else { left[node.parent] };
            left.push(before - share * share);
        }
        Self { tree, data, shares, left }
    }

    /// The design of a shape with the smallest sum of squares among those that make sense, and its slope per minute.
    fn best(&self, shape: Shape, designs: &[usize], seconds: f64) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        let mut least = f64::INFINITY;
        for node in designs {
            if self.left[*node] < least
                && let Some(slope) = self.sensible(shape, *node, seconds)
            {
                (best, least) = (Some((*node, slope)), self.left[*node]);
            }
        }
        best
    }

    /// The slope per minute of a design whose coefficients have the signs that its shape speaks of.
    fn sensible(&self, shape: Shape, node: usize, seconds: f64) -> Option<f64> {
        if !shape.leaks() && shape.rise().is_none() && shape != Shape::Ramp {
            return Some(0.0);
        }
        let coefficients = self.coefficients(node);
        if let Some(place) = shape.rise() {
            // The column is exp(-x / tau), that of a rise is 1 less this.
            let (rise, tangent) = (-coefficients[place], coefficients[place + 1]);
            let grows = rise > 0.0 && tangent.abs() <= WITHIN_CELL * rise;
            if !grows {
                return None;
            }
        }
        let trend = coefficients[shape.trend()];
        if shape == Shape::Ramp {
            return (trend > 0.0).then_some(0.0);
        }
        if !shape.leaks() {
            return Some(0.0);
        }
        let rate = trend * 60.0 / seconds;
        (rate > LEAST_RATE).then_some(rate)
    }

    /// The coefficients of a design's own columns, by substitution from the last.
    fn coefficients(&self, node: usize) -> [f64; COLUMNS] {
        let node = &self.tree.nodes[node];
        let mut coefficients = node.path.map(|place| self.shares[place]);
        for last in (0..node.depth).rev() {
            let in_terms = &self.tree.nodes[node.path[last]].in_terms;
            coefficients[last] /= in_terms[last];
            for place in 0..last {
                coefficients[place] -= in_terms[place] * coefficients[last];
            }
        }
        coefficients
    }

    fn criterion(&self, shape: Shape, node: usize) -> f64 {
        let mut left = self.data.clone();
        let node = &self.tree.nodes[node];
        for place in &node.path[..node.depth] {
            let share = self.shares[*place];
            for (left, column) in left.iter_mut().zip(self.tree.column(*place)) {
                *left -= share * column;
            }
        }
        let (count, phi) = (self.data.len() as f64, self.tree.phi);
        let variance = dot(&left, &left) / count + FLOOR * FLOOR * (1.0 - phi * phi);
        let correlated = if phi > 0.0 { 1.0 } else { 0.0 };
        let parameters = shape.parameters() as f64 + correlated;
        count * variance.ln() - (1.0 - phi * phi).ln() + PENALTY * parameters * count.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_that_ends_is_no_leak_and_growth_without_end_is() {
        let compare = |f: &dyn Fn(f64) -> f64| {
            let noise = |k: i32| f64::from(k * 7919 % 13) / 40.0;
            let blocks: Vec<f64> = (0..24).map(|k| f(f64::from(k)) + noise(k)).collect();
            super::compare(&blocks, 480.0)
        };
        assert!(compare(&|_| 100.0).difference < 0.0);
        assert!(compare(&|k| 40.0 * (1.0 - (-k / 4.0).exp())).difference < 0.0);
        assert!(compare(&|k| if k > 9.0 { 8.0 } else { 0.0 }).difference < 0.0);
        assert!(compare(&|k| k.min(12.0)).difference < 0.0);
        assert!(compare(&|k| -k).difference == NO_LEAK);
        let line = compare(&|k| k);
        assert!(line.difference > 10.0 && (line.slope - 3.0).abs() < 0.1, "{line:?}");
        assert!(compare(&|k| k + 40.0 * (1.0 - (-k / 4.0).exp())).difference > 10.0);
    }

    #[test]
    fn a_constant_trace_has_no_leak() {
        assert_eq!(compare(&[7.0; 24], 480.0), Comparison { difference: NO_LEAK, slope: 0.0 });
    }
}
