//! [`Place`]: where a container's control group lies in the file system, from two texts of procfs.

use std::path::{Path, PathBuf};

/// The directories that hold a container's counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::probe) enum Place {
    /// One directory per controller; a controller that is not mounted is absent.
    V1 {
        /// The memory controller, without which nothing is read.
        memory: PathBuf,
        /// Processor time.
        cpuacct: Option<PathBuf>,
        /// Processor quota.
        cpu: Option<PathBuf>,
        /// Disk traffic.
        blkio: Option<PathBuf>,
        /// The number of tasks.
        pids: Option<PathBuf>,
    },
    /// One directory for everything.
    V2(PathBuf),
}

/// Finds the groups of container `id` below `root`, the root of the file system.
///
/// `membership` is `/proc/<pid>/cgroup` of its first process, `mounts` is `/proc/self/mountinfo`.
///
/// # Errors
/// Says why the files cannot be used, most often because the daemon runs on another machine or in another namespace.
pub(in crate::probe) fn place(
    root: &Path,
    id: &str,
    membership: &str,
    mounts: &str,
) -> Result<Place, String> {
    let find = |controller: &str| {
        let group = own_group(membership, controller, id)?;
        mounted(mounts, controller, &group).map(|path| under(root, &path))
    };
    if let Some(memory) = find("memory") {
        let (cpuacct, cpu, blkio, pids) =
            (find("cpuacct"), find("cpu"), find("blkio"), find("pids"));
        return Ok(Place::V1 { memory, cpuacct, cpu, blkio, pids });
    }
    if let Some(group) = find("") {
        return Ok(Place::V2(group));
    }
    if membership.contains(id) {
        return Err("its control group is not mounted here".to_owned());
    }
    Err("its first process is not the one of that number here, so the daemon runs elsewhere"
        .to_owned())
}

/// The groups of processor quotas that this process is in and sees: its own, and those above it up to the mount.
///
/// `membership` is `/proc/self/cgroup`, `mounts` is `/proc/self/mountinfo`.
pub(in crate::probe) fn own_groups(root: &Path, membership: &str, mounts: &str) -> Vec<PathBuf> {
    for controller in ["cpu", ""] {
        let Some(group) = own_path(membership, controller) else { continue };
        // Above its own part of the tree a mount shows nothing, and may show a part of which the path is not known.
        let groups = Path::new(group).ancestors();
        let seen: Vec<PathBuf> = groups
            .filter_map(|group| mounted(mounts, controller, group.to_str()?))
            .map(|path| under(root, &path))
            .collect();
        if !seen.is_empty() {
            return seen;
        }
    }
    Vec::new()
}

/// The group of `controller` (empty for v2) that a process is in.
fn own_path<'a>(membership: &'a str, controller: &str) -> Option<&'a str> {
    membership.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (hierarchy, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let ours = match controller {
            "" => hierarchy == "0" && controllers.is_empty(),
            name => controllers.split(',').any(|each| each == name),
        };
        ours.then_some(path)
    })
}

/// The group of `controller` (empty for v2), cut after the part that names the container: an init system inside may
/// have moved its first process further down.
fn own_group(membership: &str, controller: &str, id: &str) -> Option<String> {
    let path = own_path(membership, controller)?;
    let start = path.find(id)?;
    let end = path[start..].find('/').map_or(path.len(), |length| start + length);
    Some(path[..end].to_owned())
}

/// Where `group` of `controller` is seen. A mount may show only a part of the tree: its root is then a prefix.
fn mounted(mounts: &str, controller: &str, group: &str) -> Option<PathBuf> {
    let candidates = mounts.lines().filter_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ').skip(3);
        let (mount_root, point) = (left.next()?, left.next()?);
        let mut right = right.split(' ');
        let (kind, options) = (right.next()?, right.nth(1)?);
        let ours = match controller {
            "" => kind == "cgroup2",
            name => kind == "cgroup" && options.split(',').any(|each| each == name),
        };
        let below = Path::new(group).strip_prefix(mount_root).ok().filter(|_| ours)?;
        Some((mount_root.len(), Path::new(point).join(below)))
    });
    candidates.max_by_key(|(length, _)| *length).map(|(_, path)| path)
}

