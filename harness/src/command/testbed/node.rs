//! [`Node`]: the two hosts, each with its guest, and the addresses that are fixed.

/// A host of the testbed with its guest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// Its host name.
    pub(super) name: &'static str,
    /// Its role in a pair: `server` or `client`.
    pub(super) role: &'static str,
    /// The root's end of its management link.
    pub(super) link: &'static str,
    /// Where its sshd listens.
    pub(super) management: &'static str,
    /// Its address in the network that is measured, on [`INTERNAL_PORT`].
    pub(super) data: &'static str,
    /// Of [`INTERNAL_PORT`].
    pub(super) data_mac: &'static str,
    /// Of [`NIC`].
    pub(super) nic_mac: &'static str,
    /// Its guest.
    pub(super) guest: Guest,
}

/// A libvirt domain.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Guest {
    /// Its domain and host name.
    pub(super) name: &'static str,
    /// Of the domain.
    pub(super) uuid: &'static str,
    /// Of its only network card.
    pub(super) mac: &'static str,
    /// Its address, in the network that is measured.
    pub(super) address: &'static str,
}

/// The bridge in the root namespace that the hosts are managed over.
pub(super) const MANAGEMENT_BRIDGE: &str = "proofload-br";
/// The root's address on it.
pub(super) const MANAGEMENT_ROOT: &str = "198.18.254.1";
/// The port of a host that has its address in the network that is measured.
pub(super) const INTERNAL_PORT: &str = "port-mgt";
/// The bridge of that port and of the guest.
pub(super) const BRIDGE: &str = "ovsbr-mgt";
/// The bridge of the network card.
pub(super) const UPLINK: &str = "ovsbr-mgt-uplink";
/// The network card: one end of a veth between the hosts.
pub(super) const NIC: &str = "eth1";
/// The network card as a guest sees it.
pub(super) const GUEST_NIC: &str = "eth0";

/// Both hosts.
pub(super) const NODES: [Node; 2] = [
    Node {
        name: "host-server",
        role: "server",
        link: "proofload-srv",
        management: "198.18.254.11",
        data: "198.18.1.1",
        data_mac: "02:18:00:00:01:01",
        nic_mac: "02:18:00:00:02:01",
        guest: Guest {
            name: "vm-server",
            uuid: "5e1f0a10-0198-4018-8001-000000000101",
            mac: "52:54:00:18:01:65",
            address: "198.18.1.101",
        },
    },
    Node {
        name: "host-client",
        role: "client",
        link: "proofload-cli",
        management: "198.18.254.12",
        data: "198.18.1.2",
        data_mac: "02:18:00:00:01:02",
        nic_mac: "02:18:00:00:02:02",
        guest: Guest {
            name: "vm-client",
            uuid: "5e1f0a10-0198-4018-8001-000000000102",
            mac: "52:54:00:18:01:66",
            address: "198.18.1.102",
        },
    },
];
