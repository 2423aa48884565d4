#!/usr/bin/env bash
# Installs what Muster needs on Debian 12 or 13: to build, to run, and to be tested. Says what it does; a second run does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

criu_prefix=${MUSTER_CRIU_PREFIX:-/usr/local/lib/muster/criu}
with_criu=yes
with_tests=no
with_arm64=no

usage() {
  cat <<'TEXT'
Usage: eng/bootstrap.sh [--tests] [--without-criu] [--arm64]
Installs, as root, from the package sources that apt has:
  to build   clang and zlib's headers (the .NET 10 SDK must be there already)
  to run     crun, runc, nftables, dnsmasq, catatonit, CNI plugins, gpg, xz, bzip2
  state      criu 4.2 or newer with its libraries in a private prefix (--without-criu leaves it out)
  --arm64    also what ./build.sh --arch arm64 needs on an x86-64 machine: Debian's cross compiler and C library
  --tests    also the tools that the tests and the demonstration talk to: skopeo, umoci, podman, docker-registry, pcp, promtool, …
On a host whose cgroup v1 hierarchies lack hugetlb it mounts that one, which crun asks for.
TEXT
}

for arg in "$@"; do
  case "$arg" in
    -h|--help) usage; exit 0 ;;
    --tests) with_tests=yes ;;
    --without-criu) with_criu=no ;;
    --arm64) with_arm64=yes ;;
    *) echo "bootstrap: unknown argument $arg: see eng/bootstrap.sh --help" >&2; exit 2 ;;
  esac
done

fail() { echo "bootstrap: $*" >&2; exit 1; }
say() { echo "bootstrap: $*"; }

[ "$(id -u)" = 0 ] || fail "packages are installed as root: run it with sudo"
command -v apt-get >/dev/null || fail "this script knows Debian 12 and 13 only: install the packages listed by --help with your own package manager"
command -v dotnet >/dev/null || fail "the .NET 10 SDK is missing: install it (https://dotnet.microsoft.com/download) and put dotnet on the PATH"
case "$(dotnet --version)" in 10.*) ;; *) fail "the .NET SDK is $(dotnet --version), but Muster needs 10: install it beside the other" ;; esac

packages=(clang zlib1g-dev crun runc nftables iproute2 dnsmasq-base catatonit containernetworking-plugins gpg gpg-agent xz-utils bzip2 zstd ca-certificates util-linux)
[ $with_tests = no ] || packages+=(skopeo umoci podman docker-registry mmdebstrap debootstrap busybox-static curl jq openssl socat strace hyperfine runit man-db procps apache2-utils uidmap golang-go golang-github-appc-spec-dev tinyproxy lxc zsh fish)
[ $with_arm64 = no ] || packages+=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross)

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)" = "install ok installed" ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o Acquire::Retries=3 update -qq || fail "apt-get update failed: check the package sources"
  apt-get -o Acquire::Retries=3 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || fail "apt-get could not install ${missing[*]}: run it by hand to see why"
else
  say "all ${#packages[@]} packages are there"
fi

# crun on a v1 or hybrid host wants every enabled controller mounted; hugetlb is the one that init scripts forget.
if [ -d /sys/fs/cgroup/memory ] && grep -q '^hugetlb[[:space:]].*1$' /proc/cgroups && ! grep -q ' - cgroup .*hugetlb' /proc/self/mountinfo; then
  say "mounting the hugetlb controller at /sys/fs/cgroup/hugetlb, which crun asks for"
  mkdir -p /sys/fs/cgroup/hugetlb
  mount -t cgroup -o hugetlb cgroup /sys/fs/cgroup/hugetlb || say "hugetlb could not be mounted: runc will be used instead of crun"
fi

