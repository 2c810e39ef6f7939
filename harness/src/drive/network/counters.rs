//! [`Counters`]: what an interface counted, beside what the tools say that they sent.

use super::DriverError;
use super::remote::{Remote, succeed, word};
use crate::model::spec::network::{Direction, End};

/// What an interface and the sockets of its node counted since they are there, in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    received: u64,
    sent: u64,
    /// Those that it should have sent and had no room for.
    dropped: u64,
    /// Datagrams for which a socket of the node had no room.
    refused: u64,
}

/// The counters of both ends; of an end without an interface, none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BothEnds {
    pub(super) client: Option<Counters>,
    pub(super) server: Option<Counters>,
}

/// Packets that left the senders and that reached the receivers, and what became of others at these ends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counted {
    pub(super) sent: Option<f64>,
    pub(super) received: Option<f64>,
    pub(super) dropped: Option<f64>,
    pub(super) refused: Option<f64>,
}

/// Where figures differ by more, somebody miscounts: a part of the larger one.
const AGREE: f64 = 0.02;

/// Reads the counters of one end.
pub(super) async fn read(node: &dyn Remote, end: &End) -> Result<Option<Counters>, DriverError> {
    let Some(interface) = &end.interface else { return Ok(None) };
    let at = word(&format!("/sys/class/net/{interface}/statistics"))?;
    let files = format!("{at}/rx_packets {at}/tx_packets {at}/tx_dropped /proc/net/snmp");
    // Without IPv6 there is no such file.
    let line = format!("cat {files} && {{ cat /proc/net/snmp6 2>/dev/null || :; }}");
    let printed = succeed(node, &line, &format!("read the counters of {interface}")).await?;
    parse(&printed).map(Some).ok_or_else(|| {
        let head: Vec<&str> = printed.lines().take(4).collect();
        DriverError::rig(format!("{interface} on {} counts {head:?}", node.name()))
    })
}

/// The counters of an interface, a line each, before what the kernel tells of its protocols.
fn parse(printed: &str) -> Option<Counters> {
    let mut lines = printed.lines();
    let mut next = || lines.next()?.trim().parse().ok();
    let (received, sent, dropped) = (next()?, next()?, next()?);
    let refused = refused(&lines.collect::<Vec<_>>());
    Some(Counters { received, sent, dropped, refused })
}

/// Datagrams that found a full socket: by IPv4 in a line of names with a line of values below it, by IPv6 in a line.
fn refused(lines: &[&str]) -> u64 {
    const NAME: &str = "RcvbufErrors";
    let udp: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("Udp: ")).collect();
    let v4 = udp.first().zip(udp.get(1)).and_then(|(names, values)| {
        let place = names.split(' ').position(|name| name == NAME)?;
        values.split(' ').nth(place)?.parse::<u64>().ok()
    });
    let v6 = lines.iter().find_map(|line| line.strip_prefix("Udp6RcvbufErrors"));
    v4.unwrap_or(0) + v6.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

impl Counted {
    /// What was counted between two readings, for data that went this way.
    pub(super) fn between(before: BothEnds, after: BothEnds, direction: Direction) -> Self {
        let client = growth(before.client, after.client);
        let server = growth(before.server, after.server);
        let (senders, receivers) = match direction {
            Direction::Forward => ([client].to_vec(), [server].to_vec()),
            Direction::Reverse => ([server].to_vec(), [client].to_vec()),
            Direction::Both => ([client, server].to_vec(), [client, server].to_vec()),
        };
        let total = |ends: &[Option<Counters>], of: fn(Counters) -> u64| {
            let sum = ends.iter().try_fold(0, |sum, end| Some(sum + of((*end)?)));
            sum.map(as_float)
        };
        Self {
            sent: total(&senders, |end| end.sent),
            received: total(&receivers, |end| end.received),
            dropped: total(&senders, |end| end.dropped),
            refused: total(&receivers, |end| end.refused),
        }
    }

    /// The same per second, where what is sent took so many seconds, and what arrives these.
    pub(super) fn per_second(self, sending: f64, arriving: f64) -> Self {
        Self {
            sent: self.sent.map(|packets| packets / sending),
            received: self.received.map(|packets| packets / arriving),
            dropped: self.dropped.map(|packets| packets / sending),
            refused: self.refused.map(|packets| packets / arriving),
        }
    }

    /// What to say where a tool says that it sent so many packets per second and the interface counted others.
    pub(super) fn differs_from_sent(self, told: Option<f64>) -> Option<String> {
        let (told, counted) = (told?, self.sent?);
        let why = match self.dropped {
            Some(dropped) if agree(told, counted + dropped) => {
                format!("the interface had no room for {dropped:.0} more and dropped them")
            }
            _ => {
                "look for other traffic, fragments, or an interface that is not on the path".into()
            }
        };
        disagreement("sent", told, counted, &why)
    }

    /// The same of packets that a tool says that it received.
    pub(super) fn differs_from_received(self, told: Option<f64>) -> Option<String> {
        let (told, counted) = (told?, self.received?);
        let why = match self.refused {
            Some(refused) if agree(told + refused, counted) => {
                format!(
                    "the program was too slow for {refused:.0} of them, and its socket was full"
                )
            }
            _ if told > counted => "look for a way past the interface: `ip neigh` at the sender \
                                    names the Ethernet address that it sends to"
                .into(),
            _ => {
                "look for other traffic, fragments, or an interface that is not on the path".into()
            }
        };
        disagreement("received", told, counted, &why)
    }
}

