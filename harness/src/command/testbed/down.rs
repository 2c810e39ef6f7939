//! Ends what `up` recorded: the hosts with all that runs in them, and the links of the root namespace.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::node::NODES;
use super::record::{self, Record};
use super::state::State;
use super::step::{Step, StepError, file};
use super::up::SCRIPTS;
use crate::host::procfs::Stat;
use crate::host::wait::{Check, wait_for};

/// How long the kernel has to end a host; a guest's memory has to be given back.
const END: Duration = Duration::from_secs(20);

/// Ends everything, and says what there was.
///
/// # Errors
/// [`StepError`] for what does not end.
pub(super) async fn run(state: &State) -> Result<Vec<String>, StepError> {
    let at = state.file("record.json");
    let record = Record::read(&at).map_err(file(format!("read {}", at.display())))?;
    let mut ended = Vec::new();
    let mut first: Vec<Stat> = Vec::new();
    for host in record.iter().flat_map(|record| &record.hosts).filter(|host| host.runs()) {
        ended.push(format!("{} (pid {})", host.name, host.pid));
        first.extend(Stat::of(host.pid));
    }
    for stat in record::marked(state.root()) {
        if !first.contains(&stat) {
            first.push(stat);
        }
    }
    end(&first).await?;
    for link in record.iter().flat_map(|record| &record.links) {
        // A link's other end takes it along, and may be ended by the kernel at any moment after its host.
        let there = || Path::new("/sys/class/net").join(link).exists();
        if there() {
            let removed =
                Step::new(format!("remove {link}"), "ip", &["link", "delete", link]).run();
            if let Err(error) = removed.await
                && there()
            {
                return Err(error);
            }
            ended.push(format!("link {link}"));
        }
    }
    let scripts = SCRIPTS.iter().map(|(name, _)| *name);
    for name in
        ["ssh_config", "known_hosts", "truth.json", "record.json"].into_iter().chain(scripts)
    {
        remove(&state.file(name))?;
    }
    remove(&state.ssh_config_of_boot())?;
    for node in &NODES {
        remove(&state.of(node))?;
    }
    Ok(ended)
}

/// Kills these processes, each of which a host ends with, and waits until they are gone.
async fn end(first: &[Stat]) -> Result<(), StepError> {
    let is_same =
        |stat: &&Stat| Stat::of(stat.pid).is_some_and(|now| now.start == stat.start && !now.ended);
    let left = || first.iter().filter(is_same).map(|stat| stat.pid.to_string()).collect::<Vec<_>>();
    let pids = left();
    if pids.is_empty() {
        return Ok(());
    }
    let mut args = vec!["-KILL"];
    args.extend(pids.iter().map(String::as_str));
    // One that has just ended makes kill fail, which is as good.
    let _ = Step::new("end the hosts", "kill", &args).run().await;
    wait_for(END, Duration::from_millis(20), || {
        let left = left();
        let check = if left.is_empty() { Check::Ready(()) } else { Check::NotYet(left.join(", ")) };
        std::future::ready(check)
    })
    .await
    .map_err(|error| StepError::Unmet {
        what: "end the hosts".into(),
        status: error.to_string(),
        hint: "Run `testbed down` again, or restart the machine.".into(),
    })
}

/// Removes a file, or a directory with all in it; one that is not there is fine.
fn remove(path: &Path) -> Result<(), StepError> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(file(format!("remove {}", path.display()))(error))
        }
        _ => Ok(()),
    }
}
