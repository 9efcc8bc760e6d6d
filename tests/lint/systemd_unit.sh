#!/usr/bin/env bash
# The unit for operators is well formed and shuts authd in: systemd's own measure of exposure stays low (0 best, 100 worst).
set -euo pipefail
unit=$PWD/packaging/counterfoil-authd.service
[ -f "$unit" ] || { echo "$unit was not built"; exit 1; }
if grep -n '@[a-z]*@' "$unit"; then
	echo "the lines above hold a place that was not filled in"
	exit 1
fi
command -v systemd-analyze >/dev/null || { echo "systemd-analyze is missing: apt-get install systemd"; exit 77; }
systemd-analyze security --offline=yes --threshold=20 "$unit" >exposure.tmp 2>&1 || { cat exposure.tmp; rm -f exposure.tmp; exit 1; }
tail -n 2 exposure.tmp
rm -f exposure.tmp
