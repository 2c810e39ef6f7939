//! How often curves over load are wrong: family, interval, capacity, knee and peak on points with a known truth.

use super::rate::{Expected, Rate};
use crate::analysis::fit::{Curves, Family};
use crate::analysis::usl::Law;
use crate::simulate::curves::{Curve, Shape, Truth};

/// The levels and repetitions of profile `full`.
const LEVELS: [f64; 6] = [1.0, 5.0, 10.0, 20.0, 40.0, 80.0];
const REPETITIONS: u32 = 3;
/// The relative error of a run.
const NOISE: f64 = 0.03;

const GROWING: [(Shape, Family); 4] = [
    (Shape::Linear, Family::Linear),
    (Shape::Logarithmic, Family::Logarithmic),
    (Shape::Power, Family::Power),
    (Shape::Exponential, Family::Exponential),
];

/// What one data set gave.
#[derive(Clone, Copy)]
struct Answer {
    family: bool,
    /// One more run at 1.5 times and at twice the largest level was in the interval.
    covered: [bool; 2],
    /// The true load at the limit was in the interval of the capacity; absent where none was told.
    capacity: Option<bool>,
    knee: bool,
}

/// The measured rates, on `per_cell` data sets of each truth.
#[must_use]
pub fn rates(seed: u64, per_cell: usize) -> Vec<Rate> {
    let answers = |shape: Shape, family: Family| -> Vec<Answer> {
        let sets = (0..per_cell)
            .map(|number| Curve::draw(shape, &LEVELS, REPETITIONS, NOISE, seed, number));
        sets.filter_map(|set| answer(set, family)).collect()
    };
    let growing: Vec<(Shape, Vec<Answer>)> =
        GROWING.iter().map(|(shape, family)| (*shape, answers(*shape, *family))).collect();
    let flat = answers(Shape::Constant, Family::Constant);
    // Six levels leave no place with three on each side of it but between the third and the fourth.
    let many = [1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0];
    let bent: Vec<Answer> = (0..per_cell)
        .map(|number| Curve::draw(Shape::Knee, &many, REPETITIONS, NOISE, seed, number))
        .filter_map(|set| answer(set, Family::Linear))
        .collect();
    let pooled: Vec<Answer> = growing.iter().flat_map(|(_, answers)| answers.clone()).collect();
    let design = "6 levels x 3, 3% noise";
    let mut rates = vec![
        rate("family", format!("right, pooled, {design}"), &pooled, Expected::AtLeast(0.80), |a| {
            Some(a.family)
        }),
        rate(
            "family",
            format!("flat memory is constant, {design}"),
            &flat,
            Expected::AtLeast(0.90),
            |a| Some(a.family),
        ),
    ];
    for (shape, answers) in &growing {
        let what = format!("right, {}, {design}", name(*shape));
        rates.push(rate("family", what, answers, Expected::Reported, |a| Some(a.family)));
    }
    let covered = Expected::Between(0.93, 0.99);
    for (index, times) in ["1.5 times", "twice"].into_iter().enumerate() {
        let what = format!("covers a run at {times} the largest level, pooled");
        rates.push(rate("prediction interval", what, &pooled, covered, |a| Some(a.covered[index])));
    }
    for (shape, answers) in &growing {
        let what = format!("covers a run at twice the largest level, {}", name(*shape));
        rates.push(rate("prediction interval", what, answers, Expected::Reported, |a| {
            Some(a.covered[1])
        }));
    }
    rates.extend([
        rate(
            "capacity",
            "interval covers the true load, pooled",
            &pooled,
            Expected::AtLeast(0.93),
            |a| a.capacity,
        ),
        rate(
            "knee",
            "false alarms on smooth curves, pooled",
            &pooled,
            Expected::AtMost(0.02),
            |a| Some(a.knee),
        ),
        rate("knee", "false alarms on flat memory", &flat, Expected::AtMost(0.02), |a| {
            Some(a.knee)
        }),
        rate("knee", "seen, 9 levels x 3, 3% noise", &bent, Expected::Reported, |a| Some(a.knee)),
    ]);
    rates.extend(peaks(seed, per_cell));
    rates
}

