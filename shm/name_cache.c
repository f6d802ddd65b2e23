/* SPDX-License-Identifier: MIT */
/* name_cache.c - the misses: reading the program's memory with care, and the dictionary. */
#include "name_cache.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sandbox.h"

#define ASK_NO_AGAIN_AFTER 256u
#define BAD_HOW		   0x494e56 /* no `how` of sigprocmask */

static bool quietly;

void inv_name_cache_ask_quietly(void)
{
	quietly = true;
}

/* The kernel copies the set before it rejects `how`: EFAULT if it cannot, EINVAL if it can. */
static bool rejects_how(uintptr_t page)
{
	return syscall(SYS_rt_sigprocmask, BAD_HOW, page, NULL, 8) != 0 && errno != EFAULT;
}

/* Twice the cost, and some containers forbid it: for who looks at what we ask. */
static bool reads_itself(uintptr_t page)
{
	char byte;
	struct iovec to = {.iov_base = &byte, .iov_len = 1};
	struct iovec from = {.iov_base = (void *)page, .iov_len = 1};
	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1;
}

static bool kernel_can_read(uintptr_t page)
{
	if (!inv_sandbox_allows(INV_ASK_PAGE))
		return false;
	int saved = errno;
	bool readable = quietly ? reads_itself(page) : rejects_how(page);
	errno = saved;
	return readable;
}

static bool page_readable(struct inv_name_cache *cache, uintptr_t address)
{
	uint64_t last = (uint64_t)address | (INV_PAGE_BYTES - 1);
	struct inv_cached_page *c = &cache->pages[inv_page_slot(address)];
	if (c->last == last)
		return true;
	if (c->last == last - 1 && c->asks_left--)
		return false;
	bool readable = kernel_can_read(address & ~(uintptr_t)(INV_PAGE_BYTES - 1));
	c->last = readable ? last : last - 1;
	c->asks_left = ASK_NO_AGAIN_AFTER;
	return readable;
}

bool inv_readable(struct inv_name_cache *cache, const void *p, size_t length)
{
	uintptr_t from = (uintptr_t)p, to = from + (length ? length - 1 : 0);
	if (from < INV_PAGE_BYTES || to < from)
		return false;
	if (!page_readable(cache, from))
		return false;
	return from / INV_PAGE_BYTES == to / INV_PAGE_BYTES || page_readable(cache, to);
}

bool inv_readable_string(struct inv_name_cache *cache, const char *p, size_t most, size_t *length)
{
	size_t n = 0;
	while (n < most) {
		size_t in_page = INV_PAGE_BYTES - ((uintptr_t)(p + n) & (INV_PAGE_BYTES - 1));
		if (in_page > most - n)
			in_page = most - n;
		if (!inv_readable(cache, p + n, 1)) {
			*length = n;
			return n > 0;
		}
		size_t part = strnlen(p + n, in_page);
		n += part;
		if (part < in_page)
			break;
	}
	*length = n;
	return true;
}

bool inv_readable_bytes(struct inv_name_cache *cache, const char *p, size_t length)
{
	for (size_t part; length; p += part, length -= part) {
		part = length < INV_PAGE_BYTES ? length : INV_PAGE_BYTES;
		if (!inv_readable(cache, p, part))
			return false;
	}
	return true;
}

uint32_t inv_name_hit_slow(const struct inv_cached_name *c, const char *p)
{
	return c->text && inv_name_equal(p, c->text, c->length) ? c->id : 0;
}

static void remember_text(struct inv_name_cache *cache, struct inv_segment *seg, const char *p,
			  uint32_t id)
{
	size_t length = 0;
	const char *text = inv_name_text(seg, id, &length);
	if (text)
		inv_name_remember(cache, p, text, (uint32_t)length, id);
}

uint32_t inv_name_of_string_slow(struct inv_name_cache *cache, struct inv_segment *seg,
				 const char *p, struct inv_name_miss *miss)
{
	size_t length;
	if (!inv_readable_string(cache, p, INV_NAME_BYTES_MAX + 1, &length)) {
		*miss = (struct inv_name_miss){.unreadable = true};
		return INV_NAME_OTHER;
	}
	return inv_name_of_bytes_slow(cache, seg, p, length, miss);
}

uint32_t inv_name_of_bytes_slow(struct inv_name_cache *cache, struct inv_segment *seg,
				const char *p, size_t length, struct inv_name_miss *miss)
{
	*miss = (struct inv_name_miss){.text = NULL};
	if (length > INV_NAME_BYTES_MAX) {
		miss->truncated = true;
		length = INV_NAME_BYTES_MAX;
	} else if (!inv_readable(cache, p + length, 1)) {
		miss->truncated = true; /* no NUL, for which a hit would read on */
	}
	uint32_t id = inv_name_intern(seg, p, length);
	if (id == INV_NAME_OTHER) {
		miss->overflow = true;
		miss->text = p;
		miss->length = (uint32_t)length;
	} else if (!miss->truncated && !memchr(p, 0, length)) {
		/* a text with a NUL in it would be taken for the string before the NUL */
		remember_text(cache, seg, p, id);
	}
	return id;
}

static void remember_short(struct inv_name_cache *cache, const char *p, uint32_t length,
			   uint32_t id)
{
	uint64_t word[2] = {0};
	memcpy(word, p, length);
	uint64_t key = inv_short_key(word, length);
	*inv_name_cache_slot(cache, key) = (struct inv_cached_name){
		.key = key,
		.length = INV_SHORT_LENGTH(length),
		.id = id,
		.word = {word[0], word[1]},
	};
}

uint32_t inv_name_of_counted(struct inv_name_cache *cache, struct inv_segment *seg, const char *p,
			     uint64_t length, struct inv_name_miss *miss)
{
	*miss = (struct inv_name_miss){.truncated = length > INV_NAME_BYTES_MAX};
	if (miss->truncated)
		length = INV_NAME_BYTES_MAX;
	if (!inv_readable_bytes(cache, p, length)) {
		miss->unreadable = true;
		miss->truncated = false;
		return INV_NAME_OTHER;
	}
	uint32_t id = inv_name_intern(seg, p, length);
	if (id == INV_NAME_OTHER) {
		miss->overflow = true;
		miss->text = p;
		miss->length = (uint32_t)length;
	} else if (length <= INV_SHORT_MAX) {
		remember_short(cache, p, (uint32_t)length, id);
	} else if (!miss->truncated && !memchr(p, 0, length) &&
		   inv_readable(cache, p + length, 1)) {
		/* the entry serves strings at p, too, which are read up to their NUL */
		remember_text(cache, seg, p, id);
	}
	return id;
}

/* Decimal digits of number, ending before `end`. Returns: their start. */
static char *digits_before(char *end, uint64_t number, bool is_signed)
{
	bool negative = is_signed && (int64_t)number < 0;
	uint64_t rest = negative ? 0 - number : number;
	char *p = end;
	do {
		*--p = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (negative)
		*--p = '-';
	return p;
}

uint32_t inv_name_of_number_slow(struct inv_name_cache *cache, struct inv_segment *seg,
				 uint64_t number, bool is_signed, struct inv_name_miss *miss)
{
	char text[24];
	char *p = digits_before(text + sizeof(text), number, is_signed);
	*miss = (struct inv_name_miss){.text = NULL};
	uint32_t id = inv_name_intern(seg, p, (size_t)(text + sizeof(text) - p));
	if (id == INV_NAME_OTHER)
		miss->overflow = true;
	else
		*inv_name_cache_slot(cache, number) =
			(struct inv_cached_name){.key = number, .length = is_signed, .id = id};
	return id;
}
