//! [`Counters`]: what an interface and the sockets behind it counted, beside what the tools say that they sent.

use super::DriverError;
use super::remote::{Remote, succeed, word};
use crate::model::spec::network::{Direction, End};

/// What an interface and the sockets of its node counted since they are there, in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    received: u64,
    sent: u64,
    /// Those that the interface was to send and dropped.
    dropped: u64,
    /// Datagrams that found a socket of the node full, whoever's; absent where the kernel does not tell.
    overflowed: Option<u64>,
}

/// The counters of both ends; of an end without an interface, none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BothEnds {
    pub(super) client: Option<Counters>,
    pub(super) server: Option<Counters>,
}

/// Packets per second that left the senders and that reached the receivers, by their interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counted {
    pub(super) sent: Option<f64>,
    pub(super) received: Option<f64>,
    /// What the interfaces of the senders dropped.
    dropped: Option<f64>,
    /// What found a socket of the receivers full.
    overflowed: Option<f64>,
}

/// Where figures differ by more, somebody miscounts: a part of the larger one.
const AGREE: f64 = 0.02;

/// Reads the counters of one end.
pub(super) async fn read(node: &dyn Remote, end: &End) -> Result<Option<Counters>, DriverError> {
    let Some(line) = line(end)? else { return Ok(None) };
    let printed = succeed(node, &line, "read the interface's counters").await?;
    printed_by(end, &printed)
}

/// The line that prints the counters of an end; `None` where it has no interface.
pub(super) fn line(end: &End) -> Result<Option<String>, DriverError> {
    let Some(interface) = &end.interface else { return Ok(None) };
    let at = word(&format!("/sys/class/net/{interface}/statistics"))?;
    Ok(Some(format!(
        "cat {at}/rx_packets {at}/tx_packets {at}/tx_dropped && \
         {{ cat /proc/net/snmp /proc/net/snmp6 2>/dev/null || :; }}"
    )))
}

/// The counters of an end, of what [`line`] printed.
pub(super) fn printed_by(end: &End, printed: &str) -> Result<Option<Counters>, DriverError> {
    let Some(interface) = &end.interface else { return Ok(None) };
    parse(printed).map(Some).ok_or_else(|| {
        let head: Vec<&str> = printed.lines().take(4).collect();
        DriverError::rig(format!("{interface} on {} counts {head:?}", end.node.name))
    })
}

impl Counted {
    /// What was counted between two readings, for data that went this way. What was sent took the first of these times,
    /// what arrived the second, in seconds.
    pub(super) fn between(
        before: BothEnds,
        after: BothEnds,
        direction: Direction,
        [sending, arriving]: [f64; 2],
    ) -> Self {
        let client = growth(before.client, after.client);
        let ends = [client, growth(before.server, after.server)];
        let (senders, receivers) = match direction {
            Direction::Forward => (&ends[..1], &ends[1..]),
            Direction::Reverse => (&ends[1..], &ends[..1]),
            Direction::Both => (&ends[..], &ends[..]),
        };
        Self {
            sent: rate(senders, |end| Some(end.sent), sending),
            received: rate(receivers, |end| Some(end.received), arriving),
            dropped: rate(senders, |end| Some(end.dropped), sending),
            overflowed: rate(receivers, |end| end.overflowed, arriving),
        }
    }

    /// What to say where a tool says that it sent so many packets per second and the interface counted others.
    pub(super) fn differs_from_sent(self, told: Option<f64>) -> Option<String> {
        let (told, counted, dropped) = (told?, self.sent?, self.dropped.unwrap_or(0.0));
        let more = "look for drops in its queue, with `tc -s qdisc` at the sender, and whether it is on the path";
        let fewer = "look for other traffic, and for fragments";
        let known = format!("it dropped a further {dropped:.0} packets/s");
        let known = (dropped > 0.0).then_some(known);
        disagreement("sent", [told, counted], [told, counted + dropped], known, [more, fewer])
    }

    /// The same of packets that a tool says that it received.
    pub(super) fn differs_from_received(self, told: Option<f64>) -> Option<String> {
        let (told, counted, overflowed) = (told?, self.received?, self.overflowed.unwrap_or(0.0));
        let more = "look for a way past it, with `ip neigh` at the sender, and for packets that a card put together";
        let fewer =
            "look for other traffic, and for packets that came after the tool had stopped counting";
        let known = format!("{overflowed:.0} datagrams/s found a socket of the receiver full");
        let known = (overflowed > 0.0).then_some(known);
        disagreement(
            "received",
            [told, counted],
            [told + overflowed, counted],
            known,
            [more, fewer],
        )
    }
}

