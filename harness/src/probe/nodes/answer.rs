//! [`Answer`]: what a node printed at one tick.

use procfs_core::FromRead as _;
use procfs_core::process::Stat;

use super::script::END;
use crate::probe::host::Times;

/// Everything that one answer says.
pub(super) struct Answer {
    /// Seconds since the node's boot.
    pub(super) uptime: f64,
    /// The processor time of the whole node.
    pub(super) times: Times,
    /// Bytes of a page, where that was asked.
    pub(super) page: Option<u64>,
    /// The tool under test, where one was started.
    pub(super) tool: Option<Tool>,
}

/// The tool under test at one moment.
pub(super) struct Tool {
    /// The session that it was started in.
    pub(super) session: i32,
    /// When the session's leader started, in ticks since boot; 0 where nobody knows.
    pub(super) started: u64,
    /// Its processes and their descendants.
    pub(super) processes: Vec<Stat>,
    /// Bytes of its output; absent where the file is not there.
    pub(super) output: Option<u64>,
}

impl Answer {
    /// Reads what the script printed; the text of an answer that was cut off says nothing.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let cut_off = || format!("the node's answer is incomplete: {:?}", last_words(text));
        let body = text.strip_suffix(&format!("{END}\n")).ok_or_else(cut_off)?;
        let (before, cpus) = body.split_once("@uptime ").ok_or_else(cut_off)?;
        let (uptime, cpus) = cpus.split_once('\n').ok_or_else(cut_off)?;
        let uptime = uptime.trim_ascii().parse().map_err(|_| cut_off())?;
        let times = Times::parse(cpus).ok_or_else(cut_off)?;
        let (mut page, mut session, mut output, mut processes) = (None, None, None, Vec::new());
        let mut lines = before.lines();
        while let Some(line) = lines.next() {
            match line.split_once(' ') {
                Some(("@page", kibibytes)) => {
                    page = kibibytes.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024);
                }
                Some(("@tool", leader)) => {
                    let (id, started) = leader.split_once(' ').unwrap_or((leader, "0"));
                    session = id.parse().ok().zip(started.parse().ok());
                }
                None if line == "@failed" => {
                    return Err("its processes cannot be listed: is there no awk?".to_owned());
                }
                None if line == "@output" => output = lines.next().and_then(size),
                _ => processes.extend(process(line)),
            }
        }
        let tool = session.map(|(session, started)| Tool { session, started, processes, output });
        Ok(Self { uptime, times, page, tool })
    }
}

/// One line of `/proc/<pid>/stat`. The parser relies on a name in parentheses and on what is behind it.
fn process(line: &str) -> Option<Stat> {
    let (head, rest) = line.rsplit_once(") ")?;
    let (pid, _) = head.split_once(" (")?;
    let whole = pid.parse::<u32>().is_ok() && rest.split_ascii_whitespace().count() >= 22;
    whole.then(|| Stat::from_read(line.as_bytes()).ok()).flatten()
}

/// The size in a line of `ls -ln`.
fn size(line: &str) -> Option<u64> {
    line.split_ascii_whitespace().nth(4)?.parse().ok()
}

fn last_words(text: &str) -> &str {
    text.lines().next_back().unwrap_or_default()
}
