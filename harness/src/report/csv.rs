//! Every reading in long form, one line each, for spreadsheets and data frames.

use std::collections::BTreeMap;
use std::io;

use crate::model::{Unit, metric};
use crate::results::Results;

/// The columns.
pub const HEADER: [&str; 9] = [
    "trial_id",
    "timestamp",
    "elapsed_seconds",
    "phase",
    "cycle",
    "source",
    "metric",
    "value",
    "unit",
];

/// Writes the header and one line per reading, values in base units; the unit of a metric that neither the catalog
/// nor the trial knows is empty.
///
/// # Errors
/// Those of the writer.
pub fn write(results: &Results, writer: impl io::Write) -> io::Result<()> {
    let mut lines = csv::Writer::from_writer(writer);
    lines.write_record(HEADER)?;
    for trial in &results.scenarios {
        let own: BTreeMap<&str, Unit> =
            trial.metrics.iter().map(|metric| (&*metric.name, metric.unit)).collect();
        for sample in &trial.samples {
            let (timestamp, elapsed) = (sample.timestamp.to_string(), sample.elapsed.to_string());
            let cycle = sample.cycle.to_string();
            for reading in &sample.readings {
                let catalog = || metric::find(&reading.metric).map(|metric| metric.unit);
                let unit = own.get(&*reading.metric).copied().or_else(catalog);
                lines.write_record([
                    trial.id.as_str(),
                    &timestamp,
                    &elapsed,
                    &sample.phase,
                    &cycle,
                    &reading.source,
                    &reading.metric,
                    &reading.value.to_string(),
                    unit.map_or("", word),
                ])?;
            }
        }
    }
    lines.flush()
}

/// The same as text.
#[must_use]
pub fn render(results: &Results) -> String {
    let mut bytes = Vec::new();
    // Writing to memory does not fail, and every field was text.
    let _ = write(results, &mut bytes);
    String::from_utf8(bytes).unwrap_or_default()
}

fn word(unit: Unit) -> &'static str {
    match unit {
        Unit::Bytes => "bytes",
        Unit::Seconds => "seconds",
        Unit::Ratio => "ratio",
        Unit::Count => "count",
        Unit::BitsPerSecond => "bits-per-second",
        Unit::PerSecond => "per-second",
    }
}
