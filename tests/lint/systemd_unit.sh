#!/usr/bin/env bash
# The units for operators are well formed and shut their programs in: systemd's own measure of exposure stays low (0 best, 100 worst).
set -euo pipefail
command -v systemd-analyze >/dev/null || { echo "systemd-analyze is missing: apt-get install systemd"; exit 77; }
for known in counterfoil-authd:20 counterfoil-pam-sync:25; do
	unit=$PWD/packaging/${known%:*}.service
	[ -f "$unit" ] || { echo "$unit was not built"; exit 1; }
	if grep -n '@[a-z]*@' "$unit"; then
		echo "the lines above hold a place that was not filled in"
		exit 1
	fi
	systemd-analyze security --offline=yes --threshold="${known#*:}" "$unit" >exposure.tmp 2>&1 || { cat exposure.tmp; rm -f exposure.tmp; exit 1; }
	tail -n 2 exposure.tmp
	rm -f exposure.tmp
done