fn name(shape: Shape) -> String {
    format!("{shape:?}").to_lowercase()
}

fn rate(
    rule: &str,
    what: impl Into<String>,
    answers: &[Answer],
    expected: Expected,
    hit: impl Fn(&Answer) -> Option<bool>,
) -> Rate {
    let told: Vec<bool> = answers.iter().filter_map(hit).collect();
    let hits = told.iter().filter(|hit| **hit).count();
    Rate { rule: format!("scaling: {rule}"), what: what.into(), hits, trials: told.len(), expected }
}

fn answer(mut set: Curve, family: Family) -> Option<Answer> {
    let curves = Curves::through(&set.points)?;
    let highest = LEVELS[LEVELS.len() - 1];
    let covered = [1.5, 2.0].map(|times| {
        let run = set.run(times * highest);
        let interval = curves.predict(times * highest).interval;
        interval.is_some_and(|[low, high]| low <= run && run <= high)
    });
    // A limit that is reached at 1.4 times the largest level.
    let truth = 1.4 * highest;
    let capacity = curves.capacity(set.truth.at(truth), "");
    let capacity = capacity.interval.filter(|_| capacity.agents.is_some());
    let capacity = capacity.map(|[low, high]| {
        low.is_none_or(|low| low <= truth) && high.is_none_or(|high| truth <= high)
    });
    let knee = curves.knee().is_some();
    Some(Answer { family: curves.best().family == family, covered, capacity, knee })
}

/// The Universal Scalability Law, whose true peak lies within the levels.
fn peaks(seed: u64, per_cell: usize) -> Vec<Rate> {
    let (mut inside, mut told, mut covered, mut close) = (0, 0, 0, 0);
    for number in 0..per_cell {
        let set = Curve::draw(Shape::Scalability, &LEVELS, REPETITIONS, NOISE, seed, number);
        let Truth::Scalability { sigma, kappa, .. } = set.truth else { continue };
        let truth = ((1.0 - sigma) / kappa).sqrt();
        if truth > LEVELS[LEVELS.len() - 1] {
            continue;
        }
        inside += 1;
        let peak = Law::through(&set.points).and_then(|law| law.peak(&set.points));
        let Some(peak) = peak else { continue };
        told += 1;
        let [low, high] = peak.interval;
        let within = low.is_none_or(|low| low <= truth) && high.is_none_or(|high| truth <= high);
        covered += usize::from(within);
        close += usize::from((peak.agents / truth - 1.0).abs() <= 0.2);
    }
    let rate = |what: &str, hits, trials, expected| Rate {
        rule: "scaling: throughput peak".to_owned(),
        what: what.to_owned(),
        hits,
        trials,
        expected,
    };
    vec![
        rate("told, of peaks within the levels", told, inside, Expected::AtLeast(0.90)),
        rate("interval covers the true peak", covered, told, Expected::Between(0.90, 0.99)),
        rate("within 20% of the true peak", close, told, Expected::Reported),
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn rates_are_counted_over_every_cell_and_are_the_same_again() {
        let rates = super::rates(3, 6);
        assert_eq!(rates, super::rates(3, 6));
        let find = |what: &str| rates.iter().find(|rate| rate.what.starts_with(what)).unwrap();
        assert_eq!(find("right, pooled").trials, 4 * 6);
        assert_eq!(find("right, linear").trials, 6);
        assert!(find("flat memory").measured() >= 0.5, "{rates:#?}");
        let covered = find("covers a run at twice the largest level, pooled");
        assert!(covered.measured() >= 0.75 && covered.trials == 4 * 6, "{covered:?}");
    }
}