/// The counters of an interface, a line each, before what the kernel tells of its protocols.
fn parse(printed: &str) -> Option<Counters> {
    let mut lines = printed.lines();
    let mut next = || lines.next()?.trim().parse().ok();
    let (received, sent, dropped) = (next()?, next()?, next()?);
    let overflowed = overflowed(&lines.collect::<Vec<_>>());
    Some(Counters { received, sent, dropped, overflowed })
}

/// Datagrams that found a full socket: by IPv4 in a line of names with a line of values below it, by IPv6 in a line.
fn overflowed(lines: &[&str]) -> Option<u64> {
    const NAME: &str = "RcvbufErrors";
    let udp: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("Udp: ")).collect();
    let v4 = udp.first().zip(udp.get(1)).and_then(|(names, values)| {
        let place = names.split(' ').position(|name| name == NAME)?;
        values.split(' ').nth(place)?.parse::<u64>().ok()
    });
    let v6 = lines.iter().find_map(|line| line.strip_prefix("Udp6RcvbufErrors"));
    let v6 = v6.and_then(|value| value.trim().parse::<u64>().ok());
    [v4, v6].into_iter().flatten().reduce(|a, b| a + b)
}

fn growth(before: Option<Counters>, after: Option<Counters>) -> Option<Counters> {
    let (before, after) = (before?, after?);
    // Less than before where the interface was made anew in between.
    Some(Counters {
        received: after.received.checked_sub(before.received)?,
        sent: after.sent.checked_sub(before.sent)?,
        dropped: after.dropped.checked_sub(before.dropped)?,
        overflowed: after
            .overflowed
            .zip(before.overflowed)
            .and_then(|(after, before)| after.checked_sub(before)),
    })
}

/// What all these ends counted, per second; absent where one of them did not.
#[expect(clippy::cast_precision_loss, reason = "packets of one test")]
fn rate(ends: &[Option<Counters>], of: fn(Counters) -> Option<u64>, seconds: f64) -> Option<f64> {
    let packets = ends.iter().try_fold(0, |sum, end| Some(sum + end.and_then(of)?))?;
    Some(packets as f64 / seconds)
}

fn agree(a: f64, b: f64) -> bool {
    (a - b).abs() <= AGREE * a.max(b)
}

