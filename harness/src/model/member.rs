//! [`Member`]: one container or process of a target that is up, as probes find it.

use std::sync::Arc;

use super::spec::network::NodeSpec;

/// Where the kernel or the daemon knows a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handle {
    /// A process whose whole group is the member; `pid` is also its process group.
    Process {
        /// The process id of the group's leader.
        pid: u32,
    },
    /// A host or virtual machine of a testbed, over SSH.
    Node {
        /// How it is reached.
        node: NodeSpec,
        /// True of the node of the tool under test, whose processes are listed at every reading; also on the side of a
        /// comparison that goes without the tool, as listing them costs the node something.
        for_tool: bool,
    },
    /// A Docker container.
    Container {
        /// The full container id.
        id: String,
    },
}

/// One watched part of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The service's name: what results list under `containers`.
    pub name: Arc<str>,
    /// How to read it.
    pub handle: Handle,
}
