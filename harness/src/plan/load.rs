//! Kind `load`: one trial per level and repetition, each from a clean target.

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

/// The order in which levels and repetitions are run, as (index of the level, repetition from 1).
///
/// Level by level as they are declared; shuffled, repetition by repetition with the levels of each in an order of its
/// own (randomized complete blocks: Box, Hunter & Hunter, "Statistics for Experimenters", 2nd edition, 2005, 4.2), so
/// that what drifts while the trials run falls on all levels alike. The order is a function of the scenario's name.
pub(super) fn order(name: &str, levels: &[u32], repeat: u32, shuffle: bool) -> Vec<(usize, u32)> {
    let all = || (0..levels.len()).flat_map(|level| (1..=repeat).map(move |r| (level, r)));
    if !shuffle {
        return all().collect();
    }
    let mut order: Vec<(usize, u32)> = all().collect();
    order.sort_by_key(|(level, r)| {
        (*r, scattered(&format!("{name}/{r}/{}", levels[*level])), *level)
    });
    order
}

/// A number that says nothing of its text: FNV-1a, and the last step of MurmurHash3, without which keys that differ in
/// their last letter stay in order.
fn scattered(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mix = |hash: u64, factor: u64| (hash ^ (hash >> 33)).wrapping_mul(factor);
    let hash = mix(mix(hash, 0xff51_afd7_ed55_8ccd), 0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}
