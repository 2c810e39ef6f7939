//! Each fact is taken away from the transcript; that fact is then reported, and no other.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Transcript;

/// One fact less.
struct Removal {
    what: &'static str,
    remove: fn(&mut Transcript),
    /// The node and the fact that is reported.
    missing: (&'static str, &'static str),
    /// In the command that is reported.
    command: &'static str,
    /// In the reason.
    why: &'static str,
    /// What hangs on it.
    also: &'static [&'static str],
}

/// What hangs on the addresses and the bridges of the host.
const HOST: &[&str] = &[
    "interface",
    "test_ip",
    "mac",
    "bridge",
    "uplink_bridge",
    "physical_interface",
    "uplink_bridge of guest",
    "physical_interface of guest",
];

/// What of that hangs on the bridges alone.
const WAY: &[&str] = HOST.split_at(4).1;

/// What hangs on the addresses of the guest.
const GUEST: &[&str] = &[
    "interface",
    "mac",
    "vm_interface",
    "queues",
    "bridge",
    "uplink_bridge",
    "physical_interface",
    "vhost_pids",
];

const REMOVALS: &[Removal] = &[
    Removal {
        what: "host down",
        remove: |transcript| transcript.down("host"),
        missing: ("host", "connection"),
        command: "ssh",
        why: "does not answer",
        also: &[
            "interface",
            "test_ip",
            "mac",
            "bridge",
            "uplink_bridge",
            "physical_interface",
            "vm_interface of guest",
            "queues of guest",
            "bridge of guest",
            "uplink_bridge of guest",
            "physical_interface of guest",
            "qemu_pid of guest",
            "vhost_pids of guest",
        ],
    },
    Removal {
        what: "guest down",
        remove: |transcript| transcript.down("guest"),
        missing: ("guest", "connection"),
        command: "ssh",
        why: "does not answer",
        also: GUEST,
    },
    Removal {
        what: "ovsdb down",
        remove: |transcript| {
            let message = "ovs-vsctl: unix:/run/openvswitch/db.sock: database connection failed (No such file or directory)";
            transcript.fail("host", "switch", 1, message);
        },
        missing: ("host", "switch"),
        command: "ovs-vsctl",
        why: "does not answer",
        also: HOST,
    },
    Removal {
        what: "no ip",
        remove: |transcript| transcript.fail("host", "addresses", 127, "sh: ip: not found"),
        missing: ("host", "addresses"),
        command: "ip -json addr show",
        why: "expected iproute2",
        also: HOST,
    },
    Removal {
        what: "no port of that type",
        remove: |transcript| transcript.edit("host", "switch", "port-mgt", "port-storage"),
        missing: ("host", "interface"),
        command: "ovs-vsctl",
        why: "set discovery_hints.internal_port_type to the type of one of port-storage",
        also: &["test_ip", "mac", "bridge", "uplink_bridge", "physical_interface"],
    },
    Removal {
        what: "no device of that port",
        remove: |transcript| transcript.edit("host", "addresses", "\"port-mgt\"", "\"port-other\""),
        missing: ("host", "test_ip"),
        command: "ip -json addr show",
        why: "the kernel has no interface port-mgt",
        also: &["mac"],
    },
    Removal {
        what: "no address on the port",
        remove: |transcript| {
            transcript.edit("host", "addresses", "\"local\":\"198.18.1.1\",", "");
        },
        missing: ("host", "test_ip"),
        command: "ip -json addr show",
        why: "port-mgt has no address",
        also: &[],
    },
    Removal {
        what: "no uplink bridge",
        remove: |transcript| transcript.edit("host", "switch", "ovsbr-mgt-uplink", "other"),
        missing: ("host", "uplink_bridge"),
        command: "ovs-vsctl",
        why: "there is no bridge ovsbr-mgt-uplink, and ovsbr-mgt has no port that is a network card",
        also: &["physical_interface", "uplink_bridge of guest", "physical_interface of guest"],
    },
    Removal {
        what: "no network card",
        remove: |transcript| {
            transcript.edit("host", "switch", "\"eth1\",\"\"", "\"eth1\",\"patch\"");
        },
        missing: ("host", "physical_interface"),
        command: "ovs-vsctl",
        why: "has no port that is a network card",
        also: &["physical_interface of guest"],
    },
    Removal {
        what: "no speed",
        remove: |transcript| {
            transcript.edit("host", "links", "eth1/speed:10000", "eth1/speed:-1");
            transcript.edit(
                "host",
                "switch",
                "\"eth1\",\"\",10000000000",
                "\"eth1\",\"\",[\"set\",[]]",
            );
        },
        missing: ("host", "speed of eth1"),
        command: "/sys/class/net",
        why: "the speed of eth1",
        also: &[],
    },
    Removal {
        what: "no ip in the guest",
        remove: |transcript| transcript.fail("guest", "addresses", 127, "sh: ip: not found"),
        missing: ("guest", "addresses"),
        command: "ip -json addr show",
        why: "expected iproute2",
        also: GUEST,
    },
    Removal {
        what: "no such address in the guest",
        remove: |transcript| {
            transcript.edit("guest", "addresses", "\"local\":\"198.18.1.101\",", "");
        },
        missing: ("guest", "interface"),
        command: "ip -json addr show",
        why: "no interface has the address 198.18.1.101",
        also: &[
            "mac",
            "vm_interface",
            "queues",
            "bridge",
            "uplink_bridge",
            "physical_interface",
            "vhost_pids",
        ],
    },
    Removal {
        what: "no Ethernet address",
        remove: |transcript| {
            transcript.edit(
                "guest",
                "addresses",
                "\"link_type\":\"ether\"",
                "\"link_type\":\"none\"",
            );
        },
        missing: ("guest", "mac"),
        command: "ip -json addr show",
        why: "eth0 has no Ethernet address",
        also: &[
            "vm_interface",
            "queues",
            "bridge",
            "uplink_bridge",
            "physical_interface",
            "vhost_pids",
        ],
    },
    Removal {
        what: "no virsh",
        remove: |transcript| {
            transcript.fail("host", "domain", 127, "timeout: failed to run command 'virsh'");
            transcript.fail("host", "process", 127, "timeout: failed to run command 'virsh'");
        },
        missing: ("guest", "domain"),
        command: "dumpxml",
        why: "knows no such domain, or does not answer",
        also: &[
            "vm_interface",
            "queues",
            "bridge",
            "uplink_bridge",
            "physical_interface",
            "qemu_pid",
            "vhost_pids",
        ],
    },
    Removal {
        what: "another network card",
        remove: |transcript| {
            transcript.edit("host", "domain", "52:54:00:18:01:65", "52:54:00:18:01:66");
        },
        missing: ("guest", "vm_interface"),
        command: "dumpxml",
        why: "vm-server has no network card 52:54:00:18:01:65",
        also: &["queues", "bridge", "uplink_bridge", "physical_interface", "vhost_pids"],
    },
    Removal {
        what: "no tap",
        remove: |transcript| transcript.edit("host", "domain", "<target dev='vnet0'/>", ""),
        missing: ("guest", "vm_interface"),
        command: "dumpxml",
        why: "is it running?",
        also: &["queues", "bridge", "uplink_bridge", "physical_interface", "vhost_pids"],
    },
    Removal {
        what: "no bridge of the tap",
        remove: |transcript| {
            transcript.edit("host", "switch", "\"vnet0\"", "\"vnet7\"");
            transcript.edit("host", "domain", "<source bridge='ovsbr-mgt'/>", "");
        },
        missing: ("guest", "bridge"),
        command: "dumpxml",
        why: "a bridge of vnet0",
        also: &["uplink_bridge", "physical_interface"],
    },
    Removal {
        what: "no pid",
        remove: |transcript| {
            transcript.fail(
                "host",
                "process",
                1,
                "cat: /run/libvirt/qemu/vm-server.pid: No such file",
            );
        },
        missing: ("guest", "qemu_pid"),
        command: "/run/libvirt/qemu",
        why: "is it running?",
        also: &["vhost_pids"],
    },
    Removal {
        what: "the pid of another process",
        remove: |transcript| transcript.set("host", "process", "241 bash 0\n"),
        missing: ("guest", "qemu_pid"),
        command: "/run/libvirt/qemu",
        why: "the process 241 (bash) is not that of the guest",
        also: &["vhost_pids"],
    },
    Removal {
        what: "no threads",
        remove: |transcript| transcript.fail("host", "threads", 1, ""),
        missing: ("guest", "vhost_pids"),
        command: "vhost-241",
        why: "has no thread vhost-241",
        also: &[],
    },
    Removal {
        what: "one thread less than queues",
        remove: |transcript| transcript.set("host", "threads", "/proc/259/comm:vhost-241\n"),
        missing: ("guest", "vhost_pids"),
        command: "/proc/241/fdinfo/",
        why: "1 vhost threads for 2 queues",
        also: &[],
    },
    Removal {
        what: "taps of another device",
        remove: |transcript| transcript.edit("host", "taps", "vnet0", "vnet7"),
        missing: ("guest", "vhost_pids"),
        command: "/proc/241/fdinfo/",
        why: "has not opened vnet0",
        also: &[],
    },
];

