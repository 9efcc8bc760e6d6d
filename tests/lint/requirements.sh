#!/usr/bin/env bash
# docs/requirements.md is true to the tree: each row is there once, names a test that has the row's id in its name, or says
# why there is none, and every test that it names exists; and every id in the name of a test has that test in its row.
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
	# one at least carries the id, or is a lint script, which has no names inside
	[ -z "$found" ] || grep -qiE "(_|::)$id(_|\$)|^tests/lint/" <<<"$found" || fault "$id: no test of it has the id in its name"
	for test in $found; do
		named=$((named + 1))
		file=${test%%::*} name=${test##*::}
		[ -f "$file" ] || { fault "$id: there is no $file"; continue; }
		grep -qwF -- "$name" "$file" || fault "$id: $file has no $name"
	done
done <"$table"

# the other way round: a test that carries an id stands in its row
while IFS=: read -r file name; do
	for id in $(grep -oiE '(^|_)R[0-9]{3}(_|$)' <<<"${name//_/__}" | tr -d _ | tr r R); do
		row=$(grep "^| $id |" "$table" || true)
		[ -z "$row" ] || grep -qwF -- "$file::$name" <<<"$row" || fault "$id: its row does not name $file::$name"
	done
done < <(grep -rnoE '^(def test_\w*_?[Rr][0-9]{3}(_\w*)?|[a-z]\w*_r[0-9]{3}(_r[0-9]{3})*)\(' tests --include='*.py' --include='*.c' |
	sed -E 's/^([^:]+):[0-9]+:(def )?(\w+)\($/\1:\3/')

[ "$named" -gt 100 ] || fault "only $named tests are named: was the table read?"
[ "$faults" -eq 0 ] || exit 1
echo "$named tests are where the table says"
