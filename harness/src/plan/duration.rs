//! Kind `duration`: one level held for a time, or held, drained and cooled down.

use std::time::Duration;

use super::{Variant, phase};
use crate::model::{Action, Param, Params, Phase};
use crate::scenario::Protocol;

pub(super) fn variants(protocol: &Protocol) -> Vec<Variant> {
    let (sampling, duration) = (&protocol.sample, &protocol.duration);
    let settle = Phase {
        enter: Action::Level(duration.agents),
        ..phase("settle", sampling.settle.0, false, sampling)
    };
    let stretch = |name: &str, length: Duration| Phase {
        interval: duration.intervals.get(name).unwrap_or(&sampling.interval).0,
        ..phase(name, length, true, sampling)
    };
    let variant = |minutes: f64, phases: Vec<Phase>| Variant {
        params: Params::default().with("minutes", number(minutes)),
        agents: Some(duration.agents),
        phases: std::iter::once(settle.clone()).chain(phases).collect(),
    };
    if let Some(phases) = &duration.phases {
        let minutes = phases.active.0.as_secs_f64() / 60.0;
        let drain =
            phases.drain.map(|length| Phase { enter: Action::Stop, ..stretch("drain", length.0) });
        let mut cooldown = phases.cooldown.map(|length| stretch("cooldown", length.0));
        if let (Some(cooldown), None) = (&mut cooldown, &drain) {
            cooldown.enter = Action::Stop;
        }
        let walk = std::iter::once(stretch("active", phases.active.0)).chain(drain).chain(cooldown);
        return vec![variant(minutes, walk.collect())];
    }
    let held = |&minutes: &f64| {
        variant(minutes, vec![stretch("active", Duration::from_secs_f64(minutes * 60.0))])
    };
    duration.minutes.iter().map(held).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the scenario check bounds minutes to a million"
)]
fn number(value: f64) -> Param {
    if value.fract() == 0.0 { Param::Integer(value as i64) } else { Param::Number(value) }
}
