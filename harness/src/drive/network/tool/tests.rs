//! What holds for every network tool of the table.

mod arrived;

use std::time::Duration;

use proptest::prelude::*;

use super::super::fake::flow;
use super::*;
use crate::model::quantity::Length;
use crate::model::spec::network::{Direction, Protocol, Shape};

/// What was recorded, with how each exited; see the README beside the files.
macro_rules! recorded {
    ($($name:literal $code:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../tests/data/network/tools/", $name)), $code)),*]
    };
}

const RECORDED: &[(&str, &str, i32)] = recorded![
    "iperf3/tcp.json" 0, "iperf3/udp.json" 0, "iperf3/tcp-parallel.json" 0, "iperf3/tcp-reverse.json" 0,
    "iperf3/udp-reverse.json" 0, "iperf3/tcp-bidir.json" 0, "iperf3/udp-bidir.json" 0, "iperf3/tcp-omit.json" 0,
    "iperf3/udp-omit.json" 0, "iperf3/tcp-rate.json" 0, "iperf3/refused.json" 0, "iperf3/busy.json" 0,
    "iperf3/killed-server.json" 0, "iperf3/interrupted.json" 0, "iperf3/udp-interrupted.json" 0,
    "iperf3/udp-dropped.json" 0, "iperf3/udp-late.json" 0,
    "netperf/tcp-rr.txt" 0, "netperf/udp-rr.txt" 0, "netperf/tcp-crr.txt" 0, "netperf/tcp-stream.txt" 0,
    "netperf/tcp-maerts.txt" 0, "netperf/udp-stream.txt" 0, "netperf/refused.txt" 255,
    "netperf/interrupted.txt" 0, "netperf/killed-server.txt" 1,
    "ping/ok.txt" 0, "ping/loss.txt" 0, "ping/lost.txt" 1, "ping/unreachable.txt" 1, "ping/no-route.txt" 2,
];

fn find_recorded(file: &str) -> (&'static dyn NetTool, Printed) {
    let (name, text, code) = RECORDED.iter().find(|(name, ..)| *name == file).unwrap();
    let tool = find(name.split('/').next().unwrap()).unwrap();
    (tool, Printed { code: *code, stdout: (*text).to_owned(), stderr: String::new() })
}

/// The flow that a file was recorded with, as its name tells.
fn flow_of(file: &str) -> Flow {
    let shape = match file {
        name if name.contains("-crr") => Shape::ConnectRequestResponse,
        name if name.contains("stream") || name.contains("maerts") => Shape::Stream,
        name if name.starts_with("iperf3") => Shape::Stream,
        _ => Shape::RequestResponse,
    };
    let protocol = match file {
        name if name.starts_with("ping") => Protocol::Icmp,
        name if name.contains("udp") => Protocol::Udp,
        _ => Protocol::Tcp,
    };
    let direction = match file {
        name if name.contains("reverse") || name.contains("maerts") => Direction::Reverse,
        name if name.contains("bidir") => Direction::Both,
        _ => Direction::Forward,
    };
    Flow { shape, protocol, direction, ..flow() }
}

fn parse(file: &str) -> Result<Figures, Refused> {
    let (tool, printed) = find_recorded(file);
    tool.parse(&printed, &flow_of(file))
}

fn close(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() <= expected.abs() * 1e-3)
}

#[test]
fn bulk_data_are_read_for_both_ends() {
    // File, received and sent bit/s, retransmits, processor use of the sender and the receiver in cores.
    for (file, received, sent, retransmits, sender, receiver) in [
        ("iperf3/tcp.json", 14.515e9, 14.544e9, Some(895.0), 0.3296, 0.3384),
        ("iperf3/tcp-reverse.json", 11.459e9, 11.441e9, Some(679.0), 0.2418, 0.3651),
        ("iperf3/tcp-bidir.json", 10.629e9, 10.707e9, Some(201.0), 0.2779, 0.2602),
        ("iperf3/tcp-omit.json", 16.900e9, 16.946e9, Some(5088.0), 0.3228, 0.3189),
        ("iperf3/udp.json", 44.081e6, 49.985e6, None, 0.3844, 0.2623),
        ("netperf/tcp-stream.txt", 9.63864e9, 9.63864e9, Some(4269.0), 1.9546, 1.9546),
        ("netperf/tcp-maerts.txt", 10.1961e9, 10.20173e9, Some(6187.0), 1.939, 1.939),
        ("netperf/udp-stream.txt", 47.00e6, 72.05e6, None, 1.9848, 1.9848),
    ] {
        let figures = parse(file).unwrap();
        assert!(close(figures.received, received), "{file} {figures:?}");
        assert!(close(figures.sent, sent), "{file} {figures:?}");
        assert_eq!(figures.retransmits, retransmits, "{file}");
        assert!(close(figures.cpu_sender, sender), "{file} {figures:?}");
        assert!(close(figures.cpu_receiver, receiver), "{file} {figures:?}");
        assert_eq!(figures.transactions, None, "{file}");
    }
    let parallel = parse("iperf3/tcp-parallel.json").unwrap();
    assert!(parallel.received.unwrap() > 1e9 && parallel.arriving > 1.9, "{parallel:?}");
    let limited = parse("iperf3/tcp-rate.json").unwrap().received.unwrap();
    assert!((limited / 100e6 - 1.0).abs() < 0.02, "{limited}");
}

