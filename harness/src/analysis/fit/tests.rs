//! Curves against exact data, certified data, an independent implementation, and data with a known truth.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::analysis::least_squares::solve;
use crate::analysis::nonlinear::{differences, minimize};
use crate::analysis::strd::Set;
use crate::simulate::curves::{Curve as Drawn, Shape};

const LEVELS: [f64; 4] = [20.0, 40.0, 80.0, 160.0];

fn curve(xs: &[f64], mut y: impl FnMut(f64) -> f64) -> Vec<(f64, f64)> {
    xs.iter().map(|x| (*x, y(*x))).collect()
}

/// Exact data are recovered, chosen, and printed as `formula`.
#[track_caller]
fn check(family: Family, xs: &[f64], [a, b, c]: [f64; 3], formula: &str) {
    let coefficients = match family.coefficients() {
        1 => Coefficients { a, b: None, c: None },
        2 => Coefficients { a, b: Some(b), c: None },
        _ => Coefficients { a, b: Some(b), c: Some(c) },
    };
    let curves = Curves::through(&curve(xs, |x| coefficients.at(family, x))).unwrap();
    let best = curves.best();
    assert_eq!((best.family, best.formula.as_str()), (family, formula), "{curves:#?}");
    assert!(best.n == xs.len() && best.plausible);
    assert_eq!(best.r_squared == 0.0, family == Family::Constant);
    let numbers = |of: Coefficients| [of.a, of.b.unwrap_or(0.0), of.c.unwrap_or(0.0)];
    let pairs = numbers(best.coefficients).into_iter().zip(numbers(coefficients));
    for (actual, exact) in pairs {
        assert!((actual - exact).abs() <= 1e-6 * exact.abs().max(1e-3), "{exact}: {best:#?}");
    }
}

#[test]
fn the_function_behind_exact_data_is_recovered_chosen_and_printed() {
    use Family::{Constant, Exponential, Linear, Logarithmic, Power};
    let more = [0.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0];
    let far = [10_000.0, 10_002.0, 10_005.0, 10_010.0];
    check(Constant, &LEVELS, [312.5, 0.0, 0.0], "memory_mb = 312.5");
    check(Constant, &more, [0.0; 3], "memory_mb = 0.0");
    check(Linear, &LEVELS, [2.45, 312.5, 0.0], "memory_mb = 2.45 * agents + 312.5");
    check(Linear, &more, [2.45, -3.2, 0.0], "memory_mb = 2.45 * agents - 3.2");
    check(Linear, &far, [-0.001_234, 320.0, 0.0], "memory_mb = -0.00123 * agents + 320.0");
    check(Linear, &[1.0, 2.0], [2.0, 100.0, 0.0], "memory_mb = 2.00 * agents + 100.0");
    check(Logarithmic, &LEVELS, [50.0, 10.0, 0.0], "memory_mb = 50.00 * ln(agents + 1) + 10.0");
    check(Power, &LEVELS, [0.03, 1.7, 250.0], "memory_mb = 0.0300 * agents^1.70 + 250.0");
    check(Power, &more, [20.0, 0.5, -5.0], "memory_mb = 20.00 * agents^0.50 - 5.0");
    let formula = "memory_mb = 12.00 * e^(0.0210 * agents) + 300.0";
    check(Exponential, &LEVELS, [12.0, 0.021, 300.0], formula);
    let formula = "memory_mb = -200.00 * e^(-0.0300 * agents) + 500.0";
    check(Exponential, &more, [-200.0, -0.03, 500.0], formula);
}

/// What a set is in its nonlinear coefficient.
type Term = fn(f64, f64) -> f64;

