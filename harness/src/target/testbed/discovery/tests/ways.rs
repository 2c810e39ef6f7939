//! How packets leave a host: from its own port, from the bridge of a guest, from devices that stand on others.

use super::super::*;
use super::Transcript;

fn names(physical: &[Physical]) -> Vec<(&str, Vec<&str>)> {
    let all = physical.iter();
    all.map(|one| (&*one.name, one.nics.iter().map(|nic| &*nic.name).collect())).collect()
}

/// Two bridges, each with an uplink of its own: the host's port is on one, the guest on the other.
fn two_bridges() -> Transcript {
    let mut transcript = Transcript::recorded();
    transcript.set("host", "switch", include_str!("switch-two.json"));
    transcript.edit("host", "domain", "bridge='ovsbr-mgt'", "bridge='br-vm'");
    transcript
}

#[test]
fn a_guest_s_packets_leave_by_the_card_of_its_own_bridge() {
    let discovery = two_bridges().discover();
    assert_eq!(discovery.missing, []);
    let guest = &discovery.vms["guest"];
    assert_eq!(guest.bridge.as_deref(), Some("br-vm"));
    assert_eq!(guest.uplink_bridge.as_deref(), Some("br-vm-uplink"));
    assert_eq!(names(&guest.physical), [("eth9", vec!["eth9"])]);
    assert_eq!(guest.physical[0].nics[0].speed, Some(25_000_000_000));
    assert_eq!(names(&discovery.hosts["host"].physical), [("eth1", vec!["eth1"])]);
}

#[test]
fn what_a_guest_alone_misses_is_told_of_the_guest() {
    let check = |from: &str, to: &str, fact: &str, why: &str, also: &[&str]| {
        let mut transcript = two_bridges();
        transcript.edit("host", "switch", from, to);
        let discovery = transcript.discover();
        let [missing] = &discovery.missing[..] else { panic!("{to}: {:#?}", discovery.missing) };
        assert_eq!((missing.node.as_str(), missing.fact.as_str()), ("guest", fact), "{to}");
        assert!(missing.why.contains(why), "{to}: {}", missing.why);
        assert_eq!(missing.also, also, "{to}");
        assert_eq!(discovery.hosts["host"].physical[0].name, "eth1", "{to}");
    };
    let card = "\"eth9\",\"\"";
    let patch = "\"eth9\",\"patch\"";
    check(card, patch, "physical_interface", "br-vm-uplink has no port", &[]);
    check(
        "br-vm-uplink",
        "other",
        "uplink_bridge",
        "there is no bridge br-vm-uplink",
        &["physical_interface"],
    );
    check(",25000000000", ",[\"set\",[]]", "speed of eth9", "the speed of eth9", &[]);
}

/// A host without a switch, whose address is on this interface, above these devices.
fn check(interface: &str, links: &str, expected: &[(&str, &[&str])]) -> Discovery {
    let mut transcript = Transcript::recorded();
    transcript.fail("host", "switch", 127, "sh: 2: ovs-vsctl: not found\n");
    let links =
        format!("{links}mgmt0/speed:1000\ne1/speed:1000\ne2/speed:1000\nveth7/speed:10000\n");
    transcript.set("host", "links", &format!("{links}virbr0/brif/e1\n"));
    transcript.edit("host", "domain", "ovsbr-mgt", "virbr0");
    transcript.edit("host", "addresses", "\"mgmt0\"", &format!("\"{interface}\""));
    let discovery = transcript.discover();
    let expected: Vec<_> = expected.iter().map(|(name, nics)| (*name, nics.to_vec())).collect();
    assert_eq!(names(&discovery.hosts["host"].physical), expected, "{interface}");
    discovery
}

#[test]
fn what_stands_on_others_is_followed_down_to_the_cards() {
    check("mgmt0", "", &[("mgmt0", &["mgmt0"])]);
    let bridge = "br0/brif\nbr0/brif/e1\nbr0/brif/vnet0\nbr0/lower_e1\nbr0/lower_vnet0\nvnet0/tun_flags:0x5002\n";
    check("br0", bridge, &[("e1", &["e1"])]);
    // The end of a container is no card beside one that is real.
    let container = "br0/brif\nbr0/brif/veth7\nbr0/brif/e1\ne1/device\n";
    check("br0", container, &[("e1", &["e1"])]);
    let vlan = "bond0.5/lower_bond0\nbond0/bonding/slaves:e1 e2\nbond0/lower_e1\nbond0/lower_e2\n";
    check("bond0.5", vlan, &[("bond0", &["e1", "e2"])]);
    let both = format!("br0/brif\nbr0/brif/bond0.5\n{vlan}");
    check("br0", &both, &[("bond0", &["e1", "e2"])]);
}

#[test]
fn a_bridge_without_a_card_is_none_and_the_reason_is_told() {
    for links in ["br0/brif\n", "br0/brif\nbr0/brif/vnet0\n", "br0/brif/br1\nbr1/brif/br0\n"] {
        let discovery = check("br0", links, &[]);
        let [missing] = &discovery.missing[..] else { panic!("{links}: {discovery:#?}") };
        assert_eq!((&*missing.node, &*missing.fact), ("host", "physical_interface"), "{links}");
        assert_eq!(missing.why, "br0 is a bridge that no network card is a port of", "{links}");
    }
}

#[test]
fn a_bridge_that_only_libvirt_knows_is_no_card() {
    let mut transcript = Transcript::recorded();
    transcript.edit("host", "switch", "\"vnet0\"", "\"vnet7\"");
    transcript.edit("host", "domain", "bridge='ovsbr-mgt'", "bridge='gone0'");
    let discovery = transcript.discover();
    let [missing] = &discovery.missing[..] else { panic!("{discovery:#?}") };
    assert_eq!((&*missing.node, &*missing.fact), ("guest", "uplink_bridge"));
    assert_eq!(missing.why, "neither Open vSwitch nor the kernel has a bridge gone0");
    assert_eq!(missing.also, ["physical_interface"]);
    assert_eq!(discovery.vms["guest"].physical, []);
}
