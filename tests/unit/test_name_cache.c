/* SPDX-License-Identifier: MIT */
/* test_name_cache.c - names of the program's own memory, readable or not. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shm/name_cache.h"

static char path[64];
static struct inv_segment seg;
static struct inv_name_cache cache;

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

TestSuite(name_cache, .init = make, .fini = drop);

static uint32_t id_of(const char *p, struct inv_name_miss *miss)
{
	memset(miss, 0, sizeof(*miss));
	return inv_name_of_string(&cache, &seg, p, miss);
}

static void expect_text(uint32_t id, const char *want)
{
	size_t length = 0;
	const char *text = inv_name_text(&seg, id, &length);
	cr_assert(text && length == strlen(want) && !memcmp(text, want, length), "%s", want);
}

static bool nothing_missed(const struct inv_name_miss *miss)
{
	return !miss->text && !miss->length && !miss->unreadable && !miss->overflow &&
	       !miss->truncated;
}

/* As it lies on a stack: what is left of others there must not be taken for what was missed. */
Test(name_cache, a_new_name_missed_nothing_whatever_the_miss_held)
{
	static const char *const text = "a new name";
	struct inv_name_miss miss;
	memset(&miss, 1, sizeof(miss));
	expect_text(inv_name_of_string(&cache, &seg, text, &miss), text);
	cr_expect(nothing_missed(&miss));
	cr_expect_neq(inv_name_hit(&cache, text), 0, "the name was not remembered");
	memset(&miss, 1, sizeof(miss));
	expect_text(inv_name_of_counted(&cache, &seg, "counted", 5, &miss), "count");
	cr_expect(nothing_missed(&miss));
	memset(&miss, 1, sizeof(miss));
	expect_text(inv_name_of_number(&cache, &seg, 17, false, &miss), "17");
	cr_expect(nothing_missed(&miss));
	memset(&miss, 1, sizeof(miss));
	cr_expect_eq(inv_name_of_string(&cache, &seg, NULL, &miss), 0);
	cr_expect(miss.unreadable && !miss.overflow && !miss.truncated);
}

Test(name_cache, unreadable_pointers_are_told_and_do_no_harm)
{
	struct inv_name_miss miss;
	const uintptr_t bad[] = {0, 1, 4095, (uintptr_t)1 << 62, UINTPTR_MAX};
	for (unsigned i = 0; i < 5; i++) {
		cr_expect_eq(id_of((const char *)bad[i], &miss), 0);
		cr_expect(miss.unreadable);
	}
}

Test(name_cache, a_string_may_end_exactly_at_an_unmapped_page)
{
	struct inv_name_miss miss;
	char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(two + 4096, 4096);
	memset(two, 'z', 4095);
	for (unsigned n = 0; n < 20; n++)
		for (int again = 0; again < 2; again++)
			expect_text(id_of(two + 4095 - n, &miss), two + 4095 - n);
}

Test(name_cache, a_string_that_runs_into_an_unmapped_page_is_cut_there_every_time)
{
	struct inv_name_miss miss;
	char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(two + 4096, 4096);
	memset(two, 'z', 4096);
	for (unsigned n = 1; n < 40; n++) {
		char want[41] = "";
		memset(want, 'z', n);
		for (int again = 0; again < 3; again++) {
			expect_text(id_of(two + 4096 - n, &miss), want);
			cr_expect(miss.truncated);
		}
	}
}

Test(name_cache, a_reused_buffer_is_never_mistaken)
{
	struct inv_name_miss miss;
	char buf[64];
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(buf, sizeof(buf), "name-%u-%.*s", i % 50, (int)(i % 9), "abcdefghi");
		expect_text(id_of(buf, &miss), buf);
	}
}

Test(name_cache, names_are_cut_at_1023_bytes_and_told)
{
	struct inv_name_miss miss;
	char text[1100];
	for (unsigned n = 1020; n < 1030; n++) {
		memset(text, 'q', sizeof(text));
		text[n] = 0;
		uint32_t id = id_of(text, &miss);
		cr_expect_eq(miss.truncated, n > 1023);
		text[n > 1023 ? 1023 : n] = 0;
		expect_text(id, text);
	}
}

Test(name_cache, numbers_are_decimal_and_signs_are_kept_apart)
{
	struct inv_name_miss miss = {0};
	expect_text(inv_name_of_number(&cache, &seg, UINT64_MAX, true, &miss), "-1");
	expect_text(inv_name_of_number(&cache, &seg, UINT64_MAX, false, &miss),
		    "18446744073709551615");
	expect_text(inv_name_of_number(&cache, &seg, UINT64_C(1) << 63, true, &miss),
		    "-9223372036854775808");
	expect_text(inv_name_of_number(&cache, &seg, 0, true, &miss), "0");
}

Test(name_cache, strings_at_equal_distances_do_not_share_a_slot)
{
	static const unsigned distances[] = {1, 8, 16, 32, 48, 64, 80, 96, 112, 144, 208, 304, 512};
	for (unsigned d = 0; d < sizeof(distances) / sizeof(*distances); d++) {
		bool taken[INV_NAME_CACHE_SLOTS] = {false};
		for (uint64_t i = 0; i < 64; i++) {
			uint64_t key = UINT64_C(0x55555556b660) + i * distances[d];
			size_t slot = (size_t)(inv_name_cache_slot(&cache, key) - cache.names);
			cr_assert_not(taken[slot], "%u bytes apart", distances[d]);
			taken[slot] = true;
		}
	}
}

#ifdef INV_BLOCK
/* A page of text whose NUL comes after `length`, `offset` bytes before the end of the page. */
static char *text_before(char *page, unsigned offset, unsigned length)
{
	char *p = page + INV_PAGE_BYTES - offset;
	memset(page, 'y', INV_PAGE_BYTES);
	for (unsigned i = 0; i < length; i++)
		p[i] = (char)('a' + i % 26);
	p[length] = 0;
	return p;
}

Test(name_cache, a_known_text_is_found_in_a_buffer_that_is_used_again)
{
	struct inv_name_miss miss;
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(page + 4096, 4096);
	for (unsigned length = 0; length < 70; length++)
		for (unsigned offset = length + 1; offset < 90; offset++) {
			char *p = text_before(page, offset, length);
			uint32_t known = inv_name_intern(&seg, p, length);
			inv_readable(&cache, p, 1);
			uint32_t found = inv_name_find(&cache, &seg, p);
			bool in_reach = length <= INV_NAME_FIND_MAX && length / 8 * 8 + 8 <= offset;
			cr_assert_eq(found, in_reach ? known : 0, "%u bytes, %u before the end",
				     length, offset);
			cr_assert(!found || inv_name_hit(&cache, p) == known);
			if (length) { /* the same buffer, other text: never the one that was there
				       */
				p[length / 2] ^= 0x55;
				cr_assert_eq(inv_name_hit(&cache, p), 0);
				cr_assert_neq(inv_name_find(&cache, &seg, p), known);
			}
			expect_text(id_of(p, &miss), p);
			memset(&cache.names, 0, sizeof(cache.names));
		}
}
#endif

Test(name_cache, a_page_that_is_not_known_is_not_read_by_a_find)
{
	inv_name_intern(&seg, "alice", 5);
	cr_expect_eq(inv_name_find(&cache, &seg, (const char *)(uintptr_t)4097), 0);
	cr_expect_eq(inv_name_find(&cache, &seg, NULL), 0);
	cr_expect_eq(inv_name_find(&cache, &seg, (const char *)UINTPTR_MAX), 0);
}
