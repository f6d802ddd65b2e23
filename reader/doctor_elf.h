/* SPDX-License-Identifier: MIT */
/*
 * doctor_elf.h - one ELF file as `doctor` sees it: what it is, what it defines and by which
 * bytes, and through which slots it calls what others define.
 *
 * Reads the file by libelf and never maps it as code. The file is input: a broken table reads
 * as an empty one. Local names of a stripped file come from its debug file, found by build-id
 * where the shim would look. Of several versions of a function the default one is meant.
 *
 * One thread at a time. Never prints or exits.
 */
#ifndef INV_READER_DOCTOR_ELF_H
#define INV_READER_DOCTOR_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Elf;

struct inv_doctor_elf {
	char path[4096];
	int fd;
	struct Elf *elf;
	int debug_fd;	   /* -1: none */
	struct Elf *debug; /* with the symbols that were stripped off; NULL: none */
	bool wide;	   /* ELFCLASS64 */
	uint16_t machine;
	char interp[256]; /* PT_INTERP; empty: none */
	char soname[256]; /* empty: none */
	char asan[256];	  /* the library that is its AddressSanitizer; empty: none */
	bool symbolic;	  /* its references bind to its own definitions first */
	bool go;	  /* made by Go, whose functions move their stacks */
	bool symtab;	  /* has .symtab, its own or its debug file's */
};

/* The best that a file has of a name; the order is that of preference. */
enum inv_doctor_symbol {
	INV_DOCTOR_SYMBOL_NONE = 0,
	INV_DOCTOR_SYMBOL_CLONE,   /* NAME.constprop.0 and the like alone */
	INV_DOCTOR_SYMBOL_SEVERAL, /* local functions of one name */
	INV_DOCTOR_SYMBOL_PRIVATE, /* local or hidden: in .symtab alone */
	INV_DOCTOR_SYMBOL_EXPORTED /* defined in .dynsym */
};

/* Where a function is; addresses are the file's. */
struct inv_doctor_function {
	enum inv_doctor_symbol symbol;
	uint64_t address, size; /* size 0: not known */
	bool ifunc;
	char clone[256]; /* of CLONE: its own name */
};

/*
 * Returns: 0; -ENOEXEC: not an ELF file; -errno of opening. On failure nothing is to be
 * closed.
 */
int inv_doctor_elf_open(struct inv_doctor_elf *out, const char *path);
void inv_doctor_elf_close(struct inv_doctor_elf *file);

/* Fills *out. Returns: out->symbol. */
enum inv_doctor_symbol inv_doctor_elf_find(const struct inv_doctor_elf *file, const char *name,
					   struct inv_doctor_function *out);

/*
 * The function that begins at an address: its exported name, else a local one.
 * Returns: whether there is one.
 */
bool inv_doctor_elf_name_at(const struct inv_doctor_elf *file, uint64_t address, char *out,
			    size_t size, bool *exported);

/*
 * The executable segment that an address is in, owned by the file.
 * Returns: its bytes, which are to be at *start; NULL when the address is in none.
 */
const uint8_t *inv_doctor_elf_text(const struct inv_doctor_elf *file, uint64_t address,
				   uint64_t *start, size_t *bytes);

/* Slots that the loader fills with the address of the symbol: JUMP_SLOT, GLOB_DAT, words. */
uint32_t inv_doctor_elf_sites(const struct inv_doctor_elf *file, const char *name);

/* Those of the library's that are in a variable of which the program has a copy (COPY). */
uint32_t inv_doctor_elf_copied_sites(const struct inv_doctor_elf *program,
				     const struct inv_doctor_elf *library, const char *name);

/*
 * Whether a probe's object name means this file: its base name or soname, or a base name that
 * goes on with a version number. ("program" is the caller's to know.)
 */
bool inv_doctor_elf_is(const struct inv_doctor_elf *file, const char *name);

/* Calls `take` with the name of each function, exported or local, more than once too. */
void inv_doctor_elf_each_function(const struct inv_doctor_elf *file,
				  void (*take)(void *arg, const char *name), void *arg);

/* Calls `take` with each exported function's name. */
void inv_doctor_elf_each(const struct inv_doctor_elf *file,
			 void (*take)(void *arg, const char *name), void *arg);

#endif
