//! [`Iperf3`]: bulk data over TCP or UDP, by `iperf3 -J`.
//!
//! The server serves one client and ends. What the receiver saw comes with the client's output.

use serde::Deserialize;

use super::figures::Figures;
use super::tool::{Between, NetTool, Printed, Refused, long_enough, own_words, words};
use crate::model::spec::network::{Direction, Flow, Protocol, Shape};

/// The tool.
pub(super) struct Iperf3;

impl NetTool for Iperf3 {
    fn name(&self) -> &'static str {
        "iperf3"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn server(&self, _: &Flow, between: Between) -> Option<Vec<String>> {
        let (ip, port) = (between.server.to_string(), between.port.to_string());
        Some(words(["iperf3", "-s", "-1", "-J", "-B", &ip, "-p", &port]))
    }

    fn client(&self, flow: &Flow, between: Between) -> Result<Vec<String>, String> {
        if flow.shape != Shape::Stream {
            return Err("iperf3 sends streams only: take netperf for transactions".to_owned());
        }
        let (server, client) = (between.server.to_string(), between.client.to_string());
        let (port, length) = (between.port.to_string(), seconds(flow.length.0, "length")?);
        let mut line = words(["iperf3", "-c", &server, "-B", &client, "-p", &port, "-t", &length]);
        line.extend(words(["-J", "--get-server-output"]));
        match flow.protocol {
            Protocol::Tcp => {}
            Protocol::Udp => line.extend(words(["-u"])),
            Protocol::Icmp => return Err("iperf3 speaks tcp and udp: take ping".to_owned()),
        }
        match flow.direction {
            Direction::Forward => {}
            Direction::Reverse => line.extend(words(["-R"])),
            Direction::Both => line.extend(words(["--bidir"])),
        }
        if flow.streams > 1 {
            line.extend(words(["-P", &flow.streams.to_string()]));
        }
        if !flow.omit.0.is_zero() {
            line.extend(words(["-O", &seconds(flow.omit.0, "omit")?]));
        }
        match flow.rate {
            Some(rate) => line.extend(words(["-b", &format!("{rate:.0}")])),
            // Unlike TCP, it sends 1 Mbit/s over UDP unless it is told otherwise.
            None if flow.protocol == Protocol::Udp => line.extend(words(["-b", "0"])),
            None => {}
        }
        if let Some(block) = flow.block {
            line.extend(words(["-l", &block.to_string()]));
        }
        Ok(line)
    }

    fn parse(&self, printed: &Printed, flow: &Flow) -> Result<Figures, Refused> {
        if printed.stdout.trim().is_empty() {
            return Err(match printed.code {
                0 => Refused::Incomplete("iperf3 printed nothing".to_owned()),
                _ => Refused::Failed(own_words(printed)),
            });
        }
        let output: Output = serde_json::from_str(&printed.stdout)
            .map_err(|error| Refused::Incomplete(format!("iperf3's output: {error}")))?;
        // It exits with 0 though it could not connect.
        if let Some(error) = output.error {
            return Err(Refused::Failed(error));
        }
        if printed.code != 0 {
            return Err(Refused::Failed(own_words(&Printed {
                stdout: String::new(),
                ..printed.clone()
            })));
        }
        figures(&output, flow)
    }
}

/// It takes whole seconds only.
fn seconds(length: std::time::Duration, key: &str) -> Result<String, String> {
    match length.subsec_nanos() {
        0 => Ok(length.as_secs().to_string()),
        _ => Err(format!("{key}: iperf3 takes whole seconds")),
    }
}

/// What it prints, in the versions from 3.0 on. Keys that some of them lack are optional.
#[derive(Debug, Deserialize)]
struct Output {
    #[serde(default)]
    start: Start,
    #[serde(default)]
    end: End,
    error: Option<String>,
    /// What the server printed, where it came with the client's output.
    server_output_json: Option<Server>,
}

#[derive(Debug, Deserialize)]
struct Server {
    #[serde(default)]
    end: End,
}

#[derive(Debug, Default, Deserialize)]
struct Start {
    test_start: Option<TestStart>,
}

