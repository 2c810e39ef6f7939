#!/bin/sh
# The links between this machine and the hosts: network.sh start|look BRIDGE ADDRESS LINK PID MAC LINK PID MAC, with the
# root's end of each management link, the pid that the host lives with, and the MAC of its network card.
set -eu
verb=$1 bridge=$2 address=$3
link_1=$4 pid_1=$5 mac_1=$6 link_2=$7 pid_2=$8 mac_2=$9

inside() { pid=$1; shift; nsenter --target "$pid" --net -- "$@"; }
has() { inside "$1" ip link show dev "$2" >/dev/null 2>&1; }

if [ "$verb" = look ]; then
  ip -o -4 address show dev "$bridge" 2>/dev/null | grep -q " $address/" || { echo "$bridge does not have $address"; exit 1; }
  for link in "$link_1" "$link_2"; do
    ip -o link show dev "$link" 2>/dev/null | grep -q "master $bridge .*LOWER_UP\|LOWER_UP.*master $bridge " ||
      { echo "$link is not up on $bridge"; exit 1; }
  done
  for pid in "$pid_1" "$pid_2"; do
    has "$pid" eth1 || { echo "a host has no eth1"; exit 1; }
  done
  exit
fi

ip link show dev "$bridge" >/dev/null 2>&1 || ip link add "$bridge" type bridge
ip address replace "$address/24" dev "$bridge"
ip link set "$bridge" up
while [ $# -ge 6 ]; do
  link=$4 pid=$5
  if ! ip link show dev "$link" >/dev/null 2>&1; then
    ip link add "$link" type veth peer name mgmt0 netns "$pid"
  fi
  ip link set "$link" master "$bridge" up
  inside "$pid" ip link set mgmt0 up
  shift 3
done
if ! has "$pid_1" eth1; then
  ip link add eth1 netns "$pid_1" address "$mac_1" type veth peer name eth1 netns "$pid_2" address "$mac_2"
fi
for pid in "$pid_1" "$pid_2"; do
  inside "$pid" ip link set eth1 up
done
