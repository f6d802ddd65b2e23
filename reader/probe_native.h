/* SPDX-License-Identifier: MIT */
/*
 * probe_native.h - a probe section for a native function, from its debug information; and the
 * functions of an object that look as if they ran others.
 */
#ifndef INV_READER_PROBE_NATIVE_H
#define INV_READER_PROBE_NATIVE_H

#include <stdio.h>

/*
 * Writes the section to `to`. name: of the probe; NULL: derived from the function.
 * Returns: an exit code; unless it is 0, one line was said on stderr.
 */
int inv_probe_native_section(FILE *to, const char *object, const char *symbol, const char *name);

/* Writes one line each. Returns: as above. */
int inv_probe_native_list(FILE *to, const char *object);

#endif
