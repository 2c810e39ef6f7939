//! Looking: from questions to rows. Every look is cut off after [`WITHIN`].

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use super::question::{self, Asked, Question};
use super::row::{Container, Row, State};
use crate::drive;
use crate::host::{Command, http, owner};
use crate::model::spec::driver::AgentsSpec;
use crate::model::spec::target::ComposeSpec;
use crate::model::{Member, Params, metric};
use crate::probe::Probe as _;
use crate::probe::containers::Containers;
use crate::scenario::Workspace;
use crate::suite::lock;
use crate::target::compose::survey::{self, Declaration, Engine, Installed, Project};

/// How long one look may take.
const WITHIN: Duration = Duration::from_secs(2);
/// The time between two readings, over which processor time is counted.
const BETWEEN: Duration = Duration::from_millis(300);

/// What the answers have in common.
struct Here<'a> {
    root: &'a Path,
    has_docker: bool,
    has_compose: bool,
    /// Another run is under way, and what it has brought up is not in the way of the next one.
    is_locked: bool,
}

/// Looks at what every run needs, and at what these scenarios need.
pub(super) async fn all(workspace: &Workspace, asked: Vec<Asked>) -> Vec<Row> {
    let (engine, compose) = tokio::join!(within(survey::engine()), within(survey::compose()));
    let wants_docker: Vec<String> = scenarios_with_compose(&asked);
    // Elsewhere trials that need it are ignored, and a run can start without.
    let is_required = is_required("docker");
    let holder = lock::held_by(&workspace.lock);
    let here = Here {
        root: &workspace.root,
        has_docker: engine.is_ok(),
        has_compose: compose.is_ok(),
        is_locked: holder.is_some(),
    };
    let mut rows = vec![
        Row { scenarios: wants_docker.clone(), ..daemon(engine, is_required) },
        Row { scenarios: wants_docker.clone(), ..tool(compose, is_required) },
        lock_row(workspace, holder),
    ];
    let answers = join_all(asked.into_iter().map(|asked| answer(asked, &here)));
    let (left, answers) = tokio::join!(left_over(here.has_docker), answers);
    rows.push(left);
    for row in answers.into_iter().flatten() {
        add(&mut rows, row);
    }
    rows
}

/// Adds a row, or its scenarios where two targets have the same container.
fn add(rows: &mut Vec<Row>, row: Row) {
    let place = |row: &Row| row.container.as_ref().map(|of| (of.project.clone(), of.name.clone()));
    let same = place(&row).and_then(|own| rows.iter_mut().find(|r| place(r) == Some(own.clone())));
    let Some(same) = same else {
        rows.push(row);
        return;
    };
    let others = row.scenarios.into_iter().filter(|name| !same.scenarios.contains(name));
    same.scenarios.extend(others.collect::<Vec<_>>());
    if row.state == State::Missing {
        same.state = State::Missing;
    }
}

async fn within<T>(look: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let late = || format!("no answer within {} s", WITHIN.as_secs());
    timeout(WITHIN, look).await.unwrap_or_else(|_| Err(late()))
}

fn scenarios_with_compose(asked: &[Asked]) -> Vec<String> {
    let of_compose = asked.iter().filter(|asked| matches!(asked.question, Question::Projects(_)));
    let mut names: Vec<String> = of_compose.flat_map(|asked| asked.scenarios.clone()).collect();
    names.sort();
    names.dedup();
    names
}

fn daemon(engine: Result<Engine, String>, is_required: bool) -> Row {
    let what = "Docker daemon";
    match engine {
        Ok(Engine { version, api, cgroup_version, cgroup_driver }) => {
            let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
            let (groups, driver) = (or_unknown(cgroup_version), or_unknown(cgroup_driver));
            Row::ok(what, format!("{version}, API {api}, cgroup version {groups} ({driver})"))
        }
        Err(why) if is_required => Row::missing(what, "none answers").hint(why),
        Err(why) => Row::off(what, "none answers")
            .hint(format!("{why}; until then trials that need it are ignored")),
    }
}

fn tool(compose: Result<Installed, String>, is_required: bool) -> Row {
    let what = "Compose";
    match compose {
        Ok(Installed { name, file, version }) => {
            Row::ok(what, format!("{name} {version} ({})", file.display()))
        }
        Err(why) if is_required => Row::missing(what, "not usable").hint(why),
        Err(why) => Row::off(what, "not usable").hint(why),
    }
}

fn lock_row(workspace: &Workspace, holder: Option<String>) -> Row {
    let file = workspace.lock.display();
    match holder {
        None => Row::ok("lock", format!("free ({file})")),
        Some(holder) => Row::off("lock", format!("held by {holder} ({file})"))
            .hint(format!("a run waits for it, up to {}", workspace.lock_within)),
    }
}

