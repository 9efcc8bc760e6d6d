#!/usr/bin/env bash
# A build leaves nothing in the source folders: everything built lies under build/, but for what autoreconf makes.
set -euo pipefail
cd "${srcdir:-.}"
# A tarball unpacked inside a checkout (make distcheck) is none itself.
[ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$(pwd -P)" ] || { echo "not a git checkout"; exit 77; }
generated='\.(o|lo|la|so|a|log|trs|gcda|gcno|pyc|orig|rej)$|(^|/)(Makefile|config\.status|core\.[0-9]+)$|(^|/)\.(libs|deps)/'
strays=$(git ls-files --others --exclude-standard | grep -E "$generated" || true)
ignored=$(git ls-files --others --ignored --exclude-standard -- authd core pam_module cli sql web docs packaging |
	grep -v -E '(^|/)__pycache__/' || true)
if [ -n "$strays$ignored" ]; then
	printf 'these do not belong in the source folders:\n%s\n' "$strays$ignored"
	exit 1
fi
tracked=$(git ls-files | grep -E "$generated" || true)
if [ -n "$tracked" ]; then
	printf 'git holds built files:\n%s\n' "$tracked"
	exit 1
fi
