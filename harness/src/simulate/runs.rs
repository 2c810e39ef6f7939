//! [`experiment`]: repeated runs of two versions under the noise of machines that are shared, with a known effect.
//!
//! Values are logs of a metric of which more is better, as throughput: an effect of 0.05 makes the new version 5%
//! worse.

use rand::RngExt as _;
use rand_distr::{Distribution as _, StandardNormal, StudentT};
use rand_pcg::Pcg64;

use super::generator;

/// What makes two runs of one version differ. Standard deviations are of logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// 2% from run to run.
    Gauss,
    /// Student's t with 3 degrees of freedom, scaled to 2%, and 3% of the runs lose 15%: a noisy neighbor.
    Heavy,
    /// Two modes 6% apart, the slower with probability 0.3, and 1% within a mode: placement, turbo, NUMA.
    Bimodal,
    /// 3% that all runs of a sitting share, and 1.5% from run to run.
    Session,
    /// A random walk of 0.7% per run, and 1.5% from run to run: heat, caches, neighbors.
    Drift,
}

/// In what order the versions run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Base new new base, and so on, in one sitting.
    Interleaved,
    /// All of the base in one sitting, all of the new version in another.
    Separate,
}

impl Noise {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Gauss, Self::Heavy, Self::Bimodal, Self::Session, Self::Drift];

    /// The name, in tables and keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gauss => "gauss",
            Self::Heavy => "heavy",
            Self::Bimodal => "bimodal",
            Self::Session => "session",
            Self::Drift => "drift",
        }
    }

    /// The standard deviation of a single run that pairs of neighbors show: that of their difference over the square
    /// root of 2. What a sitting shares is not in it, and of a drift one step is.
    #[must_use]
    pub fn scatter(self) -> f64 {
        let mixture = |share: f64, size: f64| share * (1.0 - share) * size.powi(2);
        let variance = match self {
            Self::Gauss => 0.02_f64.powi(2),
            Self::Heavy => 0.02_f64.powi(2) + mixture(0.03, 0.85_f64.ln()),
            Self::Bimodal => 0.01_f64.powi(2) + mixture(0.3, 0.06),
            Self::Session => 0.015_f64.powi(2),
            Self::Drift => 0.015_f64.powi(2) + 0.007_f64.powi(2) / 2.0,
        };
        variance.sqrt()
    }

    /// The log of one run, without what a sitting or a drift adds.
    pub(super) fn run(self, random: &mut Pcg64) -> f64 {
        let normal = |random: &mut Pcg64| -> f64 { StandardNormal.sample(random) };
        match self {
            Self::Gauss => 0.02 * normal(random),
            Self::Heavy => {
                // The variance of Student's t with 3 degrees of freedom is 3.
                let tail = StudentT::new(3.0).map_or(0.0, |student| student.sample(random));
                let hit = random.random::<f64>() < 0.03;
                0.02 * tail / 3.0_f64.sqrt() + if hit { 0.85_f64.ln() } else { 0.0 }
            }
            Self::Bimodal => {
                let slow = random.random::<f64>() < 0.3;
                0.01 * normal(random) - if slow { 0.06 } else { 0.0 }
            }
            Self::Session | Self::Drift => 0.015 * normal(random),
        }
    }
}

/// The logs of `n` runs of each version, base and new, in order of time; pair by pair where they are interleaved.
#[must_use]
pub fn experiment(
    seed: u64,
    key: &str,
    noise: Noise,
    order: Order,
    n: usize,
    effect: f64,
) -> (Vec<f64>, Vec<f64>) {
    let random = &mut generator(seed, &format!("{key}/{}/{order:?}", noise.as_str()));
    let normal = |random: &mut Pcg64| -> f64 { StandardNormal.sample(random) };
    let sitting = |random: &mut Pcg64| match noise {
        Noise::Session => 0.03 * normal(random),
        _ => 0.0,
    };
    let sittings = [sitting(random), sitting(random)];
    let (mut base, mut new, mut walk) = (Vec::new(), Vec::new(), 0.0);
    for slot in 0..2 * n {
        let (is_new, shared) = match order {
            // a b b a: every second pair is turned round.
            Order::Interleaved => ((slot % 2 == 1) != (slot / 2 % 2 == 1), sittings[0]),
            Order::Separate => (slot >= n, sittings[usize::from(slot >= n)]),
        };
        if noise == Noise::Drift {
            let step: f64 = StandardNormal.sample(random);
            walk += 0.007 * step;
        }
        let value = noise.run(random) + shared + walk;
        if is_new { new.push(value + (-effect).ln_1p()) } else { base.push(value) }
    }
    (base, new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences(noise: Noise, order: Order) -> Vec<f64> {
        let pair = |i: usize| {
            let (base, new) = experiment(1, &format!("t/{i}"), noise, order, 4, 0.0);
            base.into_iter().zip(new).map(|(base, new)| new - base).collect::<Vec<_>>()
        };
        (0..2_000).flat_map(pair).collect()
    }

    #[test]
    fn neighbors_differ_as_the_noise_says() {
        for noise in Noise::ALL {
            let values = differences(noise, Order::Interleaved);
            let squares: f64 = values.iter().map(|value| value * value).sum();
            let single = (squares / values.len() as f64 / 2.0).sqrt();
            let expected = noise.scatter();
            // The tails of `heavy` make even this many a rough estimate.
            assert!((single / expected - 1.0).abs() < 0.06, "{noise:?}: {single}, {expected}");
        }
    }

    #[test]
    fn sittings_of_their_own_differ_more() {
        let spread = |order| {
            let values = differences(Noise::Session, order);
            values.iter().map(|value| value * value).sum::<f64>()
        };
        assert!(spread(Order::Separate) > 3.0 * spread(Order::Interleaved));
    }

    #[test]
    fn an_effect_makes_the_new_version_worse_and_nothing_else() {
        let with = |effect| experiment(3, "k", Noise::Gauss, Order::Interleaved, 5, effect);
        let (same, worse) = (with(0.0), with(0.05));
        assert_eq!(same.0, worse.0);
        for (same, worse) in same.1.iter().zip(&worse.1) {
            assert!((same - worse + 0.95_f64.ln()).abs() < 1e-12);
        }
    }
}
