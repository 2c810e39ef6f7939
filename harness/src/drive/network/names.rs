//! [`Names`]: where raw output is kept on the nodes, as the original framework named it.

use crate::model::spec::network::{Flow, Protocol, Shape, Test, Topic};

/// The files of one test, relative to the workdirs of the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    results: String,
    topic: &'static str,
    variant: String,
    stamp: String,
}

impl Names {
    /// The names of a test that begins at `stamp`.
    pub(super) fn new(results: &str, test: &Test, stamp: String) -> Self {
        let topic = topic(test.topic);
        let own = test.name.strip_prefix(topic).unwrap_or(&test.name);
        let variant = own.trim_start_matches(['_', '-']).to_owned();
        let variant = if variant.is_empty() { "single".to_owned() } else { variant };
        Self { results: results.to_owned(), topic, variant, stamp }
    }

    /// The directory of what the clients print.
    pub(super) fn client(&self) -> String {
        self.below("client_results")
    }

    /// The directory of what the servers print.
    pub(super) fn server(&self) -> String {
        self.below("server_results")
    }

    fn below(&self, end: &str) -> String {
        let Self { results, topic, variant, stamp } = self;
        format!("{results}/{end}/{topic}/{variant}_{stamp}")
    }

    /// The file of one client process, in its directory.
    pub(super) fn process(&self, flow: &Flow, index: u32, extension: &str) -> String {
        let Self { topic, variant, .. } = self;
        let protocol = match flow.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Icmp => "icmp",
        };
        let port = u32::from(flow.port) + index;
        match (flow.processes, flow.shape) {
            (2.., _) => {
                let several = variant.split(|c: char| !c.is_alphabetic()).next().unwrap_or("multi");
                format!("{topic}_{several}_stream_{}_port_{port}.{extension}", index + 1)
            }
            (_, Shape::Stream) if !variant.contains(protocol) => {
                format!("{topic}_{variant}_{protocol}.{extension}")
            }
            _ => format!("{topic}_{variant}.{extension}"),
        }
    }

    /// The file of one client process of the traffic beside the test.
    pub(super) fn beside(&self, tool: &str, port: u16, extension: &str) -> String {
        format!("beside_{tool}_port_{port}.{extension}")
    }

    /// When which client began and ended.
    pub(super) fn timing(&self) -> String {
        format!("{}/{}_{}_timing.log", self.client(), self.topic, self.variant)
    }

    /// The file of one server.
    pub(super) fn log(&self, tool: &str, port: u16) -> String {
        let Self { topic, stamp, .. } = self;
        format!("{}/{tool}_server_{topic}_port_{port}_{stamp}.log", self.server())
    }
}

/// What a tool under test prints, relative to its node's workdir.
pub(super) fn tool_output(results: &str, stamp: &str) -> String {
    format!("{results}/ebpf_monitoring/ebpf_output_{stamp}.log")
}

fn topic(topic: Topic) -> &'static str {
    match topic {
        Topic::Throughput => "throughput",
        Topic::Latency => "latency",
        Topic::Pps => "pps",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::network::fake;

    fn check(name: &str, of: Topic, flow: Flow, expected: &str) {
        let test = Test { topic: of, flow, ..fake::test(name) };
        let names = Names::new("r/baseline/host", &test, "20260101_000000".to_owned());
        let file = names.process(&test.flow, test.flow.processes - 1, "json");
        assert_eq!(
            format!("{}/{file}", names.client()),
            format!("r/baseline/host/client_results/{expected}")
        );
    }

    #[test]
    fn files_have_the_names_that_they_had() {
        let udp = Flow { protocol: Protocol::Udp, ..fake::flow() };
        let four = Flow { processes: 4, ..fake::flow() };
        let rr = Flow { shape: Shape::RequestResponse, ..fake::flow() };
        let (at, topics) = ("20260101_000000", [Topic::Throughput, Topic::Latency, Topic::Pps]);
        let [throughput, latency, pps] = topics;
        check(
            "throughput_single",
            throughput,
            fake::flow(),
            &format!("throughput/single_{at}/throughput_single_tcp.json"),
        );
        check(
            "throughput_multi_4",
            throughput,
            four,
            &format!("throughput/multi_4_{at}/throughput_multi_stream_4_port_5004.json"),
        );
        check("latency_tcp_rr", latency, rr, &format!("latency/tcp_rr_{at}/latency_tcp_rr.json"));
        check("pps_single", pps, udp, &format!("pps/single_{at}/pps_single_udp.json"));
        check("mine", pps, fake::flow(), &format!("pps/mine_{at}/pps_mine_tcp.json"));
        let names = Names::new("r", &fake::test("pps_single"), at.to_owned());
        assert_eq!(
            names.log("iperf3", 5001),
            format!(
                "r/server_results/throughput/pps_single_{at}/iperf3_server_throughput_port_5001_{at}.log"
            )
        );
        assert_eq!(tool_output("r", at), format!("r/ebpf_monitoring/ebpf_output_{at}.log"));
    }
}
