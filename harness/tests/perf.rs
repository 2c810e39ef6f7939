//! The performance tests of this workspace: `cargo test --test perf -- load`.

fn main() -> std::process::ExitCode {
    proofload::Suite::at(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).main()
}
