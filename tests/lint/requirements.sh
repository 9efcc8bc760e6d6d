#!/usr/bin/env bash
# docs/requirements.md is true to the tree: each row is there once, names a test or says why there is none,
# and every test that it names exists.
set -euo pipefail
cd "${srcdir:-.}"
table=docs/requirements.md
faults=0

fault() {
	printf '%s\n' "$*"
	faults=$((faults + 1))
}

for number in $(seq -f R%03g 1 94) R193 R194 R195; do
	rows=$(grep -c "^| $number |" "$table" || true)
	[ "$rows" -eq 1 ] || fault "$number: $rows rows instead of one"
done

named=0
while IFS='|' read -r _ id _ tests remark _; do
	id=${id// /}
	[[ $id =~ ^R[0-9]{3}$ ]] || continue
	found=$(grep -oE 'tests/[^`]+' <<<"$tests" || true)
	[ -n "$found" ] || [ -n "${remark// /}" ] || fault "$id: neither a test nor a reason"
	for test in $found; do
		named=$((named + 1))
		file=${test%%::*} name=${test##*::}
		[ -f "$file" ] || { fault "$id: there is no $file"; continue; }
		grep -qwF -- "$name" "$file" || fault "$id: $file has no $name"
	done
done <"$table"

[ "$named" -gt 100 ] || fault "only $named tests are named: was the table read?"
[ "$faults" -eq 0 ] || exit 1
echo "$named tests are where the table says"
