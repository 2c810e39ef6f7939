//! Which layer's value wins.

use super::{DRIVER, TARGET, complete, minimal};
use crate::model::spec::TargetSpec;

#[test]
fn six_layers_are_asked_from_the_environment_down_to_the_defaults() {
    // Each layer says another length. Leaving out the strongest shows the next one.
    let lengths = ["8s", "7s", "6s", "5s", "4s", "1m"];
    for (absent, expected) in lengths.iter().enumerate() {
        let says = |layer: usize, text: &str| {
            if layer >= absent { text.to_owned() } else { String::new() }
        };
        let scenario = format!(
            "kind = \"load\"\n{}\n{}\n{TARGET}{DRIVER}",
            says(2, "sample.length = \"6s\""),
            says(1, "profile.quick.sample.length = \"7s\""),
        );
        let workspace = says(3, "[profile.quick]\nsample.length = \"5s\"");
        let profile = if absent >= 5 { "full" } else { "quick" };
        let mut environment = vec![("PROOFLOAD_PROFILE", profile)];
        if absent == 0 {
            environment.push(("PROOFLOAD__SAMPLE__LENGTH", "\"8s\""));
        }
        let scenario = complete(&scenario, &workspace, &environment).unwrap();
        assert_eq!(scenario.protocol.sample.length.to_string(), *expected, "without {absent}");
    }
}

#[test]
fn a_profile_that_is_not_chosen_says_nothing() {
    let scenario = format!("{}[profile.ci]\nrepeat = 9\n", minimal("load"));
    let workspace = "[profile.ci]\nload.levels = [9]";
    let scenario = complete(&scenario, workspace, &[]).unwrap();
    assert_eq!((scenario.repeat, scenario.protocol.load.levels), (1, vec![5, 10, 20, 40]));
}

