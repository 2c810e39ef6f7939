# Lists the sockets of a protocol on a port: protocol, port in hexadecimal. Prints `socket` and the kernel's line for
# each, and `pid INODE PID LINE` for whom they belong to, as far as that may be seen.
sockets=$(cat "/proc/net/$1" "/proc/net/${1}6" 2>/dev/null | grep -i ":$2 ")
inodes=''
while read -r slot local remote state queues timer retransmits uid timeout inode rest; do
    case $local in *":$2") ;; *) continue ;; esac
    printf 'socket %s %s %s\n' "$local" "$state" "$inode"
    [ "$inode" = 0 ] || inodes="$inodes $inode"
done <<END
$sockets
END
[ -n "$3" ] && [ -n "$inodes" ] || exit 0
ls -l /proc/[0-9]*/fd 2>/dev/null | grep -e '^/proc/' -e 'socket:' | while read -r line; do
    case $line in /proc/*) pid=${line#/proc/} pid=${pid%%/*} && continue ;; esac
    for inode in $inodes; do
        case $line in *"socket:[$inode]") show "pid $inode" "$pid" ;; esac
    done
done
exit 0
