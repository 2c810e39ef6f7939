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
    /// Seconds since 1970 by the clock of its node; absent where that has no fractions of a second.
    pub(super) ended: Option<f64>,
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
    let ended = words.nth(1).filter(|time| time.contains('.'));
    Some(Timing { file, code, ended: ended.and_then(|time| time.parse().ok()) })
}

/// The part of the shortest flow for which all of them ran. Each is when it ended, and for how many seconds its data
/// counted.
pub(super) fn overlap(flows: &[(f64, f64)]) -> f64 {
    let last_began = flows.iter().map(|(ended, length)| ended - length).fold(f64::MIN, f64::max);
    let first_ended = flows.iter().map(|(ended, _)| *ended).fold(f64::MAX, f64::min);
    let shortest = flows.iter().map(|(_, length)| *length).fold(f64::MAX, f64::min);
    ((first_ended - last_began) / shortest).clamp(0.0, 1.0)
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
        assert!(timings[0].ended.unwrap() > 1.7e9, "{written}");
    }

    #[test]
    fn what_breaks_off_is_told_from_what_is_whole() {
        let whole = "a 0 1700000000.5 1700000003.5\nb 124  \nall clients have ended\n";
        let found = timings(whole).unwrap();
        assert_eq!(
            found[0],
            Timing { file: "a".to_owned(), code: 0, ended: Some(1_700_000_003.5) }
        );
        assert_eq!(found[1], Timing { file: "b".to_owned(), code: HUNG, ended: None });
        for at in 0..whole.len() {
            assert_eq!(timings(&whole[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn flows_overlap_for_the_time_that_all_of_them_last() {
        for (flows, expected) in [
            (vec![(13.0, 3.0)], 1.0),
            (vec![(13.0, 3.0), (13.0, 3.0)], 1.0),
            (vec![(13.0, 3.0), (14.5, 3.0)], 0.5),
            (vec![(13.0, 3.0), (17.0, 3.0)], 0.0),
            (vec![(13.0, 1.0), (14.0, 10.0)], 1.0),
        ] {
            assert!((overlap(&flows) - expected).abs() < 1e-9, "{flows:?}");
        }
    }
}