fn under(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4f66ad9a5b2e";

    fn check(membership: &str, mounts: &str, expected: Result<Place, &str>) {
        let found = place(Path::new("/"), ID, membership, mounts);
        assert_eq!(found.as_ref().map_err(String::as_str), expected.as_ref().map_err(|text| *text));
    }

    fn v1(memory: &str, rest: [Option<&str>; 4]) -> Result<Place, &'static str> {
        let [cpuacct, cpu, blkio, pids] = rest.map(|path| path.map(PathBuf::from));
        Ok(Place::V1 { memory: memory.into(), cpuacct, cpu, blkio, pids })
    }

    #[test]
    fn the_groups_that_this_process_is_in_are_those_up_to_the_mount() {
        let check = |membership: &str, mounts: &str, expected: &[&str]| {
            let found = own_groups(Path::new("/"), membership, mounts);
            assert_eq!(found, expected.iter().map(PathBuf::from).collect::<Vec<_>>());
        };
        let v2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";
        let slice = "/sys/fs/cgroup/user.slice";
        check(
            "0::/user.slice/ci.scope\n",
            v2,
            &[&format!("{slice}/ci.scope"), slice, "/sys/fs/cgroup"],
        );
        check("0::/\n", v2, &["/sys/fs/cgroup"]);
        let v1 =
            "1 0 0:1 /docker/4f66 /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";
        check("3:cpu,cpuacct:/docker/4f66\n0::/docker/4f66\n", v1, &["/sys/fs/cgroup/cpu,cpuacct"]);
        check("3:cpu,cpuacct:/elsewhere\n", v1, &[]);
    }

    #[test]
    fn v1_with_controllers_of_their_own() {
        check(
            "4:memory:/docker/4f66ad9a5b2e\n2:cpuacct:/docker/4f66ad9a5b2e\n1:cpu:/docker/4f66ad9a5b2e\n0::/\n",
            "14 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
             12 31 0:30 / /sys/fs/cgroup/cpuacct rw shared:9 - cgroup cgroup rw,cpuacct\n\
             20 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
            v1(
                "/sys/fs/cgroup/memory/docker/4f66ad9a5b2e",
                [Some("/sys/fs/cgroup/cpuacct/docker/4f66ad9a5b2e"), None, None, None],
            ),
        );
    }

    #[test]
    fn v1_with_shared_mounts_and_a_nested_root() {
        check(
            "5:memory:/outer/docker/4f66ad9a5b2e\n3:cpu,cpuacct:/outer/docker/4f66ad9a5b2e\n",
            "1 0 0:1 /outer /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
             2 0 0:2 /outer /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n",
            v1(
                "/sys/fs/cgroup/memory/docker/4f66ad9a5b2e",
                [
                    Some("/sys/fs/cgroup/cpu,cpuacct/docker/4f66ad9a5b2e"),
                    Some("/sys/fs/cgroup/cpu,cpuacct/docker/4f66ad9a5b2e"),
                    None,
                    None,
                ],
            ),
        );
    }

    #[test]
    fn v2_under_systemd_with_an_init_system_inside() {
        check(
            "0::/system.slice/docker-4f66ad9a5b2e.scope/init.scope\n",
            "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
            Ok(Place::V2("/sys/fs/cgroup/system.slice/docker-4f66ad9a5b2e.scope".into())),
        );
    }

    #[test]
    fn what_cannot_be_seen_says_why() {
        let elsewhere =
            "its first process is not the one of that number here, so the daemon runs elsewhere";
        check(
            "0::/user.slice\n",
            "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
            Err(elsewhere),
        );
        check("0::/docker/4f66ad9a5b2e\n", "", Err("its control group is not mounted here"));
        check(
            "0::/../docker/4f66ad9a5b2e\n",
            "30 23 0:26 /mine /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
            Err("its control group is not mounted here"),
        );
    }
}
