//! What is refused, at which line, and with which words.

use super::{DRIVER, TARGET, complete};

/// The text is refused at the line that ends in `#!` (or for the whole file), with `part` in the message.
pub(super) fn check_text(text: &str, part: &str) {
    let line = text.lines().position(|line| line.ends_with("#!")).map(|index| index + 1);
    let error = match complete(text, "", &[("PROOFLOAD_PROFILE", "full")]) {
        Err(error) => error,
        Ok(_) => panic!("accepted, but expected {part:?}:\n{text}"),
    };
    assert!(error.message.contains(part), "expected {part:?} in\n{error}\nof\n{text}");
    assert_eq!(error.line, line, "{error}\nof\n{text}");
    assert_eq!(error.path.to_string_lossy(), "scenarios/checkout.toml", "{error}");
    assert!(error.to_string().contains("scenarios/checkout.toml"), "{error}");
}

/// A scenario of kind load with these keys at its top and these tables at its end is refused.
pub(super) fn check(keys: &str, tables: &str, part: &str) {
    check_text(&format!("kind = \"load\"\n{keys}\n{TARGET}{DRIVER}{tables}\n"), part);
}

pub(super) fn check_kind(kind: &str, keys: &str, part: &str) {
    check_text(&format!("kind = \"{kind}\"\n{keys}\n{TARGET}{DRIVER}"), part);
}

pub(super) fn check_threshold(lines: &str, part: &str) {
    check("", &format!("[[threshold]]\n{lines}\n"), part);
}

#[test]
fn an_unknown_key_is_refused_at_every_depth_with_the_nearest_known_one() {
    check("descripton = \"x\" #!", "", "unknown key `descripton`; did you mean \"description\"?");
    check("", "[sample]\nlenght = \"1s\" #!", "unknown key `lenght`; did you mean \"length\"?");
    check("sample = { wramup = \"1s\" } #!", "", "did you mean \"warmup\"?");
    check("", "[duration]\nphases = { activ = \"5m\" } #!", "did you mean \"active\"?");
    check("", "[target.proces] #!", "did you mean \"process\"?");
    check("", "[target.compose]\nprofile = [] #!", "did you mean \"profiles\"?");
    check("", "[target.compose]\nready = { helthy = true } #!", "did you mean \"healthy\"?");
    check(
        "",
        "[[target.process.service]]\nname = \"b\"\ncomand = [\"b\"] #!",
        "did you mean \"command\"?",
    );
    check("", "stop = { methd = \"POST\", path = \"/\" } #!", "did you mean \"method\"?");
    check(
        "",
        "status = { method = \"GET\", path = \"/\", alive = \"\" } #!",
        "did you mean \"live\"?",
    );
    check("", "[driver.comand] #!", "did you mean \"command\"?");
    check("", "[probe.cadvisor]\nuri = \"x\" #!", "did you mean \"url\"?");
    check("", "[leak]\ngros = \"1 MiB/min\" #!", "did you mean \"gross\"?");
    check("", "[[threshold]]\nmetrc = \"x\" #!", "did you mean \"metric\"?");
    check("", "[profile.quick.sample]\nlenght = \"1s\" #!", "did you mean \"length\"?");
    check("", "[profile.quick]\nlod = {} #!", "did you mean \"load\"?");
    check("zzzzzzzz = 1 #!", "", "unknown key `zzzzzzzz` (expected one of kind, description");
}

#[test]
fn an_unknown_word_is_refused_with_the_nearest_known_one() {
    check_text(
        "kind = \"laod\" #!",
        "unknown value `laod`; did you mean \"load\"? (expected one of baseline",
    );
    check("", "[leak]\ngate = \"verdit\" #!", "did you mean \"verdict\"?");
    check("", "[target.compose]\nclean = \"trail\" #!", "did you mean \"trial\"?");
    check_threshold("severity = \"wran\" #!", "did you mean \"warn\"?");
}

