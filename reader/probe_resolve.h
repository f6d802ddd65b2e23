/* SPDX-License-Identifier: MIT */
/*
 * probe_resolve.h - names of members in probe files: `world->tick` becomes `world->16:i64`.
 *
 * Before a run, by the debug information of the command's own objects: the shim gets offsets
 * and reads no debug information. A file without such names is left alone.
 */
#ifndef INV_READER_PROBE_RESOLVE_H
#define INV_READER_PROBE_RESOLVE_H

#include "preload/probe.h"

/*
 * Writes each name as its offset and type; lines stay where they are. command: what will run;
 * NULL: not known.
 * Returns: 0: *out is the text, malloc'ed, or NULL: nothing was to be done; -EINVAL: *error says
 * where and why not; -ENOMEM.
 */
int inv_probe_resolve(char **out, const char *text, char *const *command,
		      struct inv_probe_error *error);

#endif
