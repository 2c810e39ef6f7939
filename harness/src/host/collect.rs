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

/// How long a list of names, or the removal of one batch, may take.
const WITHIN: Duration = Duration::from_secs(600);
/// How long the checksums of one batch may take: files of hundreds of gigabytes are read at the speed of a disk.
const SUMS: Duration = Duration::from_secs(3600);
/// The most that the names of one batch take, in bytes; the kernel allows 128 KiB for one argument.
const BATCH: usize = 32 * 1024;
/// The exit code of a line that finds no directory.
const ABSENT: i32 = 44;

/// Files below a directory, each by its path relative to that, with its SHA-256 in hexadecimal digits.
pub type Manifest = BTreeMap<String, String>;

/// What was brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// All wanted files that are there and here now.
    pub files: Manifest,
    /// How many of them were here before.
    pub kept: usize,
    /// The size of all of them in bytes.
    pub bytes: u64,
}

/// Brings the `wanted` files below `remote` to `local`, which is made where it is absent. `progress` is told how many
/// files are here, and of how many. `None` where there is no such directory.
///
/// # Errors
/// [`NodeError`] when the node cannot be reached, a file changed while it was read, or it cannot be written here. What is
/// here by then stays.
pub async fn collect(
    node: &Node,
    remote: &str,
    local: &Path,
    wanted: &(dyn Fn(&str) -> bool + Sync),
    progress: &mut (dyn FnMut(usize, usize) + Send),
) -> Result<Option<Collected>, NodeError> {
    let broken = |error: std::io::Error| node.error(format!("{}: {error}", local.display()));
    let Some(there) = manifest(node, remote, wanted).await? else { return Ok(None) };
    std::fs::create_dir_all(local).map_err(broken)?;
    let here = manifest_here(node, local, &there).await?;
    let missing: Vec<&str> = there
        .iter()
        .filter(|(name, sum)| here.get(*name) != Some(sum))
        .map(|(name, _)| name.as_str())
        .collect();
    let kept = there.len() - missing.len();
    let mut done = kept;
    progress(done, there.len());
    for batch in batches(&missing) {
        node.download(remote, &batch, local).await?;
        done += batch.len();
        progress(done, there.len());
    }
    let here = manifest_here(node, local, &there).await?;
    let differing = there.iter().find(|(name, sum)| here.get(*name) != Some(sum));
    if let Some((name, _)) = differing {
        return Err(node.error(format!(
            "{remote}/{name} is not the same here: it changed while it was read, or did not arrive whole; nothing was \
             removed there, so collect again"
        )));
    }
    let size = |name: &String| std::fs::metadata(local.join(name)).map_or(0, |data| data.len());
    let bytes = there.keys().map(size).sum();
    Ok(Some(Collected { files: there, kept, bytes }))
}

/// Removes these files below `remote`, and the directories that are empty then, `remote` among them. Refuses, and
/// removes nothing, where one of them is not what was collected any more; other files stay.
///
/// # Errors
/// [`NodeError`] when a file has changed, cannot be removed, or the node cannot be reached.
pub async fn remove(node: &Node, remote: &str, files: &Manifest) -> Result<(), NodeError> {
    let of_them = |name: &str| files.contains_key(name);
    let there = manifest(node, remote, &of_them).await?.unwrap_or_default();
    let changed = there.iter().find(|(name, sum)| files.get(*name) != Some(sum));
    if let Some((name, _)) = changed {
        let message =
            format!("{remote}/{name} was changed after it was collected: nothing was removed");
        return Err(node.error(message));
    }
    let there: Vec<&str> = there.keys().map(String::as_str).collect();
    for batch in batches(&there) {
        let line = format!("cd {} && rm -f -- {}", word(remote), words(&batch));
        expect(node, &line).await?;
    }
    // Directories that hold something else cannot be removed, and need not be.
    let line = format!(
        "find {} -depth -type d -exec rmdir {{}} \\; 2>/dev/null; exit 0",
        word(remote.trim_end_matches('/'))
    );
    expect(node, &line).await?;
    let left = names(node, remote).await?.unwrap_or_default();
    match left.iter().find(|name| of_them(name)) {
        None => Ok(()),
        Some(name) => Err(node.error(format!("{remote}/{name} is still there"))),
    }
}

