//! The driver with shell scripts for load generators.

use super::*;
use crate::model::Param;

const SECRET: &str = "s3cr3t";

struct Rig {
    dir: tempfile::TempDir,
    driver: Command,
}

fn spec(script: &str) -> CommandSpec {
    let command = ["sh", "-c", script].map(str::to_owned).to_vec();
    CommandSpec { command, env: BTreeMap::new(), cwd: None, must_outlast: true }
}

impl Rig {
    fn new(spec: &CommandSpec) -> Result<Self, DriverError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("logs")).unwrap();
        let params = Params::default().with("mode", Param::Text("fast".to_owned()));
        let lookup: Lookup = |name| (name == "API_KEY").then(|| SECRET.to_owned());
        let logs = dir.path().join("logs");
        let mut driver = Command::with(spec, dir.path(), &params, &logs, lookup)?;
        driver.grace = Duration::from_millis(50);
        Ok(Self { dir, driver })
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("logs/driver.log")).unwrap_or_default()
    }

    /// Waits until the log says so.
    async fn printed(&self, text: &str) {
        until(|| self.log().contains(text)).await;
    }

    /// Reads until something happened.
    async fn incident(&mut self) -> String {
        loop {
            let seen = self.driver.read().await;
            if let Some(incident) = seen.incidents.first() {
                assert_eq!((incident.kind, &*incident.source), (EventKind::DriverError, "driver"));
                assert_eq!(self.driver.read().await, Observation::default(), "said twice");
                return incident.message.clone();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
}

/// True for a process that has not ended; one that only waits to be reaped has.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

#[tokio::test]
async fn the_generator_gets_level_parameters_logs_and_environment() {
    let mut spec = spec("echo {agents} {mode} {log_dir} $WHERE $KEY $(pwd); sleep 60");
    spec.env.insert("WHERE".to_owned(), "{log_dir}/{agents}".to_owned());
    spec.env.insert("KEY".to_owned(), "${env:API_KEY}".to_owned());
    spec.cwd = Some("logs".into());
    let mut rig = Rig::new(&spec).unwrap();
    rig.driver.enter(&Action::Level(40)).await.unwrap();
    let logs = rig.dir.path().join("logs").display().to_string();
    rig.printed(&format!("40 fast {logs} {logs}/40 {SECRET} {logs}\n")).await;
    rig.driver.enter(&Action::Keep).await.unwrap();
    assert_eq!(rig.driver.read().await, Observation::default());
    assert!(!format!("{:?}", rig.driver).contains(SECRET));
}

#[tokio::test]
async fn a_new_level_restarts_and_a_stop_ends_the_whole_group() {
    let mut rig = Rig::new(&spec("sleep 60 & echo up {agents} $!.; wait")).unwrap();
    let mut pids = Vec::new();
    for level in [1, 2] {
        rig.driver.enter(&Action::Level(level)).await.unwrap();
        rig.printed(&format!("up {level} ")).await;
        until(|| rig.log().ends_with(".\n")).await;
        let log = rig.log();
        pids.push(log.trim_end_matches(".\n").rsplit(' ').next().unwrap().to_owned());
        assert!(runs(&pids[pids.len() - 1]));
    }
    until(|| !runs(&pids[0])).await;
    rig.driver.enter(&Action::Stop).await.unwrap();
    until(|| !runs(&pids[1])).await;
    assert_eq!(rig.driver.read().await, Observation::default(), "a stop is no failure");
    rig.driver.enter(&Action::Stop).await.unwrap();
}

#[tokio::test]
async fn what_ignores_the_stop_is_killed_and_what_is_dropped_too() {
    let script = "trap '' TERM; echo up $$.; while :; do sleep 60; done";
    for dropped in [false, true] {
        let mut rig = Rig::new(&spec(script)).unwrap();
        rig.driver.enter(&Action::Level(1)).await.unwrap();
        until(|| rig.log().ends_with(".\n")).await;
        let pid = rig.log().trim_start_matches("up ").trim_end_matches(".\n").to_owned();
        assert!(runs(&pid), "{pid}");
        if !dropped {
            rig.driver.enter(&Action::Stop).await.unwrap();
            assert!(!runs(&pid));
        }
        drop(rig);
        until(|| !runs(&pid)).await;
    }
}

#[tokio::test]
async fn an_early_end_is_told_once_with_status_and_last_lines() {
    let cases = [
        (true, "echo one; echo two; exit 3", Some("with exit status 3:\n    one\n    two")),
        (true, "exit 0", Some("with exit status 0: (it printed nothing)")),
        (true, "kill -9 $$", Some("killed by SIGKILL: (it printed nothing)")),
        (false, "exit 1", Some("with exit status 1: (it printed nothing)")),
        (false, "echo done", None),
        (true, "echo key $KEY; exit 1", Some("with exit status 1:\n    key ***")),
    ];
    for (must_outlast, script, expected) in cases {
        let mut spec = CommandSpec { must_outlast, ..spec(script) };
        spec.env.insert("KEY".to_owned(), "${env:API_KEY}".to_owned());
        let mut rig = Rig::new(&spec).unwrap();
        rig.driver.enter(&Action::Level(1)).await.unwrap();
        match expected {
            Some(expected) => {
                let expected =
                    format!("the load generator ended before it was stopped, {expected}");
                assert_eq!(rig.incident().await, expected, "{script}");
            }
            None => {
                rig.printed("done").await;
                rig.driver.enter(&Action::Stop).await.unwrap();
                assert_eq!(rig.driver.read().await, Observation::default(), "{script}");
            }
        }
    }
}

#[tokio::test]
async fn an_early_end_that_the_stop_finds_is_told_by_the_next_reading() {
    let mut rig = Rig::new(&spec("echo $$.; exit 7")).unwrap();
    rig.driver.enter(&Action::Level(1)).await.unwrap();
    until(|| rig.log().ends_with(".\n")).await;
    let pid = rig.log().trim_end_matches(".\n").to_owned();
    until(|| !runs(&pid)).await;
    rig.driver.enter(&Action::Stop).await.unwrap();
    assert!(rig.incident().await.contains("exit status 7"));
}

#[tokio::test]
async fn what_cannot_be_started_is_the_rigs_fault() {
    let check = async |change: fn(&mut CommandSpec), expected: &str| {
        let mut spec = spec("exit");
        change(&mut spec);
        let error = match Rig::new(&spec) {
            Ok(mut rig) => rig.driver.enter(&Action::Level(1)).await.unwrap_err(),
            Err(error) => error,
        };
        assert!(!error.system && error.message.contains(expected), "{error}");
    };
    check(|spec| spec.command.clear(), "driver.command.command: expected a program").await;
    let unknown = "driver.command.command[2]: unknown placeholder {cuont}: expected {agents}, {log_dir}, {mode}";
    check(|spec| spec.command[2] = "{cuont}".to_owned(), unknown).await;
    check(
        |spec| spec.command[2] = "${env:API_KEY}".to_owned(),
        "command[2]: every user of this machine",
    )
    .await;
    let missing = |spec: &mut CommandSpec| drop(spec.env.insert("K".into(), "${env:NONE}".into()));
    check(missing, "driver.command.env.K: the environment variable NONE is not set").await;
    let start = "the load generator: `no-such-program -c exit` cannot be started: No such file";
    check(|spec| spec.command[0] = "no-such-program".to_owned(), start).await;
    check(|spec| spec.command[0] = "bin/none".to_owned(), "/bin/none -c exit` cannot be started")
        .await;
    check(|spec| spec.cwd = Some("none".into()), "/none is no directory").await;
    let mut rig = Rig::new(&spec("exit")).unwrap();
    let error = rig.driver.enter(&Action::Reset).await.unwrap_err();
    assert!(error.message.contains("use [driver.agents] with `reset`"), "{error}");
}
