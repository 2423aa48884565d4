#!/usr/bin/env bash
# Sets up, builds and tests everything; the last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")"

all=no
only=()
for arg in "$@"; do
  case "$arg" in
    -h|--help) printf 'Usage: ./test.sh [--all] [TEST-PROJECT…]\n--all also runs the slow tiers (50 pods at once, 500 runs in a row, kills at 30 points).\n'; exit 0 ;;
    --all) all=yes ;;
    -*) echo "test.sh: unknown argument $arg: see ./test.sh --help" >&2; exit 2 ;;
    *) only+=("$arg") ;;
  esac
done
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MUSTER_SLOW_TESTS=$all

stop() { echo "test.sh: $*" >&2; echo "0 passed, 1 failed"; exit 1; }

eng/bootstrap.sh --tests --without-criu || stop "the set-up failed"
before=$(eng/leftovers.sh)
dotnet build Muster.slnx -v quiet -warnaserror || stop "the build failed"
./build.sh >/tmp/muster-build.$$ 2>&1 || { cat /tmp/muster-build.$$; rm -f /tmp/muster-build.$$; stop "publishing the programs failed"; }
rm -f /tmp/muster-build.$$

limit=1500 # seconds for a project; the slow tiers emulate whole machines
[ $all = no ] || limit=5400
passed=0 failed=0
for project in tests/*.Tests; do
  name=$(basename "$project")
  [ ${#only[@]} -eq 0 ] || [[ " ${only[*]} " == *" $name "* ]] || continue
  program=artifacts/bin/$name/debug/$name
  [ -x "$program" ] || continue
  echo "== $name"
  log=$(mktemp)
  timeout -k 10 $limit "$program" -noColor 2>&1 | tee "$log" | grep -vE '^(xUnit|  Discover|  Starting|  Finished|===)'
  status=${PIPESTATUS[0]}
  # Total: 94, Errors: 0, Failed: 0, Skipped: 1, …
  read -r p f < <(tr -d ',' < "$log" | awk '{for (i = 1; i < NF; i++) {if ($i == "Total:") t = $(i+1); if ($i == "Errors:") e = $(i+1); if ($i == "Failed:") x = $(i+1); if ($i == "Skipped:") k = $(i+1)}} END {print t-e-x-k, e+x}')
  # A runner that died has told no count: that is a failure too.
  if [ "$status" != 0 ] && [ "$f" = 0 ]; then f=1; echo "test.sh: $name ended with status $status" >&2; fi
  rm -f "$log"
  passed=$((passed + p)) failed=$((failed + f))
done

# What was there before and is gone now was somebody else's.
left=$(comm -13 <(sort <<< "$before") <(eng/leftovers.sh | sort))
if [ -n "$left" ]; then
  printf 'test.sh: the tests left something on the machine:\n%s\n' "$left" >&2
  failed=$((failed + 1))
else
  passed=$((passed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
