//! [`Cgroup`]: a container's counters, read from the kernel's own files.
//!
//! The files of version 1 or 2 are opened once and read at every tick, which costs some 75 us a container where the
//! daemon's API takes a second. `root` is the root of the file system, `/` but in tests.

mod place;
mod v1;
mod v2;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

pub(super) use place::own_groups;
use place::{Place, place};

use super::kept::{Kept, fields};
use super::usage::Usage;

/// The open files of one container's life. A restarted container has a new group, and needs a new one of these.
#[derive(Debug)]
pub(super) struct Cgroup {
    counters: Counters,
    tasks: Tasks,
    network: Result<Kept, String>,
    /// Why open files are not counted, once that is known.
    files: Result<(), String>,
    proc: PathBuf,
    since: Instant,
}

#[derive(Debug)]
enum Counters {
    V1(v1::Files),
    V2(v2::Files),
}

/// Whose network counters can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network<'a> {
    /// The container's own.
    Own,
    /// Nobody's; with the reason.
    None(&'a str),
}

impl Cgroup {
    /// Opens the files of container `id`, whose first process is `pid`.
    ///
    /// # Errors
    /// Says why they cannot be read here.
    pub(super) fn open(
        root: &Path,
        id: &str,
        pid: u32,
        network: Network<'_>,
    ) -> Result<Self, String> {
        let place = find(root, id, pid)?;
        let proc = root.join("proc");
        let (counters, directory) = match &place {
            Place::V1 { memory, .. } => (v1::Files::open(&place).map(Counters::V1), memory),
            Place::V2(group) => (v2::Files::open(group).map(Counters::V2), group),
        };
        let counters = counters.map_err(|error| format!("{}: {error}", directory.display()))?;
        let network = match network {
            Network::None(why) => Err(format!("{why}, so network bytes are absent")),
            Network::Own => {
                let path = proc.join(format!("{pid}/net/dev"));
                Kept::open(&path).map_err(|error| format!("{}: {error}", path.display()))
            }
        };
        let tasks =
            Tasks::open(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        Ok(Self { counters, tasks, network, files: Ok(()), proc, since: Instant::now() })
    }

    /// Reads everything.
    ///
    /// # Errors
    /// When the group has gone, or nothing runs in it any more.
    pub(super) fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<Usage> {
        let mut usage = Usage { at: self.since.elapsed().as_secs_f64(), ..Usage::default() };
        match &self.counters {
            Counters::V1(files) => files.read(buffer, &mut usage)?,
            Counters::V2(files) => files.read(buffer, &mut usage)?,
        }
        if let Ok(file) = &self.network {
            (usage.received, usage.sent) = network_bytes(file.read(buffer)?).unzip();
        }
        // Last of all, so that whoever emptied the group did it after the numbers above were taken.
        let pids = self.tasks.read(buffer)?;
        if pids.is_empty() {
            return Err(io::Error::other("no process is left in its control group"));
        }
        usage.processes = Some(pids.len() as u64);
        if self.files.is_ok() {
            match count_files(&self.proc, pids) {
                Ok(count) => (usage.files, usage.sockets) = (Some(count.files), count.sockets),
                Err(error) => self.files = Err(format!("open files cannot be counted: {error}")),
            }
        }
        Ok(usage)
    }

    /// What cannot be measured here, and why.
    pub(super) fn unavailable(&self) -> impl Iterator<Item = String> {
        let files = match &self.counters {
            Counters::V1(files) => files.absent(),
            Counters::V2(files) => files.absent(),
        };
        let files =
            (!files.is_empty()).then(|| format!("its control group has no {}", files.join(", ")));
        let network = self.network.as_ref().err().cloned();
        files.into_iter().chain(network).chain(self.files.as_ref().err().cloned())
    }
}

/// The kernel's count of processes that it killed in one container for want of memory.
#[derive(Debug)]
pub(super) struct OomCounter(Kept);

impl OomCounter {
    /// Opens the counter of container `id`, whose first process is `pid`.
    ///
    /// # Errors
    /// Says why it cannot be read here.
    pub(super) fn open(root: &Path, id: &str, pid: u32) -> Result<Self, String> {
        let path = match find(root, id, pid)? {
            Place::V1 { memory, .. } => memory.join("memory.oom_control"),
            Place::V2(group) => group.join("memory.events"),
        };
        Kept::open(&path).map(Self).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Kills since the container started; none when the kernel does not count them.
    ///
    /// # Errors
    /// When the group has gone.
    pub(super) fn read(&self, buffer: &mut Vec<u8>) -> io::Result<Option<u64>> {
        let [kills] = fields(self.0.read(buffer)?, ["oom_kill"]);
        Ok(kills)
    }
}

fn find(root: &Path, id: &str, pid: u32) -> Result<Place, String> {
    let read = |path: PathBuf| {
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let membership = read(root.join(format!("proc/{pid}/cgroup")))?;
    place(root, id, &membership, &read(root.join("proc/self/mountinfo"))?)
}

/// The processes of a group and of the groups below it.
#[derive(Debug)]
struct Tasks {
    directory: PathBuf,
    own: Kept,
    pids: Vec<u32>,
}

impl Tasks {
    fn open(directory: &Path) -> io::Result<Self> {
        let own = Kept::open(&directory.join("cgroup.procs"))?;
        Ok(Self { directory: directory.to_owned(), own, pids: Vec::new() })
    }

    fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<&[u32]> {
        self.pids.clear();
        self.pids
            .extend(self.own.read(buffer)?.lines().filter_map(|line| line.parse::<u32>().ok()));
        add_below(&self.directory, &mut self.pids)?;
        Ok(&self.pids)
    }
}

/// A directory's link count is 2 and one for each directory in it, which spares the look where there is none.
fn add_below(directory: &Path, pids: &mut Vec<u32>) -> io::Result<()> {
    if fs::metadata(directory)?.nlink() == 2 {
        return Ok(());
    }
    for entry in fs::read_dir(directory)?.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // A group below may go while we look, or be a threaded one that lists no processes.
            let text = fs::read_to_string(entry.path().join("cgroup.procs")).unwrap_or_default();
            pids.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
            let _ = add_below(&entry.path(), pids);
        }
    }
    Ok(())
}

/// Open file descriptors, and those of them that are sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Descriptors {
    pub(super) files: u64,
    /// None where one process has so many descriptors that asking each would disturb what is measured.
    pub(super) sockets: Option<u64>,
}

