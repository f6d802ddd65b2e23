/* SPDX-License-Identifier: MIT */
/* testpoint.c - see testpoint.h; empty unless INV_TEST_POINTS is defined. */
#include "testpoint.h"

#ifdef INV_TEST_POINTS
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void (*inv_test_hook)(enum inv_test_point point);

const char *const inv_test_point_names[INV_TP_COUNT] = {
#define INV_TEST_POINT_NAME(name) #name,
	INV_TEST_POINTS_LIST(INV_TEST_POINT_NAME)
#undef INV_TEST_POINT_NAME
};

static _Atomic int chosen = -2; /* -2: the environment has not been read */
static _Atomic long passages_left;

static int read_choice(void)
{
	const char *text = getenv("INVREG_TEST_POINT");
	const char *colon = text ? strchr(text, ':') : NULL;
	int found = -1;
	for (int i = 0; colon && i < INV_TP_COUNT; i++)
		if (strlen(inv_test_point_names[i]) == (size_t)(colon - text) &&
		    strncmp(inv_test_point_names[i], text, (size_t)(colon - text)) == 0)
			found = i;
	if (found >= 0)
		atomic_store_explicit(&passages_left, atol(colon + 1), memory_order_relaxed);
	atomic_store_explicit(&chosen, found, memory_order_relaxed);
	return found;
}

void inv_test_point(enum inv_test_point point)
{
	if (inv_test_hook) {
		inv_test_hook(point);
		return;
	}
	int wanted = atomic_load_explicit(&chosen, memory_order_relaxed);
	if (wanted == -2)
		wanted = read_choice();
	if (wanted != (int)point)
		return;
	if (atomic_fetch_sub_explicit(&passages_left, 1, memory_order_relaxed) == 1)
		kill(getpid(), SIGKILL);
}
#endif
