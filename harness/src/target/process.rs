//! [`ProcessTarget`]: commands on this machine, each in a process group of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::host::{Check, Command, ProcessGroup, WaitError, log, wait_for};
use crate::model::spec::target::{ProcessSpec, Ready, Service};
use crate::model::{Handle, Member};

use super::ready::{self, Conditions, LogLine};
use super::{Target, TargetError};

/// How long a service may take to come up where the scenario does not say.
const WITHIN: Duration = Duration::from_secs(10);

/// How long a service has to end before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// Services started in order and stopped in the reverse one.
pub struct ProcessTarget {
    services: Vec<Service>,
    root: PathBuf,
    running: Vec<Running>,
}

struct Running {
    name: String,
    log: PathBuf,
    /// Where this trial's output begins.
    from: u64,
    group: ProcessGroup,
}

impl ProcessTarget {
    /// Nothing is started yet.
    #[must_use]
    pub fn new(spec: &ProcessSpec, root: &Path) -> Self {
        Self { services: spec.service.clone(), root: root.to_owned(), running: Vec::new() }
    }

    fn start(&mut self, service: &Service, logs: &Path) -> Result<(), TargetError> {
        let name = &service.name;
        let mut command = Command::in_root(&self.root, &service.command)
            .ok_or_else(|| TargetError::rig(format!("the command of service `{name}` is empty")))?;
        if let Some(cwd) = &service.cwd {
            command.cwd = Some(self.root.join(cwd));
        }
        command.env = service.env.clone();
        let log = logs.join(format!("{name}.log"));
        command.log = Some(log.clone());
        let from = log::length(&log);
        let group = ProcessGroup::spawn(&command)
            .map_err(|error| TargetError::rig(format!("service `{name}`: {error}")))?;
        self.running.push(Running { name: name.clone(), log, from, group });
        Ok(())
    }
}

impl Running {
    /// The status and the last output of a service that has ended.
    fn last_words(&mut self) -> Option<String> {
        let status = self.group.exited()?;
        Some(format!("{status}; its output ended:{}", log::tail(&self.log, self.from)))
    }

    /// What there is to read; nothing of a service that has done its work and ended well.
    fn member(&mut self) -> Result<Option<Member>, TargetError> {
        let ended = self.group.exited();
        match ended {
            Some(status) if !status.success() => {
                let words = self.last_words().unwrap_or_default();
                Err(TargetError::system(format!("service `{}` ended with {words}", self.name)))
            }
            Some(_) if !self.group.runs() => Ok(None),
            _ => Ok(Some(Member {
                name: Arc::from(self.name.as_str()),
                handle: Handle::Process { pid: self.group.pid() },
            })),
        }
    }
}

/// Whoever answers there already would be taken for the service, and measured in its place.
async fn must_be_free(service: &Service) -> Result<(), TargetError> {
    for address in service.ready.iter().flat_map(ready::addresses) {
        if ready::connect(&address).await.is_ok() {
            let name = &service.name;
            return Err(TargetError::rig(format!(
                "something already answers at {address}, where service `{name}` is to be ready: \
                 stop it, or use another port"
            )));
        }
    }
    Ok(())
}

async fn wait_until_ready(
    running: &mut Running,
    ready: &Ready,
    service: &Service,
    root: &Path,
) -> Result<(), TargetError> {
    let name = &service.name;
    if ready.healthy == Some(true) {
        return Err(TargetError::rig(format!(
            "service `{name}`: `ready.healthy` is for containers; use `http`, `tcp`, `log` or `command`"
        )));
    }
    let within = ready.within.map_or(WITHIN, |length| length.0);
    let conditions = Conditions::new(ready, root, &service.env)?;
    let line = ready.log.as_ref().map(|pattern| LogLine::new(&running.log, running.from, pattern));
    let state = Mutex::new((&mut *running, line.transpose()?));
    let waited = wait_for(within, ready::EVERY, || async {
        let (running, line) = &mut *state.lock().await;
        let held = match unmatched(line.as_mut()) {
            None => conditions.check().await,
            Some(status) => Err(status),
        };
        // Looked at last, as somebody else may have answered in its place.
        match (running.last_words(), held) {
            (Some(words), _) => Check::Failed(words),
            (None, Ok(())) => Check::Ready(()),
            (None, Err(status)) => Check::NotYet(status),
        }
    })
    .await;
    waited.map_err(|error| match error {
        WaitError::Failed(words) => {
            TargetError::system(format!("service `{name}` ended before it was ready, with {words}"))
        }
        WaitError::TimedOut { .. } => {
            let tail = log::tail(&running.log, running.from);
            TargetError::system(format!(
                "service `{name}` was not ready: {error}; its output ends:{tail}"
            ))
        }
    })
}

fn unmatched(line: Option<&mut LogLine>) -> Option<String> {
    let line = line?;
    match line.seen() {
        Ok(true) => None,
        Ok(false) => Some(format!("no line of its output matches `{}`", line.pattern())),
        Err(status) => Some(status),
    }
}

