//! Kind `load`: one trial per level, each from a clean target.

use super::{Variant, phase};
use crate::model::{Action, Param, Params, Phase};
use crate::scenario::Protocol;

pub(super) fn variants(protocol: &Protocol) -> Vec<Variant> {
    let sampling = &protocol.sample;
    let variant = |&level: &u32| Variant {
        params: Params::default().with("agents", Param::Integer(level.into())),
        agents: Some(level),
        phases: vec![
            Phase {
                enter: Action::Level(level),
                ..phase("settle", sampling.settle.0, false, sampling)
            },
            phase("sample", sampling.length.0, true, sampling),
        ],
    };
    protocol.load.levels.iter().map(variant).collect()
}
