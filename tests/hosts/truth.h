/* SPDX-License-Identifier: MIT */
/*
 * truth.h - what every test host shares: options, the calls, and a truth of its own.
 *
 * A host is a small program that knows nothing of invreg. It calls target_invoke (in
 * libtruth_target.so, so that the call crosses objects) through host_call, which counts
 * in a page of a file given by --truth, mapped shared:
 *
 *   begun[artifact][method][code]     one more before the call
 *   returned[artifact][method][code]  one more after it returned
 *
 * The counts survive SIGKILL with the page cache, so that a test can compare: for each key,
 * returned <= what an observer recorded <= begun. Without a kill, recorded = returned, and
 *   begun + inherited = returned + jumped    (for each key too, but for the two on the side)
 *
 * A host file defines host_about and host_run; main() and --print-truth are in truth.c.
 */
#ifndef TESTS_TRUTH_H
#define TESTS_TRUTH_H

#include <stdatomic.h>
#include <stdint.h>

#include "truth_target.h"

/* --name value, the same for all hosts; each says in host_about which it heeds. */
struct host_options {
	const char *truth; /* file, or NULL: the truth is anonymous memory */
	uint32_t threads;
	uint32_t calls; /* of each thread or image */
	uint32_t artifacts;
	uint32_t methods;
	uint32_t codes; /* 1: every call succeeds */
	uint32_t depth;
	uint32_t work_us; /* busy inside each call */
	uint32_t rate_us; /* timer interval of the signal hosts */
	uint64_t seed;
	const char *plugin; /* path of the plug-in of `dlopens` */
	const char *state;  /* what `execs` hands to its next image */
	int argc;
	char **argv;
};

#define HOST_METHODS_MAX 4
#define HOST_CODES_MAX	 6

extern const char host_about[];

/* The work of one host. Returns: the exit status. */
int host_run(const struct host_options *options);

/* One caller: a thread, or a signal handler. Not shared between threads. */
struct host_caller {
	struct target_ctx ctx;
	char invoker[32];
	uint64_t digest; /* of all return values, errnos and messages: comparable across runs */
	uint64_t sequence;
	uint32_t open; /* calls that have not returned: what a longjmp passes over */
};

void host_caller_init(struct host_caller *caller, const char *prefix, uint32_t number);

/*
 * One truthful call. `inside` (may be NULL) runs within the call, on the same thread.
 * Indices are taken modulo what the options allow. errno is what the target left.
 * Returns: the target's result.
 */
int host_call(struct host_caller *caller, uint32_t artifact, uint32_t method, uint32_t code,
	      void (*inside)(void *data), void *data);

/* The same with everything picked by the caller's sequence number: a fixed, mixed load. */
int host_call_next(struct host_caller *caller);

void host_count_jumped(uint64_t calls);	   /* passed over by longjmp */
void host_count_inherited(uint64_t calls); /* to be called in a child forked within a call */

/* Adds to the host's digest, which main prints at the end. Async-signal-safe. */
void host_add_digest(uint64_t digest);

uint64_t host_mix(uint64_t x);

#endif
