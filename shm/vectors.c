/* SPDX-License-Identifier: MIT */
/*
 * vectors.c - the instructions. XSAVEC where there is one, else XSAVE, else FXSAVE: what the
 * processor and the kernel have enabled of SSE, AVX and AVX-512; x87 is never touched here.
 */
#include "vectors.h"

#if defined(__x86_64__)
#include <cpuid.h>

#define SAVED	     0xe6u /* SSE, AVX, and the three of AVX-512 */
#define HEADER_WORDS 8

static enum { UNKNOWN, FXSAVE, XSAVE, XSAVEC } how;
static uint32_t mask, bytes;

static uint32_t enabled(void)
{
	uint32_t low, high;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

uint32_t inv_vectors_bytes(void)
{
	uint32_t a, b, c, d;
	if (how != UNKNOWN)
		return bytes;
	bytes = 512;
	how = FXSAVE;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return bytes;
	__cpuid_count(0xd, 0, a, b, c, d);
	bytes = b;
	mask = enabled() & SAVED;
	__cpuid_count(0xd, 1, a, b, c, d);
	how = a & 2 ? XSAVEC : XSAVE;
	return bytes;
}

void inv_vectors_save(struct inv_vectors *v)
{
	uint64_t *header = (uint64_t *)((char *)v->area + 512);
	v->saved = true;
	if (how == FXSAVE) {
		__asm__ volatile("fxsave64 (%0)" : : "r"(v->area) : "memory");
		return;
	}
	for (int i = 0; i < HEADER_WORDS; i++)
		__atomic_store_n(&header[i], 0, __ATOMIC_RELAXED); /* no memset: see vectors.h */
	if (how == XSAVEC)
		__asm__ volatile("xsavec64 (%0)" : : "r"(v->area), "a"(mask), "d"(0) : "memory");
	else
		__asm__ volatile("xsave64 (%0)" : : "r"(v->area), "a"(mask), "d"(0) : "memory");
}

void inv_vectors_restore(const struct inv_vectors *v)
{
	if (how == FXSAVE)
		__asm__ volatile("fxrstor64 (%0)" : : "r"(v->area) : "memory");
	else
		__asm__ volatile("xrstor64 (%0)" : : "r"(v->area), "a"(mask), "d"(0) : "memory");
}
#endif
