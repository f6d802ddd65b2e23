/* SPDX-License-Identifier: MIT */
/*
 * doctor_program.h - from a command to the program that would run, its objects, and why the
 * shim would not get into it at all.
 *
 * Never starts the program. It does start the program's own loader with --list, as ldd does,
 * where that is one of glibc's by name: only the loader knows rpath, the cache and hwcaps. And
 * where a command that starts Python by name begins with another program, the interpreter
 * (doctor_interpreter.h).
 * One thread at a time; each child is reaped before the call returns.
 */
#ifndef INV_READER_DOCTOR_PROGRAM_H
#define INV_READER_DOCTOR_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "reader/doctor_elf.h"

#define INV_DOCTOR_OBJECTS_MAX 512

/* Why nothing can be observed in this program. */
enum inv_doctor_block {
	INV_DOCTOR_BLOCK_NONE = 0,
	INV_DOCTOR_BLOCK_NOT_FOUND,
	INV_DOCTOR_BLOCK_NOT_EXECUTABLE,
	INV_DOCTOR_BLOCK_FORMAT,  /* neither ELF nor a script */
	INV_DOCTOR_BLOCK_CLASS,	  /* 32-bit */
	INV_DOCTOR_BLOCK_MACHINE, /* of another machine */
	INV_DOCTOR_BLOCK_STATIC,  /* no PT_INTERP */
	INV_DOCTOR_BLOCK_SECURE,  /* setuid, setgid, capabilities */
	INV_DOCTOR_BLOCK_MUSL,	  /* the loader is musl's */
	INV_DOCTOR_BLOCK_LOADER,  /* the loader could not list the objects; detail says why */
	INV_DOCTOR_BLOCK_COUNT
};

struct inv_doctor_program {
	enum inv_doctor_block block;
	char path[4096];   /* the file that is executed in the end */
	char script[4096]; /* the script that led there, or empty */
	bool asked;	   /* path is what the interpreter that the command starts says of itself */
	bool silent;	   /* the command starts a Python by its name, which gave no answer */
	char detail[512];  /* what in particular; may be empty */
	size_t count;	   /* objects in the loader's order; the program is the first */
	struct inv_doctor_elf *objects;
};

/*
 * ask: an interpreter behind a wrapper may be started, which takes a tenth of a second. To be
 * released.
 * Returns: 0, whatever the block; -ENOMEM.
 */
int inv_doctor_program_open(struct inv_doctor_program *out, char *const *command, bool ask);
void inv_doctor_program_close(struct inv_doctor_program *program);

/* The object that is CPython, 3.8 or later; NULL: none is. */
const struct inv_doctor_elf *inv_doctor_program_python(const struct inv_doctor_program *program);

/* Whether object number i is one that a target names: "program" is the first, "" is any. */
bool inv_doctor_program_accepts(const struct inv_doctor_program *program, const char *object,
				size_t i);

/* What is in the way, and what to do about it, each one line without a full stop. */
const char *inv_doctor_block_word(enum inv_doctor_block block);
const char *inv_doctor_block_text(enum inv_doctor_block block);
const char *inv_doctor_block_remedy(enum inv_doctor_block block);

#endif
