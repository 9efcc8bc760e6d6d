#!/usr/bin/env bash
# Functions stay short: nine in ten under 50 lines, and none over 100 that is not a table or a switch.
set -euo pipefail
cd "${srcdir:-.}"
files=$(find authd cli core pam_module tests -name '*.c' | sort)

# A function is a line "{" in the first column up to the next "}" there; its name is in the lines before.
# shellcheck disable=SC2086 # a list of words
awk '
	FNR == 1 { body = 0; name = "" }
	body == 0 && /^[a-z_][A-Za-z0-9_]*\(/ { name = $0; sub(/\(.*/, "", name) }
	/^\{/ { body = FNR; cases = 0; rows = 0; next }
	body > 0 && /^[ \t]*case / { cases++ }
	body > 0 && /^\t\t(\{ |[A-Z_]+TEST|cmocka_unit_test)/ { rows++ }
	body > 0 && /^\}/ { print FNR - body - 1, cases + rows, FILENAME ":" body, name; body = 0 }
' $files | awk '
	{ all++; if ($1 <= 50) few++; lengths[all] = $1 }
	$1 > 100 && $2 * 2 < $1 { print $3 ": " $4 "() has " $1 " lines and is neither a table nor a switch"; faults++ }
	END {
		if (all < 200) { print "only " all " functions found: is this the right folder?"; exit 1 }
		printf "%d functions, %.1f %% with at most 50 lines\n", all, 100 * few / all
		if (few < 0.9 * all) { print "that is less than nine in ten"; exit 1 }
		exit faults > 0
	}'
