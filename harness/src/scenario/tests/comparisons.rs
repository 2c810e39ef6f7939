//! `[ab]` and `[validity]`: what is complete, and what is refused.

use super::refusals::{check, check_text};
use super::{DRIVER, TARGET, complete};
use crate::model::{Param, Stat};

/// Keys of `[ab]` over a target that uses `{size}` in its environment.
fn with(ab: &str) -> String {
    format!("kind = \"load\"\n[ab]\n{ab}\n{TARGET}env = {{ SIZE = \"{{size}}\" }}\n{DRIVER}")
}

fn refused(ab: &str, part: &str) {
    check_text(&with(ab), part);
}

const SIDES: &str = "a.size = 1\nb.size = 2";

#[test]
fn a_scenario_that_names_two_sides_compares_them_with_the_defaults() {
    let scenario = complete(&with(SIDES), "", &[]).unwrap();
    let ab = scenario.ab.unwrap();
    assert_eq!(
        (ab.a.get("size"), ab.b.get("size")),
        (Some(&Param::Integer(1)), Some(&Param::Integer(2)))
    );
    assert_eq!((ab.budget.0.as_secs(), ab.warmup), (3600, true));
    let rule = scenario.rules.ab.unwrap();
    assert_eq!(
        (rule.looks, rule.min_effect, rule.margin, rule.within),
        (vec![3, 5, 7, 10], 0.02, 0.05, None)
    );
    let metrics: Vec<&str> = rule.metrics.iter().map(|metric| metric.metric.as_str()).collect();
    assert_eq!(metrics, ["memory.anon", "cpu.usage"]);
    assert!(rule.metrics.iter().all(|metric| metric.stat == Stat::Mean));
    // The other keys alone are settings, as those of proofload.toml are.
    let text = format!("kind = \"load\"\nab.margin = 0.10\n{TARGET}{DRIVER}");
    let plain = complete(&text, "[profile.quick.ab]\nlooks = [4]", &[]).unwrap();
    assert_eq!((plain.ab, plain.rules.ab), (None, None));
}

#[test]
fn a_metric_is_a_name_or_a_table() {
    let metrics = "metrics = [\"threads\", { metric = \"cpu.usage\", source = \"api\", stat = \"p95\", severity = \"warn\", margin = 0.2 }]";
    let rule = complete(&with(&format!("{SIDES}\n{metrics}")), "", &[]).unwrap().rules.ab.unwrap();
    assert_eq!((rule.metrics[0].metric.as_str(), rule.metrics[0].margin), ("threads", None));
    let table = &rule.metrics[1];
    assert_eq!(
        (table.stat, table.margin, table.source.as_deref()),
        (Stat::Percentile(95.0), Some(0.2), Some("api"))
    );
    for (metrics, part) in [
        ("metrics = [] #!", "expected at least one metric"),
        ("metrics = [1] #!", "expected a metric's name, or a table"),
        ("metrics = [{ source = \"api\" }] #!", "`ab.metrics.0.metric` is required"),
        ("metrics = [{ metric = \"threads\", stats = \"mean\" }] #!", "did you mean \"stat\"?"),
        ("metrics = [\"threds\"] #!", "did you mean \"threads\"?"),
        ("metrics = [\"threads\", \"threads\"] #!", "mean of threads stands twice"),
        ("metrics = [{ metric = \"threads\", margin = 0.01 }] #!", "expected min_effect <= margin"),
        (
            "metrics = [{ metric = \"threads\", margin = 7 }] #!",
            "expected a fraction above 0 and below 1",
        ),
    ] {
        refused(&format!("{SIDES}\n{metrics}"), part);
    }
}

#[test]
fn sides_that_cannot_be_told_apart_are_refused() {
    let alone = |side: &str| with(&format!("{side}.size = 1")).replace("[ab]", "[ab] #!");
    check_text(&alone("a"), "`ab.b` is required");
    check_text(&alone("b"), "`ab.a` is required");
    refused("a = { size = 1 }\nb = { size = 1 } #!", "both sides are the same");
    refused("a = { size = 1, other = 2 } #!\nb = { size = 2 }", "ab.b has no \"other\"");
    refused("a = { size = 1 }\nb = { size = 2, other = 2 } #!", "ab.a has no \"other\"");
    refused(
        "a = { size = 1, other = 2 } #!\nb = { size = 2, other = 3 }",
        "no string of the target or the driver uses {other}",
    );
    refused("a = { size = [1] } #!\nb = { size = 2 }", "expected a number, a string or a boolean");
    let taken = with("a.agents = 1 #!\nb.agents = 2").replace("{size}", "{agents}");
    check_text(&taken, "cannot name a parameter");
    // `{ab}` alone is enough.
    let text = with("a = {}\nb = {}").replace("{size}", "{ab}");
    assert!(complete(&text, "", &[]).unwrap().ab.is_some());
}