#[derive(Debug, Deserialize)]
struct TestStart {
    blksize: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
struct End {
    sum: Option<Sum>,
    sum_sent: Option<Sum>,
    sum_received: Option<Sum>,
    sum_bidir_reverse: Option<Sum>,
    sum_sent_bidir_reverse: Option<Sum>,
    sum_received_bidir_reverse: Option<Sum>,
    cpu_utilization_percent: Option<Cpu>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Sum {
    seconds: f64,
    bytes: f64,
    bits_per_second: f64,
    retransmits: Option<f64>,
    packets: Option<f64>,
    lost_packets: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Cpu {
    host_total: Option<f64>,
    remote_total: Option<f64>,
}

/// One way of a flow.
struct Way {
    sent: Option<Sum>,
    received: Option<Sum>,
}

fn figures(output: &Output, flow: &Flow) -> Result<Figures, Refused> {
    let end = &output.end;
    let blksize = output.start.test_start.as_ref().and_then(|start| start.blksize);
    // Before 3.11 there is one sum of a UDP flow. It has what was sent, and looks whole where nothing arrived.
    let sent = end.sum_sent.or(end.sum);
    let counted = || {
        let server = output.server_output_json.as_ref()?.end.sum?;
        let known = flow.direction == Direction::Forward && flow.omit.0.is_zero();
        server.arrived_of(sent.filter(|_| known)?)
    };
    let forth = Way { sent, received: end.sum_received.or_else(counted) };
    let mut all = vec![one_way(&forth, flow, blksize)?];
    if flow.direction == Direction::Both {
        let back = Way {
            sent: end.sum_sent_bidir_reverse.or(end.sum_bidir_reverse),
            received: end.sum_received_bidir_reverse,
        };
        all.push(one_way(&back, flow, blksize)?);
    }
    let cpu = end.cpu_utilization_percent.as_ref();
    let client = cpu.and_then(|cpu| cpu.host_total).map(|percent| percent / 100.0);
    // A server that could not tell leaves it at 0.
    let server = cpu.and_then(|cpu| cpu.remote_total).filter(|percent| *percent > 0.0);
    let server = server.map(|percent| percent / 100.0);
    let (cpu_sender, cpu_receiver) = match flow.direction {
        Direction::Forward | Direction::Both => (client, server),
        Direction::Reverse => (server, client),
    };
    Ok(Figures { cpu_sender, cpu_receiver, ..Figures::together(&all) })
}

impl Sum {
    /// What arrived of `sent`, where this is the sum of the server that received it: it counts datagrams, up to the last
    /// one that it saw, and tells no bytes.
    fn arrived_of(self, sent: Sum) -> Option<Sum> {
        let arrived = self.packets? - self.lost_packets?;
        let part = arrived / sent.packets.filter(|packets| *packets > 0.0)?;
        let (bytes, bits_per_second) = (sent.bytes * part, sent.bits_per_second * part);
        Some(Sum {
            packets: Some(arrived),
            lost_packets: Some(0.0),
            bytes,
            bits_per_second,
            ..self
        })
    }
}

fn one_way(way: &Way, flow: &Flow, blksize: Option<f64>) -> Result<Figures, Refused> {
    let missing = |what| Refused::Incomplete(format!("iperf3 printed no sum of what {what}"));
    let sent = way.sent.ok_or_else(|| missing("was sent"))?;
    let received = way.received.ok_or_else(|| match flow.protocol {
        Protocol::Udp => missing("arrived: versions from 3.11 on do"),
        _ => missing("arrived"),
    })?;
    let nothing = || Refused::Zero(format!(" of {:.0} bytes that were sent", sent.bytes));
    if received.bytes <= 0.0 {
        return Err(nothing());
    }
    long_enough(received.seconds.min(sent.seconds), flow)?;
    let mut figures = Figures {
        received: Some(received.bits_per_second),
        sent: Some(sent.bits_per_second),
        retransmits: sent.retransmits,
        sending: sent.seconds,
        arriving: received.seconds,
        ..Figures::default()
    };
    if flow.protocol == Protocol::Udp {
        // Its count of lost datagrams has those of the omitted seconds in it, which its bytes have not.
        let arrived = match blksize.filter(|bytes| *bytes > 0.0) {
            Some(bytes) => Some(received.bytes / bytes),
            None => received.packets.zip(received.lost_packets).map(|(all, lost)| all - lost),
        };
        if arrived.is_some_and(|packets| packets <= 0.0) {
            return Err(nothing());
        }
        figures.packets_received = arrived.map(|packets| packets / received.seconds);
        figures.packets_sent = sent.packets.map(|packets| packets / sent.seconds);
        figures.lost = arrived
            .zip(sent.packets.filter(|packets| *packets > 0.0))
            .map(|(arrived, sent)| (1.0 - arrived / sent).max(0.0));
    }
    Ok(figures)
}
