//! [`Figures`]: what one process of a network tool measured, or several of one test together, in base units.

use std::sync::Arc;

use crate::model::Reading;
use crate::model::metric::{self, Metric};

/// What was measured; absent where the tool does not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Payload that arrived, in bit/s.
    pub received: Option<f64>,
    /// Payload that was handed to the network, in bit/s.
    pub sent: Option<f64>,
    /// Segments that TCP sent again.
    pub retransmits: Option<f64>,
    /// Datagrams that arrived per second.
    pub packets_received: Option<f64>,
    /// Datagrams that were sent per second.
    pub packets_sent: Option<f64>,
    /// Datagrams (or echo requests) that were sent and did not arrive, from 0 to 1.
    pub lost: Option<f64>,
    /// Requests that were answered per second.
    pub transactions: Option<f64>,
    /// Time per transaction.
    pub latency: Latency,
    /// Processor use at the sender; 1.0 is one core.
    pub cpu_sender: Option<f64>,
    /// Processor use at the receiver; 1.0 is one core.
    pub cpu_receiver: Option<f64>,
    /// True where processor use is that of the whole machine, which several processes must not add up.
    pub of_machine: bool,
    /// How long what was sent was counted, in seconds.
    pub sending: f64,
    /// How long what arrived was counted, in seconds: longer, where the last of it came late.
    pub arriving: f64,
}

/// Time per transaction, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latency {
    /// The shortest.
    pub min: Option<f64>,
    /// The mean.
    pub mean: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// The 90th percentile.
    pub p90: Option<f64>,
    /// The 99th percentile.
    pub p99: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
    /// The standard deviation.
    pub stddev: Option<f64>,
}

impl Figures {
    /// The figures of processes that ran at the same time, as one.
    ///
    /// A rate is their sum, and absent where one of them lacks it. Percentiles of several processes cannot be had from
    /// those of each, and are absent. Times are those in which all their packets together make that rate; where packets
    /// are not told, the shortest.
    #[must_use]
    pub fn together(all: &[Self]) -> Self {
        if let [one] = all {
            return one.clone();
        }
        let of_machine = all.iter().any(|one| one.of_machine);
        let cpu = |of: fn(&Self) -> Option<f64>| match of_machine {
            true => mean(all.iter().map(of)),
            false => total(all.iter().map(of)),
        };
        Self {
            received: total(all.iter().map(|one| one.received)),
            sent: total(all.iter().map(|one| one.sent)),
            retransmits: total(all.iter().map(|one| one.retransmits)),
            packets_received: total(all.iter().map(|one| one.packets_received)),
            packets_sent: total(all.iter().map(|one| one.packets_sent)),
            lost: weighted(all.iter().map(|one| Some((one.lost?, one.packets_sent?)))),
            transactions: total(all.iter().map(|one| one.transactions)),
            latency: Latency {
                min: all.iter().map(|one| one.latency.min).reduce(both(f64::min)).flatten(),
                max: all.iter().map(|one| one.latency.max).reduce(both(f64::max)).flatten(),
                mean: weighted(all.iter().map(|one| Some((one.latency.mean?, one.transactions?)))),
                ..Latency::default()
            },
            cpu_sender: cpu(|one| one.cpu_sender),
            cpu_receiver: cpu(|one| one.cpu_receiver),
            of_machine,
            sending: time(all, |one| one.sending, |one| one.packets_sent),
            arriving: time(all, |one| one.arriving, |one| one.packets_received),
        }
    }

    /// Processor seconds of the sender and of the receiver per 10^9 bytes that arrived.
    #[must_use]
    pub fn cpu_per_gigabyte(&self) -> (Option<f64>, Option<f64>) {
        let gigabytes = self.received.filter(|bits| *bits > 0.0).map(|bits| bits / 8.0 / 1e9);
        let per = |cores: Option<f64>| Some(cores? / gigabytes?);
        (per(self.cpu_sender), per(self.cpu_receiver))
    }

    /// What is known, as readings of `source`.
    #[must_use]
    pub fn readings(&self, source: &Arc<str>) -> Vec<Reading> {
        let (per_sender, per_receiver) = self.cpu_per_gigabyte();
        let latency = &self.latency;
        let known: [(&Metric, Option<f64>); 18] = [
            (&metric::NET_THROUGHPUT, self.received),
            (&metric::NET_THROUGHPUT_SENT, self.sent),
            (&metric::NET_RETRANSMITS, self.retransmits),
            (&metric::NET_PACKETS, self.packets_received),
            (&metric::NET_PACKETS_SENT, self.packets_sent),
            (&metric::NET_PACKETS_LOST, self.lost),
            (&metric::NET_TRANSACTIONS, self.transactions),
            (&metric::NET_LATENCY_MIN, latency.min),
            (&metric::NET_LATENCY_MEAN, latency.mean),
            (&metric::NET_LATENCY_P50, latency.p50),
            (&metric::NET_LATENCY_P90, latency.p90),
            (&metric::NET_LATENCY_P99, latency.p99),
            (&metric::NET_LATENCY_MAX, latency.max),
            (&metric::NET_LATENCY_STDDEV, latency.stddev),
            (&metric::NET_CPU_SENDER, self.cpu_sender),
            (&metric::NET_CPU_RECEIVER, self.cpu_receiver),
            (&metric::NET_CPU_PER_GIGABYTE_SENDER, per_sender),
            (&metric::NET_CPU_PER_GIGABYTE_RECEIVER, per_receiver),
        ];
        let known = known.into_iter();
        known.filter_map(|(metric, value)| Some(Reading::new(metric, source, value?))).collect()
    }
}

fn both(of: fn(f64, f64) -> f64) -> impl Fn(Option<f64>, Option<f64>) -> Option<f64> {
    move |a, b| Some(of(a?, b?))
}

