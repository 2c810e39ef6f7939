//! Which variables of the harness's own environment are not for its children.

/// Set by cargo for the test binary alone: a nested cargo, or anything built by one, would take them for its own.
/// `CARGO_HOME`, `CARGO_TARGET_DIR`, `RUSTFLAGS`, `RUSTC_WRAPPER` and the like are the user's, and stay.
const OWN: &[&str] = &[
    "CARGO",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_MAKEFLAGS",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_MANIFEST_PATH",
    "CARGO_PRIMARY_PACKAGE",
    "OUT_DIR",
    "RUST_RECURSION_COUNT",
];

const OWN_PREFIXES: &[&str] = &["CARGO_BIN_EXE_", "CARGO_PKG_"];

/// True for a variable that cargo sets for the test binary alone.
pub(super) fn is_own(name: &str) -> bool {
    OWN.contains(&name) || OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_sets_for_a_test_is_not_passed_on() {
        for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_BIN_EXE_perf", "CARGO"] {
            assert!(is_own(name), "{name}");
        }
        for name in ["CARGO_HOME", "CARGO_TARGET_DIR", "RUSTC_WRAPPER", "RUSTUP_TOOLCHAIN", "PATH"]
        {
            assert!(!is_own(name), "{name}");
        }
    }
}
