//! Whether a Compose target can run here, from what costs nothing to look at.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::host::command::is_program;

use super::docker;

/// Where Docker looks for plugins, besides `~/.docker/cli-plugins`.
const PLUGINS: &[&str] = &[
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

/// Looks for a Compose and for a daemon that may be talked to, without starting a process or asking the daemon.
///
/// # Errors
/// What is missing, and what to do; for the reason of a skipped trial.
pub fn locally_available() -> Result<(), String> {
    socket()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut plugins: Vec<PathBuf> = PLUGINS.iter().map(PathBuf::from).collect();
    match (std::env::var_os("DOCKER_CONFIG"), std::env::var_os("HOME")) {
        (Some(config), _) => plugins.push(Path::new(&config).join("cli-plugins")),
        (None, Some(home)) => plugins.push(Path::new(&home).join(".docker/cli-plugins")),
        (None, None) => {}
    }
    if has_compose(&path, &plugins) {
        return Ok(());
    }
    Err("no Docker Compose is installed: install the package docker-compose-plugin, \
         docker-compose-v2 or docker-compose"
        .to_owned())
}

/// The daemon's socket takes a connection; a daemon elsewhere is taken to be there.
pub(super) fn socket() -> Result<(), String> {
    let host = docker::host();
    match host.strip_prefix("unix://") {
        Some(path) => connect(Path::new(path)),
        None if ["tcp://", "http://"].iter().any(|scheme| host.starts_with(scheme)) => Ok(()),
        None => Err(format!("DOCKER_HOST is {host}: only unix:// and tcp:// are supported")),
    }
}

fn connect(socket: &Path) -> Result<(), String> {
    let at = socket.display();
    UnixStream::connect(socket).map(drop).map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => format!(
            "you may not use the Docker daemon at {at}: `sudo usermod -aG docker $USER`, then log in again"
        ),
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => format!(
            "no Docker daemon listens at {at}: start one with `sudo systemctl start docker` or \
             `sudo service docker start`, or set DOCKER_HOST"
        ),
        _ => format!("the Docker daemon at {at} cannot be reached: {error}"),
    })
}

fn has_compose(path: &[PathBuf], plugins: &[PathBuf]) -> bool {
    let has = |directories: &[PathBuf], program: &str| {
        directories.iter().any(|directory| is_program(&directory.join(program)))
    };
    has(path, "docker-compose") || (has(path, "docker") && has(plugins, "docker-compose"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::UnixListener;

    #[test]
    fn compose_is_a_program_of_its_own_or_a_plugin_of_docker() {
        let check = |bin: &[&str], plugins: &[&str], expected: bool| {
            let root = tempfile::tempdir().unwrap();
            for (directory, programs) in [("bin", bin), ("plugins", plugins)] {
                let directory = root.path().join(directory);
                std::fs::create_dir(&directory).unwrap();
                for program in programs {
                    let file = directory.join(program);
                    std::fs::write(&file, "").unwrap();
                    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))
                        .unwrap();
                }
            }
            let found = has_compose(&[root.path().join("bin")], &[root.path().join("plugins")]);
            assert_eq!(found, expected, "{bin:?} {plugins:?}");
        };
        check(&[], &[], false);
        check(&["docker"], &[], false);
        check(&[], &["docker-compose"], false);
        check(&["docker"], &["docker-compose"], true);
        check(&["docker-compose"], &[], true);
    }

    #[test]
    fn a_socket_must_take_a_connection() {
        let root = tempfile::tempdir().unwrap();
        let socket = root.path().join("docker.sock");
        let missing = connect(&socket).unwrap_err();
        assert!(missing.starts_with("no Docker daemon listens at "), "{missing}");
        let listener = UnixListener::bind(&socket).unwrap();
        assert_eq!(connect(&socket), Ok(()));
        drop(listener);
        // A child that another test starts at this moment holds the listener until it has become its program.
        let gone = (0..100_000).map(|_| connect(&socket)).find(Result::is_err);
        assert_eq!(gone, Some(Err(missing)), "the daemon has gone, its socket is still there");
    }
}
