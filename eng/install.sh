#!/usr/bin/env bash
# Installs the programs of out/ with their manual pages, completions and a systemd unit; removes exactly what it installed.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)

usage() {
  cat <<'TEXT'
Usage: eng/install.sh [--prefix DIR] [--uninstall [--purge [--root DIR]]]
Installs what ./build.sh left in out/:
  PREFIX/libexec/muster/           muster, muster-shim, musterd and the libraries beside them
  PREFIX/bin/                      links to muster and musterd
  PREFIX/share/man/man1/           manual pages
  PREFIX/share/…                   completions for bash, zsh and fish
  PREFIX/lib/systemd/system/       musterd.service, where the host has /usr/lib/systemd
  PREFIX/libexec/muster/manifest   the list of all this, which --uninstall goes by
Options:
  --prefix DIR   where to (default /usr/local)
  --uninstall    remove exactly what the manifest lists; pods that run go on, images and settings stay
  --purge        with --uninstall: first stop and remove all pods, then /etc/muster, /var/lib/muster and /run/muster
  --root DIR     with --purge: DIR/etc, DIR/var and DIR/run instead, of a Muster that was used with --root DIR;
                 --root system means those of the host, and must be said with a --prefix of one's own
An existing installation is replaced file by file; running pods keep the program they were started with.
TEXT
}

fail() { echo "install: $*" >&2; exit 1; }
say() { echo "install: $*"; }

prefix=/usr/local action=install purge=no root=
while [ $# -gt 0 ]; do
  case "$1" in
    -h|--help) usage; exit 0 ;;
    --prefix) [ $# -ge 2 ] || { echo "install: --prefix needs a folder" >&2; exit 2; }; prefix=$2; shift ;;
    --prefix=*) prefix=${1#*=} ;;
    --root) [ $# -ge 2 ] || { echo "install: --root needs a folder" >&2; exit 2; }; root=$2; shift ;;
    --root=*) root=${1#*=} ;;
    --uninstall) action=uninstall ;;
    --purge) purge=yes ;;
    *) echo "install: unknown argument $1: see eng/install.sh --help" >&2; exit 2 ;;
  esac
  shift
done
[ $purge = no ] || [ $action = uninstall ] || { echo "install: --purge goes with --uninstall only" >&2; exit 2; }
[ -z "$root" ] || [ $purge = yes ] || { echo "install: --root goes with --purge only" >&2; exit 2; }
case "$prefix" in /*) ;; *) prefix=$PWD/$prefix ;; esac
prefix=$(realpath -m "$prefix")
# Generated units and the manifest hold one path a line, unquoted.
case "$prefix" in *[[:space:]\'\"\\%\$]*) fail "the prefix $prefix has spaces, quotes, % or \$ in it, which systemd units cannot name: choose another" ;; esac
libexec=$prefix/libexec/muster
manifest=$libexec/manifest

is_system() { [ "$prefix" = /usr/local ] || [ "$prefix" = /usr ]; }
reload_systemd() { if is_system && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi; }

# Writes a file beside its place and renames it there, so that a running program is never written into.
put() { # MODE TARGET < content
  mkdir -p "$(dirname "$2")"
  cat > "$2.new"
  chmod "$1" "$2.new"
  mv -f "$2.new" "$2"
  echo "$2" >> "$list"
}

install_all() {
  local file program page shell
  for program in muster muster-shim musterd; do
    [ -x "$repository/out/$program" ] || fail "out/$program is missing: run ./build.sh"
  done
  list=$(mktemp)
  staging=$(mktemp -d)
  trap 'rm -rf "$list" "$staging"' EXIT
  mkdir -p "$prefix" || fail "$prefix cannot be made: run it as root, or choose another --prefix"
  for file in "$repository"/out/*; do
    # Programs for another architecture are in a folder of their own.
    [ -f "$file" ] || continue
    if [ -x "$file" ] || [[ $file == *.so* ]]; then put 755 "$libexec/${file##*/}" < "$file"; fi
  done
  mkdir -p "$prefix/bin"
  for program in muster musterd; do
    # Relative, so that the whole prefix can be moved or packed.
    ln -sfn "../libexec/muster/$program" "$prefix/bin/$program"
    echo "$prefix/bin/$program" >> "$list"
  done
  "$prefix/bin/muster" generate man "$staging"
  for page in "$staging"/*; do put 644 "$prefix/share/man/man1/${page##*/}" < "$page"; done
  for shell in bash zsh fish; do "$prefix/bin/muster" completion $shell > "$staging/$shell"; done
  put 644 "$prefix/share/bash-completion/completions/muster" < "$staging/bash"
  put 644 "$prefix/share/zsh/site-functions/_muster" < "$staging/zsh"
  put 644 "$prefix/share/fish/vendor_completions.d/muster.fish" < "$staging/fish"
  if [ -d /usr/lib/systemd ]; then put 644 "$prefix/lib/systemd/system/musterd.service" < <(unit); fi
  # What an older version had and this one has not goes away.
  if [ -f "$manifest" ]; then
    sort -u "$list" > "$staging/now"
    sort -u "$manifest" | comm -23 - "$staging/now" | while read -r file; do [ "$file" = "$manifest" ] || rm -f "$file"; done
  fi
  echo "$manifest" >> "$list"
  sort -u "$list" > "$manifest.new"
  mv -f "$manifest.new" "$manifest"
  reload_systemd
  say "$(wc -l < "$manifest") files below $prefix, listed in $manifest"
  case ":$PATH:" in *":$prefix/bin:"*) ;; *) say "$prefix/bin is not on the PATH" ;; esac
}

