//! [`percent`]: how a share is written on every command line.

/// Reads `2%`, or `2`, as 0.02; `None` of what is no number, or below zero. A bare number below 1 is refused: scenario
/// files write shares as fractions, and 0.02 there is 2%.
pub(super) fn percent(text: &str) -> Option<f64> {
    let bare = text.strip_suffix('%');
    let number: f64 = bare.unwrap_or(text).trim().parse().ok()?;
    let is_clear = bare.is_some() || number == 0.0 || number >= 1.0;
    Some(number / 100.0).filter(|share| is_clear && share.is_finite() && *share >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn the_sign_may_be_left_out() {
        for text in ["2", "2%", "2 %", "2.0%"] {
            assert_eq!(percent(text), Some(0.02), "{text}");
        }
        assert_eq!(percent("150%"), Some(1.5));
        assert_eq!((percent("0"), percent("0.5%")), (Some(0.0), Some(0.005)));
        for text in ["0.02", "", "%", "2%%", "-2%", "5 MiB", "inf", "nan"] {
            assert_eq!(percent(text), None, "{text}");
        }
    }
}