#[test]
fn a_value_of_the_wrong_type_or_unit_is_refused_with_what_was_expected() {
    check("sample.length = \"9 apples\" #!", "", "expected a duration such as \"2s\"");
    check("sample.length = 9 #!", "", "a duration string such as");
    check("sample.length = \"-9s\" #!", "", "expected a duration such as");
    check("load.levels = [\"ten\"] #!", "", "invalid type: string \"ten\"");
    check("load.levels = [-1] #!", "", "invalid value");
    check("repeat = \"3\" #!", "", "invalid type");
    check("leak.watch = \"1 apple/min\" #!", "", "expected a number with a unit");
    check("leak.watch = \"1 MiB\" #!", "", "expected bytes per time such as \"1 MiB/min\"");
    check("leak.leak = \"1 s/min\" #!", "", "expected bytes per time");
    check("leak.gross = \"60\" #!", "", "expected bytes per time");
    check("probes = \"oom\" #!", "", "invalid type");
    check_text("kind = \"load #!\nrepeat = 1", "invalid basic string");
}

#[test]
fn a_protocol_without_trials_or_readings_is_refused() {
    check("load.levels = [] #!", "", "expected at least one level");
    check("load.levels = [5, 10, 5] #!", "", "5 stands twice; use `repeat` to repeat");
    check("duration.minutes = [] #!", "", "expected at least one number of minutes above 0");
    check("duration.minutes = [0] #!", "", "expected at least one number of minutes above 0");
    check("duration.minutes = [nan] #!", "", "expected at least one number of minutes above 0");
    check("duration.minutes = [1, 1.0] #!", "", "1 stands twice");
    check(
        "duration.intervals = { drian = \"4s\" } #!",
        "",
        "unknown phase \"drian\"; did you mean \"drain\"?",
    );
    check("duration.intervals.drain = \"0s\" #!", "", "expected an interval above 0");
    check("sample.interval = \"0s\" #!", "", "expected an interval above 0");
    check("sample.length = \"3s\" #!", "", "expected at least two intervals of 2s");
    check("reset.cycles = 0 #!", "", "expected at least 1");
    check("reset.within = 0.0 #!", "", "expected a fraction above 0");
    check("reset.within = -0.1 #!", "", "expected a fraction above 0");
    check("reset.growth = 0.0 #!", "", "expected a fraction above 0");
    check("reset.detect = nan #!", "", "expected a fraction above 0");
    check_kind("reset", "reset.cycles = 2 #!", "expected at least 3 for `rule = \"growth\"`");
    check("repeat = 0 #!", "", "expected at least 1");
    check("repeat = 2000000000 #!", "", "at most 1000, found 2000000000");
    check("load.repeat = 1001 #!", "", "at most 1000, found 1001");
    check_kind("baseline", "baseline.length = \"3s\" #!", "expected at least two intervals");
    check_kind("reset", "reset.baseline = \"3s\" #!", "expected at least two intervals");
    check_kind("reset", "reset.load = \"3s\" #!", "expected at least two intervals");
    check_kind("reset", "reset.post = \"3s\" #!", "expected at least two intervals");
    check_kind(
        "duration",
        "duration.minutes = [1, 0.05] #!",
        "expected at least two intervals of 2s",
    );
    check_kind(
        "duration",
        "duration.phases = { active = \"3s\" } #!",
        "expected at least two intervals",
    );
    check_kind(
        "duration",
        "duration.phases = { active = \"1m\", drain = \"3s\" } #!",
        "expected at least two intervals",
    );
    check_kind(
        "duration",
        "duration.phases = { active = \"1m\", cooldown = \"5s\" } #!\nduration.intervals.cooldown = \"4s\"",
        "expected at least two intervals of 4s",
    );
}

