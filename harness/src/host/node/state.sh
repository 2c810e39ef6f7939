# Says what a group is doing: state directory, name.
{ read -r leader leader_start supervisor supervisor_start rest < "$1/$2.group"; } 2>/dev/null || { echo unknown; exit 0; }
look() {
    for file in "$1/$2.exit."*; do
        [ ! -e "$file" ] || { echo "ended ${file##*.}"; exit 0; }
    done
}
look "$1" "$2"
born "$supervisor"
[ -n "$alive" ] && [ "$start" = "$supervisor_start" ] && { echo running; exit 0; }
born "$leader"
[ -n "$alive" ] && [ "$start" = "$leader_start" ] && { echo running; exit 0; }
look "$1" "$2"
echo 'ended -1'
