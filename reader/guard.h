/* SPDX-License-Identifier: MIT */
/*
 * guard.h - survives a file that is truncated while we have it mapped.
 *
 * A load from a mapped page beyond the end of the file raises SIGBUS, and no check can
 * come before it: the file may shrink in between. So reads of a mapping run inside
 * inv_guard_call, which turns that SIGBUS into a return value.
 *
 * [U1] Guarded code must hold no lock and own nothing that only it knows of when it
 *      touches a mapping: it is left in the middle, as by longjmp. Memory it had
 *      allocated by then may leak; the callers refuse the source afterwards.
 *
 * Copying with read(2) instead was rejected: pages of a live segment are read by the
 * thousand, and a copy that is torn between two words of a slot could not be detected.
 *
 * The handler is installed once for the process; each thread has its own guard. A SIGBUS
 * outside a guard, or sent by kill(2), does what it always did.
 */
#ifndef INV_READER_GUARD_H
#define INV_READER_GUARD_H

/*
 * Runs fn(arg). Guards nest: the innermost one returns.
 * Returns: what fn returned, or -EFAULT when a page of a mapping was gone.
 */
int inv_guard_call(int (*fn)(void *arg), void *arg);

#endif
