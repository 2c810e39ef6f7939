//! Memory of a container over time, with and without a leak: [`trace`].
//!
//! Values are MiB of anonymous memory every [`STEP`] seconds, rates MiB per minute. The families are what real
//! containers do when they do not leak, and the same with a leak on top; docs/statistics.md describes them. They were
//! drawn up beside recorded traces of services in C, Python, Go, Java and JavaScript.

mod parts;

use rand::RngExt as _;
use rand_pcg::Pcg64;

use super::generator;
use parts::{
    Collector, ar1, heap_expansion, level_changes, noise, normal, ratchet, stairs, uniform, warm_up,
};

/// Seconds between two values.
pub const STEP: f64 = 2.0;

/// Without a leak.
pub const NULLS: [&str; 14] = [
    "flat_ar1",
    "flat_quant",
    "gc_jvm",
    "gc_go",
    "gc_node",
    "warmup_fast",
    "warmup_slow",
    "ratchet",
    "heap_expand",
    "step_up",
    "logbuf",
    "load_wave",
    "ou_slow",
    "mix",
];

/// With one.
pub const LEAKS: [&str; 10] = [
    "leak_linear",
    "leak_gc_jvm",
    "leak_gc_go",
    "leak_gc_node",
    "leak_warmup_fast",
    "leak_warmup_slow",
    "leak_stair",
    "leak_load",
    "leak_late",
    "leak_mix",
];

/// One trace: a function of its arguments alone.
///
/// `seconds` is how long it is, `rate` the leak in MiB per minute, 0 for [`NULLS`].
///
/// # Panics
/// Of an unknown family.
#[must_use]
pub fn trace(seed: u64, family: &str, rate: f64, seconds: u32, index: usize) -> Vec<f64> {
    let mut random = generator(seed, &format!("memory/{family}/{rate}/{seconds}/{index}"));
    let random = &mut random;
    let duration = f64::from(seconds);
    let count = (duration / STEP).round() as usize;
    // A sampler is late, never early.
    let times: Vec<f64> =
        (0..count).map(|k| k as f64 * STEP + normal(random).abs() * 0.015).collect();
    let base = uniform(random, 60.0, 500.0);
    let noise = noise(random, count);
    let leaks = family.starts_with("leak_");
    let rate = if leaks { rate / 60.0 } else { 0.0 };
    let around = |share: f64| -> Vec<f64> { noise.iter().map(|e| base + share * e).collect() };
    let add = |values: Vec<f64>, f: &dyn Fn(f64) -> f64| -> Vec<f64> {
        values.iter().zip(&times).map(|(value, time)| value + f(*time)).collect()
    };
    let sum = |one: Vec<f64>, other: Vec<f64>| -> Vec<f64> {
        one.iter().zip(&other).map(|(one, other)| one + other).collect()
    };
    let leak = |time: f64| rate * time;
    match family.strip_prefix("leak_").unwrap_or(family) {
        "flat_ar1" => around(1.0),
        "flat_quant" => sum(vec![base; count], level_changes(random, count)),
        kind @ ("gc_jvm" | "gc_go" | "gc_node") => {
            let collector = Collector::of(kind).expect("named here");
            let saw = collector.trace(random, &times, &leak);
            add(sum(around(0.5), saw), &leak)
        }
        kind @ ("warmup_fast" | "warmup_slow") => {
            let height = uniform(random, 10.0, 70.0);
            let tau = match kind {
                "warmup_fast" => uniform(random, 4.0, 20.0),
                _ => uniform(random, 20.0, 90.0),
            };
            let settled = uniform(random, 2.0, 12.0);
            add(around(1.0), &|time| warm_up(time, height, tau, settled) + leak(time))
        }
        "ratchet" => sum(around(0.1), ratchet(random, count)),
        "heap_expand" => sum(around(1.0), heap_expansion(random, &times)),
        "step_up" => {
            let (size, at) = (uniform(random, 1.0, 16.0), uniform(random, 0.05, 0.95) * duration);
            add(around(1.0), &|time| if time >= at { size } else { 0.0 })
        }
        "logbuf" => {
            let (rate, cap) = (uniform(random, 1.0, 6.0), uniform(random, 0.15, 0.8) * duration);
            add(around(1.0), &|time| rate * time.min(cap) / 60.0)
        }
        "load_wave" => {
            let (height, period) = (uniform(random, 2.0, 15.0), uniform(random, 20.0, 120.0));
            let wave = wave(random, height, period);
            add(around(1.0), &wave)
        }
        "ou_slow" => {
            let (tau, scatter) = (uniform(random, 20.0, 90.0), uniform(random, 0.5, 4.0));
            let slow = ar1(random, count, (-STEP / tau).exp(), scatter);
            sum(around(0.2), slow)
        }
        "linear" => add(around(1.0), &leak),
        "stair" => sum(around(1.0), stairs(random, &times, rate)),
        "load" => {
            let on = uniform(random, 0.10, 0.30) * duration;
            let held = random.random::<f64>() < 0.5;
            let off = duration * if held { 1.0 } else { uniform(random, 0.8, 1.0) };
            let level = uniform(random, 3.0, 30.0);
            add(around(1.0), &|time| {
                let under_load = (time - on).clamp(0.0, off - on);
                let taken =
                    if time >= on { level * (1.0 - (-under_load / 4.0).exp()) } else { 0.0 };
                taken + rate * under_load
            })
        }
        "late" => {
            let on = uniform(random, 0.25, 0.6) * duration;
            add(around(1.0), &|time| rate * (time - on).max(0.0))
        }
        "mix" => mixture(random, around(1.0), &times, duration, &leak),
        other => panic!("unknown family {other:?}"),
    }
}