#[test]
fn a_power_or_exponential_without_offset_has_eight_certified_digits_from_no_start_value() {
    // What each set is in the nonlinear coefficient; the other one is linear.
    let bends: [(&str, Term); 6] = [
        ("DanWood", |x, b| x.powf(b)),
        ("Misra1a", |x, b| -(-b * x).exp_m1()),
        ("BoxBOD", |x, b| -(-b * x).exp_m1()),
        ("Misra1b", |x, b| 1.0 - (1.0 + b * x / 2.0).powi(-2)),
        ("Misra1c", |x, b| 1.0 - (1.0 + 2.0 * b * x).powf(-0.5)),
        ("Misra1d", |x, b| b * x / (1.0 + b * x)),
    ];
    for (name, term) in bends {
        let set = Set::read(name);
        let (y, x) = (set.column(0), set.column(1));
        let column = |b: f64| x.iter().map(|x| term(*x, b)).collect::<Vec<f64>>();
        let largest = x.iter().copied().fold(0.0, f64::max);
        let turns = || profile::evenly(profile::TURNS.map(f64::ln)).into_iter();
        let grid: Vec<f64> = match name {
            "DanWood" => profile::evenly(profile::EXPONENTS),
            _ => turns().map(|turns| turns.exp() / largest).collect(),
        };
        let (b, solution, at_bound) = profile::search(&grid, |b| solve(&[column(b)], &y)).unwrap();
        assert!(!at_bound, "{name}");
        let residuals = |p: &[f64]| -> Vec<f64> {
            x.iter().zip(&y).map(|(x, y)| p[0] * term(*x, p[1]) - y).collect()
        };
        let start = [solution.coefficients[0], b];
        let minimum = minimize(&residuals, &|p| differences(&residuals, p), &start).unwrap();
        let digits = set.digits(&minimum.parameters);
        assert!(digits >= 8.0, "{name}: {digits} digits");
    }
}

/// What `tests/data/scaling/reference.py` makes of a set of points.
#[derive(Deserialize)]
struct Reference {
    x: Vec<f64>,
    y: Vec<f64>,
    chosen: Family,
    plausible: Vec<Family>,
    sse: std::collections::BTreeMap<Family, f64>,
    left_out: std::collections::BTreeMap<Family, Option<f64>>,
    at_bound: Vec<Family>,
    /// Agents, value, low, high.
    predictions: Vec<[f64; 4]>,
}

#[test]
fn an_independent_implementation_agrees() {
    let text = include_str!("../../../tests/data/scaling/reference.json");
    let sets: Vec<Reference> = serde_json::from_str(text).unwrap();
    assert!(sets.len() >= 40);
    let close = |actual: f64, expected: f64, tolerance: f64, what: &str, index: usize| {
        let off = (actual - expected).abs();
        assert!(
            off <= tolerance * expected.abs(),
            "set {index}: {what} {actual} is not {expected}"
        );
    };
    for (index, set) in sets.iter().enumerate() {
        let points: Vec<(f64, f64)> = set.x.iter().copied().zip(set.y.iter().copied()).collect();
        let curves = Curves::through(&points).unwrap();
        for candidate in &curves.candidates {
            let family = candidate.curve.family;
            close(candidate.curve.squares, set.sse[&family], 1e-7, family.as_str(), index);
            assert_eq!(
                candidate.curve.at_bound,
                set.at_bound.contains(&family),
                "{index} {family:?}"
            );
            match (candidate.left_out, set.left_out[&family]) {
                (Some(actual), Some(expected)) => close(actual, expected, 1e-5, "left out", index),
                (actual, expected) => assert_eq!(actual, expected, "{index} {family:?}"),
            }
        }
        let plausible = curves.candidates.iter().filter(|candidate| candidate.plausible);
        let plausible: Vec<Family> = plausible.map(|candidate| candidate.curve.family).collect();
        assert_eq!((curves.best().family, &plausible), (set.chosen, &set.plausible), "set {index}");
        for [agents, value, low, high] in &set.predictions {
            let prediction = curves.predict(*agents);
            close(prediction.memory_mb.unwrap(), *value, 1e-6, "prediction", index);
            let [actual_low, actual_high] = prediction.interval.unwrap();
            // The reference takes differences for a derivative.
            assert!((actual_low - low).abs() < 1e-4 * (high - low), "{index}: {actual_low} {low}");
            assert!(
                (actual_high - high).abs() < 1e-4 * (high - low),
                "{index}: {actual_high} {high}"
            );
        }
    }
}

