//! [`State`]: the directory with everything that the testbed keeps, and where in it things are.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Failure;
use super::node::Node;
use super::step::Step;
use crate::host::owner::short_hash;

/// Where it is kept unless told otherwise.
pub(super) const DEFAULT: &str = "/var/lib/proofload-testbed";

/// The file that says that a directory was made here, and all in it is ours.
const MARKER: &str = ".proofload-testbed";

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

    /// Where ssh's configuration is while the machine runs: gone after a restart, as is what it leads to. The file of that
    /// name in the directory is a link to it.
    pub(super) fn ssh_config_of_boot(&self) -> PathBuf {
        let name = short_hash(&self.root.to_string_lossy());
        Path::new("/run").join(format!("proofload-testbed-{name}"))
    }

    /// Whether the directory has been made by [`State::lock`].
    ///
    /// # Errors
    /// A message for one that somebody else keeps something in.
    pub(super) fn is_made(&self) -> Result<bool, String> {
        if self.file(MARKER).is_file() {
            return Ok(true);
        }
        let shown = self.root.display();
        match fs::read_dir(&self.root).map(|mut entries| entries.next().is_none()) {
            Ok(true) => Ok(false),
            Ok(false) => Err(format!(
                "error: --state {shown}: no testbed was made there, and it is not empty: name a directory that is empty or \
                 not there yet"
            )),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(format!("error: --state {shown}: {error}")),
        }
    }

    /// Takes the directory for this command, and makes it where it is not there; the lock ends with the file.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be made, it is somebody else's, or another command has it.
    pub(super) fn lock(&self) -> Result<File, Failure> {
        let failed = |error| Failure::rig(format!("cannot use {}: {error}", self.root.display()));
        if !self.is_made().map_err(Failure::usage)? {
            fs::create_dir_all(&self.root).map_err(failed)?;
            let text =
                "Made by `testbed up`; `testbed down --purge` removes it with all that is in it.\n";
            fs::write(self.file(MARKER), text).map_err(failed)?;
        }
        let file = File::create(self.file("lock")).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                Err(Failure::rig("another `testbed up` or `down` is at work: wait for its end"))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Removes it with all that is in it, if it has been made.
    ///
    /// # Errors
    /// A message for one that is somebody else's, or what the system says.
    pub(super) fn remove(&self) -> Result<(), String> {
        if !self.is_made()? {
            return Ok(());
        }
        fs::remove_dir_all(&self.root)
            .map_err(|error| format!("cannot remove {}: {error}", self.root.display()))
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
    #[test]
    fn a_directory_that_holds_something_else_is_let_alone() {
        let parent = tempfile::tempdir().unwrap();
        let state = State { root: parent.path().join("state") };
        assert_eq!(state.is_made(), Ok(false));
        state.remove().unwrap();
        fs::create_dir(state.root()).unwrap();
        assert_eq!(state.is_made(), Ok(false), "an empty one may be used");
        fs::write(state.file("ssh_config"), "mine").unwrap();
        for refused in [
            state.is_made().unwrap_err(),
            state.lock().unwrap_err().message,
            state.remove().unwrap_err(),
        ] {
            assert!(refused.contains("no testbed was made there"), "{refused}");
        }
        let left: Vec<_> = fs::read_dir(state.root()).unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn a_directory_that_was_made_is_used_again_and_removed() {
        let parent = tempfile::tempdir().unwrap();
        let state = State { root: parent.path().join("some/state") };
        drop(state.lock().unwrap());
        fs::create_dir(state.file("image")).unwrap();
        assert_eq!(state.is_made(), Ok(true));
        let lock = state.lock().unwrap();
        assert!(state.lock().unwrap_err().message.contains("at work"));
        drop(lock);
        state.remove().unwrap();
        assert!(!state.root().exists());
    }
}
