//! Kind `baseline`: warm up, then read the idle system.

use super::{Variant, phase};
use crate::model::Params;
use crate::scenario::Protocol;

pub(super) fn variants(protocol: &Protocol) -> Vec<Variant> {
    let sampling = &protocol.sample;
    vec![Variant {
        params: Params::default(),
        agents: None,
        phases: vec![
            phase("warmup", sampling.warmup.0, false, sampling),
            phase("sample", protocol.baseline.length.0, true, sampling),
        ],
    }]
}
