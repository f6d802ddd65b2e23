/* SPDX-License-Identifier: MIT */
/*
 * source.h - what a command reads: a live segment, a raw snapshot, or event lines.
 *
 * All three give calls (attempt and outcome merged) and fill a registry. A segment fills
 * it exactly, from its tallies; so does a file that ends with `invoke_stats` lines; other
 * files fill it from their events, and the registry then says so.
 *
 * (The prefix is inv_src_: inv_source_ belongs to probe files.)
 *
 * One thread at a time. Guards its own reads of the mapping.
 */
#ifndef INV_READER_SOURCE_H
#define INV_READER_SOURCE_H

#include "call.h"
#include "decode.h"
#include "registry.h"
#include "shm/view.h"

enum inv_src_kind { INV_SRC_LIVE, INV_SRC_SNAPSHOT, INV_SRC_JSONL };

struct inv_src_lost {
	uint32_t lane;
	uint64_t first, last;
};

struct inv_src {
	enum inv_src_kind kind;
	char path[512];
	int fd;
	struct inv_words words;
	struct inv_view view;	    /* LIVE, SNAPSHOT */
	struct inv_decoder decoder; /* LIVE, SNAPSHOT */
	bool borrowed;		    /* the view is the caller's */
	struct inv_call *calls;	    /* by inv_src_load, in order of start */
	size_t call_count, call_room;
	struct inv_src_lost *lost; /* ranges that events are missing of */
	size_t lost_count;
	char **chunks; /* text of messages */
	size_t chunk_count, chunk_used, chunk_size;
	struct inv_registry *exact; /* JSONL: from its invoke_stats lines, or NULL */
	uint64_t reported_lost[32]; /* JSONL: by reason, as its invoke_losses line says */
	double reported_cost_ns;    /* JSONL: of the shim, as its invoke_losses line says */
	bool reported_at_least;
	uint64_t reported_elapsed_ns;
	uint64_t bad_lines; /* JSONL: not valid, skipped */
};

/*
 * Opens what `name` means in `dir` (both may be NULL; see inv_sessions_open).
 * Returns: 0, or the exit code after one line on stderr.
 */
int inv_src_open(struct inv_src *src, const char *dir, const char *name);

/* Whether a file holds event lines: by its name or its first byte. */
bool inv_src_is_lines(int fd, const char *path);

/* A source over a view that stays the caller's. Returns: 0, -ENOMEM, -EFAULT (truncated). */
int inv_src_borrow(struct inv_src *src, const struct inv_view *view);
void inv_src_close(struct inv_src *src);

/* Reads all calls. Returns: 0, -ENOMEM, -EFAULT (truncated under us), -EIO. */
int inv_src_load(struct inv_src *src);

/*
 * Drops the first slot of each call that another thread ended: the other one tells all of it.
 * Returns: 0 or -ENOMEM, and then both are left.
 */
int inv_src_join_moved(struct inv_src *src);

/* Puts the calls in order of start; inv_src_load has done so. */
void inv_src_sort(struct inv_src *src);

/* For readers of a source: room for one call more, and a copy of text that lasts. */
struct inv_call *inv_src_add(struct inv_src *src);
const char *inv_src_keep_text(struct inv_src *src, const char *text, size_t length);
void inv_src_drop_text(struct inv_src *src); /* all of it */
int inv_src_add_lost(struct inv_src *src, uint32_t lane, uint64_t first, uint64_t last);

#endif
