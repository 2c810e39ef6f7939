//! Curves of memory against agents: [`Fit`], the families of the original tool and a constant.
//!
//! Every family is linear in all but one coefficient, so the fit is a search in one dimension with
//! a straight line solved at each step: the variable projection of Golub & Pereyra, SIAM J. Numer.
//! Anal. 10(2), 1973. There are no start values and nothing can fail to converge. The formula shows
//! the function that was fitted.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF as _, FisherSnedecor};

use crate::analysis::{
    describe::mean,
    regression::{Projection, r_squared},
};

/// Exponents that a power may have. Beyond them it is a logarithm or a step at the last point.
const POWER_EXPONENTS: [f64; 2] = [0.1, 4.0];
/// How many times e an exponential may rise or fall over the range of x, at least and at most.
/// Below, it is a line with huge cancelling coefficients; above, it passes through the last point
/// whatever the others are.
const EXPONENTIAL_TURNS: [f64; 2] = [0.02, 6.0];
/// Keeps `e^(b x)` representable where the range of x is narrow and far from 0.
const EXPONENTIAL_LIMIT: f64 = 60.0;
/// Chance of choosing more coefficients than the data need, with too few points for AICc.
const SIGNIFICANCE: f64 = 0.05;
/// Models whose AICc is this close to the best one are not told apart by the data (Burnham &
/// Anderson, 2.6).
const INDISTINGUISHABLE: f64 = 2.0;

/// The shape of a curve, ordered from the simplest to the most complex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// `y = a`, the mean.
    Constant,
    /// `y = a x + b`.
    Linear,
    /// `y = a ln(x + 1) + b`.
    Logarithmic,
    /// `y = a x^b + c`, `b` from 0.1 to 4.
    Power,
    /// `y = a e^(b x) + c`, `b` of either sign, `|b|` times the range of x from 0.02 to 6.
    Exponential,
}

impl Family {
    /// Every family, the simplest first.
    pub const ALL: [Self; 5] =
        [Self::Constant, Self::Linear, Self::Logarithmic, Self::Power, Self::Exponential];

    /// How many coefficients the family has.
    #[must_use]
    pub fn coefficients(self) -> usize {
        match self {
            Self::Constant => 1,
            Self::Linear | Self::Logarithmic => 2,
            Self::Power | Self::Exponential => 3,
        }
    }
}

/// The numbers of a formula under the names that [`Family`] gives them; those a family lacks are
/// absent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Coefficients {
    /// The mean of a constant (MiB), else what multiplies the term in x.
    pub a: f64,
    /// The intercept of a line or logarithm (MiB), the exponent of a power, the rate of an
    /// exponential (1/agent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b: Option<f64>,
    /// The offset of a power or exponential (MiB).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub c: Option<f64>,
}

/// One family fitted to points of (agents, MiB).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// The shape.
    #[serde(rename = "fit_type")]
    pub family: Family,
    /// The function for people, `memory_mb = 2.45 * agents + 312.5`, its coefficients rounded.
    pub formula: String,
    /// `1 - SSres / SStot`, 0 to 1; 0 when the memory does not vary.
    pub r_squared: f64,
    /// The function for programs, not rounded.
    pub coefficients: Coefficients,
    /// The sum of squared residuals (MiB²), what [`select`] goes by.
    pub residual_squares: f64,
    /// How many points were used.
    pub n: usize,
}

impl Fit {
    /// The memory (MiB) that the fitted function gives for so many agents.
    #[must_use]
    pub fn at(&self, agents: f64) -> f64 {
        let Coefficients { a, b, c } = self.coefficients;
        let (b, c) = (b.unwrap_or(0.0), c.unwrap_or(0.0));
        match self.family {
            Family::Constant => a,
            Family::Linear => a * agents + b,
            Family::Logarithmic => a * agents.ln_1p() + b,
            Family::Power => a * agents.powf(b) + c,
            Family::Exponential => a * (b * agents).exp() + c,
        }
    }
}

