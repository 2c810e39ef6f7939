//! Workflow files: what is in them, and that they give the trials of their scenario.

use std::time::Duration;

use super::super::{CycleType, EbpfCase, Workflow};
use super::{refused, scenario};
use crate::model::Param;
use crate::model::quantity::Length;
use crate::model::spec::network::{Beside, Flow, Level, NetworkSpec, Test, Topic};
use crate::plan;
use crate::scenario::file::SelectFile;
use crate::scenario::network::selection;

pub(super) fn check_round_trip(keys: &str) {
    let scenario = scenario(keys);
    let workflow = Workflow::of(&scenario);
    workflow.validate().unwrap_or_else(|error| panic!("{error}"));
    let again = Workflow::read(&workflow.to_json()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again, workflow);
    assert_eq!(again.trials(None), plan::trials(&scenario));
}

#[test]
fn a_workflow_file_gives_the_trials_of_its_scenario() {
    check_round_trip("");
    check_round_trip(
        "network.tests = [\"latency_under_load\", \"ping\", \"pps_multi\"]\nsample.interval = \"500ms\"\n",
    );
}

#[test]
fn a_workflow_has_the_baselines_first_and_the_keys_of_the_original() {
    let workflow = Workflow::of(&scenario(""));
    let cycles = &workflow.test_sequence;
    assert_eq!((workflow.metadata.total_test_cycles, cycles.len()), (13, 13));
    assert_eq!(workflow.metadata.source, "unified_test_cases");
    let ids: Vec<&str> = cycles.iter().map(|cycle| cycle.cycle_id.as_str()).take(3).collect();
    assert_eq!(ids, ["baseline_host", "baseline_vm", "system_network_latency_case_1_host"]);
    assert_eq!(cycles[0].cycle_type, CycleType::Baseline);
    assert_eq!((cycles[0].expected_duration, cycles[2].expected_duration), (120.0, 480.0));
    let json = serde_json::to_value(&workflow).unwrap();
    assert_eq!(json["test_sequence"][2]["cycle_type"], "ebpf_test");
    assert_eq!(json["test_sequence"][2]["ebpf_case"]["test_params"]["protocol"], "tcp");
    assert_eq!(
        json["test_sequence"][2]["test_cycle"]["performance_tests"][0]["throughput"][1],
        "throughput_multi"
    );
    let alone = "network.select = { tools = [\"qdisc_drop\"] }\nnetwork.baseline = false\n";
    let workflow = Workflow::of(&scenario(alone));
    assert_eq!(workflow.test_sequence.len(), 2, "what is compared with stays in the file");
}

const HOOK: &str = "network.hook = [{ level = \"case\", name = \"note\", node = \"host-server\", init = \"true\" }]\n";

/// What the first case is run with.
fn network(workflow: &mut Workflow) -> &mut NetworkSpec {
    &mut workflow.test_sequence[2].proofload.network
}

#[test]
fn a_workflow_that_cannot_be_meant_is_refused_with_its_cycle() {
    let check = |change: &dyn Fn(&mut Workflow), expected: &str| {
        let mut workflow = Workflow::of(&scenario(HOOK));
        change(&mut workflow);
        let error = workflow.validate().unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    };
    let wrong = |workflow: &mut Workflow| {
        workflow.test_sequence[2].proofload.baseline = Some("baseline_vm".to_owned());
    };
    check(
        &wrong,
        "cycle system_network_latency_case_1_host: a tool of environment host cannot be compared with baseline_vm",
    );
    check(&|workflow| drop(workflow.test_sequence.remove(0)), "total_test_cycles is 13");
    let gone = |workflow: &mut Workflow| {
        workflow.test_sequence.remove(0);
        workflow.metadata.total_test_cycles = 12;
    };
    check(&gone, "\"baseline_host\" is no baseline cycle");
    check(
        &|workflow| workflow.test_sequence[2].environment = "vm".to_owned(),
        "it is of environment vm",
    );
    let edited = |workflow: &mut Workflow| {
        workflow.test_sequence[2].ebpf_case.as_mut().unwrap().command.push('x');
    };
    check(&edited, "change both");
    check(
        &|workflow| workflow.test_sequence[1].cycle_id = "baseline_host".to_owned(),
        "cycle baseline_host: expected a cycle_id of its own",
    );
    check(&|workflow| workflow.test_sequence[3].proofload.network.tests.clear(), "it has no tests");
    check(
        &|workflow| drop(workflow.test_sequence[3].proofload.network.tests.pop()),
        "are not those of baseline_host",
    );
    check(
        &|workflow| workflow.proofload.testbed.nodes.truncate(1),
        "is not one of proofload.testbed.nodes",
    );
    check(&|workflow| workflow.proofload.repeat = 1, "at least 2 blocks");
    check(&|workflow| workflow.proofload.limits.clear(), "expected a fraction of Throughput too");
    check(
        &|workflow| {
            workflow.proofload.limits.remove(&Topic::Pps);
        },
        "expected a fraction of Pps too",
    );
    check(&|workflow| network(workflow).hooks.clear(), "its hooks are not those of baseline_host");
    check(&|workflow| drop(network(workflow).nodes.pop()), "proofload.testbed.nodes differ");
    let level = |workflow: &mut Workflow| network(workflow).hooks[0].level = Level::Tool;
    check(&level, "proofload.network.hooks: hook");
    let node = |workflow: &mut Workflow| network(workflow).hooks[0].node = Some("hots".to_owned());
    check(&node, "unknown node \"hots\"");
    check(
        &|workflow| network(workflow).within.0 *= 2,
        "its `within` or `grace` is not that of baseline_host",
    );
    check(
        &|workflow| network(workflow).grace.0 *= 2,
        "its `within` or `grace` is not that of baseline_host",
    );
}

