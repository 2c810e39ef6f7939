//! The nonlinear data sets of NIST, from both of their start values.

use std::f64::consts::PI;

use super::*;
use crate::analysis::strd::Set;

const SETS: [&str; 27] = [
    "Bennett5", "BoxBOD", "Chwirut1", "Chwirut2", "DanWood", "ENSO", "Eckerle4", "Gauss1",
    "Gauss2", "Gauss3", "Hahn1", "Kirby2", "Lanczos1", "Lanczos2", "Lanczos3", "MGH09", "MGH10",
    "MGH17", "Misra1a", "Misra1b", "Misra1c", "Misra1d", "Nelson", "Rat42", "Rat43", "Roszman1",
    "Thurber",
];

/// The model of a set, as its file states it.
fn model(name: &str, b: &[f64], row: &[f64]) -> f64 {
    let x = row[1];
    match name {
        "Bennett5" => b[0] * (b[1] + x).powf(-1.0 / b[2]),
        "BoxBOD" | "Misra1a" => b[0] * (1.0 - (-b[1] * x).exp()),
        "Chwirut1" | "Chwirut2" => (-b[0] * x).exp() / (b[1] + b[2] * x),
        "DanWood" => b[0] * x.powf(b[1]),
        "ENSO" => {
            let wave = |period: f64, cos: f64, sin: f64| {
                cos * (2.0 * PI * x / period).cos() + sin * (2.0 * PI * x / period).sin()
            };
            b[0] + wave(12.0, b[1], b[2]) + wave(b[3], b[4], b[5]) + wave(b[6], b[7], b[8])
        }
        "Eckerle4" => (b[0] / b[1]) * (-0.5 * ((x - b[2]) / b[1]).powi(2)).exp(),
        "Gauss1" | "Gauss2" | "Gauss3" => {
            let bell = |height: f64, center: f64, width: f64| {
                height * (-(x - center).powi(2) / width.powi(2)).exp()
            };
            b[0] * (-b[1] * x).exp() + bell(b[2], b[3], b[4]) + bell(b[5], b[6], b[7])
        }
        "Hahn1" | "Thurber" => {
            (b[0] + x * (b[1] + x * (b[2] + x * b[3]))) / (1.0 + x * (b[4] + x * (b[5] + x * b[6])))
        }
        "Kirby2" => (b[0] + x * (b[1] + x * b[2])) / (1.0 + x * (b[3] + x * b[4])),
        "Lanczos1" | "Lanczos2" | "Lanczos3" => {
            b.chunks(2).map(|pair| pair[0] * (-pair[1] * x).exp()).sum()
        }
        "MGH09" => b[0] * (x * x + x * b[1]) / (x * x + x * b[2] + b[3]),
        "MGH10" => b[0] * (b[1] / (x + b[2])).exp(),
        "MGH17" => b[0] + b[1] * (-x * b[3]).exp() + b[2] * (-x * b[4]).exp(),
        "Misra1b" => b[0] * (1.0 - (1.0 + b[1] * x / 2.0).powi(-2)),
        "Misra1c" => b[0] * (1.0 - (1.0 + 2.0 * b[1] * x).powf(-0.5)),
        "Misra1d" => b[0] * b[1] * x / (1.0 + b[1] * x),
        "Nelson" => b[0] - b[1] * x * (-b[2] * row[2]).exp(),
        "Rat42" => b[0] / (1.0 + (b[1] - b[2] * x).exp()),
        "Rat43" => b[0] / (1.0 + (b[1] - b[2] * x).exp()).powf(1.0 / b[3]),
        "Roszman1" => b[0] - b[1] * x - (b[2] / (x - b[3])).atan() / PI,
        _ => unreachable!("{name}"),
    }
}

/// How many digits of the certified values are reached from a start value.
fn digits(name: &str, start: usize) -> f64 {
    let set = Set::read(name);
    let response = |row: &[f64]| if name == "Nelson" { row[0].ln() } else { row[0] };
    let residuals = |b: &[f64]| -> Vec<f64> {
        set.rows.iter().map(|row| model(name, b, row) - response(row)).collect()
    };
    let minimum = minimize(&residuals, &|b| differences(&residuals, b), &set.starts[start]);
    minimum.map_or(0.0, |minimum| set.digits(&minimum.parameters))
}

#[test]
fn the_nonlinear_sets_of_nist_are_solved_to_six_digits() {
    let solved = |start: usize| {
        let digits: Vec<(&str, f64)> =
            SETS.iter().map(|name| (*name, digits(name, start))).collect();
        let short = digits.into_iter().filter(|(_, digits)| *digits < 6.0);
        short.map(|(name, _)| name).collect::<Vec<&str>>()
    };
    // From start 1 the rate of BoxBOD runs to infinity under every method that only goes down, and the valley of MGH10
    // takes more steps than are made.
    let from_afar = solved(0);
    assert!(from_afar.iter().all(|name| ["BoxBOD", "MGH10"].contains(name)), "{from_afar:?}");
    assert_eq!(solved(1), [""; 0]);
}

#[test]
fn standard_errors_are_those_that_nist_certifies() {
    for name in ["Misra1a", "DanWood", "Rat42", "Thurber"] {
        let set = Set::read(name);
        let residuals = |b: &[f64]| -> Vec<f64> {
            set.rows.iter().map(|row| model(name, b, row) - row[0]).collect()
        };
        let minimum =
            minimize(&residuals, &|b| differences(&residuals, b), &set.starts[1]).unwrap();
        assert!((minimum.residual_squares / set.residual_squares - 1.0).abs() < 1e-8, "{name}");
        let variance = minimum.residual_squares / minimum.linearized.freedom() as f64;
        for (index, certified) in set.deviations.iter().enumerate() {
            let mut unit = vec![0.0; set.deviations.len()];
            unit[index] = 1.0;
            let error = (variance * minimum.linearized.leverage(&unit)).sqrt();
            assert!((error / certified - 1.0).abs() < 1e-5, "{name}: {error} {certified}");
        }
    }
}

#[test]
fn a_start_without_finite_residuals_is_refused() {
    let residuals = |b: &[f64]| vec![b[0].ln(), 1.0];
    assert_eq!(minimize(&residuals, &|b| differences(&residuals, b), &[-1.0]), None);
}
