#!/usr/bin/env bash
# What a packager does works: make dist, an out-of-tree build of the tarball, install into DESTDIR,
# uninstall without a trace, and make distclean leaves the tree as it was.  (make distcheck does the same with the
# tests inside; here they would run twice.)
set -euo pipefail
top=$(cd "${srcdir:-.}" && pwd -P)
obj=$PWD
# Inside a tarball (make distcheck) this has been said already.
[ "$(git -C "$top" rev-parse --show-toplevel 2>/dev/null)" = "$top" ] || exit 77

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
# The enclosing make's flags and jobserver are none of this build's business.
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR
jobs=$(nproc)

say() { printf '%s\n' "$*"; }
tree() { (cd "$1" && find . -not -type d | sort); }

say "make dist"
make -C "$obj" -s distdir distdir="$work/source" >"$work/log" 2>&1 || { tail -30 "$work/log"; exit 1; }
[ -x "$work/source/configure" ] || { say "the distribution has no configure"; exit 1; }

say "everything that git knows is in the distribution"
git -C "$top" ls-files | grep -v -E '(^|/)\.git(ignore|keep|attributes)$|^\.ci/|^\.clang-format$' | sort >"$work/known"
tree "$work/source" | sed 's|^\./||' | sort >"$work/shipped"
if comm -23 "$work/known" "$work/shipped" | grep .; then
	say "these files are missing in the tarball: name them, or their folder, in a fragment.am (EXTRA_DIST)"
	exit 1
fi

say "and nothing but that, and what autoreconf makes"
git -C "$top" ls-files --others --exclude-standard | sort - "$work/known" >"$work/allowed"
made='^(Makefile\.in|aclocal\.m4|config\.h\.in|configure|build-aux/[a-z.-]+|m4/(libtool|lt[a-z~-]+)\.m4)$'
if comm -13 "$work/allowed" "$work/shipped" | grep -v -E "$made"; then
	say "these files have no business in the tarball"
	exit 1
fi

say "an out-of-tree build of a source that nobody may write to"
chmod -R a-w "$work/source"
mkdir "$work/build"
cd "$work/build"
"$work/source/configure" -q --prefix=/usr --sysconfdir=/etc --libdir=/usr/lib >"$work/log" 2>&1 || { tail -30 "$work/log"; exit 1; }
make -s -j"$jobs" >"$work/log" 2>&1 || { tail -30 "$work/log"; exit 1; }

say "make install DESTDIR="
make -s install DESTDIR="$work/image" >"$work/log" 2>&1 || { tail -30 "$work/log"; exit 1; }
for file in usr/sbin/authd usr/bin/counterfoil usr/lib/security/pam_counterfoil.so; do
	[ -e "$work/image/$file" ] || { say "$file was not installed:"; tree "$work/image"; exit 1; }
done
if tree "$work/image" | grep -E 'testclock|/tests?/|\.la$'; then
	say "this is not for operators"
	exit 1
fi
if grep -rlaF "$work" "$work/image"; then
	say "these files name the folder they were built in"
	exit 1
fi

say "make uninstall leaves nothing"
make -s uninstall DESTDIR="$work/image" >"$work/log" 2>&1 || { tail -30 "$work/log"; exit 1; }
if tree "$work/image" | grep .; then
	say "make uninstall forgot these"
	exit 1
fi

say "make distclean leaves nothing"
make -s distclean >"$work/log" 2>&1 || { tail -30 "$work/log"; exit 1; }
if tree "$work/build" | grep .; then
	say "make distclean forgot these"
	exit 1
fi
