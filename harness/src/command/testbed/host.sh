#!/bin/sh
# Starts one part of a host, or looks at it: host.sh DIRECTORY start|look PART, run inside the host. A part that is
# there is left as it is. DIRECTORY/settings has the host's name, addresses and so on.
set -eu
dir=$1 verb=$2 part=$3
. "$dir/settings"
export LC_ALL=C

has_address() { ip -o -4 address show dev "$1" 2>/dev/null | grep -q " $2/"; }

# The kernel answers on every interface for every address that it has. Asked for that of port-mgt, it would also give
# the address of eth1 or of the guest's vnet, and what is then sent there reaches programs past the switch.
arp_ignore=/proc/sys/net/ipv4/conf/all/arp_ignore

start_links() {
  echo 1 >"$arp_ignore"
  ip link set mgmt0 up
  ip address replace "$MANAGEMENT/24" dev mgmt0
  ip link set eth1 up
}
look_links() {
  [ "$(cat "$arp_ignore")" = 1 ] || { echo "interfaces answer for addresses of others: $arp_ignore is not 1"; return 1; }
  has_address mgmt0 "$MANAGEMENT" || { echo "mgmt0 does not have $MANAGEMENT"; return 1; }
  ip -o link show dev eth1 up 2>/dev/null | grep -q LOWER_UP || { echo "eth1 is not up"; return 1; }
}

start_sshd() {
  look_sshd >/dev/null 2>&1 && return
  rm -f /run/sshd.pid
  /usr/sbin/sshd -f "$dir/sshd_config" -E "$dir/log/sshd.log"
  # It writes its pid once it is on its own; before that it would end with whatever started it.
  for _ in $(seq 100); do
    [ -s /run/sshd.pid ] && return
    sleep 0.05
  done
  tail -n 3 "$dir/log/sshd.log"
  return 1
}
look_sshd() {
  [ -e /run/sshd.pid ] && [ "$(readlink "/proc/$(cat /run/sshd.pid)/exe")" = /usr/sbin/sshd ] ||
    { echo "sshd does not run"; return 1; }
}

db=unix:/run/openvswitch/db.sock
start_switch() {
  if ! ovs-appctl --timeout=3 -t ovsdb-server version >/dev/null 2>&1; then
    rm -f /run/openvswitch/*
    ovsdb-tool create /run/openvswitch/conf.db /usr/share/openvswitch/vswitch.ovsschema
    ovsdb-server /run/openvswitch/conf.db --remote="p$db" --pidfile --detach --no-chdir \
      --log-file=/var/log/openvswitch/ovsdb-server.log -vconsole:off
    ovs-vsctl --timeout=5 --no-wait init
  fi
  if ! ovs-appctl --timeout=3 -t ovs-vswitchd version >/dev/null 2>&1; then
    ovs-vswitchd "$db" --pidfile --detach --no-chdir --log-file=/var/log/openvswitch/ovs-vswitchd.log -vconsole:off
  fi
  # Both bridges joined as a hypervisor's are: guests and the host on one, the network card on the other.
  ovs-vsctl --timeout=10 \
    -- --may-exist add-br ovsbr-mgt -- set bridge ovsbr-mgt datapath_type=netdev \
    -- --may-exist add-br ovsbr-mgt-uplink -- set bridge ovsbr-mgt-uplink datapath_type=netdev \
    -- --may-exist add-port ovsbr-mgt port-mgt -- set interface port-mgt type=internal "mac=\"$DATA_MAC\"" \
    -- --may-exist add-port ovsbr-mgt patch-uplink -- set interface patch-uplink type=patch options:peer=patch-mgt \
    -- --may-exist add-port ovsbr-mgt-uplink patch-mgt -- set interface patch-mgt type=patch options:peer=patch-uplink \
    -- --may-exist add-port ovsbr-mgt-uplink eth1
  ip link set port-mgt up
  ip address replace "$DATA/24" dev port-mgt
}
look_switch() {
  ovs-appctl --timeout=3 -t ovs-vswitchd version >/dev/null 2>&1 || { echo "ovs-vswitchd does not answer"; return 1; }
  for port in port-mgt patch-uplink; do
    [ "$(ovs-vsctl --timeout=3 port-to-br $port 2>&1)" = ovsbr-mgt ] || { echo "ovsbr-mgt has no port $port"; return 1; }
  done
  [ "$(ovs-vsctl --timeout=3 port-to-br eth1 2>&1)" = ovsbr-mgt-uplink ] || { echo "eth1 is not on ovsbr-mgt-uplink"; return 1; }
  has_address port-mgt "$DATA" || { echo "port-mgt does not have $DATA"; return 1; }
}

start_libvirt() {
  look_libvirt >/dev/null 2>&1 && return
  cat >/etc/libvirt/qemu.conf <<END
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
stdio_handler = "file"
namespaces = [ ]
cgroup_controllers = [ ]
END
  printf 'auth_unix_rw = "none"\nlog_outputs = "3:file:/var/log/libvirt/libvirtd.log"\n' >/etc/libvirt/libvirtd.conf
  /usr/sbin/libvirtd -d
}
look_libvirt() {
  timeout 5 virsh -q -c qemu:///system uri >/dev/null 2>&1 || { echo "libvirtd does not answer"; return 1; }
}

start_guest() {
  [ "$(timeout 5 virsh -q domstate "$GUEST" 2>/dev/null | head -n 1)" = running ] && return
  virsh -q define "$dir/guest.xml"
  virsh -q start "$GUEST"
}
look_guest() {
  state=$(timeout 5 virsh -q domstate "$GUEST" 2>&1 | head -n 1)
  [ "$state" = running ] || { echo "the domain $GUEST is not running: $state"; return 1; }
}

# The facts that only this host knows once it runs, a word and a value a line.
look_facts() {
  speed=$(cat /sys/class/net/eth1/speed)
  qemu=$(cat "/run/libvirt/qemu/$GUEST.pid")
  vnet=$(virsh -q domiflist "$GUEST" | awk '{ print $1; exit }')
  printf 'speed %s\nqemu %s\nvnet %s\n' "$speed" "$qemu" "$vnet"
}

"${verb}_$part"
