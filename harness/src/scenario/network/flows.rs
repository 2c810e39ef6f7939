//! [`tests`]: the tests of a trial, from `[network]` and the built-in ones.

use super::sound;
use crate::model::quantity::{Length, Quantity};
use crate::model::spec::network::{Beside, Direction, Flow, Protocol, Shape, Test, Topic};
use crate::model::{Params, Unit, template};
use crate::scenario::error::hint;
use crate::scenario::file::{NetworkProtocol, TestTable};

/// The names of all built-in tests.
pub const BUILT_IN: &[&str] = &[
    "throughput_single",
    "throughput_multi",
    "throughput_parallel",
    "throughput_udp",
    "throughput_reverse",
    "throughput_both",
    "stream",
    "maerts",
    "tcp_rr",
    "udp_rr",
    "tcp_crr",
    "ping",
    "pps_single",
    "pps_multi",
    "latency_under_load",
];

/// The network tools.
pub const TOOLS: &[&str] = &["iperf3", "netperf", "ping"];

/// A key below `[network]` that cannot be used, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The key, for example `tests`, `2`, `rate`.
    pub key: Vec<String>,
    /// What was expected.
    pub message: String,
}

/// The tests of a trial with these parameters, in order.
///
/// # Errors
/// [`Refused`] for a value that is not what its key asks for, or a placeholder that is no parameter.
pub fn tests(network: &NetworkProtocol, params: &Params) -> Result<Vec<Test>, Refused> {
    let reader = Reader { network, params };
    let tests = network.tests.iter().enumerate();
    tests.map(|(index, test)| reader.test(index, &test.0)).collect()
}

struct Reader<'a> {
    network: &'a NetworkProtocol,
    params: &'a Params,
}

