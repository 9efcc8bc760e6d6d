#!/usr/bin/env bash
# Every shell script passes shellcheck, and dev as a whole with its parts.
set -euo pipefail
cd "${srcdir:-.}"
command -v shellcheck >/dev/null || { echo "shellcheck is missing: apt-get install shellcheck"; exit 77; }
shellcheck -x dev
scripts=(dev)
while IFS= read -r script; do
	scripts+=("$script")
done < <(find .ci tests bench packaging debian pam_module web cli sql -name '*.sh' -o -path .ci/run 2>/dev/null | sort)
shellcheck "${scripts[@]:1}"
echo "${#scripts[@]} scripts are clean"
