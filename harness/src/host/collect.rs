//! [`collect`]: the files of a directory on a node are brought here, each proved whole by its checksum; only then may
//! [`remove`] take them away there.
//!
//! A collection that was cut off goes on where it stopped: files that are here already, and are the same, stay.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::Command;
use super::node::{Node, NodeError};
use super::quote::quote;

/// How long a list of checksums, or one batch of files, may take.
const WITHIN: Duration = Duration::from_secs(600);
/// The most that the names of one batch take, in bytes; the kernel allows 128 KiB for one argument.
const BATCH: usize = 32 * 1024;
/// The exit code of a line that finds no directory.
const ABSENT: i32 = 44;

/// Every file below a directory, by its path relative to that, with its SHA-256 in hexadecimal digits.
pub type Manifest = BTreeMap<String, String>;

/// What was brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// All files that are there and here now.
    pub files: Manifest,
    /// How many of them were here before.
    pub kept: usize,
    /// The size of all of them in bytes.
    pub bytes: u64,
}

/// Brings all files below `remote` to `local`, which is made where it is absent. `progress` is told how many files are
/// here, and of how many.
///
/// # Errors
/// [`NodeError`] when there is no such directory, the node cannot be reached, a file changed while it was read, or it
/// cannot be written here. What is here by then stays.
pub async fn collect(
    node: &Node,
    remote: &str,
    local: &Path,
    progress: &mut (dyn FnMut(usize, usize) + Send),
) -> Result<Collected, NodeError> {
    let broken = |error: std::io::Error| node.error(format!("{}: {error}", local.display()));
    let Some(there) = manifest(node, remote).await? else {
        return Err(node.error(format!("there is no directory {remote}")));
    };
    std::fs::create_dir_all(local).map_err(broken)?;
    let here = manifest_here(node, local).await?;
    let wanted: Vec<&str> = there
        .iter()
        .filter(|(name, sum)| here.get(*name) != Some(sum))
        .map(|(name, _)| name.as_str())
        .collect();
    let kept = there.len() - wanted.len();
    let mut done = kept;
    progress(done, there.len());
    for batch in batches(&wanted) {
        node.download(remote, &batch, local).await?;
        done += batch.len();
        progress(done, there.len());
    }
    let here = manifest_here(node, local).await?;
    let differing = there.iter().find(|(name, sum)| here.get(*name) != Some(sum));
    if let Some((name, _)) = differing {
        return Err(node.error(format!(
            "{remote}/{name} is not the same here: it changed while it was read, or did not arrive whole; nothing was \
             removed there, so collect again"
        )));
    }
    let size = |name: &String| std::fs::metadata(local.join(name)).map_or(0, |data| data.len());
    let bytes = there.keys().map(size).sum();
    Ok(Collected { files: there, kept, bytes })
}

/// Removes these files below `remote`, and the directories that are empty then, `remote` among them. Refuses, and
/// removes nothing, where one of them is not what was collected any more; files that came later stay.
///
/// # Errors
/// [`NodeError`] when a file has changed, cannot be removed, or the node cannot be reached.
pub async fn remove(node: &Node, remote: &str, files: &Manifest) -> Result<(), NodeError> {
    let there = manifest(node, remote).await?.unwrap_or_default();
    let changed = files.iter().find(|(name, sum)| there.get(*name).is_some_and(|s| s != *sum));
    if let Some((name, _)) = changed {
        let message =
            format!("{remote}/{name} was changed after it was collected: nothing was removed");
        return Err(node.error(message));
    }
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    for batch in batches(&names) {
        let names: Vec<String> = batch.iter().map(|name| word(name)).collect();
        let line = format!("cd {} && rm -f -- {}", word(remote), names.join(" "));
        expect(node, &line).await?;
    }
    // Directories that hold something else cannot be removed, and need not be.
    let line = format!(
        "find {} -depth -type d -exec rmdir {{}} \\; 2>/dev/null; exit 0",
        word(remote.trim_end_matches('/'))
    );
    expect(node, &line).await?;
    let left = manifest(node, remote).await?.unwrap_or_default();
    match files.keys().find(|name| left.contains_key(*name)) {
        None => Ok(()),
        Some(name) => Err(node.error(format!("{remote}/{name} is still there"))),
    }
}

/// The files below a directory of a node; `None` where there is no such directory.
///
/// # Errors
/// [`NodeError`] when they cannot be read.
pub async fn manifest(node: &Node, directory: &str) -> Result<Option<Manifest>, NodeError> {
    let line = format!("cd {} 2>/dev/null || exit {ABSENT}; {SUMS}", word(directory));
    let output = node.run(&line, WITHIN).await?;
    match output.code {
        0 => parse(&output.stdout).map(Some).map_err(|message| node.error(message)),
        ABSENT => Ok(None),
        code => Err(node.error(format!(
            "checksums below {directory} cannot be had (exit code {code}): {}",
            output.stderr.trim()
        ))),
    }
}

const SUMS: &str = "find . -type f -exec sha256sum -- {} +";

async fn manifest_here(node: &Node, directory: &Path) -> Result<Manifest, NodeError> {
    let mut command = Command::shell(SUMS);
    command.cwd = Some(directory.to_owned());
    let output = super::run(&command, WITHIN).await;
    let output = output.map_err(|error| node.error(error.to_string()))?;
    if !output.status.success() {
        return Err(node.error(format!("{}: {}", directory.display(), output.stderr.trim())));
    }
    parse(&output.stdout).map_err(|message| node.error(message))
}

