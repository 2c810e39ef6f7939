//! [`settle`]: what each change of a family comes to, once all of them are there.

use super::change::{Change, ChangeVerdict, Design};
use super::equivalence::{self, equivalence};
use super::multiple::{benjamini_hochberg, holm};
use super::{ALPHA, FEWEST, sequential};
use crate::analysis::digits::short;
use crate::model::Severity;

/// Adjusts the p values over the family and finds, first match: surely above the minimum effect, surely worse and by
/// the minimum effect as estimated, surely below the margin, or neither. `looks` is empty where no look is planned.
pub(super) fn settle(changes: &mut [Change], looks: &[u32], pairs: u32) {
    let level = sequential::level(looks, pairs, ALPHA);
    let claim_level = sequential::level(looks, pairs, equivalence::LEVEL);
    let measured: Vec<usize> = (0..changes.len())
        .filter(|&index| changes[index].log.is_some() && changes[index].n >= FEWEST)
        .collect();
    let tail = |of: fn(&Change) -> f64| -> Vec<f64> {
        let above = |change: &Change| change.log.map_or(1.0, |log| log.above(of(change)));
        measured.iter().map(|&index| above(&changes[index])).collect()
    };
    let worse = tail(|_| 0.0);
    let beyond = holm(&tail(|change| change.limit(change.min_effect)));
    let (decisive, rate) = (holm(&worse), benjamini_hochberg(&worse));
    for (place, &index) in measured.iter().enumerate() {
        let change = &mut changes[index];
        change.p = Some(worse[place]);
        change.p_holm = Some(decisive[place]);
        change.p_bh = Some(rate[place]);
        change.p_min_effect_holm = Some(beyond[place]);
        if let (Some(within), Some(log)) = (change.within, change.log) {
            change.equivalence = Some(equivalence(&log, within, claim_level, change.sign()));
        }
    }
    for change in changes.iter_mut() {
        change.level = level;
        if change.reason.is_empty() {
            let (verdict, why) = decide(change, measured.len());
            change.verdict = verdict;
            change.reason = format!("{}: {why}", found(change));
            if let Some(equivalence) = &change.equivalence {
                change.reason.push_str(&format!("; {}", equivalence.claim));
            }
        }
    }
}

fn decide(change: &Change, family: usize) -> (ChangeVerdict, String) {
    let percent = |fraction: f64| format!("{}%", short(fraction * 100.0));
    let (minimum, margin) = (percent(change.min_effect), percent(change.margin));
    let runs = if change.design == Design::Paired { "pairs" } else { "runs of each" };
    let (Some(log), Some(p), Some(p_holm), Some(beyond)) =
        (change.log, change.p, change.p_holm, change.p_min_effect_holm)
    else {
        let needed = change.needed.map(|needed| needed.max(FEWEST)).map_or_else(String::new, |n| {
            format!(", and about {n} {runs} tell a change of {margin}")
        });
        let why = format!("a verdict needs at least {FEWEST} {runs}{needed}");
        return (ChangeVerdict::Inconclusive, why);
    };
    let estimated = change.estimate.is_some_and(|estimate| estimate >= change.min_effect);
    if beyond <= change.level {
        return (ChangeVerdict::Fail, format!("surely more than {minimum} worse{}", ranks(change)));
    }
    if p_holm <= change.level && estimated {
        let verdict = match change.severity {
            Severity::Fail => ChangeVerdict::Fail,
            Severity::Warn => ChangeVerdict::Warn,
        };
        // The interval is of this change alone, and may say more than what is judged.
        let alone = log.above(change.limit(change.min_effect));
        let among = if alone <= change.level {
            format!(
                "; more than {minimum} worse if taken alone, but not surely among {family} comparisons"
            )
        } else if alone <= ALPHA {
            format!("; more than {minimum} worse, but not surely enough{}", at_look(change))
        } else {
            String::new()
        };
        let why =
            format!("surely worse, by {minimum} or more as estimated{among}{}", ranks(change));
        return (verdict, why);
    }
    if log.below(change.limit(change.margin)) <= ALPHA {
        let better = if log.below(0.0) <= ALPHA { ", and surely better" } else { "" };
        return (ChangeVerdict::Pass, format!("surely less than {margin} worse{better}"));
    }
    let why = if estimated && p <= change.level {
        format!("worse if taken alone, but not surely among {family} comparisons")
    } else if estimated && p <= ALPHA {
        format!("worse, but not surely enough{}", at_look(change))
    } else {
        let more = change.needed.filter(|needed| *needed > change.n);
        let more = more.map_or_else(|| "more".to_owned(), |needed| format!("about {needed}"));
        format!(
            "neither worse nor less than {margin} worse for sure; {more} {runs} would tell a change of {margin}"
        )
    };
    (ChangeVerdict::Inconclusive, format!("{why}{}", ranks(change)))
}

fn at_look(change: &Change) -> String {
    change.look.map_or_else(String::new, |look| {
        format!(" for a look after {} of {} pairs", look.pairs, look.most)
    })
}

/// Where ranks see it differently.
fn ranks(change: &Change) -> String {
    let Some(second) = change.second_opinion else { return String::new() };
    let (p, t) = (second.p, change.p.unwrap_or(1.0));
    let worse = change.sign() * (second.ratio - 1.0) > 0.0;
    // Below four of each ranks can reject nothing.
    if t <= ALPHA && p > 2.0 * ALPHA && change.n >= 4 {
        format!(" (ranks do not agree, Mann-Whitney p = {}: look for outliers)", short(p))
    } else if t > ALPHA && p <= 2.0 * ALPHA && worse {
        format!(" (ranks say worse, Mann-Whitney p = {})", short(p))
    } else {
        String::new()
    }
}

/// `+7.91% (95% interval +6.10% to +9.80%, 5 pairs)`.
fn found(change: &Change) -> String {
    let signed = |ratio: f64| format!("{:+.2}%", (ratio - 1.0) * 100.0);
    let n = match (change.design, change.n) {
        (Design::Paired, 1) => "1 pair".to_owned(),
        (Design::Paired, n) => format!("{n} pairs"),
        (Design::Unpaired, _) => format!("{} and {} runs", change.runs[0], change.runs[1]),
    };
    let ratio = change.ratio.map_or_else(String::new, signed);
    match change.interval {
        Some([low, high]) => {
            format!("{ratio} (95% interval {} to {}, {n})", signed(low), signed(high))
        }
        None => format!("{ratio} ({n})"),
    }
}
