//! The Universal Scalability Law: throughput against agents, and where it peaks. [`Law`].
//!
//! `X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1))`: Gunther, "Guerrilla Capacity Planning", 2007, chapter 4.
//! `N / X` is linear in `1 / lambda`, `sigma / lambda` and `kappa / lambda`, none of which can be negative, so that
//! least squares under that constraint (Lawson & Hanson, "Solving Least Squares Problems", 1974, chapter 23; of three
//! columns the eight active sets are simply tried) needs no start value; Levenberg-Marquardt steps then minimize the
//! relative errors of the throughput itself.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use crate::analysis::least_squares::solve;
use crate::analysis::nonlinear::{differences, minimize};

/// A peak beyond this multiple of the largest level is not told.
pub const FARTHEST: f64 = 1.5;
/// Distinct levels that the three coefficients take, and one to see scatter.
const LEVELS: usize = 4;

/// The law fitted to points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    /// The throughput of one agent alone, in the unit of the throughput.
    pub lambda: f64,
    /// Contention: the share of the work that only one can do at a time.
    pub sigma: f64,
    /// Coherency: what each pair of agents costs.
    pub kappa: f64,
    /// The scatter of the points about the law, relative.
    pub scatter: f64,
}

/// The load beyond which more load gives less.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Peak {
    /// Live agents over all groups.
    pub agents: f64,
    /// The 95% interval of `agents`, by profiling the sum of squares; an end is absent where it lies beyond what is
    /// told.
    pub interval: [Option<f64>; 2],
    /// The throughput there.
    pub throughput: f64,
}

impl Law {
    /// Fits points of (agents, throughput). Points with less than one agent or without throughput are left out;
    /// `None` with fewer than four levels, or where the throughput determines no law.
    #[must_use]
    pub fn through(points: &[(f64, f64)]) -> Option<Self> {
        let points = usable(points);
        let mut levels: Vec<f64> = points.iter().map(|point| point.0).collect();
        levels.dedup();
        if levels.len() < LEVELS {
            return None;
        }
        let rows = |column: fn(f64) -> f64| -> Vec<f64> {
            points.iter().map(|(n, x)| column(*n) * x / n).collect()
        };
        let columns = [rows(|_| 1.0), rows(|n| n - 1.0), rows(|n| n * (n - 1.0))];
        let (c, _) = non_negative(&columns, &vec![1.0; points.len()])?;
        if c[0] <= 0.0 {
            return None;
        }
        let start = [1.0 / c[0], c[1] / c[0], c[2] / c[0]];
        let residuals = |law: [f64; 3]| -> Vec<f64> {
            points.iter().map(|(n, x)| throughput(law, *n) / x - 1.0).collect()
        };
        let polished = polish(&residuals, start).unwrap_or(start);
        let squares: f64 = residuals(polished).iter().map(|residual| residual * residual).sum();
        let freedom = points.len().saturating_sub(3) as f64;
        let [lambda, sigma, kappa] = polished;
        Some(Self { lambda, sigma, kappa, scatter: (squares / freedom).sqrt() })
    }

    /// The throughput of so many agents.
    #[must_use]
    pub fn at(&self, agents: f64) -> f64 {
        throughput([self.lambda, self.sigma, self.kappa], agents)
    }

    /// The load of most throughput; `None` where the law has no peak.
    #[must_use]
    pub fn summit(&self) -> Option<f64> {
        (self.kappa > 1e-12 && self.sigma < 1.0).then(|| ((1.0 - self.sigma) / self.kappa).sqrt())
    }

    /// The peak with its interval, fitted to these points; `None` beyond [`FARTHEST`] times the largest level.
    #[must_use]
    pub fn peak(&self, points: &[(f64, f64)]) -> Option<Peak> {
        let points = usable(points);
        let most = FARTHEST * points.last()?.0;
        let agents = self.summit().filter(|agents| *agents <= most)?;
        Some(Peak {
            agents,
            interval: self.interval(&points, agents, most)?,
            throughput: self.at(agents),
        })
    }

