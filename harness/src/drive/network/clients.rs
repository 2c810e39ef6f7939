//! The shell line that runs all clients of a test at once, and [`Timing`], what it writes of each.

use super::DriverError;
use super::remote::{line, word};
use super::tool::Between;

/// Runs a client and writes how it ended, and when it began and ended by the clock of its node.
const MEASURE: &str = r#"measure() {
    file=$1 within=$2
    shift 2
    began=$(date +%s.%N)
    timeout --foreground -k 2 "$within" "$@" > "$file" 2> "$file.err" < /dev/null
    code=$?
    echo "$file $code $began $(date +%s.%N)"
}
"#;

/// The exit code of `timeout` when it had to end what it ran.
pub(super) const HUNG: i32 = 124;

/// What the line writes last, where all that comes before could be written.
const WHOLE: &str = "all clients have ended";

/// One client process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    /// Where its output goes, in the directory of the clients.
    pub(super) file: String,
    /// Its program and arguments.
    pub(super) command: Vec<String>,
    /// Where it runs.
    pub(super) between: Between,
    /// The seconds after which it hangs.
    pub(super) within: u64,
}

/// How a client process went.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Timing {
    pub(super) file: String,
    pub(super) code: i32,
    /// When it began and ended, in seconds since 1970 by the clock of its node; absent where that has no fractions of a
    /// second.
    pub(super) lived: Option<(f64, f64)>,
}

/// A process, and how long of its life its data counted, all in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lived {
    pub(super) began: f64,
    pub(super) ended: f64,
    pub(super) counted: f64,
}

/// The line, for a shell in the node's workdir.
pub(super) fn script(directory: &str, processes: &[&Process]) -> Result<String, DriverError> {
    let mut script = format!("LC_ALL=C\nexport LC_ALL\ncd {} || exit\n{MEASURE}", word(directory)?);
    for process in processes {
        let (file, command) = (word(&process.file)?, line(&process.command)?);
        script += &format!("measure {file} {} {command} &\n", process.within);
    }
    script += &format!("wait\necho '{WHOLE}'\n");
    Ok(script)
}

/// What the line wrote; `None` where it did not come to its end.
pub(super) fn timings(written: &str) -> Option<Vec<Timing>> {
    let mut lines: Vec<&str> = written.lines().collect();
    (lines.pop() == Some(WHOLE) && written.ends_with('\n'))
        .then(|| lines.iter().filter_map(|line| timing(line)).collect())
}

fn timing(line: &str) -> Option<Timing> {
    // The clock comes last, and may have printed nothing.
    let mut words = line.split(' ');
    let file = words.next()?.to_owned();
    let code = words.next()?.parse().ok()?;
    let mut time = || words.next().filter(|time| time.contains('.'))?.parse().ok();
    Some(Timing { file, code, lived: time().zip(time()) })
}

/// The part of the shortest flow for which all of them ran: at least, and at most. The tools do not tell when in the
/// lives of their processes the data went.
pub(super) fn overlap(flows: &[Lived]) -> (f64, f64) {
    let least = |of: fn(&Lived) -> f64| flows.iter().map(of).fold(f64::MAX, f64::min);
    let most = |of: fn(&Lived) -> f64| flows.iter().map(of).fold(f64::MIN, f64::max);
    let shortest = least(|flow| flow.counted);
    let part = |from: f64, to: f64| ((to - from) / shortest).clamp(0.0, 1.0);
    (
        part(most(|flow| flow.ended - flow.counted), least(|flow| flow.began + flow.counted)),
        part(most(|flow| flow.began), least(|flow| flow.ended)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(file: &str, command: &[&str], within: u64) -> Process {
        let ip = std::net::Ipv4Addr::LOCALHOST.into();
        Process {
            file: file.to_owned(),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            between: Between { server: ip, client: ip, port: 1 },
            within,
        }
    }

    /// What a real shell makes of it.
    fn run(directory: &str, processes: &[&Process]) -> String {
        let script = script(directory, processes).unwrap();
        let output = std::process::Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn clients_run_at_once_and_tell_how_they_ended() {
        let directory = tempfile::tempdir().unwrap();
        // The one reads what the other writes, so that they end only if both run.
        let write = "mkfifo p; echo hello > p; exit 3";
        let read = "until [ -p p ]; do sleep 0.01; done; cat p; echo bad >&2";
        let processes =
            [process("a", &["sh", "-c", write], 60), process("b", &["sh", "-c", read], 60)];
        let written = run(directory.path().to_str().unwrap(), &[&processes[0], &processes[1]]);
        let mut timings = timings(&written).unwrap();
        timings.sort_by(|a, b| a.file.cmp(&b.file));
        let codes: Vec<(&str, i32)> =
            timings.iter().map(|one| (one.file.as_str(), one.code)).collect();
        assert_eq!(codes, [("a", 3), ("b", 0)], "{written}");
        let kept = |file: &str| std::fs::read_to_string(directory.path().join(file)).unwrap();
        assert_eq!((kept("b").as_str(), kept("b.err").as_str()), ("hello\n", "bad\n"));
        assert!(
            timings[0].lived.is_some_and(|(began, ended)| 1.7e9 < began && began <= ended),
            "{written}"
        );
    }

    #[test]
    fn what_breaks_off_is_told_from_what_is_whole() {
        let whole = "a 0 1700000000.5 1700000003.5\nb 124  \nall clients have ended\n";
        let found = timings(whole).unwrap();
        assert_eq!(
            found[0],
            Timing {
                file: "a".to_owned(),
                code: 0,
                lived: Some((1_700_000_000.5, 1_700_000_003.5))
            }
        );
        assert_eq!(found[1], Timing { file: "b".to_owned(), code: HUNG, lived: None });
        for at in 0..whole.len() {
            assert_eq!(timings(&whole[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn flows_overlap_for_the_time_that_all_of_them_last() {
        for (flows, least, most) in [
            (vec![(10.0, 13.0)], 1.0, 1.0),
            (vec![(10.0, 13.0), (10.0, 13.0)], 1.0, 1.0),
            (vec![(10.0, 13.0), (11.5, 14.5)], 0.5, 0.5),
            (vec![(10.0, 13.0), (14.0, 17.0)], 0.0, 0.0),
            // One of them took 1.5 s to connect, or to close.
            (vec![(10.0, 13.0), (10.0, 14.5)], 0.5, 1.0),
        ] {
            let lived = |(began, ended)| Lived { began, ended, counted: 3.0 };
            let flows: Vec<Lived> = flows.into_iter().map(lived).collect();
            let found = overlap(&flows);
            assert!(
                (found.0 - least).abs() < 1e-9 && (found.1 - most).abs() < 1e-9,
                "{flows:?} {found:?}"
            );
        }
    }
}
