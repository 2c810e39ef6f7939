//! Workflows and their trials, over a configuration directory of their own.

mod workflow;

use std::path::Path;

use crate::model::spec::{DriverSpec, NetworkSpec, TargetSpec};
use crate::model::{Action, Severity};
use crate::plan::{self, Trial};
use crate::scenario::network::expand::expand;
use crate::scenario::network::{Cases, Full};
use crate::scenario::{self, Names, Scenario, ScenarioError, Workspace};

const TEMPLATE: &str = include_str!("../../../tests/data/network/tools-template.yaml");
const FULL: &str = include_str!("../../../tests/data/network/golden-full.yaml");
const CASES: &str = include_str!("../../../tests/data/network/golden-cases.json");
const MINIMAL: &str = include_str!("../../../tests/data/network/golden-input.yaml");
const SCENARIO: &str = "kind = \"network\"\ntarget.testbed.config = \"config\"\n";

/// The scenario over these files of its configuration directory.
fn loaded(text: &str, files: &[(&str, &str)], profile: &str) -> Result<Scenario, ScenarioError> {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("config");
    std::fs::create_dir(&directory).unwrap();
    for (name, content) in files {
        std::fs::write(directory.join(name), content).unwrap();
    }
    let file = root.path().join("overhead.toml");
    std::fs::write(&file, text).unwrap();
    let environment = [("PROOFLOAD_PROFILE".to_owned(), profile.to_owned())];
    let workspace = Workspace::open(root.path(), environment).unwrap();
    scenario::load(&workspace, &file, &Names::default())
}

const WHOLE: [(&str, &str); 4] = [
    ("minimal-input.yaml", MINIMAL),
    ("tools-template.yaml", TEMPLATE),
    ("golden-full.yaml", FULL),
    ("golden-cases.json", CASES),
];

fn scenario(keys: &str) -> Scenario {
    let text = format!("{SCENARIO}{keys}");
    loaded(&text, &WHOLE, "full").unwrap_or_else(|error| panic!("{error}\nof\n{text}"))
}

fn refused(keys: &str, expected: &str) {
    let error = loaded(&format!("{SCENARIO}{keys}"), &WHOLE, "full").unwrap_err();
    assert!(error.to_string().contains(expected), "{keys}: {error}");
}

fn network(trial: &Trial) -> &NetworkSpec {
    match &trial.driver {
        Some(DriverSpec::Network(spec)) => spec,
        other => panic!("{other:?}"),
    }
}

fn ids(keys: &str) -> Vec<String> {
    plan::trials(&scenario(keys)).into_iter().map(|trial| trial.id).collect()
}

#[test]
fn an_id_names_the_tool_its_category_its_environment_and_its_parameters() {
    let ids = ids("");
    assert_eq!(ids.len(), 2 * 2 + 11, "two baselines, each twice, and every case");
    assert_eq!(ids[0], "network::overhead::tool=baseline,environment=host::r=1");
    assert_eq!(ids[3], "network::overhead::tool=baseline,environment=vm::r=2");
    assert_eq!(
        ids[4],
        "network::overhead::tool=system_network_latency,category=performance/system-network,environment=host,protocol=tcp,direction=rx"
    );
    assert_eq!(
        ids[8],
        "network::overhead::tool=qdisc_drop,category=performance/system-network,environment=host"
    );
    assert_eq!(
        ids[12],
        "network::overhead::tool=ovs_drop,category=ovs,environment=vm,direction=tx,where=user space,level=1"
    );
    let mut once = ids.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), ids.len());
}

#[test]
fn a_selection_restricts_cases_and_its_environments_baselines_too() {
    let count = |select: &str| ids(&format!("network.select = {select}\n")).len();
    assert_eq!(count("{ environments = [\"host\"] }"), 2 + 5);
    assert_eq!(count("{ tools = [\"System-Network-Latency.py\"] }"), 4 + 4);
    assert_eq!(count("{ categories = [\"perf\", \"ovs\"] }"), 4 + 5 + 4);
    assert_eq!(count("{ protocol = \"udp\" }"), 4 + 2);
    assert_eq!(count("{ protocol = \"udp\", direction = \"tx\" }"), 4 + 1);
    let alone =
        "network = { baseline = false, select = { protocol = \"udp\", direction = \"tx\" } }\n";
    assert_eq!(ids(alone).len(), 1);
    refused("network.select = { tools = [\"ovs_dorp\"] }", "did you mean \"ovs_drop\"?");
    refused(
        "network.select = { environments = [\"hots\"] }",
        "did you mean \"host\"? (there is: host, vm)",
    );
    refused("network.select = { protocol = \"sctp\" }", "there is: tcp, udp");
}

