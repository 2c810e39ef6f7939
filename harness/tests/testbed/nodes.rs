//! Nodes over the real `ssh`, with a server of our own on the loopback interface whose connections are cut.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use proofload::host::node::{GroupState, Node, Stopped};
use proofload::host::procfs::Stat;
use proofload::model::spec::network::NodeSpec;

const LONG: Duration = Duration::from_secs(20);

/// Names the configuration of the server to a process that is to be killed.
const KILLED: &str = "PROOFLOAD_TEST_KILLED";

/// Each with the server of its own.
pub(crate) fn trials() -> Vec<Trial> {
    type Check = fn(&Server);
    let all: [(&str, Check); 6] = [
        ("a_line_over_ssh_gives_its_code_and_both_outputs", lines),
        ("files_are_the_same_there_and_back_over_ssh", files),
        ("every_way_not_to_connect_says_what_to_do", refusals),
        ("a_lost_connection_is_told_and_what_ran_is_ended_later", lost),
        ("a_group_that_ignores_the_request_is_killed_over_ssh", deaf),
        ("what_a_killed_harness_left_is_swept_over_ssh", swept),
    ];
    let trial = |(name, check): (&'static str, fn(&Server))| {
        Trial::test(name, move || {
            check(&Server::start());
            Ok(())
        })
    };
    all.into_iter().map(trial).collect()
}

/// True in the process that [`swept`] starts and kills; it has then done its part.
pub(crate) fn plays_the_killed() -> bool {
    let Some(directory) = std::env::var_os(KILLED) else { return false };
    let node = Node::new(&spec(Path::new(&directory)));
    wait(async {
        let _connection = node.connect().await.unwrap();
        node.start("tool", "trap '' TERM; while :; do sleep 1; done", "log").await.unwrap();
        tokio::time::sleep(Duration::from_secs(600)).await;
    });
    true
}

/// A server that lets the user of this process in with a key of its own.
struct Server {
    directory: tempfile::TempDir,
    sshd: Child,
}

impl Server {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for key in ["host", "user", "other"] {
            run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", at(key).to_str().unwrap()]);
        }
        fs::copy(at("user.pub"), at("authorized")).unwrap();
        // Taken for a moment, so that nobody else has it.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let key = fs::read_to_string(at("host.pub")).unwrap();
        fs::write(at("known"), format!("[127.0.0.1]:{port} {key}")).unwrap();
        let d = directory.path().display();
        // With that level bash leaves out the user's own start-up file, which may take long.
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {d}/host\nAuthorizedKeysFile {d}/authorized\n\
             PidFile none\nUsePAM no\nPasswordAuthentication no\nStrictModes no\nPermitRootLogin yes\n\
             SetEnv SHLVL=2\n"
        );
        fs::write(at("sshd_config"), config).unwrap();
        let config = format!(
            "Host node\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {d}/user\n  IdentitiesOnly yes\n  \
             UserKnownHostsFile {d}/known\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n"
        );
        fs::write(at("ssh_config"), config).unwrap();
        // Where Debian's sshd, run by root, wants to be able to change to.
        let _ = fs::create_dir_all("/run/sshd");
        let mut sshd = Command::new("/usr/sbin/sshd");
        sshd.args(["-D", "-e", "-f", at("sshd_config").to_str().unwrap()]);
        sshd.stderr(fs::File::create(at("sshd.log")).unwrap()).stdin(Stdio::null());
        let server = Self { sshd: sshd.spawn().unwrap(), directory };
        until("sshd listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        server
    }

    fn spec(&self) -> NodeSpec {
        spec(self.directory.path())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Ends the processes of all its connections.
    fn cut(&self) {
        let all = Stat::all();
        let mut own = vec![self.sshd.id()];
        let mut found = Vec::new();
        while let Some(parent) = own.pop() {
            for stat in all.iter().filter(|stat| stat.parent == parent) {
                let name =
                    fs::read_to_string(format!("/proc/{}/comm", stat.pid)).unwrap_or_default();
                if name.starts_with("sshd") {
                    own.push(stat.pid);
                    found.push(stat.pid.to_string());
                }
            }
        }
        run(
            "kill",
            &[&["-KILL"], &found.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat(),
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.sshd.kill();
        let _ = self.sshd.wait();
    }
}

fn spec(directory: &Path) -> NodeSpec {
    NodeSpec {
        name: "node".into(),
        ssh: "node".into(),
        ssh_config: Some(directory.join("ssh_config")),
        workdir: directory.join("work").to_str().unwrap().into(),
        sudo: false,
    }
}

fn run(program: &str, args: &[&str]) {
    assert!(Command::new(program).args(args).status().unwrap().success(), "{program} {args:?}");
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
}

#[expect(
    clippy::disallowed_methods,
    reason = "what happens in other processes is looked for again and again"
)]
fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn runs(pid: u32) -> bool {
    Stat::of(pid).is_some_and(|stat| !stat.ended)
}

