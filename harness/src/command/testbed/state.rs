//! [`State`]: the directory with everything that the testbed keeps, and where in it things are.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use super::Failure;
use super::node::Node;
use super::step::Step;

/// Where it is kept unless told otherwise.
pub(super) const DEFAULT: &str = "/var/lib/proofload-testbed";

/// The state directory.
#[derive(Clone, Debug)]
pub(super) struct State {
    root: PathBuf,
}

impl State {
    /// The directory that was asked for.
    ///
    /// # Errors
    /// A message for one that cannot be used.
    pub(super) fn at(directory: &Path) -> Result<Self, String> {
        let shown = directory.display();
        let root =
            std::path::absolute(directory).map_err(|error| format!("error: {shown}: {error}"))?;
        // Scripts and configuration of many programs name it; none of them quotes in the same way.
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        if !root.to_string_lossy().chars().all(plain) {
            return Err(format!("error: --state {shown}: use letters, digits and . _ - / only"));
        }
        if ["/tmp", "/run", "/var/run", "/root", "/sys", "/proc"]
            .iter()
            .any(|own| root.starts_with(own))
        {
            return Err(format!(
                "error: --state {shown}: every host has a {} of its own, so choose another place",
                root.components().take(2).collect::<PathBuf>().display()
            ));
        }
        Ok(Self { root })
    }

    /// The directory itself.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// A file in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The directory of a host.
    pub(super) fn of(&self, node: &Node) -> PathBuf {
        self.root.join(node.name)
    }

    /// A key pair's private half, by the name of whom it belongs to.
    pub(super) fn key(&self, name: &str) -> PathBuf {
        self.root.join("keys").join(name)
    }

    /// Takes the directory for this command; the lock ends with the file.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be made, or another command has it.
    pub(super) fn lock(&self) -> Result<File, Failure> {
        let failed = |error| Failure::rig(format!("cannot use {}: {error}", self.root.display()));
        fs::create_dir_all(&self.root).map_err(failed)?;
        let file = File::create(self.file("lock")).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                Err(Failure::rig("another `testbed up` or `down` is at work: wait for its end"))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Removes it with all that is in it.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn remove(&self) -> std::io::Result<()> {
        fs::remove_dir_all(&self.root)
    }

    /// A command inside a running host, in an environment of its own.
    pub(super) fn inside(&self, node: &Node, what: impl Into<String>, command: &[&str]) -> Step {
        Step::new(what, &self.of(node).join("enter").to_string_lossy(), command)
    }

    /// host.sh inside a host.
    pub(super) fn host_script(&self, node: &Node, verb: &str, part: &str) -> Step {
        let what = format!("{verb} {part} of {}", node.name);
        let (script, directory) = (self.file("host.sh"), self.of(node));
        self.inside(
            node,
            what,
            &["/bin/sh", &script.to_string_lossy(), &directory.to_string_lossy(), verb, part],
        )
    }

    /// A command on a host or in a guest, over ssh as users go.
    pub(super) fn ssh(&self, address: &str, command: &[&str]) -> Step {
        let config = self.file("ssh_config");
        let config = config.to_string_lossy();
        let mut args = vec!["-F", &*config, "-o", "ConnectTimeout=25", address];
        args.extend(command);
        Step::new(format!("reach {address} by ssh"), "ssh", &args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_hosts_cannot_share_is_refused() {
        assert!(State::at(Path::new(DEFAULT)).is_ok());
        for (path, told) in [
            ("/tmp/testbed", "every host has a /tmp of its own"),
            ("/run/testbed", "every host has a /run of its own"),
            ("/root/testbed", "every host has a /root of its own"),
            ("/srv/my testbed", "use letters, digits"),
            ("/srv/a'b", "use letters, digits"),
        ] {
            let error = State::at(Path::new(path)).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
}
