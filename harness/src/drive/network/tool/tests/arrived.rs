//! Who can say what arrived of datagrams.

use super::*;

/// What iperf3 before 3.11 makes of a recorded flow: without the sums of either end. Its server tells no more either.
fn before_3_11(file: &str, server: bool) -> Result<Figures, Refused> {
    let (tool, mut printed) = find_recorded(file);
    let mut output: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
    for end in ["/end", "/server_output_json/end"] {
        let end = output.pointer_mut(end).unwrap().as_object_mut().unwrap();
        end.retain(|key, _| !key.starts_with("sum_sent") && !key.starts_with("sum_received"));
    }
    if !server {
        output.as_object_mut().unwrap().remove("server_output_json");
    }
    printed.stdout = output.to_string();
    tool.parse(&printed, &flow_of(file))
}

/// The one sum of the client has what was sent as if it had arrived: nothing is lost in it where nothing arrives. Only
/// the server's own count can be believed.
#[test]
fn a_version_that_tells_less_is_believed_where_its_server_counted() {
    let (old, new) =
        (before_3_11("iperf3/udp.json", true).unwrap(), parse("iperf3/udp.json").unwrap());
    for (old, new) in [
        (old.received, new.received),
        (old.packets_received, new.packets_received),
        (old.packets_sent, new.packets_sent),
        (old.lost, new.lost),
    ] {
        assert!(close(old, new.unwrap()), "{old:?} {new:?}");
    }
    let dropped = before_3_11("iperf3/udp-dropped.json", true).unwrap_err();
    assert!(matches!(dropped, Refused::Zero(_)), "{dropped}");
    for (file, server) in [
        ("iperf3/udp.json", false),
        ("iperf3/udp-dropped.json", false),
        ("iperf3/udp-reverse.json", true),
        ("iperf3/udp-bidir.json", true),
    ] {
        let refused = before_3_11(file, server).unwrap_err();
        assert!(refused.to_string().contains("versions from 3.11 on do"), "{file} {refused}");
    }
}

#[test]
fn datagrams_that_were_all_lost_are_no_flow() {
    let lost = r#"{"end": {"sum_sent": {"seconds": 2.0, "bytes": 1280, "bits_per_second": 5120, "packets": 20},
        "sum_received": {"seconds": 2.0, "bytes": 1, "bits_per_second": 4, "packets": 20, "lost_packets": 20}}}"#;
    let printed = Printed { stdout: lost.to_owned(), ..Printed::default() };
    let refused = find("iperf3").unwrap().parse(&printed, &flow_of("udp")).unwrap_err();
    assert!(matches!(refused, Refused::Zero(_)), "{refused}");
}