#[test]
fn datagrams_are_counted_where_they_arrive() {
    // File, arrived and sent per second, the part that was lost.
    for (file, arrived, sent, lost) in [
        ("iperf3/udp.json", 172_205.0 / 2.000_147, 195_263.0 / 2.000_08, 0.118_09),
        ("iperf3/udp-reverse.json", 77_728.0 / 2.000_074, 78_118.0 / 2.001_275, 0.004_99),
        // The client tells 157 lost ones, most of them of the second that it leaves out; the server tells 41 of 78,126.
        ("iperf3/udp-omit.json", 78_085.0 / 2.000_151, 78_105.0 / 2.000_037, 0.000_256_07),
        (
            "iperf3/udp-bidir.json",
            (53_260.0 + 52_641.0) / 2.008_751,
            156_254.0 / 2.000_441,
            0.322_25,
        ),
        ("iperf3/udp-late.json", 2_239.0 / 3.325_638, 667_080.0 / 3.000_028, 0.996_644),
        ("netperf/udp-stream.txt", 183_678.0 / 2.0, 281_607.0 / 2.0, 0.347_75),
    ] {
        let figures = parse(file).unwrap();
        assert!(close(figures.packets_received, arrived), "{file} {figures:?}");
        assert!(close(figures.packets_sent, sent), "{file} {figures:?}");
        assert!(close(figures.lost, lost), "{file} {figures:?}");
    }
    assert_eq!(parse("iperf3/tcp.json").unwrap().packets_received, None, "tcp has no packets");
}

#[test]
fn transactions_are_read_in_seconds() {
    for (file, rate, [min, mean, p50, p90, p99, max, stddev]) in [
        ("netperf/tcp-rr.txt", 111_354.54, [5.0, 8.92, 7.0, 10.0, 20.0, 5388.0, 48.71]),
        ("netperf/udp-rr.txt", 60_337.645, [5.0, 16.5, 9.0, 19.0, 39.0, 5462.0, 126.97]),
        ("netperf/tcp-crr.txt", 18_550.268, [28.0, 53.82, 42.0, 51.0, 180.0, 5438.0, 165.2]),
    ] {
        let figures = parse(file).unwrap();
        let latency = figures.latency;
        for (found, microseconds) in [
            (latency.min, min),
            (latency.mean, mean),
            (latency.p50, p50),
            (latency.p90, p90),
            (latency.p99, p99),
            (latency.max, max),
            (latency.stddev, stddev),
        ] {
            assert!(close(found, microseconds / 1e6), "{file} {figures:?}");
        }
        assert!(close(figures.transactions, rate), "{file} {figures:?}");
        assert!(figures.received.is_none() && figures.of_machine, "{file}");
    }
    // It told 255% of all processors there.
    assert_eq!(parse("netperf/tcp-crr.txt").unwrap().cpu_receiver, None);
}

#[test]
fn echoes_have_percentiles_where_there_are_enough_of_them() {
    let ok = parse("ping/ok.txt").unwrap();
    assert!(close(ok.transactions, 113.0 / 1.986) && ok.lost == Some(0.0), "{ok:?}");
    assert!(close(ok.latency.mean, 47e-6) && close(ok.latency.max, 64e-6), "{ok:?}");
    assert!(close(ok.latency.min, 37e-6) && close(ok.latency.stddev, 5e-6), "{ok:?}");
    let percentiles = [(ok.latency.p50, 44e-6), (ok.latency.p90, 54e-6), (ok.latency.p99, 62e-6)];
    assert!(percentiles.into_iter().all(|(found, expected)| close(found, expected)), "{ok:?}");
    let loss = parse("ping/loss.txt").unwrap();
    assert!(close(loss.lost, 0.06), "{loss:?}");
    let (tool, mut few) = find_recorded("ping/ok.txt");
    few.stdout = few
        .stdout
        .lines()
        .filter(|line| !line.contains("icmp_seq=1"))
        .fold(String::new(), |all, line| all + line + "\n");
    assert_eq!(tool.parse(&few, &flow_of("ping/ok.txt")).unwrap().latency.p99, None);
}