/// How many of 20 data sets of three runs at each of six levels choose the family.
fn chosen(family: Family, shape: Shape, noise: f64) -> usize {
    let levels = [1.0, 5.0, 10.0, 20.0, 40.0, 80.0];
    let sets = (0..20).map(|number| Drawn::draw(shape, &levels, 3, noise, 1, number).points);
    sets.filter(|set| Curves::through(set).unwrap().best().family == family).count()
}

#[test]
fn a_truth_is_recognized_through_noise() {
    for (family, shape, least) in [
        (Family::Constant, Shape::Constant, 16),
        (Family::Linear, Shape::Linear, 17),
        (Family::Logarithmic, Shape::Logarithmic, 17),
        (Family::Power, Shape::Power, 15),
        (Family::Exponential, Shape::Exponential, 14),
    ] {
        let count = chosen(family, shape, 0.02);
        assert!(count >= least, "{shape:?}: {count} of 20");
    }
}

#[test]
fn poor_data_get_the_families_that_they_can_bear() {
    for (points, families) in [
        (&[][..], 0),
        (&[(f64::NAN, 1.0), (1.0, f64::INFINITY), (-1.0, 1.0)], 0),
        (&[(0.0, 1.0)], 1),
        (&[(5.0, 1.0), (5.0, 3.0)], 1),
        (&[(5.0, 1.0), (6.0, 3.0)], 3),
        (&[(5.0, 1.0), (6.0, 3.0), (f64::NAN, 1.0), (9.0, 1.0)], 5),
    ] {
        let curves = Curves::through(points);
        assert_eq!(curves.map_or(0, |curves| curves.fits().len()), families, "{points:?}");
    }
}

#[test]
fn nothing_is_said_beyond_twice_the_largest_level() {
    let curves = Curves::through(&curve(&LEVELS, |x| x + 100.0 + (x / 40.0).sin())).unwrap();
    assert!(curves.predict(320.0).memory_mb.is_some());
    let far = curves.predict(321.0);
    assert_eq!((far.memory_mb, far.interval), (None, None));
    let capacity = curves.capacity(1000.0, "memory.limit");
    assert_eq!(capacity.agents, None);
    assert!(
        capacity.reason.starts_with("1000 MiB is not reached at 320 agents, twice"),
        "{capacity:?}"
    );
    assert!(curves.warnings(Some(&capacity)).contains(&Warning::TooFar));
}

#[test]
fn a_capacity_is_where_curve_and_envelope_reach_the_limit() {
    let levels = [1.0, 5.0, 10.0, 20.0, 40.0, 80.0];
    let mut drawn = Drawn::draw(Shape::Linear, &levels, 3, 0.01, 5, 0);
    let curves = Curves::through(&drawn.points).unwrap();
    let limit = drawn.truth.at(100.0);
    let capacity = curves.capacity(limit, "load.capacity");
    let (agents, [Some(low), Some(high)]) = (capacity.agents.unwrap(), capacity.interval.unwrap())
    else {
        panic!("{capacity:?}");
    };
    assert!(low < agents && agents < high && (90.0..110.0).contains(&agents), "{capacity:?}");
    assert!((curves.predict(agents).memory_mb.unwrap() - limit).abs() < 1e-6 * limit);
    assert!((curves.predict(low).interval.unwrap()[1] - limit).abs() < 1e-6 * limit);
    assert!((curves.predict(high).interval.unwrap()[0] - limit).abs() < 1e-6 * limit);
    assert!(capacity.reason.contains(" agents ["), "{capacity:?}");
    // Known to be reached within what was measured, and before the first agent.
    let inside = curves.capacity(drawn.run(40.0), "");
    assert!(inside.agents.unwrap() < 50.0);
    assert!(curves.capacity(1.0, "").reason.contains("less than it takes without load"));
}

