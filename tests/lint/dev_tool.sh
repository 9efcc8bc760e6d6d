#!/usr/bin/env bash
# ./dev says what it does, refuses what it does not know, and counts every kind of result.
set -euo pipefail
obj=$PWD
cd "${srcdir:-.}"
work=$(mktemp -d "$obj/dev_tool.XXXXXX")
trap 'rm -rf "$work"' EXIT
faults=0

expect() {
	local what=$1 wanted=$2 got=$3
	[ "$wanted" = "$got" ] || { printf '%s: "%s" instead of "%s"\n' "$what" "$got" "$wanted"; faults=$((faults + 1)); }
}
status_of() {
	local status=0
	"$@" >/dev/null 2>&1 || status=$?
	echo "$status"
}

expect "--help" 0 "$(status_of ./dev --help)"
expect "an unknown command" 64 "$(status_of ./dev frobnicate)"
expect "an unknown suite" 64 "$(status_of ./dev check nonsense)"
for command in up down check bench build lint format fuzz sanitize; do
	./dev --help | grep -q "^  $command" || { echo "--help is silent about $command"; faults=$((faults + 1)); }
done

count() { /usr/bin/python3 tests/support/dev/count.py "$@"; }
result() { printf ':test-result: %s\n' "$2" >"$work/$1.trs" && printf '%b' "$3" >"$work/$1.log"; }

result good PASS '[==========] 2 tests\n[  PASSED  ] 7 test(s).\n'
result bad FAIL '[  PASSED  ] 5 test(s).\n[  FAILED  ] 2 test(s), listed below:\n'
result crashed FAIL 'one line\n'
result leaking FAIL '[  PASSED  ] 3 test(s).\n==1==ERROR: LeakSanitizer\n'
result plain PASS 'fine\n'
result left SKIP 'no tool\n'
expect "a cmocka program" "7 0 0" "$(count make 0 - "$work" good)"
expect "failures inside" "5 2 0" "$(count make 2 - "$work" bad)"
expect "a crash" "0 1 0" "$(count make 2 - "$work" crashed)"
expect "a leak after good tests" "3 1 0" "$(count make 2 - "$work" leaking)"
expect "a script" "1 0 0" "$(count make 0 - "$work" plain)"
expect "a skipped one" "0 0 1" "$(count make 0 - "$work" left)"
expect "one that never ran" "0 1 0" "$(count make 2 - "$work" vanished)"
expect "all together" "16 4 1" "$(count make 2 - "$work" 'good bad crashed leaking plain left')"
expect "pytest that died" "0 1 0" "$(count pytest 139 "$work/none.xml" - -)"
printf '<testsuites><testsuite tests="9" failures="1" errors="1" skipped="2"/></testsuites>' >"$work/junit.xml"
expect "pytest" "5 2 2" "$(count pytest 1 "$work/junit.xml" - -)"
expect "a red run without a red test" "1 1 0" "$(count make 2 - "$work" plain)"

[ "$faults" -eq 0 ]
