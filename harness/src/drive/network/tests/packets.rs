//! What tools say of packets, beside what interfaces counted.

use super::*;
use crate::model::Incident;
use crate::model::spec::network::Direction;

const UDP: &str = include_str!("../../../../tests/data/network/tools/iperf3/udp.json");
const OMIT: &str = include_str!("../../../../tests/data/network/tools/iperf3/udp-omit.json");
const REVERSE: &str = include_str!("../../../../tests/data/network/tools/iperf3/udp-reverse.json");
const LATE: &str = include_str!("../../../../tests/data/network/tools/iperf3/udp-late.json");
const STREAM: &str = include_str!("../../../../tests/data/network/tools/netperf/udp-stream.txt");

/// Walks through a test whose client prints `output`, where the client's interface counts so many packets that are sent,
/// and the server's so many that are received. Few go the other way.
async fn observed(
    test: Test,
    (file, output): (&'static str, &str),
    [sent, arrived]: [u64; 2],
) -> Observation {
    let ends = [("client", [7, sent, 0, 0]), ("server", [arrived, 5, 0, 0])];
    observed_with(test, &[(file, output)], ends, None).await
}

/// The same with all that both ends count, and when the clients began and ended.
async fn observed_with(
    test: Test,
    printed: &[(&'static str, &str)],
    ends: [(&'static str, [u64; 4]); 2],
    timing: Option<&str>,
) -> Observation {
    let world = world(printed);
    {
        let mut world = world.lock().unwrap();
        world.packets = ends.into();
        world.timing = timing.map(str::to_owned);
    }
    let spec = NetworkSpec { tests: vec![test], ..fake::spec() };
    let (mut seen, ended) = walk(&spec, &world).await;
    ended.unwrap();
    seen.swap_remove(2)
}

fn udp(name: &str, topic: Topic) -> Test {
    let flow = Flow { protocol: Protocol::Udp, block: Some(64), ..fake::flow() };
    Test { topic, flow, ..fake::test(name) }
}

/// What the notes say that differs.
fn told(seen: &Observation) -> Vec<&str> {
    let word = |incident: &'_ Incident| match &*incident.message {
        message if message.contains("packets/s were sent") => "sent",
        message if message.contains("packets/s were received") => "received",
        message => panic!("{message}"),
    };
    assert!(seen.incidents.iter().all(|incident| incident.kind == EventKind::Note));
    seen.incidents.iter().map(word).collect()
}

#[tokio::test(start_paused = true)]
async fn packets_are_held_against_what_the_interfaces_counted() {
    // Sent were 195,263, and 172,205 arrived.
    for (counted, notes) in [
        ([195_263, 172_205], &[][..]),
        ([195_263, 195_263], &["received"]),
        ([172_205, 172_205], &["sent"]),
        ([300_000, 300_000], &["sent", "received"]),
    ] {
        for (test, file) in [
            (udp("pps_single", Topic::Pps), "pps_single_udp.json"),
            (udp("throughput_udp", Topic::Throughput), "throughput_udp.json"),
        ] {
            let seen = observed(test, (file, UDP), counted).await;
            assert_eq!(told(&seen), notes, "{file}");
            // Of the times that both ends say that they counted.
            let [sent, arrived] = counted.map(|packets| packets as f64);
            assert_eq!(value(&seen, "net.packets.sent.counted"), Some(sent / 2.000_08));
            assert_eq!(value(&seen, "net.packets.counted"), Some(arrived / 2.000_147));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_from_the_server_is_counted_as_sent_there() {
    let mut test = udp("pps_reverse", Topic::Pps);
    test.flow.direction = Direction::Reverse;
    let seen = observed(test, ("pps_reverse_udp.json", UDP), [1000, 2000]).await;
    assert_eq!(value(&seen, "net.packets.sent.counted"), Some(5.0 / 2.000_08));
    assert_eq!(value(&seen, "net.packets.counted"), Some(7.0 / 2.000_147));
}

#[tokio::test(start_paused = true)]
async fn seconds_that_are_left_out_are_counted_by_interfaces_all_the_same() {
    let mut test = udp("pps_single", Topic::Pps);
    test.flow.omit = Length(Duration::from_secs(1));
    // Of two seconds the tool says 78,105 and 78,085.
    let seen = observed(test, ("pps_single_udp.json", OMIT), [117_000, 116_700]).await;
    assert_eq!(told(&seen), [""; 0]);
    assert_eq!(value(&seen, "net.packets.sent.counted"), Some(117_000.0 / 3.000_037));
    assert_eq!(value(&seen, "net.packets.counted"), Some(116_700.0 / 3.000_151));
}

#[tokio::test(start_paused = true)]
async fn what_arrives_late_is_counted_for_as_long_as_the_server_waits_for_it() {
    let mut test = udp("pps_single", Topic::Pps);
    test.flow.length = Length(Duration::from_secs(3));
    // Of 667,080 that were sent in 3 s, the server had 2,239 after 3.33 s, 673 per second.
    for (arrived, notes) in [(2256, &["sent"][..]), (2400, &["sent", "received"])] {
        let seen = observed(test.clone(), ("pps_single_udp.json", LATE), [344_538, arrived]).await;
        assert_eq!(told(&seen), notes, "{arrived}");
    }
}

#[tokio::test(start_paused = true)]
async fn packets_of_processes_are_counted_each_for_as_long_as_it_took() {
    let mut test = udp("pps_multi", Topic::Pps);
    test.flow.processes = 2;
    let files = ["pps_multi_stream_1_port_5001.json", "pps_multi_stream_2_port_5002.json"];
    let ends = [("client", [7, 195_263 + 667_080, 0, 0]), ("server", [172_205 + 2_239, 5, 0, 0])];
    let timing =
        format!("{} 0 10.7 12.8\n{} 0 10.0 13.4\nall clients have ended\n", files[0], files[1]);
    let printed = [(files[0], UDP), (files[1], LATE)];
    let seen = observed_with(test, &printed, ends, Some(&timing)).await;
    assert_eq!(told(&seen), [""; 0]);
    for figure in ["net.packets", "net.packets.sent"] {
        let told = value(&seen, figure).unwrap();
        let counted = value(&seen, &format!("{figure}.counted")).unwrap();
        assert!((told / counted - 1.0).abs() < 1e-9, "{figure}: {told} and {counted}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_became_of_packets_is_looked_for_at_the_end_where_it_happens() {
    for (direction, file, ends) in [
        (Direction::Forward, UDP, [[7, 100_000, 95_263, 3], [180_000, 5, 4, 7_795]]),
        // Sent are 78,118, of which 77,728 arrive.
        (Direction::Reverse, REVERSE, [[80_000, 5, 4, 2_272], [7, 70_000, 8_118, 3]]),
    ] {
        let mut test = udp("pps_one_way", Topic::Pps);
        test.flow.direction = direction;
        let ends = [("client", ends[0]), ("server", ends[1])];
        let seen = observed_with(test, &[("pps_one_way_udp.json", file)], ends, None).await;
        assert_eq!(told(&seen), ["sent", "received"], "{direction:?}");
        for (incident, reason) in seen.incidents.iter().zip(["it dropped", "found a socket"]) {
            let message = &incident.message;
            let explained = message.contains(reason) && !message.contains("look for");
            assert!(explained, "{direction:?}: {message}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn datagrams_that_are_no_packets_are_not_held_against_them() {
    let large = |tool: &str, name: &str, block| {
        let test = udp(name, Topic::Throughput);
        Test { tool: tool.to_owned(), flow: Flow { block, ..test.flow }, ..test }
    };
    let counted = [1_000_000, 1_000_000];
    for (tool, name, file, block, notes) in [
        ("iperf3", "throughput_udp", ("throughput_udp.json", UDP), Some(8192), 0),
        // It takes what fits into a packet.
        ("iperf3", "throughput_udp", ("throughput_udp.json", UDP), None, 2),
        // It takes the largest datagram that there is.
        ("netperf", "stream", ("throughput_stream_udp.txt", STREAM), None, 0),
        ("netperf", "stream", ("throughput_stream_udp.txt", STREAM), Some(64), 2),
    ] {
        let seen = observed(large(tool, name, block), file, counted).await;
        assert_eq!(told(&seen).len(), notes, "{tool} {block:?}");
    }
}
