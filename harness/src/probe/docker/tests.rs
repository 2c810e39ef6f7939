//! Answers of a real daemon (20.10, cgroup v1), cut to what is read, and their like under cgroup v2.

use super::*;

fn stats(json: &str) -> Option<Usage> {
    usage(&serde_json::from_str(json).unwrap())
}

#[test]
fn statistics_under_version_1_are_read() {
    let answer = r#"{"read":"2026-11-21T12:21:00.5Z","pids_stats":{"current":2},
        "blkio_stats":{"io_service_bytes_recursive":[{"major":8,"minor":0,"op":"Read","value":100},
            {"major":8,"minor":0,"op":"Write","value":50},{"major":9,"minor":0,"op":"Read","value":1},
            {"major":8,"minor":0,"op":"Total","value":150}]},
        "cpu_stats":{"cpu_usage":{"total_usage":49707097},"throttling_data":{"throttled_time":500000000}},
        "memory_stats":{"usage":22581248,"stats":{"rss":1,"inactive_file":1,"total_inactive_file":811008,
            "total_mapped_file":675840,"total_rss":21098496},"limit":67108864},
        "networks":{"eth0":{"rx_bytes":700,"tx_bytes":10},"eth1":{"rx_bytes":36,"tx_bytes":0}}}"#;
    let expected = Usage {
        at: 1_795_263_660.5,
        life: 0,
        usage: Some(22_581_248),
        working_set: Some(22_581_248 - 811_008),
        anon: Some(21_098_496),
        rss: Some(21_098_496 + 675_840),
        limit: None,
        cpu_time: Some(0.049_707_097),
        cpu_throttled: Some(0.5),
        received: Some(736),
        sent: Some(10),
        disk_read: Some(101),
        disk_written: Some(50),
        processes: None,
        threads: Some(2),
        files: None,
        sockets: None,
    };
    assert_eq!(stats(answer), Some(expected));
}

#[test]
fn statistics_under_version_2_are_read_and_a_missing_network_is_absent() {
    let answer = r#"{"read":"2026-11-21T12:21:00Z","memory_stats":{"usage":1000,
        "stats":{"anon":600,"file_mapped":50,"inactive_file":2000}},"blkio_stats":{"io_service_bytes_recursive":null}}"#;
    let usage = stats(answer).unwrap();
    assert_eq!((usage.anon, usage.rss, usage.working_set), (Some(600), Some(650), Some(0)));
    assert_eq!(
        (usage.received, usage.disk_read, usage.cpu_time, usage.threads),
        (None, None, None, None)
    );
}

#[test]
fn a_container_that_does_not_run_has_no_statistics() {
    let answer = r#"{"read":"0001-01-01T00:00:00Z","pids_stats":{},"blkio_stats":{"io_service_bytes_recursive":null},
        "cpu_stats":{"cpu_usage":{"total_usage":0}},"memory_stats":{}}"#;
    assert_eq!(stats(answer), None);
}

#[test]
fn a_state_is_read() {
    let answer = r#"{"RestartCount":2,"State":{"Status":"exited","Running":false,"OOMKilled":true,"Pid":0,"ExitCode":137,
        "StartedAt":"2026-11-21T12:21:00.5Z","Health":{"Status":"unhealthy"}},
        "HostConfig":{"Memory":33554432,"NetworkMode":"host"}}"#;
    let expected = State {
        pid: None,
        ended: true,
        exit_code: 137,
        oom_killed: true,
        unhealthy: true,
        started_at: "2026-11-21T12:21:00.5Z".to_owned(),
        restarts: 2,
        limit: Some(32 << 20),
        network: "host".to_owned(),
    };
    assert_eq!(state(serde_json::from_str(answer).unwrap()), expected);
    let running = r#"{"State":{"Status":"running","Pid":42},"HostConfig":{"Memory":0}}"#;
    let running = state(serde_json::from_str(running).unwrap());
    assert_eq!((running.pid, running.ended, running.limit), (Some(42), false, None));
}

#[test]
fn events_are_read() {
    let check = |action: &str, expected: Option<Happening>| {
        let json = format!(
            r#"{{"Type":"container","Action":"{action}","Actor":{{"ID":"abc","Attributes":{{"exitCode":"3"}}}},"time":1}}"#
        );
        let found = happening(serde_json::from_str(&json).unwrap());
        assert_eq!(found, expected.map(|expected| ("abc".to_owned(), expected)), "{action}");
    };
    check("oom", Some(Happening::Oom));
    check("die", Some(Happening::Die { exit_code: Some(3) }));
    check("start", Some(Happening::Start));
    check("health_status: unhealthy", Some(Happening::Unhealthy));
    check("health_status: healthy", Some(Happening::Healthy));
    check("exec_die", None);
}
