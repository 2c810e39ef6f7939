//! A thousand traces of eight minutes judged for leaks. The promise is less than a second of one core.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use proofload::analysis::leak::guard::judge;
use proofload::analysis::leak::leakscore::Trace;
use proofload::simulate::memory::{LEAKS, NULLS, STEP, trace};

fn thousand_traces(criterion: &mut Criterion) {
    let families: Vec<(&str, f64)> =
        NULLS.map(|name| (name, 0.0)).into_iter().chain(LEAKS.map(|name| (name, 1.0))).collect();
    let traces: Vec<Vec<f64>> = (0..1000)
        .map(|index| {
            let (family, rate) = families[index % families.len()];
            trace(2, family, rate, 480, index / families.len())
        })
        .collect();
    let mut group = criterion.benchmark_group("leakscore");
    group.sample_size(10);
    group.bench_function("thousand_traces", |bench| {
        bench.iter(|| {
            for values in &traces {
                let found = Trace::of(black_box(values), STEP).expect("long enough");
                black_box(judge(&found, found.limits(), 0.25));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, thousand_traces);
criterion_main!(benches);