    /// The peaks whose best law is not significantly worse than the best of all (profile likelihood: Bates & Watts,
    /// "Nonlinear Regression Analysis", 1988, 6.1), by the linear form with the fitted throughput as weight.
    fn interval(&self, points: &[(f64, f64)], agents: f64, most: f64) -> Option<[Option<f64>; 2]> {
        let y: Vec<f64> = points.iter().map(|(n, x)| self.at(*n) / x).collect();
        // With the peak at `top`, kappa is (1 - sigma) / top^2, and the law has two coefficients left.
        let squares = |top: f64| {
            let rows = |column: &dyn Fn(f64) -> f64| -> Vec<f64> {
                points.iter().map(|(n, _)| column(*n) * self.at(*n) / n).collect()
            };
            let pairs = |n: f64| n * (n - 1.0) / (top * top);
            // In terms of 1 - sigma and sigma, both of which cannot be negative.
            let columns = [rows(&|n| 1.0 + pairs(n)), rows(&|n| n)];
            non_negative(&columns, &y).map_or(f64::INFINITY, |(_, squares)| squares)
        };
        let freedom = points.len().checked_sub(3).filter(|freedom| *freedom > 0)? as f64;
        let t = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(0.975);
        let allowed = squares(agents) * (1.0 + t * t / freedom);
        let end = |limit: f64| {
            // Steps of a fiftieth of the way find where the profile first leaves what is allowed.
            let step = (limit / agents).powf(1.0 / 50.0);
            let mut inside = agents;
            for _ in 0..50 {
                let next = inside * step;
                if squares(next) > allowed {
                    let (mut low, mut high) = (inside, next);
                    for _ in 0..50 {
                        let middle = (low + high) / 2.0;
                        if squares(middle) > allowed { high = middle } else { low = middle }
                    }
                    return Some((low + high) / 2.0);
                }
                inside = next;
            }
            None
        };
        Some([end(points[0].0.min(agents / 2.0)), end(most.max(agents * 1.000_001))])
    }
}

fn usable(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let usable = |(n, x): &&(f64, f64)| n.is_finite() && x.is_finite() && *n >= 1.0 && *x > 0.0;
    let mut points: Vec<_> = points.iter().filter(usable).copied().collect();
    points.sort_by(|p, q| p.0.total_cmp(&q.0).then(p.1.total_cmp(&q.1)));
    points
}

fn throughput([lambda, sigma, kappa]: [f64; 3], n: f64) -> f64 {
    lambda * n / (1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0))
}

/// The last steps, over the coefficients that the constraint does not hold at 0; `None` where they lead below it.
fn polish(residuals: &dyn Fn([f64; 3]) -> Vec<f64>, start: [f64; 3]) -> Option<[f64; 3]> {
    let free: Vec<usize> = (0..3).filter(|index| start[*index] > 0.0).collect();
    let whole = |some: &[f64]| {
        let mut law = [0.0; 3];
        for (index, value) in free.iter().zip(some) {
            law[*index] = *value;
        }
        law
    };
    let of = |some: &[f64]| residuals(whole(some));
    let start: Vec<f64> = free.iter().map(|index| start[*index]).collect();
    let law = whole(&minimize(&of, &|some| differences(&of, some), &start)?.parameters);
    law.iter().all(|value| value.is_finite() && *value >= 0.0).then_some(law)
}

