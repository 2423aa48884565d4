# Shared by the benchmarks of metrics: control groups, musterd and the peers as private servers, clients. Sourced after lib.sh.
musterd_program=$(realpath -m "${MUSTERD:-$checkout/out/musterd}")
pids=()

metrics_start() {
    [ "$(id -u)" = 0 ] || fail "control groups are made as root: run it with sudo"
    [ -x "$musterd_program" ] || fail "$musterd_program is missing: run ./build.sh first, or set MUSTERD"
    for tool in python3 curl unshare; do command -v "$tool" > /dev/null || fail "$tool is missing: eng/bootstrap.sh --tests installs it"; done
    PYTHONPATH=/usr/lib/python3/dist-packages python3 -c 'import pcp.pmapi' 2> /dev/null || fail "PCP's Python library is missing: eng/bootstrap.sh --tests installs it"
    export PYTHONPATH=/usr/lib/python3/dist-packages PMCD_CONNECT_TIMEOUT=20 PMCD_REQUEST_TIMEOUT=60
    root=$(mktemp -d "${BENCH_DIR:-/tmp}/muster-bench-XXXXXX")
    mkdir "$root/times"
    tag=muster-bench-$$
    cgroup_folders=()
    for controller in memory cpuacct cpu blkio pids unified; do
        [ ! -d "/sys/fs/cgroup/$controller" ] || cgroup_folders+=("/sys/fs/cgroup/$controller")
    done
    [ ! -e /sys/fs/cgroup/cgroup.controllers ] || cgroup_folders=(/sys/fs/cgroup)
    made=0
    trap metrics_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    write_clients
}

metrics_end() {
    local rc=$? pid folder i
    trap - EXIT
    # TERM, so that pmcd ends its agents.
    for pid in "${pids[@]}"; do kill "$pid" 2> /dev/null || true; done
    for pid in "${pids[@]}"; do
        for ((i = 0; i < 100; i++)); do
            kill -0 "$pid" 2> /dev/null || break
            sleep 0.1
        done
        kill -9 "$pid" 2> /dev/null || true
        wait "$pid" 2> /dev/null || true
    done
    for folder in "${cgroup_folders[@]}"; do
        find "$folder" -maxdepth 1 -type d -name "$tag-*" -exec rmdir {} + 2> /dev/null || true
    done
    rm -rf --one-file-system "$root"
    exit "$rc"
}

