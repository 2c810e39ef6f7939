//! Services that are loaded and reset in cycles: most allocators keep part of their first peak, a collector's floor
//! moves, and a leaking service keeps some more each time.

use rand::RngExt as _;
use rand_distr::{Distribution as _, LogNormal, Normal};
use rand_pcg::Pcg64;

use super::generator;

/// How many readings there are before the first load and after each reset.
pub const READINGS: usize = 15;

/// A simulated service.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Readings before the first load, in MiB, 2 s apart.
    pub baseline_mb: Vec<f64>,
    /// Readings after each reset.
    pub posts_mb: Vec<Vec<f64>>,
}

/// A service whose every cycle keeps `kept`, as a fraction of its memory before the first load. Six services of ten
/// keep up to a quarter of it from their first peak on; readings swing by up to 40 MiB above the collector's floor.
#[must_use]
pub fn service(seed: u64, kept: f64, cycles: usize, index: usize) -> Service {
    let mut random = generator(seed, &format!("reset/{kept}/{cycles}/{index}"));
    let base = random.random_range(60.0..500.0);
    let high_water =
        if random.random_bool(0.6) { random.random_range(0.0..0.25) * base } else { 0.0 };
    let swing = Swing::drawn(&mut random);
    let baseline_mb = swing.readings(&mut random, base);
    let after = |cycle: usize| base + high_water + kept * base * (cycle + 1) as f64;
    let posts_mb = (0..cycles).map(|cycle| swing.readings(&mut random, after(cycle))).collect();
    Service { baseline_mb, posts_mb }
}

/// How a service's memory moves at rest.
struct Swing {
    /// MiB from one collection to the next.
    amplitude: f64,
    /// Readings from one collection to the next.
    period: f64,
    /// Of single readings, in MiB.
    noise: f64,
}

impl Swing {
    fn drawn(random: &mut Pcg64) -> Self {
        let noise = LogNormal::new(0.5_f64.ln(), 0.7).map_or(0.5, |law| law.sample(random));
        Self {
            amplitude: random.random_range(0.0..40.0),
            period: random.random_range(3.0..15.0),
            noise: noise.clamp(0.05, 4.0),
        }
    }

    fn readings(&self, random: &mut Pcg64, level: f64) -> Vec<f64> {
        let phase: f64 = random.random_range(0.0..1.0);
        let reading = |at: usize| {
            let saw = (phase + at as f64 / self.period).fract() * self.amplitude;
            let noise = Normal::new(0.0, self.noise).map_or(0.0, |law| law.sample(random));
            level + saw + noise
        };
        (0..READINGS).map(reading).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_keeps_what_it_should() {
        let floor = |readings: &[f64]| readings.iter().copied().fold(f64::INFINITY, f64::min);
        for index in 0..50 {
            let leaking = service(3, 0.10, 5, index);
            let [first, last] = [0, 4].map(|cycle| floor(&leaking.posts_mb[cycle]));
            let kept = (last - first) / 4.0 / floor(&leaking.baseline_mb);
            assert!((0.0..0.3).contains(&kept), "service {index} keeps {kept} per cycle");
            assert_eq!(leaking.posts_mb.len(), 5);
            assert!(leaking.posts_mb.iter().all(|post| post.len() == READINGS));
        }
    }
}
