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
	INV_DEBUG_STRING,    /* pointer or reference to a STDSTR */
	INV_DEBUG_STRUCT,    /* by value */
	INV_DEBUG_REFERENCE, /* by value in the source, passed by its address */
	INV_DEBUG_NOTHING,   /* an empty class: nothing is passed */
	INV_DEBUG_UNKNOWN    /* no word for it: `word` has what it is */
};

/* Texts of C++, which are structs. */
enum inv_debug_text {
	INV_DEBUG_TEXT_NONE,
	INV_DEBUG_TEXT_STDSTR,	/* libstdc++'s std::string */
	INV_DEBUG_TEXT_STDVIEW, /* ... and std::string_view */
	INV_DEBUG_TEXT_COW,	/* ... and its std::string before GCC 5: a pointer to a str */
	INV_DEBUG_TEXT_FOREIGN	/* libc++'s: no expression reads it */
};

struct inv_debug_type {
	enum inv_debug_class class;
	char word[INV_DEBUG_WORD_MAX]; /* "int", "{i32,f64}" */
	unsigned size;		       /* STRUCT: bytes */
	unsigned part_count; /* STRUCT in registers: how many; 0: it is passed in memory */
	char parts[2][12];   /* ... and the word for each */
	bool boolean;
	bool enumeration;	  /* `die` is it */
	enum inv_debug_text text; /* it is one (STRUCT, REFERENCE), or points to one */
	bool target_known;	  /* POINTER: `die` is a struct with members */
	Dwarf_Die die;
};

/* The type of a parameter, member, variable or, as its result, function. */
void inv_debug_type_of(Dwarf_Die *die, struct inv_debug_type *out);

/* The type that an expression gives for the object itself, OFFSET:WORD; NULL: none reads it. */
const char *inv_debug_text_word(enum inv_debug_text text);

/* Whether the type is a text's object, not a pointer to one. */
bool inv_debug_text_is_object(const struct inv_debug_type *type);

/*
 * Calls `take` with each named member of a struct, those of bases and of structs within too
 * (`path` is then "inner.name"), till it answers false. Bit-fields are left out.
 */
void inv_debug_each_member(Dwarf_Die *structure,
			   bool (*take)(void *arg, const char *path, long offset,
					Dwarf_Die *member),
			   void *arg);

#endif
