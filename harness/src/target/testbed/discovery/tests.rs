//! Discovery from transcripts of the local testbed: the whole truth, and each fact when it is taken away.

mod removed;
mod ways;

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::*;

const UUID: &str = "5e1f0a10-0198-4018-8001-000000000101";

/// What nodes say, by a short word for each line.
#[derive(Clone)]
pub(super) struct Transcript(
    pub(super) BTreeMap<(&'static str, &'static str), (i32, String, String)>,
);

impl Transcript {
    /// The server's side of the testbed, as it was recorded.
    pub(super) fn recorded() -> Self {
        let mut transcript = Self(BTreeMap::new());
        transcript.set("host", "switch", include_str!("tests/switch.json"));
        transcript.set("host", "addresses", include_str!("tests/addresses.json"));
        transcript.set("host", "links", include_str!("tests/links.txt"));
        transcript.set("host", "connection", "198.18.254.1 41806 198.18.254.11 22\n");
        transcript.set("host", "domain", include_str!("tests/domain.xml"));
        transcript.set("host", "process", "241 qemu-system-x86 1\n");
        transcript.set("host", "taps", "/proc/241/fdinfo/31:iff:\tvnet0\n");
        transcript.set("host", "files", include_str!("tests/files.txt"));
        transcript.fail("host", "threads", 1, "");
        transcript.set("guest", "addresses", include_str!("tests/guest.json"));
        transcript
    }

    /// The same with packets carried by the kernel, two queues of them.
    pub(super) fn with_vhost() -> Self {
        let mut transcript = Self::recorded();
        transcript.edit(
            "host",
            "domain",
            "<driver name='qemu'>",
            "<driver name='vhost' queues='2'>",
        );
        transcript.set(
            "host",
            "taps",
            "/proc/241/fdinfo/31:iff:\tvnet0\n/proc/241/fdinfo/32:iff:\tvnet0\n",
        );
        transcript.edit("host", "files", "31 -> /dev/net/tun", "33 -> /dev/vhost-net");
        transcript.set("host", "threads", "/proc/260/comm:vhost-241\n/proc/259/comm:vhost-241\n");
        transcript
    }

    pub(super) fn set(&mut self, node: &'static str, word: &'static str, stdout: &str) {
        self.0.insert((node, word), (0, stdout.to_owned(), String::new()));
    }

    pub(super) fn fail(&mut self, node: &'static str, word: &'static str, code: i32, stderr: &str) {
        self.0.insert((node, word), (code, String::new(), stderr.to_owned()));
    }

    pub(super) fn edit(&mut self, node: &'static str, word: &'static str, from: &str, to: &str) {
        let (_, stdout, _) = self.0.get_mut(&(node, word)).unwrap();
        assert!(stdout.contains(from), "{node} {word}: {from}");
        *stdout = stdout.replace(from, to);
    }

    /// From now on the node does not answer.
    pub(super) fn down(&mut self, node: &'static str) {
        self.0.retain(|(own, _), _| *own != node);
    }

    pub(super) fn discover(&self) -> Discovery {
        self.discover_with(None)
    }

    pub(super) fn discover_with(&self, host_ip: Option<&str>) -> Discovery {
        let subjects = [
            Subject {
                name: "host".into(),
                role: Role::Host,
                test_ip: host_ip.map(|ip| ip.parse().unwrap()),
                ssh_ip: None,
            },
            Subject {
                name: "guest".into(),
                role: Role::Vm { host: "host".into(), uuid: UUID.into() },
                test_ip: Some("198.18.1.101".parse().unwrap()),
                ssh_ip: None,
            },
        ];
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(discover(self, &subjects, "mgt"))
    }
}

fn word(line: &str) -> &'static str {
    let words = [
        ("ovs-vsctl", "switch"),
        ("ip -json", "addresses"),
        ("/sys/class/net", "links"),
        ("SSH_CONNECTION", "connection"),
        ("dumpxml", "domain"),
        ("domname", "process"),
        ("fdinfo", "taps"),
        ("ls -l", "files"),
        ("vhost-", "threads"),
    ];
    words.iter().find(|(part, _)| line.contains(part)).expect(line).1
}

#[async_trait]
impl Ask for Transcript {
    async fn ask(&self, node: &str, lines: &[String]) -> Result<Vec<Said>, NodeError> {
        let down = || NodeError { node: node.into(), message: "connection refused".into() };
        let said = lines.iter().map(|line| {
            let of = |((own, part), _): &(&(&str, &str), _)| *own == node && *part == word(line);
            let (_, (code, stdout, stderr)) = self.0.iter().find(of).ok_or_else(down)?;
            Ok(Said {
                command: line.replace("$SUDO ", "sudo -n "),
                code: *code,
                stdout: stdout.clone(),
                stderr: stderr.clone(),
            })
        });
        said.collect()
    }
}

fn host(discovery: &Discovery) -> Value {
    serde_json::to_value(&discovery.hosts["host"]).unwrap()
}

fn guest(discovery: &Discovery) -> Value {
    serde_json::to_value(&discovery.vms["guest"]).unwrap()
}