install_criu() {
  if [ -x "$criu_prefix/criu" ] && "$criu_prefix/criu" --version 2>/dev/null | grep -qE 'Version: (4\.[2-9]|[5-9])'; then
    say "criu $("$criu_prefix/criu" --version 2>/dev/null | awk '/Version/{print $2}') is there"
    return
  fi
  say "fetching criu 4.2 or newer into $criu_prefix (the system's own stays as it is)"
  local work
  work=$(mktemp -d)
  trap 'rm -rf "$work"' RETURN
  # The address of the newer suites is that of the suite in use; a private apt state keeps them out of the system's.
  local mirror
  mirror=$(grep -hoE '^(URIs:|deb)[[:space:]].*' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -1 | tr -d ' ' || true)
  [ -n "$mirror" ] || fail "no Debian source was found in /etc/apt from which criu's suite could be derived"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/deb"
  for suite in trixie sid; do
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
  done > "$work/sources.list"
  local apt=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=root)
  apt-get "${apt[@]}" update -qq || fail "the package lists of trixie and sid could not be read from the mirror of this host"
  ( cd "$work/deb"
    apt-get "${apt[@]}" download -qq criu/sid libcompel1/sid libnet9/sid \
      $(printf '%s/trixie ' libc6 libgnutls30t64 libnl-3-200 libnftables1 libnftnl11 libmnl0 libbsd0 libmd0 libprotobuf-c1 libxtables12 libjansson4 libnettle8t64 libhogweed6t64 libgmp10 libp11-kit0 libidn2-0 libunistring5 libtasn1-6 libffi8 libcap2 libzstd1 libgcc-s1 libaio1t64 libdrm2 libtraceevent1 libuuid1) ) \
    || fail "criu's packages could not be downloaded from trixie and sid"
  rm -rf "$criu_prefix.new"
  mkdir -p "$criu_prefix.new"
  for deb in "$work"/deb/*.deb; do dpkg -x "$deb" "$criu_prefix.new"; done
  local loader
  loader=$(find "$criu_prefix.new" -name 'ld-linux-*.so.*' | head -1 | sed "s#^$criu_prefix.new##")
  [ -n "$loader" ] || fail "no dynamic loader came with criu's C library"
  cat > "$criu_prefix.new/criu" <<WRAPPER
#!/bin/sh
# criu with the C library that it was built for; the host's own is older.
# Its library lookups complain of missing version information at every start, which is of no consequence.
exec $criu_prefix$loader --library-path $criu_prefix/usr/lib/$(uname -m)-linux-gnu $criu_prefix/usr/sbin/criu "\$@"
WRAPPER
  chmod 755 "$criu_prefix.new/criu"
  rm -rf "$criu_prefix"
  mv "$criu_prefix.new" "$criu_prefix"
  "$criu_prefix/criu" --version >/dev/null 2>&1 || fail "criu in $criu_prefix does not start: $("$criu_prefix/criu" --version 2>&1 | head -1)"
  say "criu $("$criu_prefix/criu" --version 2>/dev/null | awk '/Version/{print $2}') is ready"
}
# PCP's tools and daemon. Its package wants to start services at once, which fails where systemd does not run and is not wanted
# where it does: during the installation, what would start or enable them does nothing. (apt gives its scripts a path of its own,
# DPkg::Path, whatever PATH is.)
install_pcp() {
  local names=(pcp python3-pcp) wanted=() package shims
  for package in "${names[@]}"; do
    [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)" = "install ok installed" ] || wanted+=("$package")
  done
  if [ ${#wanted[@]} -gt 0 ]; then
    say "installing ${wanted[*]} without starting its services"
    shims=$(mktemp -d)
    for program in systemctl deb-systemd-helper deb-systemd-invoke invoke-rc.d update-rc.d; do
      printf '#!/bin/sh\nexit 0\n' > "$shims/$program"
      chmod 755 "$shims/$program"
    done
    DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -o DPkg::Path="$shims:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null || { rm -rf "$shims"; fail "apt-get could not install ${wanted[*]}: run it by hand to see why"; }
    rm -rf "$shims"
  fi
  if [ -e /var/lib/pcp/pmns/.NeedRebuild ]; then
    ( cd /var/lib/pcp/pmns && ./Rebuild -us >/dev/null 2>&1 && rm -f .NeedRebuild ) || say "pmcd's own names could not be rebuilt: comparisons with pmcd are skipped"
  fi
}

# promtool judges what /metrics says. Debian has it in the server's package, whose service nobody needs here.
install_promtool() {
  command -v promtool >/dev/null && return
  say "fetching promtool from Debian's prometheus into /usr/local/bin"
  local work
  work=$(mktemp -d)
  if ( cd "$work" && apt-get -o Acquire::Retries=3 -o APT::Sandbox::User=root download -qq prometheus >/dev/null && dpkg -x prometheus_*.deb . && install -m 755 usr/bin/promtool /usr/local/bin/promtool ); then :; else say "promtool could not be fetched: its own test is skipped"; fi
  rm -rf "$work"
}
[ $with_tests = no ] || { install_pcp; install_promtool; }

# trixie has what bookworm lacks: cosign, and a receiver for OTLP that answers as Prometheus does (Debian builds prometheus without one).
get_from_suite() {
  [ $with_tests = yes ] && ! command -v "$2" >/dev/null || return 0
  say "fetching $2 from Debian $1 into /usr/local/bin"
  if tests/get-from-suite.sh "$1" "$2" >/dev/null 2>&1; then install -m 755 "artifacts/tools/$2" "/usr/local/bin/$2"; else say "$2 could not be fetched: its own test is skipped"; fi
}
get_from_suite trixie cosign
get_from_suite trixie victoria-metrics
[ $with_criu = no ] || install_criu
say "done"
