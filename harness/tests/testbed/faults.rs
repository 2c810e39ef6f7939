//! What goes wrong on nodes: a clear verdict each time, nothing left running, and the other cases go on.

use std::fs;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Trial;
use proofload::model::{Outcome, Verdict};

use crate::lab::{self, Lab, on_host, proofload, trial};
use crate::suite::{Run, run_directory};

/// Trials that break the testbed and mend it.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("what_a_run_leaves_on_a_node_would_be_seen", control),
        trial("hosts_that_answer_past_their_switch_are_not_up_and_are_mended", past_the_switch),
        trial("a_tool_that_hangs_on_stop_is_killed_and_fails_its_case_alone", hanging_tool),
        trial("a_tool_that_dies_fails_its_case_with_its_last_lines", dying_tool),
        trial("a_taken_port_is_named_with_its_holder", taken_port),
        trial("a_node_that_is_down_from_the_start_is_named", node_down),
        trial("a_guest_that_is_down_from_the_start_fails_its_own_cases_alone", guest_down),
        trial("a_full_disk_on_a_node_is_named", full_disk),
        trial("a_node_that_is_lost_in_a_test_is_named_and_cleaned_by_the_next_run", lost_node),
    ]
}

const SHORT: &str = r#"
repeat = 2
[network]
tests = ["tcp_rr"]
length = "2s"
grace = "1s"
select.environments = ["host"]
baseline = false
"#;

