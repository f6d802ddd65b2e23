/* SPDX-License-Identifier: MIT */
/*
 * sandbox.h - sees the program shut itself into a sandbox, or give up the clock.
 *
 * Two functions of libc are exported in its place, prctl and syscall (libseccomp goes by the
 * latter), which look at three requests and leave all others alone:
 *
 *   PR_SET_SECCOMP, seccomp(2)   a filter: what of ours it forbids is asked no more
 *                                (shm/sandbox.h); the strict mode forbids everything, and takes
 *                                the time stamp counter away
 *   PR_SET_TSC                   rdtsc raises SIGSEGV: calls are passed through, counted `paused`
 *
 * Before that the calling thread gets its lane, if it has none, while it may ask for one: a
 * program that shuts itself in before it parses what strangers send is seen whole.
 *
 * Not seen: a request made by an instruction of the program's own, or through a pointer from
 * dlsym(handle of libc). What was there when the program was executed is no matter of this
 * module: such a filter has let the loader pass and has to let the shim's start.
 *
 * Of the requests themselves a probe on the entry of the real functions sees nothing: they are
 * carried out from here. Slots see them.
 *
 * Any thread. Never changes errno, never waits.
 */
#ifndef INV_PRELOAD_SANDBOX_H
#define INV_PRELOAD_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* What is told of it, once it is so; makes no system call. INV_ASK_*; whether the clock is gone. */
typedef void (*inv_sandbox_told_fn)(uint32_t forbidden, bool clockless);

/* Finds the real functions; first of all in the constructor. */
void inv_sandbox_resolve(void);

/* From here on the requests are acted on. */
void inv_sandbox_watch(inv_sandbox_told_fn told);

#endif
