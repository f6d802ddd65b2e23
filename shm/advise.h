/* SPDX-License-Identifier: MIT */
/*
 * advise.h - madvise for advice that must be followed, or be known not to be.
 *
 * qemu-user (7.2) answers 0 to every advice and follows hardly one: memory that was said to be
 * reserved then is not, and a child that was to notice the fork does not. Who does not refuse
 * an advice that does not exist is not believed about any. That is found out once, by the first
 * that asks: a program may shut itself in later, where no advice is allowed but what is wanted.
 *
 * Any thread; never blocks or allocates. Changes errno.
 */
#ifndef INV_SHM_ADVISE_H
#define INV_SHM_ADVISE_H

#include <stddef.h>

/* Returns: 0, or what errno says; EINVAL: the advice is not known here. */
int inv_advise(void *at, size_t bytes, int advice);

#endif
