//! [`Process`]: the process of a guest, its taps and the kernel's threads that carry its packets.

use std::collections::BTreeMap;

/// libvirt keeps the pid in a file; some builds of `virsh` also tell it. A file of old is told by a process that does not
/// have the guest's UUID on its command line. `domain`, a UUID or a name, is quoted.
pub(super) fn line(domain: &str) -> String {
    let virsh = "$SUDO timeout 10 virsh --connect qemu:///system";
    // `domname` takes no name, and `domuuid` no UUID.
    format!(
        "name=$({virsh} domname {domain} 2>/dev/null || echo {domain}) && id=$({virsh} domuuid \"$name\") &&
{{ pid=$({virsh} dompid {domain} 2>/dev/null) || pid=$($SUDO cat /run/libvirt/qemu/\"$name\".pid); }} &&
echo \"$pid $(cat /proc/$pid/comm) $(grep -acF -e \"$id\" /proc/$pid/cmdline)\""
    )
}

/// What is known once the pid is: taps, files, threads.
pub(super) fn lines(pid: u32) -> [String; 3] {
    [
        format!("$SUDO grep -rs ^iff: /proc/{pid}/fdinfo/"),
        format!("$SUDO ls -l /proc/{pid}/fd"),
        // Kernels since 6.4 have them as threads of qemu itself.
        format!("grep -sx vhost-{pid} /proc/[0-9]*/comm /proc/{pid}/task/*/comm"),
    ]
}

/// The process of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its pid.
    pub pid: u32,
    /// Its name, for example `qemu-system-x86`.
    pub name: String,
}

/// Reads what [`line`] prints.
///
/// # Errors
/// Why that is not the process of the guest.
pub fn process(text: &str) -> Result<Process, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [pid, name, named] = words[..] else {
        return Err("expected a pid, a name and a number".to_owned());
    };
    let pid = pid.parse().map_err(|_| format!("expected a pid, found {pid:?}"))?;
    if !(name.starts_with("qemu") || name.starts_with("kvm")) || named == "0" {
        return Err(format!("the process {pid} ({name}) is not that of the guest"));
    }
    Ok(Process { pid, name: name.to_owned() })
}

/// The descriptors of each tap, in ascending order: one per queue. Reads `grep iff: /proc/PID/fdinfo/`.
#[must_use]
pub fn taps(text: &str) -> BTreeMap<String, Vec<u32>> {
    let mut taps: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for line in text.lines() {
        let Some((path, device)) = line.split_once(":iff:") else { continue };
        let Some(Ok(number)) = path.rsplit('/').next().map(str::parse) else { continue };
        taps.entry(device.trim().to_owned()).or_default().push(number);
    }
    taps.values_mut().for_each(|numbers| numbers.sort_unstable());
    taps
}

/// True where the process has asked the kernel to carry packets. Reads `ls -l /proc/PID/fd`.
#[must_use]
pub fn uses_vhost(text: &str) -> bool {
    text.lines().any(|line| line.ends_with("-> /dev/vhost-net"))
}

/// The pids of threads in ascending order, each once. Reads `grep vhost-PID` over files named `comm`.
#[must_use]
pub fn threads(text: &str) -> Vec<u32> {
    let pids = text.lines().filter_map(|line| {
        let (path, _) = line.split_once("/comm:")?;
        path.rsplit('/').next()?.parse().ok()
    });
    let mut pids: Vec<u32> = pids.collect();
    pids.sort_unstable();
    pids.dedup();
    pids
}

/// Which threads carry which tap: qemu opens its taps in the order of its cards, and starts one thread per queue in the
/// same order.
///
/// # Errors
/// Why the threads cannot be told apart.
pub fn assign(
    taps: &BTreeMap<String, Vec<u32>>,
    threads: &[u32],
) -> Result<BTreeMap<String, Vec<u32>>, String> {
    let queues: usize = taps.values().map(Vec::len).sum();
    if queues != threads.len() {
        return Err(format!(
            "the guest has {} vhost threads for {queues} queues, so they cannot be told apart",
            threads.len()
        ));
    }
    let mut order: Vec<(&String, &Vec<u32>)> = taps.iter().collect();
    order.sort_by_key(|(_, numbers)| numbers.first().copied());
    let mut rest = threads.iter().copied();
    let own = order
        .into_iter()
        .map(|(device, numbers)| (device.clone(), rest.by_ref().take(numbers.len()).collect()));
    Ok(own.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_process_of_the_guest_is_taken() {
        let found = Process { pid: 242, name: "qemu-system-x86".into() };
        assert_eq!(process("242 qemu-system-x86 1\n"), Ok(found));
        assert!(process("242 qemu-kvm 1").is_ok());
        for (text, why) in [
            ("242 qemu-system-x86 0", "not that of the guest"),
            ("242 bash 1", "not that of the guest"),
            ("242", "expected a pid, a name"),
            ("x qemu 1", "expected a pid, found"),
        ] {
            let message = process(text).unwrap_err();
            assert!(message.contains(why), "{text}: {message}");
        }
    }

    #[test]
    fn threads_go_to_taps_in_the_order_of_descriptors() {
        // vnet1 was opened first; vnet0 has two queues.
        let taps = taps(
            "/proc/242/fdinfo/33:iff:\tvnet0\n/proc/242/fdinfo/9:iff:\tvnet1\n/proc/242/fdinfo/31:iff:\tvnet0\n",
        );
        assert_eq!(taps["vnet0"], [31, 33]);
        let pids = threads(
            "/proc/1003/comm:vhost-242\n/proc/999/comm:vhost-242\n/proc/242/task/1001/comm:vhost-242\n/proc/999/comm:vhost-242\n",
        );
        assert_eq!(pids, [999, 1001, 1003]);
        let own = assign(&taps, &pids).unwrap();
        assert_eq!((&own["vnet1"], &own["vnet0"]), (&vec![999], &vec![1001, 1003]));
        assert!(assign(&taps, &pids[..2]).unwrap_err().contains("2 vhost threads for 3 queues"));
    }

    #[test]
    fn a_guest_without_vhost_is_known_by_its_files() {
        let files = "total 0\nlrwx------ 1 root root 64 Nov 21 18:35 31 -> /dev/net/tun\n";
        assert!(!uses_vhost(files));
        assert!(uses_vhost(&format!(
            "{files}lrwx------ 1 root root 64 Nov 21 18:35 33 -> /dev/vhost-net\n"
        )));
    }
}