/// Where the user said the host's address, which is then found without the switch.
const REMOVALS_WITH_ADDRESS: &[Removal] = &[
    Removal {
        what: "ovsdb down, address said",
        remove: |transcript| {
            transcript.fail("host", "switch", 1, "ovs-vsctl: database connection failed");
        },
        missing: ("host", "bridge"),
        command: "ovs-vsctl",
        why: "Open vSwitch is installed and does not answer",
        also: WAY,
    },
    Removal {
        what: "sudo asks for a password, address said",
        remove: |transcript| {
            transcript.fail("host", "switch", 1, "sudo: a password is required");
        },
        missing: ("host", "bridge"),
        command: "ovs-vsctl",
        why: "sudo does not run ovs-vsctl",
        also: WAY,
    },
    Removal {
        what: "no sudo, address said",
        remove: |transcript| transcript.fail("host", "switch", 127, "sh: 2: sudo: not found"),
        missing: ("host", "bridge"),
        command: "ovs-vsctl",
        why: "sudo does not run ovs-vsctl",
        also: WAY,
    },
];

#[test]
fn a_fact_that_is_taken_away_is_reported_and_no_other() {
    for removal in REMOVALS {
        check(removal, None);
    }
    for removal in REMOVALS_WITH_ADDRESS {
        check(removal, Some("198.18.1.1"));
    }
}