/// So many descriptors of one process are asked what they are: some 2 us each.
const ASKED: u64 = 1024;

/// The descriptors of these processes, but for those that ended meanwhile.
pub(super) fn count_files(proc: &Path, pids: &[u32]) -> io::Result<Descriptors> {
    let mut all = Descriptors { files: 0, sockets: Some(0) };
    for pid in pids {
        match files_of(&proc.join(format!("{pid}/fd"))) {
            Ok(own) => {
                all.files += own.files;
                all.sockets = all.sockets.zip(own.sockets).map(|(all, own)| all + own);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // ESRCH: the process ended after its directory was found.
            Err(error) if error.raw_os_error() == Some(3) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

fn files_of(directory: &Path) -> io::Result<Descriptors> {
    // Since Linux 6.2 the directory's size is their number; before, it is 0.
    let size = fs::metadata(directory)?.size();
    let counted = size > 0 && directory.starts_with("/proc");
    if counted && size > ASKED {
        return Ok(Descriptors { files: size, sockets: None });
    }
    let (mut files, mut sockets) = (0, 0);
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        files += 1;
        let is_socket =
            |target: PathBuf| target.as_os_str().as_encoded_bytes().starts_with(b"socket:");
        if files <= ASKED && fs::read_link(path).is_ok_and(is_socket) {
            sockets += 1;
        }
    }
    Ok(Descriptors { files, sockets: (files <= ASKED).then_some(sockets) })
}

/// Bytes received and sent over every interface but the loopback, from `/proc/<pid>/net/dev`.
fn network_bytes(text: &str) -> Option<(u64, u64)> {
    let mut total = None;
    for line in text.lines() {
        let Some((name, counters)) = line.split_once(':') else { continue };
        if name.trim_ascii() == "lo" {
            continue;
        }
        let mut counters = counters.split_ascii_whitespace().map(str::parse::<u64>);
        if let (Some(Ok(received)), Some(Ok(sent))) = (counters.next(), counters.nth(7)) {
            let (r, s) = total.unwrap_or((0, 0));
            total = Some((r + received, s + sent));
        }
    }
    total
}

#[cfg(test)]
mod tests;
