# shellcheck shell=bash
# shellcheck disable=SC2034,SC2164 # part of dev: variables are used across the parts, and errexit is on
# build.sh: compile in build/dev/obj, install into build/root.

jobs_count() { nproc 2>/dev/null || echo 2; }

build_configure() {
	cd "$TOP"
	if [ ! -x configure ] || [ ! -f Makefile.in ]; then autoreconf -fi; fi
	mkdir -p "$OBJ"
	cd "$OBJ"
	[ -f Makefile ] || "$TOP/configure" --prefix="$ROOT" --sysconfdir="$ROOT/etc"
}

build_make() { make -C "$OBJ" -j"$(jobs_count)"; }

build_install() { make -C "$OBJ" install; }

build_test_programs() { make -C "$OBJ" -j"$(jobs_count)" check TESTS=; }

# Three steps.
build_steps() {
	step configure "Configure" "If a package is too old it says which; remove build/ to begin anew." build_configure
	step build "Compile" "The first error above is the one that matters; remove build/ to begin anew." build_make
	step install "Install into build/root" "Is the disk full, or does build/root belong to somebody else?" build_install
}

command_build() {
	STEPS=4
	packages_step "${BUILD_PACKAGES[@]}"
	build_steps
	printf 'Built: %s\n' "build/root"
}
