//! The environment variables that runs and commands read alike.

/// True where inconclusive and no-data trials may pass.
pub(crate) fn allow_inconclusive() -> bool {
    std::env::var("PROOFLOAD_ALLOW_INCONCLUSIVE").is_ok_and(|value| value == "1")
}

/// True unless `NO_COLOR` asks for plain text (no-color.org: any value but an empty one does).
pub(crate) fn allows_color() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The commit that is measured, where the environment says: `PROOFLOAD_COMMIT`, else what GitHub or GitLab set.
pub(super) fn commit() -> Option<String> {
    let names = ["PROOFLOAD_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA"];
    names.into_iter().find_map(|name| std::env::var(name).ok().filter(|commit| !commit.is_empty()))
}
