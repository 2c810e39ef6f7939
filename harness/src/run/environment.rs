//! [`environment`]: the machine and the build, for results.

use std::fs;
use std::path::Path;

use crate::results::Environment;

/// Reads what can be read of this machine; what cannot is left empty.
#[must_use]
pub fn environment() -> Environment {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim().to_owned())
            .unwrap_or_default()
    };
    let memory_kib = field(&text("/proc/meminfo"), "MemTotal");
    let memory_kib =
        memory_kib.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
    let governor = text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").trim().to_owned();
    let unified = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    Environment {
        proofload: env!("CARGO_PKG_VERSION").to_owned(),
        build_profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
        kernel: format!("Linux {}", text("/proc/sys/kernel/osrelease").trim()),
        cpu_model: field(&text("/proc/cpuinfo"), "model name"),
        cpus: std::thread::available_parallelism()
            .map_or(0, |n| u32::try_from(n.get()).unwrap_or(u32::MAX)),
        governor: (!governor.is_empty()).then_some(governor),
        memory_bytes: memory_kib.unwrap_or_default() * 1024,
        cgroup_version: if unified { 2 } else { 1 },
        docker: None,
    }
}
