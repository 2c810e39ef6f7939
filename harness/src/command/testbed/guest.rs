//! The guests' image, built once and kept, and what each guest gets on top: its name, address and keys.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use super::node::Node;
use super::state::State;
use super::step::{Step, StepError, file};
use super::texts;
use crate::host::owner::short_hash;

/// Where Debian comes from.
pub(super) const MIRROR: &str = "http://deb.debian.org/debian";

const SCRIPT: &str = include_str!("image.sh");
const KERNEL: &str = "image/vmlinuz";
const ROOT: &str = "image/root.cpio.zst";

/// Whether the image that this version builds is there.
///
/// # Errors
/// Why it is not.
pub(super) fn look(state: &State) -> Result<String, String> {
    let built = fs::read_to_string(state.file("image/of")).map_err(|_| "not built".to_owned())?;
    if built != short_hash(SCRIPT) {
        return Err("built by another version of image.sh".to_owned());
    }
    for name in [KERNEL, ROOT] {
        if !state.file(name).is_file() {
            return Err(format!("{} is not there", state.file(name).display()));
        }
    }
    Ok(format!("{}", state.file("image").display()))
}

/// Builds the image, which takes minutes.
///
/// # Errors
/// [`StepError`] of the build.
pub(super) async fn build(state: &State, mirror: &str) -> Result<(), StepError> {
    let directory = state.file("image");
    let failed = || file(format!("write {}", state.file("image").display()));
    // What a build that was killed left there goes too.
    if directory.exists() {
        fs::remove_dir_all(&directory).map_err(failed())?;
    }
    fs::create_dir_all(&directory).map_err(failed())?;
    let script = directory.join("image.sh");
    fs::write(&script, SCRIPT).map_err(failed())?;
    let [script, target] = [&script, &directory].map(|path| path.to_string_lossy().into_owned());
    // In namespaces of its own: what it mounts and starts is gone with it, also when it is killed.
    let alone = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    let args = [&alone[..], &["/bin/sh", &script, &target, mirror]].concat();
    Step::new("build the guests' image", "unshare", &args)
        .within(Duration::from_secs(1800))
        .hint("It needs a Debian mirror: name one with --mirror, then run `testbed up` again.")
        .run()
        .await?;
    fs::write(directory.join("of"), short_hash(SCRIPT)).map_err(failed())
}

/// Writes a guest's domain and what it boots: its own files, followed by the image.
///
/// # Errors
/// [`StepError`] where a file cannot be written.
pub(super) async fn prepare(state: &State, node: &Node) -> Result<(), StepError> {
    let guest = &node.guest;
    let directory = state.of(node);
    let failed = || file(format!("write the files of {}", guest.name));
    let own = directory.join("guest");
    if own.exists() {
        fs::remove_dir_all(&own).map_err(failed())?;
    }
    for name in ["etc/ssh", "root/.ssh"] {
        fs::create_dir_all(own.join(name)).map_err(failed())?;
    }
    let identity = format!("NAME={}\nADDRESS={}/24\n", guest.name, guest.address);
    fs::write(own.join("etc/guest"), identity).map_err(failed())?;
    let copy = |from: &Path, to: &str, mode: u32| {
        let to = own.join(to);
        fs::copy(from, &to)?;
        fs::set_permissions(to, fs::Permissions::from_mode(mode))
    };
    copy(&state.key(guest.name), "etc/ssh/ssh_host_ed25519_key", 0o600).map_err(failed())?;
    copy(&state.key("id_ed25519.pub"), "root/.ssh/authorized_keys", 0o600).map_err(failed())?;
    let private = fs::Permissions::from_mode(0o700);
    for name in ["root", "root/.ssh"] {
        fs::set_permissions(own.join(name), private.clone()).map_err(failed())?;
    }
    let (initrd, root) = (directory.join("initrd"), state.file(ROOT));
    // The kernel unpacks archives that follow each other; the one that is not packed has to be first.
    let script = "set -e; cd \"$1\"; find . | cpio --quiet --create --format=newc --owner=0:0 >\"$2\"; cat \"$3\" >>\"$2\"";
    let [own, initrd, root] =
        [&own, &initrd, &root].map(|path| path.to_string_lossy().into_owned());
    Step::new(
        format!("make the boot archive of {}", guest.name),
        "/bin/sh",
        &["-c", script, "sh", &own, &initrd, &root],
    )
    .run()
    .await?;
    let kernel = state.file(KERNEL);
    let console = directory.join("log/guest-console.log");
    let text = texts::domain(guest, &kernel.to_string_lossy(), &initrd, &console.to_string_lossy());
    fs::write(directory.join("guest.xml"), text).map_err(failed())
}
