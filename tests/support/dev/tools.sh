# shellcheck shell=bash
# shellcheck disable=SC2034,SC2164 # part of dev: variables are used across the parts, and errexit is on
# tools.sh: lint, format, fuzz, sanitize, bench.

tool_configure() {
	local dir=$1
	shift
	cd "$TOP"
	if [ ! -x configure ] || [ ! -f Makefile.in ]; then autoreconf -fi; fi
	mkdir -p "$dir"
	cd "$dir"
	[ -f Makefile ] || "$TOP/configure" -q --prefix="$dir/root" --sysconfdir="$dir/root/etc" "$@"
}

tool_build_clang() {
	tool_configure "$TOP/build/clang" CC=clang
	make -C "$TOP/build/clang" -s -j"$(jobs_count)" all
	make -C "$TOP/build/clang" -s -j"$(jobs_count)" check TESTS=
}

tool_shellcheck() { git -C "$TOP" ls-files -- dev .ci/run '*.sh' | sed "s|^|$TOP/|" | xargs shellcheck -x -P "$TOP"; }

command_lint() {
	STEPS=0
	packages_step "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${CHECK_PACKAGES[@]}" "${TOOL_PACKAGES[@]}"
	build_steps
	step lint-clang "The same with clang" "gcc and clang must both be silent." tool_build_clang
	step lint-shell "Shell scripts" "shellcheck names file and line." tool_shellcheck
	suite_run lint
	check_tally
	[ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
}

# With files: these, wholly.  Without: the lines changed since the last commit, so that nobody's table is reflowed.
command_format() {
	STEPS=1
	packages_step "${TOOL_PACKAGES[@]}"
	if [ $# -gt 0 ]; then
		clang-format --style=file -i "$@"
	else
		cd "$TOP"
		git-clang-format --style=file --extensions c,h HEAD || git diff --stat
	fi
}

tool_build_fuzz() {
	tool_configure "$TOP/build/fuzz" CC=clang --enable-sanitizers=address,undefined,fuzzer-no-link
	make -C "$TOP/build/fuzz" -s -j"$(jobs_count)" fuzzers
}

tool_fuzz_one() {
	local target=$1 seconds=$2 name
	name=$(basename "$target")
	mkdir -p "$TOP/build/fuzz/corpus/$name"
	cd "$TOP/build/fuzz"
	"$target" -max_total_time="$seconds" -timeout=10 -print_final_stats=1 "corpus/$name" "$TOP/tests/fuzz/corpus/$name"
}

command_fuzz() {
	local seconds=${1:-60} target each
	case $seconds in '' | *[!0-9]*) echo "dev: fuzz wants seconds, a whole number" >&2; exit 64 ;; esac
	STEPS=0
	packages_step "${BUILD_PACKAGES[@]}" "${TOOL_PACKAGES[@]}"
	step fuzz-build "Compile the fuzz targets" "clang must know -fsanitize=fuzzer (package libclang-rt-14-dev)." \
		tool_build_fuzz
	for target in "$TOP"/build/fuzz/tests/fuzz/fuzz_*; do
		[ -x "$target" ] || continue
		each=$seconds
		# The whole PAM module has the most to be tried: five minutes, unless told otherwise.
		if [ "$#" -eq 0 ] && [ "$(basename "$target")" = fuzz_pam_call ]; then each=300; fi
		step "fuzz-$(basename "$target")" "$(basename "$target") for $each s" \
			"The input that broke it is in build/fuzz/crash-*." tool_fuzz_one "$target" "$each"
	done
}

tool_build_sanitized() {
	tool_configure "$TOP/build/$1" --enable-sanitizers="$2"
	make -C "$TOP/build/$1" -s -j"$(jobs_count)" all
	make -C "$TOP/build/$1" -s install
	make -C "$TOP/build/$1" -s -j"$(jobs_count)" check TESTS=
}

command_sanitize() {
	STEPS=0
	packages_step "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${CHECK_PACKAGES[@]}" "${TOOL_PACKAGES[@]}"
	step san-build "Compile with ASan and UBSan" "Remove build/san to begin anew." tool_build_sanitized san address,undefined
	OBJ=$TOP/build/san ROOT=$TOP/build/san/root
	export COUNTERFOIL_TEST_OBJ=$OBJ COUNTERFOIL_TEST_ROOT=$ROOT
	export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
	SUITE_TIMEOUT=4800
	suite_run unit
	suite_run http
	step tsan-build "Compile with TSan" "Remove build/tsan to begin anew." tool_build_sanitized tsan thread
	OBJ=$TOP/build/tsan
	suite_part unit make "$(suite_make_tests unit | grep -E 'slots|db|log|pool' || true)"
	OBJ=$DEV/obj
	build_steps
	export COUNTERFOIL_ARGON2_CASES=100     # of 2500, which take minutes here
	MAKE_CHECK=("LOG_COMPILER=valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite")
	suite_part unit make "$(suite_make_tests unit)"
	check_tally
	[ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
}

command_bench() {
	STEPS=4
	packages_step "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${BENCH_PACKAGES[@]}"
	build_steps
	[ -x "$TOP/bench/run" ] || { echo "There are no measurements yet: bench/run is not there." >&2; exit 1; }
	"$TOP/bench/run" "$@"
}