async fn expect(node: &Node, line: &str) -> Result<(), NodeError> {
    let output = node.run(line, WITHIN).await?;
    if output.code == 0 {
        return Ok(());
    }
    Err(node.error(format!("exit code {}: {}", output.code, output.stderr.trim())))
}

/// A path as a word for a shell; no path has a NUL.
fn word(path: &str) -> String {
    quote(path).unwrap_or_default()
}

/// Reads what `sha256sum` prints. It marks names with a line break or a backslash, which nothing of ours has.
fn parse(text: &str) -> Result<Manifest, String> {
    let line = |line: &str| {
        let (sum, name) = line.split_once("  ./")?;
        let is_sum = sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_sum.then(|| (name.to_owned(), sum.to_owned()))
    };
    text.lines()
        .map(|text| {
            line(text).ok_or_else(|| format!("expected a checksum and a name, found {text:?}"))
        })
        .collect()
}

/// Names in their order, in groups that fit one command line.
fn batches<'a>(names: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut batches: Vec<Vec<&str>> = Vec::new();
    let mut room = 0;
    for name in names {
        // A quote within a name takes four bytes.
        let takes = 4 * name.len() + 3;
        if takes > room || batches.is_empty() {
            batches.push(Vec::new());
            room = BATCH;
        }
        room = room.saturating_sub(takes);
        batches.last_mut().expect("one was pushed").push(name);
    }
    batches
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::spec::network::NodeSpec;

    struct Place {
        directory: tempfile::TempDir,
        node: Node,
    }

    impl Place {
        fn new(files: &[(&str, &str)]) -> Self {
            let directory = tempfile::tempdir().unwrap();
            for (name, text) in files {
                let path = directory.path().join("there").join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            let node = Node::new(&NodeSpec {
                name: "here".to_owned(),
                ssh: "local:".to_owned(),
                ssh_config: None,
                workdir: directory.path().join("work").display().to_string(),
                sudo: false,
            });
            Self { directory, node }
        }

        fn there(&self) -> String {
            self.directory.path().join("there").display().to_string()
        }

        fn here(&self) -> std::path::PathBuf {
            self.directory.path().join("here")
        }

        async fn collect(&self) -> Result<Collected, NodeError> {
            collect(&self.node, &self.there(), &self.here(), &mut |_, _| {}).await
        }
    }

    const FILES: [(&str, &str); 3] = [("a", "1"), ("b c/it's", "2\n"), ("b c/d", "")];

    #[tokio::test]
    async fn every_file_arrives_and_what_is_here_already_is_not_brought_again() {
        let place = Place::new(&FILES);
        let first = place.collect().await.unwrap();
        assert_eq!((first.files.len(), first.kept, first.bytes), (3, 0, 3));
        for (name, text) in FILES {
            assert_eq!(fs::read_to_string(place.here().join(name)).unwrap(), text);
        }
        fs::write(place.here().join("a"), "broken off").unwrap();
        let second = place.collect().await.unwrap();
        assert_eq!((second.kept, &second.files), (2, &first.files));
        assert_eq!(fs::read_to_string(place.here().join("a")).unwrap(), "1");
        let left: Vec<_> = fs::read_dir(place.here()).unwrap().flatten().collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }

    #[tokio::test]
    async fn what_was_collected_is_removed_and_what_came_later_stays() {
        let place = Place::new(&FILES);
        let collected = place.collect().await.unwrap();
        let later = Path::new(&place.there()).join("b c/later");
        fs::write(&later, "3").unwrap();
        remove(&place.node, &place.there(), &collected.files).await.unwrap();
        assert_eq!(fs::read_to_string(&later).unwrap(), "3");
        assert!(!Path::new(&place.there()).join("a").exists());
        fs::remove_file(later).unwrap();
        remove(&place.node, &place.there(), &Manifest::new()).await.unwrap();
        assert!(!Path::new(&place.there()).exists());
    }

    #[tokio::test]
    async fn nothing_is_removed_once_a_file_has_changed() {
        let place = Place::new(&FILES);
        let collected = place.collect().await.unwrap();
        fs::write(Path::new(&place.there()).join("b c/d"), "new").unwrap();
        let error = remove(&place.node, &place.there(), &collected.files).await.unwrap_err();
        assert!(error.message.contains("b c/d was changed"), "{error}");
        assert!(Path::new(&place.there()).join("a").exists());
    }

    #[tokio::test]
    async fn a_directory_that_is_not_there_is_named() {
        let place = Place::new(&[]);
        let error = place.collect().await.unwrap_err();
        assert!(error.message.starts_with("there is no directory /"), "{error}");
        assert!(!place.here().exists());
    }

    #[test]
    fn lines_that_are_no_checksum_are_refused() {
        let sum = "a".repeat(64);
        assert_eq!(parse(&format!("{sum}  ./x y\n")).unwrap()["x y"], sum);
        for text in
            ["find: oops", &format!("\\{sum}  ./a\\nb"), &format!("{}  ./a", "a".repeat(63))]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn batches_keep_the_order_and_fit_a_command_line() {
        let long = "x".repeat(3000);
        let names: Vec<&str> = vec![&long; 10];
        let found = batches(&names);
        assert_eq!(found.iter().map(Vec::len).sum::<usize>(), 10);
        let largest = found.iter().map(|batch| batch.len() * (4 * 3000 + 3)).max();
        assert!(largest <= Some(BATCH), "{largest:?}");
        assert!(batches(&[]).is_empty());
    }
}