#[test]
fn the_testbed_is_found_as_it_is() {
    let discovery = Transcript::recorded().discover();
    assert_eq!(
        host(&discovery),
        json!({
            "test_ip": "198.18.1.1",
            "interface": "port-mgt",
            "mac": "02:18:00:00:01:01",
            "bridge": "ovsbr-mgt",
            "uplink_bridge": "ovsbr-mgt-uplink",
            "physical_interface": [{
                "name": "eth1",
                "bond": null,
                "nics": [{ "name": "eth1", "mac": "02:18:00:00:02:01", "speed": 10_000_000_000_u64 }],
            }],
        })
    );
    assert_eq!(
        guest(&discovery),
        json!({
            "interface": "eth0",
            "mac": "52:54:00:18:01:65",
            "vm_interface": "vnet0",
            "queues": 1,
            "bridge": "ovsbr-mgt",
            "uplink_bridge": "ovsbr-mgt-uplink",
            "physical_interface": host(&discovery)["physical_interface"],
            "qemu_pid": 241,
            "vhost_pids": "qemu",
        })
    );
    assert_eq!((&discovery.missing[..], &discovery.notes[..]), (&[][..], &[][..]));
    assert_eq!(discovery.tried.len(), 10);
}

#[test]
fn threads_of_the_kernel_are_found_for_each_queue() {
    let discovery = Transcript::with_vhost().discover();
    assert_eq!(discovery.missing, []);
    assert_eq!(guest(&discovery)["vhost_pids"], json!({ "kernel": [259, 260] }));
    assert_eq!(guest(&discovery)["queues"], 2);
}

#[test]
fn bonds_of_the_switch_and_of_the_kernel_are_found_with_their_members() {
    let mut transcript = Transcript::recorded();
    transcript.set("host", "switch", include_str!("tests/switch-bond.json"));
    transcript.set("host", "links", "ens1f0/speed:25000\nens1f1/speed:25000\n");
    let facts = &transcript.discover().hosts["host"];
    let bond = &facts.physical[0];
    assert_eq!((bond.name.as_str(), bond.bond), ("bond-mgt", Some(Bond::Switch)));
    let speeds = |physical: &Physical| {
        let nics = physical.nics.iter();
        nics.map(|nic| (nic.name.clone(), nic.speed)).collect::<Vec<_>>()
    };
    let both = [("ens1f0", 25), ("ens1f1", 25)]
        .map(|(name, gigabits)| (name.to_owned(), Some(gigabits * 1_000_000_000)));
    assert_eq!(speeds(bond), both);

    let mut transcript = Transcript::recorded();
    transcript.set(
        "host",
        "links",
        "eth1/bonding/slaves:ens1f1 ens1f0\nens1f0/speed:25000\nens1f1/speed:25000\n",
    );
    let facts = &transcript.discover().hosts["host"];
    let bond = &facts.physical[0];
    assert_eq!((bond.name.as_str(), bond.bond), ("eth1", Some(Bond::Kernel)));
    assert_eq!(bond.nics.len(), 2);
}

#[test]
fn a_host_without_a_switch_has_the_address_that_ssh_reached_and_says_so() {
    let mut transcript = Transcript::recorded();
    transcript.fail("host", "switch", 127, "sh: 2: ovs-vsctl: not found\n");
    transcript.edit("host", "domain", "ovsbr-mgt", "virbr0");
    transcript.edit("host", "links", "eth1/speed", "virbr0/brif\nvirbr0/brif/eth1\neth1/speed");
    let discovery = transcript.discover();
    let facts = &discovery.hosts["host"];
    assert_eq!(facts.test_ip, Some("198.18.254.11".parse().unwrap()));
    assert_eq!((facts.interface.as_deref(), facts.bridge.as_deref()), (Some("mgmt0"), None));
    assert_eq!(facts.physical[0].nics[0].name, "mgmt0");
    assert_eq!(discovery.missing, []);
    assert!(discovery.notes[0].text.contains("198.18.254.11 on mgmt0"), "{:?}", discovery.notes);
    assert_eq!(discovery.vms["guest"].bridge.as_deref(), Some("virbr0"));
    assert_eq!(discovery.vms["guest"].physical[0].name, "eth1");

    let said = transcript.discover_with(Some("198.18.1.1"));
    assert_eq!(said.hosts["host"].interface.as_deref(), Some("port-mgt"));
}

#[test]
fn the_address_that_the_user_said_is_taken_where_it_is() {
    let discovery = Transcript::recorded().discover_with(Some("198.18.254.11"));
    assert_eq!(discovery.hosts["host"].interface.as_deref(), Some("mgmt0"));
    assert!(discovery.notes[0].text.contains("port-mgt does not have it"), "{:?}", discovery.notes);
    assert_eq!(Transcript::recorded().discover_with(Some("198.18.1.1")).notes, []);
}

#[test]
fn an_address_that_only_begins_alike_is_not_the_guest_s() {
    // The only address is 198.18.1.101 with a digit more or less.
    for (from, to) in [("198.18.1.101", "198.18.1.10"), ("198.18.1.101", "98.18.1.101")] {
        let mut transcript = Transcript::recorded();
        transcript.edit("guest", "addresses", from, to);
        let discovery = transcript.discover();
        assert_eq!(discovery.missing[0].fact, "interface", "{to}");
        assert_eq!(discovery.vms["guest"].interface, None, "{to}");
    }
}
