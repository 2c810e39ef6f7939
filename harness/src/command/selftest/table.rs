//! The tables of `selftest`: for a terminal, and as the page docs/accuracy.md.

use super::{Expected, Outcome, Rate};
use crate::report::table;

/// What was found, and whether all of it is what it should be.
pub(super) fn text(outcomes: &[Outcome], rates: &[Rate], wrong: usize, strict: bool) -> String {
    let outcomes = outcomes.iter().map(|outcome| {
        let Outcome { what, wanted, found, holds } = outcome;
        vec![mark(*holds), what.clone(), wanted.clone(), found.clone()]
    });
    let rows = rates.iter().map(|rate| {
        let holds = if strict { rate.holds() } else { !rate.is_off() };
        let [rule, what, target, measured, trials] = cells(rate);
        vec![mark(holds), rule, what, target, measured, trials]
    });
    let verdict = match wrong {
        0 => "selftest: pass\n".to_owned(),
        1 => "selftest: fail: 1 line is not what it should be\n".to_owned(),
        _ => format!("selftest: fail: {wrong} lines are not what they should be\n"),
    };
    let allowance =
        if strict { "" } else { "; off only where chance does not explain it (p < 0.001)" };
    format!(
        "{verdict}\nRuns\n{}\nRules on simulated data{allowance}\n{}",
        table::render(&["", "what", "wanted", "found"], outcomes),
        table::render(&["", "rule", "what", "target", "measured", "data sets"], rows)
    )
}

fn mark(holds: bool) -> String {
    if holds { "ok" } else { "OFF" }.to_owned()
}

/// The page, with the command that makes it again.
pub(super) fn page(rates: &[Rate], seed: u64, per_cell: usize) -> String {
    let mut text = format!(
        "# How often each rule is wrong\n\n\
         Measured on simulated data with a known truth; what is simulated, and where each rule comes from, is in\n\
         [statistics.md](statistics.md). Thresholds were found with seeds 1 and 7, this table was made with seed {seed}:\n\n\
         ```sh\n\
         cargo run --release --package xtask -- selftest --simulated --seed {seed} --per-cell {per_cell} --write docs/accuracy.md\n\
         ```\n\n\
         A row counts {per_cell} data sets per family of data. The command fails where a rate misses its target.\n\n\
         | rule | what | target | measured | data sets |\n\
         | --- | --- | --- | --- | --- |\n"
    );
    for rate in rates {
        let [rule, what, target, measured, trials] = cells(rate);
        text.push_str(&format!("| {rule} | {what} | {target} | {measured} | {trials} |\n"));
    }
    text
}

fn cells(rate: &Rate) -> [String; 5] {
    let target = match rate.expected {
        Expected::AtMost(most) => format!("at most {}", percent(most)),
        Expected::AtLeast(least) => format!("at least {}", percent(least)),
        Expected::Between(least, most) => format!("{} to {}", percent(least), percent(most)),
        Expected::Reported => "-".to_owned(),
    };
    let measured = percent(rate.measured());
    [rate.rule.clone(), rate.what.clone(), target, measured, rate.trials.to_string()]
}

fn percent(fraction: f64) -> String {
    format!("{:.1}%", fraction * 100.0)
}
