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
  PREFIX/libexec/muster/manifest   the list of all this and of the folders made for it, which --uninstall goes by
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
wrong() { echo "install: $*" >&2; exit 2; }
say() { echo "install: $*"; }

# What is installed is for everybody, and no root of the caller's is meant.
umask 022
export LC_ALL=C
unset MUSTER_ROOT
prefix=/usr/local action=install purge=no root=
while [ $# -gt 0 ]; do
  case "$1" in
    -h|--help) usage; exit 0 ;;
    --prefix=*|--root=*) set -- "${1%%=*}" "${1#*=}" "${@:2}"; continue ;;
    # An empty variable in a script must lead neither to the current folder nor to the host's own.
    --prefix) [ -n "${2-}" ] || wrong "--prefix needs a folder"; prefix=$2; shift ;;
    --root) [ -n "${2-}" ] || wrong "--root needs a folder"; root=$2; shift ;;
    --uninstall) action=uninstall ;;
    --purge) purge=yes ;;
    *) wrong "unknown argument $1: see eng/install.sh --help" ;;
  esac
  shift
done
[ $purge = no ] || [ $action = uninstall ] || wrong "--purge goes with --uninstall only"
[ -z "$root" ] || [ $purge = yes ] || wrong "--root goes with --purge only"
case "$prefix" in /*) ;; *) prefix=$PWD/$prefix ;; esac
prefix=$(realpath -m "$prefix")
[ "$prefix" != / ] || fail "the prefix / would mix Muster with the folders of the system: choose /usr or /usr/local"
# Generated units and the manifest hold one path a line, unquoted.
case "$prefix" in *[[:space:]\'\"\\%\$]*) fail "the prefix $prefix has spaces, quotes, % or \$ in it, which systemd units cannot name: choose another" ;; esac
libexec=$prefix/libexec/muster
manifest=$libexec/manifest

is_system() { [ "$prefix" = /usr/local ] || [ "$prefix" = /usr ]; }
has_systemd() { is_system && [ -d /run/systemd/system ]; }
reload_systemd() { if has_systemd; then systemctl daemon-reload; fi; }

# The processes of one of this installation's programs, a process id a line.
running() { # PROGRAM
  local process program
  for process in /proc/[0-9]*; do
    program=$(readlink "$process/exe" 2>/dev/null) || continue
    [ "${program% (deleted)}" != "$libexec/$1" ] || echo "${process#/proc/}"
  done
}

# What another user made could lead anywhere.
believe() { # PATH
  local owner
  owner=$(stat -c %u "$1")
  [ "$owner" = "$(id -u)" ] || [ "$owner" = 0 ] || fail "$1 belongs to another user, who could have this host's files written or removed by it: nothing was changed"
}

# The manifest's lines, relative to the prefix. Nothing else than what is below it is believed: it is removed as whoever calls.
listed() {
  local line
  [ -f "$manifest" ] || return 0
  believe "$manifest"
  while read -r line; do
    case "$line" in "$prefix"/*) line=${line#"$prefix"/} ;; esac
    case "/$line/" in
      //*|*/../*|*/./*) fail "$manifest lists $line, which is not below $prefix: it was moved there or changed; correct it by hand, nothing was changed" ;;
    esac
    printf '%s\n' "$line"
  done < "$manifest"
}

# Adds a path to the manifest before it is made: what is interrupted can be uninstalled.
noted=() recording=no
note() {
  noted+=("$1")
  [ $recording = no ] || printf '%s\n' "$1" >> "$manifest"
}

# Makes a folder below the prefix with those above it; the ones that were there before are nobody's to remove.
folder() {
  local path= part
  for part in ${1//\// }; do
    path=$path$part/
    if [ ! -d "$prefix/$path" ]; then
      note "$path"
      mkdir "$prefix/$path"
    fi
  done
}

# Writes a file beside its place and renames it there: a running program is never written into, nor what somebody links to from there.
put() { # MODE TARGET < content
  folder "${2%/*}"
  note "$2"
  local beside=$prefix/$2.new
  rm -f "$beside"
  ( set -C; cat > "$beside" ) || fail "$prefix/$2 cannot be written (see above): do it again, or take back with --uninstall what is there so far"
  chmod "$1" "$beside"
  mv -fT "$beside" "$prefix/$2"
}

# Everything that can be refused is refused before anything is changed.
check_install() {
  local program there
  for program in muster muster-shim musterd; do
    [ -x "$repository/out/$program" ] || fail "out/$program is missing: run ./build.sh"
  done
  mkdir -p "$prefix" 2>/dev/null && [ -w "$prefix" ] || fail "$prefix cannot be written: run it as root, or choose another --prefix"
  [ ! -e "$libexec" ] || believe "$libexec"
  for program in muster musterd; do
    there=$prefix/bin/$program
    [ ! -e "$there" ] || [ "$(readlink "$there")" = "../libexec/muster/$program" ] || fail "$there is there and was not installed by this script: move it away, or choose another --prefix"
  done
  { "$repository/out/muster" generate man "$staging/man" >/dev/null && for program in bash zsh fish; do "$repository/out/muster" completion $program > "$staging/$program"; done; } \
    || fail "out/muster does not run on this host: build it here with ./build.sh"
}

install_all() {
  local file program old count
  staging=$(mktemp -d)
  trap 'rm -rf "$staging"' EXIT
  mkdir "$staging/man"
  check_install
  old=$(listed)
  folder libexec/muster
  printf '%s\n' "$old" "${noted[@]}" libexec/muster/manifest | sed '/^$/d' > "$staging/manifest"
  put 644 libexec/muster/manifest < "$staging/manifest"
  recording=yes
  for file in "$repository"/out/*; do
    # Programs for another architecture are in a folder of their own.
    [ -f "$file" ] || continue
    if [ -x "$file" ] || [[ $file == *.so* ]]; then put 755 "libexec/muster/${file##*/}" < "$file"; fi
  done
  folder bin
  for program in muster musterd; do
    note "bin/$program"
    # Relative, so that the whole prefix can be moved or packed.
    ln -sfn "../libexec/muster/$program" "$prefix/bin/$program"
  done
  for file in "$staging"/man/*; do put 644 "share/man/man1/${file##*/}" < "$file"; done
  put 644 share/bash-completion/completions/muster < "$staging/bash"
  put 644 share/zsh/site-functions/_muster < "$staging/zsh"
  put 644 share/fish/vendor_completions.d/muster.fish < "$staging/fish"
  if [ -d /usr/lib/systemd ]; then put 644 lib/systemd/system/musterd.service < <(unit); fi
  # What an older version had and this one has not goes away; folders that an earlier run made are still ours.
  printf '%s\n' "${noted[@]}" | sort -u > "$staging/now"
  printf '%s\n' "$old" | sed '/^$/d' | sort -u | comm -23 - "$staging/now" > "$staging/gone"
  sed '/\/$/d' "$staging/gone" | while read -r file; do rm -f "$prefix/$file"; done
  { cat "$staging/now"; grep '/$' "$staging/gone" || true; } | sort -u > "$staging/manifest"
  put 644 libexec/muster/manifest < "$staging/manifest"
  reload_systemd
  count=$(sed '/\/$/d' "$manifest" | wc -l)
  say "$count files below $prefix, listed in $manifest"
  case ":$PATH:" in *":$prefix/bin:"*) ;; *) say "$prefix/bin is not on the PATH" ;; esac
  [ -z "$(running musterd)" ] || say "musterd still runs the program it was started with: restart it for the new one"
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