#[test]
fn a_flow_that_did_not_come_about_is_told_in_the_tools_own_words() {
    for (file, words) in [
        ("iperf3/refused.json", "unable to connect to server: Connection refused"),
        ("iperf3/busy.json", "the server is busy running a test. try again later"),
        ("iperf3/killed-server.json", "control socket has closed unexpectedly"),
        ("iperf3/interrupted.json", "interrupt - the client has terminated"),
        ("iperf3/udp-interrupted.json", "interrupt - the client has terminated"),
        ("netperf/refused.txt", "are you sure there is a netserver listening"),
        ("netperf/killed-server.txt", "partial response received: 0 bytes"),
        ("ping/no-route.txt", "Network is unreachable"),
    ] {
        match parse(file) {
            Err(Refused::Failed(message)) => assert!(message.contains(words), "{file} {message}"),
            other => panic!("{file} {other:?}"),
        }
    }
    for file in ["ping/lost.txt", "ping/unreachable.txt"] {
        assert!(matches!(parse(file), Err(Refused::Zero(_))), "{file}");
    }
}

#[test]
fn a_flow_that_was_cut_short_is_none() {
    for file in [
        "iperf3/tcp.json",
        "iperf3/udp.json",
        "netperf/interrupted.txt",
        "netperf/tcp-stream.txt",
        "ping/ok.txt",
    ] {
        let (tool, printed) = find_recorded(file);
        let long = Flow { length: Length(Duration::from_secs(3)), ..flow_of(file) };
        let refused = tool.parse(&printed, &long).unwrap_err();
        assert!(matches!(refused, Refused::Short { .. }), "{file} {refused}");
    }
}

/// What a recorded output comes to with something in it replaced.
fn parse_with(file: &str, from: &str, to: &str) -> Result<Figures, Refused> {
    let (tool, mut printed) = find_recorded(file);
    assert!(printed.stdout.contains(from), "{file}");
    printed.stdout = printed.stdout.replace(from, to);
    tool.parse(&printed, &flow_of(file))
}

#[test]
fn transactions_that_stall_are_no_whole_flow() {
    // The eleventh of a second in which the answers still came has a mean as good as any.
    for (file, from, to) in [
        ("netperf/udp-rr.txt", "TRANSACTION_RATE=60337.645", "TRANSACTION_RATE=5500.000"),
        ("netperf/udp-rr.txt", "MEAN_LATENCY=16.50", "MEAN_LATENCY=13.20"),
        ("ping/loss.txt", "188 received", "159 received"),
    ] {
        let refused = parse_with(file, from, to).unwrap_err();
        assert!(matches!(refused, Refused::Short(_)), "{file} {refused}");
    }
    parse_with("ping/loss.txt", "188 received", "160 received").unwrap();
    parse_with("netperf/udp-rr.txt", "MEAN_LATENCY=16.50", "MEAN_LATENCY=13.30").unwrap();
    let stalled = parse_with("netperf/udp-rr.txt", "RATE=60337.645", "RATE=5500.000").unwrap_err();
    assert!(stalled.to_string().starts_with("its transactions took 0.18 s of 2.00 s, and"));
}

#[test]
fn transactions_without_a_mean_are_none() {
    for to in ["MEAN_LATENCY=-1", "MEAN_LATENCY=nan", "MEAN_LATENCY="] {
        let refused = parse_with("netperf/tcp-rr.txt", "MEAN_LATENCY=8.92", to).unwrap_err();
        assert_eq!(refused, Refused::Incomplete(format!("netperf tells no mean: {to}")));
    }
}

#[test]
fn nothing_that_arrived_is_no_rate_of_zero() {
    for (file, from, to) in [
        ("iperf3/tcp.json", "3641442304", "0"),
        ("iperf3/udp-dropped.json", "", ""),
        ("netperf/tcp-stream.txt", "REMOTE_RECV_THROUGHPUT=9638.64", "REMOTE_RECV_THROUGHPUT=0.00"),
        ("netperf/tcp-rr.txt", "TRANSACTION_RATE=111354.540", "TRANSACTION_RATE=0.000"),
    ] {
        let refused = parse_with(file, from, to).unwrap_err();
        assert!(matches!(refused, Refused::Zero(_)), "{file} {refused}");
    }
}

#[test]
fn every_tool_has_a_name_of_its_own_and_is_found_by_it() {
    for tool in TOOLS {
        assert_eq!(find(tool.name()).unwrap().name(), tool.name());
        assert_eq!(TOOLS.iter().filter(|other| other.name() == tool.name()).count(), 1);
    }
    assert!(find("iperf2").is_none());
}

const BETWEEN: Between = Between {
    server: IpAddr::V4(std::net::Ipv4Addr::new(198, 18, 0, 2)),
    client: IpAddr::V4(std::net::Ipv4Addr::new(198, 18, 0, 1)),
    port: 5002,
};

