#!/bin/bash
# Pods that start /bin/true at once: 1, 5 and 50 of them, muster beside bare crun and runc, in turns. No failure is allowed.
# usage: bench/concurrency.sh [ROUNDS [COUNT…]] ; MUSTER=out/muster by default. Run as root.
. "$(dirname "$0")/lib.sh"
rounds=${1:-3}
counts=(1 5 50)
[ $# -lt 2 ] || counts=("${@:2}")
bench_start "$@"
peer_muster
peer_runtimes
have crun || fail "crun is the yardstick and does not run here"
before=$(cut -d' ' -f1-3 /proc/loadavg)

one() { # K COMMAND… : waits for the start and leaves the time when it was done
    local k=$1 to go
    shift
    read -r -n 1 go <&9
    "$@" > "$root/log.$k" 2>&1 < /dev/null || { echo "$k: $(tail -1 "$root/log.$k")" >> "$root/failed"; return; }
    to=${EPOCHREALTIME/[.,]/}
    echo "$to" > "$root/one.$k"
}
bare() { run_bare "$1" "$2" "$tag-$3"; }
at_once() { # ROW N KIND ARGUMENT…
    local row=$1 n=$2 k from
    shift 2
    rm -f "$root"/one.* "$root/failed" "$root/gate"
    mkfifo "$root/gate"
    exec 9<> "$root/gate"
    local pids=()
    for ((k = 0; k < n; k++)); do
        case $1 in bare) one $k bare "$2" "$3" $k & ;; *) one $k run_muster "$2" & ;; esac
        pids+=($!)
    done
    sleep 0.3
    from=${EPOCHREALTIME/[.,]/}
    printf "%${n}s" '' | tr ' ' x >&9
    wait "${pids[@]}"
    exec 9>&-
    [ ! -e "$root/failed" ] || { say "$row: $(wc -l < "$root/failed") of $n failed: $(head -3 "$root/failed")"; exit 1; }
    [ "$(cat "$root"/one.* | wc -l)" = "$n" ] || fail "$row: only $(cat "$root"/one.* | wc -l) of $n answered"
    # From the common start, so that waiting for a processor counts.
    cat "$root"/one.* | awk -v from=$from '{ print $1 - from }' > "$root/one"
    median < "$root/one" >> "$root/times/$row"
    sort -n "$root/one" | tail -1 >> "$root/times/$row.max"
}

for ((i = -1; i < rounds; i++)); do
    for n in "${counts[@]}"; do
        at_once crun-host-$n $n bare crun host
        at_once muster-host-$n $n muster host
        ! have runc || at_once runc-host-$n $n bare runc host
        at_once crun-none-$n $n bare crun none
        at_once muster-default-$n $n muster default
    done
    [ $i -ge 0 ] || rm -f "$root/times/"*
done

echo "| what | at once | rounds | median ms per pod | best round's median | slowest pod ms | × crun (same round) |"
echo "|---|---|---|---|---|---|---|"
for what in crun-host runc-host muster-host crun-none muster-default; do
    for n in "${counts[@]}"; do
        file=$root/times/$what-$n
        [ -e "$file" ] || continue
        base=crun-host; case $what in *none|*default) base=crun-none ;; esac
        echo "| $what | $n | $rounds | $(median < "$file" | ms) | $(sort -n "$file" | head -1 | ms) | $(median < "$file.max" | ms) | $(paste "$file" "$root/times/$base-$n" | awk '{ print $1 / $2 }' | median | awk '{ printf "%.2f", $1 }') |"
    done
done
echo
echo "No start failed. Times are from the common start to each pod's end. host: the host's network; none: a network namespace; default: an address of its own, beside crun-none."
bench_load "load at the start $before"