fn wave(random: &mut Pcg64, height: f64, period: f64) -> impl Fn(f64) -> f64 + use<> {
    let start = random.random::<f64>();
    move |time| height * (std::f64::consts::TAU * (time / period + start)).sin()
}

/// Some of everything.
fn mixture(
    random: &mut Pcg64,
    mut values: Vec<f64>,
    times: &[f64],
    duration: f64,
    leak: &dyn Fn(f64) -> f64,
) -> Vec<f64> {
    let mut add = |f: &dyn Fn(f64) -> f64| {
        for (value, time) in values.iter_mut().zip(times) {
            *value += f(*time);
        }
    };
    if random.random::<f64>() < 0.6 {
        let height = uniform(random, 5.0, 60.0);
        let tau = uniform(random, 5_f64.ln(), 60_f64.ln()).exp();
        let settled = uniform(random, 2.0, 15.0);
        add(&|time| warm_up(time, height, tau, settled));
    }
    let kind = ["none", "gc_jvm", "gc_go", "gc_node"][random.random_range(0..4)];
    let saw = Collector::of(kind).map(|collector| collector.trace(random, times, leak));
    if random.random::<f64>() < 0.3 {
        let (size, at) = (uniform(random, 1.0, 8.0), uniform(random, 0.0, duration));
        add(&|time| if time >= at { size } else { 0.0 });
    }
    if random.random::<f64>() < 0.3 {
        let (height, period) = (uniform(random, 1.0, 8.0), uniform(random, 20.0, 90.0));
        let wave = wave(random, height, period);
        add(&wave);
    }
    add(leak);
    for (value, saw) in values.iter_mut().zip(saw.unwrap_or_default()) {
        *value += saw;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_depends_on_its_arguments_alone_and_every_family_is_there() {
        for (family, rate) in
            NULLS.map(|name| (name, 0.0)).into_iter().chain(LEAKS.map(|name| (name, 1.0)))
        {
            let one = trace(1, family, rate, 240, 0);
            assert_eq!(one, trace(1, family, rate, 240, 0), "{family}");
            assert_ne!(one, trace(1, family, rate, 240, 1), "{family}");
            assert_ne!(one, trace(2, family, rate, 240, 0), "{family}");
            assert_eq!(one.len(), 120);
            assert!(one.iter().all(|value| value.is_finite()), "{family}");
        }
    }

    #[test]
    fn a_leak_grows_at_its_rate_and_what_does_not_leak_stays() {
        let mean = |family: &str, rate: f64| {
            let growth = (0..200).map(|index| {
                let values = trace(3, family, rate, 960, index);
                let of = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
                // From the middle of the second quarter to that of the last: 8 minutes.
                of(&values[360..]) - of(&values[120..240])
            });
            growth.sum::<f64>() / 200.0
        };
        for family in [
            "flat_ar1",
            "flat_quant",
            "gc_jvm",
            "gc_go",
            "gc_node",
            "warmup_fast",
            "load_wave",
            "ou_slow",
        ] {
            assert!(mean(family, 0.0).abs() < 1.0, "{family}: {}", mean(family, 0.0));
        }
        for family in ["leak_linear", "leak_gc_jvm", "leak_warmup_fast", "leak_stair"] {
            assert!((mean(family, 2.0) - 16.0).abs() < 1.0, "{family}: {}", mean(family, 2.0));
        }
    }
}
