# shellcheck shell=bash
# shellcheck disable=SC2034,SC2164 # part of dev: variables are used across the parts, and errexit is on
# check.sh: run the suites, count, and end with one line.

SUITES="unit sql http pam browser fuzz fault lint cli"
PASSED=0 FAILED=0 SKIPPED=0
SUITE_TESTS=            # of the part that runs now, one a line
SUITE_TIMEOUT=2400      # seconds, on a busy machine; a suite that hangs is a failure, not a wait
MAKE_CHECK=()           # more arguments for make check
SIDE_BY_SIDE="http pam" # the long suites: their files run in two processes, for most of what they do is wait

# unit and lint are automake's TESTS: names, one a line, of those under tests/SUITE/.
suite_make_tests() { make -C "$OBJ" -s --no-print-directory print-tests | grep -E "(^|/)tests/$1/" || true; }

suite_pytest_files() { find "$TOP/tests/$1" -maxdepth 1 -name 'test_*.py' 2>/dev/null | sort; }

suite_run_make() {
	timeout -k 10 "$SUITE_TIMEOUT" make -C "$OBJ" -k -j"$(jobs_count)" check TESTS="${SUITE_TESTS//$'\n'/ }" VERBOSE=1 \
		"${MAKE_CHECK[@]}"
}

suite_run_pytest() {
	local processes=()
	[[ " $SIDE_BY_SIDE " != *" $1 "* ]] || processes=(-n 2 --dist loadfile)
	cd "$TOP"
	timeout -k 10 "$SUITE_TIMEOUT" "$PYTHON" -m pytest -c tests/pytest.ini -q --durations=5 "${processes[@]}" \
		--junitxml="$LOGS/check-$1.xml" "tests/$1"
}

# suite_part SUITE KIND TESTS: run one half of a suite, count it, and show what failed.
suite_part() {
	local suite=$1 kind=$2 log counts passed failed skipped
	SUITE_TESTS=$3
	[ -n "$SUITE_TESTS" ] || return 0
	log=$LOGS/check-$suite-$kind.log
	rm -f "$LOGS/check-$suite.xml"
	step_title "Suite $suite"
	ticker_start "$STEP_TITLE"
	logged "$log" "suite_run_$kind" "$suite"
	ticker_stop
	counts=$("$PYTHON" "$PARTS/count.py" "$kind" "$LOGGED_STATUS" "$LOGS/check-$suite.xml" "$OBJ" "$SUITE_TESTS")
	read -r passed failed skipped <<<"$counts"
	printf '%s %d passed, %d failed, %d skipped, %d s\n' "$STEP_TITLE" "$passed" "$failed" "$skipped" \
		"$LOGGED_SECONDS"
	PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed)) SKIPPED=$((SKIPPED + skipped))
	[ "$failed" -eq 0 ] || suite_show_failure "$log"
}

suite_show_failure() {
	printf -- '--- %s, from its end\n' "${1#"$TOP"/}"
	tail -n 80 "$1"
	printf -- '---\n'
}

# The fuzz targets need a build of their own, by clang.  Its failure shows in the tests, which then find no program.
suite_prepare_fuzz() {
	step_title "Compile the fuzz targets"
	ticker_start "$STEP_TITLE"
	logged "$LOGS/fuzz-build.log" tool_build_fuzz
	ticker_stop
	if [ "$LOGGED_STATUS" -eq 0 ]; then
		printf '%s done, %d s\n' "$STEP_TITLE" "$LOGGED_SECONDS"
	else
		printf '%s FAILED after %d s\n' "$STEP_TITLE" "$LOGGED_SECONDS"
		rm -rf "$TOP/build/fuzz/tests"
		suite_show_failure "$LOGS/fuzz-build.log"
	fi
}

suite_run() {
	[ "$1" != fuzz ] || suite_prepare_fuzz
	suite_part "$1" make "$(suite_make_tests "$1")"
	suite_part "$1" pytest "$(suite_pytest_files "$1")"
}

check_tally() { printf '%d passed, %d failed, %d skipped\n' "$PASSED" "$FAILED" "$SKIPPED"; }

check_suites_exist() {
	local suite
	for suite in "$@"; do
		case " $SUITES " in
		*" $suite "*) ;;
		*)
			printf 'dev: there is no suite "%s"; there are: %s\n' "$suite" "$SUITES" >&2
			exit 64 ;;
		esac
	done
}

command_check() {
	local suite
	# shellcheck disable=SC2086 # a list of words
	[ $# -gt 0 ] || set -- $SUITES
	check_suites_exist "$@"
	STEP_LAST_WORDS="0 passed, 1 failed, 0 skipped" # of a run that breaks before its tests
	STEPS=0
	packages_step "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${CHECK_PACKAGES[@]}"
	build_steps
	step test-programs "Compile the tests" "The first error above is the one that matters." build_test_programs
	for suite in "$@"; do
		suite_run "$suite"
	done
	printf 'The whole run took %d s; details are in build/dev/log/.\n' "$SECONDS"
	[ $((PASSED + FAILED)) -gt 0 ] || echo "No test ran."
	check_tally
	[ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
}
