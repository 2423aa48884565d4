#!/usr/bin/env bash
# Tries the published programs in a virtual machine with Debian 13 and nothing but cgroup v2 (no KVM needed: QEMU emulates).
# usage: eng/vm/run.sh [--keep] [--arch amd64|arm64]; needs root for the file system, out/ from build.sh, and what this script installs
# from Debian. For the other architecture it takes out/ARCH/ (./build.sh --arch ARCH), and leaves the boot with systemd out: nothing of
# that architecture is executed while the file system is made, so no package in it is configured.
set -euo pipefail
cd "$(dirname "$0")/../.."
keep=no
case "$(uname -m)" in x86_64) machine=amd64 ;; aarch64) machine=arm64 ;; *) machine=$(uname -m) ;; esac
arch=$machine
while [ $# -gt 0 ]; do
    case "$1" in
        -h|--help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
        --keep) keep=yes ;;
        --arch) arch=${2:-none}; [ $# -lt 2 ] || shift ;;
        --arch=*) arch=${1#--arch=} ;;
        *) echo "eng/vm/run.sh: unknown argument $1: see eng/vm/run.sh --help" >&2; exit 2 ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || { echo "eng/vm/run.sh: the file system of the machine is made by root: run it as root" >&2; exit 1; }
case "$arch" in
    # The kernel must not use cmpxchg16b, which panics with QEMU 7.2; the programs need only that the processor says it has it.
    amd64) emulator=(qemu-system-x86_64 -cpu Nehalem) package=qemu-system-x86 console=ttyS0 extra=clearcpuid=cx16 ;;
    arm64) emulator=(qemu-system-aarch64 -machine virt -cpu cortex-a72) package=qemu-system-arm console=ttyAMA0 extra= ;;
    *) echo "eng/vm/run.sh: amd64 and arm64 machines are emulated, not \"$arch\"" >&2; exit 2 ;;
esac
programs=out variant=minbase base= modes="plain systemd"
[ "$arch" = "$machine" ] || programs=out/$arch variant=extract base=',?essential' modes=plain
for program in muster muster-shim musterd; do [ -x "$programs/$program" ] || { echo "eng/vm/run.sh: $programs/$program is missing: run ./build.sh --arch $arch" >&2; exit 1; }; done
for tool in "${emulator[0]}" mmdebstrap mkfs.ext4 cpio; do
    command -v "$tool" > /dev/null || { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" mmdebstrap e2fsprogs cpio > /dev/null; break; }
done

work=$(mktemp -d)
qemu=
finish() { [ -z "$qemu" ] || kill "$qemu" 2> /dev/null || true; [ $keep = yes ] && echo "kept: $work" || rm -rf "$work"; }
trap finish EXIT

# The mirror is the one that this host's apt uses.
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -1)
kept=${MUSTER_VM_CACHE:-/var/cache/muster-vm}
tar=$kept/root-$arch.tar
if [ ! -s "$tar" ]; then
    mkdir -p "$kept"
    echo "== making a Debian 13 root for $arch from $mirror"
    mmdebstrap --quiet --format=tar --architectures="$arch" --variant="$variant" --aptopt='Acquire::Check-Valid-Until "false"' \
        --include="linux-image-cloud-$arch,crun,nftables,dnsmasq-base,catatonit,kmod,iproute2,busybox-static,curl,wget,procps,systemd,systemd-sysv,dbus,libseccomp2,ca-certificates$base" \
        trixie "$tar.new" "$mirror"
    mv "$tar.new" "$tar"
