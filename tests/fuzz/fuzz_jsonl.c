/* SPDX-License-Identifier: MIT */
/*
 * fuzz_jsonl.c - any bytes as a file of event lines.
 *
 * Read whole, as by every command, and line by line with the calls that are done handed over
 * in between, as by the server. What was read is reported ([F11]..[F13] of use.h).
 */
#include "fuzz.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reader/feed_private.h"
#include "reader/jsonl.h"
#include "use.h"

static void open_source(struct inv_src *src)
{
	*src = (struct inv_src){.fd = -1, .borrowed = true, .kind = INV_SRC_JSONL};
	FUZZ_REQUIRE(inv_words_init(&src->words) == 0);
}

/* A cut takes the calls that a source was loaded with: each use has its own. */
static void read_whole(int fd, unsigned variant)
{
	struct inv_src src;
	open_source(&src);
	FUZZ_REQUIRE(lseek(fd, 0, SEEK_SET) == 0);
	int result = inv_jsonl_read(&src, fd);
	FUZZ_REQUIRE(result == 0 || result == -EINVAL);
	if (result == 0 && variant & 128) {
		fuzz_use_calls(&src);
		FUZZ_REQUIRE(fuzz_use_cut(&src, variant) == 0);
	} else if (result == 0) {
		FUZZ_REQUIRE(fuzz_use_server(&src, variant) == 0);
	}
	inv_src_close(&src);
}

struct growing {
	struct inv_src src;
	struct inv_registry *history;
	struct inv_nest *nest;
	uint64_t kept;
};

static int keep(void *arg, const struct inv_call *call)
{
	struct growing *g = arg;
	FUZZ_REQUIRE(call->state == INV_CALL_DONE);
	g->kept++;
	return inv_registry_record(g->history, call);
}

static void take_line(struct growing *g, struct inv_jsonl *parser, const char *line, size_t n)
{
	size_t before = g->src.call_count;
	FUZZ_REQUIRE(inv_jsonl_line(parser, line, n) == 0);
	if (g->src.call_count > before)
		FUZZ_REQUIRE(inv_nest_enter(g->nest, g->history, &g->src.calls[before]) == 0);
}

/* `each`: lines between two times that calls are handed over. */
static void read_growing(const char *bytes, size_t size, unsigned each)
{
	struct growing g = {.history = inv_registry_new(16), .nest = calloc(1, sizeof(*g.nest))};
	const char *end = bytes + size;
	open_source(&g.src);
	struct inv_jsonl *parser = inv_jsonl_new(&g.src);
	FUZZ_REQUIRE(parser && g.history && g.nest);
	for (unsigned lines = 1; bytes < end; lines++) {
		const char *next = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t n = (size_t)((next ? next : end) - bytes);
		if (n)
			take_line(&g, parser, bytes, n);
		if (lines % each == 0)
			FUZZ_REQUIRE(inv_jsonl_hand_over(parser, keep, &g) == 0);
		bytes += n + 1;
	}
	FUZZ_REQUIRE(inv_jsonl_hand_over(parser, keep, &g) == 0);
	for (size_t i = 0; i < g.src.call_count; i++)
		FUZZ_REQUIRE(g.src.calls[i].state != INV_CALL_DONE);
	inv_jsonl_free(parser);
	inv_registry_free(g.history);
	inv_src_close(&g.src);
	free(g.nest);
}

/* The first byte chooses. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	unsigned variant = *data++;
	size--;
	int fd = memfd_create("jsonl", MFD_CLOEXEC);
	FUZZ_REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	read_whole(fd, variant);
	close(fd);
	char *bytes = fuzz_string(data, size);
	read_growing(bytes, size, 1 + variant % 3);
	free(bytes);
	return 0;
}
