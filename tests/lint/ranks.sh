#!/usr/bin/env bash
# The ranks hold: a file includes its own rank and those below, one library is known in one place only,
# and a front end knows no other front end.
set -euo pipefail
cd "${srcdir:-.}"
faults=0

fault() {
	printf '%s\n' "$*"
	faults=$((faults + 1))
}

# folder -> the folders that its files may include from
allowed() {
	case $1 in
	core/base) echo "core/base" ;;
	core/credential) echo "core/base core/credential" ;;
	core/store) echo "core/base core/credential core/store" ;;
	core/operation) echo "core/base core/credential core/store core/operation" ;;
	authd | cli | pam_module) echo "core/base core/credential core/operation $1" ;;
	esac
}

# system header -> the only folders that may know it
owner() {
	case $1 in
	libpq-fe.h) echo "core/store" ;;
	argon2.h | liboath/*) echo "core/credential" ;;
	microhttpd.h) echo "authd" ;;
	esac
}

folder_of() { case $1 in core/*) cut -d/ -f1-2 <<<"$1" ;; *) cut -d/ -f1 <<<"$1" ;; esac; }

check_own() {
	local file=$1 included=$2 from to
	from=$(folder_of "$file")
	to=$(folder_of "$included")
	[[ " $(allowed "$from") " == *" $to "* ]] || fault "$file: $from must not include \"$included\""
}

check_system() {
	local file=$1 included=$2 may
	may=$(owner "$included")
	[ -z "$may" ] || [ "$may" = "$(folder_of "$file")" ] || fault "$file: only $may may include <$included>"
}

files=0
while IFS= read -r file; do
	files=$((files + 1))
	while IFS= read -r line; do
		case $line in
		\"config.h\") ;;
		\"*) check_own "$file" "$(tr -d '"' <<<"$line")" ;;
		\<*) check_system "$file" "$(tr -d '<>' <<<"$line")" ;;
		esac
	done < <(sed -n -E 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*(["<][^">]*[">]).*/\1/p' "$file")
done < <(find core authd cli pam_module -name '*.[ch]' | sort)

[ "$files" -gt 20 ] || fault "only $files files looked at: is this the right folder?"
[ "$faults" -eq 0 ] || exit 1
echo "$files files keep to their rank"
