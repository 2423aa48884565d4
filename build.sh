#!/usr/bin/env bash
# Builds Muster's programs as native executables into out/: muster, muster-shim, musterd and what they need beside them.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'TEXT'
Usage: ./build.sh [--clean] [--arch amd64|arm64] [PROGRAM…]
Publishes muster, muster-shim and musterd (or only those named) with NativeAOT into out/, for the machine that builds.
For the other architecture (--arch, or MUSTER_ARCH) they go into out/ARCH/; that needs Debian's cross compiler, for arm64
gcc-aarch64-linux-gnu and libc6-dev-arm64-cross.
TEXT
}

programs=()
arch=${MUSTER_ARCH:-}
clean=no
while [ $# -gt 0 ]; do
  case "$1" in
    -h|--help) usage; exit 0 ;;
    --clean) clean=yes ;;
    --arch) arch=${2:-none}; [ $# -lt 2 ] || shift ;;
    --arch=*) arch=${1#--arch=} ;;
    muster|muster-shim|musterd) programs+=("$1") ;;
    *) echo "build.sh: unknown argument $1: see ./build.sh --help" >&2; exit 2 ;;
  esac
  shift
done
case "$(uname -m)" in
  x86_64) machine=amd64 ;;
  aarch64) machine=arm64 ;;
  *) echo "build.sh: no .NET runtime identifier is known for $(uname -m)" >&2; exit 1 ;;
esac
arch=${arch:-$machine}
case "$arch" in
  amd64) rid=linux-x64 triple=x86_64-linux-gnu libc=libc6-dev-amd64-cross ;;
  arm64) rid=linux-arm64 triple=aarch64-linux-gnu libc=libc6-dev-arm64-cross ;;
  *) echo "build.sh: Muster is built for amd64 and arm64, not for \"$arch\": name one of them with --arch" >&2; exit 2 ;;
esac
[ $clean = no ] || rm -rf artifacts out
[ ${#programs[@]} -gt 0 ] || programs=(muster-shim muster musterd)

command -v dotnet >/dev/null || { echo "build.sh: the .NET 10 SDK is missing: install it and put dotnet on the PATH" >&2; exit 1; }
command -v clang >/dev/null || command -v gcc >/dev/null || { echo "build.sh: NativeAOT needs clang or gcc and zlib's headers: run eng/bootstrap.sh" >&2; exit 1; }

out=out
options=()
if [ "$arch" != "$machine" ]; then
  # clang finds Debian's cross libraries by the target's name, which the SDK gives it; only what strips must be named.
  out=out/$arch
  options+=("-p:ObjCopyName=$triple-objcopy")
  for tool in clang "$triple-gcc" "$triple-objcopy"; do
    command -v "$tool" >/dev/null || { echo "build.sh: $tool is missing, which a build for $arch needs: apt-get install clang gcc-${triple/_/-} $libc" >&2; exit 1; }
  done
  [ -e "/usr/$triple/include/stdio.h" ] || { echo "build.sh: the C library for $arch is missing: apt-get install $libc" >&2; exit 1; }
fi
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

mkdir -p "$out"
for program in "${programs[@]}"; do
  case "$program" in
    muster) project=Muster.Cli ;;
    muster-shim) project=Muster.Shim ;;
    musterd) project=Muster.Daemon ;;
  esac
  echo "== $program ($rid)"
  staging=artifacts/out/$rid/$program
  rm -rf "$staging"
  dotnet publish "src/$project" -c Release -r "$rid" -o "$staging" -v quiet -warnaserror "${options[@]}"
  # Symbols are tens of megabytes and configuration of the web host is not ours: only what runs is shipped.
  find "$staging" -maxdepth 1 -type f ! -name '*.dbg' ! -name '*.xml' ! -name '*.json' ! -name '*.pdb' -exec cp -f --remove-destination {} "$out/" \;
done
ls -l "$out"