/// Fits every family that the points (agents, MiB) can bear, the simplest first.
///
/// A constant takes one point, a line and a logarithm two distinct x, a power and an exponential
/// three. A point with a negative x or a coordinate that is not finite is left out, which `n`
/// tells; no points, no fits.
#[must_use]
pub fn fit_all(points: &[(f64, f64)]) -> Vec<Fit> {
    let usable = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite() && *x >= 0.0;
    let mut points: Vec<_> = points.iter().copied().filter(usable).collect();
    // The last digit of a sum depends on its order; sorted, the same points give the same fit.
    points.sort_by(|p, q| p.0.total_cmp(&q.0).then(p.1.total_cmp(&q.1)));
    let mut xs: Vec<f64> = points.iter().map(|point| point.0).collect();
    xs.dedup();
    let bearable = Family::ALL.into_iter().filter(|family| family.coefficients() <= xs.len());
    bearable.filter_map(|family| fit(family, &points)).collect()
}

/// Chooses the fit that describes the data best with no more coefficients than they support, out of
/// all those that [`fit_all`] returned, in any order; `None` only for an empty slice.
///
/// R² is no criterion: it never falls when a coefficient is added. From six points on it is the
/// simplest family within 2 of the lowest AICc (Burnham & Anderson, "Model Selection and Multimodel
/// Inference", 2nd edition, 2002, 2.4 and 2.6). Fewer points do not define AICc for three
/// coefficients; then more coefficients have to pass an F test of the extra sum of squares at 5%
/// (Draper & Smith, 1998, chapter 6). A curve through all points leaves nothing to test and is not
/// chosen, except the line through two.
#[must_use]
pub fn select(fits: &[Fit]) -> Option<&Fit> {
    let mut fits: Vec<&Fit> = fits.iter().collect();
    fits.sort_by_key(|fit| fit.family);
    let constant = *fits.first()?;
    // Residuals below a billionth of the values are rounding: comparing them would be chance.
    let scale = constant.n as f64 * constant.coefficients.a.powi(2) + constant.residual_squares;
    let squares = |fit: &Fit| fit.residual_squares.max(1e-18 * scale).max(f64::MIN_POSITIVE);
    let n = constant.n as f64;
    if constant.n >= 6 {
        let aicc = |fit: &Fit| {
            let k = fit.family.coefficients() as f64 + 1.0; // The variance is estimated too.
            n * (squares(fit) / n).ln() + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0)
        };
        let lowest = fits.iter().copied().map(aicc).fold(f64::INFINITY, f64::min);
        return fits.into_iter().find(|fit| aicc(fit) <= lowest + INDISTINGUISHABLE);
    }
    let mut best = constant;
    for fit in fits {
        let extra = (fit.family.coefficients() - best.family.coefficients()) as f64;
        let freedom = n - fit.family.coefficients() as f64;
        let gain = (squares(best) - squares(fit)) / squares(fit);
        let better = if extra == 0.0 || n == 2.0 {
            gain > 0.0
        } else {
            FisherSnedecor::new(extra, freedom)
                .is_ok_and(|f| f.sf(gain.max(0.0) * freedom / extra) < SIGNIFICANCE)
        };
        best = if better { fit } else { best };
    }
    Some(best)
}

/// Fits one family to sorted points.
fn fit(family: Family, points: &[(f64, f64)]) -> Option<Fit> {
    let ys: Vec<f64> = points.iter().map(|point| point.1).collect();
    let (lowest, highest) = (points.first()?.0, points.last()?.0);
    let line = |term: &dyn Fn(f64) -> f64| {
        Projection::of(&points.iter().map(|(x, y)| (term(*x), *y)).collect::<Vec<_>>())
    };
    let solved = |a: f64, b: f64, c: Option<f64>, line: Projection| {
        (Coefficients { a, b: Some(b), c }, line.residual_squares)
    };
    let two = |line: Projection| solved(line.slope, line.intercept, None, line);
    // Both searches use a term between 0 and e^6, which cannot overflow, and scale back after.
    let (coefficients, residual_squares) = match family {
        Family::Constant => {
            let a = mean(&ys)?;
            (Coefficients { a, b: None, c: None }, ys.iter().map(|y| (y - a).powi(2)).sum())
        }
        Family::Linear => two(line(&|x| x)?),
        Family::Logarithmic => two(line(&f64::ln_1p)?),
        Family::Power => {
            let (b, best) = search(&[POWER_EXPONENTS], |b| line(&|x| (x / highest).powf(b)))?;
            solved(best.slope / highest.powf(b), b, Some(best.intercept), best)
        }
        Family::Exponential => {
            let range = highest - lowest;
            let most = EXPONENTIAL_TURNS[1].min(EXPONENTIAL_LIMIT * range / highest);
            let least = EXPONENTIAL_TURNS[0].min(most / 10.0);
            let turns = [[-most, -least], [least, most]];
            let (turns, best) =
                search(&turns, |turns| line(&|x| (turns * (x - lowest) / range).exp()))?;
            let b = turns / range;
            solved(best.slope * (-b * lowest).exp(), b, Some(best.intercept), best)
        }
    };
    let total_squares = Projection::of(points).map_or(0.0, |line| line.total_squares);
    let size = ys.iter().fold(0.0, |size: f64, y| size.max(y.abs()));
    let r_squared = r_squared(residual_squares, total_squares);
    let formula = formula(family, coefficients, size);
    Some(Fit { family, formula, r_squared, coefficients, residual_squares, n: points.len() })
}

