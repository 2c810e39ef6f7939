//! Rules that no reading could ever meet or break are refused.

use super::refusals::{check, check_kind, check_text, check_threshold};
use super::{DRIVER, TARGET, complete, minimal};

fn accept(kind: &str, rest: &str) {
    complete(&format!("{}{rest}\n", minimal(kind)), "", &[])
        .unwrap_or_else(|error| panic!("{rest}: {error}"));
}

#[test]
fn slopes_to_watch_and_to_call_a_leak_stand_in_order() {
    let order = "expected 0 <= leak.watch <= leak.leak";
    check("leak.watch = \"2 MiB/min\" #!", "", order);
    check("leak.leak = \"0.1 MiB/min\" #!", "", order);
    check("leak.watch = \"-1 MiB/min\" #!", "", order);
    check("leak.leak = \"-1 MiB/min\" #!", "", order);
    check("leak.watch = \"3 MiB/min\" #!\nleak.leak = \"2 MiB/min\"", "", order);
    check("leak.least = \"1 s/min\" #!", "", "expected bytes per time");
    check("duration.looks = [\"8m\", \"4m\"] #!", "", "expected rising times above 0");
    check("duration.looks = [\"0s\"] #!", "", "expected rising times above 0");
    accept("duration", "[duration]\nlooks = [\"4m\"]\n[leak]\nrule = \"seed\"\nconfirm = true");
    accept("duration", "[leak]\nwatch = \"1 MiB/min\"\nleak = \"1 MiB/min\"");
    accept("duration", "[leak]\nwatch = \"0 MiB/min\"\nleak = \"0 MiB/min\"");
}

#[test]
fn what_curves_cannot_be_asked_is_refused() {
    let refused = |key: &str, part: &str| {
        let text = format!("kind = \"load\"\n{TARGET}{DRIVER}[load]\n{key} #!\n");
        check_text(&text, part);
    };
    refused("repeat = 0", "expected at least 1");
    refused("capacity = \"5 s\"", "expected a size above 0, for example \"512 MiB\"");
    refused("capacity = \"1 MiB/min\"", "expected a size above 0");
    refused("capacity = \"0 MiB\"", "expected a size above 0");
    refused("throughput = \"agents.alive\"", "did you mean \"agents.live\"?");
    refused("throughput = \"p95 agents.live\"", "expected a metric, or \"mean METRIC\" of a gauge");
}

#[test]
fn a_phase_that_the_kind_does_not_read_is_refused() {
    let threshold =
        |phase: &str| format!("[[threshold]]\ncheck = \"max threads < 9\"\nphase = \"{phase}\"");
    let refused = |kind: &str, keys: &str, phase: &str, part: &str| {
        let threshold = threshold(phase);
        check_text(&format!("kind = \"{kind}\"\n{keys}\n{TARGET}{DRIVER}{threshold} #!\n"), part);
    };
    refused("load", "", "smaple", "unknown phase \"smaple\"; did you mean \"sample\"? (expected");
    refused("load", "", "settle", "kind load reads sample");
    refused("baseline", "", "warmup", "kind baseline reads sample");
    refused("reset", "", "active", "kind reset reads baseline, load, post");
    refused("duration", "", "drain", "kind duration reads active");
    let phases = "duration.phases = { active = \"5m\", drain = \"1m\" }";
    refused("duration", phases, "cooldown", "kind duration reads active, drain");
    accept("load", &threshold("sample"));
    accept("reset", &threshold("post"));
    accept("duration", &threshold("active"));
    accept("duration", &format!("{}\n[duration]\n{}", threshold("drain"), &phases[9..]));
}

