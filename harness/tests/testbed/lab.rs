//! [`Lab`]: a configuration of the testbed in a directory of its own, and runs over it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;
use tempfile::TempDir;

use crate::suite::{ROOT, Suite, run_directory};

pub(crate) const STATE: &str = "/var/lib/proofload-testbed";
const LOCAL: &str = "fixtures/testbeds/local";

/// A trial of that name.
pub(crate) fn trial(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

/// Why trials that need the testbed cannot run.
pub(crate) fn missing() -> Option<String> {
    // The first is gone after a restart of the machine, and root's; the second is written once all is up.
    let needed = ["ssh_config", "truth.json"].map(|name| Path::new(STATE).join(name));
    let error = needed.iter().find_map(|path| fs::File::open(path).err())?;
    Some(match error.kind() {
        std::io::ErrorKind::NotFound => {
            "it is not up: run `cargo xtask testbed up` as root".to_owned()
        }
        _ => format!("{STATE} cannot be read ({error}): run as root"),
    })
}

/// True where a testbed that is not there fails its trials.
pub(crate) fn is_required() -> bool {
    std::env::var("PROOFLOAD_REQUIRE").is_ok_and(|names| names.split(',').any(|n| n == "testbed"))
}

/// What the testbed's builder knows of a node.
pub(crate) fn truth(node: &str) -> Value {
    let text = fs::read_to_string(Path::new(STATE).join("truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&text).unwrap();
    truth["nodes"][node].clone()
}

/// A configuration of its own, and scenarios over it.
pub(crate) struct Lab {
    directory: TempDir,
}

impl Lab {
    /// Discovers the testbed as it is, with these tools and an input file that `edit` has been over.
    pub(crate) fn new(tools: &str, edit: impl Fn(String) -> String) -> Self {
        let lab = Self::undiscovered(tools, edit);
        let output = lab.bootstrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "bootstrap: {stderr}");
        lab
    }

    /// The same without the facts.
    pub(crate) fn undiscovered(tools: &str, edit: impl Fn(String) -> String) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let local = Path::new(ROOT).join(LOCAL);
        let config = directory.path().join("config");
        fs::create_dir(&config).unwrap();
        let input = fs::read_to_string(local.join("minimal-input.yaml")).unwrap();
        fs::write(config.join("minimal-input.yaml"), edit(input)).unwrap();
        fs::write(config.join("tools-template.yaml"), tools).unwrap();
        let copied = Command::new("cp")
            .args(["-a", "--"])
            .args([&local.join("measurement-tools"), &config])
            .status()
            .unwrap();
        assert!(copied.success());
        fs::create_dir(directory.path().join("scenarios")).unwrap();
        Self { directory }
    }

    /// The tools of the repository's own testbed.
    pub(crate) fn own_tools() -> String {
        fs::read_to_string(Path::new(ROOT).join(LOCAL).join("tools-template.yaml")).unwrap()
    }

    pub(crate) fn bootstrap(&self) -> std::process::Output {
        let config = self.config();
        proofload(&[
            "bootstrap",
            "--input",
            &config.join("minimal-input.yaml").display().to_string(),
            "--output-dir",
            &config.display().to_string(),
        ])
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.directory.path().join("config")
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The suite over one scenario of kind network with these settings.
    pub(crate) fn suite(&self, settings: &str) -> Suite {
        self.scenario(settings);
        Suite::over(self.directory.path().join("scenarios")).env("PROOFLOAD_REQUIRE", "testbed")
    }

    /// The file of that scenario.
    pub(crate) fn scenario(&self, settings: &str) -> PathBuf {
        let file = self.directory.path().join("scenarios/lab.toml");
        let config = self.config();
        let text = format!(
            "kind = \"network\"\n{settings}\n[target.testbed]\nconfig = \"{}\"\n",
            config.display()
        );
        fs::write(&file, text).unwrap();
        file
    }
}

/// Runs a command of the `proofload` binary to its end.
pub(crate) fn proofload(arguments: &[&str]) -> std::process::Output {
    proofload_with(arguments, &[])
}

/// The same with these variables.
pub(crate) fn proofload_with(
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_proofload"))
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(ROOT)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What a line for the shell of a host prints, without SSH.
pub(crate) fn on_host(host: &str, line: &str) -> String {
    let enter = truth(host)["enter"].as_str().unwrap().to_owned();
    let output =
        Command::new(&enter).args(["sh", "-c", line]).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{host}: {line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The journal of the newest run below a results directory, as far as it is written.
pub(crate) fn journal(results: &Path) -> String {
    let journal = run_directory(results).map(|directory| directory.join("journal.jsonl"));
    journal.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default()
}

/// Waits for what happens in other processes.
#[expect(
    clippy::disallowed_methods,
    reason = "what happens in other processes is looked for again and again"
)]
pub(crate) fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(120);
    while Instant::now() < until {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("it never came to {what}");
}

/// What a line for the shell of a guest prints.
pub(crate) fn on_guest(guest: &str, line: &str) -> String {
    let config = Path::new(STATE).join("ssh_config");
    let mut ssh = Command::new("ssh");
    let output = ssh.arg("-F").arg(config).args([guest, line]).stdin(Stdio::null()).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{guest}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The processes on both hosts and both guests that carry the mark of a run.
pub(crate) fn left_on_nodes() -> Vec<String> {
    let guests = ["vm-server", "vm-client"];
    let guests = guests.into_iter().flat_map(|guest| marked(guest, &on_guest(guest, MARKED)));
    left_on_hosts().into_iter().chain(guests).collect()
}

/// The same of the hosts alone, which needs no SSH.
pub(crate) fn left_on_hosts() -> Vec<String> {
    let hosts = ["host-server", "host-client"];
    hosts.into_iter().flat_map(|host| marked(host, &on_host(host, MARKED))).collect()
}

/// Prints the command of every process with the mark, a line each.
const MARKED: &str = "for e in /proc/[0-9]*/environ; do p=${e%/environ}; \
    if tr '\\0' '\\n' <$e 2>/dev/null | grep -q '^PROOFLOAD_REMOTE='; then tr '\\0' ' ' <$p/cmdline; echo; fi; done";

fn marked(node: &str, lines: &str) -> Vec<String> {
    let lines = lines.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| format!("{node}: {line}")).collect()
}
