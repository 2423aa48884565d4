#!/bin/bash
# The promised numbers of metrics beside the peers, in turns: one container's metric, all cgroup.*, a scrape, resident memory;
# with 5, 50 and 500 control groups, and 5,000 for musterd alone. Peers: pmcd with its agents, pmproxy, prometheus-node-exporter.
# usage: bench/metrics.sh [ROUNDS [COUNT…]] ; MUSTERD=out/musterd by default. Run as root.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/metrics-lib.sh"
rounds=${1:-11}
[ $# = 0 ] || shift
counts=("$@")
[ ${#counts[@]} -gt 0 ] || counts=(5 50 500 5000)
peers_up_to=500 # pmcd takes seconds for more

metrics_start
start_musterd
start_pmcd
start_pmproxy
start_node_exporter
before=$(cut -d' ' -f1-3 /proc/loadavg)

ask() { # COUNT PEER… : one container's metric and all cgroup.* of each, in turns, through PCP's own library
    python3 "$root/client.py" "$root/times" "$1" "$rounds" "/$tag-$(($1 - 1))" "${@:2}"
}

for count in "${counts[@]}"; do
    make_groups "$count"
    asked=("musterd=unix://$musterd_root/run/pmcd.socket")
    [ "$count" -gt $peers_up_to ] || asked+=("pmcd=unix://$root/pmcd.socket")
    ask "$count" "${asked[@]}" >> "$root/values"
    for ((i = -1; i < rounds; i++)); do
        scrape "scrape-musterd-$count" --unix-socket "$musterd_root/run/muster.socket" http://localhost/metrics
        if [ "$count" -le $peers_up_to ]; then
            ! have pmproxy || scrape "scrape-pmproxy-$count" "http://127.0.0.1:$pmproxy_port/metrics?hostspec=localhost:$pmcd_port"
            ! have node-exporter || scrape "scrape-node-exporter-$count" "http://127.0.0.1:$exporter_port/metrics"
        fi
        [ $i -ge 0 ] || rm -f "$root"/times/scrape-*-"$count"
    done
    echo "$count $(resident $musterd) $(resident "$pmcd") $(resident "${pmproxy:-0}") $(resident "${exporter:-0}")" >> "$root/resident"
done
sleep 5 # what a daemon gives back when nobody asks
echo "idle $(resident $musterd) $(resident "$pmcd") $(resident "${pmproxy:-0}") $(resident "${exporter:-0}")" >> "$root/resident"

for what in one all scrape; do
    for count in "${counts[@]}"; do
        bench_table "$what-musterd-$count" "$what"-{musterd,pmcd,pmproxy,node-exporter}-"$count" | if [ "$what-$count" = "one-${counts[0]}" ]; then cat; else tail -n +3; fi
    done
done
echo
echo "| what | values |"
echo "|---|---|"
while read -r name values; do echo "| $name | $values |"; done < "$root/values"
echo
echo "| groups | musterd MB | pmcd and agents MB | pmproxy MB | node-exporter MB |"
echo "|---|---|---|---|---|"
while read -r count a b c d; do echo "| $count | $a | $b | $c | $d |"; done < "$root/resident"
echo
echo "one: cgroup.cpuacct.usage of one group (cgroup.cpu.stat.usage where there is only version 2); all: every cgroup.* of all; scrape: everything but processes as text. pmcd runs where version 2 is not mounted: beside it, it gives no values of version 1. node-exporter knows no control groups."
echo "Load $(cut -d' ' -f1-3 /proc/loadavg), at the start $before; $(nproc) cores, kernel $(uname -r)."
