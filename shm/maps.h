/* SPDX-License-Identifier: MIT */
/*
 * maps.h - the mappings of this process, by /proc/self/maps.
 *
 * Read line by line into a small buffer: nothing is allocated. Any thread.
 */
#ifndef INV_SHM_MAPS_H
#define INV_SHM_MAPS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One mapping, from low to below high; `rest` of its line begins with the space before its rights,
 * and a very long path is cut. Returns: whether it was the last that is wanted.
 */
typedef bool (*inv_maps_fn)(void *arg, uintptr_t low, uintptr_t high, const char *rest);

/* Returns: false where the file cannot be read, or may not (sandbox.h); nothing was called then. */
bool inv_maps_each(inv_maps_fn fn, void *arg);

/* The number in small hexadecimal digits at *p, which is moved behind it. */
uint64_t inv_maps_hex(const char **p);

#endif
