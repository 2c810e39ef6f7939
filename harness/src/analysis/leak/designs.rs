//! The designs of the model bank: what finite and unbounded growth can look like in K blocks, as [`Tree`]s of orthogonal
//! columns that are computed once per number of blocks and length of run.
//!
//! Designs share their first columns, so that each costs one product with the data: its own column, made orthogonal to
//! those of its parent. No model is fitted by iteration: time constants, places of steps and knots stand on grids, and a
//! tangent column lets a time constant move within its cell.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// The grid of AR(1) coefficients.
pub const PHI: [f64; 4] = [0.0, 0.35, 0.65, 0.9];
/// The most columns of a design.
pub const COLUMNS: usize = 5;
/// A column that adds less than this part of itself to those before it is not told apart from them.
const DEPENDENT: f64 = 3e-12;

/// What growth looks like. Those of the second half grow without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A level.
    Constant,
    /// A rise that ends.
    Rise,
    /// A step.
    Step,
    /// A ramp that ends.
    Ramp,
    /// Two steps.
    Steps,
    /// A rise that ends, and a step.
    RiseStep,
    /// A line.
    Line,
    /// A line, and a rise that ends.
    LineRise,
    /// A line, and a step.
    LineStep,
    /// A level, then a line.
    Late,
    /// A line, and two steps.
    LineSteps,
    /// A line, a rise that ends, and a step.
    LineRiseStep,
}

impl Shape {
    /// True of growth without end.
    #[must_use]
    pub fn leaks(self) -> bool {
        use Shape::{Late, Line, LineRise, LineRiseStep, LineStep, LineSteps};
        matches!(self, Line | LineRise | LineStep | Late | LineSteps | LineRiseStep)
    }

    /// Parameters: columns, and places that stand on a grid without a tangent.
    #[must_use]
    pub fn parameters(self) -> usize {
        match self {
            Self::Constant => 1,
            Self::Line => 2,
            Self::Rise | Self::Step | Self::Ramp | Self::Late => 3,
            Self::LineRise | Self::LineStep => 4,
            Self::Steps | Self::RiseStep => 5,
            Self::LineSteps | Self::LineRiseStep => 6,
        }
    }

    /// The place of the trend among the columns.
    #[must_use]
    pub fn trend(self) -> usize {
        1
    }

    /// The place of the exponential among the columns; its tangent follows.
    #[must_use]
    pub fn rise(self) -> Option<usize> {
        match self {
            Self::Rise | Self::RiseStep => Some(1),
            Self::LineRise | Self::LineRiseStep => Some(2),
            _ => None,
        }
    }
}

/// One column, orthogonal to those of its ancestors.
#[derive(Clone, Debug)]
pub struct Node {
    /// The node before it; itself at the root.
    pub parent: usize,
    /// The places of the nodes from the root to this one.
    pub path: [usize; COLUMNS],
    /// How many there are.
    pub depth: usize,
    /// The column in terms of the orthogonal columns on the path.
    pub in_terms: [f64; COLUMNS],
}

/// All designs at one AR(1) coefficient.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The AR(1) coefficient.
    pub phi: f64,
    /// The orthogonal columns, one after the other.
    pub columns: Vec<f64>,
    /// Parents before children.
    pub nodes: Vec<Node>,
    /// The designs of each shape, by the node of their last column.
    pub designs: Vec<(Shape, Vec<usize>)>,
    blocks: usize,
}

/// Takes the autocorrelation out of a column or of data.
#[must_use]
pub fn whiten(phi: f64, column: &[f64]) -> Vec<f64> {
    let first = (1.0 - phi * phi).sqrt() * column[0];
    let rest = column.windows(2).map(|pair| pair[1] - phi * pair[0]);
    std::iter::once(first).chain(rest).collect()
}

pub(super) fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

impl Tree {
    fn new(phi: f64, blocks: usize) -> Self {
        Self { phi, columns: Vec::new(), nodes: Vec::new(), designs: Vec::new(), blocks }
    }

    /// The orthogonal column of a node.
    #[must_use]
    pub fn column(&self, node: usize) -> &[f64] {
        &self.columns[node * self.blocks..(node + 1) * self.blocks]
    }

    /// Adds a column below `parent`; `None` where it depends on those above it.
    fn add(&mut self, parent: Option<usize>, column: &[f64]) -> Option<usize> {
        let mut left = whiten(self.phi, column);
        let size = dot(&left, &left).sqrt();
        let own = self.nodes.len();
        let (mut path, depth) = parent.map_or(([0; COLUMNS], 0), |parent| {
            (self.nodes[parent].path, self.nodes[parent].depth)
        });
        let mut in_terms = [0.0; COLUMNS];
        // Twice is enough (Giraud, Langou & Rozloznik 2005).
        for _ in 0..2 {
            for place in 0..depth {
                let above = self.column(path[place]).to_vec();
                let share = dot(&above, &left);
                in_terms[place] += share;
                for (left, above) in left.iter_mut().zip(&above) {
                    *left -= share * above;
                }
            }
        }
        let norm = dot(&left, &left).sqrt();
        if norm <= DEPENDENT * size {
            return None;
        }
        in_terms[depth] = norm;
        path[depth] = own;
        self.columns.extend(left.iter().map(|value| value / norm));
        let parent = parent.unwrap_or(own);
        self.nodes.push(Node { parent, path, depth: depth + 1, in_terms });
        Some(own)
    }

