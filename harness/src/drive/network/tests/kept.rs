//! What is kept of raw output.

use super::*;
use crate::model::spec::network::NodeSpec;

/// All files below `logs` after a whole trial.
async fn kept(world: &Shared, logs: &Path) -> Vec<PathBuf> {
    let mut driver = network(&with_tool(fake::tool()), world, logs);
    for action in &ALL {
        driver.enter(action).await.unwrap();
    }
    let mut kept = Vec::new();
    let mut ahead = vec![logs.to_owned()];
    while let Some(path) = ahead.pop() {
        match std::fs::read_dir(&path) {
            Ok(entries) => ahead.extend(entries.map(|entry| entry.unwrap().path())),
            Err(_) => kept.push(path),
        }
    }
    kept
}

#[tokio::test(start_paused = true)]
async fn a_log_of_a_tool_that_is_too_large_stays_and_a_note_says_where() {
    let (world, logs) = (tcp(), tempfile::tempdir().unwrap());
    world.lock().unwrap().size = Some(64 * 1024 * 1024 + 1);
    let kept = kept(&world, logs.path()).await;
    let logs: Vec<_> =
        kept.iter().filter(|path| path.to_str().unwrap().contains("ebpf_output_")).collect();
    assert_eq!(logs.len(), 1, "{logs:?}");
    assert!(logs[0].to_str().unwrap().ends_with(".log.elsewhere.txt"), "{logs:?}");
    let note = std::fs::read_to_string(logs[0]).unwrap();
    assert!(note.starts_with("r/host/ebpf_monitoring/ebpf_output_"), "{note}");
    assert!(note.contains("in the workdir of node server has 67108865 bytes"), "{note}");
}

#[tokio::test(start_paused = true)]
async fn raw_output_is_kept() {
    let (world, logs) = (tcp(), tempfile::tempdir().unwrap());
    let kept = kept(&world, logs.path()).await;
    let ends = [
        "throughput_single_tcp.json",
        "_tcp.json.err",
        "throughput_single_timing.log",
        ".log",
        "ebpf_output_",
    ];
    for end in ends {
        assert!(kept.iter().any(|path| path.to_str().unwrap().contains(end)), "{end} {kept:?}");
    }
    let json = kept.iter().find(|path| path.ends_with("throughput_single_tcp.json")).unwrap();
    assert_eq!(std::fs::read_to_string(json).unwrap(), TCP);
    assert!(json.starts_with(logs.path().join("client/client_results/throughput")), "{json:?}");
}

#[tokio::test]
async fn files_are_kept_whole_however_large_and_whatever_they_hold() {
    let (node, logs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let spec = NodeSpec {
        name: "here".to_owned(),
        ssh: "local:".to_owned(),
        ssh_config: None,
        workdir: node.path().to_str().unwrap().to_owned(),
        sudo: false,
    };
    std::fs::create_dir_all(node.path().join("r/a")).unwrap();
    // More than a command's output would be kept of, and no text.
    let large: Vec<u8> = (0..=255).cycle().take(9 * 1024 * 1024).collect();
    std::fs::write(node.path().join("r/a/-large"), &large).unwrap();
    std::fs::write(node.path().join("r/a/b c.err"), "").unwrap();
    let files = ["r/a/-large", "r/a/b c.err"].map(str::to_owned);
    let kept = collect::keep(&Node::new(&spec), "r", &files, logs.path()).await.unwrap();
    let at = logs.path().join("here/a");
    assert_eq!(kept, [at.join("-large"), at.join("b c.err")]);
    assert!(std::fs::read(&kept[0]).unwrap() == large, "it arrived in another form");
    assert_eq!(std::fs::read(&kept[1]).unwrap(), b"");
    let missing = ["r/none".to_owned()];
    let error = collect::keep(&Node::new(&spec), "r", &missing, logs.path()).await.unwrap_err();
    assert!(!error.system && error.message.contains("none"), "{error}");
}