#[test]
fn sides_of_which_only_the_build_differs_are_refused() {
    let built = with(SIDES).replace("env = ", "ready = { tcp = \"h:{size}\" }\nenv = ");
    let built = built.replace("SIZE = \"{size}\"", "SIZE = \"1\"");
    check_text(&built.replace("b.size", "b.size = 2 #!\n#"), "both sides are the same");
    let built = format!("{built}[target.process]\nbuild = \"make {{size}}\" #!\n");
    check_text(&built, "only the build differs: both builds run before the first pair");
    check_text(&built, "use the name in `command`, `cwd` or `env`");
    // Where a service runs it, or the driver asks for it, it may be built too.
    let used = built.replace("SIZE = \"1\"", "SIZE = \"{size}\"");
    assert!(complete(&used, "", &[]).is_ok());
    let used = built.replace("path = \"/agents\"", "path = \"/agents/{size}\"");
    assert!(complete(&used, "", &[]).is_ok());
    let compose = compose("build = \"make {size}\" #!\nready = { http = \"http://{size}\" }");
    check_text(&compose, "use the name in `files`, `env` or `services`");
}

/// Two sides over a Compose target with these keys.
fn compose(keys: &str) -> String {
    let file = "file = \"fixtures/stacks/steady/compose.yml\"";
    format!("kind = \"load\"\n[ab]\n{SIDES}\n[target.compose]\n{file}\n{keys}\n{DRIVER}")
}

#[test]
fn sides_that_do_not_start_clean_are_refused() {
    let env = "env = { SIZE = \"{size}\" }";
    assert!(complete(&compose(env), "", &[]).is_ok());
    for clean in ["once", "never"] {
        let text = compose(&format!("{env}\nclean = \"{clean}\" #!"));
        check_text(
            &text,
            "expected \"trial\" with [ab]: every run of a comparison must start clean",
        );
    }
    let attached = compose(&format!("{env}\nattach = true #!"));
    check_text(
        &attached,
        "`attach` and [ab] exclude each other unless the driver's strings differ",
    );
    let driven = attached.replace("path = \"/agents\"", "path = \"/agents/{size}\"");
    assert!(complete(&driven, "", &[]).is_ok());
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    for (key, part) in [
        ("looks = [] #!", "expected rising numbers of pairs from 3 on"),
        ("looks = [2, 3] #!", "expected rising numbers of pairs from 3 on"),
        ("looks = [3, 3] #!", "expected rising numbers of pairs from 3 on"),
        ("budget = \"0s\" #!", "expected a time above 0"),
        ("min_effect = 0 #!", "expected a fraction above 0"),
        ("margin = 1.5 #!", "expected a fraction above 0"),
        ("margin = 0.01 #!", "expected min_effect <= margin"),
        ("min_effect = 0.1 #!", "expected min_effect <= margin"),
        ("within = -1 #!", "expected a fraction above 0"),
        ("warm_up = true #!", "did you mean \"warmup\"?"),
    ] {
        refused(&format!("{SIDES}\n{key}"), part);
    }
    let repeated = with(SIDES).replace("[ab]", "repeat = 2 #!\n[ab]");
    check_text(&repeated, "`repeat` and [ab] exclude each other");
    // That of a profile is not followed, and no error: `full` has 3.
    assert!(complete(&with(SIDES), "", &[("PROOFLOAD_PROFILE", "full")]).is_ok());
    let said = "`load.repeat` and [ab] exclude each other";
    check_text(&with(SIDES).replace("[ab]", "load.repeat = 3 #!\n[ab]"), said);
    check_text(&format!("{}\n[profile.full]\nload.repeat = 2 #!", with(SIDES)), said);
    let once = with(SIDES).replace("[ab]", "load.repeat = 1\n[ab]");
    assert!(complete(&once, "", &[]).is_ok());
    let clash = with("a.size = 1 #!\nb.size = 2").replace("[ab]", "matrix.size = [1]\n[ab]");
    check_text(&clash, "\"size\" is a parameter of the matrix");
    check("matrix.ab = [1] #!", "", "cannot name a parameter");
}

#[test]
fn limits_of_validity_are_shares_and_quick_runs_are_only_warned_of() {
    check("validity.steal = 2 #!", "", "expected a share from 0 to 1");
    check("validity.late = 0 #!", "", "expected a number of intervals above 0");
    check("validity.steel = 0 #!", "", "did you mean \"steal\"?");
    let gate = |profile: &str| {
        let text = format!("kind = \"load\"\n{TARGET}{DRIVER}");
        let scenario = complete(&text, "", &[("PROOFLOAD_PROFILE", profile)]).unwrap();
        scenario.rules.validity.unwrap().gate
    };
    assert_eq!(["quick", "ci", "full", "seed"].map(gate), [false, true, true, false]);
}
