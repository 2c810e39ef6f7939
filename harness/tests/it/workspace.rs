//! [`Workspace`]: a repository with scenarios, in a directory of its own, and the programs run over it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Once;

use proofload::results::{self, Results};
use serde_json::Value;
use tempfile::TempDir;

use crate::scenarios;

/// What a program printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Fails with all that was printed.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    pub(crate) fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Dropped, it is removed.
pub(crate) struct Workspace {
    root: TempDir,
    _turn: File,
}

impl Workspace {
    /// A workspace with some of [`scenarios`].
    pub(crate) fn of(names: &[&str]) -> Self {
        let workspace = Self::empty(File::lock_shared);
        for name in names {
            workspace.write(&format!("scenarios/{name}.toml"), scenarios::text(name));
        }
        workspace
    }

    /// As [`Workspace::of`], while no other test runs a suite, which would end what a killed one left.
    pub(crate) fn alone(names: &[&str]) -> Self {
        let workspace = Self::empty(File::lock);
        for name in names {
            workspace.write(&format!("scenarios/{name}.toml"), scenarios::text(name));
        }
        workspace
    }

    fn empty(lock: impl Fn(&File) -> std::io::Result<()>) -> Self {
        // A file, as some runners give every test a process of its own.
        let turns = Path::new(env!("CARGO_TARGET_TMPDIR")).join("it-runs.lock");
        let turn = File::options().write(true).create(true).truncate(false).open(turns).unwrap();
        lock(&turn).unwrap();
        let workspace = Self { root: tempfile::tempdir().unwrap(), _turn: turn };
        fs::create_dir(workspace.path("scenarios")).unwrap();
        workspace.write("proofload.toml", scenarios::WORKSPACE);
        workspace.write("compose.yml", scenarios::COMPOSE);
        workspace
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The names of what is in it.
    pub(crate) fn entries(&self) -> Vec<String> {
        names(self.root.path())
    }

    /// The suite over this workspace.
    pub(crate) fn suite(&self, arguments: &[&str]) -> Suite {
        Suite::at(self.root.path(), arguments)
    }

    /// The last run, as its directory has it.
    pub(crate) fn results(&self) -> Results {
        results::read(&self.path("results/latest")).unwrap()
    }

    /// `proofload analyze` of a file or directory of it.
    pub(crate) fn analyze(&self, results: &str, arguments: &[&str]) -> Output {
        let path = self.path(results);
        proofload(&[&["analyze", path.to_str().unwrap()], arguments].concat())
    }

    /// The process id that the service of scenario `long` has said.
    pub(crate) fn service(&self) -> u32 {
        let log = self.path("results/latest/logs/baseline--long/api.log");
        fs::read_to_string(log).unwrap().trim().parse().unwrap()
    }
}

/// The names of what is in a directory, sorted.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// True while `sleep` runs with this process id.
pub(crate) fn sleeps(pid: u32) -> bool {
    // Of a process that has ended and is not yet waited for it is empty.
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"sleep\0"))
}

/// The `proofload` program.
pub(crate) fn proofload(arguments: &[&str]) -> Output {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_proofload"));
    let output = command.env_clear().args(arguments).output().unwrap();
    Output {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The suite, about to be run.
pub(crate) struct Suite {
    command: Command,
}

impl Suite {
    /// The suite over a workspace anywhere, with nothing of this process's environment and no Docker.
    pub(crate) fn at(root: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(program());
        command.args(arguments).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("PROOFLOAD_ROOT", root).env("DOCKER_HOST", "unix:///nonexistent");
        Self { command }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Output {
        let output = self.command.output().unwrap();
        Output {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts it, and returns once it has said this on standard error.
    pub(crate) fn start_until(mut self, said: &str) -> Running {
        let mut child = self.command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut text = String::new();
        while !text.contains(said) {
            let read = stderr.read_line(&mut text).unwrap();
            assert_ne!(read, 0, "it ended without saying {said:?}:\n{text}");
        }
        Running { child, stderr, text }
    }
}

/// A suite that runs. It is waited for in any case.
pub(crate) struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    text: String,
}

impl Running {
    /// Sends it a signal, and waits for it to end.
    pub(crate) fn end(mut self, signal: nix::sys::signal::Signal) -> Output {
        let pid = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(pid, signal).unwrap();
        self.stderr.read_to_string(&mut self.text).unwrap();
        let code = self.child.wait().unwrap().code();
        Output { code, stdout: String::new(), stderr: self.text }
    }
}

/// The suite under test, beside this test.
fn program() -> PathBuf {
    static CHECK: Once = Once::new();
    let own = std::env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join("examples/custom");
    CHECK.call_once_force(|_| {
        let build = "`cargo test --test it` builds no examples: run `cargo test`, or `cargo build --example custom` first";
        let built = fs::metadata(&program).and_then(|data| data.modified());
        let Ok(built) = built else { panic!("{} is missing; {build}", program.display()) };
        // Written by cargo: the program, a colon, and what it was made of.
        let sources = fs::read_to_string(program.with_extension("d")).unwrap_or_default();
        for source in sources.split_whitespace().skip(1) {
            let changed = fs::metadata(source).and_then(|data| data.modified());
            let is_newer = changed.is_ok_and(|changed| changed > built);
            assert!(!is_newer, "{} is older than {source}; {build}", program.display());
        }
    });
    program
}
