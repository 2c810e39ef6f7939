//! Load against memory or throughput with a known truth: [`Curve`].
//!
//! Errors are relative and belong to a run, because each level starts from a clean system: Student's t with five
//! degrees of freedom, scaled to the wanted standard deviation, so that a run in a hundred is far off.

use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use rand_distr::{Distribution as _, StudentT};
use rand_pcg::Pcg64;

use super::generator;

/// A function behind simulated points. Memory grows by 0.3 to 3 times its base up to 80 agents, which is what services
/// with a cost per agent do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Truth {
    /// `base`.
    Constant {
        /// In MiB.
        base: f64,
    },
    /// `factor x + base`.
    Linear {
        /// MiB per agent.
        factor: f64,
        /// In MiB.
        base: f64,
    },
    /// `base + factor ln(x + 1)`.
    Logarithmic {
        /// MiB.
        factor: f64,
        /// In MiB.
        base: f64,
    },
    /// `factor x^exponent + base`.
    Power {
        /// MiB.
        factor: f64,
        /// Of x.
        exponent: f64,
        /// In MiB.
        base: f64,
    },
    /// `factor e^(rate x) + base`.
    Exponential {
        /// MiB.
        factor: f64,
        /// Per agent.
        rate: f64,
        /// In MiB.
        base: f64,
    },
    /// `base + factor x`, and beyond the place `times` that slope.
    Knee {
        /// MiB per agent before the place.
        factor: f64,
        /// In MiB.
        base: f64,
        /// Agents.
        place: f64,
        /// How many times steeper it is beyond.
        times: f64,
    },
    /// Throughput by the Universal Scalability Law.
    Scalability {
        /// Throughput of one agent.
        lambda: f64,
        /// Contention.
        sigma: f64,
        /// Coherency.
        kappa: f64,
    },
}

/// The kinds of [`Truth`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is explained at Truth")]
pub enum Shape {
    Constant,
    Linear,
    Logarithmic,
    Power,
    Exponential,
    Knee,
    Scalability,
}

impl Truth {
    /// The value at x, without an error.
    #[must_use]
    pub fn at(self, x: f64) -> f64 {
        match self {
            Self::Constant { base } => base,
            Self::Linear { factor, base } => factor * x + base,
            Self::Logarithmic { factor, base } => base + factor * x.ln_1p(),
            Self::Power { factor, exponent, base } => factor * x.powf(exponent) + base,
            Self::Exponential { factor, rate, base } => factor * (rate * x).exp() + base,
            Self::Knee { factor, base, place, times } => {
                base + factor * x + factor * (times - 1.0) * (x - place).max(0.0)
            }
            Self::Scalability { lambda, sigma, kappa } => {
                lambda * x / (1.0 + sigma * (x - 1.0) + kappa * x * (x - 1.0))
            }
        }
    }

    /// Draws the parameters.
    fn draw(shape: Shape, random: &mut Pcg64) -> Self {
        let base = random.random_range(100.0..500.0);
        let growth = base * random.random_range(0.3..3.0);
        match shape {
            Shape::Constant => Self::Constant { base },
            Shape::Linear => Self::Linear { factor: growth / 80.0, base },
            Shape::Logarithmic => Self::Logarithmic { factor: growth / 80.0_f64.ln_1p(), base },
            Shape::Power => {
                let exponent = *[0.4, 0.5, 0.7, 1.4, 1.7, 2.0].choose(random).unwrap_or(&0.5);
                Self::Power { factor: growth / 80.0_f64.powf(exponent), exponent, base }
            }
            Shape::Exponential => {
                let rate: f64 = random.random_range(0.015..0.04);
                Self::Exponential { factor: growth / (80.0 * rate).exp_m1(), rate, base }
            }
            Shape::Knee => Self::Knee {
                factor: growth / 80.0,
                base,
                place: random.random_range(25.0..60.0),
                times: random.random_range(3.0..8.0),
            },
            Shape::Scalability => Self::Scalability {
                lambda: random.random_range(20.0..200.0),
                sigma: random.random_range(0.005..0.08),
                kappa: random.random_range(2e-5_f64.ln()..1e-3_f64.ln()).exp(),
            },
        }
    }
}

/// What runs at several levels gave.
#[derive(Clone, Debug)]
pub struct Curve {
    /// The function behind the points.
    pub truth: Truth,
    /// (agents, value), a point per run.
    pub points: Vec<(f64, f64)>,
    random: Pcg64,
    noise: f64,
}

impl Curve {
    /// The data set of that number: `repetitions` runs at each level, with a relative error of standard deviation
    /// `noise`.
    #[must_use]
    pub fn draw(
        shape: Shape,
        levels: &[f64],
        repetitions: u32,
        noise: f64,
        seed: u64,
        number: usize,
    ) -> Self {
        let mut random =
            generator(seed, &format!("curve/{shape:?}/{levels:?}/{repetitions}/{noise}/{number}"));
        let truth = Truth::draw(shape, &mut random);
        let mut curve = Self { truth, points: Vec::new(), random, noise };
        for level in levels {
            for _ in 0..repetitions {
                let value = curve.run(*level);
                curve.points.push((*level, value));
            }
        }
        curve
    }

    /// One more run at a load.
    pub fn run(&mut self, agents: f64) -> f64 {
        // A Student's t with 5 degrees of freedom has variance 5/3.
        let error = match StudentT::new(5.0) {
            Ok(student) => student.sample(&mut self.random) / (5.0_f64 / 3.0).sqrt(),
            Err(_) => 0.0,
        };
        self.truth.at(agents) * (1.0 + self.noise * error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_wanted_size_and_a_set_is_a_function_of_its_key() {
        let levels = [1.0, 5.0, 20.0, 80.0];
        let draw = |number| Curve::draw(Shape::Power, &levels, 500, 0.03, 1, number);
        let curve = draw(0);
        let errors = curve.points.iter().map(|(x, y)| (y / curve.truth.at(*x) - 1.0).powi(2));
        let spread = (errors.sum::<f64>() / curve.points.len() as f64).sqrt();
        assert!((spread - 0.03).abs() < 0.002, "{spread}");
        assert_eq!(curve.points, draw(0).points);
        assert_ne!(curve.points, draw(1).points);
    }

    #[test]
    fn growth_up_to_eighty_agents_is_what_was_drawn() {
        for shape in [Shape::Linear, Shape::Logarithmic, Shape::Power, Shape::Exponential] {
            for number in 0..50 {
                let truth = Curve::draw(shape, &[1.0], 1, 0.03, 7, number).truth;
                let (base, most) = (truth.at(0.0), truth.at(80.0));
                // The offset of an exponential is beside its base.
                assert!(most > 1.1 * base && most < 4.01 * base, "{truth:?}");
            }
        }
    }
}