#[test]
fn tests_that_do_nothing_or_have_one_name_are_refused_in_every_cycle() {
    let check = |change: &dyn Fn(&mut Vec<Test>), expected: &str| {
        let mut workflow = Workflow::of(&scenario(""));
        for cycle in &mut workflow.test_sequence {
            change(&mut cycle.proofload.network.tests);
        }
        let error = workflow.validate().unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    };
    check(&|tests| tests[1].name = tests[0].name.clone(), "a test's name of its own");
    check(&|tests| tests[0].name = "start".to_owned(), "proofload.network.tests[0], \"start\"");
    let nothing = "expected at least one process and one stream, on ports up to 65535";
    check(&|tests| tests[0].flow.processes = 0, nothing);
    check(&|tests| tests[0].flow.streams = 0, nothing);
    check(&|tests| (tests[1].flow.processes, tests[1].flow.port) = (4, 65535), nothing);
    check(&|tests| tests[1].flow.processes = u32::MAX, nothing);
    let length = |time: Duration| move |tests: &mut Vec<Test>| tests[0].flow.length = Length(time);
    check(&length(Duration::ZERO), "tests[0].flow.length, \"throughput_single\": expected a time");
    check(&length(Duration::from_millis(1)), "expected at least two intervals of 1s, found 1ms");
    check(
        &|tests| tests[2].tool = "iperf9".to_owned(),
        "tests[2].tool, \"tcp_rr\": unknown network",
    );
    check(&|tests| tests[0].flow.rate = Some(-1.0), "tests[0].flow.rate");
    check(&|tests| tests[0].flow.block = Some(0), "tests[0].flow.block");
    let beside = |tests: &mut Vec<Test>| {
        let Test { tool, flow, .. } = tests[0].clone();
        let flow = Flow { processes: 0, ..flow };
        tests[2].beside = Some(Box::new(Beside { tool, flow }));
    };
    check(&beside, "tests[2].beside.flow.processes");
}

#[test]
fn what_a_scenario_could_not_ask_for_is_refused_with_its_place() {
    let check = |change: &dyn Fn(&mut Workflow), expected: &str| {
        let mut workflow = Workflow::of(&scenario(""));
        change(&mut workflow);
        let error = workflow.validate().unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    };
    let zero = Length(Duration::ZERO);
    check(&|workflow| workflow.proofload.interval = zero, "proofload.interval: expected a time");
    check(&|workflow| workflow.proofload.repeat = 3_000_000_000, "proofload.repeat: expected at");
    let case = "cycle system_network_latency_case_1_host: proofload.";
    check(&|workflow| network(workflow).within = zero, &format!("{case}network.within: expected"));
    check(&|workflow| network(workflow).grace = zero, &format!("{case}network.grace: expected"));
    let empty = |workflow: &mut Workflow| {
        network(workflow).tool.as_mut().unwrap().command = " ".to_owned();
    };
    check(&empty, "network.tool.command is empty");
    let outside = |workflow: &mut Workflow| {
        workflow.test_sequence[2].result_path = "../../x".to_owned();
        network(workflow).results = "performance-test-results/../../x".to_owned();
    };
    check(&outside, "result_path: expected a relative path without \"..\"");
    let results = |path: &'static str| {
        move |workflow: &mut Workflow| network(workflow).results = path.to_owned()
    };
    check(&results("../../x"), "network.results: expected a relative path");
    check(&results("/etc"), "network.results: expected a relative path");
    check(&results("elsewhere"), "expected performance-test-results/ and result_path");
    let param = |name: &'static str, value: &'static str| {
        move |workflow: &mut Workflow| {
            let params = &mut workflow.test_sequence[2].proofload.params.0;
            params.retain(|(own, _)| own != name);
            params.push((name.to_owned(), Param::Text(value.to_owned())));
        }
    };
    for value in ["a,b", "a::b", ""] {
        check(&param("protocol", value), "proofload.params: protocol: ");
        check(&param("tool", value), "cannot be part of a trial's id");
    }
    check(&param("start", "x"), "proofload.params");
    check(&param("agents", "x"), "\"agents\" cannot name a parameter");
}