fn check(Removal { what, remove, missing, command, why, also }: &Removal, ip: Option<&str>) {
    let whole = Transcript::with_vhost();
    let mut less = whole.clone();
    remove(&mut less);
    let (whole, less) = (whole.discover_with(ip), less.discover_with(ip));
    assert_eq!(whole.missing, [], "nothing is missing before");
    let [reported] = &less.missing[..] else { panic!("{what}: {:#?}", less.missing) };
    assert_eq!((reported.node.as_str(), reported.fact.as_str()), *missing, "{what}");
    assert!(reported.command.contains(command), "{what}: {}", reported.command);
    assert!(reported.why.contains(why), "{what}: {}", reported.why);
    assert_eq!(reported.also, *also, "{what}");

    // All that is not reported is as it was.
    let gone: BTreeSet<String> = [reported.fact.as_str()]
        .into_iter()
        .chain(also.iter().copied())
        .map(|fact| match fact.split_once(" of ") {
            Some((fact, "guest")) => format!("guest: {fact}"),
            _ => format!("{}: {fact}", reported.node),
        })
        .collect();
    let before = facts(&whole);
    let after = facts(&less);
    for (name, value) in &before {
        let now =
            after.iter().find(|(own, _)| own == name).map_or(&Value::Null, |(_, value)| value);
        let is_gone = now.is_null() || now.as_array().is_some_and(Vec::is_empty);
        // A speed is a part of its card.
        let is_part = reported.fact.starts_with("speed") && name.ends_with("physical_interface");
        match gone.contains(name) {
            true => assert!(is_gone, "{what}: {name} is {now} and reported to be missing"),
            false if is_part => assert_ne!(now, value, "{what}"),
            false => assert_eq!(now, value, "{what}: {name}"),
        }
    }
}

/// Every fact by its name.
fn facts(discovery: &super::Discovery) -> Vec<(String, Value)> {
    let whole = serde_json::to_value(discovery).unwrap();
    let nodes = ["hosts", "vms"].into_iter().filter_map(|kind| whole[kind].as_object());
    let nodes = nodes.flatten().filter_map(|(node, facts)| Some((node, facts.as_object()?)));
    nodes
        .flat_map(|(node, facts)| {
            facts.iter().map(move |(fact, value)| (format!("{node}: {fact}"), value.clone()))
        })
        .collect()
}