# Whose daemon a process is: the folder behind its --root, or nothing for the host's own.
root_of() { # PID
  tr '\0' '\n' < "/proc/$1/cmdline" | sed -n '/^--root$/{n;p;q}; s/^--root=//p' | head -1
}

check_purge() {
  local entry
  [ "$(id -u)" = 0 ] || fail "--purge needs root"
  # A second installation beside the host's own must not take the host's pods with it.
  is_system || [ -n "$root" ] || fail "--purge would remove /etc/muster, /var/lib/muster and /run/muster, which every installation on this host uses: name another folder with --root DIR, or --root system for these; nothing was removed"
  if [ "$root" = system ]; then root=; fi
  if [ -n "$root" ]; then
    [ -d "$root" ] || fail "there is no folder $root: nothing was removed"
    root=$(realpath -e "$root")
    [ "$root" != / ] && [ -d "$root/var/pods" ] || fail "$root is not a folder that muster --root kept pods in: nothing was removed"
    # A folder that Muster shares with others, such as a whole system's, is not its own to remove.
    for entry in "$root"/etc/* "$root"/etc/.[!.]* "$root"/var/* "$root"/var/.[!.]*; do
      [ -e "$entry" ] || [ -L "$entry" ] || continue
      case "${entry#"$root"/}" in
        etc/muster.yaml|etc/hotproc.conf|etc/net.d|etc/policy.d|etc/trustedkeys|etc/certs.d|etc/registries.conf|etc/registries.d) ;;
        var/images|var/pods|var/networks|var/idranges|var/metrics) ;;
        *) fail "$entry is not Muster's: move it away, or remove $root by hand; nothing was removed" ;;
      esac
    done
  fi
  [ -x "$libexec/muster" ] || fail "$libexec/muster is missing, which ends and removes the pods: install it again first; nothing was removed"
}

check_daemon() {
  local process daemon
  for process in $(running musterd); do
    daemon=$(root_of "$process")
    if [ -n "$daemon" ]; then daemon=$(realpath -m "$daemon"); fi
    [ "$daemon" != "$root" ] || fail "musterd $process runs on what is to be purged: end it first; nothing was removed"
  done
}

remove_pods() {
  local muster=("$libexec/muster") uuid pods
  [ -z "$root" ] || muster+=(--root "$root")
  pods=$("${muster[@]}" list -q --all --full) || fail "the pods cannot be listed (see above): nothing was removed"
  for uuid in $pods; do
    "${muster[@]}" stop "$uuid" >/dev/null || true
    "${muster[@]}" rm --force "$uuid" || true
  done
  "${muster[@]}" gc --grace-period=0s --expire-prepared=0s || fail "what pods left cannot be removed (see above), so nothing else was"
  pods=$("${muster[@]}" list -q --all --full) || fail "the pods cannot be listed (see above), so nothing else was removed"
  [ -z "$pods" ] || fail "some pods could not be removed, so nothing else was: see muster list"
}

# To remove what is mounted somewhere would remove it where it comes from.
check_mounts() {
  local folder place
  while read -r folder; do
    while read -r place; do
      case "$(printf '%b' "${place//\\/\\0}")" in "$folder"/*) fail "something is mounted at $place: unmount it and do this again; the pods are removed, everything else is there still" ;; esac
    done < <(awk '{print $5}' /proc/self/mountinfo)
  done < <(purged)
}

remove_state() {
  local folder
  while read -r folder; do
    if [ -L "$folder" ]; then
      say "$folder was a link; $(readlink "$folder"), where it led, is left as it is"
      rm -f "$folder"
    elif mountpoint -q "$folder"; then
      find "$folder" -xdev -mindepth 1 -delete
      say "$folder is a mount point and is left, empty"
    else
      rm -rf --one-file-system "$folder"
    fi
  done < <(purged)
  say "removed $(purged | tr '\n' ' ')"
}

uninstall_all() {
  local file lines count pods
  [ -f "$manifest" ] || fail "$manifest is missing: Muster was not installed with --prefix $prefix"
  lines=$(listed)
  [ -w "$libexec" ] || fail "$libexec cannot be written: run it as root; nothing was removed"
  [ $purge = no ] || check_purge
  # The unit of that name may be another installation's.
  if has_systemd && [ "$(systemctl show -P FragmentPath musterd.service 2>/dev/null)" = "$prefix/lib/systemd/system/musterd.service" ]; then
    systemctl disable --now musterd.service 2>/dev/null || true
  fi
  if [ $purge = yes ]; then
    check_daemon
    remove_pods
    check_mounts
    # Before the programs: what is interrupted can be done again.
    remove_state
  fi
  pods=$(running muster-shim | wc -l)
  count=$(sed '/\/$/d' <<< "$lines" | wc -l)
  # The manifest goes last of the files, so that an uninstall that was interrupted can be done again.
  sed '/\/$/d; /^libexec\/muster\/manifest$/d' <<< "$lines" | while read -r file; do rm -f "$prefix/$file" "$prefix/$file.new"; done
  # What was made for the installation goes when nothing of others is in it; the prefix itself stays.
  rm -f "$manifest.new" "$manifest"
  { grep '/$' <<< "$lines" || echo libexec/muster/; } | sort -ru | while read -r file; do rmdir "$prefix/$file" 2>/dev/null || true; done
  reload_systemd
  say "$count files removed from below $prefix"
  [ "$pods" = 0 ] || say "pods that run on: $pods; what they hold of the host's network when they end is given back by muster gc, once Muster is installed again"
  [ -z "$(running musterd)" ] || say "musterd still runs: end process $(running musterd | tr '\n' ' ')"
}

${action}_all
