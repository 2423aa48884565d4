# Read by try.sh and try-systemd.sh: a check, and its count.
passed=0 failed=0
check() { # WHAT EXPECTED COMMAND… : "STATUS:OUTPUT" must match the pattern
    what=$1 expected=$2; shift 2
    out=$("$@" 2>&1); status=$?
    case "$status:$out" in
        $expected) passed=$((passed + 1)); echo "ok   $what" ;;
        *) failed=$((failed + 1)); echo "FAIL $what: status $status: $out" ;;
    esac
}
# A condition that comes about within 20 s.
soon() { n=0; until sh -c "$1" > /dev/null 2>&1; do n=$((n + 1)); [ $n -lt 100 ] || return 1; sleep 0.2; done; }
finish() { echo "try: $passed passed, $failed failed"; sync; echo o > /proc/sysrq-trigger; sleep 60; }
