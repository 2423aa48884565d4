#!/bin/bash
# Time to run /bin/true from a local image, command line included: muster beside bare crun and runc, podman and docker, in turns.
# usage: bench/run.sh [ROUNDS] ; MUSTER=out/muster by default. Run as root.
BENCH_WANTS_DOCKER=1
. "$(dirname "$0")/lib.sh"
rounds=${1:-15}
bench_start "$@"
peer_muster
peer_runtimes
peer_podman
peer_docker
before=$(cut -d' ' -f1-3 /proc/loadavg)

have crun || fail "crun is the yardstick and does not run here"
for ((i = -1; i < rounds; i++)); do
    timed crun-host run_bare crun host "$tag-$i"
    timed muster-host run_muster host
    have runc && timed runc-host run_bare runc host "$tag-$i"
    have podman && timed podman-host run_podman host
    have docker && timed docker-host run_docker host
    timed crun-none run_bare crun none "$tag-$i"
    timed muster-none run_muster none
    have runc && timed runc-none run_bare runc none "$tag-$i"
    timed muster-default run_muster default
    have podman && timed podman-default run_podman podman
    have docker && timed docker-default run_docker bridge
    # The first round warms caches and makes the bridges.
    [ $i -ge 0 ] || rm -f "$root/times/"*
done

bench_table crun-host {crun,runc,muster,podman,docker}-host
bench_table crun-none {crun,runc,muster}-none {muster,podman,docker}-default | tail -n +3
echo
echo "host: namespaces pid, ipc, uts, mount, cgroup; none: a network namespace too; default: an address of its own on a bridge. The rows none and default are beside crun-none."
bench_load "load at the start $before"
