#!/bin/bash
# musterd beside dockerd: from its start to its first answer, and what it holds when nobody asks; musterd also on roots with many pods.
# usage: bench/daemon.sh [ROUNDS [PODS…]] ; MUSTER=out/muster and MUSTERD=out/musterd by default. Run as root.
BENCH_WANTS_DOCKER=1
. "$(dirname "$0")/lib.sh"
musterd=$(realpath -m "${MUSTERD:-$checkout/out/musterd}")
rounds=${1:-11}
pods=("${@:2}")
[ ${#pods[@]} -gt 0 ] || pods=(0 10 100 1000)
[ -x "$musterd" ] || fail "$musterd is missing: run ./build.sh first, or set MUSTERD"
command -v python3 > /dev/null || fail "python3 is missing: eng/bootstrap.sh --tests installs it"
bench_start "$@"

# Starts a program, asks its socket every half millisecond until it answers 200, and prints the microseconds that it took and,
# after a pause, its resident kB; then ends it. Nothing is started to ask: that would be timed as well.
cat > "$root/first-answer.py" <<'PY'
import http.client, os, signal, socket, subprocess, sys, time
path, request, pause, log = sys.argv[1], sys.argv[2], float(sys.argv[3]), open(sys.argv[4], "ab")
try: os.unlink(path)
except FileNotFoundError: pass
start = time.perf_counter()
program = subprocess.Popen(sys.argv[5:], stdout=log, stderr=log)
try:
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(path)
                s.sendall(f"GET {request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                if s.recv(4096).startswith(b"HTTP/1.1 200"): break
        except OSError: pass
        if program.poll() is not None: sys.exit(f"{sys.argv[5]} has ended with status {program.returncode}")
        if time.perf_counter() - start > 60: sys.exit(f"{sys.argv[5]} does not answer")
        time.sleep(0.0005)
    took = time.perf_counter() - start
    time.sleep(pause)
    resident = next(int(l.split()[1]) for l in open(f"/proc/{program.pid}/status") if l.startswith("VmRSS:"))
    print(round(took * 1e6), resident)
finally:
    program.send_signal(signal.SIGTERM)
    program.wait()
PY

first_answer() { # ROW PAUSE SOCKET REQUEST PROGRAM… : one more time, and the resident memory after the pause in seconds
    local row=$1 pause=$2 answer
    answer=$(python3 "$root/first-answer.py" "$3" "$4" "$pause" "$root/daemon.log" "${@:5}") || fail "$row failed: $(tail -3 "$root/daemon.log")"
    echo "${answer% *}" >> "$root/times/$row"
    [ "$pause" = 0 ] || echo "${answer#* }" >> "$root/resident-$row"
}
of_musterd() { first_answer "musterd-$1" "$2" "$root/node-$1/run/muster.socket" /health "$musterd" --root "$root/node-$1"; }
of_dockerd() {
    first_answer dockerd "$1" "$root/d.sock" /_ping dockerd --data-root "$root/d" --exec-root "$root/dx" --pidfile "$root/d.pid" --host "unix://$root/d.sock" -G root \
        --iptables=false --ip6tables=false --ip-masq=false --bip 10.212.0.1/16 --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$tag-docker"
}

for count in "${pods[@]}"; do
    mkdir "$root/node-$count"
    [ "$count" = 0 ] || "$muster" --root "$root/node-$count" fetch -q --insecure-options=image "oci:$layout:latest" > /dev/null
    for ((i = 0; i < count; i++)); do
        "$muster" --root "$root/node-$count" prepare -q --net=none --insecure-options=image "oci:$layout:latest" > /dev/null
    done
done
[ ! -d "$root/docker-bin/usr" ] || PATH=$root/docker-bin/usr/bin:$root/docker-bin/usr/sbin:$PATH
! command -v dockerd > /dev/null || peers+=(dockerd)
have dockerd || say "dockerd is skipped: it is not installed and could not be downloaded"

rows=()
for count in "${pods[@]}"; do rows+=("musterd-$count"); done
for ((i = -1; i < rounds; i++)); do
    for count in "${pods[@]}"; do of_musterd "$count" 0; done
    ! have dockerd || of_dockerd 0
    [ $i -ge 0 ] || rm -f "$root"/times/*
done
! have dockerd || rows+=(dockerd)
bench_table "musterd-${pods[0]}" "${rows[@]}"
for count in "${pods[@]}"; do of_musterd "$count" 5; done
! have dockerd || of_dockerd 5
echo
echo "| daemon, idle | RSS MB |"
echo "|---|---|"
for row in "${rows[@]}"; do echo "| $row | $(awk '{ printf "%.1f", $1 / 1024 }' "$root/resident-$row") |"; done
echo
echo "musterd-N: on a root with N prepared pods; from the start of the program to HTTP 200 on its socket (/health; dockerd: /_ping); RSS five seconds later. dockerd starts its containerd too, whose memory is not in its row."
bench_load
