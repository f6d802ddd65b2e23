/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guard.h"
#include "jsonl.h"
#include "say.h"
#include "sessions.h"
#include "verbs.h"

#define CHUNK_BYTES (256u << 10)

struct inv_call *inv_src_add(struct inv_src *src)
{
	if (src->call_count == src->call_room) {
		size_t room = src->call_room ? src->call_room * 2 : 1024;
		struct inv_call *calls = realloc(src->calls, room * sizeof(*calls));
		if (!calls)
			return NULL;
		src->calls = calls;
		src->call_room = room;
	}
	return &src->calls[src->call_count++];
}

static bool new_chunk(struct inv_src *src, size_t length)
{
	char **chunks = realloc(src->chunks, (src->chunk_count + 1) * sizeof(*chunks));
	if (!chunks)
		return false;
	src->chunks = chunks;
	src->chunk_size = length > CHUNK_BYTES ? length : CHUNK_BYTES;
	chunks[src->chunk_count] = malloc(src->chunk_size);
	if (!chunks[src->chunk_count])
		return false;
	src->chunk_count++;
	src->chunk_used = 0;
	return true;
}

const char *inv_src_keep_text(struct inv_src *src, const char *text, size_t length)
{
	if (length == 0)
		return "";
	if (src->chunk_size - src->chunk_used < length && !new_chunk(src, length))
		return NULL;
	char *to = src->chunks[src->chunk_count - 1] + src->chunk_used;
	src->chunk_used += length;
	return memcpy(to, text, length);
}

void inv_src_drop_text(struct inv_src *src)
{
	for (size_t i = 0; i < src->chunk_count; i++)
		free(src->chunks[i]);
	src->chunk_count = src->chunk_used = src->chunk_size = 0;
}

int inv_src_add_lost(struct inv_src *src, uint32_t lane, uint64_t first, uint64_t last)
{
	size_t bytes = (src->lost_count + 1) * sizeof(*src->lost);
	struct inv_src_lost *lost = realloc(src->lost, bytes);
	if (!lost)
		return -ENOMEM;
	src->lost = lost;
	lost[src->lost_count++] = (struct inv_src_lost){lane, first, last};
	return 0;
}

/* ---- segments ------------------------------------------------------------------- */

static int load_slot(struct inv_src *src, uint32_t lane, uint64_t index)
{
	struct inv_event event;
	struct inv_event_text text;
	struct inv_call call;
	if (inv_view_event(&src->view, lane, index, &event) != INV_SLOT_READ_OK)
		return 0;
	if (event.state == INV_SLOT_TEXT)
		return 0;
	inv_decode_call(&src->decoder, &event, &text, &call);
	call.message = inv_src_keep_text(src, call.message, call.message_length);
	struct inv_call *to = inv_src_add(src);
	if (!call.message || !to)
		return -ENOMEM;
	*to = call;
	return 0;
}

static int load_lane(struct inv_src *src, uint32_t lane)
{
	uint64_t head = inv_view_head(&src->view, lane);
	uint32_t slots = inv_view_ring_slots(&src->view, lane);
	uint64_t first = head > slots ? head - slots + 1 : 1;
	for (uint64_t i = first; slots && head && i <= head; i++)
		if (load_slot(src, lane, i) < 0)
			return -ENOMEM;
	return head && first > 1 ? inv_src_add_lost(src, lane, 1, first - 1) : 0;
}

