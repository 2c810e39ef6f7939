//! [`script`]: what the shell on a node is asked at every tick.
//!
//! It is for any POSIX shell, dash and that of busybox among them, and costs the node as few processes as may be: where
//! no tool is looked for, none. Where one is, the processes are listed whether it runs or not, so that both sides of a
//! comparison bear the same.

use std::fmt::Write as _;

/// Prints all processes of a session and their descendants, and the living of the processes that were known before with
/// their descendants. A name may hold blanks and parentheses: fields count from the last `) `.
const SELECT: &str = r#"{
  r = $0
  while (i = index(r, ") ")) r = substr(r, i + 2)
  split(r, f, " ")
  line[$1] = $0; parent[$1] = f[2]
  if (f[4] == s || index(k, " " $1 " ")) ours[$1] = 1
}
END {
  do {
    n = 0
    for (p in parent) if (!(p in ours) && (parent[p] in ours)) { ours[p] = 1; n = 1 }
  } while (n)
  for (p in ours) if (p in line) print line[p]
}"#;

/// The last line of every answer.
pub(super) const END: &str = "@end";

/// Asks for the node's clock and processor time, and for the tool under test if it is `listed`: by the file of its group's
/// record, quoted (session, its leader's start time, three words, the path of its output), with the processes that were
/// seen before. `first` asks for what never changes.
pub(super) fn script(listed: Option<(&str, impl Iterator<Item = u32>)>, first: bool) -> String {
    let mut script = String::from("LC_ALL=C; export LC_ALL\n");
    if first {
        // The first mapping of any process says it, and `getconf` is not everywhere.
        script.push_str(
            "sed -n '/^KernelPageSize/{s/.*: *\\([0-9]*\\) kB/@page \\1/p;q;}' /proc/self/smaps\n",
        );
    }
    script.push_str("read -r u _ </proc/uptime\n");
    if let Some((record, known)) = listed {
        let known: String = known.fold(String::from(" "), |mut known, pid| {
            // Writing to a string cannot fail.
            let _ = write!(known, "{pid} ");
            known
        });
        // A word is nobody's session, where nothing at all is that of any line that is cut short.
        let _ = write!(
            script,
            "g={record} s= o=
set -- \"${{g%group}}exit.\"*
[ -e \"$1\" ] || [ ! -r \"$g\" ] || read -r s b _ _ _ o <\"$g\"
cat /proc/[0-9]*/stat 2>/dev/null | awk -v \"s=${{s:-none}}\" -v 'k={known}' '{SELECT}' || echo @failed
l=$(ls -lnL \"${{o:-/proc/uptime}}\" 2>/dev/null)
if [ \"$s\" ]; then
  [ \"$o\" ] && [ \"$l\" ] && printf '%s\\n' @output \"$l\"
  echo \"@tool $s $b\"
fi
"
        );
    }
    let _ = write!(
        script,
        "echo \"@uptime $u\"
while read -r l; do case $l in cpu*) echo \"$l\" ;; *) break ;; esac; done </proc/stat
echo {END}
"
    );
    script
}
