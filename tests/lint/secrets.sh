#!/usr/bin/env bash
# Secrets are compared in constant time and printed nowhere; nothing in the tree speaks of a machine or of work left undone.
set -euo pipefail
cd "${srcdir:-.}"
faults=0

# What the greps below find and is right: file, a piece of the line, and why.
allowed=(
	"core/credential/argon2_selftest.c|want|known answers of a self-test: public numbers"
	"pam_module/collect.c|vault->password.text, vault->code.text|two answers of one person, which tell sshd's echo"
	"pam_module/collect.c|vault->new_password.text, vault->again.text|two answers of one person, who sees both"
)

is_allowed() {
	local entry file piece
	for entry in "${allowed[@]}"; do
		IFS='|' read -r file piece _ <<<"$entry"
		[[ $1 != "$file":*"$piece"* ]] || return 0
	done
	return 1
}

# forbid WHY PATTERN FILES...: every line with PATTERN, an extended regular expression, is a fault.
forbid() {
	local why=$1 pattern=$2 line
	shift 2
	while IFS= read -r line; do
		is_allowed "$line" && continue
		printf '%s: %s\n' "$why" "$line"
		faults=$((faults + 1))
	done < <(grep -nE "$pattern" "$@" /dev/null || true)
}

mapfile -t sources < <(find authd cli core pam_module -name '*.[ch]' | sort)
[ "${#sources[@]}" -gt 50 ] || { echo "only ${#sources[@]} files found: is this the right folder?"; exit 1; }
secret='\b(passwords?|seed|secret|digest|tag|token|code|mac|phc|new_password)\b'

forbid "compare it with secret_equal()" "\b(strn?(case)?cmp|memcmp|bytes_equal)\([^;]*$secret( *[,)]|\.text|\.data|->data)" "${sources[@]}"
forbid "a secret has no way into a log" "\b(LOG_TEXT|log_event|(pam_)?v?syslog|v?f?printf|f?puts)\([^;]*[ (*.>]$secret(\.text|\.data)? *[,)]" "${sources[@]}"
forbid "ask entropy_fill()" '\b(rand|srand|random|srandom|[dlm]rand48|rand_r)\(' "${sources[@]}"
forbid "it knows no bound, or starts a shell" '\b(gets|strcat|v?sprintf|system|popen|atoi|atol|tmpnam|mktemp|alloca)\(' "${sources[@]}"

# The rest looks at every text file that is shipped.
generated=(-path ./build -o -path './_*' -o -path './build-*' -o -path ./.git -o -path ./autom4te.cache -o -path ./m4 -o -name __pycache__
	-o -path ./tests/fuzz/corpus -o -path ./configure -o -path './config*~' -o -path ./Makefile.in -o -path ./aclocal.m4)
mapfile -t shipped < <(find . \( "${generated[@]}" \) -prune -o -type f -not -name LICENSE -print | sed 's|^\./||' | sort)
marks='TO''DO|FIX''ME|X''XX|HA''CK'
forbid "do it, or file an issue" "\b($marks)\b" "${shipped[@]}"
forbid "a path of one machine" '(^|[^A-Za-z0-9_.})/])/(home/[a-z]+|work|Users)/' "${shipped[@]}"
forbid "a private key" 'BEGIN ([A-Z]+ )*PRIVATE KEY-----$' "${shipped[@]}"

[ "$faults" -eq 0 ] || exit 1
echo "${#sources[@]} sources and ${#shipped[@]} files are clean"
