//! Both versions on trees of files, see `tests/data/probe/README.md`.

use super::*;

const ID: &str = "14b7637d6d1e1a602405cb5c6eb2c0c9b0cde6b93e1bb5880269e423bf9d6edc";

/// A tree of files captured from a machine; `v1` is a container of 20 MiB under a limit of 64 MiB.
fn tree(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/probe").join(version)
}

fn check(version: &str, expected: Usage) {
    let mut cgroup = Cgroup::open(&tree(version), ID, 4242, Network::Own).unwrap();
    let mut buffer = Vec::new();
    for _ in 0..2 {
        let usage = cgroup.read(&mut buffer).unwrap();
        assert_eq!(Usage { at: 0.0, ..usage }, expected, "{version}");
    }
    assert_eq!(cgroup.unavailable().count(), 0);
}

#[test]
fn version_1_is_read() {
    check(
        "v1",
        Usage {
            at: 0.0,
            life: 0,
            usage: Some(22_224_896),
            working_set: Some(22_224_896 - 811_008),
            anon: Some(21_102_592),
            rss: Some(21_102_592 + 675_840),
            limit: Some(64 << 20),
            cpu_time: Some(0.041_411_948),
            cpu_throttled: Some(0.0),
            received: Some(988),
            sent: Some(0),
            disk_read: Some(4608),
            disk_written: Some(12_288),
            processes: Some(1),
            threads: Some(1),
            files: Some(3),
            sockets: Some(0),
        },
    );
}

#[test]
fn version_2_is_read_with_groups_below() {
    check(
        "v2",
        Usage {
            at: 0.0,
            life: 0,
            usage: Some(33_812_480),
            working_set: Some(33_812_480 - 8_388_608),
            anon: Some(21_102_592),
            rss: Some(21_102_592 + 4_325_376),
            limit: None,
            cpu_time: Some(4.512_345),
            cpu_throttled: Some(0.25),
            received: Some(1988),
            sent: Some(2000),
            disk_read: Some(8292),
            disk_written: Some(4096),
            processes: Some(2),
            threads: Some(9),
            files: Some(4),
            sockets: Some(0),
        },
    );
}

#[test]
fn version_2_is_read_as_a_kernel_wrote_it() {
    // 20 MiB held under a limit of 64 MiB; 1 MiB read and 2.5 MiB written past the cache; half a core allowed.
    check(
        "v2-captured",
        Usage {
            at: 0.0,
            life: 0,
            usage: Some(21_569_536),
            working_set: Some(21_569_536),
            anon: Some(21_442_560),
            rss: Some(21_442_560),
            limit: Some(64 << 20),
            cpu_time: Some(6.114_476),
            cpu_throttled: Some(6.537_53),
            received: None, // The machine had no network.
            sent: None,
            disk_read: Some(1 << 20),
            disk_written: Some(5 << 19),
            processes: Some(1),
            threads: Some(1),
            files: Some(3),
            sockets: Some(0),
        },
    );
}

#[test]
fn kills_are_counted() {
    for (version, kills) in [("v1", 0), ("v2", 2), ("v2-captured", 1)] {
        let counter = OomCounter::open(&tree(version), ID, 4242).unwrap();
        assert_eq!(counter.read(&mut Vec::new()).unwrap(), Some(kills), "{version}");
    }
}

#[test]
fn what_a_host_network_hides_is_absent_with_the_reason() {
    let mut cgroup =
        Cgroup::open(&tree("v2"), ID, 4242, Network::None("it shares the host's network")).unwrap();
    let usage = cgroup.read(&mut Vec::new()).unwrap();
    assert_eq!((usage.received, usage.sent), (None, None));
    let reasons: Vec<_> = cgroup.unavailable().collect();
    assert_eq!(reasons, ["it shares the host's network, so network bytes are absent"]);
}

#[test]
fn another_containers_process_is_refused() {
    let error = Cgroup::open(&tree("v2"), "0123456789ab", 4242, Network::Own).unwrap_err();
    assert!(error.contains("daemon runs elsewhere"), "{error}");
    let error = Cgroup::open(&tree("v2"), ID, 9, Network::Own).unwrap_err();
    assert!(error.contains("proc/9/cgroup"), "{error}");
}

#[test]
fn an_emptied_group_is_gone() {
    let copy = tempfile::tempdir().unwrap();
    let group = copy.path().join("g");
    fs::create_dir(&group).unwrap();
    fs::write(group.join("cgroup.procs"), "1\n").unwrap();
    let mut tasks = Tasks::open(&group).unwrap();
    assert_eq!(tasks.read(&mut Vec::new()).unwrap(), [1]);
    fs::write(group.join("cgroup.procs"), "").unwrap();
    assert!(tasks.read(&mut Vec::new()).unwrap().is_empty());
}

#[test]
fn only_the_loopback_is_no_network() {
    let head = "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes packets\n";
    let lo = "    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0\n";
    let eth = "eth0:7 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n";
    for (text, bytes) in [(format!("{head}{lo}"), None), (format!("{head}{lo}{eth}"), Some((7, 9)))]
    {
        assert_eq!(network_bytes(&text), bytes, "{text}");
    }
}

#[test]
fn descriptors_that_are_sockets_are_told_apart() {
    let root = tempfile::tempdir().unwrap();
    let descriptors = root.path().join("7/fd");
    fs::create_dir_all(&descriptors).unwrap();
    for (number, target) in
        ["/dev/null", "socket:[31]", "pipe:[9]", "socket:[32]"].iter().enumerate()
    {
        std::os::unix::fs::symlink(target, descriptors.join(number.to_string())).unwrap();
    }
    let counted = count_files(root.path(), &[7, 8]).unwrap();
    assert_eq!(counted, Descriptors { files: 4, sockets: Some(2) });
    let own = count_files(Path::new("/proc"), &[std::process::id()]).unwrap();
    let _listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let more = count_files(Path::new("/proc"), &[std::process::id()]).unwrap();
    assert!(more.sockets.is_some() && own.sockets.is_some() && more.files >= 3, "{own:?} {more:?}");
}
