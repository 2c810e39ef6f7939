//! [`result_path`]: where the raw output of a case is kept.

use super::workflow::TestParams;

/// The path of a case below the results, as the original makes it.
pub(super) fn result_path(tool: &str, case: u32, params: &TestParams, environment: &str) -> String {
    let TestParams { protocol, direction, .. } = params;
    format!("ebpf/{tool}_case_{case}_{protocol}_{direction}_{}/{environment}", hash(params))
}

/// Six digits that differ where the parameters do.
fn hash(TestParams { protocol, direction, extra }: &TestParams) -> String {
    let text = match extra.as_str() {
        "" => format!("{protocol}_{direction}"),
        extra => format!("{protocol}_{direction}_{extra}"),
    };
    let mut digits = format!("{:x}", md5::compute(text));
    digits.truncate(6);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_are_those_of_the_original() {
        for (protocol, direction, expected) in [
            ("tcp", "rx", "9d5e19"),
            ("tcp", "tx", "0388a9"),
            ("udp", "rx", "3689b0"),
            ("udp", "tx", "314e44"),
            ("icmp", "rx", "0aa654"),
            ("icmp", "tx", "68fde4"),
        ] {
            let [protocol, direction] = [protocol, direction].map(str::to_owned);
            let params = TestParams { protocol, direction, extra: String::new() };
            assert_eq!(hash(&params), expected);
            let other = TestParams { extra: "queue_1".to_owned(), ..params };
            assert_ne!(hash(&other), expected);
        }
    }
}
