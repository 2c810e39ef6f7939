//! Cases against expectations that were written from the rules.

use std::path::Path;

use proptest::prelude::*;

use super::super::cases::Cases;
use super::super::full::Pid;
use super::*;

const TEMPLATE: &str = include_str!("../../../../tests/data/network/tools-template.yaml");
const FULL: &str = include_str!("../../../../tests/data/network/golden-full.yaml");
const CASES: &str = include_str!("../../../../tests/data/network/golden-cases.json");

fn full(tools: &str) -> Full {
    let path = Path::new("t.yaml");
    let mut full = Full::read(path, FULL).unwrap_or_else(|error| panic!("{error}"));
    full.tools = Template::read(path, tools).unwrap_or_else(|error| panic!("{error}\n{tools}"));
    full
}

fn expanded(tools: &str) -> Result<Expansion, ScenarioError> {
    expand(&full(tools), Path::new("t.yaml"), tools)
}

#[test]
fn every_rule_gives_the_cases_that_it_says() {
    let guest = [Pid(51210), Pid(51211)];
    let mut full = full(TEMPLATE);
    full.tools = full.tools.with_vhost_pids(&guest);
    assert_eq!(
        full,
        Full::read(Path::new("f.yaml"), FULL).unwrap(),
        "the full file has the template's tools"
    );
    let expansion = expand(&full, Path::new("t.yaml"), TEMPLATE).unwrap();
    let expected = Cases::read(Path::new("c.json"), CASES).unwrap();
    let cases = Cases::new("golden", expansion.cases);
    for (case, expected) in cases.test_cases.iter().zip(&expected.test_cases) {
        assert_eq!(case, expected);
    }
    assert_eq!(cases, expected);
    assert_eq!(cases.to_json(), CASES);
    assert_eq!(expansion.warnings.len(), 1, "{:?}", expansion.warnings);
    assert!(
        expansion.warnings[0].contains("parameter mode is ignored"),
        "{:?}",
        expansion.warnings
    );
}

#[test]
fn a_full_file_is_read_as_it_is_written() {
    let full = Full::read(Path::new("f.yaml"), FULL).unwrap();
    let again = Full::read(Path::new("g.yaml"), &full.to_yaml().unwrap());
    assert_eq!(again.unwrap_or_else(|error| panic!("{error}")), full);
    assert!(!full.to_yaml().unwrap().contains("''"), "what is not known is absent");
}

#[test]
fn an_outline_has_the_same_names_and_leaves_open_what_is_not_known() {
    let template = Template::read(Path::new("t.yaml"), TEMPLATE).unwrap();
    let outline = outline(&template, &["host", "vm"], Path::new("t.yaml"), TEMPLATE).unwrap();
    let host = |case: &&Case| case.category == "performance/system-network";
    let full = Cases::read(Path::new("c.json"), CASES).unwrap();
    let names = |cases: &[Case]| {
        cases.iter().filter(host).map(|case| case.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&outline.cases), names(&full.test_cases));
    assert!(
        outline.cases[0].command.contains("--src-ip {host_REMOTE_IP} --dst-ip {host_LOCAL_IP}"),
        "{}",
        outline.cases[0].command
    );
    let hosts = super::outline(&template, &["host"], Path::new("t.yaml"), TEMPLATE).unwrap();
    assert!(hosts.cases.iter().all(|case| case.environment == "host"));
    assert!(hosts.warnings.iter().any(|warning| warning.contains("no test pair")));
}

/// One tool with these keys.
fn tool(keys: &str) -> String {
    format!(
        "tools:\n  categories:\n    ovs:\n      environment: host\n      directions: {{rx: {{SRC_IP: '{{host_REMOTE_IP}}'}}}}\n      tools:\n        - script: a.py\n{keys}"
    )
}

fn refused(keys: &str, line: usize, expected: &str) {
    let text = tool(keys);
    let error = expanded(&text).unwrap_err();
    assert!(error.message.contains(expected), "{keys}: {error}");
    assert_eq!(error.line, Some(line), "{keys}: {error}");
}