/// The parameter within `ranges` whose projection leaves the least residual: a grid against local
/// minima, then golden sections between the neighbours of its best point (Kiefer, Proc. Amer. Math.
/// Soc. 4(3), 1953).
fn search<F>(ranges: &[[f64; 2]], project: F) -> Option<(f64, Projection)>
where
    F: Fn(f64) -> Option<Projection>,
{
    const STEPS: u32 = 40;
    let left = |at: f64| project(at).map_or(f64::INFINITY, |line| line.residual_squares);
    let grid = ranges.iter().flat_map(|&[from, to]| {
        let step = (to - from) / f64::from(STEPS);
        (0..=STEPS).map(move |i| (from + step * f64::from(i), [from, to], step))
    });
    let (start, [from, to], step) = grid.min_by(|p, q| left(p.0).total_cmp(&left(q.0)))?;
    let (mut low, mut high) = ((start - step).max(from), (start + step).min(to));
    let section = (5.0_f64.sqrt() - 1.0) / 2.0;
    for _ in 0..70 {
        let (p, q) = (high - section * (high - low), low + section * (high - low));
        if left(p) <= left(q) { high = q } else { low = p }
    }
    let end = (low + high) / 2.0;
    let best = if left(end) < left(start) { end } else { start };
    Some((best, project(best)?))
}

/// Writes the function in the words of the original tool; `size` is the largest |y|.
fn formula(family: Family, Coefficients { a, b, c }: Coefficients, size: f64) -> String {
    let (b, c) = (b.unwrap_or(0.0), c.unwrap_or(0.0));
    let offset = |value: f64| {
        let number = decimals(value.abs(), 1, size);
        // What rounds to zero has no sign.
        let sign = if value < 0.0 && number.parse() != Ok(0.0) { '-' } else { '+' };
        format!("{sign} {number}")
    };
    let factor = decimals(a, 2, a);
    match family {
        Family::Constant => format!("memory_mb = {}", decimals(a, 1, size)),
        Family::Linear => format!("memory_mb = {factor} * agents {}", offset(b)),
        Family::Logarithmic => format!("memory_mb = {factor} * ln(agents + 1) {}", offset(b)),
        Family::Power => format!("memory_mb = {factor} * agents^{b:.2} {}", offset(c)),
        Family::Exponential => {
            format!("memory_mb = {factor} * e^({} * agents) {}", decimals(b, 4, b), offset(c))
        }
    }
}

