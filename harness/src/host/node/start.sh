# Starts a group: workdir, state directory, name, output, line, mark, the supervisor's script. Prints `started SESSION`
# or `failed REASON`.
fail() {
    printf 'failed %s\n' "$1"
    exit 0
}
command -v setsid > /dev/null || fail 'there is no program setsid: install util-linux'
case $4 in /*) output=$4 ;; *) output=$1/$4 ;; esac
said=$(mkdir -p -- "$1" "$2" "${output%/*}/" 2>&1) || fail "$said"
cd "$1" || fail "$1 cannot be entered"
if { read -r leader leader_start rest < "$2/$3.group"; } 2>/dev/null; then
    born "$leader"
    [ -z "$alive" ] || [ "$start" != "$leader_start" ] || fail "a group of that name runs already (pid $leader)"
fi
rm -f -- "$2/$3.group" "$2/$3.exit."*
said=$({ : > "$output"; } 2>&1) || fail "$said"
# The groups of the caller on this machine are none of this group's concern.
unset PROOFLOAD_GROUP
export PROOFLOAD_REMOTE="$6"
said=$(setsid /bin/sh -c "$7" proofload "$2" "$3" "$output" "$5" < /dev/null 2> /dev/null &)
printf '%s\n' "${said:-failed its supervisor did not start}"
