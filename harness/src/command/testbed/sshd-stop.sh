#!/bin/sh
# Kills the sshd of a host with all its sessions, as when it crashes; what the sessions started goes on.
# `sshd-stop listener` kills only the one that takes new connections. Run inside the host.
set -u
pid=$(cat /run/sshd.pid) || exit 1
below() {
  for child in $(ps -o pid= --ppid "$1"); do
    [ "$(readlink "/proc/$child/exe")" = /usr/sbin/sshd ] && { echo "$child"; below "$child"; }
  done
}
sessions=
[ "${1-}" = listener ] || sessions=$(below "$pid")
kill -KILL "$pid" $sessions
rm -f /run/sshd.pid
