#!/bin/bash
# Where one muster run of /bin/true spends its time: stages, system calls, page faults and processor time per program.
# usage: bench/profile.sh [ROUNDS [NET]] ; MUSTER=out/muster by default, NET host. Needs strace, and perf for the times. Run as root.
. "$(dirname "$0")/lib.sh"
rounds=${1:-15}
net=${2:-host}
bench_start "$@"
command -v strace > /dev/null || fail "strace is missing: eng/bootstrap.sh --tests installs it"
peer_muster
peer_runtimes
run=("$muster" --root "$root/m" run -q --rm --net="$net" --insecure-options=image "oci:$layout:latest")
"${run[@]}"

# Stages from the scheduler's own trace points, which cost next to nothing; strace would double the times.
stages() { # KIND NAME… : the names of the stages, which exec and exit events end in this order
    awk -v kind="$1" '{ match($0, /[0-9]+\.[0-9]+: sched:/); t = substr($0, RSTART) + 0; pid = ""; if (match($0, /pid=[0-9]+/)) pid = substr($0, RSTART + 4, RLENGTH - 4) }
        !start { start = at = t; name = 0 }
        /_exec:/ && /muster-shim/ { stage("muster, to the start of its shim") }
        /_exec:/ && /\/(crun|runc) / { if (gone) { stage("shim, to runtime delete"); removing = pid } else if (kind == "muster" && !begun) stage("shim, to the runtime"); begun = 1 }
        /_exec:.*\/bin\/true/ { stage("runtime run, to the app"); app = pid }
        /_exit:/ && pid == app { stage("the app"); gone = 1 }
        /_exit:/ && pid == removing { stage("runtime delete"); removing = 0 }
        { last = t }
        function stage(what) { printf "%d\t%s: %s\n", (t - at) * 1e6, kind, what; at = t }
        END { t = last; stage("after it, to the end"); at = start; stage("the whole") }'
}
observe() { perf record -q -o "$root/perf.data" -e sched:sched_process_exec,sched:sched_process_exit -- "$@" > /dev/null 2>&1 && perf script -i "$root/perf.data" 2> /dev/null; }
if command -v perf > /dev/null && observe true > /dev/null; then
    for ((i = 0; i < rounds; i++)); do
        observe "${run[@]}" | stages muster >> "$root/stages"
        observe crun --root "$root/crun" run --bundle "$root/bundles/host" "$tag-o" | stages crun >> "$root/stages"
    done
    echo "| stage (--net=$net, n=$rounds) | median ms | min ms |"
    echo "|---|---|---|"
    cut -f2 "$root/stages" | awk '!seen[$0]++' | sort -s -t: -k1,1r | while read -r stage; do
        awk -F'\t' -v s="$stage" '$2 == s { print $1 }' "$root/stages" > "$root/stage"
        echo "| $stage | $(median < "$root/stage" | ms) | $(sort -n "$root/stage" | head -1 | ms) |"
    done
else
    say "perf's scheduler trace points are not usable here: the table of stages is skipped"
fi

# Which system calls the time goes to, as the kernel saw it: reads and waits left out, for they wait for others.
if command -v perf > /dev/null && perf trace -o "$root/calls" true > /dev/null 2>&1; then
    for ((i = 0; i < rounds; i++)); do
        perf trace -o "$root/calls" -- "${run[@]}" > /dev/null 2>&1 || fail "muster run failed under perf trace"
        awk 'match($0, /\( *[0-9.]+ ms\)/) { t = substr($0, RSTART + 1, RLENGTH - 5) + 0; x = substr($0, RSTART + RLENGTH + 2); split(x, w, /[ \/(]/); program = w[1]; if (program ~ /^:/) program = "a child"
               sub(/^[^ ]+ +/, "", x); if (x ~ /continued\]:/) sub(/.*continued\]: */, "", x); sub(/\(.*/, "", x)
               if (x !~ /^(read|poll|wait4|waitid|futex|pselect6|ppoll|epoll_wait|vfork|clone3?)$/) { s[program " | " x] += t; n[program " | " x]++ } }
             END { for (k in s) printf "%s\t%.3f\t%d\n", k, s[k], n[k] }' "$root/calls" >> "$root/costs"
    done
    echo
    echo "| program | system call | ms per run, median | calls per run |"
    echo "|---|---|---|---|"
    cut -f1 "$root/costs" | sort -u | while IFS= read -r k; do
        awk -F'\t' -v k="$k" '$1 == k { print $2 }' "$root/costs" > "$root/cost"
        echo "$(median < "$root/cost") $(awk -F'\t' -v k="$k" '$1 == k { print $3 }' "$root/costs" | median) $k"
    done | sort -rn | head -14 | awk '{ ms = $1; n = $2; $1 = $2 = ""; sub(/^ +/, ""); printf "| %s | %.1f | %d |\n", $0, ms, n }'
fi

