//! The testbed with this machine's own shell in place of nodes.

use std::fs;

use super::*;

struct Bed {
    directory: tempfile::TempDir,
    spec: TestbedSpec,
}

impl Bed {
    /// Two nodes with their workdirs in a directory of the test's own, and hooks that write what they do into a file.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().file_name().unwrap().to_str().unwrap();
        let name = name.trim_start_matches('.').to_owned();
        let node = |role: &str| NodeSpec {
            name: format!("{name}-{role}"),
            ssh: "local:".into(),
            ssh_config: None,
            workdir: directory.path().join(role).to_str().unwrap().to_owned(),
            sudo: false,
        };
        let nodes = vec![node("server"), node("client")];
        let tools = directory.path().join("config/tools");
        fs::create_dir_all(&tools).unwrap();
        fs::create_dir(directory.path().join("logs")).unwrap();
        fs::write(tools.join("count.sh"), "echo up").unwrap();
        let told = directory.path().join("told");
        let hook = |level: Level, name: &str| Hook {
            level,
            name: name.into(),
            node: Some(nodes[0].name.clone()),
            init: Some(format!("echo {name} >> {}", told.display())),
            post: Some(format!("echo -{name} >> {}", told.display())),
        };
        let hooks = vec![
            hook(Level::Global, "all"),
            hook(Level::Tool, "tool"),
            hook(Level::Global, "more"),
            hook(Level::Case, "never"),
        ];
        let spec = TestbedSpec {
            config: "config".into(),
            watched: nodes.iter().map(|node| node.name.clone()).collect(),
            tools: Some("tools".into()),
            hooks,
            tool: None,
            tool_node: Some(nodes[0].name.clone()),
            nodes,
        };
        Self { directory, spec }
    }

    fn target(&self) -> TestbedTarget {
        TestbedTarget::new(&self.spec, self.directory.path())
    }

    fn logs(&self) -> PathBuf {
        self.directory.path().join("logs")
    }

    fn for_tool(&self, tool: Option<&str>) -> TargetSpec {
        TargetSpec::Testbed(TestbedSpec { tool: tool.map(str::to_owned), ..self.spec.clone() })
    }

    /// What hooks did so far.
    fn told(&self) -> String {
        let told = fs::read_to_string(self.directory.path().join("told")).unwrap_or_default();
        told.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

#[tokio::test]
async fn every_node_is_a_member_and_has_the_tools() {
    let bed = Bed::new();
    let mut target = bed.target();
    assert!(target.keeps_up());
    let members = target.up(&bed.logs()).await.unwrap();
    for (member, spec) in members.iter().zip(&bed.spec.nodes) {
        assert_eq!(&*member.name, spec.name);
        assert_eq!(
            member.handle,
            Handle::Node { node: spec.clone(), for_tool: spec.name == bed.spec.nodes[0].name }
        );
        let tool = Path::new(&spec.workdir).join("measurement-tools/count.sh");
        assert_eq!(fs::read_to_string(tool).unwrap(), "echo up");
    }
    target.down().await.unwrap();
    target.down().await.unwrap();
    assert_eq!(bed.told(), "all more -more -all");
}

#[tokio::test]
async fn the_level_of_a_tool_surrounds_all_its_trials() {
    let bed = Bed::new();
    let mut target = bed.target();
    for tool in [None, Some("one"), Some("one"), Some("two"), None] {
        assert!(target.adopt(&bed.for_tool(tool)));
        target.up(&bed.logs()).await.unwrap();
        target.reset().await.unwrap();
    }
    assert_eq!(bed.told(), "all more tool -tool tool -tool");
    target.down().await.unwrap();
    assert_eq!(bed.told(), "all more tool -tool tool -tool -more -all");
    let log = fs::read_to_string(bed.directory.path().join("hooks.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 8);
}

#[tokio::test]
async fn a_tool_that_cannot_be_left_is_named_to_the_next_one() {
    let mut bed = Bed::new();
    bed.spec.hooks[1].post = Some("echo no; exit 5".into());
    let mut target = bed.target();
    assert!(target.adopt(&bed.for_tool(Some("one"))));
    target.up(&bed.logs()).await.unwrap();
    assert!(target.adopt(&bed.for_tool(Some("two"))));
    let message = target.up(&bed.logs()).await.unwrap_err().message;
    assert!(message.starts_with("tool one could not be left: post of hook `tool`"), "{message}");
    target.down().await.unwrap();
}

#[tokio::test]
async fn a_node_that_no_trial_needs_may_be_out_of_reach_until_one_does() {
    let mut bed = Bed::new();
    let [server, client] = [0, 1].map(|at| bed.spec.nodes[at].clone());
    let told = bed.directory.path().join("told");
    // On every node that can be reached.
    bed.spec.hooks.truncate(1);
    bed.spec.hooks[0].node = None;
    bed.spec.watched = vec![server.name.clone()];
    fs::write(&client.workdir, "no directory").unwrap();
    let mut target = bed.target();
    let members = target.up(&bed.logs()).await.unwrap();
    assert_eq!(members.iter().map(|one| &*one.name).collect::<Vec<_>>(), [&server.name]);
    target.reset().await.unwrap();
    assert_eq!(bed.told(), "all");
    fs::remove_file(&client.workdir).unwrap();
    bed.spec.watched.push(client.name.clone());
    assert!(target.adopt(&bed.for_tool(None)));
    assert_eq!(target.up(&bed.logs()).await.unwrap().len(), 2);
    // What surrounds everything begins again, on both.
    assert_eq!(fs::read_to_string(&told).unwrap(), "all\n-all\nall\nall\n");
    target.down().await.unwrap();
    assert_eq!(bed.told(), "all -all all all -all -all");
}

#[tokio::test]
async fn what_a_hook_around_trials_started_lives_until_its_post() {
    let mut bed = Bed::new();
    let pid = bed.directory.path().join("pid");
    let shown = pid.display();
    // Out of reach of the group that every command of this machine is, before that ends with its line.
    let stays = format!("sh -c 'echo $$ > {shown}; exec sleep 68' >/dev/null 2>&1");
    let init = format!(
        "env -u PROOFLOAD_GROUP setsid {stays} & until [ -s {shown} ]; do sleep 0.01; done"
    );
    bed.spec.hooks.truncate(1);
    bed.spec.hooks[0].init = Some(init);
    let post = format!("kill $(cat {shown}) && echo ended >> {shown}");
    bed.spec.hooks[0].post = Some(post);
    let mut target = bed.target();
    for _ in 0..2 {
        target.up(&bed.logs()).await.unwrap();
        target.reset().await.unwrap();
    }
    target.down().await.unwrap();
    assert!(fs::read_to_string(&pid).unwrap().ends_with("ended\n"));
}

#[tokio::test]
async fn another_configuration_is_not_adopted() {
    let bed = Bed::new();
    let mut target = bed.target();
    let other = TestbedSpec { config: "other".into(), ..bed.spec.clone() };
    assert!(!target.adopt(&TargetSpec::Testbed(other)));
    let other = TestbedSpec { hooks: Vec::new(), ..bed.spec.clone() };
    assert!(!target.adopt(&TargetSpec::Testbed(other)));
}

#[tokio::test]
async fn what_a_walk_left_is_ended_and_told() {
    let bed = Bed::new();
    let mut target = bed.target();
    target.up(&bed.logs()).await.unwrap();
    let node = Node::new(&bed.spec.nodes[1]);
    let group = node.start("tool", "exec sleep 63", "log").await.unwrap();
    let error = target.reset().await.unwrap_err();
    assert!(error.message.contains("`sleep 63` (pid "), "{error}");
    assert_eq!(group.stop(Duration::ZERO).await.unwrap(), crate::host::node::Stopped::Before);
    let group = node.start("tool", "exec sleep 64", "log").await.unwrap();
    target.down().await.unwrap();
    assert!(crate::host::procfs::Stat::of(group.session()).is_none_or(|stat| stat.ended));
    assert!(!Path::new(&node.state_dir()).exists());
}

#[tokio::test]
async fn what_this_run_left_on_a_node_that_it_lost_is_ended_when_it_is_entered_again() {
    let bed = Bed::new();
    let node = Node::new(&bed.spec.nodes[1]);
    let group = node.start("tool", "exec sleep 65", "log").await.unwrap();
    let mut target = bed.target();
    target.up(&bed.logs()).await.unwrap();
    assert!(crate::host::procfs::Stat::of(group.session()).is_none_or(|stat| stat.ended));
    let told = fs::read_to_string(bed.logs().join(LEFT_LOG)).unwrap();
    assert!(told.starts_with("ended `sleep 65` (pid "), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    target.down().await.unwrap();
}

#[tokio::test]
async fn a_failed_hook_fails_the_trial_and_what_was_begun_is_undone() {
    let mut bed = Bed::new();
    bed.spec.hooks[2].init = Some("echo no; exit 4".into());
    let mut target = bed.target();
    let error = target.up(&bed.logs()).await.unwrap_err();
    assert!(
        error.message.contains("init of hook `more`") && error.message.contains("no"),
        "{error}"
    );
    target.down().await.unwrap();
    assert_eq!(bed.told(), "all -more -all");
}

#[tokio::test]
async fn a_node_that_cannot_be_entered_is_named() {
    let mut bed = Bed::new();
    fs::write(bed.directory.path().join("client"), "no directory").unwrap();
    bed.spec.hooks.clear();
    let mut target = bed.target();
    let error = target.up(&bed.logs()).await.unwrap_err();
    assert!(error.message.starts_with(&bed.spec.nodes[1].name), "{error}");
    assert!(!error.message.contains(&bed.spec.nodes[0].name), "{error}");
    target.down().await.unwrap();
}
