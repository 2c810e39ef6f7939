//! Bootstrap from directories of their own and facts that were not asked for.

use std::collections::BTreeMap;

use tempfile::TempDir;

use super::*;
use crate::scenario::network::Config;
use crate::target::testbed::discovery::{
    CONNECTION, HostFacts, MissingFact, Nic, Physical, VhostThreads, VmFacts,
};

const MINIMAL: &str = "\
environment: my-env
nodes:
  a: {ssh: root@198.18.0.1, workdir: /tmp}
  b: {ssh: user@198.18.0.2}
  va: {ssh: root@198.18.1.1, role: vm, host_ref: a, uuid: one, test_ip: 198.18.1.1}
  vb: {ssh: root@198.18.1.2, role: vm, host_ref: b, uuid: two, test_ip: 198.18.1.2}
test_pairs:
  host: {server: a, client: b}
  vm: {server: va, client: vb}
";

const TEMPLATE: &str = "\
tools:
  categories:
    ovs:
      environment: host
      tools:
        - {script: count.py, template: \"{path} {PHY_INTERFACE} {host_LOCAL_IP}\"}
    kvm:
      environment: vm
      tools:
        - {script: wait.py, template: \"{path} {VM_INTERFACE} {QEMU_PID} --phy {PHY_INTERFACE}\"}
        - {script: queue.py, template: \"{path} --pid {pid}\", parameters: {pid: \"{vhost_pids}\"}, optional: [pid]}
";

struct Place {
    directory: TempDir,
}

impl Place {
    fn with(minimal: &str, template: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("minimal-input.yaml"), minimal).unwrap();
        fs::write(directory.path().join("tools-template.yaml"), template).unwrap();
        fs::create_dir(directory.path().join("measurement-tools")).unwrap();
        Self { directory }
    }

    fn arguments(&self) -> Arguments {
        Arguments {
            input: self.directory.path().join("minimal-input.yaml"),
            output_dir: self.directory.path().to_owned(),
            tools_template: None,
            dry_run: false,
            verbose: false,
            list_cases: true,
            format: Format::Text,
        }
    }

    fn conclude(&self, discovery: Discovery) -> Result<Outcome, Failure> {
        let input = Input::read(&self.arguments())?;
        conclude(&input, discovery, self.directory.path())
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn found() -> Discovery {
    let nic = |name: &str| Nic { name: name.into(), mac: None, speed: Some(25_000_000_000) };
    let host = |ip: &str| HostFacts {
        test_ip: Some(ip.parse().unwrap()),
        interface: Some("port-mgt".into()),
        mac: None,
        bridge: Some("br".into()),
        uplink_bridge: Some("br-uplink".into()),
        physical: vec![Physical {
            name: "bond0".into(),
            bond: Some(crate::target::testbed::discovery::Bond::Kernel),
            nics: vec![nic("e1"), nic("e2")],
        }],
    };
    let guest = |pid: u32| VmFacts {
        interface: Some("eth0".into()),
        mac: Some("52:54:00:00:00:01".into()),
        vm_interface: Some("vnet3".into()),
        queues: Some(2),
        bridge: Some("br-vm".into()),
        uplink_bridge: Some("br-vm-uplink".into()),
        physical: vec![Physical { name: "e9".into(), bond: None, nics: vec![nic("e9")] }],
        qemu_pid: Some(pid),
        vhost: Some(VhostThreads::Kernel(vec![pid + 1, pid + 2])),
    };
    Discovery {
        hosts: BTreeMap::from([("a".into(), host("198.18.0.1")), ("b".into(), host("198.18.0.2"))]),
        vms: BTreeMap::from([("va".into(), guest(70)), ("vb".into(), guest(80))]),
        ..Discovery::default()
    }
}

fn missing(node: &str, fact: &str) -> MissingFact {
    MissingFact {
        node: node.into(),
        fact: fact.into(),
        why: "it is gone".into(),
        command: "look for it".into(),
        output: "nothing here".into(),
        also: Vec::new(),
    }
}

#[test]
fn facts_become_the_keys_of_the_full_configuration_and_variables_of_cases() {
    let place = Place::with(MINIMAL, TEMPLATE);
    let outcome = place.conclude(found()).unwrap();
    assert_eq!((&outcome.failure, &outcome.notes[..]), (&None, &[][..]));
    let (path, text) = &outcome.files[0];
    assert!(path.ends_with("my-env-full.yaml"));
    let full = Full::read(path, text).unwrap();
    assert_eq!(full.to_yaml().unwrap(), *text, "what was written is read as the same");
    let vm = full.environments.get("vm").unwrap();
    assert_eq!(vm.server.physical_host_ref.as_deref(), Some("a"));
    assert_eq!(vm.network_config.server_vm_interface.as_deref(), Some("vnet3"));
    let network = &vm.network_config;
    assert_eq!(network.client_physical_interface.as_deref(), Some("e9"), "of the guest's bridge");
    assert_eq!(network.client_physical_nic_members, [""; 0]);
    let kvm = vm.kvm_config.as_ref().unwrap();
    assert_eq!(kvm.client.as_ref().unwrap().qemu_pid.unwrap().to_string(), "80");
    let host = full.environments.get("host").unwrap();
    assert_eq!(host.network_config.client_physical_nic_members, ["e1", "e2"]);
    assert_eq!(vm.network_config.internal_interface.as_deref(), Some("port-mgt"));
    let guest = full.discovered.get("va").unwrap();
    assert_eq!(guest.uplink_bridge.as_deref(), Some("br-vm-uplink"));
    assert_eq!((guest.physical_interface.as_deref(), guest.nics.len()), (Some("e9"), 1));
    assert_eq!(host.network_config.internal_interface.as_deref(), Some("port-mgt"));
    assert_eq!(host.server.physical_host_ref, None);
    let commands: Vec<&str> = outcome
        .expansion
        .iter()
        .flat_map(|all| &all.cases)
        .map(|case| case.command.as_str())
        .collect();
    assert_eq!(
        commands,
        [
            "measurement-tools/ovs/count.py e1,e2 198.18.0.1",
            "measurement-tools/kvm/wait.py vnet3 70 --phy e9",
            "measurement-tools/kvm/queue.py --pid 71",
            "measurement-tools/kvm/queue.py --pid 72",
        ]
    );
    let cases = Cases::read(&outcome.files[1].0, &outcome.files[1].1).unwrap();
    assert_eq!(cases.metadata.total_cases, 4);
}

#[test]
fn writing_twice_leaves_the_same_two_files_and_nothing_else() {
    let place = Place::with(MINIMAL, TEMPLATE);
    let before = place.names();
    write(&place.conclude(found()).unwrap().files).unwrap();
    let read = |name: &str| fs::read_to_string(place.directory.path().join(name)).unwrap();
    let first = (read("my-env-full.yaml"), read("my-env-cases.json"));
    write(&place.conclude(found()).unwrap().files).unwrap();
    assert_eq!((read("my-env-full.yaml"), read("my-env-cases.json")), first);
    let mut expected =
        [before, vec!["my-env-cases.json".into(), "my-env-full.yaml".into()]].concat();
    expected.sort();
    assert_eq!(place.names(), expected);
}

#[test]
fn a_file_that_cannot_be_written_leaves_the_others_as_they_were() {
    let place = Place::with(MINIMAL, TEMPLATE);
    let outcome = place.conclude(found()).unwrap();
    let before = place.names();
    // The second one is below a file, which can be no directory.
    let mut files = outcome.files;
    files[1].0 = place.directory.path().join("tools-template.yaml/cases.json");
    assert_eq!(write(&files).unwrap_err().code, 4);
    assert_eq!(place.names(), before);
}

/// What is missing, the exit code, and what the reason says; `None` where it is no reason.
fn check(remove: impl Fn(&mut Discovery), missed: MissingFact, reason: Option<&str>) {
    let place = Place::with(MINIMAL, TEMPLATE);
    let mut discovery = found();
    remove(&mut discovery);
    let what = format!("{} of {}", missed.fact, missed.node);
    discovery.missing.push(missed.clone());
    let outcome = place.conclude(discovery).unwrap();
    let full = Full::read(&outcome.files[0].0, &outcome.files[0].1).unwrap();
    assert_eq!((&full.missing[0].fact, &full.missing[0].command), (&missed.fact, &missed.command));
    let remarks = answer::remarks(&outcome).join("\n");
    for part in [missed.node.as_str(), &missed.fact, &missed.command, &missed.output] {
        assert!(remarks.contains(part), "{what}: {remarks}");
    }
    match (&outcome.failure, reason) {
        (Some((4, why)), Some(reason)) => assert!(why.contains(reason), "{what}: {why}"),
        (None, None) => assert_eq!(outcome.files.len(), 2, "{what}"),
        (found, _) => panic!("{what}: {found:?}"),
    }
}

#[test]
fn only_what_tests_or_tools_need_is_a_failure() {
    let host = |discovery: &mut Discovery| discovery.hosts.get_mut("b").unwrap().test_ip = None;
    check(host, missing("b", "test_ip"), Some("the address of b, client of the host pair"));
    let guest = |discovery: &mut Discovery| discovery.vms.get_mut("vb").unwrap().interface = None;
    check(guest, missing("vb", "interface"), Some("the address 198.18.1.2 of vb"));
    let down = |discovery: &mut Discovery| drop(discovery.hosts.remove("b"));
    check(down, missing("b", CONNECTION), Some("b does not answer"));
    let pid = |discovery: &mut Discovery| discovery.vms.get_mut("va").unwrap().qemu_pid = None;
    check(pid, missing("va", "qemu_pid"), Some("{QEMU_PID} has no value"));
    check(pid, missing("va", "qemu_pid"), Some("what was not found: qemu_pid of va"));
    // Of the client no tool asks it.
    let pid = |discovery: &mut Discovery| discovery.vms.get_mut("vb").unwrap().qemu_pid = None;
    check(pid, missing("vb", "qemu_pid"), None);
    // The tool says that it may be missing.
    let threads = |discovery: &mut Discovery| discovery.vms.get_mut("va").unwrap().vhost = None;
    check(threads, missing("va", "vhost_pids"), None);
}

#[test]
fn a_configuration_that_is_there_is_not_replaced_by_one_that_cannot_be_gone_on_with() {
    let place = Place::with(MINIMAL, TEMPLATE);
    write(&place.conclude(found()).unwrap().files).unwrap();
    let read = |name: &str| fs::read_to_string(place.directory.path().join(name)).unwrap();
    let before = (read("my-env-full.yaml"), read("my-env-cases.json"));
    let mut down = found();
    down.hosts.remove("b");
    down.missing.push(missing("b", CONNECTION));
    let outcome = place.conclude(down.clone()).unwrap();
    write(&outcome.files).unwrap();
    assert_eq!(outcome.failure.as_ref().unwrap().0, 4);
    assert_eq!((read("my-env-full.yaml"), read("my-env-cases.json")), before);
    let remarks = answer::remarks(&outcome).join("\n");
    assert!(remarks.contains("my-env-full.yaml is kept as it was"), "{remarks}");
    assert!(!answer::text(&place.arguments(), &outcome).contains("wrote"));
    let json: serde_json::Value =
        serde_json::from_str(&answer::json(&place.arguments(), &outcome).unwrap()).unwrap();
    assert_eq!(json["written"], false);

    // Where there is none, it says what is missing.
    let place = Place::with(MINIMAL, TEMPLATE);
    write(&place.conclude(down).unwrap().files).unwrap();
    assert!(place.names().contains(&"my-env-full.yaml".to_owned()));
}

#[test]
fn what_scenarios_read_is_copied_to_a_directory_elsewhere() {
    let place = Place::with(MINIMAL, TEMPLATE);
    let output = place.directory.path().join("out/of/it");
    let arguments = Arguments { output_dir: output.clone(), ..place.arguments() };
    let bootstrap = || {
        let input = Input::read(&arguments)?;
        write(&conclude(&input, found(), &output)?.files)
    };
    bootstrap().unwrap();
    let copy = |name: &str| output.join(name);
    assert_eq!(fs::read_to_string(copy("minimal-input.yaml")).unwrap(), MINIMAL);
    let config = Config::load(place.directory.path(), Path::new("out/of/it")).unwrap();
    assert_eq!((config.cases.len(), config.unavailable), (4, None));
    bootstrap().unwrap();

    for name in ["minimal-input.yaml", "tools-template.yaml"] {
        let text = fs::read_to_string(copy(name)).unwrap();
        fs::write(copy(name), format!("{text}# mine\n")).unwrap();
        let failure = bootstrap().unwrap_err();
        assert_eq!(failure.code, 2);
        assert!(failure.message.contains("is there already and is not"), "{}", failure.message);
        fs::write(copy(name), text).unwrap();
    }

    // A template that is shared is found where it is.
    fs::remove_file(copy("tools-template.yaml")).unwrap();
    fs::write(output.join("../tools-template.yaml"), TEMPLATE).unwrap();
    bootstrap().unwrap();
    assert!(!copy("tools-template.yaml").exists());
}

#[test]
fn a_path_that_would_be_another_elsewhere_is_refused() {
    let place = Place::with(&format!("ssh_config: keys/config\n{MINIMAL}"), TEMPLATE);
    assert!(Input::read(&place.arguments()).is_ok());
    let elsewhere =
        Arguments { output_dir: place.directory.path().join("out"), ..place.arguments() };
    let failure = Input::read(&elsewhere).err().unwrap();
    assert!(failure.message.contains("write it from the root on"), "{}", failure.message);
}

#[test]
fn a_guest_without_vhost_threads_is_no_mistake_of_the_template() {
    let mut discovery = found();
    discovery.vms.get_mut("va").unwrap().vhost = Some(VhostThreads::Qemu);
    let place = Place::with(MINIMAL, TEMPLATE);
    let outcome = place.conclude(discovery.clone()).unwrap();
    assert_eq!(outcome.failure, None);
    let cases = &outcome.expansion.as_ref().unwrap().cases;
    assert_eq!(cases[2].command, "measurement-tools/kvm/queue.py");
    let place = Place::with(MINIMAL, &TEMPLATE.replace(", optional: [pid]", ""));
    let failure = place.conclude(discovery).err().unwrap();
    for part in ["tools-template.yaml:", "qemu carries the packets", "list it under `optional`"] {
        assert!(failure.message.contains(part), "{part}: {}", failure.message);
    }
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_place_before_any_node_is_asked() {
    let again = "        - {script: count.py, template: \"{path} again\"}\n    kvm:\n";
    let twice = TEMPLATE.replace("    kvm:\n", again);
    for (minimal, template, expected) in [
        (MINIMAL.replace("server: va", "server: vx"), TEMPLATE.to_owned(), "minimal-input.yaml:9"),
        (MINIMAL.replace("198.18.1.2}", "198.18.1}"), TEMPLATE.to_owned(), "minimal-input.yaml:6"),
        (MINIMAL.replace("role:", "rolle:"), TEMPLATE.to_owned(), "minimal-input.yaml:5"),
        (MINIMAL.to_owned(), twice, "tools-template.yaml:7"),
        (MINIMAL.to_owned(), TEMPLATE.replace("host\n", "hots\n"), "tools-template.yaml:4"),
    ] {
        let place = Place::with(&minimal, &template);
        let failure = Input::read(&place.arguments()).err().expect(expected);
        assert_eq!(failure.code, 2, "{}", failure.message);
        assert!(failure.message.contains(expected), "{expected}: {}", failure.message);
    }
    let place = Place::with(MINIMAL, TEMPLATE);
    fs::remove_file(place.directory.path().join("tools-template.yaml")).unwrap();
    let failure = Input::read(&place.arguments()).err().unwrap();
    assert_eq!(failure.code, 2);
    for part in ["/tools-template.yaml and ", "/../tools-template.yaml", "--tools-template"] {
        assert!(failure.message.contains(part), "{}", failure.message);
    }
}

#[test]
fn a_variable_that_nobody_knows_is_the_template_s_fault_where_nothing_is_missing() {
    let place = Place::with(MINIMAL, &TEMPLATE.replace("{QEMU_PID}", "{QEMU}"));
    let failure = place.conclude(found()).err().unwrap();
    assert_eq!(failure.code, 2);
    assert!(failure.message.contains("{QEMU}"), "{}", failure.message);
}

#[test]
fn both_formats_tell_facts_files_and_cases() {
    let place = Place::with(MINIMAL, TEMPLATE);
    let outcome = place.conclude(found()).unwrap();
    let dry = Arguments { dry_run: true, ..place.arguments() };
    let text = answer::text(&dry, &outcome);
    for part in ["198.18.0.1 on port-mgt", "vhost 71 72", "would write ", "4 cases", "e1 25 Gbit/s"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!answer::text(&place.arguments(), &outcome).contains("would write"));
    let json: serde_json::Value =
        serde_json::from_str(&answer::json(&dry, &outcome).unwrap()).unwrap();
    assert_eq!((&json["written"], &json["cases"]), (&false.into(), &4.into()));
    assert_eq!(json["discovery"]["vms"]["va"]["qemu_pid"], 70);
}