# System calls by program: a process belongs to what it last executed; threads and forks to their parent's.
calls() { # COMMAND…
    strace -f -s 200 -e signal=none -o "$root/trace" "$@" > /dev/null
    awk 'function base(p) { sub(/.*\//, "", p); return p }
         { pid = $1 }
         !(pid in of) { of[pid] = n ? current : "start" }
         / resumed>/ { if (!/clone|fork/) next }
         /(clone3?|vfork|fork)\(/ || /(clone3?|vfork|fork) resumed/ { if (match($0, /= [0-9]+$/)) { child = substr($0, RSTART + 2); if (!(child in ran)) of[child] = of[pid] } if (/resumed>/) next }
         /execve\(/ && !/ENOENT/ { split($0, q, "\""); of[pid] = base(q[2]); ran[pid] = 1; if (/"delete", /) of[pid] = of[pid] " delete"; if (/"run", / && of[pid] ~ /crun|runc/) of[pid] = of[pid] " run" }
         { current = of[pid]; n++; call = $2; sub(/\(.*/, "", call); if (call ~ /^[a-z]/) { all[of[pid]]++; c[of[pid], call]++; names[call] } }
         END { for (p in all) { printf "%d\t| %s | %d | ", all[p], p, all[p]
                 for (k = 0; k < 9; k++) { best = ""; for (x in names) if (c[p, x] > 0 && (best == "" || c[p, x] > c[p, best])) best = x; if (best == "") break; printf "%s%s %d", (k ? ", " : ""), best, c[p, best]; c[p, best] = 0 }
                 print " |" } }' "$root/trace" | sort -rn | cut -f2
}
echo
echo "| program | system calls | most frequent |"
echo "|---|---|---|"
calls "${run[@]}"
echo
echo "muster version alone, and crun run of the same:"
echo
echo "| program | system calls | most frequent |"
echo "|---|---|---|"
calls "$muster" version
calls crun --root "$root/crun" run --bundle "$root/bundles/host" "$tag-p"

# Start-up: what every command pays before its first own line.
for ((i = -1; i < rounds * 2; i++)); do
    timed "muster-version" "$muster" version
    timed "musterd---help" "${muster}d" --help
    timed "crun---version" crun --version
    timed "runc---version" runc --version
    timed "busybox-true" "$root/rootfs/bin/true"
    [ $i -ge 0 ] || rm -f "$root/times/"*
done
echo
bench_table crun---version busybox-true crun---version runc---version muster-version musterd---help
echo
stat -c '%s %n' "$muster" "$muster-shim" "$(command -v crun)" | awk '{ sub(/.*\//, "", $2); printf "%s%s %.1f MB", (NR > 1 ? ", " : "Sizes: "), $2, $1 / 1e6 } END { print "." }'
echo "Shared libraries: muster $(ldd "$muster" | wc -l) linked, opened at run time in a run: $(strace -f -e trace=openat -s 200 "${run[@]}" 2>&1 | grep -oE '"[^"]*\.so[^"]*".* = [0-9]' | grep -oE '[^/"]*\.so[^"]*' | sort | uniq -c | awk '{ printf "%s%s×%s", (NR > 1 ? ", " : ""), $2, $1 }')."

if command -v perf > /dev/null && perf stat -e task-clock true 2> /dev/null; then
    echo
    echo "| program (perf stat, n=$rounds) | processor ms | page faults | context switches |"
    echo "|---|---|---|---|"
    counted() { # NAME COMMAND…
        local name=$1
        shift
        perf stat -x, -r "$rounds" -e task-clock,page-faults,context-switches -o "$root/perf" "$@" > /dev/null 2>&1 || return 0
        awk -F, -v name="$name" '$3 ~ /task-clock/ { t = $1 } $3 ~ /page-faults/ { f = $1 } $3 ~ /context-switches/ { c = $1 } END { printf "| %s | %.1f | %d | %d |\n", name, t, f, c }' "$root/perf"
    }
    counted "muster version" "$muster" version
    counted "muster run, everything below it" "${run[@]}"
    counted "crun run of the same" crun --root "$root/crun" run --bundle "$root/bundles/host" "$tag-q"
    counted "crun --version" crun --version
    echo
    echo "Samples of processor time over $rounds runs, by program and object, 2 % and more:"
    echo
    echo "| share | program | object |"
    echo "|---|---|---|"
    perf record -q -F 9000 -e cpu-clock -g -o "$root/perf.data" -- bash -c 'for ((i = 0; i < '"$rounds"'; i++)); do "$@"; done' bash "${run[@]}" > /dev/null 2>&1 || true
    perf report -i "$root/perf.data" --no-children -g none --sort comm,dso --percent-limit 2 2> /dev/null | awk '/^ *[0-9.]+%/ { gsub(/^ +/, ""); printf "| %s | %s | %s |\n", $1, $2, $3 " " $4 }'
    [ -z "${PERF_SYMBOLS:-}" ] || perf report -i "$root/perf.data" --no-children -g none --sort comm,dso,symbol --percent-limit 0.6 2> /dev/null | grep -v '^#' | grep .
fi
echo
bench_load
