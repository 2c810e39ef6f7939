//! [`Ping`]: echo requests, by `ping` of iputils. It needs no server.

use super::figures::{Figures, Latency};
use super::tool::{Between, NetTool, Printed, Refused, WHOLE, long_enough, own_words, words};
use crate::model::spec::network::{Flow, Protocol, Shape};

/// The tool.
pub(super) struct Ping;

/// The time between two requests where no rate is asked for, in seconds: the least that users other than root could
/// always take is 0.2, and 0.002 since 2021.
const INTERVAL: f64 = 0.01;

/// The payload of a request where the flow says nothing, in bytes: ping's own default.
const PAYLOAD: u32 = 56;

impl NetTool for Ping {
    fn name(&self) -> &'static str {
        "ping"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn server(&self, _: &Flow, _: Between) -> Option<Vec<String>> {
        None
    }

    fn client(&self, flow: &Flow, between: Between) -> Result<Vec<String>, String> {
        if flow.protocol != Protocol::Icmp || flow.shape != Shape::RequestResponse {
            return Err("ping sends icmp requests and awaits their responses".to_owned());
        }
        if flow.streams > 1 || flow.processes > 1 || !flow.omit.0.is_zero() {
            return Err("ping has one stream and counts from its first request".to_owned());
        }
        if flow.length.0.subsec_nanos() != 0 {
            return Err("length: ping takes whole seconds".to_owned());
        }
        let length = flow.length.0.as_secs().to_string();
        let payload = flow.block.unwrap_or(PAYLOAD);
        let interval = match flow.rate {
            Some(rate) if rate > 0.0 => f64::from(payload) * 8.0 / rate,
            _ => INTERVAL,
        };
        let (interval, payload) = (format!("{interval:.4}"), payload.to_string());
        let (server, client) = (between.server.to_string(), between.client.to_string());
        let line = words(["ping", "-n", "-w", &length, "-W", "1", "-i", &interval]);
        Ok([line, words(["-s", &payload, "-I", &client, &server])].concat())
    }

    fn parse(&self, printed: &Printed, flow: &Flow) -> Result<Figures, Refused> {
        // It exits with 1 where answers are missing, which the summary tells better.
        let summary = match Summary::of(&printed.stdout) {
            Some(summary) => summary,
            None if printed.code != 0 => return Err(Refused::Failed(own_words(printed))),
            None => return Err(Refused::Incomplete("ping printed no summary".to_owned())),
        };
        if summary.received <= 0.0 {
            return Err(Refused::Zero(format!(
                " in answer to {:.0} requests: {}",
                summary.sent,
                own_words(printed)
            )));
        }
        let times = summary.times.ok_or_else(|| {
            Refused::Incomplete("ping's summary has no round-trip times".to_owned())
        })?;
        long_enough(summary.seconds, flow)?;
        // The mean is of those that were answered: too many others and it is no figure of the network.
        if summary.received < summary.sent * WHOLE {
            let Summary { sent, received, .. } = summary;
            let message = format!("{received:.0} of {sent:.0} requests were answered");
            return Err(Refused::Short(message));
        }
        let mut each = each_time(&printed.stdout);
        each.sort_unstable_by(f64::total_cmp);
        let Times { min, mean, max, deviation } = times;
        Ok(Figures {
            lost: Some((1.0 - summary.received / summary.sent).clamp(0.0, 1.0)),
            transactions: Some(summary.received / summary.seconds),
            latency: Latency {
                min: Some(min),
                mean: Some(mean),
                p50: percentile(&each, 2, 1),
                p90: percentile(&each, 10, 9),
                p99: percentile(&each, 100, 99),
                max: Some(max),
                stddev: Some(deviation),
            },
            sending: summary.seconds,
            arriving: summary.seconds,
            ..Figures::default()
        })
    }
}

struct Summary {
    sent: f64,
    received: f64,
    seconds: f64,
    times: Option<Times>,
}

struct Times {
    min: f64,
    mean: f64,
    max: f64,
    deviation: f64,
}

impl Summary {
    /// `113 packets transmitted, 113 received, 0% packet loss, time 1986ms`, and
    /// `rtt min/avg/max/mdev = 0.037/0.047/0.064/0.005 ms` below it where anything was received.
    fn of(text: &str) -> Option<Self> {
        // A line without an end may be half of one.
        let mut lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let counts = lines.find(|line| line.contains(" packets transmitted, "))?;
        let part = |end: &str| {
            counts.split(", ").find_map(|part| part.strip_suffix(end)?.trim().parse::<f64>().ok())
        };
        let took = counts.rsplit_once(", time ")?.1.strip_suffix("ms")?;
        let (sent, received) = (part(" packets transmitted")?, part(" received")?);
        let seconds = took.parse::<f64>().ok()? / 1000.0;
        let times = lines.find_map(|line| {
            let (_, values) = line.strip_prefix("rtt ")?.split_once(" = ")?;
            let values: Vec<f64> = values
                .split_once(" ms")?
                .0
                .split('/')
                .map(|value| Some(value.parse::<f64>().ok()? / 1000.0))
                .collect::<Option<_>>()?;
            let [min, mean, max, deviation] = *values.as_slice() else { return None };
            Some(Times { min, mean, max, deviation })
        });
        Some(Self { sent, received, seconds, times })
    }
}

/// The time of every answer, in seconds.
fn each_time(text: &str) -> Vec<f64> {
    let time = |line: &str| {
        let (_, time) = line.split_once(" time=")?;
        Some(time.strip_suffix(" ms")?.parse::<f64>().ok()? / 1000.0)
    };
    // Answers that came twice are no transactions.
    text.lines().filter(|line| !line.ends_with("(DUP!)")).filter_map(time).collect()
}

/// The value that `part` of `whole` values lie below or at, by nearest rank; `None` of fewer than `whole` values.
fn percentile(sorted: &[f64], whole: usize, part: usize) -> Option<f64> {
    let rank = (sorted.len() * part).div_ceil(whole);
    (sorted.len() >= whole).then(|| sorted.get(rank - 1).copied()).flatten()
}
