//! The scenarios that tests put into their workspaces, by name. Each does what its name says.

/// `proofload.toml` of every workspace: a lock of its own, and nothing waits.
pub(crate) const WORKSPACE: &str = r#"
lock = "run.lock"
lock_within = "0s"
keep = 2

[profile.quick]
sample = { interval = "2ms", warmup = "0s", settle = "0s", length = "10ms" }
baseline.length = "10ms"
"#;

/// The Compose file of `stack`.
pub(crate) const COMPOSE: &str = "services: { api: { image: none } }\n";

const SCENARIOS: &[(&str, &str)] = &[
    (
        "idle",
        r#"
        kind = "baseline"
        target.process.service = [{ name = "api", command = ["sleep", "60"] }]
        [[threshold]]
        check = "max memory.rss < 512 MiB"
        "#,
    ),
    // Its name has that of another kind in it.
    (
        "offload",
        r#"
        kind = "baseline"
        target.process.service = [{ name = "api", command = ["sleep", "60"] }]
        "#,
    ),
    (
        "steps",
        r#"
        kind = "load"
        load.levels = [1, 2]
        probes = ["containers", "queue"]
        probe.options.queue.length = 3.5
        driver.custom.name = "ticker"
        [target.process]
        build = "echo built >> builds.txt"
        service = [{ name = "api", command = ["sleep", "60"] }]
        [[threshold]]
        check = "max queue.length < 4"
        "#,
    ),
    (
        "fails",
        r#"
        kind = "baseline"
        target.process.service = [{ name = "api", command = ["sleep", "60"] }]
        [[threshold]]
        check = "max memory.rss < 1 B"
        [[threshold]]
        check = "max threads < 1"
        "#,
    ),
    (
        "stops",
        r#"
        kind = "baseline"
        baseline.length = "60s"
        target.process.service = [{ name = "api", command = ["sleep", "60"] }]
        [[threshold]]
        check = "max memory.rss < 1 B"
        abort_on_fail = true
        "#,
    ),
    // No probe is asked for that looks for deaths.
    (
        "dies-unwatched",
        r#"
        kind = "baseline"
        probes = ["containers"]
        baseline.length = "30s"
        target.process.service = [{ name = "api", command = ["sh", "-c", "sleep 0.02; exit 7"] }]
        "#,
    ),
    (
        "dies",
        r#"
        kind = "baseline"
        baseline.length = "30s"
        target.process.service = [{ name = "api", command = ["sh", "-c", "sleep 0.02; echo no more; exit 7"] }]
        "#,
    ),
    (
        "unbuilt",
        r#"
        kind = "baseline"
        target.process.service = [{ name = "api", command = ["./not-built"] }]
        "#,
    ),
    (
        "unbuildable",
        r#"
        kind = "baseline"
        [target.process]
        build = "echo no such crate; exit 101"
        service = [{ name = "api", command = ["sleep", "60"] }]
        "#,
    ),
    (
        "unread",
        r#"
        kind = "baseline"
        target.process.service = [{ name = "api", command = ["sleep", "60"] }]
        [[threshold]]
        check = "max agents.live < 5"
        "#,
    ),
    (
        "stack",
        r#"
        kind = "baseline"
        target.compose.file = "compose.yml"
        "#,
    ),
    // Its service says its process id.
    (
        "long",
        r#"
        kind = "baseline"
        baseline.length = "60s"
        [[target.process.service]]
        name = "api"
        command = ["sh", "-c", "echo $$; exec sleep 60"]
        ready.log = "^[0-9]+$"
        "#,
    ),
    ("mistyped", "kind = \"baseline\"\nsampel.length = \"1s\"\n"),
];

/// The text of a scenario.
pub(crate) fn text(name: &str) -> &'static str {
    let found = SCENARIOS.iter().find(|(own, _)| *own == name);
    found.unwrap_or_else(|| panic!("no scenario {name}")).1
}