impl Reader<'_> {
    fn test(&self, index: usize, table: &TestTable) -> Result<Test, Refused> {
        let at = |key: &str| vec!["tests".to_owned(), index.to_string(), key.to_owned()];
        let refused = |key: &str, message: String| Refused { key: at(key), message };
        let mut test = match &table.like {
            Some(like) => self.built_in(like)?.ok_or_else(|| unknown("like", index, like))?,
            None => {
                let needs = |key: &str, is_there: bool| match is_there {
                    true => Ok(()),
                    false => Err(refused(key, format!("a test without `like` needs `{key}`"))),
                };
                needs("name", table.name.is_some())?;
                needs("topic", table.topic.is_some())?;
                needs("tool", table.tool.is_some())?;
                needs("shape", table.shape.is_some())?;
                needs("protocol", table.protocol.is_some())?;
                Test {
                    name: String::new(),
                    topic: Topic::Throughput,
                    tool: String::new(),
                    flow: self.flow()?,
                    beside: None,
                }
            }
        };
        set(&mut test.name, table.name.clone());
        set(&mut test.topic, table.topic);
        set(&mut test.tool, table.tool.clone());
        sound::tool(&test.tool).map_err(|message| refused("tool", message))?;
        let flow = &mut test.flow;
        if table.like.is_none() && test.tool == "netperf" {
            flow.port = self.network.control_port;
        }
        set(&mut flow.shape, table.shape);
        set(&mut flow.protocol, table.protocol);
        set(&mut flow.direction, table.direction);
        set(&mut flow.processes, table.processes);
        set(&mut flow.streams, table.streams);
        set(&mut flow.port, table.port);
        if let Some(length) = &table.length {
            flow.length = self.length(at("length"), length)?;
        }
        if let Some(omit) = &table.omit {
            flow.omit = self.length(at("omit"), omit)?;
        }
        if let Some(rate) = &table.rate {
            flow.rate = Some(self.rate(at("rate"), rate)?);
        }
        if let Some(block) = &table.block {
            flow.block = Some(self.block(at("block"), block)?);
        }
        sound::flow(flow).map_err(|(key, message)| refused(key, message))?;
        let (length, omit) = (flow.length, flow.omit);
        if let Some(beside) = &table.beside {
            let other = self.built_in(beside)?.ok_or_else(|| unknown("beside", index, beside))?;
            test.beside = Some(Box::new(Beside { tool: other.tool, flow: other.flow }));
        }
        if let Some(beside) = &mut test.beside {
            (beside.flow.length, beside.flow.omit) = (length, omit);
        }
        Ok(test)
    }

    /// One stream of bulk data.
    fn flow(&self) -> Result<Flow, Refused> {
        let key = |key: &str| vec![key.to_owned()];
        Ok(Flow {
            shape: Shape::Stream,
            protocol: Protocol::Tcp,
            direction: Direction::Forward,
            processes: 1,
            streams: 1,
            length: self.length(key("length"), &self.network.length)?,
            omit: self.length(key("omit"), &self.network.omit)?,
            rate: None,
            block: None,
            port: self.network.port,
        })
    }

    fn built_in(&self, name: &str) -> Result<Option<Test>, Refused> {
        let network = self.network;
        let flow = self.flow()?;
        // These know no time that does not count.
        let netperf = Flow {
            port: network.control_port,
            omit: Length(std::time::Duration::ZERO),
            ..flow.clone()
        };
        let (topic, tool, flow) = match name {
            "throughput_single" => (Topic::Throughput, "iperf3", flow),
            "throughput_multi" => {
                (Topic::Throughput, "iperf3", Flow { processes: network.processes, ..flow })
            }
            "throughput_parallel" => {
                (Topic::Throughput, "iperf3", Flow { streams: network.streams, ..flow })
            }
            "throughput_reverse" => {
                (Topic::Throughput, "iperf3", Flow { direction: Direction::Reverse, ..flow })
            }
            "throughput_both" => {
                (Topic::Throughput, "iperf3", Flow { direction: Direction::Both, ..flow })
            }
            "throughput_udp" => {
                let rate = self.rate(vec!["udp_rate".to_owned()], &network.udp_rate)?;
                let block = network.udp_block.as_ref();
                let block = block.map(|block| self.block(vec!["udp_block".to_owned()], block));
                let (rate, block) = (Some(rate), block.transpose()?);
                (Topic::Throughput, "iperf3", Flow { protocol: Protocol::Udp, rate, block, ..flow })
            }
            "pps_single" | "pps_multi" => {
                let rate = network.pps_rate.as_ref();
                let rate = rate.map(|rate| self.rate(vec!["pps_rate".to_owned()], rate));
                let block = self.block(vec!["pps_block".to_owned()], &network.pps_block)?;
                let (rate, block) = (rate.transpose()?, Some(block));
                let processes = if name == "pps_multi" { network.processes } else { 1 };
                let flow = Flow { protocol: Protocol::Udp, rate, block, processes, ..flow };
                (Topic::Pps, "iperf3", flow)
            }
            "stream" => (Topic::Throughput, "netperf", netperf),
            "maerts" => {
                (Topic::Throughput, "netperf", Flow { direction: Direction::Reverse, ..netperf })
            }
            "tcp_rr" | "latency_under_load" => {
                (Topic::Latency, "netperf", Flow { shape: Shape::RequestResponse, ..netperf })
            }
            "udp_rr" => {
                let shape = Shape::RequestResponse;
                (Topic::Latency, "netperf", Flow { shape, protocol: Protocol::Udp, ..netperf })
            }
            "tcp_crr" => {
                let shape = Shape::ConnectRequestResponse;
                (Topic::Latency, "netperf", Flow { shape, ..netperf })
            }
            "ping" => {
                let shape = Shape::RequestResponse;
                (Topic::Latency, "ping", Flow { shape, protocol: Protocol::Icmp, ..netperf })
            }
            _ => return Ok(None),
        };
        let beside = match name {
            "latency_under_load" => {
                Some(Box::new(Beside { tool: "iperf3".to_owned(), flow: self.flow()? }))
            }
            _ => None,
        };
        Ok(Some(Test { name: name.to_owned(), topic, tool: tool.to_owned(), flow, beside }))
    }

    fn render(&self, key: &[String], text: &str) -> Result<String, Refused> {
        let known: Vec<&str> = self.params.0.iter().map(|(name, _)| name.as_str()).collect();
        let value = |name: &str| self.params.get(name).map(ToString::to_string);
        template::render(text, &known, value)
            .map_err(|error| Refused { key: key.to_vec(), message: error.to_string() })
    }

    fn length(&self, key: Vec<String>, text: &str) -> Result<Length, Refused> {
        let parsed = self.render(&key, text)?.parse();
        parsed.map_err(|message| Refused { key, message })
    }

    fn rate(&self, key: Vec<String>, text: &str) -> Result<f64, Refused> {
        let text = self.render(&key, text)?;
        let rate = text.parse::<Quantity>().ok();
        let rate = rate.filter(|rate| rate.unit == Some(Unit::BitsPerSecond) && rate.value > 0.0);
        rate.map(|rate| rate.value).ok_or_else(|| Refused {
            key,
            message: format!("expected a rate above 0, for example \"1 Gbit/s\", found {text:?}"),
        })
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be in range"
    )]
    fn block(&self, key: Vec<String>, text: &str) -> Result<u32, Refused> {
        let text = self.render(&key, text)?;
        let size = text.parse::<Quantity>().ok();
        let size =
            size.filter(|size| matches!(size.unit, None | Some(Unit::Bytes)) && !size.per_second);
        let size = size.filter(|size| {
            (f64::from(*sound::BLOCK.start())..=f64::from(*sound::BLOCK.end()))
                .contains(&size.value)
        });
        size.map(|size| size.value as u32).ok_or_else(|| Refused {
            key,
            message: format!(
                "expected a size from 1 B to 1 MiB, for example \"64 B\", found {text:?}"
            ),
        })
    }
}

fn unknown(key: &str, index: usize, name: &str) -> Refused {
    let suggestion = hint(name, BUILT_IN.iter().copied());
    let message = format!(
        "unknown test {name:?}{suggestion}: expected one of {}, or a table with `name` and `like`",
        BUILT_IN.join(", ")
    );
    Refused { key: vec!["tests".to_owned(), index.to_string(), key.to_owned()], message }
}

fn set<T>(value: &mut T, typed: Option<T>) {
    if let Some(typed) = typed {
        *value = typed;
    }
}