#[test]
fn a_missing_part_is_asked_for_with_an_example() {
    check_text(
        &format!("description = \"\"\n{TARGET}{DRIVER}"),
        "`kind` is required, for example \"baseline\"",
    );
    check_text(
        &format!("kind = \"load\"\n{DRIVER}"),
        "a scenario needs a [target.process], a [target.compose] or a [target.testbed]",
    );
    check_text(
        &format!("kind = \"load\" #!\n{TARGET}"),
        "a scenario of kind load needs a [driver.agents]",
    );
    check_text(
        &format!("kind = \"duration\" #!\n{TARGET}"),
        "kind duration needs a [driver.agents]",
    );
    check_text(&format!("kind = \"reset\" #!\n{TARGET}"), "kind reset needs a [driver.agents]");
    let spawn = "spawn = { method = \"POST\", path = \"/\" }";
    check_text(
        &format!("kind = \"reset\"\n{TARGET}[driver.agents] #!\nbase_url = \"http://h\"\n{spawn}"),
        "needs `reset`, for example { method = \"POST\"",
    );
    check_text(
        &format!("kind = \"load\"\n{TARGET}[driver.agents] #!\n{spawn}"),
        "`driver.agents.base_url` is required, for example \"http://127.0.0.1:18080\"",
    );
    check_text(
        &format!("kind = \"load\"\n{TARGET}[driver.agents] #!\nbase_url = \"http://h\""),
        "`driver.agents.spawn` is required",
    );
    check_text(
        &format!("kind = \"load\"\n{TARGET}[driver.command] #!"),
        "`driver.command.command` is required",
    );
    check_text(
        &format!("kind = \"load\"\n{TARGET}[driver.custom] #!"),
        "`driver.custom.name` is required",
    );
    check("probes = [\"cadvisor\"]", "", "`probe.cadvisor.url` is required");
    check("probes = [\"prometheus\"]", "", "`probe.prometheus.url` is required");
}

#[test]
fn a_driver_that_cannot_load_is_refused() {
    let command = "[driver.command]\ncommand = [\"k6\"]";
    check_text(
        &format!("kind = \"load\"\n[driver.custom] #!\nname = \"ticker\"\n{TARGET}{command}"),
        "a scenario has one driver, found several",
    );
    check("", "groups = [] #!", "expected at least one group");
    check("", "groups = [\"a\", \"a\"] #!", "a stands twice");
    check_text(
        &format!("kind = \"load\"\n{TARGET}[driver.command]\ncommand = [] #!"),
        "expected a program and its arguments",
    );
    check_text(
        &format!("kind = \"load\"\n{TARGET}[driver.custom]\nname = \"tikcer\" #!"),
        "no driver \"tikcer\" is registered; did you mean \"ticker\"? (registered: ticker)",
    );
    check(
        "probes = [\"containers\", \"qeue\"] #!",
        "",
        "unknown probe \"qeue\"; did you mean \"queue\"?",
    );
    check("probes = [\"oomm\"] #!", "", "unknown probe \"oomm\"; did you mean \"oom\"?");
}

#[test]
fn a_target_that_cannot_be_brought_up_is_refused() {
    let refused = |target: &str, part: &str| {
        check_text(&format!("kind = \"baseline\"\n{target}\n"), part);
    };
    refused(
        "[target.process] #!\nbuild = \"make\"",
        "expected at least one [[target.process.service]]",
    );
    refused("[[target.process.service]] #!\ncommand = [\"a\"]", "missing field `name`");
    refused(
        "[[target.process.service]]\nname = \"a\"\ncommand = [] #!",
        "expected a program and its arguments",
    );
    refused(
        "[[target.process.service]]\nname = \"a\"\ncommand = [\"\"] #!",
        "expected a program and its arguments",
    );
    refused(
        "[[target.process.service]]\nname = \"a b\" #!\ncommand = [\"a\"]",
        "expected a service name of its own",
    );
    refused(
        "[[target.process.service]]\nname = \"\" #!\ncommand = [\"a\"]",
        "expected a service name of its own",
    );
    refused(
        &format!("{TARGET}[[target.process.service]]\nname = \"api\" #!\ncommand = [\"a\"]"),
        "expected a service name of its own",
    );
    refused("[target.compose] #!\nprofiles = [\"core\"]", "`target.compose.file` is required");
    refused("[target.compose]\nfile = \"nowhere.yml\" #!", "nowhere.yml");
    let real = "fixtures/stacks/steady/compose.yml";
    refused(&format!("[target.compose]\nfiles = [\n\"{real}\",\n\"no.yml\" #!\n]"), "no.yml");
    refused(
        &format!("[target.compose]\nfile = \"{real}\"\nenv_file = \"no.env\" #!"),
        "no such file",
    );
    refused(
        &format!("[target.compose]\nfile = \"{real}\"\nfiles = [\"{real}\"] #!"),
        "exclude each other",
    );
}

