//! [`check`]: whether a full configuration is of the input as it stands now.

use super::config::Config;
use super::full::Full;
use super::minimal::{Minimal, Node};

/// Refuses a full configuration that was made from another input: what was found is then of other nodes.
///
/// # Errors
/// What differs.
pub(super) fn check(full: &Full, minimal: &Minimal) -> Result<(), String> {
    if full.environment != minimal.environment {
        return Err(format!(
            "it is of environment {:?}, and {} of {:?}",
            full.environment,
            Config::MINIMAL,
            minimal.environment
        ));
    }
    pairs(full, minimal)?;
    match &full.input {
        Some(input) => recorded(input, minimal),
        // The original records no input: what it says of the nodes must do.
        None => minimal.nodes.iter().try_for_each(|node| of_original(full, node)),
    }
}

fn pairs(full: &Full, minimal: &Minimal) -> Result<(), String> {
    for environment in ["host", "vm"] {
        let pair = minimal.pair(environment).map(|pair| (&pair.server, &pair.client));
        let found = full.environments.get(environment);
        let found = found.map(|found| (&found.server.ssh_ref, &found.client.ssh_ref));
        if pair != found {
            return Err(format!("its pair {environment} is not that of {}", Config::MINIMAL));
        }
    }
    Ok(())
}

fn recorded(input: &Minimal, minimal: &Minimal) -> Result<(), String> {
    for node in &minimal.nodes {
        let recorded = input.node(&node.name).ok_or_else(|| unknown(node))?;
        let guest = |node: &Node| node.guest.clone().map(|guest| (guest.host, guest.uuid)).unzip();
        let ((host, uuid), (old_host, old_uuid)) = (guest(node), guest(recorded));
        let ip = |node: &Node| node.test_ip.map(|ip| ip.to_string());
        same(&node.name, "ssh", Some(&recorded.ssh), Some(&node.ssh))?;
        same(&node.name, "workdir", Some(&recorded.workdir), Some(&node.workdir))?;
        same(&node.name, "host_ref", old_host.as_ref(), host.as_ref())?;
        same(&node.name, "uuid", old_uuid.as_ref(), uuid.as_ref())?;
        same(&node.name, "test_ip", ip(recorded).as_ref(), ip(node).as_ref())?;
    }
    if let Some(gone) = input.nodes.iter().find(|node| minimal.node(&node.name).is_none()) {
        return Err(format!(
            "it is also of a node {:?}, which {} no longer has",
            gone.name,
            Config::MINIMAL
        ));
    }
    let path =
        |minimal: &Minimal| minimal.ssh_config.as_ref().map(|path| path.display().to_string());
    same("the file", "ssh_config", path(input).as_ref(), path(minimal).as_ref())?;
    let (old, new) = (&input.internal_port_type, &minimal.internal_port_type);
    same("discovery_hints", "internal_port_type", Some(old), Some(new))?;
    let (old, new) = (&input.python_interpreter, &minimal.python_interpreter);
    same("discovery_hints", "python_interpreter", Some(old), Some(new))
}

fn of_original(full: &Full, node: &Node) -> Result<(), String> {
    let known = full.ssh.ssh_hosts.get(&node.name).ok_or_else(|| unknown(node))?;
    let login = node.login();
    same(&node.name, "ssh", Some(&known.host), Some(&login.host))?;
    // Its user is root where none was written.
    if known.user != login.user && login.user.is_some() {
        return same(&node.name, "ssh", known.user.as_ref(), login.user.as_ref());
    }
    same(&node.name, "workdir", Some(&known.workdir), Some(&node.workdir))?;
    let sides = full.environments.0.iter().flat_map(|(_, pair)| [&pair.server, &pair.client]);
    for side in sides.filter(|side| side.ssh_ref == node.name) {
        let host = node.guest.as_ref().map(|guest| &guest.host);
        same(&node.name, "host_ref", side.physical_host_ref.as_ref(), host)?;
        if let (Some(found), Some(written)) = (side.test_ip, node.test_ip) {
            same(&node.name, "test_ip", Some(&found.to_string()), Some(&written.to_string()))?;
        }
    }
    Ok(())
}

