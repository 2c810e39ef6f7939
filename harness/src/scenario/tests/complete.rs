//! What an accepted scenario becomes.

use std::path::Path;

use serde_json::{Value, json};

use super::{DRIVER, TARGET, complete, minimal};
use crate::scenario::{Names, Workspace, files, load};

/// The complete scenario has these values at these JSON pointers.
fn check(scenario: &str, profile: &str, expected: &[(&str, Value)]) {
    let scenario = complete(scenario, "", &[("PROOFLOAD_PROFILE", profile)])
        .unwrap_or_else(|error| panic!("{error}"));
    let scenario = serde_json::to_value(scenario).unwrap();
    for (pointer, expected) in expected {
        assert_eq!(scenario.pointer(pointer), Some(expected), "{pointer} in profile {profile}");
    }
}

/// `[network]` as it is in every profile but the quick one.
fn network() -> Value {
    let tests =
        ["throughput_single", "throughput_multi", "tcp_rr", "udp_rr", "pps_single", "pps_multi"];
    json!({
        "tests": tests.map(|name| json!({ "like": name })),
        "length": "10s", "omit": "0s", "streams": 4, "processes": 4, "port": 5001, "control_port": 12865,
        "udp_rate": "1 Gbit/s", "udp_block": null, "pps_rate": null, "pps_block": "64 B",
        "interval": "1s", "within": "30s", "grace": "10s", "settle": "1s",
        "latency_degradation": 0.05, "throughput_degradation": 0.05, "pps_degradation": 0.05,
        "baseline": true, "repeat": 2, "budget": "2h", "select": {}, "hook": [],
    })
}

#[test]
fn every_key_of_the_contract_is_accepted_and_keeps_its_value() {
    check(
        include_str!("contract.toml"),
        "full",
        &[
            ("/name", json!("checkout")),
            ("/file", json!("scenarios/checkout.toml")),
            ("/kind", json!("load")),
            ("/description", json!("memory per agent")),
            ("/targets/0/process/build", json!("cargo build --release -p workload")),
            (
                "/targets/0/process/service",
                json!([{
                    "name": "api",
                    "command": ["target/release/workload", "--listen", "127.0.0.1:18080"],
                    "env": { "MODE": "steady" },
                    "ready": { "http": "http://127.0.0.1:18080/healthz", "within": "10s" },
                }]),
            ),
            (
                "/targets/1/compose",
                json!({
                    "build": null,
                    "files": ["fixtures/stacks/steady/compose.yml"],
                    "profiles": ["core"],
                    "env_file": ".env",
                    "services": ["api"],
                    "ready": { "healthy": true, "within": "3m" },
                    "clean": "trial",
                    "attach": false,
                    "project": null,
                    "env": {},
                }),
            ),
            ("/driver/agents/base_url", json!("http://127.0.0.1:18080")),
            ("/driver/agents/headers", json!({ "X-API-Key": "${env:API_KEY}" })),
            ("/driver/agents/groups", json!(["drivers", "riders"])),
            (
                "/driver/agents/start",
                json!({ "method": "POST", "path": "/start", "headers": {}, "expect": [] }),
            ),
            (
                "/driver/agents/spawn",
                json!({
                    "method": "POST",
                    "path": "/agents/{group}",
                    "headers": {},
                    "body": "{\"count\": {count}}",
                    "expect": [200, 201],
                }),
            ),
            (
                "/driver/agents/status",
                json!({ "method": "GET", "path": "/agents", "headers": {}, "expect": [], "live": "/live" }),
            ),
            ("/driver/agents/stop/path", json!("/stop")),
            ("/driver/agents/reset/path", json!("/reset")),
            ("/driver/agents/within", json!("2m")),
            ("/protocol/load/levels", json!([10, 20, 40, 80])),
            ("/protocol/duration/minutes", json!([1.0, 2.0, 4.0, 8.0])),
            ("/protocol/duration/agents", json!(40)),
            (
                "/protocol/duration/phases",
                json!({ "active": "5m", "drain": "2m", "cooldown": "10m" }),
            ),
            ("/protocol/reset/agents", json!(40)),
            ("/protocol/reset/cycles", json!(4)),
            ("/protocol/reset/within", json!(0.10)),
            ("/protocol/sample/interval", json!("2s")),
            ("/protocol/sample/warmup", json!("10s")),
            ("/protocol/sample/settle", json!("5s")),
            ("/protocol/sample/length", json!("1m")),
            ("/probes", json!(["containers", "oom"])),
            ("/repeat", json!(1)),
            ("/matrix", json!([])),
            (
                "/rules/thresholds",
                json!([{
                    "metric": "memory.anon",
                    "source": "api",
                    "stat": "slope",
                    "op": "<",
                    "value": "1 MiB/min",
                    "severity": "fail",
                    "abort_on_fail": false,
                }]),
            ),
            (
                "/rules/reset",
                json!({ "rule": "growth", "growth": 0.01, "detect": 0.05, "within": 0.10, "gate": true }),
            ),
        ],
    );
    check(
        include_str!("contract.toml"),
        "quick",
        &[("/protocol/load/levels", json!([5, 10, 20, 40]))],
    );
}

