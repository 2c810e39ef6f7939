//! Kind `network` over ready configuration directories: listing, selection, and workflow files. No node is contacted.

use std::fs;
use std::path::Path;

use rstest::rstest;
use serde_json::{Value, json};

use crate::workspace::{Output, Workspace, proofload};

const FULL: &str = include_str!("../data/network/golden-full.yaml");
const CASES: &str = include_str!("../data/network/golden-cases.json");
const TEMPLATE: &str = include_str!("../data/network/tools-template.yaml");
const INPUT: &str = include_str!("../data/network/golden-input.yaml");
const VM: &str = "  vm: {server: vm-server, client: vm-client}\n";

/// A workspace with scenario `overhead` over `config/golden`.
fn golden() -> Workspace {
    let workspace = Workspace::of(&["idle"]);
    workspace.write(
        "scenarios/overhead.toml",
        "kind = \"network\"\ntarget.testbed.config = \"config/golden\"\n",
    );
    write(&workspace, INPUT, FULL, CASES);
    workspace
}

/// A workspace without a scenario over `config/golden`, which has hosts only, and tools for guests too.
fn hosts() -> Workspace {
    let workspace = Workspace::of(&["idle"]);
    let (from, to) = (FULL.find("  vm:\n").unwrap(), FULL.find("paths:").unwrap());
    let full = format!("{}{}", &FULL[..from], &FULL[to..]);
    let full = full.replace("[\"51210\", \"51211\"]", "\"{vhost_pids}\"");
    let mut cases: Value = serde_json::from_str(CASES).unwrap();
    cases["test_cases"].as_array_mut().unwrap().retain(|case| case["environment"] == "host");
    cases["metadata"]["total_cases"] = json!(5);
    write(&workspace, &INPUT.replace(VM, ""), &full, &cases.to_string());
    workspace
}

fn write(workspace: &Workspace, minimal: &str, full: &str, cases: &str) {
    fs::create_dir_all(workspace.path("config/golden")).unwrap();
    for (name, text) in [
        ("minimal-input.yaml", minimal),
        ("tools-template.yaml", TEMPLATE),
        ("golden-full.yaml", full),
        ("golden-cases.json", cases),
    ] {
        workspace.write(&format!("config/golden/{name}"), text);
    }
}

/// `proofload workflow` over the workspace.
fn workflow(workspace: &Workspace, arguments: &[&str]) -> Output {
    let root = workspace.path(".");
    proofload(&[&["workflow", "--root", root.to_str().unwrap()], arguments].concat())
}

/// The plan that is written for these arguments.
fn plan(workspace: &Workspace, arguments: &[&str]) -> Value {
    workflow(workspace, &[arguments, &["--output", "-"]].concat()).expect(0).json()
}

fn cycles(plan: &Value) -> Vec<&str> {
    let cycles = plan["test_sequence"].as_array().unwrap();
    cycles.iter().map(|cycle| cycle["cycle_id"].as_str().unwrap()).collect()
}

const TRIALS: [&str; 15] = [
    "network::overhead::tool=baseline,environment=host::r=1",
    "network::overhead::tool=baseline,environment=host::r=2",
    "network::overhead::tool=baseline,environment=vm::r=1",
    "network::overhead::tool=baseline,environment=vm::r=2",
    "network::overhead::tool=system_network_latency,category=performance/system-network,environment=host,protocol=tcp,direction=rx",
    "network::overhead::tool=system_network_latency,category=performance/system-network,environment=host,protocol=tcp,direction=tx",
    "network::overhead::tool=system_network_latency,category=performance/system-network,environment=host,protocol=udp,direction=rx",
    "network::overhead::tool=system_network_latency,category=performance/system-network,environment=host,protocol=udp,direction=tx",
    "network::overhead::tool=qdisc_drop,category=performance/system-network,environment=host",
    "network::overhead::tool=ovs_drop,category=ovs,environment=vm,direction=tx,where=in-kernel,level=0",
    "network::overhead::tool=ovs_drop,category=ovs,environment=vm,direction=tx,where=in-kernel,level=1",
    "network::overhead::tool=ovs_drop,category=ovs,environment=vm,direction=tx,where=user space,level=0",
    "network::overhead::tool=ovs_drop,category=ovs,environment=vm,direction=tx,where=user space,level=1",
    "network::overhead::tool=kvm_irqfd,category=kvm-virt-network/kvm,environment=vm,vhost_pid=51210,duration=20",
    "network::overhead::tool=kvm_irqfd,category=kvm-virt-network/kvm,environment=vm,vhost_pid=51211,duration=20",
];

#[rstest]
#[case::the_kind(&["network"], "", "none")]
#[case::an_environment(&["environment=vm"], "environment=vm", "none")]
#[case::a_tool(&["tool=qdisc_drop"], "tool=qdisc_drop", "none")]
#[case::parameters(&["protocol=udp,direction=tx"], "protocol=udp,direction=tx", "none")]
#[case::no_baselines(&["network", "--skip", "tool=baseline"], "", "tool=baseline")]
fn cases_are_listed_and_filtered_as_trials(
    #[case] arguments: &[&str],
    #[case] with: &str,
    #[case] without: &str,
) {
    let workspace = golden();
    let output = workspace.suite(&[&["--list"], arguments].concat()).run().expect(0);
    let expected = TRIALS.iter().filter(|id| id.contains(with) && !id.contains(without));
    let expected: Vec<String> = expected.map(|id| format!("{id}: test")).collect();
    assert_eq!(output.lines(), expected);
}

