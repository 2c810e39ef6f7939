//! [`full`]: what was written and what was found become a complete configuration.

use super::input::Input;
use crate::scenario::network::full::{
    Defaults, Environment, Facts, Guest, KvmConfig, Missing, Monitoring, NetworkConfig, Nic, Paths,
    Pid, Side, Ssh, SshHost,
};
use crate::scenario::network::minimal::{Minimal, Node, Pair};
use crate::scenario::network::{Full, Ordered};
use crate::target::testbed::discovery::{CONNECTION, Discovery, Physical, VhostThreads, VmFacts};

/// The complete configuration. What was not found is absent, and named under `missing`.
pub(super) fn full(input: &Input, discovery: &Discovery) -> Full {
    let minimal = &input.minimal;
    let pairs = [("host", &minimal.host), ("vm", &minimal.vm)];
    let environments: Vec<(String, Environment)> = pairs
        .into_iter()
        .filter_map(|(name, pair)| Some((name, pair.as_ref()?)))
        .map(|(name, pair)| (name.to_owned(), environment(minimal, pair, discovery)))
        .collect();
    let of_server =
        environments.iter().filter_map(|(_, found)| found.kvm_config.as_ref()?.server.as_ref());
    let vhost_pids: Vec<Pid> = of_server.flat_map(|guest| guest.vhost_pids.clone()).collect();
    Full {
        version: minimal.version.clone(),
        environment: minimal.environment.clone(),
        ssh: Ssh { config: minimal.ssh_config.clone(), ssh_hosts: by_node(minimal, ssh_host) },
        environments: Ordered(environments),
        paths: Paths::default(),
        defaults: Defaults {
            python_interpreter: minimal.python_interpreter.clone(),
            ..Defaults::default()
        },
        monitoring: Monitoring::default(),
        tools: input.template.clone().with_vhost_pids(&vhost_pids),
        performance_tests: input.performance_tests.clone(),
        input: Some(minimal.clone()),
        discovered: by_node(minimal, |node| facts(node, discovery)),
        missing: discovery
            .missing
            .iter()
            .map(|missing| Missing {
                node: missing.node.clone(),
                fact: missing.fact.clone(),
                why: missing.why.clone(),
                command: missing.command.clone(),
                output: missing.output.clone(),
                also: missing.also.clone(),
            })
            .collect(),
    }
}

