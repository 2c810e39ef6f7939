//! [`history`]: results of one benchmark, one run per commit, under the noise of shared machines, with a known step.

use rand_distr::{Distribution as _, StandardNormal};
use rand_pcg::Pcg64;

use super::generator;
use super::runs::Noise;

/// `n` results around 100; from run `at` on they are lower by the fraction `effect`. Set `index` of its kind.
#[must_use]
pub fn history(
    noise: Noise,
    n: usize,
    at: usize,
    effect: f64,
    seed: u64,
    index: usize,
) -> Vec<f64> {
    let mut random =
        generator(seed, &format!("history/{}/{n}/{at}/{effect}/{index}", noise.as_str()));
    let mut walk = 0.0;
    let value = |run: usize| {
        let mut log = noise.run(&mut random);
        match noise {
            Noise::Session => log += 0.03 * normal(&mut random),
            Noise::Drift => {
                walk += 0.007 * normal(&mut random);
                log += walk;
            }
            Noise::Gauss | Noise::Heavy | Noise::Bimodal => {}
        }
        let step = if run < at { 0.0 } else { (-effect).ln_1p() };
        100.0 * (log + step).exp()
    };
    (0..n).map(value).collect()
}

fn normal(random: &mut Pcg64) -> f64 {
    StandardNormal.sample(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noise_has_the_spread_that_it_says() {
        for (noise, sd) in
            [(Noise::Gauss, 0.02), (Noise::Bimodal, 0.0293), (Noise::Session, 0.0335)]
        {
            let logs: Vec<f64> = history(noise, 20_000, 0, 0.0, 1, 0)
                .iter()
                .map(|value| (value / 100.0).ln())
                .collect();
            let mean = logs.iter().sum::<f64>() / logs.len() as f64;
            let found =
                logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / logs.len() as f64;
            assert!((found.sqrt() / sd - 1.0).abs() < 0.03, "{noise:?}: {}", found.sqrt());
        }
    }

    #[test]
    fn the_step_is_where_and_as_large_as_it_says() {
        for noise in Noise::ALL {
            let values = history(noise, 40, 30, 0.5, 3, 1);
            assert_eq!(values, history(noise, 40, 30, 0.5, 3, 1));
            assert!(values[..30].iter().all(|value| *value > 70.0), "{values:?}");
            assert!(values[30..].iter().all(|value| *value < 70.0), "{values:?}");
        }
    }
}