fn check_line(tool: &str, flow: &Flow, expected: Result<&str, &str>) {
    let line = find(tool).unwrap().client(flow, BETWEEN).map(|line| line.join(" "));
    assert_eq!(line.as_deref().map_err(String::as_str), expected, "{flow:?}");
}

#[test]
fn command_lines_ask_for_the_flow_and_nothing_else() {
    let udp = Flow {
        protocol: Protocol::Udp,
        direction: Direction::Both,
        streams: 4,
        omit: Length(Duration::from_secs(1)),
        rate: Some(1e9),
        block: Some(64),
        ..flow()
    };
    let base = "iperf3 -c 198.18.0.2 -B 198.18.0.1 -p 5002 -t 2 -J --get-server-output";
    check_line("iperf3", &flow(), Ok(base));
    check_line("iperf3", &udp, Ok(&format!("{base} -u --bidir -P 4 -O 1 -b 1000000000 -l 64")));
    let unlimited = Flow { protocol: Protocol::Udp, direction: Direction::Reverse, ..flow() };
    check_line("iperf3", &unlimited, Ok(&format!("{base} -u -R -b 0")));
    let rr = Flow { shape: Shape::RequestResponse, block: Some(1), ..flow() };
    check_line("iperf3", &rr, Err("iperf3 sends streams only: take netperf for transactions"));
    let keys = "THROUGHPUT,THROUGHPUT_UNITS,ELAPSED_TIME,LOCAL_CPU_UTIL,LOCAL_CPU_COUNT,REMOTE_CPU_UTIL,REMOTE_CPU_COUNT,\
        TRANSACTION_RATE,MIN_LATENCY,MEAN_LATENCY,P50_LATENCY,P90_LATENCY,P99_LATENCY,MAX_LATENCY,STDDEV_LATENCY";
    let netperf = "netperf -H 198.18.0.2 -L 198.18.0.1 -p 5002";
    check_line("netperf", &rr, Ok(&format!("{netperf} -t TCP_RR -l 2 -c -C -- -k {keys} -r 1,1")));
    check_line(
        "netperf",
        &udp,
        Err("netperf has one stream per process: ask for more `processes`"),
    );
    let half = Flow { length: Length(Duration::from_millis(1500)), ..rr.clone() };
    check_line("netperf", &half, Err("length: netperf takes whole seconds"));
    let ping = "ping -n -w 2 -W 1 -i 0.0100 -s 56 -I 198.18.0.1 198.18.0.2";
    let icmp = Flow { protocol: Protocol::Icmp, block: None, ..rr.clone() };
    check_line("ping", &icmp, Ok(ping));
    check_line("ping", &rr, Err("ping sends icmp requests and awaits their responses"));
}

#[test]
fn servers_stay_in_the_foreground_and_are_bound_to_their_address() {
    for (tool, expected) in [
        ("iperf3", Some("iperf3 -s -1 -J -B 198.18.0.2 -p 5002")),
        ("netperf", Some("netserver -D -f -L 198.18.0.2 -p 5002")),
        ("ping", None),
    ] {
        let line = find(tool).unwrap().server(&flow(), BETWEEN).map(|line| line.join(" "));
        assert_eq!(line.as_deref(), expected);
    }
}

/// What is left of an output is refused, or tells what the whole tells.
fn check_cut(file: &str, at: usize) {
    let (tool, mut printed) = find_recorded(file);
    let whole = tool.parse(&printed, &flow_of(file));
    let at =
        (0..=at.min(printed.stdout.len())).rev().find(|at| printed.stdout.is_char_boundary(*at));
    printed.stdout.truncate(at.unwrap_or(0));
    if let Ok(figures) = tool.parse(&printed, &flow_of(file)) {
        assert_eq!(Ok(figures), whole, "{file} cut at {at:?}");
    }
}

#[test]
fn an_output_that_lacks_its_end_never_looks_whole() {
    for (file, text, _) in RECORDED {
        // Where values stand last, every place counts.
        (text.len().saturating_sub(200)..=text.len()).for_each(|at| check_cut(file, at));
    }
}

proptest! {
    #[test]
    fn cutting_an_output_anywhere_never_makes_figures(index in 0..RECORDED.len(), part in 0.0..1.0_f64) {
        let (file, text, _) = RECORDED[index];
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a text")]
        check_cut(file, (text.len() as f64 * part) as usize);
    }

    #[test]
    fn text_of_any_kind_is_refused_without_a_panic(text in "(?s).{0,200}", code in 0..2_i32) {
        for tool in TOOLS {
            let printed = Printed { code, stdout: text.clone(), stderr: String::new() };
            prop_assert!(tool.parse(&printed, &flow()).is_err());
        }
    }
}
