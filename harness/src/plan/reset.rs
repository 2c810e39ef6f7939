//! Kind `reset`: read a baseline, then load and reset, once or in cycles.

use super::{Variant, phase};
use crate::model::{Action, Params, Phase};
use crate::scenario::Protocol;

pub(super) fn variants(protocol: &Protocol) -> Vec<Variant> {
    let (sampling, reset) = (&protocol.sample, &protocol.reset);
    let mut phases = vec![
        phase("warmup", sampling.warmup.0, false, sampling),
        phase("baseline", reset.baseline.0, true, sampling),
    ];
    for cycle in 1..=reset.cycles {
        let settle =
            |enter| Phase { cycle, enter, ..phase("settle", sampling.settle.0, false, sampling) };
        let read = |name, length| Phase { cycle, ..phase(name, length, true, sampling) };
        phases.push(settle(Action::Level(reset.agents)));
        phases.push(read("load", reset.load.0));
        phases.push(settle(Action::Reset));
        phases.push(read("post", reset.post.0));
    }
    vec![Variant { params: Params::default(), agents: Some(reset.agents), phases }]
}
