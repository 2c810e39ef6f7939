//! What `ssh` says when it fails, and what to do about it: [`explain`].

use crate::host::log;

/// One way to fail: what `ssh` prints then, and what it means.
struct Known {
    words: &'static [&'static str],
    means: &'static str,
}

/// In order: the first that fits counts.
const KNOWN: &[Known] = &[
    Known {
        words: &["could not resolve hostname", "name or service not known"],
        means: "its name cannot be resolved: check the node's `ssh`, or add a Host entry to your SSH configuration",
    },
    Known {
        words: &["remote host identification has changed", "host key for", "revoked"],
        means: "its host key is not the one in known_hosts: if the machine was set up anew, remove the old key with \
                `ssh-keygen -R`, else somebody is in between",
    },
    Known {
        words: &["host key verification failed", "host key is known"],
        means: "its host key is unknown: connect once by hand, compare the fingerprint and accept it; keys are always \
                checked",
    },
    Known {
        words: &["unprotected private key file", "bad permissions", "bad owner or permissions"],
        means: "a key or a configuration file may be read or written by others: `chmod 600` it",
    },
    Known {
        words: &["permission denied", "too many authentication failures"],
        means: "it accepts no key of yours: install one with `ssh-copy-id` or load it into an agent; passwords are \
                never asked for",
    },
    Known {
        words: &["connection refused"],
        means: "nothing listens there: is its sshd up, and the port right?",
    },
    Known {
        words: &["timed out", "no route to host", "network is unreachable", "not responding"],
        means: "it does not answer: is it up, and does a firewall let you through?",
    },
    Known {
        words: &["can't open user config file", "bad configuration option", "terminating, "],
        means: "the SSH configuration cannot be used",
    },
    Known {
        words: &[
            "connection closed",
            "connection reset",
            "closed by remote host",
            "broken pipe",
            "kex_exchange_identification",
        ],
        means: "the connection was closed from there: see the log of its sshd",
    },
];

/// The meaning of what `ssh` printed, and its last lines.
pub(super) fn explain(printed: &str) -> String {
    let lower = printed.to_lowercase();
    let fits = |known: &&Known| known.words.iter().any(|word| lower.contains(word));
    let means = KNOWN.iter().find(fits).map_or("ssh failed", |known| known.means);
    format!("{means}; ssh said:{}", log::quote(printed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_is_told_apart_and_says_what_to_do() {
        // As OpenSSH 9.2 prints it.
        let cases = [
            ("ssh: Could not resolve hostname nosuch: Name or service not known", "Host entry"),
            ("ssh: connect to host 127.0.0.1 port 9: Connection refused", "nothing listens"),
            ("ssh: connect to host 10.0.0.1 port 22: Connection timed out", "does not answer"),
            ("Connection timed out during banner exchange", "does not answer"),
            ("ssh: connect to host 198.18.9.9 port 22: No route to host", "does not answer"),
            (
                "No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict checking.\n\
                 Host key verification failed.",
                "is unknown",
            ),
            (
                "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.",
                "not the one in known_hosts",
            ),
            ("root@127.0.0.1: Permission denied (publickey,password).", "passwords are never"),
            (
                "Permissions 0644 for 'key' are too open.\n@ WARNING: UNPROTECTED PRIVATE KEY FILE! @\n\
                 root@h: Permission denied (publickey).",
                "chmod 600",
            ),
            ("Can't open user config file /nowhere: No such file or directory", "cannot be used"),
            ("kex_exchange_identification: Connection closed by remote host", "closed from there"),
            ("Timeout, server 10.0.0.1 not responding.", "does not answer"),
            ("client_loop: send disconnect: Broken pipe", "closed from there"),
            ("something new", "ssh failed; ssh said:\n    something new"),
        ];
        for (printed, expected) in cases {
            let message = explain(printed);
            assert!(message.contains(expected), "{printed}: {message}");
            assert!(message.contains(printed.lines().last().unwrap()), "{message}");
        }
    }
}
