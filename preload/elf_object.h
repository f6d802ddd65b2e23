/* SPDX-License-Identifier: MIT */
/*
 * elf_object.h - one loaded object, seen through its program headers and dynamic section.
 *
 * Called by the `got` tier (constructor, dlsym hook, probed calls) with the loader's list
 * locked, that is inside a dl_iterate_phdr callback: outside of it another thread's dlclose
 * may unmap what these structs point to. Reads the object's memory in place; allocates
 * nothing, never blocks, exits or touches errno. Nothing in an object is trusted: each
 * table is checked against the readable PT_LOAD ranges before it is followed.
 */
#ifndef INV_PRELOAD_ELF_OBJECT_H
#define INV_PRELOAD_ELF_OBJECT_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INV_ELF_LOADS_MAX 16

struct inv_elf_load {
	uintptr_t start; /* as mapped, not rounded to pages */
	uintptr_t end;
	uint32_t flags; /* PF_R | PF_W | PF_X */
};

struct inv_elf_object {
	uintptr_t base;		   /* what is added to the file's addresses */
	const char *path;	   /* the loader's own string; "" is the program */
	const ElfW(Dyn) * dynamic; /* ends at dynamic_end at the latest */
	const ElfW(Dyn) * dynamic_end;
	uintptr_t relro_start; /* whole pages, as the loader protects them; equal: none */
	uintptr_t relro_end;
	uint32_t load_count;
	struct inv_elf_load loads[INV_ELF_LOADS_MAX];
	const ElfW(Sym) * symtab;
	const char *strtab;
	size_t strtab_bytes;
	const uint32_t *gnu_hash;  /* NULL: none */
	const uint32_t *sysv_hash; /* NULL: none */
	const uint16_t *versym;	   /* NULL: no versions */
	const char *verneed;
	const char *verdef;
	uint32_t verneed_count;
	uint32_t verdef_count;
	const ElfW(Rela) * rela[2]; /* DT_RELA, DT_JMPREL */
	size_t rela_count[2];
	const char *soname; /* NULL: none */
	bool symbolic;	    /* -Bsymbolic: its own definitions come first */
};

/* A definition of a function. */
struct inv_elf_definition {
	uintptr_t address;   /* of the resolver, if ifunc */
	size_t size;	     /* as the symbol says; 0: it does not */
	const char *version; /* NULL: none */
	bool ifunc;
};

enum inv_elf_slot_kind {
	INV_ELF_SLOT_JUMP, /* JUMP_SLOT: may still be lazy */
	INV_ELF_SLOT_GLOB, /* GLOB_DAT */
	INV_ELF_SLOT_DATA, /* a 64-bit word with addend 0 */
	INV_ELF_SLOT_COPY  /* any word of a variable that a COPY relocation brought here */
};

/*
 * A word that the loader fills with a symbol's address. Of a COPY nothing says what each word
 * is: the relocations that filled it are the library's. Its name is "".
 */
struct inv_elf_slot {
	void **where; /* mapped, 8-aligned, in a segment that the file says is writable */
	const char *name;
	size_t symbol; /* index in the object's symbol table */
	enum inv_elf_slot_kind kind;
	bool read_only; /* in a segment that is not writable: `where` is not to be used */
};

struct inv_elf_cursor {
	uint32_t table;
	size_t index;
	size_t word; /* of a COPY */
};

/*
 * Parses what dl_iterate_phdr says of an object.
 * Returns: false when it has no usable dynamic symbols (or is too strange); *out is then
 * good for inv_elf_object_contains only.
 */
bool inv_elf_object_parse(struct inv_elf_object *out, const struct dl_phdr_info *info);

/* Whether [address, address + bytes) lies in one PT_LOAD with all these PF_ flags. */
bool inv_elf_object_contains(const struct inv_elf_object *object, uintptr_t address, size_t bytes,
			     uint32_t flags);

/*
 * Finds the exported function of this name, the default version only, as an unversioned
 * dlsym would. Undefined symbols are none, though they may have a value [G3].
 * Returns: whether there is one.
 */
bool inv_elf_object_find(const struct inv_elf_object *object, const char *name,
			 struct inv_elf_definition *out);

/* The next slot; start with a zeroed cursor. Returns: false at the end. */
bool inv_elf_object_next_slot(const struct inv_elf_object *object, struct inv_elf_cursor *cursor,
			      struct inv_elf_slot *out);

/* The version that a slot's reference asks for. Returns: NULL: any. */
const char *inv_elf_object_slot_version(const struct inv_elf_object *object,
					const struct inv_elf_slot *slot);

/* The next DT_NEEDED name; *at starts as object->dynamic. Returns: NULL at the end. */
const char *inv_elf_object_next_needed(const struct inv_elf_object *object, const ElfW(Dyn) * *at);

/*
 * Whether a user's or a DT_NEEDED name means this object: its base name or its soname, or
 * a base name that goes on with a version number (libx.so means libx.so.1).
 * "program" means the executable.
 */
bool inv_elf_object_is(const struct inv_elf_object *object, const char *name);

#endif