/// A number with at least so many decimals, and three digits of a number of the size of `size`.
fn decimals(value: f64, least: usize, size: f64) -> String {
    let size = size.abs();
    if size != 0.0 && !(1e-6..1e9).contains(&size) {
        return format!("{value:.2e}");
    }
    let needed = if size == 0.0 { 0.0 } else { (2.0 - size.log10().floor()).max(0.0) };
    format!("{value:.*}", least.max(needed as usize))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEVELS: [f64; 4] = [20.0, 40.0, 80.0, 160.0];

    fn curve(xs: &[f64], mut y: impl FnMut(f64) -> f64) -> Vec<(f64, f64)> {
        xs.iter().map(|x| (*x, y(*x))).collect()
    }

    /// Normal deviates by Box & Muller from a linear congruential generator, the same for a seed on
    /// every machine.
    fn noise(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed;
        let mut uniform = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
        };
        move || (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()
    }

    /// How many of 200 data sets with a scatter of 5 MiB choose the family.
    fn chosen(family: Family, xs: &[f64], y: impl Fn(f64) -> f64) -> usize {
        let mut noise = noise(1);
        let sets = (0..200).map(|_| curve(xs, |x| y(x) + 5.0 * noise()));
        sets.filter(|set| select(&fit_all(set)).unwrap().family == family).count()
    }

    /// Exact data are recovered, chosen, and printed as `formula`.
    #[track_caller]
    fn check(family: Family, xs: &[f64], [a, b, c]: [f64; 3], formula: &str) {
        let coefficients = match family.coefficients() {
            1 => Coefficients { a, b: None, c: None },
            2 => Coefficients { a, b: Some(b), c: None },
            _ => Coefficients { a, b: Some(b), c: Some(c) },
        };
        let truth = Fit { family, coefficients, ..fit_all(&[(0.0, 0.0)])[0].clone() };
        let mut fits = fit_all(&curve(xs, |x| truth.at(x)));
        fits.reverse();
        let best = select(&fits).unwrap();
        assert_eq!((best.family, best.formula.as_str()), (family, formula), "{fits:#?}");
        assert!(best.n == xs.len() && (best.r_squared == 0.0) == (family == Family::Constant));
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

    #[test]
    fn a_logarithm_of_a_line_has_the_known_coefficients() {
        let fits = fit_all(&curve(&LEVELS, |x| 2.45 * x + 312.5));
        let fit = fits.iter().find(|fit| fit.family == Family::Logarithmic).unwrap();
        assert_eq!(fit.formula, "memory_mb = 166.22 * ln(agents + 1) - 178.3");
        assert!((fit.r_squared - 0.923_065_89).abs() < 5e-9, "{fit:?}");
    }

    #[test]
    fn noise_on_a_simple_truth_rarely_chooses_a_complex_family() {
        let many: Vec<f64> = (1..=12).map(|i| f64::from(i) * 10.0).collect();
        for (xs, flat) in [(&LEVELS[..], 170), (&many, 150)] {
            let linear = chosen(Family::Linear, xs, |x| 2.45 * x + 312.5);
            assert!(linear >= 160, "linear on {linear} of 200 with {} points", xs.len());
            let constant = chosen(Family::Constant, xs, |_| 312.5);
            assert!(constant >= flat, "constant on {constant} of 200 with {} points", xs.len());
        }
        let power = chosen(Family::Power, &many, |x| 0.05 * x * x + 300.0);
        assert!(power >= 100, "power on {power} of 200");
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
            let fits = fit_all(points);
            assert_eq!(fits.len(), families, "{points:?}");
            assert_eq!(select(&fits).is_some(), families > 0);
        }
    }

    proptest! {
        #[test]
        fn fits_beat_the_mean_follow_a_shift_and_ignore_order(
            points in prop::collection::vec((0.0..1e5_f64, -1e4..1e4_f64), 1..12),
            shift in -1e4..1e4_f64,
        ) {
            let fits = fit_all(&points);
            let most = fits[0].residual_squares * (1.0 + 1e-9);
            for fit in &fits {
                prop_assert!(fit.residual_squares <= most && (0.0..=1.0).contains(&fit.r_squared));
                // What was fitted is what the coefficients say.
                let squares: f64 = points.iter().map(|(x, y)| (y - fit.at(*x)).powi(2)).sum();
                prop_assert!((squares - fit.residual_squares).abs() <= 1e-6 * most + 1e-3);
            }
            let reversed: Vec<_> = points.iter().rev().copied().collect();
            prop_assert_eq!(&fit_all(&reversed), &fits);
            let shifted: Vec<_> = points.iter().map(|(x, y)| (*x, y + shift)).collect();
            for (fit, shifted) in fits.iter().zip(fit_all(&shifted)).take(3) {
                let (before, after) = (fit.at(0.0), shifted.at(0.0));
                prop_assert!((after - before - shift).abs() <= 1e-9 * before.abs() + 1e-6);
            }
        }
    }
}