#[test]
fn a_source_that_nothing_of_a_process_target_can_be_is_refused() {
    let keys = "check = \"max threads < 9\"";
    check_threshold(
        &format!("{keys}\nsource = \"apy\" #!"),
        "unknown source \"apy\"; did you mean \"api\"? (expected api, driver, sampler or probe.NAME)",
    );
    let threshold = |source: &str| format!("[[threshold]]\n{keys}\nsource = \"{source}\"");
    for source in ["api", "driver", "sampler", "probe.containers"] {
        accept("load", &threshold(source));
    }
    let queue = format!("kind = \"load\"\nprobes = [\"queue\"]\n{TARGET}{DRIVER}");
    complete(&format!("{queue}{}", threshold("broker")), "", &[]).unwrap();
    let compose = "[target.compose]\nfile = \"fixtures/stacks/steady/compose.yml\"\n";
    accept("load", &format!("{compose}{}", threshold("kafka")));
}

#[test]
fn a_warning_does_not_end_a_trial() {
    check_threshold(
        "check = \"max memory.anon < 1 MiB\"\nseverity = \"warn\"\nabort_on_fail = true #!",
        "a threshold that only warns cannot end the trial",
    );
}

#[test]
fn a_limit_has_the_unit_of_its_metric() {
    let refused =
        |check: &str, part: &str| check_threshold(&format!("check = \"{check}\" #!"), part);
    refused(
        "slope memory.anon < 1",
        "memory.anon is in bytes: expected a value such as \"1 MiB/min\", found \"1\"",
    );
    refused("max memory.anon < 512", "expected a value such as \"512 MiB\", found \"512\"");
    refused("max probe.duration < 1", "expected a value such as \"500ms\"");
    refused("slope cpu.time < 1/min", "expected a value such as \"500ms/min\"");
    for check in [
        "max cpu.usage < 0.5",
        "max cpu.usage < 50%",
        "max threads < 9",
        "slope threads < 1/min",
        "count memory.anon > 3",
        "count died == 0",
    ] {
        accept("load", &format!("[[threshold]]\ncheck = \"{check}\""));
    }
}

#[test]
fn a_limit_has_the_unit_of_its_query() {
    let text = |unit: &str, check: &str| {
        format!(
            "kind = \"load\"\nprobes = [\"prometheus\"]\n{TARGET}{DRIVER}[probe.prometheus]\n\
             url = \"http://h\"\nquery = [{{ metric = \"http.latency\", expr = \"up\"{unit} }}]\n\
             [[threshold]]\ncheck = \"{check}\" #!\n"
        )
    };
    let unit = ", unit = \"seconds\"";
    check_text(&text(unit, "max http.latency < 1"), "http.latency is in seconds");
    check_text(&text(unit, "max http.latency < 1 MiB"), "http.latency is in seconds");
    let accepted = |text: String| {
        complete(&text.replace(" #!", ""), "", &[]).unwrap_or_else(|error| panic!("{error}"));
    };
    accepted(text(unit, "max http.latency < 500ms"));
    accepted(text("", "max http.latency < 1"));
    accepted(text("", "max http.latency < 1 MiB"));
}

#[test]
fn a_limit_per_parameter_is_of_a_parameter_that_the_kind_has() {
    let keys = "check = \"max memory.anon < 1 MiB\"";
    check_kind(
        "load",
        &format!("threshold = [{{ {keys}, per = \"minutes\" }}] #!"),
        "expected the name of a numeric parameter of the trial, for example \"agents\"",
    );
    check_kind(
        "baseline",
        &format!("threshold = [{{ {keys}, per = \"agents\" }}] #!"),
        "a scenario of kind baseline without a numeric matrix has none",
    );
    for (kind, per) in
        [("load", "agents"), ("reset", "agents"), ("duration", "agents"), ("duration", "minutes")]
    {
        accept(kind, &format!("[[threshold]]\n{keys}\nper = \"{per}\""));
    }
}

#[test]
fn a_parameter_that_results_would_mix_up_with_their_own_is_refused() {
    for name in ["total_agents", "repeat", "drivers", "riders"] {
        check(&format!("matrix.{name} = [1] #!"), "", "cannot name a parameter");
    }
}
