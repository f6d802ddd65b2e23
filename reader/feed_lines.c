/* SPDX-License-Identifier: MIT */
/*
 * feed_lines.c - a file of event lines onto the hub, as it grows.
 *
 * Looked at every 100 ms; what follows the last newline waits for its rest, for ever if it
 * must. It is begun anew when it is shorter than what was read, when its beginning is not
 * what it was, or when its name leads to another file; that one is read once all of the old
 * one is. inotify was rejected: it tells nothing of a file on another machine's disk, and
 * the size has to be asked for anyway.
 *
 * Totals are of the events until the file ends with exact ones (`invoke_stats`).
 */
#include "feed_private.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "jsonl.h"
#include "now.h"
#include "verbs.h"

#define LOOK_MS	       100
#define IDLE_BOARD_MS  2000
#define CHUNK	       (1u << 20)
#define LINE_BYTES_MAX (16u << 20)
#define HEAD_BYTES     256u
#define UNENDED_MS     500 /* a last line without its newline is taken after so long */

struct lines {
	struct inv_feed *feed;
	const char *path;
	int fd;
	off_t offset;
	char head[HEAD_BYTES]; /* the file's first bytes, as they were read */
	size_t head_length;
	struct inv_src src; /* open calls, words, losses */
	struct inv_jsonl *parser;
	struct inv_registry *history;
	struct inv_nest *nest;
	struct inv_buf rest; /* of a line that has not ended */
	const struct inv_word *session;
	int64_t newest_ns, first_ns;
	uint64_t kept, missed;
	int64_t grown_ms, published_ms;
	bool dirty, published, caught_up, told_bad;
};

/* ---- begin and end ------------------------------------------------------------------ */

static int begin(struct lines *l)
{
	l->src = (struct inv_src){.fd = -1, .borrowed = true, .kind = INV_SRC_JSONL};
	l->offset = 0;
	l->head_length = 0;
	l->newest_ns = l->first_ns = 0;
	l->kept = l->missed = 0;
	l->published = false;
	l->feed->epoch++;
	if (inv_words_init(&l->src.words) || inv_buf_init(&l->rest, -1))
		return -ENOMEM;
	l->session = l->src.words.empty;
	l->parser = inv_jsonl_new(&l->src);
	l->history = inv_registry_new(inv_hub_keep(l->feed->hub));
	l->nest = calloc(1, sizeof(*l->nest));
	return l->parser && l->history && l->nest ? 0 : -ENOMEM;
}

static void end(struct lines *l)
{
	if (l->published)
		inv_feed_wait_board(l->feed, l->path);
	else
		inv_registry_free(l->history);
	l->history = NULL;
	inv_jsonl_free(l->parser);
	inv_src_close(&l->src);
	inv_buf_free(&l->rest);
	free(l->nest);
}

/* ---- lines ------------------------------------------------------------------------------ */

static int keep(void *arg, const struct inv_call *call)
{
	struct lines *l = arg;
	int64_t end = inv_call_end_ns(call);
	l->newest_ns = end > l->newest_ns ? end : l->newest_ns;
	l->kept++;
	return inv_registry_record(l->history, call);
}

static int take_line(struct lines *l, const char *line, size_t length)
{
	size_t before = l->src.call_count;
	if (length == 0)
		return 0;
	int result = inv_jsonl_line(l->parser, line, length);
	for (size_t i = 0; i < l->src.lost_count; i++)
		if (l->src.lost[i].last >= l->src.lost[i].first)
			l->missed += l->src.lost[i].last - l->src.lost[i].first + 1;
	l->src.lost_count = 0; /* counted */
	if (result == 0 && l->src.call_count > before) {
		const struct inv_call *call = &l->src.calls[before];
		l->session = call->session;
		if (!l->first_ns)
			l->first_ns = call->start_ns;
		l->newest_ns = call->start_ns > l->newest_ns ? call->start_ns : l->newest_ns;
		result = inv_nest_enter(l->nest, l->history, call);
	}
	return result;
}

/* Takes the whole lines of what has come; the rest waits. */
static int take_bytes(struct lines *l, const char *bytes, size_t length)
{
	const char *end;
	int result = 0;
	while (result == 0 && (end = memchr(bytes, '\n', length))) {
		size_t n = (size_t)(end - bytes);
		if (l->rest.length) {
			inv_buf_put(&l->rest, bytes, n);
			result = take_line(l, l->rest.data, l->rest.length);
			l->rest.length = 0;
		} else {
			result = take_line(l, bytes, n);
		}
		bytes += n + 1;
		length -= n + 1;
	}
	if (l->rest.length + length > LINE_BYTES_MAX) {
		l->src.bad_lines++; /* what comes of it up to its end is another bad line */
		l->rest.length = 0;
	} else {
		inv_buf_put(&l->rest, bytes, length);
	}
	return result ? result : l->rest.error;
}

/* Some programs do not end their last line: it is one when it ends as one. */
static int take_unended(struct lines *l)
{
	size_t n = l->rest.length;
	if (n == 0 || l->rest.data[n - 1] != '}' || inv_now_ms() - l->grown_ms < UNENDED_MS)
		return 0;
	int result = take_line(l, l->rest.data, n);
	l->rest.length = 0;
	l->dirty = true;
	return result ? result : inv_jsonl_hand_over(l->parser, keep, l);
}

