//! [`Family`]: the shapes that a curve may have, and its [`Coefficients`] under the names that results files have.

use serde::{Deserialize, Serialize};

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
    /// `y = a x^b + c`, `b` from 0.05 to 4.
    Power,
    /// `y = a e^(b x) + c`, `b` of either sign, `|b|` times the largest x from 0.1 to 8.
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

    /// The word that results files have.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Linear => "linear",
            Self::Logarithmic => "logarithmic",
            Self::Power => "power",
            Self::Exponential => "exponential",
        }
    }

    /// Writes the function in the words of the original tool; `size` is the largest |y|.
    pub(super) fn formula(self, Coefficients { a, b, c }: Coefficients, size: f64) -> String {
        let (b, c) = (b.unwrap_or(0.0), c.unwrap_or(0.0));
        let offset = |value: f64| {
            let number = decimals(value.abs(), 1, size);
            // What rounds to zero has no sign.
            let sign = if value < 0.0 && number.parse() != Ok(0.0) { '-' } else { '+' };
            format!("{sign} {number}")
        };
        let factor = decimals(a, 2, a);
        match self {
            Self::Constant => format!("memory_mb = {}", decimals(a, 1, size)),
            Self::Linear => format!("memory_mb = {factor} * agents {}", offset(b)),
            Self::Logarithmic => format!("memory_mb = {factor} * ln(agents + 1) {}", offset(b)),
            Self::Power => format!("memory_mb = {factor} * agents^{b:.2} {}", offset(c)),
            Self::Exponential => {
                format!("memory_mb = {factor} * e^({} * agents) {}", decimals(b, 4, b), offset(c))
            }
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

impl Coefficients {
    pub(super) fn at(self, family: Family, agents: f64) -> f64 {
        let Self { a, b, c } = self;
        let (b, c) = (b.unwrap_or(0.0), c.unwrap_or(0.0));
        match family {
            Family::Constant => a,
            Family::Linear => a * agents + b,
            Family::Logarithmic => a * agents.ln_1p() + b,
            Family::Power => a * agents.powf(b) + c,
            Family::Exponential => a * (b * agents).exp() + c,
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
