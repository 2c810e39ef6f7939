//! A machine written down as files, and the one that runs the test.

use super::*;

const STAT: &str = "\
cpu  67144 10 8409 202652 1590 5 255 84 30 2
cpu0 34187 5 4171 100686 855 3 95 40 20 1
cpu1 32957 5 4238 101965 734 2 159 43 10 1
intr 1234 0 0
ctxt 99
";

/// A machine with one process, the harness, which is in a group with a quota.
fn machine(stat: &str, ticks: u64, cpu_stat: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("proc/stat", stat);
    write("proc/self/cgroup", "0::/ci.slice/job\n");
    write("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    write("sys/fs/cgroup/cpu.stat", "usage_usec 5\n");
    write("sys/fs/cgroup/ci.slice/cpu.stat", cpu_stat);
    write("sys/fs/cgroup/ci.slice/job/cpu.stat", "usage_usec 5\nthrottled_usec 0\n");
    let tail = "1000 200 0 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0";
    let own = format!("7 (h) S 1 7 7 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 2 0 9 {tail}\n");
    write("proc/7/stat", &own);
    root
}

fn values(observation: &Observation) -> Vec<(&str, f64)> {
    let readings = observation.readings.iter();
    readings.map(|reading| (&*reading.metric, (reading.value * 1e6).round() / 1e6)).collect()
}

#[test]
fn the_first_line_is_the_sum_and_guests_are_in_it_already() {
    let times = Times { busy: 67144 + 10 + 8409 + 5 + 255, steal: 84, cpus: 2 };
    assert_eq!(Times::parse(STAT), Some(times));
    for text in ["", "cpu0 1 2 3 4 5 6 7 8\n", "cpu  1 2 3\n", "cpu  a b c d e f g h\n", "intr 1"] {
        assert_eq!(Times::parse(text), None, "{text}");
    }
}

#[test]
fn a_quota_is_told_by_either_version() {
    let v1 = "nr_periods 40\nnr_throttled 3\nthrottled_time 250000000\n";
    let v2 = "usage_usec 9\nnr_periods 40\nnr_throttled 3\nthrottled_usec 6537530\n";
    assert_eq!([throttled(v1), throttled(v2)], [Some(0.25), Some(6.53753)]);
    assert_eq!(throttled("usage_usec 9\nuser_usec 5\n"), None);
}

#[test]
fn rates_are_those_since_the_reading_before() {
    let root = machine(STAT, 100, "throttled_usec 1500000\n");
    let mut host = Host::of(&[], root.path(), 7);
    let (began, wall) = (host.clock.0, host.clock.1);
    let after =
        |seconds: u64| (began + Duration::from_secs(seconds), wall + Duration::from_secs(seconds));
    let (now, date) = after(1);
    let first = [("host.cpus", 2.0), ("host.cpu.throttled", 1.5), ("host.clock.offset", 0.0)];
    assert_eq!(values(&host.observe(now, date)), first);

    // In two seconds: 300 ticks of user time, 20 of steal, 40 of the harness.
    let later = STAT.replace("cpu  67144", "cpu  67444").replace(" 255 84 ", " 255 104 ");
    std::fs::write(root.path().join("proc/stat"), later).unwrap();
    let own = root.path().join("proc/7/stat");
    let text = std::fs::read_to_string(&own).unwrap().replace(" 100 0 0 0 20 ", " 140 0 0 0 20 ");
    std::fs::write(own, text).unwrap();
    let (now, date) = after(3);
    // Meanwhile somebody set the clock back by a minute.
    let read = host.observe(now, date - Duration::from_mins(1));
    let expected = [
        ("host.cpus", 2.0),
        ("host.cpu.busy", 1.5),
        ("host.cpu.steal", 0.1),
        ("host.cpu.harness", 0.2),
        ("host.cpu.throttled", 1.5),
        ("host.clock.offset", -60.0),
    ];
    assert_eq!(values(&read), expected);
}

#[test]
fn what_cannot_be_read_is_said_once_and_absent() {
    let root = tempfile::tempdir().unwrap();
    let mut host = Host::of(&[], root.path(), 7);
    let now = Instant::now();
    let read = host.observe(now, SystemTime::now());
    assert_eq!(read.incidents.len(), 1, "{read:?}");
    assert!(read.readings.iter().all(|reading| reading.metric == HOST_CLOCK_OFFSET.name));
    assert!(host.observe(now, SystemTime::now()).incidents.is_empty());
}

#[tokio::test]
async fn the_real_machine_is_read() {
    let mut host = Host::open(&[], Path::new("/"));
    host.read().await;
    let began = Instant::now();
    while began.elapsed() < 2 * LEAST {
        std::hint::black_box(began);
    }
    let read = host.read().await;
    assert!(read.incidents.is_empty(), "{read:?}");
    let of = |metric: &Metric| read.readings.iter().find(|reading| reading.metric == metric.name);
    assert!(of(&HOST_CPUS).unwrap().value >= 1.0);
    assert!(of(&HOST_CPU_BUSY).is_some() && of(&HOST_CPU_HARNESS).is_some());
    assert!(of(&HOST_CLOCK_OFFSET).unwrap().value.abs() < 1.0);
}