/// Why no case can run, if so: a node that does not answer, or an address of a pair that is not there.
pub(super) fn obstacle(input: &Input, full: &Full, discovery: &Discovery) -> Option<String> {
    let silent = discovery.missing.iter().filter(|missing| missing.fact == CONNECTION);
    let mut reasons: Vec<String> =
        silent.map(|missing| format!("{} does not answer", missing.node)).collect();
    for (name, environment) in &full.environments.0 {
        for (word, side) in [("server", &environment.server), ("client", &environment.client)] {
            if side.test_ip.is_none() {
                let said = input.minimal.node(&side.ssh_ref).and_then(|node| node.test_ip);
                let said = said.map(|ip| format!(" {ip}")).unwrap_or_default();
                reasons.push(format!(
                    "the address{said} of {}, {word} of the {name} pair, was not found on it",
                    side.ssh_ref
                ));
            }
        }
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

fn by_node<T>(minimal: &Minimal, of: impl Fn(&Node) -> T) -> Ordered<T> {
    Ordered(minimal.nodes.iter().map(|node| (node.name.clone(), of(node))).collect())
}

fn ssh_host(node: &Node) -> SshHost {
    let login = node.login();
    SshHost { host: login.host, user: login.user, port: login.port, workdir: node.workdir.clone() }
}

fn facts(node: &Node, discovery: &Discovery) -> Facts {
    if let Some(vm) = discovery.vms.get(&node.name) {
        return Facts {
            test_ip: node.test_ip.filter(|_| vm.interface.is_some()),
            interface: vm.interface.clone(),
            bridge: vm.bridge.clone(),
            uplink_bridge: vm.uplink_bridge.clone(),
            physical_interface: physical(&vm.physical).0,
            nics: nics(&vm.physical),
            mac: vm.mac.clone(),
            vm_interface: vm.vm_interface.clone(),
            queues: vm.queues.and_then(|queues| u32::try_from(queues).ok()),
            qemu_pid: vm.qemu_pid.map(Pid),
            vhost_pids: vhost_pids(vm),
            ..Facts::default()
        };
    }
    let Some(host) = discovery.hosts.get(&node.name) else { return Facts::default() };
    Facts {
        test_ip: host.test_ip,
        interface: host.interface.clone(),
        bridge: host.bridge.clone(),
        uplink_bridge: host.uplink_bridge.clone(),
        physical_interface: physical(&host.physical).0,
        nics: nics(&host.physical),
        mac: host.mac.clone(),
        ..Facts::default()
    }
}

fn vhost_pids(vm: &VmFacts) -> Vec<Pid> {
    match &vm.vhost {
        Some(VhostThreads::Kernel(pids)) => pids.iter().copied().map(Pid).collect(),
        Some(VhostThreads::Qemu) | None => Vec::new(),
    }
}

/// The bond or card, and the cards where they are several.
fn physical(all: &[Physical]) -> (Option<String>, Vec<String>) {
    let name = all.first().map(|physical| physical.name.clone());
    let members = match all {
        [only] if only.bond.is_none() => Vec::new(),
        all => all.iter().flat_map(|each| &each.nics).map(|nic| nic.name.clone()).collect(),
    };
    (name, members)
}

fn nics(all: &[Physical]) -> Vec<Nic> {
    let nics = all.iter().flat_map(|physical| &physical.nics);
    nics.map(|nic| Nic { name: nic.name.clone(), speed: nic.speed }).collect()
}

fn environment(minimal: &Minimal, pair: &Pair, discovery: &Discovery) -> Environment {
    let node = |name: &str| minimal.node(name);
    let side = |name: &str| {
        let facts = node(name).map(|node| facts(node, discovery)).unwrap_or_default();
        Side {
            ssh_ref: name.to_owned(),
            test_ip: facts.test_ip,
            interface: facts.interface,
            vm_interface: facts.vm_interface,
            physical_host_ref: node(name).and_then(|node| Some(node.guest.as_ref()?.host.clone())),
        }
    };
    let guest = |name: &str| {
        let vm = discovery.vms.get(name)?;
        Some(Guest { qemu_pid: vm.qemu_pid.map(Pid), vhost_pids: vhost_pids(vm) })
    };
    let (server, client) = (side(&pair.server), side(&pair.client));
    // A guest's packets leave by the bridge that it is on, which need not be that of its host's own port.
    let way = |name: &str| match (discovery.vms.get(name), discovery.hosts.get(name)) {
        (Some(vm), _) => physical(&vm.physical),
        (None, Some(host)) => physical(&host.physical),
        (None, None) => Default::default(),
    };
    let (server_physical_interface, server_physical_nic_members) = way(&pair.server);
    let (client_physical_interface, client_physical_nic_members) = way(&pair.client);
    let internal = server.physical_host_ref.as_deref().unwrap_or(&pair.server);
    let internal = discovery.hosts.get(internal);
    let is_vm = server.physical_host_ref.is_some();
    let kind = if is_vm { "guests" } else { "hosts" };
    Environment {
        description: Some(format!("between the {kind} {} and {}", pair.server, pair.client)),
        network_config: NetworkConfig {
            server_ip: server.test_ip,
            client_ip: client.test_ip,
            internal_interface: internal.and_then(|host| host.interface.clone()),
            server_physical_interface,
            server_physical_nic_members,
            server_vm_interface: server.vm_interface.clone(),
            client_physical_interface,
            client_physical_nic_members,
            client_vm_interface: client.vm_interface.clone(),
        },
        kvm_config: is_vm
            .then(|| KvmConfig { server: guest(&pair.server), client: guest(&pair.client) }),
        server,
        client,
    }
}
