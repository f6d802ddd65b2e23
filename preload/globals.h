/* SPDX-License-Identifier: MIT */
/*
 * globals.h - the addresses of variables that probes name (global:SYMBOL:type).
 *
 * Resolved beforehand, in the constructor: plans are made where the loader must not be called.
 * What a library loaded later defines is not found, nor what only a library's .symtab has.
 */
#ifndef INV_PRELOAD_GLOBALS_H
#define INV_PRELOAD_GLOBALS_H

#include "preload/probe.h"

/* Once, before any plan is made. The file must outlive the process. */
void inv_globals_resolve(const struct inv_probe_file *file);

/* Returns: the address of a variable, or NULL. */
void *inv_globals_find(const char *symbol);

#endif
