#!/usr/bin/env bash
# Tells the story of Muster on real input: build, sign, serve, refuse, trust, fetch, run, look, stop, clean up.
set -euo pipefail
cd "$(dirname "$0")"
repository=$PWD
umask 022

usage() {
  cat <<'TEXT'
Usage: ./demo.sh [--no-setup] [--no-build]
Installs what is missing (eng/bootstrap.sh --tests), builds (./build.sh), and shows Muster at work on images made from
Debian packages. Everything it makes is below one temporary folder and gone at the end; the network used is the loopback,
the pods' own bridge, and the Debian mirror of this host.
  --no-setup  install nothing
  --no-build  use the programs in out/ as they are
TEXT
}

setup=yes build=yes
for arg in "$@"; do
  case "$arg" in
    -h|--help) usage; exit 0 ;;
    --no-setup) setup=no ;;
    --no-build) build=no ;;
    *) echo "demo.sh: unknown argument $arg: see ./demo.sh --help" >&2; exit 2 ;;
  esac
done
fail() { echo "demo.sh: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "pods need root: run it with sudo"

is_built() {
  local program
  for program in muster muster-shim musterd; do
    [ -x "out/$program" ] || return 1
    [ -z "$(find src Directory.Build.props Directory.Packages.props -newer "out/$program" \( -name '*.cs' -o -name '*.csproj' -o -name '*.props' \) -print -quit)" ] || return 1
  done
}

[ $setup = no ] || eng/bootstrap.sh --tests
if [ $build = yes ] && ! is_built; then
  echo "demo.sh: building the three programs, which takes some minutes"
  ./build.sh
fi
[ -x out/muster ] && [ -x out/muster-shim ] || fail "out/ has no programs: run ./build.sh"

# --- what is made on the way, and how it goes away again, whatever happens ---
# Short, because of gpg-agent's socket in it (108 characters at most).
work=$(realpath "$(mktemp -d /tmp/muster-demo.XXXXXX)")
chmod 711 "$work"
servers=()
current="the preparation"

clean_up() {
  local status=$?
  trap - EXIT INT TERM HUP
  set +e
  if [ -n "${MUSTER_ROOT-}" ]; then
    for uuid in $("$repository/out/muster" list -q --full 2>/dev/null); do "$repository/out/muster" rm --force "$uuid" >/dev/null 2>&1; done
    "$repository/out/muster" gc --grace-period=0s --expire-prepared=0s >/dev/null 2>&1
  fi
  [ ${#servers[@]} -eq 0 ] || { kill "${servers[@]}" 2>/dev/null; wait "${servers[@]}" 2>/dev/null; }
  [ ! -d "$work/gpg" ] || GNUPGHOME=$work/gpg gpgconf --kill all >/dev/null 2>&1
  cd /
  rm -rf --one-file-system "$work"
  [ "$status" = 0 ] || echo "demo.sh: stopped in \"$current\" with status $status; what it made has been removed" >&2
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# --- how the story is told ---
number=0
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi
step() { number=$((number + 1)); current="$number. $1"; printf '\n%s%s%s\n' "$bold" "$current" "$plain"; }
say() { printf '   %s\n' "$*"; }
indent() { sed -u 's/\r$//; s/^/     /'; }
# Shows a command as it is typed, and its output; a failure ends the demonstration.
run() { printf '   $ %s\n' "$1"; bash -euo pipefail -c "$1" 2>&1 </dev/null | indent; }
# The same for a command that has to be refused, with words that the refusal has to contain.
refused() {
  local output status=0
  printf '   $ %s\n' "$1"
  output=$(bash -euo pipefail -c "$1" 2>&1 </dev/null) || status=$?
  printf '%s\n' "$output" | indent
  [ "$status" != 0 ] || fail "this had to be refused and was not: $1"
  [[ $output == *"$2"* ]] || fail "this was refused for another reason than \"$2\": $1"
  say "-> refused, with status $status"
}
# Waits for a condition, half a minute at most.
until_true() {
  local tries=0
  until bash -c "$1" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 150 ] || fail "this did not become true within 30 s: $1"
    sleep 0.2
  done
}
free_port() {
  local port
  for _ in $(seq 100); do
    port=$((20000 + RANDOM % 10000))
    [ -n "$(ss -Htln "sport = :$port")" ] || { echo "$port"; return; }
  done
  fail "no free TCP port was found between 20000 and 30000"
}

export PATH=$repository/out:$PATH
export MUSTER_ROOT=$work/node GNUPGHOME=$work/gpg SOURCE_DATE_EPOCH=1700000000 NO_COLOR=1
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY REGISTRY_AUTH_FILE
mkdir -m 700 "$work/node" "$work/gpg"
mkdir "$work/maker" "$work/site" "$work/certs" "$work/keys"
cd "$work"
registry=127.0.0.1:$(free_port)
site=127.0.0.1:$(free_port)
export published_port; published_port=$(free_port)

echo
echo "Everything happens below $work: \"maker\" is the machine where images are made, \"node\" the one that runs"
echo "them (MUSTER_ROOT=$MUSTER_ROOT)."

step "A root file system from Debian packages"
suite=$(. /etc/os-release; echo "${VERSION_CODENAME:-bookworm}")
# The mirror that this host itself uses; none known means Debian's own.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" 'Origin: Debian' 'Component: main' 2>/dev/null | sed -n 1p || true)
run "mmdebstrap --quiet --variant=extract --include=bash,coreutils,libc-bin,busybox-static $suite rootfs.tar $mirror"
run "mkdir rootfs && tar -C rootfs --exclude=./dev -xf rootfs.tar && du -sh rootfs"

step "Two images of it: a web server as OCI image, a client as App Container image"
mkdir web client
mkdir web/www
echo '<h1>Hello from a pod</h1>' > web/www/index.html
mv rootfs web/rootfs
mkdir client/bin
cp web/rootfs/bin/busybox client/bin/busybox
for applet in sh wget sleep; do ln -s busybox client/bin/$applet; done
cat > web/image.yaml <<'YAML'
name: demo.example/web
version: "1.0"
type: oci
copy:
  - {from: rootfs, to: /}
  - {from: www, to: /srv/www}
exec: [/bin/busybox, httpd, -f, -v, -p, "80", -h, /srv/www]
ports: [{name: www, port: 80}]
YAML
cat > client/image.yaml <<'YAML'
name: demo.example/client
version: "1.0"
type: aci
copy:
  - {from: bin, to: /bin}
exec: [/bin/sh, -c, "while :; do wget -q -O - http://127.0.0.1/; sleep 1; done"]
YAML
run "cat web/image.yaml"
run "muster --root maker image build web"
run "muster --root maker image build client"
run "muster --root maker image list"
run "muster --root maker image export demo.example/web:1.0 oci:web-layout:1.0"
run "muster --root maker image export --gzip demo.example/client:1.0 site/client.aci"

step "A key, a registry and a web site, both over TLS by an authority made for this demonstration"
run "gpg --batch --quiet --passphrase '' --quick-generate-key 'Demo <demo@demo.example>' ed25519 sign 1d"
run "gpg --armor --export demo@demo.example > demo.asc"
{
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj '/CN=Demo authority' -keyout keys/ca.key -out certs/ca.crt
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=127.0.0.1' -keyout keys/server.key -out keys/server.csr
  printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' > keys/server.ext
  openssl x509 -req -in keys/server.csr -CA certs/ca.crt -CAkey keys/ca.key -CAcreateserial -days 1 -extfile keys/server.ext -out keys/server.crt
} >openssl.log 2>&1 || { cat openssl.log >&2; fail "openssl could not make the certificates"; }
cat > registry.yml <<YAML
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "$registry", secret: demo, tls: {certificate: $work/keys/server.crt, key: $work/keys/server.key}}
YAML
docker-registry serve registry.yml >registry.log 2>&1 &
servers+=($!)
socat "OPENSSL-LISTEN:${site#*:},bind=127.0.0.1,reuseaddr,fork,cert=keys/server.crt,key=keys/server.key,verify=0" \
  EXEC:"busybox httpd -i -h $work/site" >site.log 2>&1 &
servers+=($!)
until_true "curl -sf --cacert certs/ca.crt https://$registry/v2/"
until_true "curl -sf --cacert certs/ca.crt https://$site/client.aci -o /dev/null"
say "docker-registry answers at https://$registry, the site at https://$site"
# skopeo keeps signatures below the site, where the node looks for them by https.
mkdir site/signatures registries.d
printf 'docker:\n  %s:\n    lookaside-staging: file://%s/site/signatures\n    lookaside: https://%s/signatures\n' "$registry" "$work" "$site" > registries.d/demo.yaml
mkdir -p "node/etc/certs.d/$registry" "node/etc/certs.d/$site" node/etc/registries.d
cp certs/ca.crt "node/etc/certs.d/$registry/ca.crt"
cp certs/ca.crt "node/etc/certs.d/$site/ca.crt"
cp registries.d/demo.yaml node/etc/registries.d/

step "Sign and publish: gpg for the App Container image, skopeo for the OCI image"
run "gpg --batch --armor --detach-sign site/client.aci && ls site/client.aci*"
run "skopeo --registries.d registries.d copy --quiet --dest-cert-dir certs --sign-by demo@demo.example oci:web-layout:1.0 docker://$registry/demo/web:1.0"
run "skopeo copy --quiet --dest-cert-dir certs oci:web-layout:1.0 docker://$registry/demo/unsigned:1.0"

step "The node trusts nobody yet"
refused "muster fetch https://$site/client.aci" "trust"
refused "muster fetch docker://$registry/demo/web:1.0" "trust"

step "Trust the key, after a look at its fingerprint"
run "gpg --with-colons --fingerprint demo@demo.example | awk -F: '/^fpr/ {print \$10}'"
printf '   $ %s\n' "muster trust --prefix $registry/demo demo.asc"
# The question is asked on a terminal only: script(1) is one.
{ sleep 1; echo yes; sleep 1; } | TERM=dumb script -qec "muster trust --prefix $registry/demo demo.asc" /dev/null | indent
run "muster trust --prefix demo.example --skip-fingerprint-review demo.asc"
run "muster trust list"

step "Fetch: signed images come in, the unsigned one does not"
run "muster fetch docker://$registry/demo/web:1.0"
run "muster fetch https://$site/client.aci"
refused "muster fetch docker://$registry/demo/unsigned:1.0" "is not signed"
run "muster image list"
run "muster image verify --signature"
run "muster image verify"

step "Run both in one pod, with an address of its own and a published port"
run "muster run --detach --name=shop -p $published_port:80 docker://$registry/demo/web:1.0 --name=web --- demo.example/client:1.0 --name=client --memory=32Mi"
run "muster status --wait-ready=10s shop"
run "muster list"
address=$(muster status --format=json shop | jq -r '.networks[0].addresses[0]' | cut -d/ -f1)
until_true "curl -sf -m 5 http://$address/"

step "Reach it by its address and by the published port"
run "curl -sS -m 5 http://$address/"
run "curl -sS -m 5 http://127.0.0.1:$published_port/"
run "muster port shop"

step "Look at it: logs, processes, the inside"
until_true "muster logs --app=client shop | grep -q Hello"
run "muster logs --tail=2 --timestamps shop"
run "muster enter --app=web shop /bin/bash -c '. /etc/os-release; echo \$PRETTY_NAME, host \$HOSTNAME'"
run "muster exec --app=web shop /bin/busybox ps"
echo '<h1>Changed while it runs</h1>' > page.html
run "muster cp --app=web page.html shop:/srv/www/index.html"
run "curl -sS -m 5 http://$address/"
run "muster cp --app=web shop:/etc/debian_version . && cat debian_version"
run "muster pause shop && muster list && muster resume shop"

step "Measure it: from outside, with nothing installed inside"
run "muster metric top --apps -s 1"
run "muster metric get --container=shop hinv.ncpu mem.util.used kernel.all.cpu.user"
run "muster metric watch -s 2 -t 1s container.network.all.out.bytes --instance=shop"
run "muster metric record -t 1s -s 5 archive container kernel.all.cpu mem.util mem.physmem hinv.ncpu"
run "muster metric replay archive container.memory.working_set | head -4"
run "muster metric report archive"
run "muster metric report --html report.html archive"
muster daemon --listen-pcp none >daemon.log 2>&1 &
daemon=$!
servers+=($daemon)
until_true "curl -sf --unix-socket node/run/muster.socket http://localhost/health"
run "curl -sS --unix-socket node/run/muster.socket 'http://localhost/metrics?names=container.memory.working_set,container.cpu.usage'"
if command -v pminfo >/dev/null; then
  say "Performance Co-Pilot's own tools ask the same daemon:"
  export PMCD_SOCKET=$work/node/run/pmcd.socket
  run "pminfo -f container.memory.working_set"
  run "pminfo --container=shop -f network.interface.in.bytes hinv.ncpu"
  run "pmval -s 2 -t 1 -i shop container.cpu.usage"
  say "and read the archive:"
  run "pmlogcheck archive && pmdumplog -l archive"
else
  say "(With Debian's package pcp installed, pminfo, pmval and the rest would be asked here, too.)"
fi
kill "$daemon" && wait "$daemon" || true
say "the daemon has ended; no pod noticed"

step "A tampered image is refused"
cp site/client.aci.asc site/tampered.aci.asc
cp site/client.aci site/tampered.aci
printf 'X' | dd of=site/tampered.aci bs=1 seek=$(($(stat -c %s site/client.aci) / 2)) conv=notrunc status=none
refused "muster fetch https://$site/tampered.aci" "muster: "
echo 'echo something else' > client/bin/extra
run "muster --root maker image build client && muster --root maker image export --gzip --overwrite demo.example/client:1.0 site/tampered.aci"
refused "muster fetch https://$site/tampered.aci" "not verified"

step "A key that is no longer trusted stops what was fetched with it"
fingerprint=$(gpg --with-colons --fingerprint demo@demo.example | awk -F: '/^fpr/ {print tolower($10)}')
run "muster trust rm --prefix demo.example ${fingerprint:0:16}"
refused "muster run demo.example/client:1.0" "no longer trusted"

step "Stop it and clean up"
tag=$(printf %s "$MUSTER_ROOT" | sha256sum | cut -c1-6)
# What other roots have on this host is none of ours: only what carries this root's tag or path counts.
leftovers() { "$repository/eng/leftovers.sh" | grep -e "$tag" -e "$work" || true; }
[ -n "$(leftovers)" ] || fail "eng/leftovers.sh does not see the pod that runs, so it would not see what it leaves either"
run "muster stop shop"
run "muster status shop"
run "muster export --app=client shop client-now.aci && tar -tf client-now.aci"
run "muster gc --grace-period=0s"
run "muster image gc --unused --grace-period=0s"
printf '   $ %s\n' "eng/leftovers.sh | grep -e $tag -e $work"
# The kernel removes a link a moment after its namespace.
for _ in $(seq 50); do
  [ -n "$(leftovers)" ] || break
  sleep 0.2
done
leftovers | indent
[ -z "$(leftovers)" ] || fail "that is left on the host"
say "-> nothing is left: no process, mount, link, rule or cgroup"

echo
echo "Done in $SECONDS s. Next: README.md, \"A first five minutes\"."
