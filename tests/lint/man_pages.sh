#!/usr/bin/env bash
# The manual pages are well formed, name every option that --help names, and every setting with its default.
# With --write, authd.conf(5) takes the settings from the programs.  Run it in the build folder, srcdir set.
set -euo pipefail
obj=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
faults=0
fault() { printf '%s\n' "$*"; faults=$((faults + 1)); }
command -v groff >/dev/null || { echo "groff is missing: apt-get install groff-base"; exit 77; }

# --- form: groff has nothing to complain about

pages=("$obj"/docs/man/*.[158])
[ "${#pages[@]}" -ge 3 ] || fault "only ${#pages[@]} pages found"
for page in "${pages[@]}"; do
	groff -man -Tutf8 -K utf8 -ww -rLL=100n -z "$page" >"$work/said" 2>&1 || true
	[ ! -s "$work/said" ] || { fault "groff on $page:"; cat "$work/said"; }
	if grep -nE '@[a-z]+@' "$page"; then fault "$page: a place was not filled in"; fi
	head -n 1 "$page" | grep -q '^\.TH ' || fault "$page: does not begin with .TH"
done

plain() { groff -man -Tascii -P-cbou -rLL=200n "$1" 2>/dev/null; }

# --- options: what --help says, the page says

# has PAGE OPTION: as a word, not as the beginning of a longer option
has() { grep -qE -- "(^|[^-a-z])$2([^-a-z]|\$)" "$1"; }

compare_options() {
	local help=$1 page=$2 what=$3 option
	while IFS= read -r option; do
		has "$page" "$option" || fault "$what: $option is in --help and not in the manual page"
	done < <(grep -oE -- '--[a-z][-a-z]*' "$help" | sort -u)
}

plain docs/man/authd.8 >"$work/authd.8"
./authd/authd --help >"$work/help"
compare_options "$work/help" "$work/authd.8" authd

plain docs/man/counterfoil.1 >"$work/counterfoil.1"
./cli/counterfoil --help >"$work/help"
compare_options "$work/help" "$work/counterfoil.1" counterfoil
commands=0
while IFS= read -r words; do
	commands=$((commands + 1))
	# shellcheck disable=SC2086 # one or two words
	./cli/counterfoil $words --help >"$work/help" || { fault "counterfoil $words --help failed"; continue; }
	compare_options "$work/help" "$work/counterfoil.1" "counterfoil $words"
	grep -qE "^ +$words( |\$)" "$work/counterfoil.1" || fault "counterfoil.1 is silent about \"$words\""
done < <(./cli/counterfoil --help | sed -n '/^Commands:/,/^Options:/s/^  \([a-z][-a-z]*\( [a-z][-a-z]*\)\{0,1\}\).*/\1/p')
[ "$commands" -gt 10 ] || fault "only $commands commands found in --help"

# --- settings: authd.conf(5) has each with its default, in the words of the programs

# roff FILE: a configuration that the programs print, as the page has it
roff() {
	sed -e 's/\\/\\e/g' -e 's/-/\\-/g' "$1" | awk '
		/^\[/ { print ".SS " $0 }
		/^# / { summary = substr($0, 3) }
		/^#?[a-z0-9_]+ =/ {
			key = $1; sub(/^#/, "", key)
			value = $0; sub(/^[^=]*= ?/, "", value)
			print ".TP\n.B " key (value == "" ? "" : "\\fR = \\fI" value)
			print summary
		}'
}

./cli/counterfoil init --directory "$work/etc" --url '' >/dev/null 2>&1 && fault "init takes an empty --url"
./cli/counterfoil init --directory "$work/etc" >/dev/null
sed '/^\[api\]/,$d' "$work/etc/authd.conf" | sed '1d; s/^\(url\|keyring\) =.*/\1 =/' >"$work/conf"
./authd/authd --print-config >>"$work/conf"
# The page has a folder as configure was told it, without roff's marks.
roff "$work/conf" | sed 's/\\-/-/g' >"$work/wanted"
sed -n '/^\.SS \[/,/^\.SH EXAMPLE/{/^\.SH EXAMPLE/d;s/\\-/-/g;p}' docs/man/authd.conf.5 >"$work/found"
[ "$(grep -c '^\.TP' "$work/wanted")" -gt 30 ] || fault "the programs name too few settings"
page=${srcdir:-.}/docs/man/authd.conf.5.in
if [ "${1:-}" = --write ]; then
	data=$(sed -n 's|^#directory = \(.*\)/web$|\1|p' "$work/conf")
	{
		sed '/^\.SS \[/,$d' "$page"
		roff "$work/conf" | sed "s|${data//-/\\\\-}|@pkgdatadir@|"
		sed -n '/^\.SH EXAMPLE/,$p' "$page"
	} >"$work/page"
	cp "$work/page" "$page"
	exit
fi
diff -u "$work/found" "$work/wanted" ||
	fault "authd.conf(5) differs from what the programs know; in the build folder: srcdir=... $0 --write"

[ "$faults" -eq 0 ]