fn past_the_switch() {
    const EVERYWHERE: &str = "/proc/sys/net/ipv4/conf/all/arp_ignore";
    let script = Path::new(lab::STATE).join("host.sh");
    let mac = |truth: &serde_json::Value| truth.as_str().unwrap().to_owned();
    let nic = mac(&lab::truth("host-server")["physical_nics"][0]["mac"]);
    let client = mac(&lab::truth("host-client")["internal_mac"]);
    let sends_to = |node: &str, ip: &str, mac: &str| {
        let line = format!("ip neigh replace {ip} lladdr {mac} dev port-mgt nud reachable");
        on_host(node, &line);
    };
    let check = |breaks: &dyn Fn(), part: &str, why: &str| {
        breaks();
        let broken = proofload(&["testbed", "status"]);
        let up = proofload(&["testbed", "up"]);
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
        let told = String::from_utf8_lossy(&broken.stdout).into_owned();
        assert_eq!(broken.status.code(), Some(4), "{told}");
        let row = told.lines().find(|line| line.contains(part));
        assert!(row.is_some_and(|row| row.contains("missing") && row.contains(why)), "{told}");
        let mended = proofload(&["testbed", "status"]);
        assert!(mended.status.success(), "{}", String::from_utf8_lossy(&mended.stdout));
    };
    let answers = || drop(on_host("host-server", &format!("echo 0 >{EVERYWHERE}")));
    check(&answers, "host-server: addresses", "interfaces answer for addresses of others");
    let wrong_way = || {
        // A request from there would show the right way again; what is known to be reachable is not asked for.
        sends_to("host-server", "198.18.1.2", &client);
        sends_to("host-client", "198.18.1.1", &nic);
    };
    check(&wrong_way, "data network", "sends to");
    // Of a version that did not look.
    let earlier = || {
        answers();
        let text = fs::read_to_string(&script).unwrap();
        let kept = text.lines().filter(|line| !line.contains("arp_ignore"));
        fs::write(&script, kept.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    };
    check(&earlier, "host-server: addresses", "host.sh is of another version");
    assert_eq!(on_host("host-server", &format!("cat {EVERYWHERE}")), "1\n");
}

/// A template of one category of tools of an environment, each a script of its own.
pub(crate) fn tools(environment: &str, lab_tools: &[(&str, &str)]) -> String {
    format!("tools:\n  categories:\n{}", category(environment, lab_tools))
}

fn category(environment: &str, lab_tools: &[(&str, &str)]) -> String {
    let mut text = format!(
        "    performance/{environment}-faults:\n      environment: \"{environment}\"\n      tools:\n"
    );
    for (script, command) in lab_tools {
        text.push_str(&format!(
            "        - script: \"{script}\"\n          template: {}\n          ready: \"^ready\"\n",
            serde_json::to_string(command).unwrap()
        ));
    }
    text
}

pub(crate) const SOUND: (&str, &str) = ("sound.sh", "echo ready; exec sleep 600");

fn outcomes(run: &Run, tool: &str) -> Vec<Outcome> {
    let own =
        run.results.scenarios.iter().filter(|trial| trial.id.contains(&format!("tool={tool}")));
    own.filter_map(|trial| trial.outcome.clone()).collect()
}

/// That the case of the sound tool came to its end, whatever the other did.
fn expect_the_other_case(run: &Run) {
    let sound = outcomes(run, "sound");
    assert_eq!(sound, vec![Outcome::Completed; 8], "{}", run.stderr);
}

fn hanging_tool() {
    let hangs = ("hangs.sh", "trap '' TERM INT HUP; echo ready; while :; do sleep 1; done");
    let lab = Lab::new(&tools("host", &[hangs, SOUND]), |input| input);
    let run = lab.suite(SHORT).run();
    run.expect_code(1);
    let found = outcomes(&run, "hangs");
    let killed = |outcome: &Outcome| matches!(outcome, Outcome::Aborted(why) if why.contains("hangs") && why.contains("killed"));
    assert!(found.iter().any(killed), "{found:?}");
    expect_the_other_case(&run);
    assert_eq!(lab::left_on_nodes(), Vec::<String>::new());
}

fn dying_tool() {
    let dies =
        ("dies.sh", "echo ready; echo about to give up; sleep 1; echo no such probe >&2; exit 3");
    let lab = Lab::new(&tools("host", &[dies]), |input| input);
    let run = lab.suite(&SHORT.replace("2s", "4s")).run();
    run.expect_code(1);
    let found = outcomes(&run, "dies");
    let died = |outcome: &Outcome| matches!(outcome, Outcome::Aborted(why) if why.contains("no such probe"));
    assert!(found.iter().any(died), "{found:?}");
    assert_eq!(lab::left_on_nodes(), Vec::<String>::new());
}

/// That the look for what is left sees what carries the mark of a run.
fn control() {
    let line = "PROOFLOAD_REMOTE=control sleep 300 >/dev/null 2>&1 </dev/null & echo $!";
    let pid = on_host("host-server", line).trim().to_owned();
    let holder = Holder { host: "host-server", pid };
    let left = lab::left_on_nodes();
    assert_eq!(left, ["host-server: sleep 300 "], "nothing else is left, and this is seen");
    drop(holder);
    let pid = lab::on_guest("vm-client", &line.replace("300", "60"));
    let left = lab::left_on_nodes();
    lab::on_guest("vm-client", &format!("kill {}", pid.trim()));
    assert_eq!(left, ["vm-client: sleep 60 "]);
}

/// A process on a host that the test has started, and ends by its id.
struct Holder {
    host: &'static str,
    pid: String,
}

impl Drop for Holder {
    fn drop(&mut self) {
        on_host(self.host, &format!("kill {} || :", self.pid));
    }
}

fn taken_port() {
    let lab = Lab::new(&tools("host", &[SOUND]), |input| input);
    let line = "iperf3 -s -p 5001 >/dev/null 2>&1 </dev/null & echo $!";
    let pid = on_host("host-server", line).trim().to_owned();
    let holder = Holder { host: "host-server", pid: pid.clone() };
    let run = lab.suite(&SHORT.replace("tcp_rr", "throughput_single")).run();
    run.expect_code(4);
    let found = outcomes(&run, "sound");
    let named = |outcome: &Outcome| matches!(outcome, Outcome::Broken(why) if why.contains("5001") && why.contains("host-server") && why.contains(&pid) && why.contains("iperf3"));
    assert!(found.iter().any(named), "{found:?}");
    assert_eq!(lab::left_on_nodes(), Vec::<String>::new());
    drop(holder);
}

fn node_down() {
    let lab = Lab::new(&tools("host", &[SOUND]), |input| input);
    let down = Down::new("host-client");
    let run = lab.suite(SHORT).run();
    drop(down);
    run.expect_code(4);
    let found = outcomes(&run, "sound");
    let named = |outcome: &Outcome| matches!(outcome, Outcome::Broken(why) if why.contains("host-client") && why.contains("refused"));
    assert!(!found.is_empty() && found.iter().all(named), "{found:?}");
    assert_eq!(lab::left_on_nodes(), Vec::<String>::new());
}

fn guest_down() {
    let both = category("vm", &[SOUND]);
    let (directory, tools) = (tempfile::tempdir().unwrap(), tools("host", &[SOUND]) + &both);
    let config = directory.path().join("ssh_config");
    let own = Path::new(lab::STATE).join("ssh_config");
    fs::copy(&own, &config).unwrap();
    let shown = config.display().to_string();
    let lab = Lab::new(&tools, |input| input.replace(&own.display().to_string(), &shown));
    // What is said first holds: nothing listens there.
    let reachable = fs::read_to_string(&own).unwrap();
    fs::write(&config, format!("Host 198.18.1.102\n  Port 9\n\n{reachable}")).unwrap();
    let run = lab.suite(&SHORT.replace("select.environments = [\"host\"]\n", "")).run();
    run.expect_code(4);
    let of = |environment: &str| -> Vec<Outcome> {
        let own = run.results.scenarios.iter();
        let own = own.filter(|trial| trial.id.contains(&format!("environment={environment}")));
        own.filter_map(|trial| trial.outcome.clone()).collect()
    };
    assert_eq!(of("host"), vec![Outcome::Completed; 8], "{}", run.stderr);
    let named = |outcome: &Outcome| matches!(outcome, Outcome::Broken(why) if why.contains("vm-client") && why.contains("refused"));
    let guests = of("vm");
    assert!(!guests.is_empty() && guests.iter().all(named), "{guests:?}");
    assert_eq!(lab::left_on_nodes(), Vec::<String>::new());
}

/// A disk on a host without room, until this is dropped.
struct Full(String);

impl Full {
    fn new() -> Self {
        let small = lab::truth("host-client")["small_disk"].as_str().unwrap().to_owned();
        let fill = format!("head -c 100000000 /dev/zero >{small}/filler 2>/dev/null; :");
        on_host("host-client", &fill);
        Self(small)
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        on_host("host-client", &format!("rm -f {}/filler", self.0));
    }
}

fn full_disk() {
    let workdir = lab::truth("host-client")["workdir"].as_str().unwrap().to_owned();
    let full = Full::new();
    let lab = Lab::new(&tools("host", &[SOUND]), |input| input.replace(&workdir, &full.0));
    let run = lab.suite(SHORT).run();
    drop(full);
    run.expect_code(4);
    let found = outcomes(&run, "sound");
    let named = |outcome: &Outcome| matches!(outcome, Outcome::Broken(why) if why.contains("host-client") && why.contains("No space left"));
    assert!(found.iter().any(named), "{found:?}");
    assert_eq!(lab::left_on_nodes(), Vec::<String>::new());
}

fn lost_node() {
    let lab = Lab::new(&tools("host", &[SOUND]), |input| input);
    let (child, results) = lab.suite(&SHORT.replace("2s", "20s")).start();
    wait_for_phase(results.path(), "tcp_rr");
    let down = Down::new("host-client");
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let left = lab::left_on_hosts();
    drop(down);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    let lost = proofload::results::read(&run_directory(results.path()).unwrap()).unwrap();
    let outcome = lost.scenarios.first().and_then(|trial| trial.outcome.clone());
    assert!(
        matches!(&outcome, Some(Outcome::Broken(why)) if why.contains("host-client")),
        "{outcome:?}"
    );
    let on_the_other: Vec<&String> =
        left.iter().filter(|line| line.starts_with("host-server")).collect();
    assert!(
        on_the_other.is_empty(),
        "a node that can be reached is cleaned at once: {on_the_other:?}"
    );
    let run = lab.suite(SHORT).run();
    expect_the_other_case(&run);
    assert_eq!(lab::left_on_nodes(), Vec::<String>::new());
    let verdicts: Vec<Verdict> = run.verdicts().into_iter().map(|(_, verdict)| verdict).collect();
    assert!(!verdicts.contains(&Verdict::Error), "{verdicts:?}");
}

/// Waits until a run has begun a phase and sampled it twice.
pub(crate) fn wait_for_phase(results: &Path, phase: &str) {
    let wanted = format!("\"phase\":\"{phase}\"");
    lab::wait_for(phase, || lab::journal(results).matches(&wanted).count() >= 2);
}

/// A host without its sshd, which is started again in any case.
pub(crate) struct Down(&'static str);

impl Down {
    pub(crate) fn new(host: &'static str) -> Self {
        script(host, "sshd_stop");
        Self(host)
    }
}

impl Drop for Down {
    fn drop(&mut self) {
        script(self.0, "sshd_start");
    }
}

fn script(host: &str, key: &str) {
    let path = lab::truth(host)[key].as_str().unwrap().to_owned();
    let output = Command::new(&path).output().unwrap();
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
}