/// Least squares with no coefficient below 0, by trying every set of columns; the squares that it leaves.
fn non_negative(columns: &[Vec<f64>], y: &[f64]) -> Option<(Vec<f64>, f64)> {
    let sets = 1..1_usize << columns.len();
    let solved = sets.filter_map(|set| {
        let chosen: Vec<usize> = (0..columns.len()).filter(|index| set >> index & 1 == 1).collect();
        let some: Vec<Vec<f64>> = chosen.iter().map(|index| columns[*index].clone()).collect();
        let solution = solve(&some, y)?;
        let mut coefficients = vec![0.0; columns.len()];
        for (index, value) in chosen.iter().zip(&solution.coefficients) {
            coefficients[*index] = *value;
        }
        let allowed = coefficients.iter().all(|value| *value >= 0.0);
        allowed.then_some((coefficients, solution.residual_squares))
    });
    solved.min_by(|p, q| p.1.total_cmp(&q.1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::simulate::curves::{Curve, Shape, Truth};

    const LEVELS: [f64; 6] = [1.0, 5.0, 10.0, 20.0, 40.0, 80.0];

    fn exact(lambda: f64, sigma: f64, kappa: f64) -> Vec<(f64, f64)> {
        LEVELS.iter().map(|n| (*n, throughput([lambda, sigma, kappa], *n))).collect()
    }

    #[test]
    fn a_law_behind_exact_points_is_recovered_with_its_peak() {
        let points = exact(100.0, 0.03, 4e-4);
        let law = Law::through(&points).unwrap();
        for (actual, expected) in [(law.lambda, 100.0), (law.sigma, 0.03), (law.kappa, 4e-4)] {
            assert!((actual / expected - 1.0).abs() < 1e-9, "{law:?}");
        }
        let peak = law.peak(&points).unwrap();
        assert!((peak.agents - (0.97_f64 / 4e-4).sqrt()).abs() < 1e-6, "{peak:?}");
        // A law without coherency has no peak, and one far beyond the levels is not told.
        let flat = exact(100.0, 0.1, 0.0);
        assert!(Law::through(&flat).unwrap().kappa < 1e-12);
        assert_eq!(Law::through(&flat).unwrap().peak(&flat), None);
        let far = exact(100.0, 0.01, 1e-5);
        let law = Law::through(&far).unwrap();
        assert!((law.summit().unwrap() - 314.6).abs() < 0.1 && law.peak(&far).is_none(), "{law:?}");
    }

    #[test]
    fn what_determines_no_law_is_refused() {
        assert_eq!(Law::through(&[]), None);
        assert_eq!(Law::through(&exact(100.0, 0.03, 4e-4)[..3]), None);
        let idle: Vec<(f64, f64)> = LEVELS.iter().map(|n| (*n, 0.0)).collect();
        assert_eq!(Law::through(&idle), None);
    }

    #[test]
    fn the_interval_of_the_peak_covers_it() {
        let (mut covered, mut told) = (0, 0);
        for number in 0..150 {
            let curve = Curve::draw(Shape::Scalability, &LEVELS, 3, 0.03, 2, number);
            let Truth::Scalability { sigma, kappa, .. } = curve.truth else { panic!("{curve:?}") };
            let truth = ((1.0 - sigma) / kappa).sqrt();
            let law = Law::through(&curve.points).unwrap();
            if let Some(Peak { interval: [low, high], .. }) = law.peak(&curve.points) {
                told += 1;
                let below = low.is_none_or(|low| low <= truth);
                covered += usize::from(below && high.is_none_or(|high| truth <= high));
            }
        }
        assert!(told >= 60 && covered * 100 >= told * 90, "{covered} of {told}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn coefficients_are_never_negative_and_the_unit_does_not_matter(
            errors in prop::collection::vec(0.8..1.25_f64, 6), sigma in 0.0..0.2_f64,
            kappa in 0.0..1e-3_f64, scale in 0.1..10.0_f64,
        ) {
            let points = exact(100.0, sigma, kappa).into_iter().zip(errors);
            let points: Vec<_> = points.map(|((n, x), error)| (n, x * error)).collect();
            if let Some(law) = Law::through(&points) {
                prop_assert!(law.lambda > 0.0 && law.sigma >= 0.0 && law.kappa >= 0.0, "{law:?}");
                let scaled: Vec<_> = points.iter().map(|(n, x)| (*n, x * scale)).collect();
                let other = Law::through(&scaled).unwrap();
                prop_assert!((other.scatter / law.scatter - 1.0).abs() < 1e-3, "{law:?} {other:?}");
            }
        }
    }
}
