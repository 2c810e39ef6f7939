//! The files that `up` writes for others to read: ssh's configuration, sshd's, and the scripts that enter a host.

use std::fmt::Write as _;

use super::node::{Guest, NODES, Node};
use super::record::Host;
use super::state::State;

/// For `ssh -F`: both hosts and both guests, by name and by address.
pub(super) fn ssh_config(state: &State) -> String {
    let root = state.root().display();
    let mut text = format!(
        "# Written by `testbed up`. The guests are reached through their hosts.\n\
         # To kill a host's sshd with its sessions: {root}/host-server/sshd-stop (`sshd-stop listener`: without them).\n\
         # To start it again: {root}/host-server/sshd-start. To run a command in a host without ssh:\n\
         # {root}/host-server/enter COMMAND. A disk of 8 MiB that is soon full: {root}/host-server/small.\n"
    );
    let mut host = |name: &str, address: &str, jump: Option<&str>| {
        let _ = write!(text, "\nHost {name} {address}\n  HostName {address}\n");
        if let Some(jump) = jump {
            let _ = writeln!(text, "  ProxyJump {jump}");
        }
    };
    for node in &NODES {
        host(node.name, node.management, None);
        host(node.guest.name, node.guest.address, Some(node.management));
    }
    let (key, known) = (state.key("id_ed25519"), state.file("known_hosts"));
    let _ = write!(
        text,
        "\nHost {}\n  User root\n  IdentityFile {}\n  IdentitiesOnly yes\n  UserKnownHostsFile {}\n  \
         GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  ControlMaster no\n  BatchMode yes\n",
        everyone().map(|(name, address)| format!("{name} {address}")).collect::<Vec<_>>().join(" "),
        key.display(),
        known.display()
    );
    text
}

/// The name and the ssh address of each host and guest.
pub(super) fn everyone() -> impl Iterator<Item = (&'static str, &'static str)> {
    NODES
        .iter()
        .flat_map(|node| [(node.name, node.management), (node.guest.name, node.guest.address)])
}

/// The host keys of all, from the public halves of their key pairs.
pub(super) fn known_hosts(
    public: impl Fn(&str) -> std::io::Result<String>,
) -> std::io::Result<String> {
    let mut text = String::new();
    for (name, address) in everyone() {
        let _ = writeln!(text, "{name},{address} {}", public(name)?.trim());
    }
    Ok(text)
}

/// For the sshd of a host.
pub(super) fn sshd_config(state: &State, node: &Node) -> String {
    format!(
        "ListenAddress {}\nPort 22\nHostKey {}\nPidFile /run/sshd.pid\nAuthorizedKeysFile {}\n\
         PermitRootLogin prohibit-password\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\n\
         UseDNS no\nPrintMotd no\nMaxStartups 200\nMaxSessions 200\nSubsystem sftp internal-sftp\n",
        node.management,
        state.key(node.name).display(),
        state.key("id_ed25519.pub").display(),
    )
}

/// What host.sh reads.
pub(super) fn settings(node: &Node) -> String {
    format!(
        "NAME={}\nMANAGEMENT={}\nDATA={}\nDATA_MAC={}\nGUEST={}\n",
        node.name, node.management, node.data, node.data_mac, node.guest.name
    )
}

/// A script that runs a command inside a host, if that still runs.
pub(super) fn enter(host: &Host) -> String {
    let Host { name, pid, start } = host;
    format!(
        "#!/bin/sh\n# Runs a command inside {name}.\n\
         [ \"$(cut -d ' ' -f 22 /proc/{pid}/stat 2>/dev/null)\" = {start} ] || {{ echo \"{name} does not run: testbed up\" >&2; exit 125; }}\n\
         exec nsenter --target {pid} --net --mount --uts --ipc --pid -- \\\n  \
         env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \"$@\"\n"
    )
}

/// The scripts `sshd-start` and `sshd-stop` of a host, with their names.
pub(super) fn handles(state: &State, node: &Node) -> [(&'static str, String); 2] {
    let (root, directory) = (state.root().display(), state.of(node));
    let directory = directory.display();
    [
        (
            "sshd-start",
            format!(
                "#!/bin/sh\n# Starts the sshd of {}, if it does not run.\n\
                 exec {directory}/enter /bin/sh {root}/host.sh {directory} start sshd\n",
                node.name
            ),
        ),
        (
            "sshd-stop",
            format!(
                "#!/bin/sh\n# Kills the sshd of {} with its sessions; with the word `listener`, without them.\n\
                 exec {directory}/enter /bin/sh {root}/sshd-stop.sh \"$@\"\n",
                node.name
            ),
        ),
    ]
}

/// The domain of a guest.
pub(super) fn domain(guest: &Guest, kernel: &str, initrd: &str, console: &str) -> String {
    include_str!("guest.xml")
        .replace("{guest}", guest.name)
        .replace("{uuid}", guest.uuid)
        .replace("{mac}", guest.mac)
        .replace("{kernel}", kernel)
        .replace("{initrd}", initrd)
        .replace("{console}", console)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn state() -> State {
        State::at(Path::new("/var/lib/x")).unwrap()
    }

    #[test]
    fn guests_are_reached_through_their_hosts_and_all_keys_are_checked() {
        let text = ssh_config(&state());
        assert!(text.contains(
            "Host vm-client 198.18.1.102\n  HostName 198.18.1.102\n  ProxyJump 198.18.254.12\n"
        ));
        assert!(
            text.contains("Host host-server 198.18.254.11\n  HostName 198.18.254.11\n\n"),
            "{text}"
        );
        assert!(text.contains("UserKnownHostsFile /var/lib/x/known_hosts\n"));
        assert!(
            text.contains("StrictHostKeyChecking yes\n") && text.contains("ControlMaster no\n")
        );
    }

    #[test]
    fn every_host_key_is_known_by_name_and_address() {
        let text = known_hosts(|name| Ok(format!("ssh-ed25519 {name}\n"))).unwrap();
        assert_eq!(text.lines().count(), 4);
        assert!(text.contains("vm-server,198.18.1.101 ssh-ed25519 vm-server\n"), "{text}");
        assert!(known_hosts(|_| Err(std::io::Error::other("gone"))).is_err());
    }

    #[test]
    fn a_host_is_entered_only_while_its_first_process_runs() {
        let text = enter(&Host { name: "host-server".into(), pid: 4242, start: 99 });
        assert!(text.contains("/proc/4242/stat") && text.contains("= 99 ]"), "{text}");
        assert!(text.contains("nsenter --target 4242 "), "{text}");
    }

    #[test]
    fn sshd_listens_on_the_management_address_with_a_key_of_its_own() {
        for node in &NODES {
            let text = sshd_config(&state(), node);
            assert!(text.starts_with(&format!("ListenAddress {}\n", node.management)), "{text}");
            assert!(text.contains(&format!("HostKey /var/lib/x/keys/{}\n", node.name)), "{text}");
        }
    }

    #[test]
    fn a_domain_has_all_its_values_and_no_offloads() {
        for node in &NODES {
            let text = domain(&node.guest, "/k", "/i", "/c");
            assert!(!text.contains('{'), "{text}");
            for part in [node.guest.mac, node.guest.uuid, "<kernel>/k<", "csum='off' gso='off'"] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
    }
}
