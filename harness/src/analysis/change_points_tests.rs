//! Change points by hand, of the Python prototype, and what must hold of any series.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// A level that steps by a factor, under a fixed pattern of 1% noise.
fn step(before: usize, after: usize, factor: f64) -> Vec<f64> {
    let noise = [0.0, 1.0, -0.7, 0.3, -1.1, 0.8, -0.2, 0.5, -0.9, 0.1];
    let value = |index: usize| {
        let level = if index < before { 100.0 } else { 100.0 * factor };
        level * (1.0 + 0.01 * noise[index % noise.len()])
    };
    (0..before + after).map(value).collect()
}

fn at(values: &[f64], method: Method) -> Vec<usize> {
    change_points(values, method, 0.02).iter().map(|point| point.at).collect()
}

#[test]
fn the_energy_statistic_by_hand() {
    // 1 2 3 4 | 10 11 12 13: the mean distance across is 9, within each part 20/16 (both orders, and 0 to itself), so
    // that it is 4 * 4 / 8 * (2 * 9 - 1.25 - 1.25) = 31.
    let (statistic, split) = energy(&[1.0, 2.0, 3.0, 4.0, 10.0, 11.0, 12.0, 13.0]).unwrap();
    assert!((statistic - 31.0).abs() < 1e-12, "{statistic}");
    assert_eq!(split, 4);
    assert_eq!(energy(&[1.0; 7]), None);
}

#[test]
fn statistic_and_splits_are_those_of_the_prototype() {
    let golden = include_str!("../../tests/data/history/golden.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    let mut decided = 0;
    let index = |value: &Value| value.as_u64().map(|index| index as usize);
    for case in golden.as_array().unwrap() {
        let values: Vec<f64> =
            case["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        let (statistic, at) = energy(&values).unwrap();
        let expected = case["statistic"].as_f64().unwrap();
        assert!((statistic - expected).abs() < 1e-10 * expected, "{statistic} is not {expected}");
        assert_eq!(Some(at), index(&case["split"]), "{}", case["data"]);
        let found =
            |method: Method| split_at_level(&values, method, method.level()).map(|split| split.at);
        assert_eq!(found(Method::TSplit), index(&case["t_split"]), "{}", case["data"]);
        // Of 4,000 permutations: where the p-value is close to the level, other permutations may decide otherwise.
        let p = case["p"].as_f64().unwrap();
        if !(0.004..0.02).contains(&p) {
            assert_eq!(found(Method::EDivisive), index(&case["e_divisive"]), "{}", case["data"]);
            decided += 1;
        }
    }
    assert!(golden.as_array().unwrap().len() == 15 && decided >= 11, "{decided}");
}

#[test]
fn a_step_is_found_with_its_levels() {
    for method in Method::ALL {
        let found = change_points(&step(20, 10, 1.08), method, 0.02);
        let [point] = found[..] else { panic!("{found:?}") };
        assert_eq!(point.at, 20);
        assert!((point.change - 0.08).abs() < 0.005, "{point:?}");
        assert!(point.p <= method.level() && (point.before - 100.0).abs() < 0.5, "{point:?}");
        assert_eq!(last_level(&found), Some(point.after));
    }
}

#[test]
fn a_step_up_and_down_again_is_two_changes() {
    let mut values = step(15, 15, 1.2);
    values.extend(step(15, 0, 1.0));
    for method in Method::ALL {
        assert_eq!(at(&values, method), [15, 30], "{method:?}");
    }
}

#[test]
fn a_change_below_the_smallest_is_left_out() {
    let values = step(30, 30, 1.015);
    for method in Method::ALL {
        assert_eq!(at(&values, method), [0; 0]);
        assert_eq!(change_points(&values, method, 0.005).len(), 1);
    }
}

#[test]
fn the_fewest_runs_are_enough_and_fewer_are_not() {
    for method in Method::ALL {
        let enough = method.fewest();
        assert_eq!(at(&step(enough / 2, enough - enough / 2, 2.0), method), [enough / 2]);
        assert_eq!(at(&step(SHORTEST, enough - SHORTEST, 2.0), method), [SHORTEST]);
        assert_eq!(at(&step(SHORTEST, SHORTEST - 1, 2.0), method), [0; 0]);
    }
    // Two runs at a new level are too few, however far it is.
    assert_eq!(at(&step(30, 2, 5.0), Method::EDivisive), [0; 0]);
}

#[test]
fn values_around_zero_are_compared_as_they_are() {
    let mut values: Vec<f64> = (0..15).map(|i| 0.01 * f64::from(i % 3)).collect();
    values.extend((0..15).map(|i| 5.0 + 0.01 * f64::from(i % 3)));
    let found = change_points(&values, Method::EDivisive, 0.02);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!((found[0].after - 5.01).abs() < 1e-9);
    assert_eq!((relative(0.0, 0.0), relative(0.0, 1.0)), (0.0, f64::INFINITY));
}

#[test]
fn every_method_has_a_word() {
    for method in Method::ALL {
        assert_eq!(Method::parse(method.as_str()), Some(method));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_constant_series_never_changes(value in -1e9..1e9_f64, n in 0..60_usize) {
        for method in Method::ALL {
            prop_assert!(change_points(&vec![value; n], method, 0.0).is_empty());
        }
    }

    #[test]
    fn the_unit_of_measure_does_not_matter(scale in 1e-6..1e6_f64, factor in 1.0..1.3_f64) {
        let values = step(14, 12, factor);
        let scaled: Vec<f64> = values.iter().map(|value| value * scale).collect();
        for method in Method::ALL {
            prop_assert_eq!(at(&values, method), at(&scaled, method));
        }
    }

    #[test]
    fn a_shift_of_all_values_changes_no_statistic(
        values in prop::collection::vec(-10.0..10.0_f64, 8..30), shift in -1e3..1e3_f64,
    ) {
        let shifted: Vec<f64> = values.iter().map(|value| value + shift).collect();
        let (one, other) = (energy(&values).unwrap(), energy(&shifted).unwrap());
        prop_assert!((one.0 - other.0).abs() < 1e-8, "{one:?} {other:?}");
    }

    #[test]
    fn a_large_step_is_found_where_it_is(
        before in 8..25_usize, after in 6..25_usize, factor in 1.1..3.0_f64,
    ) {
        for method in Method::ALL {
            let found = at(&step(before, after, factor), method);
            prop_assert!(found.len() == 1 && found[0].abs_diff(before) <= 1, "{found:?}");
        }
    }
}