#[test]
fn a_case_is_a_comparison_with_the_baseline_of_its_own_environment() {
    let scenario = scenario("repeat = 3\nnetwork.pps_degradation = 0.1\n");
    let trials = plan::trials(&scenario);
    for trial in trials.iter().filter(|trial| trial.comparison.is_some()) {
        let sides = trial.comparison.as_ref().unwrap();
        let (a, b) = (network(&sides.a), network(&sides.b));
        assert!(a.tool.is_none() && b.tool.is_some(), "{}", trial.id);
        // What reading costs the nodes bears on both sides alike.
        assert_eq!(sides.a.target, sides.b.target);
        let TargetSpec::Testbed(bed) = &sides.a.target else { panic!("{:?}", sides.a.target) };
        assert_eq!(bed.tool_node, b.tool.as_ref().map(|tool| tool.node.name.clone()));
        assert_eq!(
            (&a.environment, &a.server, &a.client, &a.tests),
            (&b.environment, &b.server, &b.client, &b.tests)
        );
        assert_eq!(a.results, format!("performance-test-results/baseline/{}", a.environment));
        assert_eq!(
            (sides.a.id.as_str(), sides.b.id.as_str()),
            (&*format!("{}::ab=a", trial.id), &*format!("{}::ab=b", trial.id))
        );
        let rule = sides.b.rules.ab.as_ref().unwrap();
        assert_eq!(rule.looks, [6], "a block is two pairs");
        let whole = [1, 2, 3, 4].map(|pair| sides.ends_block(pair));
        assert_eq!(whole, [false, true, false, true], "and none of them is left half done");
        assert_eq!(sides.budget_key, "network.budget", "the key that this kind has");
        let expected = [
            ("net.throughput", "throughput_single", 0.05),
            ("net.throughput", "throughput_multi", 0.05),
            ("net.latency.mean", "tcp_rr", 0.05),
            ("net.latency.mean", "udp_rr", 0.05),
            ("net.packets", "pps_single", 0.1),
            ("net.packets", "pps_multi", 0.1),
        ];
        assert_eq!(rule.metrics.len(), expected.len());
        for (one, (metric, test, limit)) in rule.metrics.iter().zip(expected) {
            assert_eq!((one.metric.as_str(), one.source.as_deref()), (metric, Some(test)));
            assert_eq!((one.min_effect, one.margin), (Some(limit), Some(limit)), "{test}");
        }
        assert!(rule.metrics.iter().all(|metric| metric.severity == Severity::Warn));
        let validity = sides.a.rules.validity.as_ref().unwrap();
        assert_eq!(
            (validity.samples, validity.steal, validity.throttled, validity.elsewhere),
            (1, 1.0, 1.0, 1.0)
        );
    }
    let first = network(&trials[6].comparison.as_ref().unwrap().b);
    assert_eq!(
        first.results,
        "performance-test-results/ebpf/system_network_latency_case_1_tcp_rx_9d5e19/host"
    );
    assert_eq!(first.tool.as_ref().unwrap().node.name, "host-server");
    let vm = trials.iter().find(|trial| trial.id.contains("tool=ovs_drop")).unwrap();
    let vm = network(&vm.comparison.as_ref().unwrap().b);
    let tool = vm.tool.as_ref().unwrap();
    assert_eq!(vm.server.node.name, "vm-server");
    assert_eq!(
        (tool.node.name.as_str(), tool.ready.as_deref()),
        ("host-server", Some("^tracing")),
        "beside the guest, on its host"
    );
    assert_eq!(tool.settle.to_string(), "2s");
    assert!(trials[0].comparison.is_none() && trials[0].rules.ab.is_none());
}

