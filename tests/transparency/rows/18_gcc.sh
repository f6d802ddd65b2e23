#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# gcc and clang: the driver, compiler, assembler and linker that it executes; every byte that
# they make is compared.
. "$(dirname "$0")/../lib.sh"

cp "$root/shm/tally.c" "$given/unit.c"
cat >"$given/broken.c" <<'C'
int main(void) { return undeclared; }
C
printf '#include <stdio.h>\nint main(void) { puts("made"); }\n' >"$given/main.c"
cat >"$given/build.sh" <<SH
\$1 -O2 -g -c unit.c -I$root/shm -I$root -D_GNU_SOURCE -o unit.o
\$1 -O2 -S main.c -o main.s
\$1 -O2 -pipe main.c -o main && ./main
\$1 -c broken.c; echo "status \$?"
\$1 main.c unit.o -L. -lnonsense; echo "status \$?"
SH
# what a linker cannot find it names with a temporary file
tidy() {
	sed -i -E 's|/tmp/[A-Za-z0-9_-]+\.o|TEMPORARY|g' "$2"
}
probe open bfd_openw 'ptr (str artifact_id, ptr target)' 'success = return is not null'
probe close bfd_close 'u8 (ptr bfd)' 'artifact_id = "bfd_close"' 'success = return == 1'
if installed gcc; then
	program gcc sh build.sh gcc
	observe entry 4+
	observe got 4+
	observe auto 4+
fi
forget_probes
if installed clang; then
	probe print fwrite 'u64 (ptr data, u64 size, u64 count, ptr file)' 'artifact_id = "fwrite"'
	probe read pread64 'i64 (int fd, ptr data, u64 bytes, i64 offset)' 'artifact_id = "pread"'
	probe map mmap64 'ptr (ptr at, u64 bytes, int prot, int flags, int fd, i64 offset)' 'artifact_id = "mmap"'
	program clang sh build.sh clang
	observe got 1+
	observe auto 1+
fi