#[test]
fn what_readers_see_must_be_what_is_run() {
    let check = |change: &dyn Fn(&mut Workflow), expected: &str| {
        let mut workflow = Workflow::of(&scenario(""));
        change(&mut workflow);
        let error = workflow.validate().unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    };
    let specs = "global_config.performance_specs and proofload.network.tests of the cycles differ";
    check(&|workflow| workflow.global_config.performance_specs.0[0].1.processes += 1, specs);
    check(&|workflow| drop(workflow.global_config.performance_specs.0.pop()), specs);
    let tests = |workflow: &mut Workflow| {
        for cycle in &mut workflow.test_sequence {
            cycle.proofload.network.tests[0].flow.streams += 1;
        }
    };
    check(&tests, specs);
    let hosts = "global_config.ssh_hosts and proofload.testbed.nodes differ";
    check(&|workflow| workflow.global_config.ssh_hosts.0[0].1.host.push('x'), hosts);
    check(&|workflow| workflow.global_config.ssh_hosts.0[0].1.workdir.push('x'), hosts);
    check(
        &|workflow| workflow.metadata.environments = vec!["nowhere".to_owned()],
        "metadata.environments is [\"nowhere\"], and what is run below proofload is [\"host\", \"vm\"]",
    );
    check(&|workflow| workflow.metadata.source.clear(), "metadata.source is");
    let fewer = |workflow: &mut Workflow| {
        drop(workflow.test_sequence[2].test_cycle.performance_tests.pop());
    };
    check(&fewer, "cycle system_network_latency_case_1_host: test_cycle.performance_tests is");
    let hook = |workflow: &mut Workflow| {
        workflow.test_sequence[0].test_cycle.init_hook.tasks.push("x".to_owned());
    };
    check(&hook, "test_cycle.init_hook.tasks is [\"x\"]");
    let interval = |workflow: &mut Workflow| {
        workflow.test_sequence[2].monitoring_config.interval.0 *= 2;
    };
    check(&interval, "monitoring_config.interval is \"2s\"");
    check(
        &|workflow| workflow.test_sequence[2].expected_duration += 100.0,
        "expected_duration is 580.0, and what is run below proofload is 480.0",
    );
    let case = |change: fn(&mut EbpfCase)| {
        move |workflow: &mut Workflow| change(workflow.test_sequence[2].ebpf_case.as_mut().unwrap())
    };
    check(&case(|case| case.tool = "other".to_owned()), "ebpf_case.tool is \"other\"");
    check(&case(|case| case.script = "other.py".to_owned()), "ebpf_case.script is \"other\"");
    check(&case(|case| case.category.push('x')), "ebpf_case.category is");
    check(&case(|case| case.name.push('x')), "ebpf_case.name is");
    check(&case(|case| case.test_params.protocol = "udp".to_owned()), "test_params.protocol is");
    check(&case(|case| case.test_params.direction = "tx".to_owned()), "test_params.direction is");
}

#[test]
fn a_result_path_is_the_original_s_and_a_matrix_is_told_apart() {
    let paths = |keys: &str| -> Vec<String> {
        let workflow = Workflow::of(&scenario(keys));
        let cases = workflow.test_sequence.into_iter().filter(|cycle| cycle.ebpf_case.is_some());
        cases.map(|cycle| cycle.result_path).collect()
    };
    let plain = paths("");
    assert_eq!(plain[4], "ebpf/qdisc_drop_case_5_tcp_rx_9d5e19/host");
    // Parameters but protocol and direction are no part of it.
    assert_eq!(plain[6], "ebpf/ovs_drop_case_7_tcp_tx_0388a9/vm");
    assert_eq!(plain[10], "ebpf/kvm_irqfd_case_11_tcp_rx_9d5e19/vm");
    let mut all = [plain, paths("matrix = { seconds = [4, 5] }\n")].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 11 + 22);
}

#[test]
fn a_selection_of_cases_that_leaves_none_is_refused_though_baselines_are_left() {
    let elsewhere = "network.select = { tools = [\"ovs_drop\"], environments = [\"host\"] }\n";
    refused(elsewhere, "no case is left by what is selected (tools)");
    refused(
        "network.select = { tools = [\"ovs_drop\"], direction = \"tx\", protocol = \"udp\" }\n",
        "no case is left by what is selected (tools, protocol, direction)",
    );
    let whole = scenario("");
    let config = whole.network.as_ref().unwrap();
    let check = |select: &str, baseline: bool, expected: Option<&str>| {
        let select: SelectFile = toml::from_str(select).unwrap();
        let found = selection::leaves_something(config, &select, baseline).err();
        let holds = match (&found, expected) {
            (Some(found), Some(expected)) => found.contains(expected),
            (found, expected) => found.is_none() && expected.is_none(),
        };
        assert!(holds, "{select:?}: {found:?}");
    };
    check("", true, None);
    check("tools = [\"ovs_drop\"]", false, None);
    check("environments = []", true, None);
    check("environments = []", false, Some("no baseline is asked for"));
    check("categories = []", true, Some("(categories)"));
    check("environments = [\"host\"]\ntools = [\"ovs_drop\"]", true, Some("(tools)"));
}