#[async_trait]
impl Target for ProcessTarget {
    async fn up(&mut self, logs: &Path) -> Result<Vec<Member>, TargetError> {
        self.down().await?;
        let services = self.services.clone();
        for service in &services {
            must_be_free(service).await?;
        }
        for service in &services {
            self.start(service, logs)?;
            if let (Some(ready), Some(running)) = (&service.ready, self.running.last_mut()) {
                wait_until_ready(running, ready, service, &self.root).await?;
            }
        }
        self.running.iter_mut().filter_map(|running| running.member().transpose()).collect()
    }

    async fn save_logs(&mut self, _logs: &Path) -> Result<(), TargetError> {
        Ok(())
    }

    async fn down(&mut self) -> Result<(), TargetError> {
        let mut failed = Vec::new();
        // Each stays in the list until it is gone, as this may be cancelled and called again.
        while let Some(running) = self.running.last_mut() {
            if let Err(error) = running.group.stop(GRACE).await {
                failed.push(format!("service `{}`: {error}", running.name));
            }
            self.running.pop();
        }
        if failed.is_empty() { Ok(()) } else { Err(TargetError::rig(failed.join("; "))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::procfs::Stat;
    use crate::model::quantity::Length;
    use crate::target::Fault;

    fn service(name: &str, script: &str, ready: Ready) -> Service {
        Service {
            name: name.to_owned(),
            command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            env: [("WORD".to_owned(), "here".to_owned())].into(),
            cwd: None,
            ready: Some(ready),
        }
    }

    fn says(pattern: &str) -> Ready {
        Ready { log: Some(pattern.to_owned()), ..Ready::default() }
    }

    fn target(services: Vec<Service>) -> (ProcessTarget, tempfile::TempDir) {
        let root = tempfile::tempdir().unwrap();
        let spec = ProcessSpec { build: None, service: services };
        (ProcessTarget::new(&spec, root.path()), root)
    }

    async fn fails(service: Service) -> (Fault, String) {
        let (mut target, root) = target(vec![service]);
        let error = target.up(root.path()).await.unwrap_err();
        target.down().await.unwrap();
        (error.fault, error.message)
    }

    #[tokio::test]
    async fn services_come_up_in_order_and_go_with_all_they_started() {
        let first = service("db", "sleep 60 & echo $WORD > mark; echo up; wait", says("^up$"));
        let second = service("api", "cat mark; sleep 60", says("here"));
        let done = service("migrate", "echo done", Ready::default());
        let (mut target, root) = target(vec![first, second, Service { ready: None, ..done }]);
        let members = target.up(root.path()).await.unwrap();
        let names: Vec<&str> = members.iter().map(|member| &*member.name).collect();
        assert!(names.starts_with(&["db", "api"]), "{names:?}");
        assert_eq!(std::fs::read_to_string(root.path().join("api.log")).unwrap(), "here\n");
        target.down().await.unwrap();
        for member in members {
            let Handle::Process { pid } = member.handle else { panic!("{member:?}") };
            assert_eq!(Stat::group(pid), []);
        }
        target.down().await.unwrap();
    }

    #[tokio::test]
    async fn a_service_that_ends_before_it_is_ready_is_quoted() {
        let (fault, text) = fails(service("api", "echo no port; exit 7", says("up"))).await;
        assert_eq!(fault, Fault::System);
        assert!(text.starts_with("service `api` ended before it was ready, with exit status: 7"));
        assert!(text.ends_with("\n    no port"), "{text}");
    }

    #[tokio::test]
    async fn a_service_that_is_not_ready_in_time_is_quoted() {
        let within = Some(Length(Duration::from_millis(20)));
        let ready = Ready { within, ..says("never") };
        let (fault, text) = fails(service("api", "echo slow; exec sleep 60", ready)).await;
        assert_eq!(fault, Fault::System);
        assert!(text.contains("not within 20ms: no line of its output matches `never`"), "{text}");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_the_rigs_fault() {
        let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap().to_string();
        let ready = Ready { tcp: Some(address.clone()), ..Ready::default() };
        let (fault, text) = fails(service("api", "exec sleep 60", ready)).await;
        assert_eq!(fault, Fault::Rig);
        assert!(text.contains(&format!("something already answers at {address}")), "{text}");
    }

    #[tokio::test]
    async fn what_cannot_be_started_is_the_rigs_fault() {
        let command = vec!["./not-built".to_owned()];
        let (fault, text) = fails(Service { command, ..service("api", "", says("up")) }).await;
        assert_eq!(fault, Fault::Rig);
        assert!(text.contains("service `api`: `") && text.contains("cannot be started"), "{text}");
    }

    #[tokio::test]
    async fn a_cancelled_start_is_taken_down() {
        let (mut target, root) = target(vec![service("api", "exec sleep 60", says("never"))]);
        let up = target.up(root.path());
        assert!(tokio::time::timeout(Duration::from_millis(30), up).await.is_err());
        let pid = target.running[0].group.pid();
        target.down().await.unwrap();
        assert_eq!(Stat::group(pid), []);
    }
}
