#!/bin/sh
# Builds what a guest boots: image.sh DIRECTORY MIRROR. Leaves `vmlinuz` and `root.cpio.zst` in the directory, which holds
# no keys and no names: those are a second archive that `up` appends. Nothing is installed on this machine.
set -eu
out=$1 mirror=$2
work=$(mktemp -d "$out/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# dpkg leaves out what a guest never reads, as all of it would lie in its memory.
mmdebstrap --quiet --mode=root --format=directory --variant=essential --components=main,non-free \
  --include=openssh-server,iperf3,netperf,iproute2,iputils-ping,procps,ethtool,kmod,mount \
  --aptopt='APT::Install-Recommends "false"' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/i18n/*' \
  --dpkgopt='path-exclude=/usr/share/zoneinfo/*' --dpkgopt='path-exclude=/usr/lib/x86_64-linux-gnu/gconv/*' \
  --customize-hook='cd "$1" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get download \
    "$(APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-cache depends linux-image-cloud-amd64 | sed -n "s/.*Depends: //p" | head -n 1)"' \
  bookworm "$work/root" "$mirror"

root=$work/root
dpkg-deb -x "$root"/linux-image-*.deb "$work/kernel"
rm -f "$root"/linux-image-*.deb
version=$(ls "$work/kernel/lib/modules")
depmod -b "$work/kernel" "$version"
# Only the modules of the network card, in a tree that modprobe reads.
modprobe -d "$work/kernel" -S "$version" --show-depends --all virtio_pci virtio_net | sed -n "s|^insmod $work/kernel||p" |
  while read -r module; do
    mkdir -p "$root/usr$(dirname "$module")"
    cp "$work/kernel$module" "$root/usr$module"
  done
cp "$work/kernel/lib/modules/$version"/modules.order "$work/kernel/lib/modules/$version"/modules.builtin* \
  "$root/usr/lib/modules/$version/"
depmod -b "$root" "$version"

# What a running system does not need: package lists, and the host keys that the package made here.
rm -rf "$root"/var/lib/apt "$root"/var/cache/apt "$root"/var/lib/dpkg/info "$root"/var/log/* "$root"/etc/ssh/ssh_host_* \
  "$root"/usr/share/perl* "$root"/usr/lib/x86_64-linux-gnu/perl-base "$root"/usr/share/common-licenses
cat >"$root/init" <<'INIT'
#!/bin/sh
# The first process of a guest: its name and address are in /etc/guest, which is not part of the image.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm /run/sshd
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
. /etc/guest
hostname "$NAME"
modprobe --all virtio_pci virtio_net
ip link set lo up
until ip link set eth0 up 2>/dev/null; do sleep 0.1; done
ip address add "$ADDRESS" dev eth0
/usr/sbin/sshd -E /var/log/sshd.log
echo "guest $NAME is up"
# A shell that waits also reaps what has lost its parent.
while :; do sleep 3600 & wait $!; done
INIT
chmod 755 "$root/init"
# For every line that it is sent: bash takes an emulated processor longer to start than most of them take to run.
sed -i '1s,:/bin/bash$,:/bin/sh,' "$root/etc/passwd"
printf 'PermitRootLogin prohibit-password\nPasswordAuthentication no\nUsePAM no\nUseDNS no\nMaxStartups 100\nMaxSessions 100\nSubsystem sftp internal-sftp\n' \
  >"$root/etc/ssh/sshd_config"
rm -rf "$root"/dev/* "$root"/proc/* "$root"/run/*
(cd "$root" && find . -print0 | sort -z | cpio --quiet --null --create --format=newc --owner=0:0) |
  zstd -q -9 -T0 >"$work/root.cpio.zst"
cp "$work"/kernel/boot/vmlinuz-* "$work/vmlinuz"
mv "$work/vmlinuz" "$work/root.cpio.zst" "$out/"