fi
mkdir "$work/root" "$work/initrd" "$work/initrd/bin" "$work/initrd/new"
tar -C "$work/root" -xf "$tar" --exclude=./dev/*
if [ $variant = extract ]; then
    # What the packages' scripts would have done, as far as it is needed here.
    mkdir -p "$work/root/usr/local/bin" "$work/root/root" "$work/root/var/tmp" "$work/root/etc/systemd/system"
    [ -e "$work/root/usr/bin/sh" ] || ln -s dash "$work/root/usr/bin/sh"
    for name in passwd group; do [ -e "$work/root/etc/$name" ] || cp "$work/root/usr/share/base-passwd/$name.master" "$work/root/etc/$name"; done
fi
install -m 755 "$programs"/muster "$programs"/muster-shim "$programs"/musterd "$work/root/usr/local/bin/"
install -m 755 eng/vm/try.sh "$work/root/try"
install -m 644 eng/vm/checks.sh "$work/root/checks"
install -m 755 eng/vm/try-systemd.sh "$work/root/try-systemd"
# The second boot: the same machine with systemd as its process 1.
cat > "$work/root/etc/systemd/system/try.service" <<UNIT
[Unit]
Description=Try Muster under systemd
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/try-systemd
StandardOutput=tty
StandardError=tty
TTYPath=/dev/$console
[Install]
WantedBy=graphical.target
UNIT
mkdir -p "$work/root/etc/systemd/system/default.target.wants"
ln -sf /etc/systemd/system/try.service "$work/root/etc/systemd/system/default.target.wants/try.service"
ln -sf /dev/null "$work/root/etc/systemd/system/serial-getty@$console.service"
kernel=$(echo "$work"/root/boot/vmlinuz-*)
release=${kernel##*/vmlinuz-}
cp "$kernel" "$work/vmlinuz"
cp "$work/root/bin/busybox" "$work/initrd/bin/"
for module in virtio_blk; do
    file=$(find "$work/root/usr/lib/modules/$release" -name "$module.ko*" | head -1)
    case "$file" in *.xz) xz -dc "$file" > "$work/initrd/$module.ko" ;; *.ko) cp "$file" "$work/initrd/" ;; esac
done
cat > "$work/initrd/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mkdir -p /dev /proc /new
/bin/busybox mount -t devtmpfs dev /dev
[ ! -e /virtio_blk.ko ] || /bin/busybox insmod /virtio_blk.ko
/bin/busybox mount -t ext4 /dev/vda /new || exec /bin/busybox sh
/bin/busybox mount -t proc proc /proc
case "$(/bin/busybox cat /proc/cmdline)" in *muster.systemd*) next=/sbin/init ;; *) next=/try ;; esac
/bin/busybox umount /proc
/bin/busybox mount --move /dev /new/dev
exec /bin/busybox switch_root /new $next
INIT
chmod 755 "$work/initrd/init"
(cd "$work/initrd" && find . | cpio --quiet -o -H newc > "$work/initrd.img")
truncate -s 2G "$work/disk"
mkfs.ext4 -q -d "$work/root" "$work/disk"

# One thread for both processors: with one for each, kernels that patch their own code panicked while the host was busy.
result=0
for mode in $modes; do
    echo "== booting $release, $mode"
    : > "$work/console"
    "${emulator[@]}" -accel tcg,thread=single -smp 2 -m 1500 -nodefaults -no-reboot -display none -serial "file:$work/console" \
        -kernel "$work/vmlinuz" -initrd "$work/initrd.img" -append "console=$console quiet panic=-1 $extra systemd.show_status=false muster.$mode" \
        -drive "file=$work/disk,format=raw,if=virtio" &
    qemu=$!
    seconds=0
    while kill -0 "$qemu" 2> /dev/null && [ "$seconds" -lt "${MUSTER_VM_SECONDS:-600}" ]; do
        sleep 1
        seconds=$((seconds + 1))
        ! grep -q '^try: ' "$work/console" || break
    done
    # It turns itself off when it has told its result.
    for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$qemu" 2> /dev/null || break; sleep 1; done
    kill "$qemu" 2> /dev/null || true
    wait "$qemu" 2> /dev/null || true
    qemu=
    tr -d '\r' < "$work/console" | grep -E '^(ok|FAIL|try:|  )' || tail -20 "$work/console"
    tr -d '\r' < "$work/console" | grep -qE '^try: [1-9][0-9]* passed, 0 failed$' || result=1
done
exit $result