unit() {
  cat <<UNIT
[Unit]
Description=Muster node daemon
Documentation=man:muster(1) man:muster-daemon(1)
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
ExecStart=$libexec/musterd
Restart=on-failure
# A stop or an upgrade of the daemon ends no pod.
KillMode=process
Delegate=yes

[Install]
WantedBy=multi-user.target
UNIT
}

# The folders of the root that is purged.
purged() {
  if [ -z "$root" ]; then printf '%s\n' /etc/muster /var/lib/muster /run/muster; else printf '%s\n' "$root/etc" "$root/var" "$root/run"; fi
}

remove_pods() {
  local muster=("$libexec/muster") uuid
  unset MUSTER_ROOT
  [ -z "$root" ] || muster+=(--root "$root")
  for uuid in $("${muster[@]}" list -q --all --full); do
    "${muster[@]}" stop "$uuid" >/dev/null || true
    "${muster[@]}" rm --force "$uuid"
  done
  "${muster[@]}" gc --grace-period=0s --expire-prepared=0s
  [ -z "$("${muster[@]}" list -q --all --full)" ] || fail "some pods could not be removed, so nothing else was: see muster list"
}

uninstall_all() {
  local file folder count
  [ -f "$manifest" ] || fail "$manifest is missing: Muster was not installed with --prefix $prefix"
  if [ $purge = yes ]; then
    [ "$(id -u)" = 0 ] || fail "--purge needs root"
    # A second installation beside the host's own must not take the host's pods with it.
    is_system || [ -n "$root" ] || fail "--purge would remove /etc/muster, /var/lib/muster and /run/muster, which every installation on this host uses: name another folder with --root DIR, or --root system for these; nothing was removed"
    if [ "$root" = system ]; then root=; fi
    if [ -n "$root" ]; then
      [ -d "$root" ] || fail "there is no folder $root: nothing was removed"
      root=$(realpath -e "$root")
      [ "$root" != / ] && [ -d "$root/var/pods" ] || fail "$root is not a folder that muster --root kept pods in: nothing was removed"
    fi
  fi
  if is_system && [ -d /run/systemd/system ]; then systemctl disable --now musterd.service 2>/dev/null || true; fi
  [ $purge = no ] || remove_pods
  count=$(wc -l < "$manifest")
  # The manifest goes last, so that an uninstall that was interrupted can be done again.
  grep -vxF "$manifest" "$manifest" | while read -r file; do rm -f "$file"; done
  # Folders that are empty now go too, up to the prefix and no higher.
  local folders
  folders=$(while read -r file; do dirname "$file"; done < "$manifest" | sort -ru)
  rm -f "$manifest"
  for folder in $folders; do
    while [[ $folder == "$prefix"/* ]] && rmdir "$folder" 2>/dev/null; do folder=$(dirname "$folder"); done
  done
  reload_systemd
  say "$count files removed from below $prefix"
  if [ $purge = yes ]; then
    purged | while read -r folder; do rm -rf --one-file-system "$folder"; done
    say "removed $(purged | tr '\n' ' ')"
  fi
}

${action}_all
