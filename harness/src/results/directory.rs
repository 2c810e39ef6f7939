//! [`RunDirectory`]: where a run's files lie.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// `results/<test_id>/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// A directory that exists.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Makes the directory of a run that several processes share, or finds it.
    ///
    /// # Errors
    /// The operating system's.
    pub fn shared(results: &Path, test_id: &str) -> io::Result<Self> {
        let path = results.join(test_id);
        fs::create_dir_all(&path)?;
        Ok(Self { path })
    }

    /// Makes a new directory named after the time, `20260130_143022`, with a number behind it where that is taken.
    ///
    /// # Errors
    /// The operating system's.
    pub fn create(results: &Path, now: jiff::Timestamp) -> io::Result<Self> {
        fs::create_dir_all(results)?;
        let name = now.strftime("%Y%m%d_%H%M%S").to_string();
        for number in 1.. {
            let name = if number == 1 { name.clone() } else { format!("{name}_{number}") };
            let path = results.join(name);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        unreachable!("there is always a next number")
    }

    /// Points `latest` beside it to this directory.
    ///
    /// # Errors
    /// The operating system's.
    pub fn make_latest(&self) -> io::Result<()> {
        let Some(parent) = self.path.parent() else { return Ok(()) };
        let link = parent.join("latest");
        let temporary = parent.join(format!(".latest.{}", std::process::id()));
        let _ = fs::remove_file(&temporary);
        std::os::unix::fs::symlink(self.test_id(), &temporary)?;
        fs::rename(&temporary, &link)
    }

    /// The run's name.
    #[must_use]
    pub fn test_id(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The journal: the truth.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// The assembled results.
    #[must_use]
    pub fn results(&self) -> PathBuf {
        self.path.join("results.json")
    }

    /// What was to be run.
    #[must_use]
    pub fn plan(&self) -> PathBuf {
        self.path.join("plan.json")
    }

    /// The directory for the output of one trial's parts, made if missing.
    ///
    /// # Errors
    /// The operating system's.
    pub fn logs(&self, trial_id: &str) -> io::Result<PathBuf> {
        let name: String =
            trial_id.replace("::", "--").chars().map(|c| if c == '/' { '_' } else { c }).collect();
        let path = self.path.join("logs").join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// The file for what build commands print, its directory made if missing.
    ///
    /// # Errors
    /// The operating system's.
    pub fn build_log(&self) -> io::Result<PathBuf> {
        let logs = self.path.join("logs");
        fs::create_dir_all(&logs)?;
        Ok(logs.join("build.log"))
    }

    /// Writes a file of the run whole: a reader sees the old one or the new one. `name` may lie in a subdirectory
    /// that exists.
    ///
    /// # Errors
    /// The operating system's.
    pub fn replace(&self, name: &str, content: &[u8]) -> io::Result<()> {
        replace(&self.path.join(name), content)
    }

    /// Waits for the right to rebuild the run's files; it ends when the file is dropped.
    ///
    /// # Errors
    /// The operating system's.
    pub fn lock(&self) -> io::Result<File> {
        let file = File::create(self.path.join(".lock"))?;
        file.lock()?;
        Ok(file)
    }

    /// The other run directories beside this one, the oldest first. What has no journal is none.
    ///
    /// # Errors
    /// The operating system's.
    pub fn others(&self) -> io::Result<Vec<PathBuf>> {
        let Some(parent) = self.path.parent() else { return Ok(Vec::new()) };
        let mut runs: Vec<(std::time::SystemTime, PathBuf)> = fs::read_dir(parent)?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| !path.is_symlink() && *path != self.path)
            .filter_map(|path| {
                let journal = Self::at(&path).journal();
                fs::metadata(journal)
                    .and_then(|meta| meta.modified())
                    .ok()
                    .map(|modified| (modified, path))
            })
            .collect();
        runs.sort();
        Ok(runs.into_iter().map(|(_, path)| path).collect())
    }

    /// Removes all but the newest `keep` run directories beside this one, which stays in any case. Directories
    /// without a journal are not ours and stay.
    ///
    /// # Errors
    /// The operating system's.
    pub fn prune(&self, keep: usize) -> io::Result<()> {
        let runs = self.others()?;
        let surplus = (runs.len() + 1).saturating_sub(keep.max(1));
        runs.into_iter().take(surplus).try_for_each(fs::remove_dir_all)
    }
}

/// Writes a file whole: a reader sees the old one or the new one.
///
/// # Errors
/// The operating system's.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_by(path, |new| fs::write(new, content))
}

/// As [`replace`], for a file that `write` makes at the path that it is given.
///
/// # Errors
/// The operating system's, and those of `write`.
pub fn replace_by(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{file}.{}", std::process::id()));
    let written = write(&temporary).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}
