/* SPDX-License-Identifier: MIT */
/*
 * record_stack.c - on which stack an address lies: the mapping that holds it (maps.h).
 *
 * pthread_getattr_np allocates, and knows neither of fibers nor of signal stacks.
 */
#include "maps.h"
#include "record_private.h"

struct asked {
	struct inv_thread *thread;
	uintptr_t address;
};

static bool holds(void *arg, uintptr_t low, uintptr_t high, const char *rest)
{
	struct asked *a = arg;
	if (a->address < low || a->address >= high)
		return false;
	a->thread->stack_low = low;
	a->thread->stack_high = high;
	return true;
}

void inv_find_stack(struct inv_thread *t, uintptr_t address)
{
	struct asked asked = {t, address};
	t->stack_low = t->stack_high = 1; /* asked; holds nothing */
	inv_maps_each(holds, &asked);
}