fn total(mut values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    values.try_fold(0.0, |sum, value| Some(sum + value?))
}

#[expect(clippy::cast_precision_loss, reason = "a few processes")]
fn mean(values: impl ExactSizeIterator<Item = Option<f64>>) -> Option<f64> {
    let count = values.len() as f64;
    total(values).map(|sum| sum / count)
}

/// The time in which all packets make the sum of their rates.
fn time(all: &[Figures], of: fn(&Figures) -> f64, rate: fn(&Figures) -> Option<f64>) -> f64 {
    weighted(all.iter().map(|one| Some((of(one), rate(one)?))))
        .unwrap_or_else(|| all.iter().map(of).fold(f64::INFINITY, f64::min))
}

/// The mean of values, each with its weight.
fn weighted(mut values: impl Iterator<Item = Option<(f64, f64)>>) -> Option<f64> {
    let (sum, weight) = values.try_fold((0.0, 0.0), |(sum, weights), pair| {
        let (value, weight) = pair?;
        Some((sum + value * weight, weights + weight))
    })?;
    (weight > 0.0).then(|| sum / weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(received: Option<f64>, of_machine: bool) -> Figures {
        Figures {
            received,
            packets_sent: Some(100.0),
            lost: Some(0.1),
            transactions: Some(1000.0),
            latency: Latency {
                min: Some(1.0),
                mean: Some(2.0),
                p50: Some(2.0),
                max: Some(9.0),
                ..Latency::default()
            },
            cpu_sender: Some(0.5),
            of_machine,
            sending: 3.0,
            arriving: 3.0,
            ..Figures::default()
        }
    }

    #[test]
    fn rates_of_processes_add_up_and_percentiles_do_not() {
        let other = Figures {
            packets_sent: Some(300.0),
            lost: Some(0.5),
            transactions: Some(3000.0),
            latency: Latency {
                min: Some(0.5),
                mean: Some(4.0),
                max: Some(8.0),
                ..Latency::default()
            },
            sending: 2.8,
            arriving: 2.9,
            ..process(Some(2e9), false)
        };
        let sum = Figures::together(&[process(Some(1e9), false), other]);
        assert_eq!((sum.received, sum.packets_sent, sum.lost), (Some(3e9), Some(400.0), Some(0.4)));
        assert_eq!(
            (sum.latency.min, sum.latency.max, sum.latency.p50),
            (Some(0.5), Some(9.0), None)
        );
        assert_eq!((sum.latency.mean, sum.cpu_sender), (Some(3.5), Some(1.0)));
        // 100 packets/s for 3 s and 300 for 2.8 s are 1140 packets; of those that arrived nothing is told.
        assert!((sum.sending - 1140.0 / 400.0).abs() < 1e-9, "{sum:?}");
        assert_eq!(sum.arriving, 2.9);
    }

    #[test]
    fn a_figure_that_one_process_lacks_is_absent_of_all() {
        let sum = Figures::together(&[process(Some(1e9), false), process(None, false)]);
        assert_eq!(sum.received, None);
    }

    #[test]
    fn the_processor_use_of_a_machine_is_not_counted_once_per_process() {
        let sum = Figures::together(&[process(None, true), process(None, true)]);
        assert_eq!(sum.cpu_sender, Some(0.5));
    }

    #[test]
    fn processor_time_is_told_per_gigabyte_that_arrived() {
        let one = process(Some(4e9), false);
        assert_eq!(one.cpu_per_gigabyte(), (Some(1.0), None));
        assert_eq!(process(Some(0.0), false).cpu_per_gigabyte(), (None, None));
        let readings = one.readings(&"t".into());
        let per = readings.iter().find(|reading| reading.metric == "net.cpu.per_gigabyte.sender");
        assert_eq!(per.map(|reading| reading.value), Some(1.0));
        assert!(readings.iter().all(|reading| reading.metric != "net.throughput.sent"));
    }

    #[test]
    fn every_figure_is_told_under_its_own_name() {
        let figures = Figures {
            received: Some(8e9),
            sent: Some(16e9),
            retransmits: Some(3.0),
            packets_received: Some(4.0),
            packets_sent: Some(5.0),
            lost: Some(0.2),
            transactions: Some(7.0),
            latency: Latency {
                min: Some(11.0),
                mean: Some(12.0),
                p50: Some(13.0),
                p90: Some(14.0),
                p99: Some(15.0),
                max: Some(16.0),
                stddev: Some(17.0),
            },
            cpu_sender: Some(0.5),
            cpu_receiver: Some(0.25),
            of_machine: false,
            sending: 3.0,
            arriving: 3.3,
        };
        let told: Vec<(String, f64)> = figures
            .readings(&"t".into())
            .into_iter()
            .map(|reading| (reading.metric.to_string(), reading.value))
            .collect();
        let expected = [
            ("net.throughput", 8e9),
            ("net.throughput.sent", 16e9),
            ("net.retransmits", 3.0),
            ("net.packets", 4.0),
            ("net.packets.sent", 5.0),
            ("net.packets.lost", 0.2),
            ("net.transactions", 7.0),
            ("net.latency.min", 11.0),
            ("net.latency.mean", 12.0),
            ("net.latency.p50", 13.0),
            ("net.latency.p90", 14.0),
            ("net.latency.p99", 15.0),
            ("net.latency.max", 16.0),
            ("net.latency.stddev", 17.0),
            ("net.cpu.sender", 0.5),
            ("net.cpu.receiver", 0.25),
            ("net.cpu.per_gigabyte.sender", 0.5),
            ("net.cpu.per_gigabyte.receiver", 0.25),
        ];
        assert_eq!(told, expected.map(|(name, value)| (name.to_owned(), value)));
    }
}
