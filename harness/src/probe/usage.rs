//! [`Usage`]: what one member has used at one moment, whoever said so.

use std::sync::Arc;

use crate::model::metric::{
    CPU_THROTTLED, CPU_TIME, CPU_USAGE, DISK_READ, DISK_WRITTEN, MEMORY_ANON, MEMORY_FRACTION,
    MEMORY_LIMIT, MEMORY_RSS, MEMORY_USAGE, MEMORY_WORKING_SET, NETWORK_RECEIVED, NETWORK_SENT,
    OPEN_FILES, PROCESSES, SOCKETS, THREADS,
};
use crate::model::{Metric, Reading};

/// Everything that [`Usage`] can turn into readings.
pub(super) const METRICS: &[Metric] = &[
    MEMORY_USAGE,
    MEMORY_WORKING_SET,
    MEMORY_ANON,
    MEMORY_RSS,
    MEMORY_LIMIT,
    MEMORY_FRACTION,
    CPU_USAGE,
    CPU_TIME,
    CPU_THROTTLED,
    NETWORK_RECEIVED,
    NETWORK_SENT,
    DISK_READ,
    DISK_WRITTEN,
    PROCESSES,
    THREADS,
    OPEN_FILES,
    SOCKETS,
];

/// What a member has used. What was not measured is `None`, never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Usage {
    /// When the processor time was read, in seconds on a clock of the source's own.
    pub(super) at: f64,
    /// Which life of the source it belongs to: a restarted container counts from zero on a clock of its own.
    pub(super) life: u32,
    /// Bytes charged, page cache included.
    pub(super) usage: Option<u64>,
    /// Bytes.
    pub(super) working_set: Option<u64>,
    /// Bytes.
    pub(super) anon: Option<u64>,
    /// Bytes.
    pub(super) rss: Option<u64>,
    /// Bytes; none where memory is not limited.
    pub(super) limit: Option<u64>,
    /// Seconds since the source started.
    pub(super) cpu_time: Option<f64>,
    /// Seconds since the source started.
    pub(super) cpu_throttled: Option<f64>,
    /// Bytes since the source started.
    pub(super) received: Option<u64>,
    /// Bytes since the source started.
    pub(super) sent: Option<u64>,
    /// Bytes since the source started.
    pub(super) disk_read: Option<u64>,
    /// Bytes since the source started.
    pub(super) disk_written: Option<u64>,
    /// A count.
    pub(super) processes: Option<u64>,
    /// A count.
    pub(super) threads: Option<u64>,
    /// A count of file descriptors.
    pub(super) files: Option<u64>,
    /// How many of them are sockets.
    pub(super) sockets: Option<u64>,
}

impl Usage {
    /// Working set as a fraction of the limit.
    pub(super) fn fraction(&self) -> Option<f64> {
        match (self.working_set, self.limit) {
            (Some(used), Some(limit)) if limit > 0 => Some(used as f64 / limit as f64),
            _ => None,
        }
    }

    /// Cores used since `before`; none when either lacks the time, no time passed, or the counter began anew.
    pub(super) fn cores_since(&self, before: &Self) -> Option<f64> {
        let elapsed = self.at - before.at;
        let used = self.cpu_time? - before.cpu_time?;
        (self.life == before.life && elapsed > 0.0 && used >= 0.0).then(|| used / elapsed)
    }

    /// Appends everything that was measured.
    pub(super) fn append(
        &self,
        before: Option<&Self>,
        source: &Arc<str>,
        readings: &mut Vec<Reading>,
    ) {
        let bytes = |value: Option<u64>| value.map(|value| value as f64);
        let values = [
            (&MEMORY_USAGE, bytes(self.usage)),
            (&MEMORY_WORKING_SET, bytes(self.working_set)),
            (&MEMORY_ANON, bytes(self.anon)),
            (&MEMORY_RSS, bytes(self.rss)),
            (&MEMORY_LIMIT, bytes(self.limit)),
            (&MEMORY_FRACTION, self.fraction()),
            (&CPU_USAGE, before.and_then(|before| self.cores_since(before))),
            (&CPU_TIME, self.cpu_time),
            (&CPU_THROTTLED, self.cpu_throttled),
            (&NETWORK_RECEIVED, bytes(self.received)),
            (&NETWORK_SENT, bytes(self.sent)),
            (&DISK_READ, bytes(self.disk_read)),
            (&DISK_WRITTEN, bytes(self.disk_written)),
            (&PROCESSES, bytes(self.processes)),
            (&THREADS, bytes(self.threads)),
            (&OPEN_FILES, bytes(self.files)),
            (&SOCKETS, bytes(self.sockets)),
        ];
        let measured = values.into_iter().filter_map(|(metric, value)| Some((metric, value?)));
        readings.extend(
            measured
                .filter(|(_, value)| value.is_finite())
                .map(|(metric, value)| Reading::new(metric, source, value)),
        );
    }
}

/// A v1 limit of "none" is the largest page-aligned number; nobody has an exbibyte.
pub(super) fn real_limit(bytes: u64) -> Option<u64> {
    (bytes > 0 && bytes < 1 << 60).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_is_absent() {
        let mut readings = Vec::new();
        Usage::default().append(None, &Arc::from("api"), &mut readings);
        assert_eq!(readings, []);
    }

    #[test]
    fn every_metric_is_listed_once_and_emitted() {
        let some = Some(1);
        let usage = Usage {
            at: 2.0,
            life: 0,
            usage: some,
            working_set: some,
            anon: some,
            rss: some,
            limit: some,
            cpu_time: Some(3.0),
            cpu_throttled: Some(0.0),
            received: some,
            sent: some,
            disk_read: some,
            disk_written: some,
            processes: some,
            threads: some,
            files: some,
            sockets: some,
        };
        let before = Usage { at: 1.0, cpu_time: Some(0.5), ..Usage::default() };
        let mut readings = Vec::new();
        usage.append(Some(&before), &Arc::from("api"), &mut readings);
        let names: Vec<_> = readings.iter().map(|reading| reading.metric.clone()).collect();
        let listed: Vec<_> = METRICS.iter().map(|metric| metric.name.clone()).collect();
        assert_eq!(names, listed);
        assert_eq!(readings[6].value, 2.5, "cores are not clamped");
    }

    #[test]
    fn a_rate_needs_two_readings_of_one_life() {
        let usage = |(at, cpu_time)| Usage { at, cpu_time, ..Usage::default() };
        let check = |before: (f64, Option<f64>), now: (f64, Option<f64>), cores: Option<f64>| {
            assert_eq!(usage(now).cores_since(&usage(before)), cores, "{before:?} {now:?}");
        };
        check((1.0, Some(1.0)), (3.0, Some(2.0)), Some(0.5));
        check((1.0, Some(1.0)), (3.0, Some(0.2)), None);
        check((1.0, Some(1.0)), (1.0, Some(1.0)), None);
        let (old, new) = (usage((1.0, Some(1.0))), Usage { life: 1, ..usage((3.0, Some(2.0))) });
        assert_eq!(new.cores_since(&old), None, "another life");
        check((1.0, None), (3.0, Some(0.2)), None);
        check((1.0, Some(1.0)), (3.0, None), None);
    }

    #[test]
    fn no_limit_is_no_number() {
        for (bytes, limit) in
            [(0, None), (1 << 25, Some(1 << 25)), (9_223_372_036_854_771_712, None)]
        {
            assert_eq!(real_limit(bytes), limit);
        }
    }
}
