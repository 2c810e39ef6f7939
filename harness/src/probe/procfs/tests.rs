//! A tree of processes written down as files, and the process that runs the test.

use super::*;

const TAIL: &str = "1000 200 0 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0";

/// A procfs of (pid, parent, group, ticks, state).
pub(super) fn procfs(processes: &[(u32, u32, u32, u64, char)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (pid, parent, group, ticks, state) in processes {
        let directory = root.path().join(format!("proc/{pid}"));
        fs::create_dir_all(directory.join("fd")).unwrap();
        fs::write(directory.join("fd/0"), "").unwrap();
        let stat = format!(
            "{pid} (p) {state} {parent} {group} 1 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 2 0 {} {TAIL}\n",
            1000 + pid
        );
        fs::write(directory.join("stat"), stat).unwrap();
        let status = "Name:\tp\nRssAnon:\t     100 kB\nRssFile:\t      20 kB\nRssShmem:\t       3 kB\nThreads:\t2\n";
        fs::write(directory.join("status"), status).unwrap();
        fs::write(directory.join("io"), "rchar: 9\nread_bytes: 4096\nwrite_bytes: 100\n").unwrap();
    }
    root
}

fn read(tree: &mut Tree, root: &tempfile::TempDir) -> Option<Usage> {
    let mut processes = Processes::new(root.path());
    processes.scan().unwrap();
    tree.read(&mut processes).map(|usage| Usage { at: 0.0, ..usage })
}

fn expected(processes: u64, everyone: u64, ticks: u64) -> Usage {
    Usage {
        anon: Some(processes * 100 * 1024),
        rss: Some(processes * 123 * 1024),
        working_set: Some(processes * 123 * 1024),
        cpu_time: Some(ticks as f64 / 100.0),
        disk_read: Some(everyone * 4096),
        disk_written: Some(everyone * 100),
        processes: Some(processes),
        threads: Some(processes * 2),
        files: Some(processes),
        sockets: Some(0),
        ..Usage::default()
    }
}

#[test]
fn group_and_descendants_are_one_member() {
    // 11 is a child in a group of its own, 12 its child; 13 is in the group with another parent; 20 is a stranger.
    let root = procfs(&[
        (1, 0, 1, 99, 'S'),
        (10, 1, 10, 5, 'S'),
        (11, 10, 11, 6, 'S'),
        (12, 11, 11, 7, 'R'),
        (13, 1, 10, 8, 'S'),
        (20, 1, 20, 99, 'S'),
    ]);
    let mut tree = Tree::new(10);
    assert_eq!(read(&mut tree, &root), Some(expected(4, 4, 26)));
    assert_eq!(tree.unavailable().count(), 0);
}

#[test]
fn an_orphan_stays_ours_and_a_zombie_holds_no_memory() {
    let mut tree = Tree::new(10);
    read(&mut tree, &procfs(&[(10, 1, 10, 5, 'S'), (11, 10, 11, 6, 'S'), (12, 11, 12, 7, 'S')]));
    // 11 ended and its child went to init; the leader is a zombie.
    let root = procfs(&[(1, 0, 1, 99, 'S'), (10, 1, 10, 5, 'Z'), (12, 1, 12, 9, 'S')]);
    assert_eq!(read(&mut tree, &root), Some(expected(1, 3, 20)));
}

#[test]
fn nobody_left_is_no_reading() {
    let mut tree = Tree::new(10);
    assert!(read(&mut tree, &procfs(&[(10, 1, 10, 5, 'Z')])).is_none());
    assert!(read(&mut tree, &procfs(&[(1, 0, 1, 5, 'S')])).is_none());
}

#[test]
fn a_number_used_again_is_somebody_else() {
    let mut tree = Tree::new(10);
    read(&mut tree, &procfs(&[(10, 1, 10, 5, 'S'), (11, 10, 11, 6, 'S')]));
    let root = procfs(&[(10, 1, 10, 5, 'S'), (11, 1, 11, 1, 'S')]);
    let path = root.path().join("proc/11/stat");
    let text = fs::read_to_string(&path).unwrap().replace(" 1011 ", " 5000 ");
    fs::write(path, text).unwrap();
    assert_eq!(read(&mut tree, &root).unwrap().processes, Some(1));
}

#[test]
fn the_test_itself_is_read() {
    let mut processes = Processes::new(Path::new("/"));
    processes.scan().unwrap();
    let usage = Tree::new(std::process::id()).read(&mut processes).unwrap();
    assert!(
        usage.anon.unwrap() > 0 && usage.rss >= usage.anon && usage.threads.unwrap() > 0,
        "{usage:?}"
    );
    assert!(
        usage.files.unwrap() >= 3 && usage.usage.is_none() && usage.limit.is_none(),
        "{usage:?}"
    );
}