#[test]
fn a_knee_is_seen_and_a_smooth_curve_has_none() {
    let levels = [1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0];
    let count = |shape: Shape| {
        let sets = (0..10).map(|number| Drawn::draw(shape, &levels, 3, 0.01, 3, number));
        let found = sets.filter_map(|set| {
            let knee = Curves::through(&set.points).unwrap().knee();
            knee.map(|knee| (knee, set.truth))
        });
        found.collect::<Vec<_>>()
    };
    let found = count(Shape::Knee);
    assert!(found.len() >= 9, "{} of 10", found.len());
    for (knee, truth) in found {
        let crate::simulate::curves::Truth::Knee { place, .. } = truth else { panic!("{truth:?}") };
        assert!((knee - place).abs() < 12.0, "{knee} {truth:?}");
    }
    for shape in
        [Shape::Constant, Shape::Linear, Shape::Logarithmic, Shape::Power, Shape::Exponential]
    {
        let count = count(shape).len();
        assert!(count <= 1, "{shape:?}: {count} of 10");
    }
}

#[test]
fn warnings_are_sentences_and_say_what_is_weak() {
    let few = Curves::through(&curve(&[1.0, 2.0, 4.0], |x| x + 10.0)).unwrap();
    let names: Vec<&str> = few.warnings(None).into_iter().map(Warning::name).collect();
    assert_eq!(names, ["few-levels", "few-degrees-of-freedom"]);
    let text = Warning::FewLevels { levels: 3, repetitions: 1 }.to_string();
    assert!(text.starts_with("3 levels with 1 run each: "), "{text}");
    let steep =
        Curves::through(&curve(&LEVELS, |x| if x > 100.0 { 900.0 } else { 100.0 + x / 100.0 }));
    let names: Vec<&str> = steep.unwrap().warnings(None).into_iter().map(Warning::name).collect();
    assert!(names.contains(&"at-bound") || names.contains(&"wide-interval"), "{names:?}");
    let json = serde_json::to_value(Warning::Knee(41.7)).unwrap();
    assert_eq!(json["warning"], "knee");
    assert!(json["reason"].as_str().unwrap().contains("about 42 agents"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn fits_beat_the_mean_ignore_order_and_follow_a_change_of_unit(
        points in prop::collection::vec((0.0..1e5_f64, 1.0..1e4_f64), 1..10),
        scale in 0.01..100.0_f64,
    ) {
        let curves = Curves::through(&points).unwrap();
        let most = curves.candidates[0].curve.squares * (1.0 + 1e-9);
        for candidate in &curves.candidates {
            prop_assert!(candidate.curve.squares <= most);
            let fit = curves.fit(candidate);
            prop_assert!((0.0..=1.0).contains(&fit.r_squared));
            // What was fitted is what the coefficients say.
            let largest = points.iter().fold(0.0_f64, |size, point| size.max(point.1));
            for (x, _) in &points {
                prop_assert!((fit.at(*x) - candidate.curve.at(*x)).abs() <= 1e-6 * largest);
            }
        }
        let reversed: Vec<_> = points.iter().rev().copied().collect();
        prop_assert_eq!(&Curves::through(&reversed).unwrap().fits(), &curves.fits());
        let scaled: Vec<_> = points.iter().map(|(x, y)| (*x, y * scale)).collect();
        for (fit, scaled) in curves.candidates.iter().zip(&Curves::through(&scaled).unwrap().candidates).take(3) {
            let (before, after) = (fit.curve.at(1.0), scaled.curve.at(1.0));
            prop_assert!((after - before * scale).abs() <= 1e-9 * before.abs() * scale + 1e-9);
        }
        for agents in [0.0, 1.0, 1e4, 1e5] {
            if let Some([low, high]) = curves.predict(agents).interval {
                let middle = curves.predict(agents).memory_mb.unwrap();
                prop_assert!(low <= middle && middle <= high);
            }
        }
    }
}