fn growth(before: Option<Counters>, after: Option<Counters>) -> Option<Counters> {
    let (before, after) = (before?, after?);
    // Less than before where the interface was made anew in between.
    Some(Counters {
        received: after.received.checked_sub(before.received)?,
        sent: after.sent.checked_sub(before.sent)?,
        dropped: after.dropped.checked_sub(before.dropped)?,
        refused: after.refused.checked_sub(before.refused)?,
    })
}

#[expect(clippy::cast_precision_loss, reason = "packets of one test")]
fn as_float(packets: u64) -> f64 {
    packets as f64
}

fn agree(a: f64, b: f64) -> bool {
    (a - b).abs() <= AGREE * a.max(b)
}

/// What to say where a tool and an interface count differently. Both are packets per second.
fn disagreement(what: &str, told: f64, counted: f64, why: &str) -> Option<String> {
    let apart = (told - counted).abs() / told.max(counted) * 100.0;
    (!agree(told, counted)).then(|| {
        format!(
            "the tool says that {told:.0} packets/s were {what}, the interface counted {counted:.0}: \
             {apart:.1}% apart; {why}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNMP: &str = include_str!("../../../tests/data/network/snmp.txt");

    fn ends(client: (u64, u64), server: Option<(u64, u64)>) -> BothEnds {
        let counters = |(received, sent)| Counters { received, sent, ..Counters::default() };
        BothEnds { client: Some(counters(client)), server: server.map(counters) }
    }

    #[test]
    fn the_kernels_own_words_are_understood() {
        let check = |printed: &str, refused: u64| {
            let counters = Counters { received: 7_710_339, sent: 1_289_997, dropped: 3, refused };
            let head = "7710339\n1289997\n3\n";
            assert_eq!(parse(&format!("{head}{printed}")), Some(counters), "{printed}");
        };
        check(SNMP, 209_062);
        check(
            &format!("{SNMP}Udp6InErrors                    \t9\nUdp6RcvbufErrors\t8\n"),
            209_070,
        );
        check("Tcp: RtoAlgorithm\nTcp: 1\n", 0);
        check("", 0);
        for broken in ["", "1\n2\n", "1\n2\nx\n", "1\n-2\n3\n"] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn packets_are_counted_where_they_leave_and_where_they_arrive() {
        let before = ends((10, 100), Some((1000, 5)));
        let after = ends((13, 600), Some((1450, 9)));
        for (direction, sent, received) in [
            (Direction::Forward, 500.0, 450.0),
            (Direction::Reverse, 4.0, 3.0),
            (Direction::Both, 504.0, 453.0),
        ] {
            let counted = Counted::between(before, after, direction);
            assert_eq!((counted.sent, counted.received), (Some(sent), Some(received)));
        }
    }

    #[test]
    fn what_was_not_counted_is_absent() {
        let counted = Counted::between(ends((0, 1), None), ends((0, 3), None), Direction::Forward);
        assert_eq!((counted.sent, counted.received), (Some(2.0), None));
        // The interface was made anew in between.
        let counted = Counted::between(ends((9, 9), None), ends((1, 1), None), Direction::Forward);
        assert_eq!(counted.sent, None);
    }

    #[test]
    fn figures_more_than_two_percent_apart_are_both_told_with_what_is_known_of_the_reason() {
        let check = |told: f64, counted: Counted, sent: Option<&str>, received: Option<&str>| {
            let said =
                [counted.differs_from_sent(Some(told)), counted.differs_from_received(Some(told))];
            for (said, wanted) in said.into_iter().zip([sent, received]) {
                assert_eq!(said.is_some(), wanted.is_some(), "{told} {counted:?}: {said:?}");
                assert!(
                    said.unwrap_or_default().contains(wanted.unwrap_or_default()),
                    "{wanted:?}"
                );
            }
        };
        let both = |packets| Counted {
            sent: Some(packets),
            received: Some(packets),
            dropped: Some(0.0),
            refused: Some(0.0),
        };
        let full = Counted { dropped: Some(230_000.0), refused: Some(7_000.0), ..both(100_000.0) };
        check(100.0, both(102.0), None, None);
        check(100.0, Counted::default(), None, None);
        check(100_000.0, both(97_000.0), Some("100000 packets/s were sent"), Some("3.0% apart"));
        check(100_000.0, both(97_000.0), Some("counted 97000"), Some("`ip neigh` at the sender"));
        check(97_000.0, both(100_000.0), Some("other traffic"), Some("other traffic"));
        check(330_000.0, full, Some("had no room for 230000 more"), Some("`ip neigh`"));
        check(93_000.0, full, Some("other traffic"), Some("too slow for 7000 of them"));
    }

    #[test]
    fn rates_are_of_the_time_that_sending_and_arriving_took() {
        let counted = Counted {
            sent: Some(600.0),
            received: Some(330.0),
            dropped: Some(60.0),
            refused: Some(33.0),
        };
        let rates = Counted {
            sent: Some(200.0),
            received: Some(100.0),
            dropped: Some(20.0),
            refused: Some(10.0),
        };
        assert_eq!(counted.per_second(3.0, 3.3), rates);
    }
}
