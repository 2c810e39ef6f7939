//! Bootstrap on the local testbed: everything is found as it is, and what is really taken away is reported.

use std::fs;
use std::process::{Command, Output};

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::lab::{STATE, trial};

const INPUT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/testbeds/local/minimal-input.yaml");

/// Cases for hosts and guests, whose variables must all be found.
const TEMPLATE: &str = "\
tools:
  categories:
    ovs:
      environment: host
      tools: [{script: a.py, template: \"{path} {INTERNAL_INTERFACE} {PHY_INTERFACE} {host_LOCAL_IP} {host_REMOTE_IP}\"}]
    kvm:
      environment: vm
      tools: [{script: b.py, template: \"{path} {VM_INTERFACE} {QEMU_PID} {vm_LOCAL_IP} {vm_REMOTE_IP}\"}]
";

/// The trials.
pub(crate) fn trials() -> Vec<Trial> {
    let trials: [(&str, fn()); 7] = [
        ("discovery_equals_the_truth_field_by_field", truth),
        ("a_dry_run_writes_nothing", dry_run),
        ("an_address_that_only_begins_alike_is_not_found", alike),
        ("a_host_that_is_down_is_told_once", down),
        ("a_pid_file_that_is_gone_is_told", no_pid_file),
        ("a_network_card_that_is_gone_is_told", no_card),
        ("an_address_that_is_gone_is_told", no_address),
    ];
    let trial = |(name, run): (&str, fn())| trial(&format!("discovery::{name}"), run);
    trials.into_iter().map(trial).collect()
}

/// A configuration directory, and what came of bootstrap there.
struct Bootstrap {
    directory: TempDir,
    code: Option<i32>,
    stderr: String,
    found: Value,
}

impl Bootstrap {
    /// With the input changed so, and these further arguments.
    fn run(change: impl Fn(String) -> String, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let input = directory.path().join("minimal-input.yaml");
        fs::write(&input, change(fs::read_to_string(INPUT).unwrap())).unwrap();
        fs::write(directory.path().join("tools-template.yaml"), TEMPLATE).unwrap();
        let output: Output = Command::new(env!("CARGO_BIN_EXE_proofload"))
            .args(["bootstrap", "--format", "json", "--input"])
            .arg(&input)
            .arg("--output-dir")
            .arg(directory.path())
            .args(arguments)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let found = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {stderr}"));
        Self { directory, code: output.status.code(), stderr, found }
    }

    fn unchanged() -> Self {
        Self::run(|input| input, &[])
    }

    /// What is missing, as `node fact`.
    fn missing(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let missing = self.found["discovery"]["missing"].as_array().unwrap();
        missing.iter().map(|fact| text(&fact["node"]) + " " + &text(&fact["fact"])).collect()
    }
}

fn truth() {
    let truth: Value =
        serde_json::from_str(&fs::read_to_string(format!("{STATE}/truth.json")).unwrap()).unwrap();
    let run = Bootstrap::unchanged();
    assert_eq!((run.code, run.missing()), (Some(0), vec![]), "{}", run.stderr);
    let nodes = truth["nodes"].as_object().unwrap();
    assert_eq!(nodes.len(), 4);
    let nics = |host: &Value| -> Vec<Value> {
        let nics = host["physical_nics"].as_array().unwrap().iter().map(|nic| {
            let megabits = nic["speed"].as_str().unwrap().trim_end_matches("Mb/s");
            let speed = megabits.parse::<u64>().unwrap() * 1_000_000;
            let cards = [json!({ "name": nic["name"], "mac": nic["mac"], "speed": speed })];
            json!({ "name": nic["name"], "bond": null, "nics": cards })
        });
        nics.collect()
    };
    for (name, known) in nodes {
        let discovery = &run.found["discovery"];
        if known["role"] == "host" {
            let expected = json!({
                "test_ip": known["internal_ip"],
                "interface": known["internal_port"],
                "mac": known["internal_mac"],
                "bridge": known["bridge"],
                "uplink_bridge": known["uplink_bridge"],
                "physical_interface": nics(known),
            });
            assert_eq!(discovery["hosts"][name], expected, "{name}");
        } else {
            let vhost = match known["vhost_pids"].as_array().unwrap() {
                pids if pids.is_empty() => json!("qemu"),
                pids => json!({ "kernel": pids }),
            };
            // The guest is on the bridge that its host's own port is on.
            let host = &nodes[known["host_ref"].as_str().unwrap()];
            let expected = json!({
                "interface": known["interface"],
                "mac": known["mac"],
                "vm_interface": known["vnet"],
                "queues": 1,
                "bridge": known["bridge"],
                "uplink_bridge": host["uplink_bridge"],
                "physical_interface": nics(host),
                "qemu_pid": known["qemu_pid"],
                "vhost_pids": vhost,
            });
            assert_eq!(discovery["vms"][name], expected, "{name}");
        }
    }
    let cases = fs::read_to_string(run.directory.path().join("local-cases.json")).unwrap();
    let cases: Value = serde_json::from_str(&cases).unwrap();
    let server = &nodes["vm-server"];
    let expected = format!(
        "measurement-tools/kvm/b.py {} {} 198.18.1.101 198.18.1.102",
        server["vnet"].as_str().unwrap(),
        server["qemu_pid"]
    );
    assert_eq!(cases["test_cases"][1]["command"], json!(expected));
    assert_eq!(
        cases["test_cases"][0]["command"],
        "measurement-tools/ovs/a.py port-mgt eth1 198.18.1.1 198.18.1.2"
    );
    assert!(run.directory.path().join("local-full.yaml").is_file());
}

fn dry_run() {
    let run = Bootstrap::run(|input| input, &["--dry-run"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let names = fs::read_dir(run.directory.path()).unwrap().count();
    assert_eq!((names, &run.found["written"]), (2, &json!(false)));
}

fn alike() {
    let run = Bootstrap::run(
        |input| input.replace("test_ip: \"198.18.1.101\"", "test_ip: \"198.18.1.10\""),
        &[],
    );
    assert_eq!((run.code, run.missing()), (Some(4), vec!["vm-server interface".to_owned()]));
    assert!(run.stderr.contains("no interface has the address 198.18.1.10"), "{}", run.stderr);
}

fn down() {
    // An address of the management network that nobody has.
    let run =
        Bootstrap::run(|input| input.replace("root@198.18.254.12", "root@198.18.254.99"), &[]);
    assert_eq!((run.code, run.missing()), (Some(4), vec!["host-client connection".to_owned()]));
    assert!(run.stderr.contains("qemu_pid of vm-client"), "{}", run.stderr);
}

fn no_pid_file() {
    let gone = Gone::take(
        "mv /run/libvirt/qemu/vm-server.pid /run/libvirt/qemu/vm-server.away",
        "mv /run/libvirt/qemu/vm-server.away /run/libvirt/qemu/vm-server.pid",
        "host-server",
    );
    let run = Bootstrap::unchanged();
    drop(gone);
    assert_eq!((run.code, run.missing()), (Some(4), vec!["vm-server qemu_pid".to_owned()]));
    assert!(run.stderr.contains("vm-server.pid: No such file"), "{}", run.stderr);
    assert!(run.stderr.contains("{QEMU_PID} has no value"), "{}", run.stderr);
}

fn no_card() {
    let gone = Gone::take(
        "ovs-vsctl --timeout=5 del-port ovsbr-mgt-uplink eth1",
        "ovs-vsctl --timeout=5 add-port ovsbr-mgt-uplink eth1",
        "host-client",
    );
    let run = Bootstrap::unchanged();
    drop(gone);
    // No tool runs on the client, so that it is told and no failure.
    let expected = vec!["host-client physical_interface".to_owned()];
    assert_eq!((run.code, run.missing()), (Some(0), expected), "{}", run.stderr);
}

fn no_address() {
    let gone = Gone::take(
        "ip address del 198.18.1.2/24 dev port-mgt",
        "ip address add 198.18.1.2/24 dev port-mgt",
        "host-client",
    );
    let run = Bootstrap::unchanged();
    drop(gone);
    // The guest is reached over that address.
    let expected = vec!["host-client test_ip".to_owned(), "vm-client connection".to_owned()];
    assert_eq!((run.code, run.missing()), (Some(4), expected), "{}", run.stderr);
    assert!(run.stderr.contains("port-mgt has no address"), "{}", run.stderr);
}

/// Something that a host does without until this is dropped.
struct Gone {
    host: &'static str,
    back: &'static str,
}

impl Gone {
    fn take(away: &str, back: &'static str, host: &'static str) -> Self {
        // Before the command, so that what it did half is undone too.
        let gone = Self { host, back };
        assert!(within(host, away), "{away}");
        gone
    }
}

impl Drop for Gone {
    fn drop(&mut self) {
        within(self.host, self.back);
    }
}

fn within(host: &str, line: &str) -> bool {
    let enter = format!("{STATE}/{host}/enter");
    Command::new(enter).args(["/bin/sh", "-c", line]).status().is_ok_and(|status| status.success())
}