async fn left_over(has_docker: bool) -> Row {
    let what = "left by killed runs";
    let projects = if has_docker { within(survey::left_over()).await } else { Ok(0) };
    let processes = owner::left_over();
    let projects = match projects {
        _ if !has_docker => "Compose projects cannot be seen".to_owned(),
        Ok(0) if processes == 0 => return Row::ok(what, "nothing"),
        Ok(projects) => format!("{projects} Compose projects"),
        Err(why) => format!("Compose projects: {why}"),
    };
    Row::off(what, format!("{processes} processes, {projects}"))
        .hint("the next run ends and removes what there is")
}

async fn answer(asked: Asked, here: &Here<'_>) -> Vec<Row> {
    let rows = match &asked.question {
        Question::Program { of, words, build } => {
            vec![program(of, words, build.as_deref(), here.root)]
        }
        Question::Address { service, address } => vec![port(service, address, here).await],
        Question::Stack(spec) if here.has_compose => stack(spec, here).await,
        Question::Projects(spec) if here.has_docker => projects(spec, here.root).await,
        // The rows of Docker and Compose say what to do.
        Question::Stack(_) | Question::Projects(_) => Vec::new(),
        Question::Api { spec, params, attached } => vec![api(spec, params, *attached).await],
        Question::Testbed { config, nodes, unavailable } => {
            vec![testbed(config, nodes, unavailable.as_deref())]
        }
        Question::Server { name, url } => vec![server(name, url).await],
        Question::Variable { name, is_set } => vec![variable(name, *is_set)],
        Question::Registered { what, name } => {
            let hint = "listing the trials tells whether the test binary registers it: cargo test --test perf -- --list";
            vec![Row::off(format!("{what} {name}"), "not known here").hint(hint)]
        }
    };
    rows.into_iter().map(|row| Row { scenarios: asked.scenarios.clone(), ..row }).collect()
}

/// Nodes are named and not asked.
fn testbed(config: &Path, nodes: &[String], unavailable: Option<&str>) -> Row {
    let what = format!("testbed {}", config.display());
    let nodes = nodes.join(", ");
    match unavailable {
        None => Row::ok(what, format!("configured, with {nodes}; not asked")),
        Some(why) if is_required("testbed") => Row::missing(what, "not usable").hint(why),
        Some(why) => Row::off(what, format!("not usable, with {nodes}"))
            .hint(format!("{why}; until then its trials are ignored")),
    }
}

/// True where trials that miss it fail, which are else ignored.
fn is_required(what: &str) -> bool {
    let required = std::env::var("PROOFLOAD_REQUIRE").unwrap_or_default();
    required.split(',').any(|name| name.trim() == what)
}

fn program(of: &str, words: &[String], build: Option<&str>, root: &Path) -> Row {
    let name = words.first().map(String::as_str).unwrap_or_default();
    let what = format!("program of {of}");
    let found = Command::in_root(root, words).and_then(|command| command.found());
    match (found, build) {
        (Some(file), _) => {
            Row::ok(what, file.strip_prefix(root).unwrap_or(&file).display().to_string())
        }
        (None, Some(build)) => Row::off(what, format!("{name}: not built yet"))
            .hint(format!("a run begins with `{build}`")),
        (None, None) if name.contains('/') => {
            Row::missing(what, format!("{name}: no such program"))
                .hint("build it, or let a run do that with the key `build` of the target")
        }
        (None, None) => Row::missing(what, format!("{name}: not on PATH"))
            .hint("install it, or write where it is"),
    }
}

async fn port(service: &str, address: &str, here: &Here<'_>) -> Row {
    let what = format!("port of {service}");
    let answers = timeout(WITHIN, crate::target::connect(address)).await;
    match answers {
        Ok(Ok(())) if here.is_locked => Row::off(what, format!("{address} is taken"))
            .hint("by the run that holds the lock, it seems"),
        Ok(Ok(())) => Row::missing(what, format!("{address} is taken"))
            .hint(format!("stop what answers at {address}, or use another port")),
        _ => Row::ok(what, format!("{address} is free")),
    }
}

async fn stack(spec: &ComposeSpec, here: &Here<'_>) -> Vec<Row> {
    let what = format!("Compose file {}", question::files(spec));
    let declared = match within(survey::declared(spec, here.root, WITHIN)).await {
        Ok(Declaration::Services(declared)) => declared,
        Ok(Declaration::Refused(why)) => {
            return vec![Row::missing(what, "Compose refuses it").hint(why)];
        }
        Err(why) => {
            return vec![Row::off(what, "not known").hint(format!("Compose does not say: {why}"))];
        }
    };
    let services: Vec<&str> = declared.iter().map(|one| one.service.as_str()).collect();
    let file = match spec.services.iter().find(|name| !services.contains(&name.as_str())) {
        Some(unknown) => Row::missing(what, format!("no service {unknown}"))
            .hint(format!("`services` names it; there are {}", services.join(", "))),
        None => Row::ok(what, format!("services {}", services.join(", "))),
    };
    let mut images: BTreeMap<&str, bool> = BTreeMap::new();
    for one in &declared {
        let Some(image) = &one.image else { continue };
        *images.entry(image).or_default() |= one.builds;
    }
    if !here.has_docker {
        return vec![file];
    }
    let rows = images.into_iter().map(|(name, builds)| image(name, builds, spec.build.as_deref()));
    let mut all = vec![file];
    all.extend(join_all(rows).await);
    all
}

