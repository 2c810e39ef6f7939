# Starts a leader in a session of its own and writes down how it ends: state directory, name, output, line.
setsid /bin/sh -c "$4" < /dev/null > "$3" 2>&1 &
leader=$!
born "$leader"
leader_start=$start
born $$
if ! { printf '%s\n' "$leader ${leader_start:-0} $$ $start $this_boot $3" > "$1/$2.new" && mv -f -- "$1/$2.new" "$1/$2.group"; }; then
    kill -s KILL "$leader"
    echo "failed its record in $1 cannot be written: is the disk full?"
    exit 0
fi
echo "started $leader"
exec > /dev/null
wait "$leader"
# The code is part of the name, as an empty file can be made on a full disk.
: > "$1/$2.exit.$?"