#[test]
fn what_nothing_fills_in_is_refused_with_line_tool_and_variable() {
    let template = |text: &str| format!("          template: \"{text}\"\n");
    refused(
        &template("{path} --x {PHY_INTERFCE}"),
        8,
        "a.py: variable {PHY_INTERFCE} is unknown; did you mean \"PHY_INTERFACE\"?",
    );
    refused(
        &template("{path} --x {VM_INTERFACE}"),
        8,
        "a.py: variable {VM_INTERFACE} has no value",
    );
    refused(&template("{path} {QEMU_PID}"), 8, "{QEMU_PID} has no value");
    refused(&(template("{path} --x {y}") + "          y: \"{z}\"\n"), 8, "holds {z}");
    refused(&(template("{path}") + "          parameters: {p: []}\n"), 7, "empty list");
    refused(&template(" "), 8, "the command line is empty");
    refused(
        &(template("{path}") + "          parameters: {p: [a, a]}\n"),
        7,
        "two cases are called \"a_p_a\"",
    );
    refused(
        &(template("{path}") + "          parameters: {duration: [soon]}\n"),
        7,
        "whole seconds",
    );
}

fn command(keys: &str) -> String {
    let text = tool(keys);
    let expansion = expanded(&text).unwrap_or_else(|error| panic!("{error}"));
    expansion.cases[0].command.clone()
}

#[test]
fn what_is_optional_is_left_out_with_its_option() {
    for (template, expected) in [
        ("{path} --x {A} --y 1", "measurement-tools/ovs/a.py --y 1"),
        ("{path} --y 1 --x   {A}", "measurement-tools/ovs/a.py --y 1"),
        ("{path} --x {A} last", "measurement-tools/ovs/a.py last"),
        ("{path} {A} --all", "measurement-tools/ovs/a.py --all"),
        ("{path} --verbose --x {VM_INTERFACE} --all", "measurement-tools/ovs/a.py --verbose --all"),
        ("{path} --x {A} {A} ${HOME}", "measurement-tools/ovs/a.py ${HOME}"),
        ("{path} -i {VM_INTERFACE} --top 5", "measurement-tools/ovs/a.py --top 5"),
        ("{path} --pid={A} --top 5", "measurement-tools/ovs/a.py --top 5"),
        ("PID={A} {path} -p{A} -n 1", "measurement-tools/ovs/a.py -n 1"),
        ("{path} --pid='{A}' --name '{A}' last", "measurement-tools/ovs/a.py last"),
        ("{path} --range={A}-{path}", "measurement-tools/ovs/a.py"),
        ("{path} --top=5 {A} -- {A}", "measurement-tools/ovs/a.py --top=5 --"),
        ("{path} '-x {A}'", "measurement-tools/ovs/a.py '-x '"),
        ("{path} a{A}b", "measurement-tools/ovs/a.py ab"),
    ] {
        let keys =
            format!("          template: \"{template}\"\n          optional: [A, VM_INTERFACE]\n");
        assert_eq!(command(&keys), expected, "{template}");
    }
}

#[test]
fn a_variable_of_the_shell_is_left_to_it() {
    let keys = "          template: \"{path} --out ${out} {out} ${path} ${optional}\"\n          out: $zzz\n          optional: [optional]\n";
    assert_eq!(
        command(keys),
        "measurement-tools/ovs/a.py --out ${out} $zzz ${path} ${optional}",
        "also where a variable of its name is known"
    );
    let text = tool("          template: \"{path} ${direction} ${SRC_IP}\"\n");
    let cases = expanded(&text).unwrap().cases;
    assert_eq!(cases.len(), 1, "it is no use of the direction either");
    assert!(cases[0].parameters.is_empty(), "{:?}", cases[0]);
}

#[test]
fn what_stands_in_a_value_is_not_looked_up() {
    let template = "          template: \"{path} {a}\"\n";
    let variables = |a: &str| format!("{template}          a: \"{a}\"\n          b: 7\n");
    refused(&variables("{b}"), 8, "the value of {a} holds {b}, which nothing fills in");
    assert_eq!(command(&variables("${b}")), "measurement-tools/ovs/a.py ${b}");
}

