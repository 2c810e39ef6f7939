# Ends processes: patience and grace in hundredths of a second, marks (a line each), `remove` or `keep`, and files or
# directories with records of groups. Prints `ended PID LINE` for each, `killed` where it had to, `left PID LINE`.
patience=$1 grace=$2 marks=$3 remove=$4
shift 4
for place in "$@"; do
    if [ -d "$place" ]; then
        # That of a run holds one for each node that shares the workdir.
        for record in "$place"/*.group "$place"/*/*.group; do add_record "$record"; done
    else
        add_record "$place"
    fi
done

# Sends the signal $1 to every member.
signal() {
    for own in $members; do kill -s "$1" "${own%:*}" 2>/dev/null; done
}

if [ "$patience" -gt 0 ]; then
    # What is about to end by itself is not spoken of.
    clock
    until=$((now + patience))
    while :; do
        seen=' '
        find_members > /dev/null
        clock
        [ "$members" = ' ' ] || [ "$now" -ge "$until" ] && break
        nap
    done
    seen=' '
fi
find_members
clock
until=$((now + grace))
# Once: what is started from here on may be a member's own cleaning up.
signal TERM
while [ "$members" != ' ' ] && [ "$now" -lt "$until" ]; do
    nap
    find_members
    clock
done
if [ "$members" != ' ' ]; then
    echo killed
    until=$((now + 500))
    while [ "$members" != ' ' ] && [ "$now" -lt "$until" ]; do
        signal KILL
        nap
        find_members
        clock
    done
fi
for own in $members; do show left "${own%:*}"; done

# Supervisors end by themselves, when they have written how their leader ended.
clock
until=$((now + 200))
for own in $supervisors; do
    while born "${own%:*}" && [ -n "$alive" ] && [ "$start" = "${own#*:}" ]; do
        clock
        [ "$now" -lt "$until" ] || kill -s KILL "${own%:*}" 2>/dev/null
        [ "$now" -lt "$((until + 300))" ] || break
        nap
    done
done
[ "$remove" = remove ] || exit 0
for place in "$@"; do
    rm -rf -- "$place"
    place=${place%/*}
    while :; do
        case $place in */.proofload | */.proofload/*) rmdir -- "$place" 2>/dev/null || break ;; *) break ;; esac
        place=${place%/*}
    done
done
exit 0