#[test]
fn a_minimal_scenario_has_every_documented_default() {
    check(
        &minimal("load"),
        "full",
        &[
            ("/description", json!("")),
            ("/probes", json!(["containers", "oom"])),
            ("/repeat", json!(1)),
            ("/matrix", json!([])),
            (
                "/protocol",
                json!({
                    "sample": { "interval": "2s", "warmup": "10s", "settle": "5s", "length": "1m" },
                    "baseline": { "length": "30s" },
                    "load": {
                        "levels": [1, 5, 10, 20, 40, 80], "repeat": 3, "shuffle": true,
                        "capacity": null, "throughput": null,
                    },
                    "duration": { "minutes": [15.0], "agents": 40, "intervals": {}, "looks": ["4m", "8m"], "phases": null },
                    "reset": { "agents": 40, "cycles": 4, "rule": "growth", "growth": 0.01, "detect": 0.05, "within": 0.10, "gate": true, "baseline": "10s", "load": "30s", "post": "30s" },
                    "network": network(),
                }),
            ),
            ("/driver/agents/headers", json!({})),
            ("/driver/agents/groups", json!(["agents"])),
            ("/driver/agents/start", Value::Null),
            ("/driver/agents/within", json!("2m")),
            ("/driver/agents/timeout", json!("30s")),
            (
                "/targets/0/process",
                json!({ "service": [{ "name": "api", "command": ["api"], "env": {} }] }),
            ),
            ("/rules/thresholds", json!([])),
            (
                "/rules/leak",
                json!({
                    "rule": "leakscore", "gate": "verdict", "least": "0.25 MiB/min",
                    "watch": "0.5 MiB/min", "leak": "1 MiB/min",
                    "gross": "60 MiB/min", "certain": true, "shortest": "4m",
                    "looks": ["4m", "8m"],
                }),
            ),
            (
                "/rules/reset",
                json!({ "rule": "growth", "growth": 0.01, "detect": 0.05, "within": 0.10, "gate": true }),
            ),
        ],
    );
}

#[test]
fn what_curves_are_asked_stands_in_the_rules() {
    let keys = "[load]\ncapacity = \"512 MiB\"\nthroughput = \"rate network.sent\"\n";
    check(
        &format!("{}{keys}", minimal("load")),
        "quick",
        &[(
            "/rules/load",
            json!({ "capacity": "512 MiB", "throughput": { "metric": "network.sent", "stat": "rate" } }),
        )],
    );
    let keys = "[load]\nthroughput = \"agents.live\"\n";
    let expected = json!({ "throughput": { "metric": "agents.live" } });
    check(&format!("{}{keys}", minimal("load")), "quick", &[("/rules/load", expected)]);
}

#[test]
fn a_minimal_compose_target_has_every_documented_default() {
    let target = "[target.compose]\nfile = \"fixtures/stacks/steady/compose.yml\"\n";
    let command = "[driver.command]\ncommand = [\"k6\", \"{agents}\"]\n";
    check(
        &format!("kind = \"load\"\n{target}{command}"),
        "full",
        &[
            (
                "/targets",
                json!([{ "compose": {
                    "build": null, "files": ["fixtures/stacks/steady/compose.yml"], "profiles": [],
                    "env_file": null, "services": [], "ready": { "healthy": true, "within": "3m" },
                    "clean": "trial", "attach": false, "project": null, "env": {},
                } }]),
            ),
            (
                "/driver",
                json!({ "command": {
                    "command": ["k6", "{agents}"], "env": {}, "cwd": null, "must_outlast": true,
                } }),
            ),
        ],
    );
}

#[test]
fn a_condition_without_a_limit_waits_as_long_as_its_target_says() {
    let service = "[target.process]\nwithin = \"7s\"\n[[target.process.service]]\nname = \"api\"\n\
                   command = [\"api\"]\nready = { tcp = \"127.0.0.1:1\" }\n";
    check(
        &format!("kind = \"baseline\"\n{service}"),
        "full",
        &[("/targets/0/process/service/0/ready/within", json!("7s"))],
    );
    let compose = "[target.compose]\nfile = \"fixtures/stacks/steady/compose.yml\"\n\
                   ready = { tcp = \"127.0.0.1:1\" }\n";
    check(
        &format!("kind = \"baseline\"\n{compose}"),
        "full",
        &[(
            "/targets/0/compose/ready",
            json!({ "tcp": "127.0.0.1:1", "healthy": true, "within": "3m" }),
        )],
    );
}

