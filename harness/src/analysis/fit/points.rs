//! [`Points`]: what curves are fitted to, by rising x, with the size by which each error is measured.

use crate::analysis::describe::mean;

/// Values below this fraction of the largest are held against it and not against themselves: an error of 1 MiB at
/// 2 MiB of 500 is not an error of half.
const LEAST_SIZE: f64 = 0.01;

/// At least one point, every coordinate finite, x not negative and not falling.
#[derive(Clone, Debug)]
pub(super) struct Points {
    x: Vec<f64>,
    y: Vec<f64>,
    /// What a residual is divided by: the mean of the level, which is steadier than a single reading.
    size: Vec<f64>,
    floor: f64,
}

impl Points {
    pub(super) fn of(points: &[(f64, f64)]) -> Option<Self> {
        let usable = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite() && *x >= 0.0;
        let mut points: Vec<_> = points.iter().copied().filter(usable).collect();
        // The last digit of a sum depends on its order; sorted, the same points give the same fit.
        points.sort_by(|p, q| p.0.total_cmp(&q.0).then(p.1.total_cmp(&q.1)));
        let (x, y): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        let means: Vec<f64> = levels(&x)
            .into_iter()
            .flat_map(|(_, range)| {
                let size = mean(&y[range.clone()]).unwrap_or(0.0).abs();
                range.map(move |_| size)
            })
            .collect();
        let largest = means.iter().fold(0.0_f64, |size, mean| size.max(*mean));
        let floor = if largest > 0.0 { largest * LEAST_SIZE } else { 1.0 };
        let size = means.into_iter().map(|size| size.max(floor)).collect();
        (!x.is_empty()).then_some(Self { x, y, size, floor })
    }

    pub(super) fn len(&self) -> usize {
        self.x.len()
    }

    pub(super) fn x(&self) -> &[f64] {
        &self.x
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (f64, f64)> {
        self.x.iter().copied().zip(self.y.iter().copied())
    }

    /// What an error at a fitted value is measured by.
    pub(super) fn size_of(&self, value: f64) -> f64 {
        value.abs().max(self.floor)
    }

    /// Every value divided by its size.
    pub(super) fn scaled(&self) -> Vec<f64> {
        self.y.iter().zip(&self.size).map(|(y, size)| y / size).collect()
    }

    /// A function of x at every point, divided by the point's size: a column of the weighted problem.
    pub(super) fn column(&self, value: impl Fn(f64) -> f64) -> Vec<f64> {
        self.x.iter().zip(&self.size).map(|(x, size)| value(*x) / size).collect()
    }

    /// The distinct x, with the points that have them.
    pub(super) fn levels(&self) -> Vec<(f64, std::ops::Range<usize>)> {
        levels(&self.x)
    }

    pub(super) fn highest(&self) -> f64 {
        self.x[self.x.len() - 1]
    }

    /// The largest |y|.
    pub(super) fn largest(&self) -> f64 {
        self.y.iter().fold(0.0, |size: f64, y| size.max(y.abs()))
    }

    /// The sum of squares about the mean.
    pub(super) fn total_squares(&self) -> f64 {
        let middle = mean(&self.y).unwrap_or(0.0);
        self.y.iter().map(|y| (y - middle).powi(2)).sum()
    }

    /// The points without those of a level, which are measured as they were; `None` where nothing is left.
    pub(super) fn without(&self, level: &std::ops::Range<usize>) -> Option<Self> {
        let kept = |values: &[f64]| -> Vec<f64> {
            let others = values.iter().enumerate().filter(|(index, _)| !level.contains(index));
            others.map(|(_, value)| *value).collect()
        };
        let (x, y, size) = (kept(&self.x), kept(&self.y), kept(&self.size));
        (!x.is_empty()).then_some(Self { x, y, size, floor: self.floor })
    }

    pub(super) fn values(&self, level: &std::ops::Range<usize>) -> &[f64] {
        &self.y[level.clone()]
    }
}

fn levels(x: &[f64]) -> Vec<(f64, std::ops::Range<usize>)> {
    let mut levels: Vec<(f64, std::ops::Range<usize>)> = Vec::new();
    for (index, x) in x.iter().enumerate() {
        match levels.last_mut() {
            Some((level, range)) if level == x => range.end = index + 1,
            _ => levels.push((*x, index..index + 1)),
        }
    }
    levels
}
