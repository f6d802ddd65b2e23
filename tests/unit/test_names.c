/* SPDX-License-Identifier: MIT */
/* test_names.c - the shared dictionary under several writers, and full. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shm/names.h"

static char path[64];
static struct inv_segment seg;

static void make(void)
{
	struct inv_segment_options o = {.lane_count = 1, .budget_bytes = 32 << 20};
	snprintf(path, sizeof(path), "/dev/shm/invreg-unit-%d.seg", getpid());
	cr_assert_eq(inv_segment_create(&seg, path, &o), INV_OK);
}

static void drop(void)
{
	inv_segment_detach(&seg);
	unlink(path);
}

TestSuite(names, .init = make, .fini = drop);

static void *intern_all(void *out)
{
	char text[32];
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "shared %u", i);
		((uint32_t *)out)[i] = inv_name_intern(&seg, text, strlen(text));
	}
	return NULL;
}

Test(names, several_threads_get_the_same_id_for_the_same_text)
{
	static uint32_t id[4][1000];
	pthread_t thread[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, intern_all, id[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (int i = 1; i < 4; i++)
		cr_expect(!memcmp(id[0], id[i], sizeof(id[0])));
	cr_expect_eq(seg.shared->name_count, 1000);
}

Test(names, a_full_table_gives_0_and_keeps_what_it_has)
{
	char text[32];
	uint32_t first = inv_name_intern(&seg, "first", 5), i = 0;
	while (i < INV_NAMES_MAX) {
		snprintf(text, sizeof(text), "n%u", i++);
		if (!inv_name_intern(&seg, text, strlen(text)))
			break;
	}
	cr_expect_lt(i, INV_NAMES_MAX);
	cr_expect_gt(i, INV_NAMES_MAX / 2);
	cr_expect_eq(inv_name_intern(&seg, "first", 5), first);
}

/* The program shares the pages with us: its stray stores are not followed out of them. */
Test(names, an_entry_that_points_outside_the_arena_is_not_followed)
{
	uint64_t hash = inv_name_hash("stray", 5);
	uint32_t id = (uint32_t)hash & (INV_NAMES_MAX - 1);
	seg.names[id] = INV_NAME_ENTRY(hash >> 48, 5, UINT32_MAX - 8);
	uint32_t other = inv_name_intern(&seg, "stray", 5);
	size_t length;
	cr_expect_neq(other, id);
	cr_expect_str_eq(inv_name_text(&seg, other, &length), "stray");
	cr_expect_null(inv_name_text(&seg, id, &length));
}

/* Strings are compared with the arena by whole blocks of 16: a read of a hole in a full file
 * system is a SIGBUS. */
Test(names, what_is_read_behind_a_text_is_reserved_with_it)
{
	char text[64];
	uint64_t chunk = UINT64_C(64) << 10;
	memset(text, 'x', sizeof(text));
	for (uint32_t i = 0; 64 + seg.shared->arena_used < chunk - 24; i++) {
		snprintf(text, 16, "%07u", i); /* eight bytes there */
		cr_assert_neq(inv_name_intern(&seg, text, 7), 0);
	}
	memset(text, 'y', sizeof(text)); /* ends at the end of what is reserved */
	cr_assert_neq(inv_name_intern(&seg, text, 23), 0);
	cr_assert_eq(64 + seg.shared->arena_used, chunk);
	cr_expect_geq(seg.shared->arena_reserved, chunk + 8);
}