/// The wanted files below a directory of a node with their sums; `None` where there is no such directory.
async fn manifest(
    node: &Node,
    directory: &str,
    wanted: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Option<Manifest>, NodeError> {
    let Some(mut names) = names(node, directory).await? else { return Ok(None) };
    names.retain(|name| wanted(name));
    if let Some(name) = names.iter().find(|name| name.contains(char::REPLACEMENT_CHARACTER)) {
        let message =
            format!("{directory}/{name} has a name that is no UTF-8: rename or remove it");
        return Err(node.error(message));
    }
    let mut all = Manifest::new();
    for batch in batches(&names) {
        let line = format!("cd {} && sha256sum -z -- {}", word(directory), words(&batch));
        let output = node.run(&line, SUMS).await?;
        if output.code != 0 {
            return Err(node.error(format!(
                "checksums below {directory} cannot be had (exit code {}): {}",
                output.code,
                output.stderr.trim()
            )));
        }
        all.extend(parse(&output.stdout).map_err(|message| node.error(message))?);
    }
    Ok(Some(all))
}

/// The names of all files below a directory of a node; `None` where there is no such directory.
async fn names(node: &Node, directory: &str) -> Result<Option<Vec<String>>, NodeError> {
    let at = word(directory);
    let line = format!("cd {at} 2>/dev/null || exit {ABSENT}; find . -type f -print0");
    let output = node.run_whole(&line, WITHIN).await?;
    let name = |name: &str| name.strip_prefix("./").map(str::to_owned);
    match output.code {
        0 => Ok(Some(output.stdout.split('\0').filter_map(name).collect())),
        ABSENT => Ok(None),
        code => Err(node.error(format!(
            "the files below {directory} cannot be listed (exit code {code}): {}",
            output.stderr.trim()
        ))),
    }
}

/// Those of these files that are here, with their sums.
async fn manifest_here(
    node: &Node,
    directory: &Path,
    there: &Manifest,
) -> Result<Manifest, NodeError> {
    let names = there.keys().map(String::as_str);
    let here: Vec<&str> = names.filter(|name| directory.join(name).is_file()).collect();
    let mut all = Manifest::new();
    for batch in batches(&here) {
        let mut command = Command::new("sha256sum", ["-z", "--"]);
        command.args.extend(batch.into_iter().map(str::to_owned));
        command.cwd = Some(directory.to_owned());
        let output = super::run(&command, SUMS).await;
        let output = output.map_err(|error| node.error(error.to_string()))?;
        if !output.status.success() {
            return Err(node.error(format!("{}: {}", directory.display(), output.stderr.trim())));
        }
        all.extend(parse(&output.stdout).map_err(|message| node.error(message))?);
    }
    Ok(all)
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

fn words(paths: &[&str]) -> String {
    paths.iter().map(|path| word(path)).collect::<Vec<_>>().join(" ")
}

/// Reads what `sha256sum -z` prints: without `-z` it would write some names in another way.
fn parse(text: &str) -> Result<Manifest, String> {
    let line = |line: &str| {
        let (sum, name) = line.split_once("  ")?;
        let is_sum = sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_sum.then(|| (name.to_owned(), sum.to_owned()))
    };
    text.split_terminator('\0')
        .map(|text| {
            line(text).ok_or_else(|| format!("expected a checksum and a name, found {text:?}"))
        })
        .collect()
}

/// Names in their order, in groups that fit one command line.
fn batches<'a>(names: &[impl AsRef<str> + 'a]) -> Vec<Vec<&str>> {
    let mut batches: Vec<Vec<&str>> = Vec::new();
    let mut room = 0;
    for name in names.iter().map(AsRef::as_ref) {
        // Every line is quoted twice on its way, and a quote within a name takes four bytes then.
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
            self.collect_with(&mut |_, _| {}).await.map(Option::unwrap)
        }

        async fn collect_with(
            &self,
            progress: &mut (dyn FnMut(usize, usize) + Send),
        ) -> Result<Option<Collected>, NodeError> {
            collect(&self.node, &self.there(), &self.here(), &|name| name != "not", progress).await
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
    async fn nothing_is_brought_of_a_directory_that_is_not_there() {
        let place = Place::new(&[]);
        assert_eq!(place.collect_with(&mut |_, _| {}).await.unwrap(), None);
        assert!(!place.here().exists());
    }

    #[tokio::test]
    async fn a_file_that_changes_while_it_is_read_is_refused_and_the_next_time_brought() {
        let place = Place::new(&FILES);
        let changed = Path::new(&place.there()).join("b c/d");
        // Between the list of sums and the files.
        let mut change = |_, _| fs::write(&changed, "new").unwrap();
        let error = place.collect_with(&mut change).await.unwrap_err();
        assert!(error.message.contains("b c/d is not the same here"), "{error}");
        assert!(changed.exists(), "{error}");
        let again = place.collect().await.unwrap();
        assert_eq!((again.files.len(), again.kept), (3, 3));
        assert_eq!(fs::read_to_string(place.here().join("b c/d")).unwrap(), "new");
    }

    #[tokio::test]
    async fn files_of_any_name_arrive_and_others_are_let_alone() {
        let odd = [("a\\b", "1"), ("c\nd", "2"), ("-e  f", "3"), ("not", "4")];
        let place = Place::new(&odd);
        fs::create_dir(place.here()).unwrap();
        fs::write(place.here().join("my\\own"), "5").unwrap();
        let collected = place.collect().await.unwrap();
        assert_eq!(collected.files.len(), 3);
        for (name, text) in &odd[..3] {
            assert_eq!(fs::read_to_string(place.here().join(name)).unwrap(), *text);
        }
        assert!(!place.here().join("not").exists());
        remove(&place.node, &place.there(), &collected.files).await.unwrap();
        let left: Vec<_> = fs::read_dir(place.there()).unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[tokio::test]
    async fn more_names_arrive_than_are_kept_of_an_output() {
        let place = Place::new(&[("not", "")]);
        let mut deep = Path::new(&place.there()).to_owned();
        while deep.as_os_str().len() < 3800 {
            deep.push("x".repeat(240));
        }
        fs::create_dir_all(&deep).unwrap();
        for number in 0..2400 {
            fs::write(deep.join(number.to_string()), "").unwrap();
        }
        let names = names(&place.node, &place.there()).await.unwrap().unwrap();
        assert_eq!(names.len(), 2401);
        assert!(names.iter().map(String::len).sum::<usize>() > 8 * 1024 * 1024);
    }

    #[test]
    fn what_is_no_checksum_is_refused() {
        let sum = "a".repeat(64);
        let two = parse(&format!("{sum}  x  y\0{sum}  b\\c\nd\0")).unwrap();
        assert_eq!((&two["x  y"], &two["b\\c\nd"]), (&sum, &sum));
        for text in ["find: oops", &format!("\\{sum}  a"), &format!("{}  a", "a".repeat(63))] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn batches_keep_the_order_and_fit_a_command_line() {
        let long = "x".repeat(3000);
        let names = vec![long; 10];
        let found = batches(&names);
        assert_eq!(found.iter().map(Vec::len).sum::<usize>(), 10);
        let largest = found.iter().map(|batch| batch.len() * (4 * 3000 + 3)).max();
        assert!(largest <= Some(BATCH), "{largest:?}");
        assert!(batches(&[""; 0]).is_empty());
    }
}