#[test]
fn the_seed_profile_is_the_seed_protocol() {
    check(
        &minimal("load"),
        "seed",
        &[
            (
                "/protocol",
                json!({
                    "sample": { "interval": "2s", "warmup": "10s", "settle": "5s", "length": "1m" },
                    "baseline": { "length": "30s" },
                    "load": {
                        "levels": [10, 20, 40, 80], "repeat": 1, "shuffle": false,
                        "capacity": null, "throughput": null,
                    },
                    "duration": { "minutes": [1.0, 2.0, 4.0, 8.0], "agents": 40, "intervals": {}, "looks": [], "phases": null },
                    "reset": { "agents": 40, "cycles": 1, "rule": "within", "growth": 0.01, "detect": 0.05, "within": 0.10, "gate": true, "baseline": "10s", "load": "30s", "post": "30s" },
                    "network": network(),
                }),
            ),
            ("/rules/leak/rule", json!("seed")),
            ("/rules/leak/gate", json!("verdict")),
            ("/rules/leak/leak", json!("1 MiB/min")),
            ("/rules/leak/certain", json!(false)),
            ("/rules/leak/shortest", json!("0s")),
        ],
    );
}

#[test]
fn every_kind_is_complete_in_every_profile() {
    for profile in ["quick", "full", "seed", "ci"] {
        for kind in ["baseline", "load", "duration", "reset"] {
            check(&minimal(kind), profile, &[("/kind", json!(kind))]);
        }
    }
}

#[test]
fn the_quick_duration_takes_at_least_thirty_samples() {
    let scenario = complete(&minimal("duration"), "", &[]).unwrap();
    let interval = scenario.protocol.sample.interval.0.as_secs_f64();
    for minutes in scenario.protocol.duration.minutes {
        assert!(minutes * 60.0 / interval >= 30.0, "{minutes} minutes at {interval} s");
    }
}

#[test]
fn both_forms_of_a_threshold_say_the_same() {
    let by_key = "[[threshold]]\nmetric = \"memory.anon\"\nstat = \"p95\"\nop = \"<\"\n\
                  value = \"512 MiB\"\nsource = \"api\"\n";
    let keys = complete(&format!("{}{by_key}", minimal("load")), "", &[]).unwrap();
    for check in [
        "p(95) memory.anon < 512 MiB",
        "p95 memory.anon < 512 MiB",
        "  p(95)   memory.anon\t<\t512 MiB  ",
        "p(95)\nmemory.anon < 512 MiB",
    ] {
        let text =
            format!("{}[[threshold]]\ncheck = {check:?}\nsource = \"api\"\n", minimal("load"));
        let checked = complete(&text, "", &[]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(checked.rules.thresholds, keys.rules.thresholds, "{check:?}");
    }
}

#[test]
fn every_probe_and_driver_that_can_be_named_is_accepted() {
    let probes = r#"
probes = ["containers", "oom", "cadvisor", "prometheus", "queue"]
[probe]
cadvisor.url = "http://127.0.0.1:8083"
prometheus = { url = "http://127.0.0.1:9090", query = [{ metric = "http.requests", expr = "up", source_label = "job" }] }
options.queue = { depth = 3 }
[driver.custom]
name = "ticker"
options = { rate = 5 }
[[threshold]]
check = "max http.requests < 10"
"#;
    check(
        &format!("kind = \"load\"{probes}{TARGET}"),
        "quick",
        &[
            ("/driver", json!({ "custom": { "name": "ticker", "options": { "rate": 5 } } })),
            ("/probes/4", json!({ "custom": { "name": "queue", "options": { "depth": 3 } } })),
            ("/probes/3/prometheus/query/0/source_label", json!("job")),
        ],
    );
    check(&format!("kind = \"baseline\"{TARGET}"), "quick", &[("/driver", Value::Null)]);
    check(&format!("kind = \"baseline\"{TARGET}{DRIVER}"), "quick", &[]);
}

#[test]
fn every_scenario_that_we_ship_is_accepted_in_every_profile() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for profile in ["quick", "full", "seed", "ci"] {
        let environment = [("PROOFLOAD_PROFILE".to_owned(), profile.to_owned())];
        let workspace = Workspace::open(&root, environment).unwrap();
        for directory in ["scenarios", "fixtures/scenarios"] {
            let files = files(&root.join(directory)).unwrap();
            assert!(!files.is_empty(), "{directory}");
            for file in files {
                load(&workspace, &file, &Names::default())
                    .unwrap_or_else(|error| panic!("{error}"));
            }
        }
        let first = include_str!("../../command/init/baseline.toml")
            .replace("{package}", "shop")
            .replace("{program}", "target/release/shop");
        check(&first, profile, &[("/name", json!("checkout"))]);
    }
}