#[test]
fn an_override_is_a_toml_value_or_else_a_string() {
    let check = |name: &str, value: &str, expected: &str| {
        let scenario = complete(&minimal("load"), "", &[(name, value)])
            .unwrap_or_else(|error| panic!("{error}"));
        let shown = format!(
            "{} {} {:?} {:?}",
            scenario.repeat,
            scenario.protocol.sample.length,
            scenario.protocol.load.levels,
            scenario.description
        );
        assert_eq!(shown, expected, "{name}={value}");
    };
    check("PROOFLOAD__REPEAT", "3", r#"3 4s [5, 10, 20, 40] """#);
    check("PROOFLOAD__SAMPLE__LENGTH", "\"30s\"", r#"1 30s [5, 10, 20, 40] """#);
    check("PROOFLOAD__SAMPLE__LENGTH", "30s", r#"1 30s [5, 10, 20, 40] """#);
    check("PROOFLOAD__LOAD__LEVELS", "[1, 2]", r#"1 4s [1, 2] """#);
    check("PROOFLOAD__LOAD", "{ levels = [7] }", r#"1 4s [7] """#);
    check("PROOFLOAD__DESCRIPTION", "two words", r#"1 4s [5, 10, 20, 40] "two words""#);
}

#[test]
fn a_default_for_a_part_that_a_scenario_does_not_have_does_not_ask_for_it() {
    let check = |workspace: &str, environment: &[(&str, &str)]| {
        let scenario = complete(&minimal("load"), workspace, environment)
            .unwrap_or_else(|error| panic!("{error}"));
        let targets: Vec<&str> = scenario.targets.iter().map(TargetSpec::name).collect();
        assert_eq!(targets, ["process"], "{workspace} {environment:?}");
    };
    check("[profile.quick]\ntarget.compose.clean = \"never\"", &[]);
    check("[profile.quick]\ndriver.command.must_outlast = false", &[]);
    check("", &[("PROOFLOAD__TARGET__COMPOSE__ATTACH", "true")]);
    check("", &[("PROOFLOAD__DRIVER__COMMAND__MUST_OUTLAST", "false")]);
}

#[test]
fn an_override_of_a_part_that_a_scenario_has_holds() {
    let environment = [("PROOFLOAD__DRIVER__AGENTS__TIMEOUT", "9s")];
    let scenario = complete(&minimal("load"), "", &environment).unwrap();
    let scenario = serde_json::to_value(scenario).unwrap();
    assert_eq!(scenario["driver"]["agents"]["timeout"], "9s");
}

/// The complete scenario has this value at this JSON pointer.
fn holds(scenario: &str, environment: &[(&str, &str)], pointer: &str, expected: &str) {
    let scenario =
        complete(scenario, "", environment).unwrap_or_else(|error| panic!("{pointer}: {error}"));
    let scenario = serde_json::to_value(scenario).unwrap();
    let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
    assert_eq!(scenario.pointer(pointer), Some(&expected), "{pointer}");
}

#[test]
fn one_key_of_a_nested_table_can_be_overridden() {
    let probes = "[probe.cadvisor]\nurl = \"http://a\"\n[probe.prometheus]\nurl = \"http://b\"\n\
                  query = [{ metric = \"m\", expr = \"up\" }]\n";
    let status = "status = { method = \"GET\", path = \"/\", live = \"/a\" }\n";
    let phases = "[duration]\nphases = { active = \"5m\", drain = \"1m\" }\n";
    let scenario = format!(
        "kind = \"duration\"\nprobes = [\"cadvisor\", \"prometheus\"]\n{TARGET}{DRIVER}{status}{probes}{phases}"
    );
    let check = |name: &str, value: &str, pointer: &str| {
        holds(&scenario, &[(name, value)], pointer, &format!("\"{value}\""));
    };
    check("PROOFLOAD__PROBE__CADVISOR__URL", "http://c", "/probes/0/cadvisor/url");
    check("PROOFLOAD__PROBE__PROMETHEUS__URL", "http://c", "/probes/1/prometheus/url");
    check("PROOFLOAD__DRIVER__AGENTS__SPAWN__PATH", "/c", "/driver/agents/spawn/path");
    check("PROOFLOAD__DRIVER__AGENTS__RESET__METHOD", "PUT", "/driver/agents/reset/method");
    check("PROOFLOAD__DRIVER__AGENTS__STATUS__LIVE", "/c", "/driver/agents/status/live");
    check("PROOFLOAD__DURATION__PHASES__DRAIN", "2m", "/protocol/duration/phases/drain");
}

#[test]
fn a_nested_table_that_no_layer_completes_is_refused_where_it_stands() {
    let check = |rest: &str, part: &str| {
        let text = format!(
            "kind = \"duration\"\nprobes = [\"prometheus\", \"cadvisor\"]\n{TARGET}{DRIVER}{rest}\n"
        );
        let line = text.lines().position(|line| line.ends_with("#!")).map(|index| index + 1);
        let error = complete(&text, "", &[]).unwrap_err();
        assert!(error.message.contains(part), "expected {part:?} in\n{error}");
        assert_eq!(error.line, line, "{error}");
    };
    check(
        "stop = { path = \"/\" } #!",
        "`driver.agents.stop.method` is required, for example \"POST\"",
    );
    check("stop = { method = \"POST\" } #!", "`driver.agents.stop.path` is required");
    let live = "`driver.agents.status.live` is required, for example \"/live\"";
    check("status = { method = \"GET\", path = \"/\" } #!", live);
    check("[probe.prometheus] #!\nquery = []", "`probe.prometheus.url` is required");
    check("[probe.prometheus] #!\nurl = \"http://b\"", "`probe.prometheus.query` is required");
    let prometheus = "[probe.prometheus]\nurl = \"http://b\"\nquery = []\n";
    check(&format!("{prometheus}[probe.cadvisor] #!"), "`probe.cadvisor.url` is required");
    let probes = format!("{prometheus}[probe.cadvisor]\nurl = \"http://a\"\n");
    check(
        &format!("{probes}[duration]\nphases = {{ drain = \"1m\" }} #!"),
        "`duration.phases.active` is required, for example \"5m\"",
    );
}

#[test]
fn the_stronger_of_minutes_and_phases_holds() {
    let phases = "phases = { active = \"5m\" }";
    let with = |more: &str| format!("{}[duration]\n{phases}\n{more}", minimal("duration"));
    let check = |scenario: &str, environment: &[(&str, &str)], minutes: &str, phases: &str| {
        holds(scenario, environment, "/protocol/duration/minutes", minutes);
        holds(scenario, environment, "/protocol/duration/phases", phases);
    };
    let five = r#"{"active":"5m","cooldown":null,"drain":null}"#;
    check(&with(""), &[], "[]", five);
    check(&with(""), &[("PROOFLOAD__DURATION__MINUTES", "[3]")], "[3.0]", "null");
    check(&with("[profile.quick.duration]\nminutes = [2]"), &[], "[2.0]", "null");
    let minutes = format!("{}[duration]\nminutes = [2]\n", minimal("duration"));
    check(&minutes, &[("PROOFLOAD__DURATION__PHASES__ACTIVE", "5m")], "[]", five);
    check(&minutes, &[], "[2.0]", "null");
}

#[test]
fn minutes_and_phases_in_one_layer_are_refused() {
    let text = format!(
        "{}[duration]\nminutes = [2]\nphases = {{ active = \"5m\" }}\n",
        minimal("duration")
    );
    let error = complete(&text, "", &[]).unwrap_err();
    assert!(error.message.contains("`minutes` and `phases` exclude each other"), "{error}");
    assert_eq!(error.line, Some(text.lines().count()), "{error}");
}