/// What to say where a tool and an interface count differently, both in packets per second: what is `known` of the
/// reason, and where both still differ with what that `explained`, what to look for where the tool has more or fewer.
fn disagreement(
    what: &str,
    [told, counted]: [f64; 2],
    explained: [f64; 2],
    known: Option<String>,
    [more, fewer]: [&str; 2],
) -> Option<String> {
    if agree(told, counted) {
        return None;
    }
    let rest = if explained[0] > explained[1] { more } else { fewer };
    let why = match known {
        Some(known) if agree(explained[0], explained[1]) => known,
        Some(known) => format!("{known}; {rest}"),
        None => rest.to_owned(),
    };
    let apart = (told - counted).abs() / told.max(counted) * 100.0;
    Some(format!(
        "the tool says that {told:.0} packets/s were {what}, the interface counted {counted:.0}: {apart:.1}% apart; {why}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNMP: &str = include_str!("../../../tests/data/network/snmp.txt");
    const SNMP6: &str = include_str!("../../../tests/data/network/snmp6.txt");

    fn ends(client: [u64; 4], server: Option<[u64; 4]>) -> BothEnds {
        let counters = |[received, sent, dropped, overflowed]: [u64; 4]| Counters {
            received,
            sent,
            dropped,
            overflowed: Some(overflowed),
        };
        BothEnds { client: Some(counters(client)), server: server.map(counters) }
    }

    #[test]
    fn the_kernels_own_words_are_understood() {
        let check = |printed: &str, overflowed: Option<u64>| {
            let counters =
                Counters { received: 7_710_339, sent: 1_289_997, dropped: 3, overflowed };
            let head = "7710339\n1289997\n3\n";
            assert_eq!(parse(&format!("{head}{printed}")), Some(counters), "{printed}");
        };
        check(SNMP, Some(209_062));
        check(&format!("{SNMP}{SNMP6}"), Some(209_062 + 8));
        check(SNMP6, Some(8));
        check("Tcp: RtoAlgorithm\nTcp: 1\n", None);
        check("", None);
        for broken in ["", "1\n2\n", "1\n2\nx\n", "1\n-2\n3\n"] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn packets_are_counted_where_they_leave_and_where_they_arrive() {
        let before = ends([10, 100, 7, 0], Some([1000, 5, 0, 9]));
        let after = ends([13, 600, 67, 1], Some([1450, 9, 2, 54]));
        for (direction, sent, dropped, received, overflowed) in [
            (Direction::Forward, 250.0, 30.0, 150.0, 15.0),
            (Direction::Reverse, 2.0, 1.0, 1.0, 1.0 / 3.0),
            (Direction::Both, 252.0, 31.0, 151.0, 46.0 / 3.0),
        ] {
            let counted = Counted::between(before, after, direction, [2.0, 3.0]);
            let wanted = [sent, received, dropped, overflowed].map(Some);
            let Counted { sent, received, dropped, overflowed } = counted;
            assert_eq!([sent, received, dropped, overflowed], wanted, "{direction:?}");
        }
    }

    #[test]
    fn what_was_not_counted_is_absent() {
        let forward =
            |before, after| Counted::between(before, after, Direction::Forward, [1.0, 1.0]);
        let counted = forward(ends([0, 1, 0, 0], None), ends([0, 3, 0, 0], None));
        assert_eq!((counted.sent, counted.received), (Some(2.0), None));
        // The interface was made anew in between.
        let counted = forward(ends([9, 9, 0, 0], None), ends([1, 1, 0, 0], None));
        assert_eq!(counted.sent, None);
        // The kernel no longer says what it overflowed.
        let server = |overflowed| BothEnds {
            server: Some(Counters { overflowed, ..Counters::default() }),
            ..BothEnds::default()
        };
        let counted = forward(server(Some(1)), server(None));
        assert_eq!((counted.received, counted.overflowed), (Some(0.0), None));
    }

    #[test]
    fn figures_more_than_two_percent_apart_are_both_told_with_what_is_known_of_the_reason() {
        let both = |packets| Counted {
            sent: Some(packets),
            received: Some(packets),
            ..Counted::default()
        };
        let full =
            Counted { dropped: Some(230_000.0), overflowed: Some(7_000.0), ..both(100_000.0) };
        let check = |told: f64, counted: Counted, sent: Option<&str>, received: Option<&str>| {
            let told = Some(told);
            let said = [counted.differs_from_sent(told), counted.differs_from_received(told)];
            let why = said.each_ref().map(|said| Some(said.as_ref()?.split_once("apart; ")?.1));
            assert_eq!(why, [sent, received], "{told:?} {counted:?}");
        };
        let queue = "look for drops in its queue, with `tc -s qdisc` at the sender, and whether it is on the path";
        let past = "look for a way past it, with `ip neigh` at the sender, and for packets that a card put together";
        let others = "look for other traffic, and for fragments";
        let late =
            "look for other traffic, and for packets that came after the tool had stopped counting";
        let dropped = "it dropped a further 230000 packets/s";
        let socket = "7000 datagrams/s found a socket of the receiver full";
        let both_of = |known: &str, rest: &str| format!("{known}; {rest}");
        check(100.0, both(102.0), None, None);
        check(100.0, Counted::default(), None, None);
        check(100_000.0, both(97_000.0), Some(queue), Some(past));
        check(97_000.0, both(100_000.0), Some(others), Some(late));
        check(330_000.0, full, Some(dropped), Some(&both_of(socket, past)));
        check(400_000.0, full, Some(&both_of(dropped, queue)), Some(&both_of(socket, past)));
        check(93_000.0, full, Some(&both_of(dropped, others)), Some(socket));
        check(80_000.0, full, Some(&both_of(dropped, others)), Some(&both_of(socket, late)));
        // A part that alone is less than what may differ.
        let few = Counted { dropped: Some(1_500.0), overflowed: Some(1_500.0), ..both(97_000.0) };
        let socket = "1500 datagrams/s found a socket of the receiver full";
        check(
            100_000.0,
            few,
            Some("it dropped a further 1500 packets/s"),
            Some(&both_of(socket, past)),
        );
        check(
            94_500.0,
            few,
            Some(&both_of("it dropped a further 1500 packets/s", others)),
            Some(socket),
        );

        let message = both(97_000.0).differs_from_received(Some(100_000.0)).unwrap();
        let begin = "the tool says that 100000 packets/s were received, the interface counted 97000: 3.0% apart; ";
        assert!(message.starts_with(begin), "{message}");
    }
}
