//! Values in base units, as people read them.

use crate::analysis::digits::short;
use crate::model::Unit;

/// A value of a unit: `312.5 MiB`, `350 ms`, `80%`, `9.4 Gbit/s`.
#[must_use]
pub fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => bytes(value),
        Unit::Seconds => seconds(value),
        Unit::Ratio => percent(value * 100.0),
        Unit::Count => short(value),
        Unit::BitsPerSecond => bits_per_second(value),
        Unit::PerSecond => format!("{}/s", short(value)),
    }
}

/// A size with a binary prefix.
#[must_use]
pub fn bytes(value: f64) -> String {
    prefixed(value, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"])
}

/// A data rate with a decimal prefix, as networks have it.
#[must_use]
pub fn bits_per_second(value: f64) -> String {
    prefixed(value, 1000.0, &["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"])
}

/// A size in MiB, as results files hold it: always in MiB, so that a column can be compared.
#[must_use]
pub fn mib(value: f64) -> String {
    format!("{value:.1} MiB")
}

/// Growth in MiB per minute, always so.
#[must_use]
pub fn mib_per_minute(value: f64) -> String {
    format!("{} MiB/min", short(value))
}

/// Percent.
#[must_use]
pub fn percent(value: f64) -> String {
    format!("{}%", short(value))
}

/// A span of time: `350 ms`, `4.5 s`, `2m 05s`, `1h 02m`.
#[must_use]
pub fn seconds(value: f64) -> String {
    let size = value.abs();
    if size < 60.0 {
        return if size == 0.0 || size >= 1.0 {
            format!("{} s", short(value))
        } else {
            prefixed(value * 1e9, 1000.0, &["ns", "us", "ms"])
        };
    }
    let (sign, whole) = (if value < 0.0 { "-" } else { "" }, size.round() as u64);
    if whole < 3600 {
        format!("{sign}{}m {:02}s", whole / 60, whole % 60)
    } else {
        format!("{sign}{}h {:02}m", whole / 3600, whole % 3600 / 60)
    }
}

fn prefixed(value: f64, step: f64, units: &[&str]) -> String {
    let mut value = value;
    let mut index = 0;
    while value.abs() >= step && index + 1 < units.len() {
        value /= step;
        index += 1;
    }
    format!("{} {}", short(value), units[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_naturally() {
        for (number, unit, text) in [
            (0.0, Unit::Bytes, "0 B"),
            (1023.0, Unit::Bytes, "1023 B"),
            (327_680_000.0, Unit::Bytes, "312.5 MiB"),
            (-2_097_152.0, Unit::Bytes, "-2 MiB"),
            (3e15, Unit::Bytes, "2728 TiB"),
            (0.35, Unit::Seconds, "350 ms"),
            (4.5e-6, Unit::Seconds, "4.5 us"),
            (0.0, Unit::Seconds, "0 s"),
            (4.5, Unit::Seconds, "4.5 s"),
            (125.0, Unit::Seconds, "2m 05s"),
            (3_720.0, Unit::Seconds, "1h 02m"),
            (0.8, Unit::Ratio, "80%"),
            (12_000.0, Unit::Count, "12000"),
            (9.4e9, Unit::BitsPerSecond, "9.4 Gbit/s"),
        ] {
            assert_eq!(value(number, unit), text);
        }
    }
}
