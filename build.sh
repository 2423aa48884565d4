#!/usr/bin/env bash
# Builds Muster's programs as native executables into out/: muster, muster-shim, musterd and what they need beside them.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'TEXT'
Usage: ./build.sh [--clean] [PROGRAM…]
Publishes muster, muster-shim and musterd (or only those named) with NativeAOT into out/.
TEXT
}

programs=()
for arg in "$@"; do
  case "$arg" in
    -h|--help) usage; exit 0 ;;
    --clean) rm -rf artifacts out ;;
    muster|muster-shim|musterd) programs+=("$arg") ;;
    *) echo "build.sh: unknown argument $arg: see ./build.sh --help" >&2; exit 2 ;;
  esac
done
[ ${#programs[@]} -gt 0 ] || programs=(muster-shim muster musterd)

command -v dotnet >/dev/null || { echo "build.sh: the .NET 10 SDK is missing: install it and put dotnet on the PATH" >&2; exit 1; }
command -v clang >/dev/null || command -v gcc >/dev/null || { echo "build.sh: NativeAOT needs clang or gcc and zlib's headers: run eng/bootstrap.sh" >&2; exit 1; }

case "$(uname -m)" in
  x86_64) rid=linux-x64 ;;
  aarch64) rid=linux-arm64 ;;
  *) echo "build.sh: no .NET runtime identifier is known for $(uname -m)" >&2; exit 1 ;;
esac
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

mkdir -p out
for program in "${programs[@]}"; do
  case "$program" in
    muster) project=Muster.Cli ;;
    muster-shim) project=Muster.Shim ;;
    musterd) project=Muster.Daemon ;;
  esac
  echo "== $program ($rid)"
  staging=artifacts/out/$program
  rm -rf "$staging"
  dotnet publish "src/$project" -c Release -r "$rid" -o "$staging" -v quiet -warnaserror
  # Symbols are tens of megabytes and configuration of the web host is not ours: only what runs is shipped.
  find "$staging" -maxdepth 1 -type f ! -name '*.dbg' ! -name '*.xml' ! -name '*.json' ! -name '*.pdb' -exec cp -f --remove-destination {} out/ \;
done
ls -l out