#[test]
fn a_placeholder_that_nothing_fills_is_refused_where_it_stands() {
    check(
        "",
        "[target.process]\nbuild = \"make {size}\" #!",
        "unknown placeholder {size}: no placeholder can be used here",
    );
    check(
        "matrix.size = [1]",
        "[target.process]\nbuild = \"make {sise}\" #!",
        "expected {size}; write {{ for a literal brace",
    );
    check("", "[target.process]\nbuild = \"make {agents}\" #!", "unknown placeholder {agents}");
    check("", "stop = { method = \"POST\", path = \"/{gruop}\" } #!", "expected {agents}; write");
    check("", "headers = { a = \"{b}\" } #!", "unknown placeholder {b}");
    check_text(
        &format!(
            "kind = \"load\"\n{TARGET}[driver.command]\ncommand = [\n\"k6\",\n\"{{lvel}}\" #!\n]"
        ),
        "unknown placeholder {lvel}",
    );
}

#[test]
fn a_matrix_that_gives_no_or_ambiguous_trials_is_refused() {
    check(
        "matrix = { cartesian = \"net.cfg\" } #!",
        "",
        "`cartesian` is not supported in this version: expected lists",
    );
    check("matrix.cartesian = [1] #!", "", "`cartesian` is not supported in this version");
    check(
        "matrix.size = [] #!",
        "",
        "matrix.size: expected a list of numbers, strings or booleans",
    );
    check(
        "matrix.size = \"small\" #!",
        "",
        "matrix.size: expected a list of numbers, strings or booleans",
    );
    check("matrix.size = [{}] #!", "", "expected a list of numbers");
    check("matrix.agents = [1] #!", "", "\"agents\" cannot name a parameter");
    check("matrix.\"a b\" = [1] #!", "", "cannot name a parameter");
    check("matrix.a-b = [1] #!", "", "cannot name a parameter");
    check("matrix.1a = [1] #!", "", "cannot name a parameter");
    check("matrix.size = [1, 2, 1] #!", "", "1 stands twice; use `repeat` to repeat");
    check("matrix.size = [1, \"1\"] #!", "", "1 stands twice");
    check("matrix.size = [\"a,b\"] #!", "", "cannot be part of a trial's id");
    check("matrix.size = [\"a::b\"] #!", "", "cannot be part of a trial's id");
    check("matrix.size = [\"a\\nb\"] #!", "", "cannot be part of a trial's id");
    check("matrix.size = [\"\"] #!", "", "cannot be part of a trial's id");
}

#[test]
fn a_threshold_that_cannot_be_meant_is_refused() {
    let rest = "stat = \"max\"\nop = \"<\"\nvalue = \"1 MiB\"";
    check_threshold(
        &format!("metric = \"memory.anno\" #!\n{rest}"),
        "unknown metric \"memory.anno\"; did you mean \"memory.anon\"?",
    );
    check_threshold(&format!("metric = \"oom-kil\" #!\n{rest}"), "did you mean \"oom-kill\"?");
    check_threshold(
        "metric = \"oom-kill\"\nstat = \"max\" #!\nop = \"<\"\nvalue = \"1\"",
        "oom-kill is an event: expected stat = \"count\"",
    );
    check_threshold("metric = \"memory.anon\"\nstat = \"slop\" #!", "expected mean, min, max, pNN");
    check_threshold("metric = \"memory.anon\"\nop = \"=<\" #!", "unknown value `=<`");
    check("", "[[threshold]] #!\nstat = \"max\"", "a threshold needs `metric`");
    check_threshold("value = 3 #!", "a string with a number and a unit");
    let value = |stat: &str, value: &str, part: &str| {
        check_threshold(
            &format!(
                "metric = \"memory.anon\"\nstat = \"{stat}\"\nop = \"<\"\nvalue = \"{value}\" #!"
            ),
            part,
        );
    };
    value("slope", "1 MiB", "slope is compared with a rate such as \"1 MiB/min\", found \"1 MiB\"");
    value("rate", "1 MiB", "rate is compared with a rate");
    value("max", "1 MiB/min", "max is compared with a value without \"/min\"");
    value("mean", "10/min", "mean is compared with a value without \"/min\"");
    value("max", "500ms", "memory.anon is in bytes");
    value("slope", "5 %/min", "memory.anon is in bytes");
    value("count", "5 MiB", "count is compared with a number, found \"5 MiB\"");
    let keys = "metric = \"memory.anon\"\nstat = \"mean\"\nop = \"<\"\nvalue = \"1 MiB\"";
    check_threshold(
        &format!("{keys}\nper = \"agnets\" #!"),
        "expected the name of a numeric parameter",
    );
    check_threshold(
        &format!("{keys}\nabort_on_fail = true #!"),
        "one reading cannot decide \"mean < 1 MiB\"",
    );
}