#[test]
fn a_guest_without_vhost_threads_is_told_as_such_and_optional_leaves_the_option_out() {
    let keys = "          template: \"{path} --pid {pid} --all\"\n          parameters: {pid: \"{vhost_pids}\"}\n";
    refused(keys, 8, "{pid} has no value, the server has no vhost threads: qemu carries");
    let text = tool(&format!("{keys}          optional: [pid]\n"));
    let expansion = expanded(&text).unwrap();
    let [case] = &expansion.cases[..] else { panic!("{:?}", expansion.cases) };
    assert_eq!(case.command, "measurement-tools/ovs/a.py --all");
    assert_eq!((case.name.as_str(), case.parameters.is_empty()), ("a", true));
    assert_eq!(expansion.warnings, [""; 0]);
    let missing = super::super::full::Missing {
        node: "vm".to_owned(),
        fact: "qemu_pid".to_owned(),
        why: String::new(),
        command: String::new(),
        output: String::new(),
        also: vec!["vhost_pids".to_owned()],
    };
    let text = tool(keys);
    let full = Full { missing: vec![missing], ..full(&text) };
    let error = expand(&full, Path::new("t.yaml"), &text).unwrap_err();
    assert!(error.message.contains("the vhost threads of the server were not found"), "{error}");
}

#[test]
fn later_variables_win() {
    let direction = "          template: \"{SRC_IP}\"\n          SRC_IP: default\n";
    assert_eq!(command(direction), "198.18.0.2", "a direction's over the tool's");
    let parameter = "          template: \"{x} {PHY_INTERFACE}\"\n          x: 1\n          PHY_INTERFACE: own\n          parameters: {x: [2]}\n";
    assert_eq!(
        command(parameter),
        "2 own",
        "a parameter over the tool's, the tool's over the environment's"
    );
    let bond = "          template: \"{PHY_INTERFACE}\"\n";
    assert_eq!(command(bond), "eth0,eth1", "the members of a bond");
}

#[test]
fn a_category_of_no_environment_is_refused() {
    let text = tool("          template: x\n").replace("environment: host", "environment: hots");
    let error = expanded(&text).unwrap_err();
    assert!(error.message.contains("did you mean \"host\"?") && error.line == Some(4), "{error}");
}

#[test]
fn cases_that_are_older_than_the_tools_are_refused() {
    let cases = Cases::read(Path::new("c.json"), CASES).unwrap();
    let mut fresh = cases.clone();
    assert_eq!(cases.is_current(&fresh, Path::new("c.json")), Ok(()));
    fresh.test_cases[1].command.push('x');
    let error = cases.is_current(&fresh, Path::new("c.json")).unwrap_err();
    assert!(error.message.contains(&cases.test_cases[1].name), "{error}");
    assert!(error.message.contains("cargo xtask bootstrap"), "{error}");
    fresh = Cases::new("golden", cases.test_cases[..1].to_vec());
    assert!(cases.is_current(&fresh, Path::new("c.json")).is_err());
}

proptest! {
    #[test]
    fn cases_are_the_product_of_all_lists(
        lists in prop::collection::vec(1_usize..4, 0..4),
        directions in 0_usize..3,
        uses in any::<bool>(),
    ) {
        let words = |count: usize| (0..count).map(|n| format!("v{n}")).collect::<Vec<_>>().join(", ");
        let parameters: Vec<String> =
            lists.iter().enumerate().map(|(index, count)| format!("p{index}: [{}]", words(*count))).collect();
        let ways: Vec<String> = (0..directions).map(|n| format!("d{n}: {{SRC_IP: x}}")).collect();
        let template = if uses && directions > 0 { "{SRC_IP}" } else { "fixed" };
        let text = format!(
            "tools:\n  categories:\n    c:\n      directions: {{{}}}\n      tools:\n        - script: a.py\n          template: \"{template}\"\n          parameters: {{{}}}\n",
            ways.join(", "), parameters.join(", ")
        );
        let cases = expanded(&text).unwrap().cases;
        let is_used = uses && directions > 0;
        let directions = if is_used { directions } else { 1 };
        prop_assert_eq!(cases.len(), lists.iter().product::<usize>() * directions);
        for (index, case) in cases.iter().enumerate() {
            prop_assert_eq!(case.id as usize, index + 1);
            prop_assert!(cases[..index].iter().all(|other| other.name != case.name));
            let last = case.parameters.0.last().map(|(name, _)| name.as_str());
            prop_assert_eq!(last == Some("direction"), is_used);
        }
    }
}
