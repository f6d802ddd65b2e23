/* SPDX-License-Identifier: MIT */
/*
 * debug_type.h - types of debug information in the words of signatures, by the x86-64 calling
 * convention, which is what a signature says: where a value is passed.
 */
#ifndef INV_READER_DEBUG_TYPE_H
#define INV_READER_DEBUG_TYPE_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>

#define INV_DEBUG_WORD_MAX 256

enum inv_debug_class {
	INV_DEBUG_VOID,
	INV_DEBUG_INTEGER, /* enumerations and bool too */
	INV_DEBUG_FLOAT,
	INV_DEBUG_STR, /* pointer to char */
	INV_DEBUG_POINTER,
	INV_DEBUG_STRING,    /* pointer or reference to a libstdc++ std::string */
	INV_DEBUG_STRUCT,    /* by value */
	INV_DEBUG_REFERENCE, /* by value in the source, passed by its address */
	INV_DEBUG_NOTHING,   /* an empty class: nothing is passed */
	INV_DEBUG_UNKNOWN    /* no word for it: `word` has what it is */
};

struct inv_debug_type {
	enum inv_debug_class class;
	char word[INV_DEBUG_WORD_MAX]; /* "int", "{i32,f64}" */
	unsigned size;		       /* STRUCT: bytes */
	unsigned part_count; /* STRUCT in registers: how many; 0: it is passed in memory */
	char parts[2][12];   /* ... and the word for each */
	bool boolean;
	bool enumeration;  /* `die` is it */
	bool is_string;	   /* a std::string by value (in a struct, or a REFERENCE) */
	bool target_known; /* POINTER: `die` is a struct with members */
	Dwarf_Die die;
};

/* The type of a parameter, member, variable or, as its result, function. */
void inv_debug_type_of(Dwarf_Die *die, struct inv_debug_type *out);

/*
 * Calls `take` with each named member of a struct, those of bases and of structs within too
 * (`path` is then "inner.name"), till it answers false. Bit-fields are left out.
 */
void inv_debug_each_member(Dwarf_Die *structure,
			   bool (*take)(void *arg, const char *path, long offset,
					Dwarf_Die *member),
			   void *arg);

#endif
