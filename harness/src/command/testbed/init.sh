#!/bin/sh
# The first process of a host of the testbed: init.sh DIRECTORY NAME, run by unshare in namespaces of its own. It gives
# the host its name and its own copies of what two hosts must not share, and then only reaps what has lost its parent.
# All that runs in the host ends with this process.
set -eu
dir=$1 name=$2
hostname "$name"
mount -t tmpfs -o mode=0755 run /run
mkdir -p /run/lock /run/sshd /run/openvswitch /run/libvirt
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t sysfs sysfs /sys
mount -t bpf bpf /sys/fs/bpf
mount -t tmpfs -o mode=0755 etc /etc/libvirt
for own in lib/libvirt cache/libvirt log/libvirt log/openvswitch; do
  mkdir -p "$dir/var/$own" "/var/$own"
  mount --bind "$dir/var/$own" "/var/$own"
done
# Not the machine's: what its shells read at their start is not to run with every command of a trial.
mkdir -p -m 0700 "$dir/home"
mount --bind "$dir/home" /root
# sshd refuses root where the password is locked with "!", as on Ubuntu, although only keys are taken.
sed 's/^root:!*[^:]*:/root:*:/' /etc/shadow >/run/shadow
chmod 600 /run/shadow
mount --bind /run/shadow /etc/shadow
printf '127.0.0.1 localhost %s\n' "$name" >/run/hosts
mount --bind /run/hosts /etc/hosts
# A disk that is soon full.
mkdir -p "$dir/small"
mount -t tmpfs -o size=8m,mode=0755 small "$dir/small"
ip link set lo up
: >"$dir/ready"
# The loop and not an exec: a shell that waits reaps.
while :; do
  sleep 3600 &
  wait $!
done
