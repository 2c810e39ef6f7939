//! [`Stat`]: one line of `/proc/<pid>/stat`, as far as it matters here.

/// What the kernel says of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probe) struct Stat {
    pub(in crate::probe) state: u8,
    pub(in crate::probe) parent: u32,
    pub(in crate::probe) group: u32,
    /// Clock ticks of its own.
    pub(in crate::probe) own_time: u64,
    /// Clock ticks of the children that it waited for, theirs included.
    pub(in crate::probe) waited_time: u64,
    pub(in crate::probe) threads: u64,
    /// Clock ticks from boot to its start; with the process id, this names a process for good.
    pub(in crate::probe) started: u64,
    /// The wait status; 0 while it runs, and where we may not know.
    pub(in crate::probe) exit: u32,
}

impl Stat {
    pub(in crate::probe) fn parse(line: &str) -> Option<Self> {
        // The name is in parentheses and may hold anything, parentheses too.
        let (_, rest) = line.rsplit_once(") ")?;
        let mut fields = [""; 50];
        let mut count = 0;
        for (slot, word) in fields.iter_mut().zip(rest.split_ascii_whitespace()) {
            *slot = word;
            count += 1;
        }
        if count < 20 {
            return None;
        }
        // proc(5) counts from 1 and the state is its field 3.
        let number = |field: usize| fields[field - 3].parse::<u64>().ok();
        let narrow = |field: usize| fields[field - 3].parse::<u32>().ok();
        Some(Self {
            state: *fields[0].as_bytes().first()?,
            parent: narrow(4)?,
            group: narrow(5)?,
            own_time: number(14)? + number(15)?,
            waited_time: number(16)? + number(17)?,
            threads: number(20)?,
            started: number(22)?,
            exit: narrow(52).unwrap_or(0),
        })
    }

    /// True for a process that ended, also one that nobody waited for yet.
    pub(in crate::probe) fn ended(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_name() {
        for name in ["api", "a b", "x) R 1 (", ""] {
            let line = format!(
                "42 ({name}) S 7 40 40 0 -1 4194304 100 200 0 0 11 4 30 5 20 0 3 0 98765 1000 200 18446744073709551615 \
                 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 256\n"
            );
            let expected = Stat {
                state: b'S',
                parent: 7,
                group: 40,
                own_time: 15,
                waited_time: 35,
                threads: 3,
                started: 98765,
                exit: 256,
            };
            assert_eq!(Stat::parse(&line), Some(expected), "{name}");
        }
        assert_eq!(Stat::parse("42 (api) S 7 40"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn the_real_kernel_is_understood() {
        let line = std::fs::read_to_string("/proc/self/stat").unwrap();
        let stat = Stat::parse(&line).unwrap();
        assert!(stat.threads >= 1 && stat.started > 0 && !stat.ended(), "{line}");
    }
}
