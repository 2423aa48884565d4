#!/bin/sh
# get-from-suite.sh SUITE PACKAGE: puts the program of a package's name out of a newer suite of Debian, when bookworm lacks it or
# has it too old, into artifacts/tools, where tests look for it. Uses a state of apt's own in a temporary folder, so that the machine's package
# lists stay as they are.
set -eu
suite=${1:?"usage: get-from-suite.sh SUITE PACKAGE"}
package=${2:?"usage: get-from-suite.sh SUITE PACKAGE"}
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The place that this machine's own Debian comes from.
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Component: main' | grep '/debian/*$' | head -n 1)
test -n "$mirror" || { echo "get-from-suite: apt knows no Debian mirror here: add one to its sources" >&2; exit 1; }
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$here/artifacts/tools"
printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' "$mirror" "$suite" > "$work/newer.sources"
apt="apt-get -q -o Dir::Etc::sourcelist=$work/newer.sources -o Dir::Etc::sourceparts=/nonexistent -o Dir::State::lists=$work/lists -o Dir::Cache=$work/cache -o APT::Sandbox::User=root"
$apt update
(cd "$work" && $apt download "$package" && dpkg -x "$package"_*.deb x)
install -m 755 "$work/x/usr/bin/$package" "$here/artifacts/tools/$package"
