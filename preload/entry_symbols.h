/* SPDX-License-Identifier: MIT */
/*
 * entry_symbols.h - where a function is: exported, local with a symbol in the file or in its
 * debug file (by build-id), or at an offset that the probe gives; and where a variable is.
 *
 * The file that is read is the one that is mapped (device and inode are compared), since a
 * library that was replaced on disk has its functions elsewhere. A clone that the compiler
 * made (NAME.constprop.0) has another prototype: it is told, never taken.
 *
 * Called under the conditions of the `got` tier's callbacks. Allocates pages only, and
 * returns them. Never exits, prints or changes errno.
 */
#ifndef INV_PRELOAD_ENTRY_SYMBOLS_H
#define INV_PRELOAD_ENTRY_SYMBOLS_H

#include "preload/entry.h"

enum inv_entry_found {
	INV_ENTRY_ABSENT = 0, /* no such function */
	INV_ENTRY_FOUND,
	INV_ENTRY_CLONE,  /* only clones of it */
	INV_ENTRY_SEVERAL /* several local functions have the name */
};

/* The function among the file's own symbols, local ones too. */
enum inv_entry_found inv_entry_find_local(struct inv_entry_place *out,
					  const struct inv_elf_object *object, const char *path,
					  const char *symbol);

/*
 * A variable among the program's own symbols, local ones too; not one of a thread's own.
 * Returns: NULL when there is none, or several have the name.
 */
void *inv_entry_find_variable(const struct inv_elf_object *program, const char *symbol);

/* Whether the file is Go's, whose functions move their stacks, frames of ours included. */
bool inv_entry_is_go(const struct inv_elf_object *object, const char *path);

#endif
