/* SPDX-License-Identifier: MIT */
/*
 * doctor.h - before a run, without running: which probes of a file would bind in a program,
 * at how many sites, which would not, and what to do about it.
 *
 * [D1] It judges files, by the rules of the shim's tiers, not a process: an object that the
 *      program loads later (dlopen) is not seen, and a probe that waits for one counts as
 *      not bound. A Python target binds when its module is imported: that there is an
 *      interpreter is all that is judged.
 * Called by the verb `doctor` and, when a run saw nothing, by `run`. One thread at a time.
 */
#ifndef INV_READER_DOCTOR_H
#define INV_READER_DOCTOR_H

#include <stdio.h>

#include "preload/probe.h"
#include "reader/doctor_program.h"

#define INV_DOCTOR_NAMES_MAX  3
#define INV_DOCTOR_PLACES_MAX 16

enum inv_doctor_verdict {
	INV_DOCTOR_BOUND = 0,
	INV_DOCTOR_BLOCKED,	/* the program as a whole: see its block */
	INV_DOCTOR_UNSUPPORTED, /* object+0xOFFSET, and bind = got */
	INV_DOCTOR_NOT_PYTHON,	/* python:, and no object is an interpreter */
	INV_DOCTOR_TIER,	/* it needs the entry tier, which cannot take the prototype */
	INV_DOCTOR_PROTOTYPE,	/* no wrapper serves it */
	INV_DOCTOR_REFUSED,	/* there, but its first bytes cannot be patched, and no slot */
	INV_DOCTOR_INSIDE,	/* bind = got: defined, but no object imports it */
	INV_DOCTOR_TAKEN,	/* another probe has its calls */
	INV_DOCTOR_INTERPOSED,	/* another object's definition takes the calls */
	INV_DOCTOR_HIDDEN,	/* bind = got: local or hidden */
	INV_DOCTOR_UNNAMED,	/* local in a library, which the target does not name */
	INV_DOCTOR_SEVERAL,	/* local functions of one name */
	INV_DOCTOR_CLONE,	/* only as .constprop, .isra, .part */
	INV_DOCTOR_NOT_LOADED,	/* the object is none of those loaded at start */
	INV_DOCTOR_NO_SYMBOL,	/* nowhere: names are offered */
	INV_DOCTOR_STRIPPED,	/* nowhere, and the program has no .symtab to tell more */
	INV_DOCTOR_VERDICT_COUNT
};

/* A function that would be patched. */
struct inv_doctor_place {
	const struct inv_doctor_elf *object;
	uint64_t address;
};

struct inv_doctor_probe {
	const struct inv_probe *probe;
	enum inv_doctor_verdict verdict;
	const struct inv_doctor_elf *object; /* that defines it; NULL: none */
	uint32_t sites;			     /* slots, and functions patched */
	uint32_t functions;		     /* patched: the tier is entry */
	uint32_t place_count;		     /* of them */
	struct inv_doctor_place places[INV_DOCTOR_PLACES_MAX];
	const char *entry_why; /* why one was not patched; NULL: none was refused */
	const char *entry_remedy;
	char where[512];      /* "ballast 1, libx.so 2" */
	char detail[512];     /* what in particular; may be empty */
	char signature[2048]; /* by doctor_signature.h: how it is not the function's, or empty */
	bool breaks;	      /* by that: calls would go wrong in the program itself */
	uint32_t name_count;
	char names[INV_DOCTOR_NAMES_MAX][192]; /* the nearest, best first */
};

struct inv_doctor {
	struct inv_doctor_program program;
	size_t count;
	size_t bound;  /* of them */
	size_t broken; /* of those: what `breaks` */
	struct inv_doctor_probe *probes;
};

/*
 * Judges each probe of the file for the command; both outlive *out. To be released.
 * Returns: 0, whatever the verdicts; -ENOMEM.
 */
int inv_doctor_open(struct inv_doctor *out, const struct inv_probe_file *file,
		    char *const *command);
void inv_doctor_close(struct inv_doctor *doctor);

/* Judges one probe, out->probe, as one that comes after those of the doctor. */
void inv_doctor_judge(struct inv_doctor_probe *out, const struct inv_doctor *doctor);

/* Which tier would see its calls: entry, got, python or none. */
const char *inv_doctor_tier(const struct inv_doctor_probe *probe);

/* A word for programs, then one line each for people. */
const char *inv_doctor_word(const struct inv_doctor *doctor, const struct inv_doctor_probe *probe);
void inv_doctor_reason(const struct inv_doctor *doctor, const struct inv_doctor_probe *probe,
		       char *buf, size_t size);
void inv_doctor_remedy(const struct inv_doctor *doctor, const struct inv_doctor_probe *probe,
		       char *buf, size_t size);

/*
 * After a run without a call: why, in one or two lines. bound: bit i when probe i really was
 * bound; told: when its own process has said why not; both go before what the files say [D1].
 */
void inv_doctor_explain(FILE *to, const struct inv_probe_file *file, char *const *command,
			uint64_t bound, uint64_t told);

#endif
