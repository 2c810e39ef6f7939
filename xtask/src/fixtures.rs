//! `fixtures`: builds the workload that the demos and the controls measure.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// The exit code of a broken environment.
const RIG: u8 = 4;

pub(crate) fn run(root: &Path) -> ExitCode {
    let mut build = Command::new(root.join("fixtures/workload/build.sh"));
    if daemon_answers() {
        build.arg("image");
    } else {
        eprintln!(
            "note: no Docker daemon answers, so no image is built: process targets need none"
        );
    }
    match build.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => {
            eprintln!("rig: fixtures/workload/build.sh failed: {status}");
            ExitCode::from(RIG)
        }
        Err(error) => {
            eprintln!("rig: fixtures/workload/build.sh cannot be run: {error}");
            ExitCode::from(RIG)
        }
    }
}

/// True where there is a docker client with a daemon behind it; the client alone cannot build.
fn daemon_answers() -> bool {
    let version = ["version", "--format", "{{.Server.Version}}"];
    let mut docker = Command::new("docker");
    docker.args(version).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    docker.status().is_ok_and(|status| status.success())
}
