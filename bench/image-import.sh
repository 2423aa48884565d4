#!/bin/bash
# Import and unpack Debian minbase: muster beside umoci, podman and tar, in turns, on tmpfs and on disk.
# usage: bench/image-import.sh [ROUNDS] ; MUSTER=out/muster by default.
# Needs mmdebstrap (or MINBASE=/path/to/minbase.tar), umoci, skopeo, podman, zstd. Run as root.
set -eu
rounds=${1:-5}
here=$(cd "$(dirname "$0")/.." && pwd)
muster=${MUSTER:-$here/out/muster}
# podman takes only lower-case paths of layouts, and mktemp writes capitals.
fast=/dev/shm/muster-bench-$$
disk=${DISK:-/var/tmp}/muster-bench-$$
trap 'rm -rf "$fast" "$disk"' EXIT
mkdir -m 700 "$fast" "$disk"

tar=${MINBASE:-$fast/minbase.tar}
[ -e "$tar" ] || mmdebstrap --quiet --variant=minbase "${SUITE:-bookworm}" "$tar"
gzip -6 -c "$tar" > "$fast/minbase.tar.gz"
zstd -q -c "$tar" > "$fast/minbase.tar.zst"

mkdir "$fast/plain"
tar -C "$fast/plain" -xf "$tar"
umoci init --layout "$fast/plain.oci"
umoci new --image "$fast/plain.oci:latest"
umoci insert --image "$fast/plain.oci:latest" "$fast/plain" / > /dev/null 2>&1
rm -rf "$fast/plain"
# skopeo writes what every tool reads: one layer, gzip and zstd.
skopeo copy -q "oci:$fast/plain.oci:latest" "oci:$fast/gzip:latest"
skopeo copy -q --dest-compress-format zstd "oci:$fast/plain.oci:latest" "oci:$fast/zstd:latest" --dest-compress
rm -rf "$fast/plain.oci"

now() { date +%s%N; }
run() { # NAME CHECK-FILE COMMAND… : the command must succeed and the file be there afterwards
    local name=$1 check=$2 from to
    shift 2
    from=$(now)
    "$@" > "$fast/log" 2>&1 || { echo "$name failed:"; cat "$fast/log"; exit 1; }
    to=$(now)
    compgen -G "$check" > /dev/null || { echo "$name left no $check"; exit 1; }
    echo $(((to - from) / 1000000)) >> "$fast/times.$name"
}

for ((i = 0; i < rounds; i++)); do
    for place in tmpfs disk; do
        at=$fast; [ $place = disk ] && at=$disk
        for kind in gzip zstd; do
            run "muster-$kind-$place" "$at/m/var/images/trees/*/rootfs/usr/bin/env" "$muster" --root "$at/m" fetch -q --insecure-options=image "oci:$fast/$kind:latest"
            rm -rf "$at/m"
        done
        mkdir "$at/t"; run "tar-xzf-$place" "$at/t/usr/bin/env" tar -C "$at/t" -xzf "$fast/minbase.tar.gz"; rm -rf "$at/t"
        mkdir "$at/t"; run "tar-zstd-$place" "$at/t/usr/bin/env" tar -C "$at/t" --zstd -xf "$fast/minbase.tar.zst"; rm -rf "$at/t"
        run "umoci-unpack-gzip-$place" "$at/u/rootfs/usr/bin/env" umoci unpack --image "$fast/gzip:latest" "$at/u"; rm -rf "$at/u"
    done
    # podman's run directory must be short; vfs because overlay on tmpfs is not taken everywhere.
    run podman-pull-gzip-tmpfs "$fast/p/vfs/dir/*/usr/bin/env" podman --root "$fast/p" --runroot "$fast/r" --storage-driver vfs pull -q "oci:$fast/gzip:latest"
    podman --root "$fast/p" --runroot "$fast/r" --storage-driver vfs rmi -af > /dev/null 2>&1 || true
    rm -rf "$fast/p" "$fast/r"
done

echo "| what | runs | median ms | min ms | × muster | × muster (minima) |"
echo "|---|---|---|---|---|---|"
median() { sort -n "$1" | sed -n "$(((rounds + 1) / 2))p"; }
least() { sort -n "$1" | head -1; }
for place in tmpfs disk; do
    for file in "$fast"/times.*-$place; do
        name=${file##*/times.}
        base=$fast/times.muster-gzip-$place
        case $name in *zstd*) base=$fast/times.muster-zstd-$place ;; esac
        awk -v name="$name" -v n="$rounds" -v m="$(median "$file")" -v l="$(least "$file")" -v bm="$(median "$base")" -v bl="$(least "$base")" \
            'BEGIN { printf "| %s | %d | %d | %d | %.2f | %.2f |\n", name, n, m, l, m / bm, l / bl }'
    done
done
echo
echo "$(ls -l "$fast"/minbase.tar* "$tar" | awk '{ sub(/.*\//, "", $NF); printf "%s %.1f MB\n", $NF, $5 / 1e6 }' | sort -u | paste -sd, | sed 's/,/, /g')."
echo "Load $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) cores, kernel $(uname -r); $("$muster" version), $(umoci --version | head -1), $(podman --version)."