#[test]
fn a_walk_starts_the_tool_runs_each_test_and_reads_its_figures_once() {
    let keys = "network = { tests = [\"tcp_rr\", { name = \"long\", like = \"throughput_multi\", length = \"30s\", omit = \"2s\" }] }\n";
    let trial = plan::trials(&scenario(keys)).remove(0);
    let shown: Vec<String> = trial
        .phases
        .iter()
        .map(|phase| {
            format!(
                "{} {:?} {} {}",
                phase.name,
                phase.enter,
                phase.length.as_secs_f64(),
                phase.sampled
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "start Start 0.001 true",
            "tcp_rr Test(0) 10 true",
            "tcp_rr Collect 0.001 true",
            "long Test(1) 32 true",
            "long Collect 0.001 true",
            "stop Stop 0 false",
        ]
    );
    assert_eq!(trial.phases[1].enter, Action::Test(0));
    let tests = &network(&trial).tests;
    assert_eq!((tests[0].tool.as_str(), tests[0].flow.port), ("netperf", 12865));
    assert_eq!((tests[1].flow.processes, tests[1].flow.port), (4, 5001));
    assert!(matches!(&trial.target, TargetSpec::Testbed(spec) if spec.nodes.len() == 4));
}

#[test]
fn a_matrix_fills_in_lengths_rates_and_hooks() {
    let keys = r#"
matrix = { seconds = [4, 5] }
[network]
tests = ["throughput_udp"]
length = "{seconds}s"
udp_rate = "{seconds} Mbit/s"
udp_block = "1400 B"
select = { tools = ["qdisc_drop"] }
hook = [
    { level = "case", name = "note", node = "host-server", init = "echo {seconds}" },
    { level = "tool", name = "tool", post = "true" },
    { level = "global", name = "all", init = "true", post = "true" },
]
"#;
    let trials = plan::trials(&scenario(keys));
    assert_eq!(trials.len(), 2 * 2 * 2 + 2);
    let last = trials.last().unwrap();
    assert!(last.id.ends_with("environment=host,seconds=5"), "{}", last.id);
    let spec = network(&last.comparison.as_ref().unwrap().b);
    let flow = &spec.tests[0].flow;
    assert_eq!((flow.seconds(), flow.rate, flow.block), (5.0, Some(5e6), Some(1400)));
    assert_eq!(spec.hooks[0].init.as_deref(), Some("echo 5"));
    let names =
        |spec: &NetworkSpec| spec.hooks.iter().map(|hook| hook.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(spec), ["note"], "the outer levels are the testbed's");
    assert_eq!(names(network(last)), ["note"]);
    let TargetSpec::Testbed(testbed) = &last.target else { panic!("{:?}", last.target) };
    let outer: Vec<&str> = testbed.hooks.iter().map(|hook| hook.name.as_str()).collect();
    assert_eq!(outer, ["tool", "all"], "in declared order");
    assert!(testbed.nodes.len() > 2, "hooks may name nodes that have no part in the traffic");
    assert_eq!(network(last).nodes, testbed.nodes);
    workflow::check_round_trip(keys);
}

#[test]
fn without_a_full_file_trials_are_listed_with_the_reason() {
    let listed = loaded(SCENARIO, &WHOLE[..2], "full").unwrap();
    let trials = plan::trials(&listed);
    assert_eq!(trials.len(), 4 + 10, "the guest's threads are not known yet");
    for trial in &trials {
        let reason = trial.unavailable.as_deref().unwrap();
        assert!(
            reason.contains("config has no golden-full.yaml: run `cargo xtask bootstrap"),
            "{reason}"
        );
    }
    // The second is there, but cannot be opened.
    for (config, expected) in [
        ("nowhere", "there is no "),
        ("nowhere", "run `cargo xtask testbed up`"),
        ("minimal-input.yaml/x", "cannot be read (Not a directory"),
    ] {
        let minimal = format!("ssh_config: {config}\n{MINIMAL}");
        let down = [("minimal-input.yaml", minimal.as_str()), WHOLE[1], WHOLE[2], WHOLE[3]];
        let trials = plan::trials(&loaded(SCENARIO, &down, "full").unwrap());
        let reason = trials[0].unavailable.as_deref().unwrap();
        assert!(reason.contains(expected), "{reason}");
    }
    assert!(plan::trials(&scenario("")).iter().all(|trial| trial.unavailable.is_none()));
}

#[test]
fn files_that_do_not_fit_each_other_are_refused() {
    let check = |files: [(&str, &str); 4], expected: &str| {
        let error = loaded(SCENARIO, &files, "full").unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    };
    let [minimal, template, full, cases] = WHOLE;
    let other = template.1.replace("[tcp, udp]", "[tcp]");
    check([minimal, (template.0, &other), full, cases], "run `cargo xtask bootstrap` again");
    let other = cases.1.replace("eth0,eth1", "eth7");
    check([minimal, template, full, (cases.0, &other)], "is not what the tools expand to now");
    let other = minimal.1.replace(
        "{server: vm-server, client: vm-client}",
        "{server: vm-client, client: vm-server}",
    );
    check(
        [(minimal.0, &other), template, full, cases],
        "its pair vm is not that of minimal-input.yaml",
    );
    let other =
        full.1.replace("{ssh_ref: vm-client, test_ip: 198.18.1.2, ", "{ssh_ref: vm-client, ");
    check(
        [minimal, template, (full.0, &other), cases],
        "environments.vm.client.test_ip was not found",
    );
    check([minimal, template, full, ("x", "")], "golden-cases.json");
    check([("x", ""), template, full, cases], "minimal-input.yaml");
}

#[test]
fn a_tool_without_a_pair_is_an_error_unless_it_is_left_out() {
    let minimal = MINIMAL.replace("  vm: {server: vm-server, client: vm-client}\n", "");
    let files = [("minimal-input.yaml", minimal.as_str()), ("tools-template.yaml", TEMPLATE)];
    let error = loaded(SCENARIO, &files, "full").unwrap_err();
    assert!(error.message.contains("for environment vm, which has no baseline"), "{error}");
    let hosts = format!("{SCENARIO}network.select.environments = [\"host\"]\n");
    assert_eq!(plan::trials(&loaded(&hosts, &files, "full").unwrap()).len(), 2 + 5);
}

#[test]
fn what_kind_network_does_not_have_is_refused() {
    refused("driver.command.command = [\"x\"]\n", "has no [driver]");
    refused("ab = { a = { x = 1 }, b = { x = 2 } }\n", "has no [ab]");
    refused("repeat = 1\n", "a verdict needs three");
    refused("network.tests = []\n", "at least one test");
    refused("network.tests = [\"tcp_r\"]\n", "did you mean \"tcp_rr\"?");
    refused("network.tests = [\"tcp_rr\", \"tcp_rr\"]\n", "name of its own");
    refused("network.tests = [{ name = \"start\", like = \"ping\" }]\n", "name of its own");
    refused("network.tests = [{ name = \"x\", tool = \"iperf3\" }]\n", "needs `topic`");
    refused("network.length = \"{seconds}s\"\n", "unknown placeholder {seconds}");
    refused("network.length = \"1s\"\n", "at least two intervals");
    refused("network.udp_rate = \"fast\"\nnetwork.tests = [\"throughput_udp\"]\n", "\"1 Gbit/s\"");
    refused("network.latency_degradation = 5\n", "a fraction above 0 and below 1");
    refused("network.hook = [{ level = \"case\", name = \"x\" }]\n", "does nothing");
    refused(
        "network.hook = [{ level = \"case\", name = \"x\", node = \"host-sever\", init = \"a\" }]\n",
        "did you mean \"host-server\"?",
    );
    refused("matrix = { protocol = [\"tcp\"] }\n", "a parameter of the cases already");
    refused(
        "[target.process]\nservice = [{ name = \"a\", command = [\"a\"] }]\n",
        "has one target",
    );
    let other = loaded("kind = \"baseline\"\ntarget.testbed.config = \"config\"\n", &WHOLE, "full");
    assert!(other.unwrap_err().message.contains("is for kind network"));
}

#[test]
fn the_defaults_suffice_for_a_verdict() {
    for profile in ["quick", "ci", "full", "seed"] {
        let scenario = loaded(SCENARIO, &WHOLE, profile).unwrap_or_else(|error| panic!("{error}"));
        assert!(2 * scenario.repeat >= 3, "{profile}");
    }
    let quick = loaded(SCENARIO, &WHOLE, "quick").unwrap();
    let trials = plan::trials(&quick);
    assert!(network(&trials[0]).tests.iter().all(|test| test.flow.seconds() == 3.0));
    // The cases of the file are those that it expands to, which is what loading has checked.
    let full = Full::read(Path::new("f.yaml"), FULL).unwrap();
    let fresh = expand(&full, Path::new("f.yaml"), FULL).unwrap();
    assert_eq!(Cases::new("golden", fresh.cases).to_json(), CASES);
}
