# Shared by the benchmarks: a place of their own, images, peers, rounds in turns, medians and one Markdown table.
# Sourced first thing: . "$(dirname "$0")/lib.sh"; then arguments, bench_start, peers, rounds, bench_table.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
muster=$(realpath -m "${MUSTER:-$checkout/out/muster}")

say() { echo "bench: $*" >&2; }
fail() { say "$*"; exit 1; }

# Everything happens in a mount, network and process namespace that ends with the script: bridges, rules, mounts and
# processes cannot outlive it, whatever happens, and the host's own firewall neither helps nor hinders.
# Packages of peers are downloaded before, since there is only loopback inside.
bench_start() {
    [ "$(id -u)" = 0 ] || fail "containers are started as root: run it with sudo"
    [ -x "$muster" ] || fail "$muster is missing: run ./build.sh first, or set MUSTER"
    for tool in busybox crun runc jq umoci unshare ip; do
        command -v "$tool" > /dev/null || fail "$tool is missing: eng/bootstrap.sh --tests installs it"
    done
    if [ -z "${MUSTER_BENCH_INSIDE:-}" ]; then
        local root rc=0 child cgroup
        root=${BENCH_DIR:-/tmp}/muster-bench-$$ # podman takes only lower-case paths of layouts, and mktemp writes capitals
        mkdir -m 711 "$root"
        [ -z "${BENCH_WANTS_DOCKER:-}" ] || fetch_docker "$root"
        child=
        # unshare itself does not listen: the script inside it must, and ends everything.
        trap '[ -z "$child" ] || pkill -TERM -P "$child" || true' INT TERM
        MUSTER_BENCH_INSIDE=$root unshare --mount --propagation private --net --pid --fork --kill-child --mount-proc bash "$0" "$@" &
        child=$!
        wait "$child" || rc=$?
        # A signal ends wait early: the namespaces must be gone before the files are removed.
        while kill -0 "$child" 2> /dev/null; do wait "$child" || true; done
        cgroup=$(cat "$root/cgroups" 2> /dev/null || echo none)
        find /sys/fs/cgroup -depth -type d -path "/sys/fs/cgroup/*$cgroup*" -exec rmdir {} + 2> /dev/null || true
        rm -rf --one-file-system "$root"
        exit "$rc"
    fi
    root=$MUSTER_BENCH_INSIDE
    trap bench_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    ip link set lo up
    mkdir "$root/times"
    tag=mbench${root##*-}
    echo "$tag" > "$root/cgroups"
    # podman and crun keep state below /run; nobody else sees these.
    mount -t tmpfs -o mode=755 bench /run
    make_image
}

bench_end() {
    local rc=$?
    trap - EXIT
    # The ends that leave cgroups and locks in order; the namespaces take the rest.
    for end in "${ends[@]}"; do $end > /dev/null 2>&1 || true; done
    awk -v root="$root/" 'index($2, root) == 1 { print $2 }' /proc/mounts | tac | while read -r at; do umount -l "$at" || true; done
    exit "$rc"
}
ends=()

# One layer with a static busybox, as OCI layout, and the same files as root of the bare runtimes.
make_image() {
    mkdir -p "$root/rootfs"/{bin,proc,sys,dev,tmp,etc}
    cp "$(command -v busybox)" "$root/rootfs/bin/busybox"
    ! ldd "$root/rootfs/bin/busybox" > /dev/null 2>&1 || fail "busybox is linked dynamically: install busybox-static"
    for applet in true sleep sh; do ln -s busybox "$root/rootfs/bin/$applet"; done
    layout=$root/layout
    umoci init --layout "$layout"
    umoci new --image "$layout:latest"
    umoci insert --image "$layout:latest" "$root/rootfs" / > /dev/null 2>&1
    umoci config --image "$layout:latest" --config.cmd /bin/true
}

# ---- peers: each leaves a name in $peers when it can run /bin/true here, else a sentence says why not.
peers=()
have() { case " ${peers[*]} " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

peer_muster() {
    "$muster" --root "$root/m" fetch -q --insecure-options=image "oci:$layout:latest" > /dev/null
    ends+=(end_muster)
    peers+=(muster)
}
# The network is muster's only in this namespace; the pods are ended so that their cgroups go.
end_muster() {
    local pod
    for pod in $("$muster" --root "$root/m" list -q 2> /dev/null); do "$muster" --root "$root/m" stop --force "$pod"; done
    "$muster" --root "$root/m" gc --grace-period=0s
    "$muster" --root "$root/m" network rm default
}
run_muster() { # NET [OPTION…] : to the end of /bin/true
    local net=$1
    shift
    "$muster" --root "$root/m" run -q --rm --net="$net" --insecure-options=image "$@" "oci:$layout:latest"
}

# A bundle of crun's own default specification: masks, capabilities and devices as crun writes them, no seccomp filter.
bundle() { # NAME NAMESPACES-AS-JSON COMMAND…
    local at=$root/bundles/$1 namespaces=$2
    shift 2
    mkdir -p "$at"
    rm -f "$at/config.json"
    (cd "$at" && crun spec)
    jq --argjson ns "$namespaces" --arg rootfs "$root/rootfs" \
        '.process.terminal = false | .process.args = $ARGS.positional | .root.path = $rootfs | .linux.namespaces = ($ns | map({type: .}))
         | .process.rlimits = []' \
        --args "$@" < "$at/config.json" > "$at/new"
    mv "$at/new" "$at/config.json"
}
namespaces_host='["pid","ipc","uts","mount","cgroup"]'
namespaces_none='["pid","network","ipc","uts","mount","cgroup"]'
peer_runtimes() {
    bundle host "$namespaces_host" /bin/true
    bundle none "$namespaces_none" /bin/true
    for runtime in crun runc; do
        if run_bare $runtime host "$tag-try" > "$root/log" 2>&1; then peers+=($runtime)
        else say "$runtime is skipped: it cannot run /bin/true here ($(tail -1 "$root/log" | cut -c1-200))"; fi
    done
}
run_bare() { # RUNTIME BUNDLE ID
    "$1" --root "$root/$1" run --bundle "$root/bundles/$2" "$3"
}

peer_podman() {
    command -v podman > /dev/null || { say "podman is skipped: it is not installed (eng/bootstrap.sh --tests)"; return; }
    mkdir -p "$root/cni"
    # podman's default network as it writes it itself, with the leases in our folder.
    cat > "$root/cni/87-podman.conflist" <<TEXT
{"cniVersion":"0.4.0","name":"podman","plugins":[
 {"type":"bridge","bridge":"cni-podman0","isGateway":true,"ipMasq":true,"hairpinMode":true,
  "ipam":{"type":"host-local","dataDir":"$root/cni/leases","routes":[{"dst":"0.0.0.0/0"}],"ranges":[[{"subnet":"10.211.0.0/16","gateway":"10.211.0.1"}]]}},
 {"type":"portmap","capabilities":{"portMappings":true}},{"type":"firewall"},{"type":"tuning"}]}
TEXT
    podman=(podman --root "$root/p" --runroot "$root/pr" --tmpdir "$root/pt" --cgroup-manager cgroupfs --events-backend none --network-backend cni --network-config-dir "$root/cni")
    if ! "${podman[@]}" info > /dev/null 2>&1; then podman=("${podman[@]/--network-backend/}"); fi
    if "${podman[@]}" pull -q "oci:$layout:latest" > "$root/podman.id" 2> "$root/log" && podman_image=$(tail -1 "$root/podman.id") && run_podman host > "$root/log" 2>&1
    then peers+=(podman); ends+=(end_podman); else say "podman is skipped: it cannot run /bin/true here ($(tail -1 "$root/log" | cut -c1-200))"; fi
}
run_podman() { # NET [OPTION…]
    local net=$1
    shift
    "${podman[@]}" run --rm --pull=never --cgroup-parent "/$tag-podman" --network "$net" "${limits[@]}" "$@" "$podman_image"
}
# Without CAP_SYS_RESOURCE podman's own limits cannot be set: ask for lower ones.
limits=(--ulimit nofile=1024:4096 --ulimit nproc=1024:1024)
end_podman() { "${podman[@]}" rm -af -t 0; }

# Debian's docker.io, unpacked beside the run and not installed; without it docker is skipped.
fetch_docker() { # ROOT
    command -v apt-get > /dev/null || return 0
    if command -v dockerd > /dev/null && command -v containerd > /dev/null; then return 0; fi
    say "downloading Debian's docker.io and containerd into the temporary folder (nothing is installed)"
    mkdir -p "$1/deb"
    (cd "$1/deb" && apt-get -qq -o APT::Sandbox::User=root download docker.io containerd > log 2>&1 && for deb in *.deb; do dpkg -x "$deb" ../docker-bin; done) \
        || say "docker's packages could not be downloaded ($(tail -1 "$1/deb/log" | cut -c1-160))"
}
peer_docker() {
    local bin=$root/docker-bin/usr
    [ ! -d "$bin" ] || PATH=$bin/bin:$bin/sbin:$PATH
    command -v dockerd > /dev/null || { say "docker is skipped: dockerd is not installed and could not be downloaded"; return; }
    docker=(docker -H "unix://$root/d.sock")
    dockerd --data-root "$root/d" --exec-root "$root/dx" --pidfile "$root/d.pid" --host "unix://$root/d.sock" -G root \
        --iptables=false --ip6tables=false --ip-masq=false --bip 10.212.0.1/16 --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$tag-docker" > "$root/dockerd.log" 2>&1 &
    local i
    for ((i = 0; i < 150; i++)); do "${docker[@]}" version > /dev/null 2>&1 && break; sleep 0.2; done
    ends+=(end_docker)
    if tar -C "$root/rootfs" -c . | "${docker[@]}" import -c 'CMD ["/bin/true"]' - bench:latest > "$root/log" 2>&1 && run_docker host > "$root/log" 2>&1
    then peers+=(docker); else say "docker is skipped: ($(tail -1 "$root/log" | cut -c1-200); $(tail -1 "$root/dockerd.log" | cut -c1-200))"; fi
}
run_docker() { # NET [OPTION…]
    local net=$1
    shift
    "${docker[@]}" run --rm --network "$net" "$@" bench:latest
}
end_docker() {
    local ids
    ids=$("${docker[@]}" ps -aq)
    [ -z "$ids" ] || "${docker[@]}" rm -f $ids
    kill "$(cat "$root/d.pid")"
    local i
    for ((i = 0; i < 50; i++)); do [ -e "$root/d.pid" ] || break; sleep 0.1; done
}

# ---- time
# $EPOCHREALTIME costs no process; what is timed is fork, exec and the command, for every runner alike.
timed() { # ROW COMMAND… : one more time in microseconds for ROW; a command that fails ends the benchmark
    local row=$1 from to
    shift
    from=${EPOCHREALTIME/[.,]/}
    "$@" > "$root/log" 2>&1 < /dev/null || { say "$row failed: $(tail -3 "$root/log")"; exit 1; }
    to=${EPOCHREALTIME/[.,]/}
    echo $((to - from)) >> "$root/times/$row"
}

median() { sort -n | awk '{ v[NR] = $1 } END { printf "%.10g\n", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; } # never 3.5e+06, which sort -n misreads
ms() { awk '{ printf "%.1f\n", $1 / 1000 }'; }

# BASE ROW… : medians, minima, and beside BASE the medians of the quotients and differences of the same round.
bench_table() {
    local base=$1 row n
    shift
    echo "| what | runs | median ms | min ms | × ${base%%-*} (same round) | ms over ${base%%-*} (same round) |"
    echo "|---|---|---|---|---|---|"
    for row in "$@"; do
        [ -e "$root/times/$row" ] || continue
        n=$(wc -l < "$root/times/$row")
        echo "| $row | $n | $(median < "$root/times/$row" | ms) | $(sort -n "$root/times/$row" | head -1 | ms) | $(paste "$root/times/$row" "$root/times/$base" | awk '{ print $1 / $2 }' | median | awk '{ printf "%.2f", $1 }') | $(paste "$root/times/$row" "$root/times/$base" | awk '{ print $1 - $2 }' | median | ms) |"
    done
}
bench_load() { echo "Load $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) cores, kernel $(uname -r); $("$muster" version), $(crun --version | head -1), $(runc --version | head -1)${1:+, $1}."; }
