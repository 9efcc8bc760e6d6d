#!/usr/bin/env bash
# Each header of ours compiles alone, without a header before it that happens to bring what it needs.
set -euo pipefail
obj=$PWD
cd "${srcdir:-.}"
flags=(-std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -I. -I"$obj")
for library in libsodium libargon2 liboath libpq libmicrohttpd gnutls jansson libqrencode libpng nettle; do
	read -r -a found < <(pkg-config --cflags "$library"; echo)
	flags+=("${found[@]}")
done
headers=0 faults=0
while IFS= read -r header; do
	headers=$((headers + 1))
	printf '#include "%s"\n' "$header" | ${CC:-cc} "${flags[@]}" -x c - || {
		echo "$header does not compile alone"
		faults=$((faults + 1))
	}
done < <(find core authd cli pam_module -name '*.h' | sort)
[ "$headers" -gt 10 ] || { echo "only $headers headers found"; exit 1; }
[ "$faults" -eq 0 ]
