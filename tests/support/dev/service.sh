# shellcheck shell=bash
# shellcheck disable=SC2034,SC2164 # part of dev: variables are used across the parts, and errexit is on
# service.sh: up and down.  The work is done by tests/support/devserver.py, with the same classes as the tests.

devserver() { "$PYTHON" "$TOP/tests/support/devserver.py" "$@"; }

command_up() {
	STEPS=9
	packages_step "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}"
	build_steps
	step certificates "Certificates of a private authority" "Remove build/dev/tls and try again." devserver certificates
	step postgresql "PostgreSQL on a free port" "./dev down, remove build/dev/postgres, and try again." devserver postgresql
	step migrate "Schema, roles, keys, configuration" "./dev down, remove build/dev/state, and try again." devserver migrate
	step authd "authd over TLS on loopback" "Its own words are in build/dev/log/authd-run.log." devserver authd
	step demo "A demo account with a second factor" "Is authd still running? build/dev/log/authd-run.log" devserver demo
	cat "$DEV/story"
}

command_down() {
	STEPS=1
	if [ ! -x "$PYTHON" ] || [ ! -d "$DEV/state" ]; then
		echo "Nothing was started from this folder."
		return
	fi
	step down "Stop authd and PostgreSQL" "build/dev/state/*.pid name the processes." devserver down
}
