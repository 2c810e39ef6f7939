//! What traces are put together from. Times are in seconds, memory in MiB.

use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use rand_distr::{Distribution as _, Exp1, Poisson, StandardNormal};
use rand_pcg::Pcg64;

use super::STEP;

pub(super) fn normal(random: &mut Pcg64) -> f64 {
    StandardNormal.sample(random)
}

pub(super) fn uniform(random: &mut Pcg64, low: f64, high: f64) -> f64 {
    low + (high - low) * random.random::<f64>()
}

fn log_normal(random: &mut Pcg64, median: f64, sigma: f64) -> f64 {
    (median.ln() + sigma * normal(random)).exp()
}

/// Stationary Gaussian AR(1) noise with that standard deviation.
pub(super) fn ar1(random: &mut Pcg64, count: usize, phi: f64, scatter: f64) -> Vec<f64> {
    let fresh = (1.0 - phi * phi).sqrt();
    let mut value = normal(random);
    let mut next = |index: usize| {
        if index > 0 {
            value = phi * value + fresh * normal(random);
        }
        value * scatter
    };
    (0..count).map(&mut next).collect()
}

/// What every service has: a standard deviation around 0.5.
pub(super) fn noise(random: &mut Pcg64, count: usize) -> Vec<f64> {
    let scatter = log_normal(random, 0.5, 0.7).clamp(0.05, 4.0);
    let phi = uniform(random, 0.2, 0.9);
    ar1(random, count, phi, scatter)
}

/// A garbage collector's saw.
#[derive(Clone, Copy)]
pub(super) enum Collector {
    Jvm,
    Go,
    Node,
}

impl Collector {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "gc_jvm" => Some(Self::Jvm),
            "gc_go" => Some(Self::Go),
            "gc_node" => Some(Self::Node),
            _ => None,
        }
    }

    pub(super) fn trace(
        self,
        random: &mut Pcg64,
        times: &[f64],
        leak: &dyn Fn(f64) -> f64,
    ) -> Vec<f64> {
        match self {
            Self::Jvm => {
                let (height, period) = (uniform(random, 8.0, 60.0), uniform(random, 6.0, 40.0));
                saw(random, times, height, period, 0.25, 0.4)
            }
            Self::Go => {
                let (height, period) = (uniform(random, 1.0, 12.0), uniform(random, 1.0, 8.0));
                let saw = saw(random, times, height, period, 0.2, 0.15);
                // The heap may grow by a part of what is live, so that a leak makes the teeth higher.
                saw.iter()
                    .zip(times)
                    .map(|(tooth, time)| tooth * (1.0 + leak(*time) / 60.0))
                    .collect()
            }
            Self::Node => {
                let (height, period) = (uniform(random, 3.0, 10.0), uniform(random, 3.0, 10.0));
                let (major, long) = (uniform(random, 10.0, 40.0), uniform(random, 15.0, 60.0));
                let minor = saw(random, times, height, period, 0.3, 0.3);
                let major = saw(random, times, major, long, 0.25, 0.8);
                minor.iter().zip(&major).map(|(one, other)| one + other).collect()
            }
        }
    }
}

/// Grows in a line, and drops to a noisy floor at each collection; period and height vary by `spread`.
fn saw(
    random: &mut Pcg64,
    times: &[f64],
    height: f64,
    period: f64,
    spread: f64,
    floor: f64,
) -> Vec<f64> {
    let end = times.last().copied().unwrap_or(0.0) + 3.0 * period;
    let mut values = vec![0.0; times.len()];
    let mut start = -uniform(random, 0.0, period);
    while start < end {
        let own = period * (1.0 + spread * normal(random)).max(0.2);
        let top = height * (1.0 + spread * normal(random)).max(0.2);
        let low = floor * normal(random);
        let first = times.partition_point(|time| *time < start);
        let last = times.partition_point(|time| *time < start + own);
        for (value, time) in values[first..last].iter_mut().zip(&times[first..last]) {
            *value = low + top * (time - start) / own;
        }
        start += own;
    }
    values
}

/// A rise that ends, and began `settled` seconds before the first reading.
pub(super) fn warm_up(time: f64, height: f64, tau: f64, settled: f64) -> f64 {
    height * (1.0 - (-(time + settled) / tau).exp())
}

/// Constant but for rare changes of level, as of an idle process.
pub(super) fn level_changes(random: &mut Pcg64, count: usize) -> Vec<f64> {
    let often = uniform(random, 0.02, 0.4);
    let size = log_normal(random, 0.25, 0.8).clamp(0.02, 3.0);
    let mut level = size * normal(random);
    let mut next = |_| {
        let other = size * normal(random);
        if random.random::<f64>() < often {
            level = other;
        }
        level
    };
    (0..count).map(&mut next).collect()
}

/// An allocator's high-water mark: what noise has reached so far.
pub(super) fn ratchet(random: &mut Pcg64, count: usize) -> Vec<f64> {
    let before = (uniform(random, 10.0, 60.0) / STEP) as usize;
    let (phi, scatter) = (uniform(random, 0.3, 0.95), uniform(random, 0.5, 4.0));
    let mut most = f64::NEG_INFINITY;
    let reached = ar1(random, count + before, phi, scatter).into_iter().map(|value| {
        most = most.max(value);
        most
    });
    reached.skip(before).collect()
}

/// A heap that is expanded ever more rarely, and sometimes given back.
pub(super) fn heap_expansion(random: &mut Pcg64, times: &[f64]) -> Vec<f64> {
    let end = times.last().copied().unwrap_or(0.0);
    let tau = uniform(random, 15.0, 60.0);
    let before = uniform(random, 5.0, 20.0);
    let more: f64 = Poisson::new(4.0).map_or(0.0, |poisson| poisson.sample(random));
    let steps: Vec<(f64, f64)> = (0..=more as usize)
        .map(|_| {
            let wait: f64 = Exp1.sample(random);
            let at = tau * wait - before;
            let size = [1.0, 2.0, 4.0, 8.0, 16.0].choose(random).copied().unwrap_or(1.0);
            (at, size * uniform(random, 0.8, 1.2))
        })
        .collect();
    let largest = steps.iter().map(|step| step.1).fold(0.0, f64::max);
    let given_back = (random.random::<f64>() < 0.3).then(|| uniform(random, 0.5, 1.0) * end);
    let value = |time: &f64| {
        let taken: f64 = steps.iter().filter(|(at, _)| time >= at).map(|step| step.1).sum();
        let is_back = given_back.is_some_and(|at| *time >= at);
        if is_back { taken - largest } else { taken }
    };
    times.iter().map(value).collect()
}

/// A leak of `rate` per second that shows in chunks, regularly or at random.
pub(super) fn stairs(random: &mut Pcg64, times: &[f64], rate: f64) -> Vec<f64> {
    let end = times.last().copied().unwrap_or(0.0) + 1.0;
    let chunk = uniform(random, 0.5, 4.0);
    let gap = chunk / rate;
    let regular = random.random::<f64>() < 0.5;
    let mut wait = |first: bool| -> f64 {
        match (regular, first) {
            (true, true) => uniform(random, 0.0, gap),
            (true, false) => gap,
            (false, _) => {
                let wait: f64 = Exp1.sample(random);
                gap * wait
            }
        }
    };
    let mut arrivals = Vec::new();
    let mut at = wait(true);
    while at < end {
        arrivals.push(at);
        at += wait(false);
    }
    times.iter().map(|time| chunk * arrivals.partition_point(|at| at <= time) as f64).collect()
}
