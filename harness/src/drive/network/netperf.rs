//! [`Netperf`]: transactions and bulk data, by netperf's omni tests.
//!
//! Figures are asked for and read by their keys (`-k`), so that a warning among them does no harm.

use std::collections::BTreeMap;

use super::figures::{Figures, Latency};
use super::tool::{Between, NetTool, Printed, Refused, WHOLE, long_enough, own_words, words};
use crate::model::spec::network::{Direction, Flow, Protocol, Shape};

/// The tool.
pub(super) struct Netperf;

/// What every test is asked for.
const ALWAYS: &[&str] = &[
    "THROUGHPUT",
    "THROUGHPUT_UNITS",
    "ELAPSED_TIME",
    "LOCAL_CPU_UTIL",
    "LOCAL_CPU_COUNT",
    "REMOTE_CPU_UTIL",
    "REMOTE_CPU_COUNT",
];

const TRANSACTIONS: &[&str] = &[
    "TRANSACTION_RATE",
    "MIN_LATENCY",
    "MEAN_LATENCY",
    "P50_LATENCY",
    "P90_LATENCY",
    "P99_LATENCY",
    "MAX_LATENCY",
    "STDDEV_LATENCY",
];

const STREAM: &[&str] = &[
    "LOCAL_SEND_THROUGHPUT",
    "LOCAL_RECV_THROUGHPUT",
    "REMOTE_SEND_THROUGHPUT",
    "REMOTE_RECV_THROUGHPUT",
    "LOCAL_SEND_CALLS",
    "LOCAL_RECV_CALLS",
    "REMOTE_SEND_CALLS",
    "REMOTE_RECV_CALLS",
    "LOCAL_TRANSPORT_RETRANS",
    "REMOTE_TRANSPORT_RETRANS",
];

impl NetTool for Netperf {
    fn name(&self) -> &'static str {
        "netperf"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn server(&self, _: &Flow, between: Between) -> Option<Vec<String>> {
        let (ip, port) = (between.server.to_string(), between.port.to_string());
        // In one process that stays in the foreground, so that ending it ends all of it.
        Some(words(["netserver", "-D", "-f", "-L", &ip, "-p", &port]))
    }

    fn client(&self, flow: &Flow, between: Between) -> Result<Vec<String>, String> {
        let test = test(flow)?;
        let (server, client) = (between.server.to_string(), between.client.to_string());
        let port = between.port.to_string();
        let length = flow.length.0;
        if length.subsec_nanos() != 0 {
            return Err("length: netperf takes whole seconds".to_owned());
        }
        let length = length.as_secs().to_string();
        let mut line = words(["netperf", "-H", &server, "-L", &client, "-p", &port, "-t", test]);
        line.extend(words(["-l", &length, "-c", "-C", "--", "-k", &keys(flow).join(",")]));
        match (flow.shape, flow.direction) {
            (Shape::Stream, Direction::Reverse) => {
                line.extend(flow.block.iter().flat_map(|block| words(["-M", &block.to_string()])));
            }
            (Shape::Stream, _) => {
                line.extend(flow.block.iter().flat_map(|block| words(["-m", &block.to_string()])));
            }
            (Shape::RequestResponse | Shape::ConnectRequestResponse, _) => {
                let pair = |block: &u32| words(["-r", &format!("{block},{block}")]);
                line.extend(flow.block.iter().flat_map(pair));
            }
        }
        if test == "UDP_STREAM" {
            // It asks the kernel not to route datagrams unless it is told that they may be.
            line.extend(words(["-R", "1"]));
        }
        Ok(line)
    }

    fn parse(&self, printed: &Printed, flow: &Flow) -> Result<Figures, Refused> {
        if printed.code != 0 {
            return Err(Refused::Failed(own_words(printed)));
        }
        let values = Values::of(&printed.stdout, flow).ok_or_else(|| {
            let words = own_words(printed);
            Refused::Incomplete(format!("netperf printed not all keys it was asked for: {words}"))
        })?;
        let lasted = values.number("ELAPSED_TIME").unwrap_or(0.0);
        let mut figures =
            Figures { sending: lasted, arriving: lasted, of_machine: true, ..Figures::default() };
        let (local, remote) = (values.cores("LOCAL"), values.cores("REMOTE"));
        let from_here = flow.shape != Shape::Stream || flow.direction != Direction::Reverse;
        (figures.cpu_sender, figures.cpu_receiver) =
            if from_here { (local, remote) } else { (remote, local) };
        match flow.shape {
            Shape::Stream => values.stream(flow, from_here, &mut figures)?,
            Shape::RequestResponse | Shape::ConnectRequestResponse => {
                values.transactions(&mut figures)?;
            }
        }
        long_enough(lasted, flow)?;
        Ok(figures)
    }
}

