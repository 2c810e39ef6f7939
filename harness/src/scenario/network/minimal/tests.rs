//! What a user may write, and what cannot be meant.

use super::*;

const GOOD: &str = "\
version: \"1.0\"
environment: my-env
nodes:
  host-server:
    ssh: user@198.18.0.1
    workdir: /home/user
  host-client: {ssh: \"ssh://root@198.18.0.2:2222\", role: host}
  vm-server:
    ssh: vm1
    role: vm
    host_ref: host-server
    uuid: one
    test_ip: 198.18.1.1
test_pairs:
  host: {server: host-server, client: host-client}
";

#[test]
fn what_is_not_said_has_a_default() {
    let minimal = Minimal::read(Path::new("m.yaml"), GOOD).unwrap();
    let names: Vec<&str> = minimal.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["host-server", "host-client", "vm-server"]);
    assert_eq!(minimal.nodes[1].workdir, "/tmp");
    assert_eq!((minimal.internal_port_type.as_str(), minimal.vm), ("mgt", None));
    assert_eq!(minimal.python_interpreter, "python3");
    assert_eq!(minimal.host.unwrap().client, "host-client");
    let logins: Vec<_> =
        minimal.nodes.iter().map(Node::login).map(|l| (l.host, l.user, l.port)).collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(logins[0], ("198.18.0.1".to_owned(), some("user"), None));
    assert_eq!(logins[1], ("198.18.0.2".to_owned(), some("root"), Some(2222)));
    assert_eq!(logins[2], ("vm1".to_owned(), None, None));
    let sudo = |node: usize| minimal.nodes[node].spec(None, true).sudo;
    assert!(sudo(0) && !sudo(1), "root needs no sudo");
}

/// Replaces a piece of the good file; the error is then in that line and says that.
fn check(from: &str, to: &str, line: usize, expected: &str) {
    assert!(GOOD.contains(from), "{from}");
    let error = Minimal::read(Path::new("m.yaml"), &GOOD.replacen(from, to, 1)).unwrap_err();
    assert!(error.message.contains(expected), "{to}: {error}");
    assert_eq!(error.line, Some(line), "{to}: {error}");
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_line() {
    check("environment: my-env", "environment: ../x", 2, "with which files can begin");
    check("workdir: /home/user", "workdir: home", 6, "a path from the root on");
    check("workdir:", "work_dir:", 6, "did you mean \"workdir\"?");
    check("role: host}", "role: hots}", 7, "did you mean \"host\"?");
    check("role: host}", "uuid: a}", 7, "`uuid` is for guests");
    check("    host_ref: host-server\n", "", 9, "needs `host_ref`");
    check("    uuid: one\n", "", 9, "needs `uuid`");
    check("    test_ip: 198.18.1.1\n", "", 9, "needs `test_ip`");
    check("198.18.1.1", "198.18.1.256", 13, "is no address");
    check("host_ref: host-server", "host_ref: host-sever", 11, "did you mean \"host-server\"?");
    check("client: host-client", "client: vm-server", 15, "`role: vm`: expected");
    check("client: host-client", "client: host-server", 15, "both sides");
    check("client: host-client", "client: nobody", 15, "unknown node");
    check("ssh: vm1", "ssh: -oProxyCommand=x", 9, "expected user@host");
    check("  host: {server", "  hosts: {server", 15, "unknown key `hosts`");
}