fn lines(server: &Server) {
    let node = Node::new(&server.spec());
    wait(async {
        let check = async |line: &str, code: i32, stdout: &str, stderr: &str| {
            let ended = node.run(line, LONG).await.unwrap();
            assert_eq!(
                (ended.code, &*ended.stdout, &*ended.stderr),
                (code, stdout, stderr),
                "{line}"
            );
        };
        check("echo alone", 0, "alone\n", "").await;
        let mut connection = node.connect().await.unwrap();
        assert!(connection.is_up());
        check("printf good; printf bad >&2; exit 3", 3, "good", "bad").await;
        check("exit 255", 255, "", "").await;
        check("echo \"it's $((1 + 1)) \\$x\"", 0, "it's 2 $x\n", "").await;
        check("head -c 300000 /dev/zero | tr '\\0' x | wc -c", 0, "300000\n", "").await;
        let start = Instant::now();
        for at in 0..200 {
            assert_eq!(node.run("echo a", LONG).await.unwrap().stdout, "a\n", "{at}");
        }
        let each = start.elapsed() / 200;
        eprintln!("note: {} us a line over a shared connection", each.as_micros());
        assert!(each < Duration::from_secs(1), "{each:?}");
        connection.close().await;
        assert!(!connection.is_up());
        check("echo alone again", 0, "alone again\n", "").await;
    });
}

fn files(server: &Server) {
    let node = Node::new(&server.spec());
    let bytes: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    fs::create_dir_all(server.at("from/a b")).unwrap();
    fs::write(server.at("from/a b/c'd"), &bytes).unwrap();
    wait(async {
        let _connection = node.connect().await.unwrap();
        let to = server.at("work/to").to_str().unwrap().to_owned();
        node.upload(&server.at("from"), &to).await.unwrap();
        node.copy_to_local(&format!("{to}/a b/c'd"), &server.at("back")).await.unwrap();
        assert!(fs::read(server.at("back")).unwrap() == bytes);
    });
}

fn refusals(server: &Server) {
    let config = fs::read_to_string(server.at("ssh_config")).unwrap();
    let known = fs::read_to_string(server.at("known")).unwrap();
    let other = fs::read_to_string(server.at("other.pub")).unwrap();
    let place = known.split(' ').next().unwrap().to_owned();
    let check = |config: &str, known: &str, expected: &str| {
        fs::write(server.at("ssh_config"), config).unwrap();
        fs::write(server.at("known"), known).unwrap();
        for connects in [true, false] {
            let node = Node::new(&server.spec());
            let error = wait(async {
                if connects {
                    node.connect().await.map(drop).unwrap_err()
                } else {
                    node.run("true", LONG).await.map(drop).unwrap_err()
                }
            });
            assert!(error.message.contains(expected), "{expected}: {error}");
            assert!(error.message.contains("ssh said:\n"), "{error}");
        }
    };
    check(&config.replace("127.0.0.1", "nosuchhost.invalid"), &known, "name cannot be resolved");
    let port = config.split_whitespace().skip_while(|word| *word != "Port").nth(1).unwrap();
    check(&config.replace(&format!("Port {port}"), "Port 9"), &known, "nothing listens there");
    check(&config, "", "its host key is unknown");
    check(&config, &format!("{place} {other}"), "not the one in known_hosts");
    check(&config.replace("/user\n", "/other\n"), &known, "it accepts no key of yours");
    fs::set_permissions(server.at("user"), fs::Permissions::from_mode(0o644)).unwrap();
    check(&config, &known, "chmod 600");
}