#[test]
fn a_per_that_is_no_number_is_refused() {
    let threshold = "[[threshold]]\ncheck = \"max memory.anon < 1 MiB\"\nper = \"size\" #!";
    check("matrix.size = [\"small\"]", threshold, "expected the name of a numeric parameter");
}

#[test]
fn a_check_that_does_not_read_as_four_words_is_refused() {
    let refused = |check: &str, part: &str| check_threshold(&format!("check = {check:?} #!"), part);
    refused("", "expected \"STAT METRIC OP VALUE\"");
    refused("max memory.anon <", "expected \"STAT METRIC OP VALUE\"");
    refused("max memory.anon <   ", "expected \"STAT METRIC OP VALUE\"");
    refused("max memory.anon<512 MiB", "expected \"STAT METRIC OP VALUE\"");
    refused("maxi memory.anon < 512 MiB", "expected mean, min, max");
    refused("p(101) memory.anon < 512 MiB", "expected mean, min, max");
    refused("max memory.anon =< 512 MiB", "expected <, <=, >, >= or ==, found \"=<\"");
    refused("max memory.anon < 512 apples", "expected a number with a unit");
    refused("max memory.anon < lots", "expected a number with a unit");
    for key in ["metric = \"memory.anon\"", "stat = \"max\"", "op = \"<\"", "value = \"1 MiB\""] {
        check_threshold(
            &format!("check = \"max memory.anon < 512 MiB\" #!\n{key}"),
            "`check` says metric, stat, op and value already",
        );
    }
}

#[test]
fn a_profile_that_could_never_be_chosen_is_refused() {
    check(
        "",
        "[profile.qiuck] #!\nrepeat = 2",
        "unknown profile \"qiuck\"; did you mean \"quick\"?",
    );
    check("", "[profile.quick.profile.ci] #!\nrepeat = 2", "a profile has no profiles");
}

#[test]
fn an_error_of_the_environment_names_the_environment() {
    let check = |name: &str, value: &str, part: &str| {
        let error = complete(&super::minimal("load"), "", &[(name, value)]).unwrap_err();
        assert!(error.message.contains(part), "{name}={value}: {error}");
        let path = error.path.to_string_lossy();
        assert!(path.contains("PROOFLOAD"), "{name}={value}: {error}");
    };
    check("PROOFLOAD_PROFILE", "sed", "unknown profile \"sed\"; did you mean \"seed\"?");
    check("PROOFLOAD__REPEAT", "many", "invalid type: string \"many\"");
    check("PROOFLOAD__SAMPLE__LENGTH", "5", "a duration string such as");
    check("PROOFLOAD__SAMPLE__LENGHT", "5s", "did you mean \"length\"?");
    check("PROOFLOAD__LOAD__LEVELS", "[]", "expected at least one level");
    check("PROOFLOAD__PROFILE__QUICK__REPEAT", "3", "choose a profile with PROOFLOAD_PROFILE");
}
