//! [`Kept`]: a kernel file that stays open and is read again at every tick.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The kernel hands out a page at a time, so less than half of one is the end; that spares asking once more.
const SHORT: usize = 2048;

/// An open file of procfs or cgroupfs. Opening costs more than reading, so it is done once.
#[derive(Debug)]
pub(super) struct Kept(File);

impl Kept {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        // Some files open and then refuse to be read; better to learn that now.
        file.read_at(&mut [0; 1], 0)?;
        Ok(Self(file))
    }

    /// What the file says now; `buffer` is only there to be used again.
    pub(super) fn read<'b>(&self, buffer: &'b mut Vec<u8>) -> io::Result<&'b str> {
        let mut length = 0;
        loop {
            if buffer.len() < length + 2 * SHORT {
                buffer.resize((length * 2).max(8 * SHORT), 0);
            }
            let read = self.0.read_at(&mut buffer[length..], length as u64)?;
            length += read;
            if read < SHORT {
                break;
            }
        }
        std::str::from_utf8(&buffer[..length])
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// The file's only number.
    pub(super) fn number(&self, buffer: &mut Vec<u8>) -> io::Result<Option<u64>> {
        Ok(self.read(buffer)?.trim_ascii().parse().ok())
    }
}

/// The values of `keys` in lines of `key value`.
pub(super) fn fields<const N: usize>(text: &str, keys: [&str; N]) -> [Option<u64>; N] {
    let mut values = [None; N];
    for line in text.lines() {
        let Some((key, value)) = line.split_once([' ', '\t']) else { continue };
        if let Some(index) = keys.iter().position(|wanted| *wanted == key) {
            values[index] = value.trim_ascii().parse().ok();
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_file_is_read_anew_and_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("memory.current");
        std::fs::write(&path, "1\n").unwrap();
        let kept = Kept::open(&path).unwrap();
        let mut buffer = Vec::new();
        assert_eq!(kept.number(&mut buffer).unwrap(), Some(1));
        let long = "7 ".repeat(20_000);
        std::fs::write(&path, &long).unwrap();
        assert_eq!(kept.read(&mut buffer).unwrap(), long);
        std::fs::write(&path, "max\n").unwrap();
        assert_eq!(kept.number(&mut buffer).unwrap(), None);
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "rss 1\ntotal_rss 2\ntotal_rss_huge 3\nbad x\n";
        assert_eq!(
            fields(text, ["total_rss", "rss", "bad", "none"]),
            [Some(2), Some(1), None, None]
        );
    }
}
