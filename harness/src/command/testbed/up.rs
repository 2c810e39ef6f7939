//! Brings the testbed up: packages, files and image, the two hosts, the links between them, and then in both hosts at one
//! time whatever is missing there.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

use super::node::{MANAGEMENT_BRIDGE, NODES, Node};
use super::part::Part;
use super::record::{self, Host, Record};
use super::state::State;
use super::step::{Step, StepError, file};
use super::{down, guest, packages, texts};
use crate::host::procfs::Stat;
use crate::host::wait::{Check, wait_for};
use crate::results::directory::replace_by;

/// What starts parts and looks at them.
pub(super) const SCRIPTS: [(&str, &str); 4] = [
    ("init.sh", include_str!("init.sh")),
    ("host.sh", include_str!("host.sh")),
    ("network.sh", include_str!("network.sh")),
    ("sshd-stop.sh", include_str!("sshd-stop.sh")),
];

/// Starts what is missing.
///
/// # Errors
/// [`StepError`] of the step that failed; what was started before it stays, for a look at it, and is recorded.
pub(super) async fn run(state: &State, mirror: &str) -> Result<(), StepError> {
    packages::install().await?;
    let is_new = start_hosts(state).await?;
    if let Err(why) = Part::Image.look(state).await {
        tell("build", &format!("the guests' image ({why}); this takes about two minutes"));
        guest::build(state, mirror).await?;
    }
    ensure(state, Part::Network).await?;
    let [server, client] = &NODES;
    let (server, client) = tokio::join!(start_parts(state, server), start_parts(state, client));
    let started = server? | client? | ensure(state, Part::Path).await?;
    ensure(state, Part::Truth).await?;
    if !is_new && !started {
        tell("up", "already");
    }
    Ok(())
}

/// Says on standard error what is being done.
pub(super) fn tell(doing: &str, what: &str) {
    eprintln!("{doing:>8}  {what}");
}

/// Brings up what is missing in a host. True where something was.
async fn start_parts(state: &State, node: &'static Node) -> Result<bool, StepError> {
    let mut started = false;
    for part in Part::of(node) {
        started |= ensure(state, part).await?;
    }
    Ok(started)
}

/// Starts a part that is missing and waits until it is there. False where it was.
async fn ensure(state: &State, part: Part) -> Result<bool, StepError> {
    if part.look(state).await.is_ok() {
        return Ok(false);
    }
    tell("start", &part.name());
    part.start(state).await?;
    let look = async || match part.look(state).await {
        Ok(_) => Check::Ready(()),
        Err(why) => Check::NotYet(why),
    };
    wait_for(part.within(), Duration::from_millis(200), look).await.map_err(|error| {
        StepError::Unmet {
            what: format!("bring up {}", part.name()),
            status: error.to_string(),
            hint: format!(
                "The logs are in {}/host-*/log; `testbed down` ends what was started.",
                state.root().display()
            ),
        }
    })?;
    Ok(true)
}

/// Whether the first processes of both hosts run.
///
/// # Errors
/// [`StepError`] where the record cannot be read.
pub(super) fn hosts_run(state: &State) -> Result<bool, StepError> {
    let at = state.file("record.json");
    let record = Record::read(&at).map_err(file(format!("read {}", at.display())))?;
    Ok(record.is_some_and(|record| NODES.iter().all(|node| record.host(node.name).is_some())))
}

/// Both hosts with their files. False where both run; where one does not, what is left of the other goes first.
async fn start_hosts(state: &State) -> Result<bool, StepError> {
    let at = state.file("record.json");
    let failed = || file(format!("write {}", at.display()));
    if hosts_run(state)? {
        write_scripts(state)?;
        return Ok(false);
    }
    if Record::read(&at).map_err(failed())?.is_some() {
        tell("end", "what is left of an earlier testbed");
    } else if Path::new("/sys/class/net").join(MANAGEMENT_BRIDGE).exists() {
        return Err(StepError::Unmet {
            what: "make the links".into(),
            status: format!(
                "{MANAGEMENT_BRIDGE} exists, and no testbed in {} made it",
                state.root().display()
            ),
            hint: "Run `testbed down` with the --state that it was brought up with.".into(),
        });
    }
    down::run(state).await?;
    let mut record = Record::new();
    record.links = NODES.iter().map(|node| node.link.to_owned()).collect();
    record.links.push(MANAGEMENT_BRIDGE.to_owned());
    record.write(&at).map_err(failed())?;
    write_files(state).await?;
    for node in &NODES {
        tell("start", &Part::Host(node).name());
        let host = start_host(state, node).await?;
        let write = |name: &str, text: &str, mode| write(&state.of(node).join(name), text, mode);
        write("enter", &texts::enter(&host), 0o755)?;
        record.hosts.push(host);
        record.write(&at).map_err(failed())?;
    }
    Ok(true)
}