make_groups() { # COUNT : so many groups in each hierarchy
    local folder
    for ((; made < $1; made++)); do
        for folder in "${cgroup_folders[@]}"; do mkdir "$folder/$tag-$made"; done
    done
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

until_true() { # WHAT COMMAND…
    local what=$1 i
    shift
    for ((i = 0; i < 150; i++)); do
        ! "$@" > /dev/null 2>&1 || return 0
        sleep 0.2
    done
    fail "$what does not answer"
}

start_musterd() {
    musterd_root=$root/node
    mkdir "$musterd_root"
    "$musterd_program" --root "$musterd_root" > "$root/musterd.log" 2>&1 &
    musterd=$!
    pids+=("$musterd")
    until_true musterd pminfo -h "unix://$musterd_root/run/pmcd.socket" -f pmcd.pid
    peers+=(musterd)
}

# Debian's pmcd with its configured agents, on a port and socket of its own. Beside version 2 of control groups it gives no
# values of version 1, so it runs where that is not mounted.
start_pmcd() {
    [ -x /usr/lib/pcp/bin/pmcd ] || fail "pmcd is missing: eng/bootstrap.sh --tests installs it"
    [ -e /var/lib/pcp/pmns/root ] || (cd /var/lib/pcp/pmns && ./Rebuild -us)
    pmcd_port=$(free_port)
    # Agents write their logs where they are started.
    PMCD_PORT=$pmcd_port PMCD_SOCKET=$root/pmcd.socket PCP_RUN_DIR=$root unshare -m sh -c \
        "cd $root; [ ! -d /sys/fs/cgroup/unified ] || umount /sys/fs/cgroup/unified; exec /usr/lib/pcp/bin/pmcd -f -i 127.0.0.1 -l $root/pmcd.log" > /dev/null 2>&1 &
    pmcd=$!
    pids+=("$pmcd")
    until_true pmcd pminfo -h "unix://$root/pmcd.socket" -f proc.nprocs
    peers+=(pmcd)
}

start_pmproxy() {
    pmproxy_port=$(free_port)
    PCP_RUN_DIR=$root /usr/lib/pcp/bin/pmproxy -f -t -p "$pmproxy_port" -s "$root/pmproxy.socket" -l "$root/pmproxy.log" > /dev/null 2>&1 &
    pmproxy=$!
    pids+=("$pmproxy")
    until_true pmproxy curl -sf "http://127.0.0.1:$pmproxy_port/pmapi/fetch?hostspec=localhost:$pmcd_port&names=kernel.all.load"
    peers+=(pmproxy)
}

# Debian's package, unpacked beside the run and not installed; without it the row is left out.
start_node_exporter() {
    local program
    program=$(command -v prometheus-node-exporter || true)
    if [ -z "$program" ]; then
        mkdir "$root/deb"
        (cd "$root/deb" && apt-get -qq -o APT::Sandbox::User=root download prometheus-node-exporter > log 2>&1 && dpkg -x ./*.deb .) \
            || { say "node-exporter is skipped: its package could not be downloaded ($(tail -1 "$root/deb/log" | cut -c1-160))"; return; }
        program=$root/deb/usr/bin/prometheus-node-exporter
    fi
    exporter_port=$(free_port)
    "$program" --web.listen-address="127.0.0.1:$exporter_port" > "$root/exporter.log" 2>&1 &
    exporter=$!
    pids+=("$exporter")
    until_true node-exporter curl -sf "http://127.0.0.1:$exporter_port/metrics"
    peers+=(node-exporter)
}

scrape() { # ROW CURL-WORD…
    local row=$1
    shift
    curl -sf -H 'Accept: application/openmetrics-text;q=1,text/plain;q=0.5' -o /dev/null -w '%{time_total}\n' "$@" | awk '{ printf "%d\n", $1 * 1e6 }' >> "$root/times/$row"
}

# Resident megabytes of a process and all below it; "-" for none.
resident() { # PID
    local sum=0 pid
    [ "$1" != 0 ] || { echo -; return; }
    for pid in $(below "$1"); do sum=$((sum + $(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status" 2> /dev/null || echo 0))); done
    awk -v kib="$sum" 'BEGIN { printf "%.1f\n", kib / 1024 }'
}
below() { # PID
    local child
    echo "$1"
    for child in $(cat /proc/"$1"/task/*/children 2> /dev/null); do below "$child"; done
}

# The clients use PCP's own library, the same for every server: what is timed is a fetch, its decoding included.
write_clients() {
    cat > "$root/client.py" << 'PYTHON'
import sys, time
from pcp import pmapi
import cpmapi
folder, count, rounds, group = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
servers = []
for word in sys.argv[5:]:
    name, address = word.split("=", 1)
    context = pmapi.pmContext(cpmapi.PM_CONTEXT_HOST, address)
    names = []
    context.pmTraversePMNS("cgroup", lambda n: names.append(n if isinstance(n, str) else n.decode()))
    one = [n for n in ("cgroup.cpuacct.usage", "cgroup.cpu.stat.usage") if n in names][0]
    servers.append((name, context, names, one))
for what in ("one", "all"):
    asked = []
    for name, context, names, one in servers:
        ids = context.pmLookupName([one] if what == "one" else names)
        if what == "one":
            desc = context.pmLookupDescs(ids)[0]
            instance = context.pmLookupInDom(desc, group)
            context.pmDelProfile(desc, None)
            context.pmAddProfile(desc, [instance])
            asked.append((name, context, ids, desc))
        else:
            asked.append((name, context, ids, None))
    for i in range(-2, rounds):
        for name, context, ids, _ in asked:
            start = time.perf_counter()
            result = context.pmFetch(ids)
            took = time.perf_counter() - start
            values = sum(max(0, result.contents.get_numval(j)) for j in range(len(ids)))
            context.pmFreeResult(result)
            if i >= 0:
                with open(f"{folder}/{what}-{name}-{count}", "a") as out:
                    out.write(f"{took * 1e6:.0f}\n")
            if i == rounds - 1:
                print(f"{what}-{name}-{count} {values}")
    for name, context, ids, desc in asked:
        if desc is not None:
            context.pmAddProfile(desc, None)
PYTHON
    cat > "$root/soak.py" << 'PYTHON'
import sys, time
from pcp import pmapi
import cpmapi
address, clients, seconds, report = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
names = ["kernel.all.load", "mem.util.free", "cgroup.memory.usage", "cgroup.cpuacct.usage", "cgroup.cpu.stat.usage", "container.cpu.usage"]
def connect():
    context = pmapi.pmContext(cpmapi.PM_CONTEXT_HOST, address)
    known = []
    for name in names:
        try:
            context.pmLookupName([name])
            known.append(name)
        except pmapi.pmErr:
            pass
    return context, context.pmLookupName(known)
open_ones = [connect() for _ in range(clients)]
end, fetches, failed, turn = time.monotonic() + seconds, 0, 0, 0
while time.monotonic() < end:
    began = time.monotonic()
    for i, (context, ids) in enumerate(open_ones):
        try:
            context.pmFreeResult(context.pmFetch(ids))
            fetches += 1
        except pmapi.pmErr:
            failed += 1
            open_ones[i] = connect()
    turn += 1
    if turn % 60 == 0:
        for i in range(0, clients, 4):
            open_ones[i] = None
            open_ones[i] = connect()
    with open(report, "a") as out:
        out.write(f"{fetches} {failed}\n")
    time.sleep(max(0, began + 1 - time.monotonic()))
sys.exit(1 if failed else 0)
PYTHON
}