    fn build(phi: f64, blocks: usize, seconds: f64) -> Self {
        let mut tree = Self::new(phi, blocks);
        let times: Vec<f64> = (0..blocks).map(|k| (k as f64 + 0.5) / blocks as f64).collect();
        let of = |f: &dyn Fn(f64) -> f64| -> Vec<f64> { times.iter().map(|x| f(*x)).collect() };
        let step = |place: usize| -> Vec<f64> {
            (0..blocks).map(|k| if k >= place { 1.0 } else { 0.0 }).collect()
        };
        let coarse: Vec<usize> = (1..blocks).step_by(2).collect();
        let Some(level) = tree.add(None, &of(&|_| 1.0)) else { return tree };
        let Some(line) = tree.add(Some(level), &of(&|x| x - 0.5)) else { return tree };
        let taus = time_constants(seconds);
        let mut rises = |root: usize, rise: Shape, both: Shape| {
            let (mut plain, mut stepped) = (Vec::new(), Vec::new());
            for tau in &taus {
                // 1 - exp(-x / tau) spans the same with a level as exp(-x / tau), which keeps its digits.
                let e = of(&|x| (-x / tau).exp());
                let tangent = of(&|x| -(x / tau) * (-x / tau).exp());
                let Some(e) = tree.add(Some(root), &e) else { continue };
                let Some(tangent) = tree.add(Some(e), &tangent) else { continue };
                plain.push(tangent);
                stepped.extend(coarse.iter().filter_map(|p| tree.add(Some(tangent), &step(*p))));
            }
            [(rise, plain), (both, stepped)]
        };
        let mut designs = vec![(Shape::Constant, vec![level]), (Shape::Line, vec![line])];
        designs.extend(rises(level, Shape::Rise, Shape::RiseStep));
        designs.extend(rises(line, Shape::LineRise, Shape::LineRiseStep));
        let mut steps = |root: usize, one: Shape, two: Shape, all: bool| {
            let (mut ones, mut twos) = (Vec::new(), Vec::new());
            for place in 1..blocks {
                let Some(first) = tree.add(Some(root), &step(place)) else { continue };
                ones.push(first);
                let Some(i) = coarse.iter().position(|coarse| *coarse == place) else { continue };
                let pairs = (i + 1..coarse.len()).filter(|j| all || (i + j).is_multiple_of(2));
                twos.extend(pairs.filter_map(|j| tree.add(Some(first), &step(coarse[j]))));
            }
            [(one, ones), (two, twos)]
        };
        designs.extend(steps(level, Shape::Step, Shape::Steps, true));
        designs.extend(steps(line, Shape::LineStep, Shape::LineSteps, false));
        let ramps = spread(0.12, 0.8, 15).into_iter();
        let ramps = ramps.filter_map(|k| tree.add(Some(level), &of(&|x| x.min(k)))).collect();
        let late = spread(0.1, 0.65, 8).into_iter();
        let late = late.filter_map(|k| tree.add(Some(level), &of(&|x| (x - k).max(0.0)))).collect();
        designs.extend([(Shape::Ramp, ramps), (Shape::Late, late)]);
        tree.designs = designs;
        tree
    }
}

/// `count` numbers from `first` to `last`, evenly.
fn spread(first: f64, last: f64, count: usize) -> Vec<f64> {
    let step = (last - first) / (count - 1) as f64;
    let at = |index: usize| if index == count - 1 { last } else { index as f64 * step + first };
    (0..count).map(at).collect()
}

/// Time constants of rises as parts of the run: 4 s to half of it, each about 1.35 times the one before.
fn time_constants(seconds: f64) -> Vec<f64> {
    let count = ((0.5 * seconds / 4.0).ln() / 1.35_f64.ln()).ceil().max(4.0) as usize;
    spread((4.0 / seconds).ln(), 0.5_f64.ln(), count).into_iter().map(f64::exp).collect()
}

/// The trees of all [`PHI`].
pub type Designs = Arc<[Tree; 4]>;

/// The designs for this number of blocks over so many seconds, which are kept for the next call.
#[must_use]
pub fn designs(blocks: usize, seconds: f64) -> Designs {
    /// A run has a few lengths; a program that judges many different ones starts over.
    const KEPT: usize = 24;
    static CACHE: LazyLock<Mutex<BTreeMap<(usize, u64), Designs>>> = LazyLock::new(Mutex::default);
    let key = (blocks, seconds.to_bits());
    let cache = || CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = cache().get(&key) {
        return Arc::clone(found);
    }
    let built = Arc::new(PHI.map(|phi| Tree::build(phi, blocks, seconds)));
    let mut cache = cache();
    if cache.len() >= KEPT {
        cache.clear();
    }
    cache.insert(key, Arc::clone(&built));
    built
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_orthogonal_to_their_ancestors() {
        for tree in designs(24, 480.0).iter() {
            assert!(tree.nodes.len() > 500, "{}", tree.nodes.len());
            for (index, node) in tree.nodes.iter().enumerate() {
                let own = tree.column(index);
                assert!((dot(own, own) - 1.0).abs() < 1e-12);
                for above in &node.path[..node.depth - 1] {
                    assert!(dot(own, tree.column(*above)).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn dependent_columns_are_left_out() {
        let mut tree = Tree::new(0.0, 3);
        let level = tree.add(None, &[1.0; 3]);
        assert_eq!(tree.add(level, &[2.0; 3]), None);
        assert!(tree.add(level, &[0.0, 1.0, 1.0]).is_some());
    }
}
