//! How a node is reached: `ssh` as a child process, or this machine's own shell.
//!
//! Masters and clients are children like all others: marked, logged, timed out and ended. That is why the crate openssh
//! is not used, whose master detaches itself, so that nothing would end it after a kill of the harness.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::host::Command;
use crate::host::owner::{Owner, short_hash};
use crate::model::spec::network::NodeSpec;

/// A node of this name in [`NodeSpec::ssh`] is this machine, without SSH.
pub(super) const LOCAL: &str = "local:";

/// The longest path of a directory of control sockets: a socket's path may have 108 bytes, of which `ssh` wants 17 for
/// a temporary suffix, and the name takes 11.
const LONGEST: usize = 70;

const PREFIX: &str = "proofload-ssh-";

/// For every `ssh`: no questions, no terminal, nothing forwarded, and an end of what does not answer.
const OPTIONS: &[&str] = &[
    "BatchMode=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ClearAllForwardings=yes",
    "ControlPersist=no",
    "RemoteCommand=none",
    "PermitLocalCommand=no",
    "LogLevel=ERROR",
];

pub(super) fn is_local(spec: &NodeSpec) -> bool {
    spec.ssh == LOCAL
}

/// The command that has a node's shell run a line, over the shared connection where there is one.
pub(super) fn client(spec: &NodeSpec, control: &Path, line: &str) -> Command {
    if is_local(spec) {
        return Command::shell(line);
    }
    let mut args = common(spec, control);
    args.extend(["-o", "ControlMaster=no", "-T", "--", &spec.ssh, line].map(str::to_owned));
    Command::new("ssh", args)
}

/// The command that keeps a connection for all the others.
pub(super) fn master(spec: &NodeSpec, control: &Path, log: &Path) -> Command {
    let mut args = common(spec, control);
    args.extend(["-M", "-N", "-T", "--", &spec.ssh].map(str::to_owned));
    Command { log: Some(log.to_owned()), ..Command::new("ssh", args) }
}

fn common(spec: &NodeSpec, control: &Path) -> Vec<String> {
    let mut args = Vec::new();
    if let Some(config) = &spec.ssh_config {
        args.extend(["-F".to_owned(), config.display().to_string()]);
    }
    args.extend(["-S".to_owned(), control.display().to_string()]);
    args.extend(OPTIONS.iter().flat_map(|option| ["-o".to_owned(), (*option).to_owned()]));
    args
}

/// Where the control socket of a node is, for every user of the node in this run.
pub(super) fn control_path(spec: &NodeSpec, owner: &Owner) -> PathBuf {
    let name = format!("{}\n{}\n{:?}", spec.name, spec.ssh, spec.ssh_config);
    base().join(format!("{PREFIX}{owner}")).join(short_hash(&name))
}

/// Makes the directory of a control socket, which nobody else may enter, and removes those of runs that were killed.
///
/// # Errors
/// What the system says, or that somebody else made the directory.
pub(super) fn prepare(control: &Path) -> io::Result<()> {
    let Some(directory) = control.parent() else { return Ok(()) };
    for left in left_by_the_dead(directory.parent().unwrap_or(directory)) {
        let _ = fs::remove_dir_all(left);
    }
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    if is_private(directory) {
        return Ok(());
    }
    let message = format!("{} belongs to somebody else", directory.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

/// Removes a control socket and its log, and the directory after the last one.
pub(super) fn remove(control: &Path) {
    let _ = fs::remove_file(control);
    let _ = fs::remove_file(control.with_extension("log"));
    if let Some(directory) = control.parent() {
        let _ = fs::remove_dir(directory);
    }
}

fn left_by_the_dead(base: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(base) else { return Vec::new() };
    let dead = |name: &str| {
        name.strip_prefix(PREFIX).and_then(Owner::parse).is_some_and(|owner| owner.is_gone())
    };
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_str().is_some_and(dead))
        .map(|entry| entry.path())
        .filter(|path| is_private(path))
        .collect()
}

/// A directory of ours, no link to one.
fn is_private(path: &Path) -> bool {
    let ours = nix::unistd::geteuid().as_raw();
    path.symlink_metadata().is_ok_and(|data| {
        data.is_dir() && data.uid() == ours && data.permissions().mode() & 0o077 == 0
    })
}

fn base() -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let long = |path: &PathBuf| {
        path.as_os_str().len() + PREFIX.len() + Owner::current().to_string().len() >= LONGEST
    };
    [runtime.filter(|path| is_private(path)), Some(std::env::temp_dir())]
        .into_iter()
        .flatten()
        .find(|path| path.is_absolute() && !long(path))
        .unwrap_or_else(|| "/tmp".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> NodeSpec {
        NodeSpec {
            name: "host-server".into(),
            ssh: "root@192.0.2.1".into(),
            ssh_config: Some("/etc/own".into()),
            workdir: "/tmp".into(),
            sudo: false,
        }
    }

    #[test]
    fn host_keys_are_checked_as_the_user_says_and_nothing_is_asked() {
        let control = control_path(&spec(), Owner::current());
        let line = client(&spec(), &control, "echo a").to_string();
        assert!(
            line.starts_with("ssh -F /etc/own -S /") && line.contains("-o BatchMode=yes"),
            "{line}"
        );
        assert!(line.ends_with("-o ControlMaster=no -T -- root@192.0.2.1 echo a"), "{line}");
        assert!(!line.contains("HostKey") && !line.contains("KnownHosts"), "{line}");
        let line = master(&spec(), &control, Path::new("log")).to_string();
        assert!(line.ends_with("-M -N -T -- root@192.0.2.1"), "{line}");
    }

    #[test]
    fn all_users_of_a_node_in_a_run_share_one_short_control_path() {
        let path = control_path(&spec(), Owner::current());
        assert_eq!(path, control_path(&spec(), Owner::current()));
        assert!(path.as_os_str().len() < 91, "{}", path.display());
        let other = NodeSpec { name: "host-client".into(), ..spec() };
        assert_ne!(path, control_path(&other, Owner::current()));
    }

    #[test]
    fn a_directory_for_sockets_is_private_and_those_of_dead_runs_go() {
        let base = tempfile::tempdir().unwrap();
        let space = Owner::current().to_string();
        let space = space.split('-').next().unwrap();
        let dead = base.path().join(format!("{PREFIX}{space}-4194304-1"));
        let elsewhere = base.path().join(format!("{PREFIX}elsewhere-4194304-1"));
        for path in [&dead, &elsewhere] {
            DirBuilder::new().mode(0o700).create(path).unwrap();
        }
        let control = base.path().join(format!("{PREFIX}{}", Owner::current())).join("a");
        prepare(&control).unwrap();
        prepare(&control).unwrap();
        assert!(is_private(control.parent().unwrap()) && !dead.exists() && elsewhere.exists());
        fs::write(&control, "").unwrap();
        remove(&control);
        assert!(!control.parent().unwrap().exists());
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(prepare(&elsewhere.join("a")).is_err());
    }
}
