#!/usr/bin/env bash
# Lists what a Muster of any root left behind: links, network namespaces, tables, mounts, cgroups, processes. Empty is clean.
ip -o link 2>/dev/null | awk -F': ' '$2 ~ /^mst/ {print "link " $2}'
nft list tables 2>/dev/null | grep -i muster | sed 's/^/nft /'
awk '$2 ~ /muster|\/netns\// {print "mount " $2}' /proc/mounts
for cgroup in /sys/fs/cgroup/muster* /sys/fs/cgroup/*/muster*; do [ -d "$cgroup" ] && echo "cgroup $cgroup"; done
for exe in /proc/[0-9]*/exe; do
  case "$(readlink "$exe" 2>/dev/null)" in */muster-shim|*/musterd) line=$(tr '\0' ' ' 2>/dev/null < "${exe%/exe}/cmdline") && [ -n "$line" ] && echo "process ${exe%/exe} $line" ;; esac
done
ps -eo pid,args 2>/dev/null | awk '/[d]nsmasq.*muster/ {print "process " $0}'
exit 0
