# Functions that find processes. Everything is read from /proc by the shell itself, as small systems have no ps.

# Sets $text to what the kernel says of the process $1 after its name, which may hold anything.
ask() {
    { read -r text < "/proc/$1/stat"; } 2>/dev/null || return 1
    case $text in *") "*) ;; *) text=$(cat "/proc/$1/stat" 2>/dev/null | tr '\n' ' ') ;; esac
    text=${text##*") "}
}

# Sets $start and $alive of the process $1; $start is empty where there is none.
born() {
    start='' alive=''
    ask "$1" || return 0
    set -- $text
    start=${20} alive=1
    case $1 in Z | X | x) alive='' ;; esac
}

# Sets $marked to the processes that have one of $marks, a line each, in their environment.
find_marked() {
    marked=' '
    [ -n "$marks" ] || return 0
    # Some versions of grep do not look beyond a NUL.
    if printf 'a\0b\n' | grep -q -F -e b; then
        files=$(grep -l -F -e "$marks" /proc/[0-9]*/environ 2>/dev/null)
    else
        files=$(for file in /proc/[0-9]*/environ; do
            { tr '\0' '\n' < "$file"; } 2>/dev/null | grep -q -F -e "$marks" && echo "$file"
        done)
    fi
    for file in $files; do
        file=${file#/proc/}
        marked="$marked${file%/environ} "
    done
}

# Sets $members, as `pid:start`, to what runs of the sessions in $sessions, of what is marked, of what was a member
# before ($seen), and of what all these started; without this shell and what is put $aside.
find_members() {
    find_marked
    members=' ' table=''
    for at in /proc/[0-9]*; do
        pid=${at#/proc/}
        ask "$pid" || continue
        set -- $text
        case $1 in Z | X | x | '') continue ;; esac
        own=$pid:${20}
        [ "$pid" = "$$" ] && continue
        case $aside in *" $own "*) continue ;; esac
        table="$table $own:$2"
        case $seen in *" $own "*) members="$members$own " && continue ;; esac
        case $marked in *" $pid "*) members="$members$own " && continue ;; esac
        for session in $sessions; do
            # What is older than the session's leader belongs to a session that had its number before.
            if [ "$4" = "${session%:*}" ] && [ "${20}" -ge "${session#*:}" ]; then
                members="$members$own "
            elif [ "$own" = "$session" ]; then
                members="$members$own "
            fi
        done
    done
    more=1
    while [ -n "$more" ]; do
        more=''
        for entry in $table; do
            own=${entry%:*}
            case $members in *" $own "*) continue ;; esac
            case $members in *" ${entry##*:}:"*) members="$members$own " more=1 ;; esac
        done
    done
    for own in $members; do
        case $seen in *" $own "*) ;; *) seen="$seen$own " && show ended "${own%:*}" ;; esac
    done
}

# One line about the process $2.
show() {
    line=$({ tr '\0\n' '  ' < "/proc/$2/cmdline"; } 2>/dev/null)
    printf '%s %s %s\n' "$1" "$2" "$line"
}

# Adds the group that the file $1 records to $sessions and $supervisors, unless its numbers are somebody else's by now.
add_record() {
    { read -r leader leader_start supervisor supervisor_start boot output < "$1"; } 2>/dev/null || return 0
    [ "$boot" = "$this_boot" ] || return 0
    born "$leader"
    case $start in '' | "$leader_start") sessions="$sessions $leader:$leader_start" ;; esac
    supervisors="$supervisors $supervisor:$supervisor_start"
    aside="$aside$supervisor:$supervisor_start "
}

# Sets $now, in hundredths of a second.
clock() {
    read -r up rest < /proc/uptime
    now=${up%.*}${up#*.}
}

nap() {
    sleep 0.03 2>/dev/null || sleep 1
}

sessions='' supervisors='' aside=' ' seen=' ' this_boot=''
{ read -r this_boot < /proc/sys/kernel/random/boot_id; } 2>/dev/null
this_boot=${this_boot:-unknown}
