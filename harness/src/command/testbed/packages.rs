//! The Debian packages that the testbed needs: found missing by the files that are used of them, and installed without
//! starting their services.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::step::{Step, StepError, file};

/// A package and the file that it is needed for.
const NEEDED: &[(&str, &str)] = &[
    ("/usr/sbin/sshd", "openssh-server"),
    ("/usr/bin/ssh", "openssh-client"),
    ("/usr/sbin/ovs-vswitchd", "openvswitch-switch"),
    ("/usr/sbin/libvirtd", "libvirt-daemon-system"),
    ("/usr/bin/virsh", "libvirt-clients"),
    ("/usr/bin/qemu-system-x86_64", "qemu-system-x86"),
    ("/usr/bin/iperf3", "iperf3"),
    ("/usr/bin/netperf", NETPERF),
    ("/usr/bin/ping", "iputils-ping"),
    ("/usr/bin/ps", "procps"),
    ("/usr/sbin/ethtool", "ethtool"),
    ("/usr/sbin/tc", "iproute2"),
    ("/usr/bin/clang", "clang"),
    ("/usr/include/bpf/bpf_helpers.h", "libbpf-dev"),
    ("/usr/include/stdio.h", "libc6-dev"),
    ("/usr/bin/mmdebstrap", "mmdebstrap"),
    ("/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"),
    ("/usr/bin/cpio", "cpio"),
    ("/usr/bin/zstd", "zstd"),
    ("/usr/sbin/modprobe", "kmod"),
];

/// Not free in the sense of Debian, so in another component.
const NETPERF: &str = "netperf";
const SOURCES: &str = "/etc/apt/sources.list.d/proofload-non-free.sources";
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// The packages that are missing here.
pub(super) fn missing() -> Vec<&'static str> {
    without(|file| Path::new(file).exists())
}

fn without(exists: impl Fn(&str) -> bool) -> Vec<&'static str> {
    // On systems whose /usr is not merged, programs may be one level up.
    let is_there = |file: &str| exists(file) || exists(file.trim_start_matches("/usr"));
    NEEDED.iter().filter(|(file, _)| !is_there(file)).map(|(_, package)| *package).collect()
}

/// Installs what is missing, and says so first.
///
/// # Errors
/// [`StepError`] where apt-get fails, or there is none.
pub(super) async fn install() -> Result<(), StepError> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    super::up::tell("install", &missing.join(" "));
    apt("read the package lists", &["update", "-qq"]).run().await?;
    if missing.contains(&NETPERF) && !is_to_be_had(NETPERF).await? {
        let system = fs::read_to_string("/etc/os-release").map_err(file("read /etc/os-release"))?;
        let text = sources(&system).ok_or_else(|| StepError::Unmet {
            what: "find netperf".into(),
            status: "this is neither Debian nor Ubuntu".into(),
            hint: "Install netperf by hand.".into(),
        })?;
        super::up::tell("write", SOURCES);
        fs::write(SOURCES, text).map_err(file(format!("write {SOURCES}")))?;
        apt("read the package lists", &["update", "-qq"]).run().await?;
    }
    let _policy = NoServices::new().map_err(file(format!("write {POLICY}")))?;
    let mut args = vec!["install", "-qq", "-y", "--no-install-recommends"];
    args.extend(&missing);
    apt("install packages", &args).within(Duration::from_secs(900)).run().await?;
    Ok(())
}

fn apt(what: &str, args: &[&str]) -> Step {
    Step::new(what, "apt-get", args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .within(Duration::from_secs(300))
        .hint("The testbed needs a Debian or Ubuntu machine with its package sources reachable; after an interruption, `dpkg --configure -a` mends what was half installed.")
}

async fn is_to_be_had(package: &str) -> Result<bool, StepError> {
    let text = Step::new("ask apt", "apt-cache", &["policy", package]).run().await?;
    Ok(has_candidate(&text))
}

fn has_candidate(policy: &str) -> bool {
    policy
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Candidate:"))
        .any(|version| version.trim() != "(none)")
}

/// A sources file with the component that netperf is in, from the text of os-release.
fn sources(system: &str) -> Option<String> {
    let value = |key: &str| {
        let line = system.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        Some(line.trim_matches('"').to_owned())
    };
    let (uri, component, keyring) = match value("ID")?.as_str() {
        "debian" => ("http://deb.debian.org/debian", "non-free", "debian-archive-keyring.gpg"),
        "ubuntu" => {
            ("http://archive.ubuntu.com/ubuntu", "multiverse", "ubuntu-archive-keyring.gpg")
        }
        _ => return None,
    };
    Some(format!(
        "Types: deb\nURIs: {uri}\nSuites: {}\nComponents: {component}\nSigned-By: /usr/share/keyrings/{keyring}\n",
        value("VERSION_CODENAME")?
    ))
}

/// Keeps packages from starting their services, for as long as it lives.
struct NoServices {
    made: Option<PathBuf>,
}

impl NoServices {
    fn new() -> std::io::Result<Self> {
        // Somebody's own policy stays as it is.
        if Path::new(POLICY).exists() {
            return Ok(Self { made: None });
        }
        fs::write(POLICY, "#!/bin/sh\nexit 101\n")?;
        fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))?;
        Ok(Self { made: Some(POLICY.into()) })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(file) = &self.made {
            let _ = fs::remove_file(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_by_package() {
        assert_eq!(without(|_| true), [""; 0]);
        assert_eq!(without(|file| !file.ends_with("/virsh")), ["libvirt-clients"]);
        assert_eq!(without(|file| file != "/usr/sbin/tc"), [""; 0], "/sbin/tc does");
    }

    #[test]
    fn the_component_of_netperf_depends_on_the_system() {
        let check = |system: &str, told: &str| {
            let text = sources(system).unwrap();
            assert!(text.contains(told), "{text}");
        };
        check("ID=debian\nVERSION_CODENAME=bookworm\n", "Suites: bookworm\nComponents: non-free\n");
        check("VERSION_CODENAME=noble\nID=ubuntu\n", "Suites: noble\nComponents: multiverse\n");
        assert_eq!(sources("ID=fedora\nVERSION_CODENAME=x\n"), None);
    }

    #[test]
    fn a_package_without_a_candidate_is_not_to_be_had() {
        assert!(has_candidate("netperf:\n  Installed: (none)\n  Candidate: 2.7.0-0.1\n"));
        assert!(!has_candidate("netperf:\n  Installed: (none)\n  Candidate: (none)\n"));
        assert!(!has_candidate(""));
    }
}
