//! [`percent`]: how a share is written on every command line.

/// Reads `2%`, or `2`, as 0.02; `None` of what is no number, or below zero.
pub(super) fn percent(text: &str) -> Option<f64> {
    let number: f64 = text.strip_suffix('%').unwrap_or(text).trim().parse().ok()?;
    Some(number / 100.0).filter(|share| share.is_finite() && *share >= 0.0)
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
        for text in ["", "%", "2%%", "-2%", "5 MiB", "inf", "nan"] {
            assert_eq!(percent(text), None, "{text}");
        }
    }
}
