//! [`short`]: numbers in the sentences that say why. Tables and charts format theirs in `report`.

/// A number with at most four significant digits and no trailing zeros: `62.13`, `0.0051`, `12000`.
pub(crate) fn short(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(1e-6..1e15).contains(&size) {
        return format!("{value:.2e}");
    }
    let decimals = (3.0 - size.log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits_and_no_trailing_zeros() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (62.134, "62.13"),
            (-62.134, "-62.13"),
            (2.0, "2"),
            (0.005_14, "0.00514"),
            (12_000.4, "12000"),
            (999.96, "1000"),
            (1e-9, "1.00e-9"),
            (3e20, "3.00e20"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
