#!/usr/bin/env bash
# A compiler may drop a prefetch and nothing but speed is lost: every hash took a quarter longer for a while.  So look.
set -euo pipefail
[ "$(uname -m)" = x86_64 ] || { echo "prefetch instructions are looked for on x86-64 only"; exit 0; }

# FILE COUNT: what is asked for ahead of the reference block, and in AVX2 ahead of the block that is written
while read -r file count; do
	object=core/credential/.libs/libcredential_la-$file.o
	[ -e "$object" ] || object=core/credential/libcredential_la-$file.o
	[ -e "$object" ] || { echo "$object was not built"; exit 1; }
	found=$(objdump -d --no-show-raw-insn "$object" | grep -c -E '\sprefetch' || true)
	[ "$found" -ge "$count" ] || { echo "$object has $found prefetch instructions of $count: did the compiler drop them?"; exit 1; }
done <<'FILES'
argon2_fill 1
argon2_portable 1
argon2_avx2 2
argon2_avx512 1
FILES
echo "each kernel asks for what it will need"
