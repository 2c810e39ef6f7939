# Runs a line: nonce, mark, workdir, line, and what runs in its place where the workdir cannot be entered. Both outputs
# say where those of the line begin, and the second how it ended.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH
cd "$3" 2>/dev/null || set -- "$1" "$2" "$3" "${5:-$4}"
unset PROOFLOAD_REMOTE
[ -z "$2" ] || export PROOFLOAD_REMOTE="$2"
printf '%s\n' "$1"
printf '%s\n' "$1" >&2
/bin/sh -c "$4"
printf '\n%s %s\n' "$1" "$?" >&2
exit 0