static int load_view(void *arg)
{
	struct inv_src *src = arg;
	uint32_t lanes = inv_view_lane_count(&src->view);
	for (uint32_t i = 0; i < lanes; i++)
		if (load_lane(src, i) < 0)
			return -ENOMEM;
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct inv_call *x = a, *y = b;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

/* Ended by another thread than began it: written whole there, under its first slot's id. */
static bool has_moved(const struct inv_call *call)
{
	return call->state == INV_CALL_DONE && (call->flags & INV_FLAG_REWRITTEN) &&
	       !(call->flags & INV_FLAG_FORKED);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void drop_moved(struct inv_src *src, const uint64_t *ids, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < src->call_count; i++) {
		const struct inv_call *call = &src->calls[i];
		if (call->state == INV_CALL_DONE ||
		    !bsearch(&call->id, ids, count, sizeof(*ids), by_number))
			src->calls[kept++] = *call;
	}
	src->call_count = kept;
}

int inv_src_join_moved(struct inv_src *src)
{
	size_t count = 0;
	for (size_t i = 0; i < src->call_count; i++)
		count += has_moved(&src->calls[i]);
	uint64_t *ids = count ? malloc(count * sizeof(*ids)) : NULL;
	if (!ids)
		return count ? -ENOMEM : 0;
	count = 0;
	for (size_t i = 0; i < src->call_count; i++)
		if (has_moved(&src->calls[i]))
			ids[count++] = src->calls[i].id;
	qsort(ids, count, sizeof(*ids), by_number);
	drop_moved(src, ids, count);
	free(ids);
	return 0;
}

void inv_src_sort(struct inv_src *src)
{
	if (src->call_count)
		qsort(src->calls, src->call_count, sizeof(*src->calls), by_start);
}

int inv_src_load(struct inv_src *src)
{
	int result = 0;
	if (src->kind != INV_SRC_JSONL)
		result = inv_guard_call(load_view, src);
	if (result == 0 && src->kind != INV_SRC_JSONL)
		result = inv_src_join_moved(src);
	inv_src_sort(src);
	return result;
}

/* ---- open and close -------------------------------------------------------------- */

struct opening {
	struct inv_src *src;
	uint32_t found;
	enum inv_result why;
};

static int open_view(void *arg)
{
	struct opening *o = arg;
	o->why = inv_view_open(&o->src->view, o->src->fd, &o->found);
	if (o->why != INV_OK)
		return -EINVAL;
	memcpy(o->src->view.seg.path, o->src->path, sizeof(o->src->path));
	const struct inv_header *h = o->src->view.seg.header;
	o->src->kind = h->flags & INV_HEADER_SNAPSHOT ? INV_SRC_SNAPSHOT : INV_SRC_LIVE;
	return inv_decoder_init(&o->src->decoder, &o->src->view, &o->src->words);
}

bool inv_src_is_lines(int fd, const char *path)
{
	char first = 0;
	ssize_t n = pread(fd, &first, 1, 0);
	size_t length = strlen(path);
	bool named = length > 6 && !strcmp(path + length - 6, ".jsonl");
	return n >= 0 && (named || (n == 1 && first == '{'));
}

static void say_bad_lines(const struct inv_src *src)
{
	bool one = src->bad_lines == 1;
	if (src->bad_lines)
		inv_say("invreg: %s: %llu %s skipped\n", src->path,
			(unsigned long long)src->bad_lines,
			one ? "line is no event and was" : "lines are no events and were");
}

static int open_lines(struct inv_src *src)
{
	src->kind = INV_SRC_JSONL;
	int result = inv_jsonl_read(src, src->fd);
	if (result == 0) {
		say_bad_lines(src);
		return 0;
	}
	inv_say("invreg: %s: %s\n", src->path,
		result == -EINVAL ? "not event lines (JSONL); was it written by `invreg`?"
				  : strerror(-result));
	return result == -EINVAL ? INV_EXIT_REFUSED : INV_EXIT_RUNTIME;
}

static int open_fd(struct inv_src *src)
{
	struct opening opening = {.src = src};
	if (inv_src_is_lines(src->fd, src->path))
		return open_lines(src);
	int result = inv_guard_call(open_view, &opening);
	if (result == 0)
		return 0;
	if (result == -ENOMEM) {
		inv_say("invreg: out of memory\n");
		return INV_EXIT_RUNTIME;
	}
	enum inv_result why = result == -EFAULT ? INV_E_CORRUPT : opening.why;
	return inv_sessions_refuse(src->path, why, opening.found);
}

int inv_src_open(struct inv_src *src, const char *dir, const char *name)
{
	*src = (struct inv_src){.fd = -1};
	int code = inv_sessions_open(dir, name, &src->fd, src->path, sizeof(src->path));
	if (code)
		return code;
	if (inv_words_init(&src->words) < 0) {
		inv_say("invreg: out of memory\n");
		code = INV_EXIT_RUNTIME;
	} else {
		code = open_fd(src);
	}
	if (code)
		inv_src_close(src);
	return code;
}

static int borrow_view(void *arg)
{
	struct inv_src *src = arg;
	const struct inv_header *h = src->view.seg.header;
	src->kind = h->flags & INV_HEADER_SNAPSHOT ? INV_SRC_SNAPSHOT : INV_SRC_LIVE;
	return inv_decoder_init(&src->decoder, &src->view, &src->words);
}

int inv_src_borrow(struct inv_src *src, const struct inv_view *view)
{
	*src = (struct inv_src){.fd = -1, .borrowed = true, .view = *view};
	int result = inv_words_init(&src->words) ? -ENOMEM : inv_guard_call(borrow_view, src);
	if (result < 0)
		inv_src_close(src);
	return result;
}

void inv_src_close(struct inv_src *src)
{
	inv_src_drop_text(src);
	free(src->chunks);
	free(src->calls);
	free(src->lost);
	inv_registry_free(src->exact);
	inv_decoder_free(&src->decoder);
	inv_words_free(&src->words);
	if (!src->borrowed)
		inv_view_close(&src->view);
	if (src->fd >= 0)
		close(src->fd);
	*src = (struct inv_src){.fd = -1};
}
