/* SPDX-License-Identifier: MIT */
/* test_std_text.c - std::string and std::string_view, made by hand, whole and broken. */
#include "preload/std_text.h"

#include <stdio.h>
#include <sys/mman.h>

#include "preload/plan.h"
#include "tests/unit/segment_fixture.h"

static struct inv_name_cache cache;
static volatile uintptr_t nowhere = 0x10; /* no object that a compiler could think of */

static struct inv_std_string made(struct inv_std_string *at, const char *text, size_t length)
{
	*at = (struct inv_std_string){.text = at->held.local, .length = length};
	if (length <= INV_STD_LOCAL_MAX) {
		memcpy(at->held.local, text, length);
	} else {
		static char copy[64];
		memcpy(copy, text, length);
		copy[length] = 0;
		at->text = copy;
		at->held.capacity = length;
	}
	return *at;
}

static bool reads(const struct inv_std_string *s, const char *want, size_t length)
{
	struct inv_std_text text;
	return inv_std_string_read(&cache, s, &text) && text.length == length &&
	       memcmp(text.bytes, want, length) == 0;
}

Test(std_text, short_and_long_strings_are_read)
{
	struct inv_std_string s;
	made(&s, "", 0);
	cr_assert(reads(&s, "", 0));
	made(&s, "fifteen bytes_.", 15);
	cr_assert(reads(&s, "fifteen bytes_.", 15));
	made(&s, "sixteen bytes__.", 16);
	cr_assert(reads(&s, "sixteen bytes__.", 16));
	made(&s, "a\0b", 3);
	cr_assert(reads(&s, "a\0b", 3));
}

Test(std_text, what_does_not_hold_together_is_no_string)
{
	struct inv_std_string s;
	struct inv_std_text text;
	made(&s, "sixteen bytes__.", 16);
	s.held.capacity = 15;
	cr_expect_not(inv_std_string_read(&cache, &s, &text), "longer than its room");
	s.held.capacity = UINT64_MAX;
	cr_expect_not(inv_std_string_read(&cache, &s, &text), "no such room");
	s.held.capacity = 16;
	((char *)(uintptr_t)s.text)[16] = 'x';
	cr_expect_not(inv_std_string_read(&cache, &s, &text), "no zero byte");
	made(&s, "short", 5);
	s.length = 16;
	cr_expect_not(inv_std_string_read(&cache, &s, &text), "no room in the object");
	s.text = (const char *)0x10;
	cr_expect_not(inv_std_string_read(&cache, &s, &text), "text nowhere");
	s = (struct inv_std_string){.text = ""};
	cr_expect_not(inv_std_string_read(&cache, &s, &text), "too little room");
	cr_expect_eq(inv_std_string_known(&cache, (uintptr_t)&s), 0, "nor at sight");
	cr_expect_not(inv_std_string_read(&cache, NULL, &text));
	cr_expect_not(inv_std_string_read(&cache, (void *)UINTPTR_MAX, &text));
	cr_expect_not(inv_std_string_read(&cache, (void *)0x1000, &text));
}

/* By hand: a short and a long text of libc++, and a string from before GCC 5. */
Test(std_text, other_layouts_are_no_strings)
{
	static const char bytes[] = "of the other kind, and rather long";
	struct {
		uint64_t word[4];
	} libcxx_short = {{0}}, libcxx_long = {{0x31, sizeof(bytes) - 1, (uintptr_t)bytes, 0}},
	  old = {{(uintptr_t)bytes, 0x11, 3, 0}};
	struct inv_std_text text;
	memcpy(&libcxx_short, "\012alice", 6);
	cr_expect_not(inv_std_string_read(&cache, &libcxx_short, &text));
	memset(&libcxx_short, 0, sizeof(libcxx_short));
	cr_expect_not(inv_std_string_read(&cache, &libcxx_short, &text), "empty");
	cr_expect_not(inv_std_string_read(&cache, &libcxx_long, &text));
	cr_expect_not(inv_std_string_read(&cache, &old, &text));
	/* its view has the address first */
	cr_expect_not(inv_std_view_take((uintptr_t)bytes, 4, &text));
}

Test(std_text, a_view_may_be_empty_and_nowhere)
{
	struct inv_std_text text;
	struct inv_std_view view = {0, NULL};
	cr_expect(inv_std_view_take(0, 0, &text) && text.bytes && !text.length);
	cr_expect(inv_std_view_read(&cache, &view, &text) && text.bytes && !text.length);
	cr_expect_not(inv_std_view_read(&cache, (void *)0x10, &text));
}

static uint32_t name_of(const char *bytes, uint64_t length, struct inv_name_miss *miss)
{
	memset(miss, 0, sizeof(*miss));
	uint32_t id = inv_name_counted_known(&cache, bytes, length);
	return id ? id : inv_name_of_counted(&cache, &fix_segment, bytes, length, miss);
}