fn lost(server: &Server) {
    let node = Node::new(&server.spec());
    wait(async {
        let mut connection = node.connect().await.unwrap();
        let group = node.start("tool", "sleep 600", "log").await.unwrap();
        let started = server.at("work/pid");
        let cut = async {
            until("the line runs", || {
                fs::read_to_string(&started).is_ok_and(|text| text.ends_with('\n'))
            });
            tokio::task::block_in_place(|| server.cut());
        };
        let line = "echo $$ > pid; sleep 600";
        let (ended, ()) = tokio::join!(node.run(line, LONG), async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            cut.await;
        });
        let error = ended.unwrap_err();
        assert!(error.message.starts_with("the connection was lost while `echo $$"), "{error}");
        while connection.is_up() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The node can be reached again: what the line left was ended, and the group goes on.
        let pid = fs::read_to_string(&started).unwrap().trim().parse().unwrap();
        assert!(!runs(pid), "{pid}");
        assert_eq!(group.state().await.unwrap(), GroupState::Running);
        connection.close().await;
        connection = node.connect().await.unwrap();
        assert!(connection.is_up());
        assert_eq!(group.stop(LONG).await.unwrap(), Stopped::InTime);
        assert!(node.end_all().await.unwrap().is_empty());
    });
}

fn deaf(server: &Server) {
    let node = Node::new(&server.spec());
    wait(async {
        let _connection = node.connect().await.unwrap();
        let line = "trap '' TERM; echo up; while :; do sleep 1; done";
        let group = node.start("tool", line, "log").await.unwrap();
        until("it is up", || {
            fs::read_to_string(server.at("work/log")).is_ok_and(|text| text == "up\n")
        });
        let start = Instant::now();
        assert_eq!(group.stop(Duration::from_secs(1)).await.unwrap(), Stopped::Killed);
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        assert!(!runs(group.session()));
        assert_eq!(group.state().await.unwrap(), GroupState::Ended(137));
        assert!(node.end_all().await.unwrap().is_empty());
    });
}

#[expect(
    clippy::disallowed_methods,
    reason = "what happens in other processes is looked for again and again"
)]
fn swept(server: &Server) {
    let mut killed = Command::new(std::env::current_exe().unwrap())
        .env(KILLED, server.directory.path())
        .spawn()
        .unwrap();
    let log = server.at("work/log");
    let records = server.at("work/.proofload");
    until("the group runs", || log.exists() && records.exists());
    std::thread::sleep(Duration::from_millis(300));
    killed.kill().unwrap();
    killed.wait().unwrap();
    let node = Node::new(&server.spec());
    wait(async {
        let lines = node.sweep().await.unwrap();
        assert!(lines.len() >= 2, "{lines:?}");
        assert!(
            lines[0].contains("trap") && lines[0].ends_with("left by a run that was killed"),
            "{lines:?}"
        );
        assert!(node.sweep().await.unwrap().is_empty());
        assert!(!records.exists());
        // The master, which the killed process left here.
        assert!(proofload::host::owner::left_over() >= 1);
        proofload::host::owner::reap_processes().await;
        let _connection = node.connect().await.unwrap();
    });
}
