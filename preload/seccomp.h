/* SPDX-License-Identifier: MIT */
/*
 * seccomp.h - which system calls of ours a seccomp filter lets pass.
 *
 * A filter is a program of classic BPF over the number and the arguments of a system call. It
 * is run here for each call that the shim makes after its start: to know is better than to
 * guess by the names of well-known filters, and asking the kernel is what kills. Pure: no
 * system call, no allocation, any thread.
 */
#ifndef INV_PRELOAD_SECCOMP_H
#define INV_PRELOAD_SECCOMP_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>

/*
 * Runs a filter on one system call, as the kernel does; the kernel has accepted it, but a
 * broken one is no danger.
 * Returns: what it answers, SECCOMP_RET_*; SECCOMP_RET_KILL_PROCESS where it cannot be run.
 */
uint32_t inv_seccomp_answer(const struct sock_fprog *filter, const struct seccomp_data *call);

/* Returns: INV_ASK_* of all that the filter answers by anything but a plain yes. */
uint32_t inv_seccomp_forbids(const struct sock_fprog *filter);

#endif
