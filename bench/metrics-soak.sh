#!/bin/bash
# Resident memory of musterd over time while many clients read metrics: 200 connections that each fetch every second, and a
# scrape every 15 seconds; a quarter of the clients leaves and comes again every minute.
# usage: bench/metrics-soak.sh [MINUTES [CLIENTS [GROUPS]]] ; MUSTERD=out/musterd by default. Run as root.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/metrics-lib.sh"
minutes=${1:-30}
clients=${2:-200}
groups=${3:-50}

metrics_start
start_musterd
make_groups "$groups"
touch "$root/fetches"
python3 "$root/soak.py" "unix://$musterd_root/run/pmcd.socket" "$clients" $((minutes * 60)) "$root/fetches" &
soak=$!
pids+=("$soak")

echo "| second | resident MB | open descriptors | fetches so far | failed |"
echo "|---|---|---|---|---|"
every=$((minutes * 60 / 30))
[ $every -ge 15 ] || every=15
for ((second = 0; second <= minutes * 60; second += 15)); do
    [ $second = 0 ] || sleep 15
    kill -0 "$musterd" 2> /dev/null || fail "musterd has ended: $(tail -3 "$root/musterd.log")"
    scrape scrape --unix-socket "$musterd_root/run/muster.socket" http://localhost/metrics
    if ((second % every < 15)); then
        echo "| $second | $(resident "$musterd") | $(ls "/proc/$musterd/fd" | wc -l) | $(tail -1 "$root/fetches" | sed 's/ / | /') |"
    fi
done
wait "$soak" || fail "a client failed"
sleep 5
echo "| idle | $(resident "$musterd") | $(ls "/proc/$musterd/fd" | wc -l) | $(tail -1 "$root/fetches" | sed 's/ / | /') |"
echo
echo "$clients clients, $groups groups, a scrape every 15 s. Load $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) cores, kernel $(uname -r)."
