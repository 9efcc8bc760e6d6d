#!/usr/bin/env bash
# pam_counterfoil.so lives in sshd, sudo and login: it shows them six functions and brings libpam and libc, nothing else.
set -euo pipefail
module=pam_module/.libs/pam_counterfoil.so
[ -e "$module" ] || { echo "$module was not built"; exit 1; }

same() {
	[ "$2" = "$3" ] && return
	printf '%s of the module:\n%s\nit ought to be:\n%s\n' "$1" "$2" "$3"
	exit 1
}

exports=$(nm -D --defined-only "$module" | awk '{ print $2, $3 }' | sort)
same "exports" "$exports" "$(printf 'T pam_sm_%s\n' acct_mgmt authenticate chauthtok close_session open_session setcred)"

needed=$(readelf -dW "$module" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v -E '^lib(asan|ubsan|tsan)\.' | sort)
same "libraries" "$needed" "$(printf 'libc.so.6\nlibpam.so.0')"

# Code that runs when a host loads or leaves us could do so at any moment of its life.
wanted=$(nm -D --undefined-only "$module" | awk '{ print $2 }' | sed 's/@.*//' | sort -u)
for forbidden in atexit openlog closelog setlogmask getenv secure_getenv setenv putenv umask signal getpwnam getpwuid \
	strtok localtime setlocale exit system popen printf puts fopen pthread_create pthread_key_create pthread_atfork; do
	if grep -qx "$forbidden" <<<"$wanted"; then
		echo "the module calls $forbidden(), which would change or trust its host"
		exit 1
	fi
done

flags=$(readelf -dW "$module")
for flag in NODELETE NOW SYMBOLIC; do
	grep -q "$flag" <<<"$flags" || { echo "the module is linked without $flag"; exit 1; }
done
if readelf -SW "$module" | grep -E ' \.(tbss|tdata) '; then
	echo "the module has thread-local storage"
	exit 1
fi
# What may change in its data is what the C runtime put there, a few words.
data=$(size -A "$module" | awk '$1 == ".data" || $1 == ".bss" { sum += $2 } END { print sum + 0 }')
[ "$data" -le 32 ] || { echo "the module has $data bytes of mutable data: state belongs to one call"; exit 1; }
echo "six functions, two libraries, no state"
