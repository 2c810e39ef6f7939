//! `truth.json`: what discovery has to find on the testbed, and how tests take hold of its parts.

use std::fs;

use serde_json::{Map, Value, json};

use super::LOOK;
use super::node::{BRIDGE, GUEST_NIC, INTERNAL_PORT, NIC, NODES, Node, UPLINK};
use super::state::State;
use super::step::{StepError, file};

const NAME: &str = "truth.json";

/// Writes the file.
///
/// # Errors
/// [`StepError`] where a host does not give its facts.
pub(super) async fn write(state: &State) -> Result<(), StepError> {
    let truth = gather(state).await.map_err(|status| StepError::Unmet {
        what: format!("write {NAME}"),
        status,
        hint: "Run `testbed status`.".into(),
    })?;
    let text = serde_json::to_string_pretty(&truth)
        .map_err(|error| StepError::File { what: format!("write {NAME}"), source: error.into() })?;
    fs::write(state.file(NAME), text + "\n").map_err(file(format!("write {NAME}")))
}

/// Whether the file says how things stand.
///
/// # Errors
/// Why it does not.
pub(super) async fn look(state: &State) -> Result<String, String> {
    let at = state.file(NAME);
    let text = fs::read_to_string(&at).map_err(|_| "not written".to_owned())?;
    let told: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if told != gather(state).await? {
        return Err("a host or a guest was started again since it was written".to_owned());
    }
    Ok(at.display().to_string())
}

async fn gather(state: &State) -> Result<Value, String> {
    let mut nodes = Map::new();
    for node in &NODES {
        let text = state.host_script(node, "look", "facts").within(LOOK).look().await?;
        let facts = Facts::parse(&text).ok_or_else(|| format!("{}: {text}", node.name))?;
        let (host, guest) = values(state, node, &facts);
        nodes.insert(node.name.to_owned(), host);
        nodes.insert(node.guest.name.to_owned(), guest);
    }
    Ok(json!({ "ssh_config": state.file("ssh_config"), "nodes": nodes }))
}

/// What only a running host knows.
#[derive(Debug, PartialEq, Eq)]
struct Facts {
    /// Of the network card, in Mbit/s.
    speed: u64,
    /// The guest's qemu, in the pid namespace of the host.
    qemu: u32,
    vnet: String,
}

impl Facts {
    /// Reads a word and its value a line.
    fn parse(text: &str) -> Option<Self> {
        let value = |word: &str| {
            text.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' ')).map(str::trim)
        };
        Some(Self {
            speed: value("speed")?.parse().ok()?,
            qemu: value("qemu")?.parse().ok()?,
            vnet: value("vnet").filter(|name| !name.is_empty())?.to_owned(),
        })
    }
}

fn values(state: &State, node: &Node, facts: &Facts) -> (Value, Value) {
    let own = state.of(node);
    let host = json!({
        "role": "host",
        "pair": node.role,
        "ssh": format!("root@{}", node.management),
        "bridge": BRIDGE,
        "internal_port": INTERNAL_PORT,
        "internal_ip": node.data,
        "internal_mac": node.data_mac,
        "uplink_bridge": UPLINK,
        "physical_nics": [{ "name": NIC, "mac": node.nic_mac, "speed": format!("{}Mb/s", facts.speed) }],
        "workdir": own.join("work"),
        "small_disk": own.join("small"),
        "enter": own.join("enter"),
        "sshd_stop": own.join("sshd-stop"),
        "sshd_start": own.join("sshd-start"),
    });
    let guest = json!({
        "role": "vm",
        "pair": node.role,
        "ssh": format!("root@{}", node.guest.address),
        "host_ref": node.name,
        "uuid": node.guest.uuid,
        "test_ip": node.guest.address,
        "mac": node.guest.mac,
        "interface": GUEST_NIC,
        "vnet": facts.vnet,
        "bridge": BRIDGE,
        "qemu_pid": facts.qemu,
        "vhost_pids": [],
    });
    (host, guest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_by_their_words() {
        let facts = Facts { speed: 10_000, qemu: 312, vnet: "vnet0".into() };
        assert_eq!(Facts::parse("speed 10000\nqemu 312\nvnet vnet0\n"), Some(facts));
        for text in [
            "",
            "speed 10000\nqemu 312\n",
            "speed x\nqemu 312\nvnet vnet0",
            "speed 1\nqemu 2\nvnet ",
        ] {
            assert_eq!(Facts::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_guest_is_told_with_the_host_that_it_runs_on() {
        let state = State::at(std::path::Path::new("/var/lib/x")).unwrap();
        let facts = Facts { speed: 10_000, qemu: 312, vnet: "vnet0".into() };
        let (host, guest) = values(&state, &NODES[1], &facts);
        assert_eq!(host["physical_nics"][0]["speed"], "10000Mb/s");
        assert_eq!(host["sshd_start"], "/var/lib/x/host-client/sshd-start");
        assert_eq!((&guest["host_ref"], &guest["qemu_pid"]), (&json!("host-client"), &json!(312)));
    }
}
