# shellcheck shell=bash
# shellcheck disable=SC2034,SC2164 # part of dev: variables are used across the parts, and errexit is on
# packages.sh: what is needed from Debian, and its installation.

# To build: the first line the tools, then the libraries, then the lists that the default blocklist is made from.
BUILD_PACKAGES=(build-essential autoconf automake libtool pkg-config
	libsodium-dev libargon2-dev liboath-dev libpq-dev libmicrohttpd-dev libgnutls28-dev libjansson-dev libcurl4-gnutls-dev
	libqrencode-dev libpng-dev libinih-dev nettle-dev libunistring-dev libpam0g-dev libcrypt-dev libcmocka-dev
	wamerican-huge cracklib-runtime john-data)

# To run it as `./dev up` does.
RUN_PACKAGES=(postgresql postgresql-client python3 python3-psycopg2 python3-requests openssl ca-certificates curl
	oathtool)

# To test it.
CHECK_PACKAGES=(python3-pytest python3-pytest-xdist python3-pexpect python3-selenium python3-pyotp python3-hypothesis python3-yaml
	python3-jsonschema chromium chromium-driver libnss3-tools zbar-tools openssh-server openssh-client
	sudo cron at rsync git pamtester libpam-wrapper iproute2 procps xz-utils binutils shellcheck systemd npm groff-base
	clang libclang-rt-14-dev)

# For lint, format, fuzz, sanitize.
TOOL_PACKAGES=(clang libclang-rt-14-dev llvm-14 clang-format shellcheck valgrind)

# For bench: the load.
BENCH_PACKAGES=(wrk)

package_installed() {
	case $1 in
	postgresql) postgresql_usable && return ;;
	npm) command -v npm >/dev/null && return ;;     # Debian's own conflicts with a nodejs from elsewhere
	esac
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Any server of 15 or newer will do, from whichever package.
postgresql_usable() {
	local bin version
	for bin in /usr/lib/postgresql/*/bin/postgres; do
		version=${bin#/usr/lib/postgresql/}
		version=${version%%/*}
		[ -x "$bin" ] && [ "$version" -ge 15 ] 2>/dev/null && return 0
	done
	return 1
}

packages_missing() {
	local package
	for package in "$@"; do
		package_installed "$package" || printf '%s\n' "$package"
	done
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		env "$@"
	else
		sudo env "$@"
	fi
}

# The new packages must not start servers of their own on this machine (PostgreSQL on 5432, sshd on 22), now or,
# as an empty cluster "main", at the next boot.  Debian asks these two files before it does either.
POLICY=/usr/sbin/policy-rc.d
NO_MAIN_CLUSTER=/etc/postgresql-common/createcluster.d/counterfoil-dev.conf

file_put() {
	as_root mkdir -p "$(dirname "$1")"
	as_root tee "$1" >/dev/null
}

services_hold() {
	trap services_release EXIT
	if [ ! -e "$POLICY" ]; then
		printf '#!/bin/sh\n# put here by counterfoil ./dev while it installs packages\nexit 101\n' | file_put "$POLICY"
		as_root chmod 755 "$POLICY"
	fi
	if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
		printf 'create_main_cluster = false\n' | file_put "$NO_MAIN_CLUSTER"
	fi
}

services_release() {
	if grep -qs 'counterfoil ./dev' "$POLICY"; then as_root rm -f "$POLICY"; fi
	if [ -e "$NO_MAIN_CLUSTER" ]; then as_root rm -f "$NO_MAIN_CLUSTER"; fi
}

packages_install() {
	local missing
	mapfile -t missing < <(packages_missing "$@")
	[ "${#missing[@]}" -gt 0 ] || return 0
	printf 'installing: %s\n' "${missing[*]}"
	services_hold
	as_root DEBIAN_FRONTEND=noninteractive apt-get -q update
	as_root DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
		-o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install "${missing[@]}"
	services_release
	mapfile -t missing < <(packages_missing "$@")
	[ "${#missing[@]}" -eq 0 ] || { printf 'still missing: %s\n' "${missing[*]}"; return 1; }
}

# packages_step PACKAGE...: the step that every command begins with.
packages_step() {
	local missing hint="Install these yourself as root and run ./dev again: apt-get install"
	command -v apt-get >/dev/null || {
		printf 'dev: this needs Debian 12 or a relative of it: there is no apt-get here\n' >&2
		exit 1
	}
	mapfile -t missing < <(packages_missing "$@")
	if [ "${#missing[@]}" -gt 0 ] && [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null || {
			printf 'dev: these packages are missing and there is no sudo; as root: apt-get install %s\n' \
			    "${missing[*]}" >&2
			exit 1
		}
		sudo -v         # here the terminal can still ask for a password
	fi
	step packages "Packages (${#missing[@]} of $# missing)" "$hint ${missing[*]}" packages_install "$@"
}