static bool named(uint32_t id, const char *text, size_t wanted)
{
	size_t length = 0;
	const char *have = inv_name_text(&fix_segment, id, &length);
	return have && length == wanted && memcmp(have, text, length) == 0;
}

Test(std_text, counted_names_of_every_length_are_told_apart)
{
	struct inv_name_miss miss;
	char *text = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fix_open();
	cr_assert_neq(text, MAP_FAILED);
	munmap(text + 4096, 4096);
	for (int round = 0; round < 3; round++)
		for (size_t n = 0; n <= 300; n++) {
			char *at = text + 4096 - n; /* it ends with its page */
			memset(at, 'a' + round, n);
			for (int again = 0; again < 2; again++)
				cr_assert(named(name_of(at, n, &miss), at, n), "%zu bytes", n);
			cr_assert_not(miss.truncated || miss.unreadable);
		}
}

Test(std_text, a_short_text_is_known_wherever_it_lies_and_a_zero_byte_is_one)
{
	struct inv_name_miss miss;
	char one[64] = "alice\0x", two[64] = "bob";
	fix_open();
	uint32_t five = name_of(one, 5, &miss), six = name_of(one, 6, &miss);
	uint32_t seven = name_of(one, 7, &miss), bob = name_of(two, 3, &miss);
	cr_assert(named(five, "alice", 5) && named(six, "alice\0", 6) &&
		  named(seven, "alice\0x", 7) && named(bob, "bob", 3));
	memcpy(two, one, sizeof(two));
	cr_assert_eq(inv_name_counted_known(&cache, two, 5), five);
	cr_assert_eq(inv_name_counted_known(&cache, two, 6), six);
	cr_assert_eq(inv_name_counted_known(&cache, two, 7), seven);
	cr_assert_eq(inv_name_counted_known(&cache, two, 4), 0);
}

Test(std_text, a_long_text_is_compared_to_its_last_byte)
{
	struct inv_name_miss miss;
	char text[64] = "a text of more than sixteen bytes", other[64];
	fix_open();
	size_t n = strlen(text);
	uint32_t id = name_of(text, n, &miss);
	strcpy(other, text);
	cr_assert_eq(inv_name_counted_known(&cache, text, n), id);
	for (size_t i = 0; i < n; i++) {
		text[i] ^= 1;
		cr_assert_eq(inv_name_counted_known(&cache, text, n), 0, "byte %zu", i);
		text[i] ^= 1;
	}
	cr_assert_eq(inv_name_counted_known(&cache, text, n - 1), 0);
	cr_assert_eq(name_of(other, n, &miss), id);
}

Test(std_text, a_name_that_is_too_long_is_cut_and_one_that_is_not_there_told)
{
	struct inv_name_miss miss;
	static char text[3000];
	fix_open();
	memset(text, 'x', sizeof(text));
	cr_assert(named(name_of(text, sizeof(text), &miss), text, INV_NAME_BYTES_MAX));
	cr_assert(miss.truncated);
	cr_assert_eq(name_of((const char *)nowhere, 5, &miss), INV_NAME_OTHER);
	cr_assert(miss.unreadable);
	cr_assert_eq(name_of((const char *)nowhere, 5000, &miss), INV_NAME_OTHER);
	cr_assert(miss.unreadable && !miss.truncated);
}

/* The same bytes as a number's key, as a pointer, as a counted text. */
Test(std_text, numbers_strings_and_counted_texts_are_never_taken_for_each_other)
{
	struct inv_name_miss miss = {0};
	char text[16] = "7";
	fix_open();
	uint64_t word[2];
	inv_short_words(text, 1, word);
	uint64_t key = inv_short_key(word, 1);
	uint32_t seven = name_of(text, 1, &miss);
	uint32_t number = inv_name_of_number(&cache, &fix_segment, key, false, &miss);
	cr_assert_neq(seven, number);
	cr_assert_neq(inv_name_of_number(&cache, &fix_segment, key, false, &miss), seven);
	cr_assert_eq(name_of(text, 1, &miss), seven);
	cr_assert_eq(inv_name_of_string(&cache, &fix_segment, text, &miss), seven);
	cr_assert_eq(inv_name_hit(&cache, (const char *)(uintptr_t)key), 0, "no pointer: not read");
}

/* More of one length than the cache has slots, short and long, again and again. */
Test(std_text, texts_that_share_a_slot_are_told_apart)
{
	static char texts[1000][2][32];
	struct inv_name_miss miss;
	fix_open();
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 1000; i++) {
			snprintf(texts[i][0], 32, "n%06d", i);
			snprintf(texts[i][1], 32, "%06d is a longer text", i);
			for (int k = 0; k < 2; k++) {
				const char *text = texts[i][k];
				cr_assert(named(name_of(text, strlen(text), &miss), text,
						strlen(text)),
					  "%s", text);
			}
		}
}