/// Writes [`SCRIPTS`]; where hosts run they may have those of another version.
fn write_scripts(state: &State) -> Result<(), StepError> {
    SCRIPTS.iter().try_for_each(|(name, text)| write(&state.file(name), text, 0o755))
}

/// What does not depend on pids: keys, configuration.
async fn write_files(state: &State) -> Result<(), StepError> {
    let keys = state.file("keys");
    fs::create_dir_all(&keys).map_err(file(format!("make {}", keys.display())))?;
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o700))
        .map_err(file(format!("close {}", keys.display())))?;
    for name in texts::everyone().map(|(name, _)| name).chain(["id_ed25519"]) {
        let key = state.key(name);
        if !key.exists() {
            let to = key.to_string_lossy();
            let comment = format!("proofload-testbed {name}");
            let args = ["-q", "-t", "ed25519", "-N", "", "-C", &comment, "-f", &*to];
            Step::new("make a key pair", "ssh-keygen", &args).run().await?;
        }
    }
    write_scripts(state)?;
    let public = |name: &str| fs::read_to_string(state.key(&format!("{name}.pub")));
    let known = texts::known_hosts(public).map_err(file("read the host keys"))?;
    write(&state.file("known_hosts"), &known, 0o644)?;
    // Root's alone, as the keys are. What `down` removed is not there to be in the way.
    let (config, link) = (state.ssh_config_of_boot(), state.file("ssh_config"));
    write(&config, &texts::ssh_config(state), 0o600)?;
    symlink(&config, &link).map_err(file(format!("make {}", link.display())))?;
    for node in &NODES {
        let directory = state.of(node);
        for name in ["work", "log"] {
            let own = directory.join(name);
            fs::create_dir_all(&own).map_err(file(format!("make {}", own.display())))?;
        }
        write(&directory.join("settings"), &texts::settings(node), 0o644)?;
        write(&directory.join("sshd_config"), &texts::sshd_config(state, node), 0o644)?;
        for (name, text) in texts::handles(state, node) {
            write(&directory.join(name), &text, 0o755)?;
        }
    }
    Ok(())
}

/// Writes a file anew: a shell that runs the script that is there goes on with that.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), StepError> {
    let written = replace_by(path, |new| {
        fs::write(new, text)?;
        fs::set_permissions(new, fs::Permissions::from_mode(mode))
    });
    written.map_err(file(format!("write {}", path.display())))
}

/// Starts the first process of a host, which lives on without this one.
async fn start_host(state: &State, node: &Node) -> Result<Host, StepError> {
    // The script stays until the host is ready: before it has a session of its own, it ends with the script.
    let script = "setsid unshare --net --mount --uts --ipc --pid --fork --mount-proc \
        /bin/sh \"$1\" \"$2\" \"$3\" </dev/null >\"$2/log/init.log\" 2>&1 & \
        until [ -e \"$2/ready\" ]; do \
          kill -0 $! 2>/dev/null || { cat \"$2/log/init.log\"; exit 1; }; sleep 0.02; \
        done; echo $!";
    let [init, own] =
        [&state.file("init.sh"), &state.of(node)].map(|path| path.to_string_lossy().into_owned());
    let what = format!("start {}", node.name);
    let hint = "It needs a kernel with namespaces and a root that may make them: not every container has that.";
    let outer = Step::new(&what, "/bin/sh", &["-c", script, "sh", &init, &own, node.name])
        .env(record::VARIABLE, &state.root().to_string_lossy())
        .hint(hint)
        .run()
        .await?;
    let outer: Option<u32> = outer.trim().parse().ok();
    // The host's first process is the only child of the one that waits for it.
    let first = Stat::all().into_iter().find(|stat| Some(stat.parent) == outer);
    let first = first.ok_or_else(|| StepError::Unmet {
        what,
        status: "its first process has ended".to_owned(),
        hint: hint.to_owned(),
    })?;
    Ok(Host { name: node.name.to_owned(), pid: first.pid, start: first.start })
}