fn unknown(node: &Node) -> String {
    format!("{} has a node {:?} that it does not know", Config::MINIMAL, node.name)
}

fn same(of: &str, key: &str, old: Option<&String>, new: Option<&String>) -> Result<(), String> {
    let told =
        |value: Option<&String>| value.map_or("none".to_owned(), |value| format!("{value:?}"));
    if old == new {
        return Ok(());
    }
    Err(format!(
        "it was found out with {key} {} of {of}, and {} says {}",
        told(old),
        Config::MINIMAL,
        told(new)
    ))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const INPUT: &str = include_str!("../../../tests/data/network/golden-input.yaml");
    const FULL: &str = include_str!("../../../tests/data/network/golden-full.yaml");

    fn read(text: &str) -> Minimal {
        Minimal::read(Path::new("m.yaml"), text).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The input changed so, against a file that records it and one of the original.
    fn changed(from: &str, to: &str) -> [Result<(), String>; 2] {
        assert!(INPUT.contains(from), "{from}");
        let mut full = Full::read(Path::new("f.yaml"), FULL).unwrap();
        let now = read(&INPUT.replacen(from, to, 1));
        let by_original = check(&full, &now);
        full.input = Some(read(INPUT));
        // What is recorded is what is read again.
        let full = Full::read(Path::new("f.yaml"), &full.to_yaml().unwrap()).unwrap();
        [check(&full, &now), by_original]
    }

    #[test]
    fn layout_comments_and_order_do_not_count() {
        for (from, to) in [
            ("", ""),
            ("nodes:", "# a comment\n\nnodes:"),
            ("workdir: /home/user}", "workdir:   \"/home/user\"  }"),
        ] {
            assert_eq!(changed(from, to), [Ok(()), Ok(())], "{to}");
        }
        let mut lines: Vec<&str> = INPUT.lines().collect();
        lines.swap(2, 4);
        assert_eq!(changed(INPUT, &(lines.join("\n") + "\n")), [Ok(()), Ok(())]);
    }

    #[test]
    fn any_change_of_the_input_is_refused_and_named() {
        for (from, to, expected) in [
            (
                "ssh: user@198.18.0.1",
                "ssh: user@198.18.0.3",
                "ssh \"user@198.18.0.1\" of host-server",
            ),
            (
                "ssh: user@198.18.0.1",
                "ssh: admin@198.18.0.1",
                "ssh \"user@198.18.0.1\" of host-server",
            ),
            ("/home/user", "/home/other", "says \"/home/other\""),
            ("uuid: one", "uuid: three", "uuid \"one\" of vm-server"),
            ("test_ip: 198.18.1.2", "test_ip: 198.18.1.3", "test_ip \"198.18.1.2\" of vm-client"),
            (
                "host_ref: host-server",
                "host_ref: host-client",
                "host_ref \"host-server\" of vm-server",
            ),
            ("test_pairs", "  more: {ssh: a}\ntest_pairs", "a node \"more\" that it does not know"),
            ("environment: golden", "environment: golden\nssh_config: x", "ssh_config none"),
            (
                "test_pairs",
                "discovery_hints: {internal_port_type: storage}\ntest_pairs",
                "internal_port_type \"mgt\" of discovery_hints",
            ),
            (
                "server: vm-server, client: vm-client",
                "server: vm-client, client: vm-server",
                "its pair vm",
            ),
        ] {
            let [recorded, by_original] = changed(from, to);
            let why = recorded.expect_err(to);
            assert!(why.contains(expected), "{to}: {why}");
            // The original knows neither the domain nor what the user hinted at.
            let is_unknown =
                ["uuid", "ssh_config", "hints"].iter().any(|key| expected.contains(key));
            assert_eq!(by_original.is_ok(), is_unknown, "{to}: {by_original:?}");
        }
    }

    #[test]
    fn a_node_that_is_gone_is_refused() {
        let mut full = Full::read(Path::new("f.yaml"), FULL).unwrap();
        full.input = Some(read(&INPUT.replace("test_pairs", "  more: {ssh: a}\ntest_pairs")));
        let why = check(&full, &read(INPUT)).unwrap_err();
        assert!(why.contains("a node \"more\", which minimal-input.yaml no longer has"), "{why}");
    }
}