/* Returns: how many bytes came, or -errno. */
static ssize_t read_more(struct lines *l, char *chunk)
{
	ssize_t n = pread(l->fd, chunk, CHUNK, l->offset);
	if (n <= 0)
		return n < 0 ? (errno == EINTR ? 0 : -errno) : 0;
	if (l->head_length < HEAD_BYTES) {
		ssize_t head = pread(l->fd, l->head, HEAD_BYTES, 0);
		l->head_length = head > 0 ? (size_t)head : 0;
	}
	l->offset += n;
	l->grown_ms = inv_now_ms();
	l->dirty = true;
	int result = take_bytes(l, chunk, (size_t)n);
	if (result == 0)
		result = inv_jsonl_hand_over(l->parser, keep, l);
	return result ? result : n;
}

/* ---- boards -------------------------------------------------------------------------------- */

static int make_cut(struct lines *l, struct inv_board *board)
{
	int result = inv_cut_take_tallies(&board->cut, &l->src);
	if (result < 0)
		return result;
	/* Exact lines come one an artifact: none is looked at before all are there. */
	board->totals = l->src.exact && l->caught_up ? l->src.exact : l->history;
	board->history = l->history;
	board->epoch = l->feed->epoch;
	board->cut.from_events = inv_registry_from_events(board->totals);
	inv_feed_set_missed(board, l->missed);
	inv_cut_count_lines(&board->cut, board->totals);
	board->cut.session = l->session;
	board->cut.created_ns = l->first_ns;
	board->cut.events_kept = l->kept + l->src.call_count;
	board->cut.events_lapped = l->missed;
	board->cut.taken_ns = l->newest_ns;
	for (size_t i = 0; i < board->cut.in_flight.count; i++) {
		struct inv_open_call *call = &board->cut.in_flight.calls[i];
		call->age_ns = 0;
		if (l->newest_ns > call->start_ns)
			call->age_ns = (uint64_t)l->newest_ns - (uint64_t)call->start_ns;
	}
	return 0;
}

static int publish(struct lines *l)
{
	struct inv_board *board = inv_board_new(INV_BOARD_FILE, l->path);
	if (!board)
		return -ENOMEM;
	int result = make_cut(l, board);
	if (result < 0) {
		free(board);
		return result;
	}
	inv_hub_publish(l->feed->hub, board);
	l->published = true;
	l->dirty = false;
	l->published_ms = inv_now_ms();
	return 0;
}

/* ---- the file ----------------------------------------------------------------------------------
 */

/* Its size, or its beginning, is not what was read. */
static bool rewritten(struct lines *l)
{
	struct stat st;
	char head[HEAD_BYTES];
	if (fstat(l->fd, &st) || st.st_size < l->offset)
		return true;
	ssize_t n = pread(l->fd, head, l->head_length, 0);
	return n != (ssize_t)l->head_length || memcmp(head, l->head, l->head_length) != 0;
}

/* Another file has the name. Returns: whether it is open now. */
static bool replaced(struct lines *l)
{
	struct stat named, open_one;
	if (stat(l->path, &named) || fstat(l->fd, &open_one) || !S_ISREG(named.st_mode) ||
	    (named.st_ino == open_one.st_ino && named.st_dev == open_one.st_dev))
		return false;
	int fd = open(l->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return false;
	close(l->fd);
	l->fd = fd;
	return true;
}

static int begin_anew(struct lines *l, const char *why)
{
	inv_say("invreg: %s: %s: read from its beginning\n", l->path, why);
	end(l);
	return begin(l);
}

/* Returns: bytes read, or -errno. */
static ssize_t look(struct lines *l, char *chunk)
{
	if (rewritten(l)) {
		int result = begin_anew(l, "was truncated or written anew");
		if (result < 0)
			return result;
	}
	ssize_t n = read_more(l, chunk);
	if (n == 0 && replaced(l)) {
		int result = begin_anew(l, "is another file now");
		return result < 0 ? result : read_more(l, chunk);
	}
	return n;
}

static int publish_when_due(struct lines *l, bool caught_up)
{
	l->dirty |= caught_up != l->caught_up;
	l->caught_up = caught_up;
	int64_t age = inv_now_ms() - l->published_ms;
	if (!l->published ? !caught_up && age < IDLE_BOARD_MS
			  : !l->dirty || age < INV_FEED_BOARD_MS)
		return 0;
	return publish(l);
}

static void say_bad_lines(struct lines *l)
{
	if (l->src.bad_lines && !l->told_bad)
		inv_say("invreg: %s: a line is no event and was skipped (so are others "
			"like it)\n",
			l->path);
	l->told_bad |= l->src.bad_lines > 0;
}

static int watch(struct lines *l, char *chunk)
{
	for (;;) {
		ssize_t n = look(l, chunk);
		if (n < 0)
			return (int)n;
		int result = n == 0 ? take_unended(l) : 0;
		if (result == 0)
			result = publish_when_due(l, n == 0);
		if (result < 0)
			return result;
		say_bad_lines(l);
		if (n > 0 ? inv_hub_stopped(l->feed->hub) : !inv_hub_rest(l->feed->hub, LOOK_MS))
			return 0;
	}
}

int inv_feed_lines(struct inv_feed *feed, const char *path, int fd)
{
	struct lines l = {.feed = feed, .path = path, .fd = fd};
	char *chunk = malloc(CHUNK);
	inv_say("invreg: serving %s\n", path);
	int result = begin(&l);
	if (result == 0)
		result = chunk ? watch(&l, chunk) : -ENOMEM;
	end(&l);
	free(chunk);
	close(l.fd);
	return result < 0 ? inv_feed_error(path, result) : 0;
}
