//! The command that makes what a target starts.

use std::path::Path;

use crate::host::{Command, ProcessGroup, log};

use super::TargetError;

/// Runs a scenario's `build` in a shell, in `root`, with its output appended to the file `log`.
///
/// It takes as long as it takes; dropping the future kills it. Whoever calls sees to it that it runs once per run.
///
/// # Errors
/// A fault of the rig, with the last lines of the output.
pub async fn build(command: &str, root: &Path, log: &Path) -> Result<(), TargetError> {
    let shell = Command {
        cwd: Some(root.to_owned()),
        log: Some(log.to_owned()),
        marked: false,
        ..Command::shell(command)
    };
    let from = log::length(log);
    let failed = |what: &dyn std::fmt::Display| TargetError::rig(format!("build: {what}"));
    let mut group = ProcessGroup::spawn(&shell).map_err(|error| failed(&error))?;
    let status = group.wait().await.map_err(|error| failed(&error))?;
    if status.success() {
        return Ok(());
    }
    Err(failed(&format_args!(
        "`{command}` ended with {status} (whole output: {}):{}",
        log.display(),
        log::tail(log, from)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Fault;

    #[tokio::test]
    async fn a_build_runs_in_the_root_and_its_output_is_kept() {
        let root = tempfile::tempdir().unwrap();
        let log = root.path().join("build.log");
        build("pwd", root.path(), &log).await.unwrap();
        let printed = std::fs::read_to_string(&log).unwrap();
        assert_eq!(Path::new(printed.trim()), root.path().canonicalize().unwrap());
    }

    #[tokio::test]
    async fn a_failed_build_is_quoted_and_the_rigs_fault() {
        let root = tempfile::tempdir().unwrap();
        let log = root.path().join("build.log");
        std::fs::write(&log, "an earlier build\n").unwrap();
        let error = build("echo no such crate; exit 101", root.path(), &log).await.unwrap_err();
        assert_eq!(error.fault, Fault::Rig);
        let text = error.message;
        assert!(text.starts_with("build: `echo no such crate; exit 101` ended with"), "{text}");
        assert!(text.ends_with(":\n    no such crate"), "{text}");
    }
}
