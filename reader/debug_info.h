/* SPDX-License-Identifier: MIT */
/*
 * debug_info.h - the functions of an object, by its debug information.
 *
 * Read by elfutils libdw from the object itself, or from its debug file (by build-id or
 * .gnu_debuglink, with dwz's common part; from a server where DEBUGINFOD_URLS names one).
 * Addresses are the file's. The information is input: what is broken reads as absent.
 *
 * One thread at a time. Never prints or exits.
 */
#ifndef INV_READER_DEBUG_INFO_H
#define INV_READER_DEBUG_INFO_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>

struct Dwfl;

struct inv_debug_info {
	struct Dwfl *session;
	Dwarf *dwarf;
};

/*
 * Returns: 0; -ENODATA: it has none (nothing is to be closed); -ENOMEM; -EINVAL: libdw
 * refuses the file.
 */
int inv_debug_open(struct inv_debug_info *out, const char *path);
void inv_debug_close(struct inv_debug_info *info);

/*
 * Calls `take` with each function that has code, till it answers false; and with those that
 * have none (inlined everywhere) if `inlined`.
 */
void inv_debug_each(const struct inv_debug_info *info, bool inlined,
		    bool (*take)(void *arg, Dwarf_Die *function, Dwarf_Addr address), void *arg);

/* The function whose code begins at the address. Returns: whether there is one. */
bool inv_debug_function_at(const struct inv_debug_info *info, Dwarf_Addr address, Dwarf_Die *out);

/*
 * The same by the index of addresses, in no time: of code by gcc; clang makes none unless told.
 */
bool inv_debug_function_indexed(const struct inv_debug_info *info, Dwarf_Addr address,
				Dwarf_Die *out);

/* NAME, or NAMESPACE::CLASS::NAME. Returns: its length, cut to size. */
size_t inv_debug_name(Dwarf_Die *function, char *out, size_t size);

/* At how many places the compiler put the function's code instead of a call. */
unsigned inv_debug_inlined(Dwarf_Die *function);

/* "file.c:12", the file without what leads to it from the build folder; or "". */
void inv_debug_place(Dwarf_Die *function, char *out, size_t size);

#endif
