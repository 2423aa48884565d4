#!/bin/bash
# Memory of what stays beside each running container: muster-shim, podman's conmon, docker's containerd-shim.
# usage: bench/supervisor.sh [PODS] ; MUSTER=out/muster by default. Run as root.
BENCH_WANTS_DOCKER=1
. "$(dirname "$0")/lib.sh"
pods=${1:-10}
bench_start "$@"
peer_muster
peer_podman
peer_docker

for ((i = 0; i < pods; i++)); do
    "$muster" --root "$root/m" run -q --detach --net=host --insecure-options=image "oci:$layout:latest" --exec=/bin/sleep -- 600 > /dev/null
    ! have podman || "${podman[@]}" run -d --pull=never --cgroup-parent "/$tag-podman" --network host "${limits[@]}" "$podman_image" /bin/sleep 600 > /dev/null
    ! have docker || "${docker[@]}" run -d --network host bench:latest /bin/sleep 600 > /dev/null
done
[ "$(pgrep -x -c sleep)" -ge "$pods" ] || fail "the pods do not run"
sleep 2

# Only this script's processes are seen: the process namespace is its own.
memory() { # NAME PATTERN
    local name=$1 pid values
    local -A kinds=()
    for pid in $(pgrep "${@:2}"); do
        [ ! -r "/proc/$pid/smaps_rollup" ] || awk -v t=$(ls "/proc/$pid/task" | wc -l) -v f=$(ls "/proc/$pid/fd" | wc -l) '/^(Rss|Pss|Private_Dirty|Private_Clean):/ { v[$1] = $2 } END { print v["Rss:"], v["Pss:"], v["Private_Dirty:"], v["Private_Clean:"], t, f }' "/proc/$pid/smaps_rollup"
    done > "$root/memory"
    [ -s "$root/memory" ] || return 0
    row="| $name | $(wc -l < "$root/memory")"
    for column in 1 2 3 4 5 6; do row+=" | $(awk "{ print \$$column }" "$root/memory" | median)"; done
    echo "$row |"
}
echo "| supervisor | processes | RSS kB | PSS kB | private dirty kB | private clean kB | threads | descriptors |"
echo "|---|---|---|---|---|---|---|---|"
memory muster-shim -x muster-shim
memory "conmon (podman)" -x conmon
memory "containerd-shim (docker)" -f /containerd-shim
memory "dockerd, once" -x dockerd
memory "containerd, once" -x containerd
echo
echo "Medians over $pods pods that sleep, host network; kB of /proc/PID/smaps_rollup."
bench_load