#[test]
fn a_directory_that_was_not_found_out_lists_its_trials_as_ignored() {
    let workspace = golden();
    fs::remove_file(workspace.path("config/golden/golden-full.yaml")).unwrap();
    let output = workspace.suite(&["--list", "--ignored", "environment=host"]).run().expect(0);
    assert_eq!(output.lines().len(), 2 + 5);
    assert!(output.stderr.contains("run `cargo xtask bootstrap"), "{}", output.stderr);
}

#[test]
fn a_changed_input_asks_for_another_bootstrap() {
    let workspace = golden();
    let minimal = INPUT.replace("198.18.1.2}", "198.18.1.3}");
    workspace.write("config/golden/minimal-input.yaml", &minimal);
    let output = workspace.suite(&["--list"]).run().expect(2);
    for part in ["golden-full.yaml", "test_ip \"198.18.1.2\" of vm-client", "bootstrap` again"] {
        assert!(output.stderr.contains(part), "{part}: {}", output.stderr);
    }
}

#[rstest]
#[case(&["--tools", "QDISC-drop.bt"], &["baseline_host", "baseline_vm", "qdisc_drop_case_5_host"])]
#[case(
    &["--environments", "host", "--category", "perf", "--protocol", "udp"],
    &["baseline_host", "system_network_latency_case_3_host", "system_network_latency_case_4_host"]
)]
#[case(
    &["--environments", "host", "--direction", "tx", "--protocol", "tcp"],
    &["baseline_host", "system_network_latency_case_2_host"]
)]
#[case(
    &["--environments", "vm", "--category", "kvm", "nothing"],
    &[]
)]
fn options_select_the_cycles_of_a_workflow(#[case] options: &[&str], #[case] expected: &[&str]) {
    let workspace = golden();
    let directory = workspace.path("config/golden");
    for source in [["--scenario", "overhead"], ["--config-dir", directory.to_str().unwrap()]] {
        let arguments = [&source[..], options].concat();
        if expected.is_empty() {
            let output = workflow(&workspace, &arguments).expect(2);
            let said = "error: --category: nothing is called \"nothing\"";
            assert!(output.stderr.starts_with(said), "{}", output.stderr);
            continue;
        }
        assert_eq!(cycles(&plan(&workspace, &arguments)), expected, "{source:?}");
    }
}

#[test]
fn a_directory_without_guests_is_planned_by_what_the_command_line_selects() {
    let workspace = hosts();
    let directory = workspace.path("config/golden");
    let source = ["--config-dir", directory.to_str().unwrap()];
    let output = workflow(&workspace, &source).expect(2);
    assert!(output.stderr.contains("`--environments` of a command"), "{}", output.stderr);
    let plan = plan(&workspace, &[&source[..], &["--environments", "host"]].concat());
    assert_eq!(cycles(&plan).len(), 1 + 5);
    assert_eq!(plan["metadata"]["environments"], json!(["host"]));
}

/// Writes the plan with a change, and returns where.
fn changed(workspace: &Workspace, change: impl Fn(&mut Value)) -> String {
    let mut plan = plan(workspace, &["--scenario", "overhead", "--environments", "host"]);
    change(&mut plan);
    workspace.write("plan.json", &plan.to_string());
    workspace.path("plan.json").to_str().unwrap().to_owned()
}

#[test]
fn a_workflow_file_is_checked_and_told() {
    let workspace = golden();
    let file = changed(&workspace, |_| {});
    let output = workflow(&workspace, &["--validate", &file]).expect(0);
    let first = "overhead: 6 cycles: 1 baselines, 5 cases of 2 tools in host";
    assert_eq!(output.lines()[0], first);

    let file = changed(&workspace, |plan| {
        plan["test_sequence"][1]["proofload"]["network"]["tests"][0]["tool"] = json!("iperf9");
    });
    for option in ["--validate", "--run"] {
        let output = workflow(&workspace, &[option, &file]).expect(2);
        for part in ["plan.json: cycle system_network_latency_case_1_host", "\"iperf9\"; did you"] {
            assert!(output.stderr.contains(part), "{part}: {}", output.stderr);
        }
    }
    assert!(!Path::new(&workspace.path("results")).exists(), "nothing was run");
}

#[rstest]
#[case("--tools")]
#[case("--environments")]
#[case("--category")]
#[case("--protocol")]
#[case("--direction")]
#[case("--scenario")]
#[case("--config-dir")]
#[case("--output")]
fn what_would_have_no_effect_on_a_file_is_refused_beside_it(#[case] option: &str) {
    for action in ["--validate", "--run"] {
        let output = proofload(&["workflow", action, "plan.json", option, "x"]).expect(2);
        assert!(output.stderr.contains("cannot be used with"), "{}", output.stderr);
    }
}