/// The name of its test, or what it cannot do.
fn test(flow: &Flow) -> Result<&'static str, String> {
    let cannot = |what: &str| Err(format!("netperf {what}"));
    if flow.streams > 1 {
        return cannot("has one stream per process: ask for more `processes`");
    }
    if !flow.omit.0.is_zero() {
        return cannot("counts from its first second: leave `omit` out");
    }
    if flow.rate.is_some() {
        return cannot("sends as fast as it can: take iperf3 for a rate");
    }
    match (flow.shape, flow.protocol, flow.direction) {
        (_, Protocol::Icmp, _) => cannot("speaks tcp and udp: take ping"),
        (Shape::RequestResponse, Protocol::Tcp, _) => Ok("TCP_RR"),
        (Shape::RequestResponse, Protocol::Udp, _) => Ok("UDP_RR"),
        (Shape::ConnectRequestResponse, Protocol::Tcp, _) => Ok("TCP_CRR"),
        (Shape::ConnectRequestResponse, Protocol::Udp, _) => cannot("connects over tcp only"),
        (Shape::Stream, Protocol::Tcp, Direction::Forward) => Ok("TCP_STREAM"),
        (Shape::Stream, Protocol::Tcp, Direction::Reverse) => Ok("TCP_MAERTS"),
        (Shape::Stream, Protocol::Udp, Direction::Forward) => Ok("UDP_STREAM"),
        (Shape::Stream, _, Direction::Both) => cannot("sends one way at a time: take iperf3"),
        (Shape::Stream, Protocol::Udp, Direction::Reverse) => {
            cannot("sends datagrams from the client only: take iperf3")
        }
    }
}

fn keys(flow: &Flow) -> Vec<&'static str> {
    let own = match flow.shape {
        Shape::Stream => STREAM,
        Shape::RequestResponse | Shape::ConnectRequestResponse => TRANSACTIONS,
    };
    ALWAYS.iter().chain(own).copied().collect()
}

/// What stood behind the keys that were asked for, all of them.
struct Values<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Values<'a> {
    fn of(text: &'a str, flow: &Flow) -> Option<Self> {
        // A line without an end may be half of one.
        let lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let values: BTreeMap<&str, &str> = lines.filter_map(|line| line.split_once('=')).collect();
        keys(flow).iter().all(|key| values.contains_key(key)).then_some(Self(values))
    }

    /// It writes -1 where it does not know.
    fn number(&self, key: &str) -> Option<f64> {
        let value: f64 = self.0.get(key)?.trim().parse().ok()?;
        (value.is_finite() && value >= 0.0).then_some(value)
    }

    fn positive(&self, key: &str, of: &str) -> Result<f64, Refused> {
        let found = self.number(key).filter(|value| *value > 0.0);
        found.ok_or_else(|| Refused::Zero(of.to_owned()))
    }

    /// The use of a whole machine: it tells the part of all processors.
    fn cores(&self, end: &str) -> Option<f64> {
        let percent = self.number(&format!("{end}_CPU_UTIL"))?;
        let count = self.number(&format!("{end}_CPU_COUNT")).filter(|count| *count > 0.0)?;
        // More than all of them is what it tells when it counted wrong.
        (percent <= 100.0).then_some(percent / 100.0 * count)
    }

    /// One transaction is under way at any time, so that together they fill their time, unless one never ended: over UDP
    /// nothing is sent again. Where a datagram is lost netperf waits for its answer until the time is over, tells the
    /// mean of what came before, and exits with 0.
    fn transactions(&self, into: &mut Figures) -> Result<(), Refused> {
        let rate = self.positive("TRANSACTION_RATE", " in answer to a request")?;
        into.latency = self.latency();
        let Some(mean) = into.latency.mean else {
            let told = self.0.get("MEAN_LATENCY").unwrap_or(&"");
            let message = format!("netperf tells no mean: MEAN_LATENCY={told}");
            return Err(Refused::Incomplete(message));
        };
        into.transactions = Some(rate);
        let (filled, lasted) = (rate * mean, into.arriving);
        if filled < WHOLE {
            return Err(Refused::Short(format!(
                "its transactions took {:.2} s of {lasted:.2} s, and the rest it waited for an answer that never came: \
                 a request or its response was lost",
                filled * lasted
            )));
        }
        Ok(())
    }

    /// It tells microseconds.
    fn latency(&self) -> Latency {
        let of = |name: &str| self.number(&format!("{name}_LATENCY")).map(|value| value / 1e6);
        Latency {
            min: of("MIN"),
            mean: of("MEAN"),
            p50: of("P50"),
            p90: of("P90"),
            p99: of("P99"),
            max: of("MAX"),
            stddev: of("STDDEV"),
        }
    }

    fn stream(&self, flow: &Flow, from_here: bool, into: &mut Figures) -> Result<(), Refused> {
        let unit = match self.0.get("THROUGHPUT_UNITS").copied() {
            Some("10^6bits/s") => 1e6,
            other => {
                let other = other.unwrap_or_default();
                return Err(Refused::Incomplete(format!("netperf counts in {other:?}")));
            }
        };
        let (sender, receiver) = if from_here { ("LOCAL", "REMOTE") } else { ("REMOTE", "LOCAL") };
        let received = format!("{receiver}_RECV_THROUGHPUT");
        into.received = Some(self.positive(&received, "")? * unit);
        into.sent = self.number(&format!("{sender}_SEND_THROUGHPUT")).map(|value| value * unit);
        if flow.protocol == Protocol::Tcp {
            into.retransmits = self.number(&format!("{sender}_TRANSPORT_RETRANS"));
        } else if into.sending > 0.0 {
            let sent = self.number(&format!("{sender}_SEND_CALLS"));
            let arrived = self.number(&format!("{receiver}_RECV_CALLS"));
            into.packets_sent = sent.map(|packets| packets / into.sending);
            into.packets_received = arrived.map(|packets| packets / into.arriving);
            into.lost = arrived
                .zip(sent.filter(|packets| *packets > 0.0))
                .map(|(arrived, sent)| (1.0 - arrived / sent).max(0.0));
        }
        Ok(())
    }
}
