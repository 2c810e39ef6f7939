//! [`Counters`]: what an interface counted, beside what the tools say that they sent.

use super::DriverError;
use super::remote::{Remote, succeed, word};
use crate::model::spec::network::{Direction, End};

/// The packets that an interface counted since it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counters {
    received: u64,
    sent: u64,
}

/// The counters of both ends; of an end without an interface, none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BothEnds {
    pub(super) client: Option<Counters>,
    pub(super) server: Option<Counters>,
}

/// Packets that left the senders and that reached the receivers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counted {
    pub(super) sent: Option<f64>,
    pub(super) received: Option<f64>,
}

/// Where figures differ by more, somebody miscounts: a part of the larger one.
const AGREE: f64 = 0.02;

/// Reads the counters of one end.
pub(super) async fn read(node: &dyn Remote, end: &End) -> Result<Option<Counters>, DriverError> {
    let Some(interface) = &end.interface else { return Ok(None) };
    let at = word(&format!("/sys/class/net/{interface}/statistics"))?;
    let line = format!("cat {at}/rx_packets {at}/tx_packets");
    let printed = succeed(node, &line, &format!("read the counters of {interface}")).await?;
    let mut values = printed.split_whitespace().map(str::parse);
    match (values.next(), values.next()) {
        (Some(Ok(received)), Some(Ok(sent))) => Ok(Some(Counters { received, sent })),
        _ => Err(DriverError::rig(format!("{interface} on {} counts {printed:?}", node.name()))),
    }
}

impl Counted {
    /// What was counted between two readings, for data that went this way.
    pub(super) fn between(before: BothEnds, after: BothEnds, direction: Direction) -> Self {
        let client = growth(before.client, after.client);
        let server = growth(before.server, after.server);
        let sent = |end: Option<(f64, f64)>| end.map(|(_, sent)| sent);
        let received = |end: Option<(f64, f64)>| end.map(|(received, _)| received);
        let sum = |a: Option<f64>, b: Option<f64>| Some(a? + b?);
        match direction {
            Direction::Forward => Self { sent: sent(client), received: received(server) },
            Direction::Reverse => Self { sent: sent(server), received: received(client) },
            Direction::Both => Self {
                sent: sum(sent(client), sent(server)),
                received: sum(received(client), received(server)),
            },
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "packets of one test")]
fn growth(before: Option<Counters>, after: Option<Counters>) -> Option<(f64, f64)> {
    let (before, after) = (before?, after?);
    let received = after.received.checked_sub(before.received)?;
    Some((received as f64, after.sent.checked_sub(before.sent)? as f64))
}

/// What to say where a tool and an interface count differently. Both are packets per second.
pub(super) fn disagreement(what: &str, told: Option<f64>, counted: Option<f64>) -> Option<String> {
    let (told, counted) = (told?, counted?);
    let apart = (told - counted).abs() / told.max(counted);
    (apart > AGREE).then(|| {
        format!(
            "the tool says that {told:.0} packets/s were {what}, the interface counted {counted:.0}: {:.1}% apart; \
             look for other traffic, fragments, or an interface that is not on the path",
            apart * 100.0
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(client: (u64, u64), server: Option<(u64, u64)>) -> BothEnds {
        let counters = |(received, sent)| Counters { received, sent };
        BothEnds { client: Some(counters(client)), server: server.map(counters) }
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
            assert_eq!(counted, Counted { sent: Some(sent), received: Some(received) });
        }
    }

    #[test]
    fn what_was_not_counted_is_absent() {
        let counted = Counted::between(ends((0, 1), None), ends((0, 3), None), Direction::Forward);
        assert_eq!(counted, Counted { sent: Some(2.0), received: None });
        // The interface was made anew in between.
        let counted = Counted::between(ends((9, 9), None), ends((1, 1), None), Direction::Forward);
        assert_eq!(counted.sent, None);
    }

    #[test]
    fn figures_more_than_two_percent_apart_are_both_told() {
        assert_eq!(disagreement("sent", Some(100.0), Some(102.0)), None);
        assert_eq!(disagreement("sent", Some(100.0), None), None);
        let message = disagreement("sent", Some(100_000.0), Some(97_000.0)).unwrap();
        assert!(message.contains("100000") && message.contains("97000"), "{message}");
        assert!(message.contains("3.0% apart"), "{message}");
    }
}
