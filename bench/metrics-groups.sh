#!/bin/bash
# How long the metrics of control groups and containers take with 5, 50, 500 and 5,000 groups, each in every mounted
# hierarchy that is measured; in process, without the wire.
# usage: bench/metrics-groups.sh [ROUNDS] [COUNT...] ; run as root.
set -euo pipefail
checkout=$(cd "$(dirname "$0")/.." && pwd)
[ "$(id -u)" = 0 ] || { echo "bench: control groups are made as root: run it with sudo" >&2; exit 1; }
rounds=${1:-11}
[ $# = 0 ] || shift
counts=("$@")
[ ${#counts[@]} -gt 0 ] || counts=(5 50 500 5000)

dotnet build "$checkout/bench/metrics" -c Release -v quiet >&2
program=$checkout/artifacts/bin/Muster.Metrics.Bench/release/Muster.Metrics.Bench

folders=()
for controller in memory cpuacct cpu blkio pids unified; do
    [ ! -d "/sys/fs/cgroup/$controller" ] || folders+=("/sys/fs/cgroup/$controller")
done
[ ! -e /sys/fs/cgroup/cgroup.controllers ] || folders=(/sys/fs/cgroup)

tag=muster-bench-$$
remove() {
    for folder in "${folders[@]}"; do
        find "$folder" -maxdepth 1 -type d -name "$tag-*" -exec rmdir {} + 2> /dev/null || true
    done
}
trap remove EXIT
trap 'exit 130' INT TERM

echo "| groups | request | median ms | minimum ms | values | bytes allocated |"
echo "|---|---|---|---|---|---|"
made=0
for count in "${counts[@]}"; do
    for ((; made < count; made++)); do
        for folder in "${folders[@]}"; do mkdir "$folder/$tag-$made"; done
    done
    names=()
    for ((i = 0; i < count; i++)); do names+=("/$tag-$i"); done
    "$program" "$rounds" "${names[@]}" | while IFS=$'\t' read -r name median minimum values bytes; do
        echo "| $count | $name | $median | $minimum | $values | $bytes |"
    done
done
echo
echo "Medians of $rounds rounds on $(nproc) CPUs, load $(cut -d' ' -f1-3 /proc/loadavg), kernel $(uname -r); each group is in ${#folders[@]} hierarchies."
