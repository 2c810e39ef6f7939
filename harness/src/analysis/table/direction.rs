//! Which way a column of a benchmark's table should go, told by its name.

use crate::model::Better;

const HIGHER: [&str; 9] =
    ["throughput", "thr", "bandwidth", "bw", "iops", "tps", "goodput", "trans", "transactions"];
const LOWER: [&str; 10] = [
    "cpu",
    "latency",
    "lat",
    "rtt",
    "jitter",
    "errors",
    "retransmits",
    "retrans",
    "dropped",
    "drops",
];

/// The direction of a column such as `throughput`, `%CPU`, `thr_per_CPU` or `latency_us`; `None` of names that say
/// nothing of it. What is counted `per` something else goes as what is counted.
#[must_use]
pub fn by_name(column: &str) -> Option<Better> {
    let words = words(column);
    let words = words.split(|word| word == "per").next()?;
    words.iter().find_map(|word| {
        let is = |list: &[&str]| list.contains(&word.as_str());
        is(&HIGHER).then_some(Better::Higher).or_else(|| is(&LOWER).then_some(Better::Lower))
    })
}

/// True of the columns that a reader looks at first: throughput and processor use.
#[must_use]
pub fn is_important(column: &str) -> bool {
    let words = words(column);
    let first = |word: &String| word == "throughput" || word == "cpu";
    !words.iter().any(|word| word == "per") && words.iter().any(first)
}

fn words(column: &str) -> Vec<String> {
    let spelled = column.to_lowercase().replace('/', " per ");
    let words = spelled.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_have_a_direction_and_others_none() {
        for (name, expected) in [
            ("throughput", Some(Better::Higher)),
            ("thr_per_%CPU", Some(Better::Higher)),
            ("thr/cpu", Some(Better::Higher)),
            ("%CPU", Some(Better::Lower)),
            ("latency_us", Some(Better::Lower)),
            ("trans.rate", Some(Better::Higher)),
            ("rx_pkts", None),
            ("pkts_per_cpu", None),
            ("", None),
        ] {
            assert_eq!(by_name(name), expected, "{name}");
        }
        assert!(is_important("%CPU") && is_important("Throughput"));
        assert!(!is_important("thr_per_%CPU") && !is_important("rx_pkts"));
    }
}
