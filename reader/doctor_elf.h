/* SPDX-License-Identifier: MIT */
/*
 * doctor_elf.h - one ELF file as `doctor` sees it: what it is, what it defines, and through
 * which slots it calls what others define.
 *
 * Reads the file by libelf and never maps it as code. The file is input: a broken table reads
 * as an empty one. Symbol versions are not compared (a wrong version would not start).
 *
 * One thread at a time. Never prints or exits.
 */
#ifndef INV_READER_DOCTOR_ELF_H
#define INV_READER_DOCTOR_ELF_H

#include <stdbool.h>
#include <stdint.h>

struct Elf;

struct inv_doctor_elf {
	char path[4096];
	int fd;
	struct Elf *elf;
	bool wide; /* ELFCLASS64 */
	uint16_t machine;
	char interp[256];    /* PT_INTERP; empty: none */
	char soname[256];    /* empty: none */
	char sanitizer[256]; /* the runtime that it needs or contains; empty: none */
	bool symbolic;	     /* its references bind to its own definitions first */
	bool symtab;	     /* has .symtab, that is, was not stripped */
};

/* The best that a file has of a name; the order is that of preference. */
enum inv_doctor_symbol {
	INV_DOCTOR_SYMBOL_NONE = 0,
	INV_DOCTOR_SYMBOL_CLONE,   /* NAME.constprop.0 and the like alone */
	INV_DOCTOR_SYMBOL_PRIVATE, /* local or hidden: in .symtab alone */
	INV_DOCTOR_SYMBOL_EXPORTED /* defined in .dynsym */
};

/*
 * Returns: 0; -ENOEXEC: not an ELF file; -errno of opening. On failure nothing is to be
 * closed.
 */
int inv_doctor_elf_open(struct inv_doctor_elf *out, const char *path);
void inv_doctor_elf_close(struct inv_doctor_elf *file);

/* clone: the clone's own name when that is the answer, of at least 256 bytes. */
enum inv_doctor_symbol inv_doctor_elf_symbol(const struct inv_doctor_elf *file, const char *name,
					     char *clone);

/* Slots that the loader fills with the address of the symbol: JUMP_SLOT, GLOB_DAT, words. */
uint32_t inv_doctor_elf_sites(const struct inv_doctor_elf *file, const char *name);

/*
 * Whether a probe's object name means this file: its base name or soname, or a base name that
 * goes on with a version number. ("program" is the caller's to know.)
 */
bool inv_doctor_elf_is(const struct inv_doctor_elf *file, const char *name);

/* Calls `take` with each exported function's name. */
void inv_doctor_elf_each(const struct inv_doctor_elf *file,
			 void (*take)(void *arg, const char *name), void *arg);

#endif