async fn image(name: &str, builds: bool, build: Option<&str>) -> Row {
    let what = format!("image {name}");
    let hint = match build {
        Some(build) => format!("a run begins with `{build}`"),
        None if builds => "Compose builds it when a run starts".to_owned(),
        None => "Compose pulls it when a run starts".to_owned(),
    };
    match within(survey::has_image(name)).await {
        Ok(true) => Row::ok(what, "present"),
        Ok(false) => Row::off(what, "not present").hint(hint),
        Err(why) => Row::off(what, format!("not known: {why}")),
    }
}

async fn projects(spec: &ComposeSpec, root: &Path) -> Vec<Row> {
    let attached = survey::attached(spec, root);
    let what = match &attached {
        Some(name) => format!("project {name}"),
        None => format!("project of {}", question::files(spec)),
    };
    let found = match within(survey::projects(spec, root)).await {
        Ok(found) => found,
        Err(why) => return vec![Row::off(what, format!("not known: {why}"))],
    };
    if found.is_empty() {
        return vec![match attached {
            Some(_) => Row::missing(what, "does not run")
                .hint("start it, or name the one to attach to with `project`"),
            None => Row::off(what, "none runs").hint("a run starts its own"),
        }];
    }
    let names: Vec<&str> = found.iter().map(|project| project.name.as_str()).collect();
    let running = Row::ok(what, format!("{} runs", names.join(", ")));
    let running = match attached {
        Some(_) => running,
        None => {
            running.hint("a run starts another beside it; they must not publish the same ports")
        }
    };
    let containers = found.iter().map(|project| containers(project, attached.is_some()));
    let containers = join_all(containers).await;
    std::iter::once(running).chain(containers.into_iter().flatten()).collect()
}

async fn containers(project: &Project, attached: bool) -> Vec<Row> {
    let read = readings(&project.members).await;
    let rows = project.containers.iter().map(|seen| {
        let of = |metric: &metric::Metric| {
            read.get(&(seen.name.clone(), metric.name.to_string())).copied()
        };
        let container = Container {
            project: project.name.clone(),
            name: seen.name.clone(),
            health: seen.health,
            memory_bytes: of(&metric::MEMORY_WORKING_SET),
            limit_bytes: of(&metric::MEMORY_LIMIT),
            memory_fraction: of(&metric::MEMORY_FRACTION),
            cpu_usage: of(&metric::CPU_USAGE),
        };
        let state = match (seen.is_well, attached) {
            (true, _) => State::Ok,
            (false, true) => State::Missing,
            (false, false) => State::Off,
        };
        let row = Row::new(format!("container {}", seen.name), state, seen.state.clone());
        Row { container: Some(container), ..row }
    });
    rows.collect()
}

/// What the containers use, as a run would read it: by name and metric.
async fn readings(members: &[Member]) -> BTreeMap<(String, String), f64> {
    let mut seen = BTreeMap::new();
    let end = Instant::now() + WITHIN;
    let Ok(Ok(mut probe)) = timeout(WITHIN, Containers::open(members, Path::new("/"))).await else {
        return seen;
    };
    // Two readings for the processor time in between; Docker's own statistics come once a second only.
    loop {
        for reading in probe.read().await.readings {
            let source: &Arc<str> = &reading.source;
            seen.insert((source.to_string(), reading.metric.to_string()), reading.value);
        }
        let is_whole = |member: &Member| {
            seen.contains_key(&(member.name.to_string(), metric::CPU_USAGE.name.to_string()))
        };
        if members.iter().all(is_whole) || Instant::now() + BETWEEN > end {
            return seen;
        }
        sleep(BETWEEN).await;
    }
}

async fn api(spec: &AgentsSpec, params: &Params, attached: bool) -> Row {
    let url = drive::survey::status_url(spec);
    match drive::survey::status(spec, params, WITHIN).await {
        Ok(status) => Row::ok("API", format!("{url} answers with status {status}")),
        Err(why) if !why.system => Row::off("API", format!("{url} is not asked")).hint(why.message),
        Err(why) if attached => Row::missing("API", format!("{url} does not answer"))
            .hint(format!("{why}; it must run, as the target is attached to")),
        Err(why) => Row::off("API", format!("{url} does not answer"))
            .hint(format!("{why}; that is normal while the target is down")),
    }
}

async fn server(name: &str, url: &str) -> Row {
    match http::status(url, WITHIN).await {
        Ok(status) => Row::ok(name, format!("{url} answers with status {status}")),
        Err(why) => Row::off(name, format!("{url} does not answer"))
            .hint(format!("{why}; it must run once the target is up, or its readings are missing")),
    }
}

fn variable(name: &str, is_set: bool) -> Row {
    let what = format!("variable {name}");
    if is_set {
        return Row::ok(what, "set");
    }
    Row::missing(what, "not set, or empty").hint(format!("set {name}, which the driver reads"))
}
