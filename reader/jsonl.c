/* SPDX-License-Identifier: MIT */
#include "jsonl.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "shm/layout.h"
#include "shm/proc.h"

/* What nanoseconds in 64 bits reach, some 290 years from 1970. */
#define SECONDS_MOST INT64_C(9200000000)
#define DEPTH_MOST   64u  /* of nested calls whose callers are told apart */
#define STAMP_NS     1000 /* what a timestamp is cut to */

/*
 * The newest call of each key: open addressing. An entry is 0 when there is none, else
 * ENTRY() of the call's place in src->calls.
 */
struct index {
	size_t *entries;
	size_t mask, used;
};

#define ENTRY(place)	   (2 * (size_t)(place) + 2)
#define ENTRY_PLACE(entry) (((entry)-2) / 2)
#define ENTRY_ORPHAN	   ((size_t)1) /* only the outcome has been read */

/*
 * What an attempt and its outcome have in common. `call` alone is not enough: it is the same
 * in the runs of a file of several, and a child takes it along when it is forked in the call.
 */
struct key {
	uint64_t id;
	const struct inv_word *session;
	uint32_t pid; /* 0: not known, and any */
};

struct inv_jsonl {
	struct inv_src *src;
	struct json_tokener *parser;
	struct index index;
	uint64_t good;
	struct key within[INV_LANES_MAX][DEPTH_MOST]; /* the newest call of each depth */
	double line_unit; /* nanoseconds in a unit of this line's buckets */
};

/* ---- fields --------------------------------------------------------------------- */

static struct json_object *field(struct json_object *line, const char *name)
{
	struct json_object *value = NULL;
	json_object_object_get_ex(line, name, &value);
	return value;
}

static int64_t number(struct json_object *line, const char *name)
{
	return json_object_get_int64(field(line, name)); /* 0 of what is no number */
}

static uint64_t count(struct json_object *line, const char *name)
{
	int64_t n = number(line, name);
	return n < 0 ? 0 : (uint64_t)n;
}

static const struct inv_word *word(struct inv_jsonl *r, struct json_object *line, const char *name)
{
	struct json_object *value = field(line, name);
	if (!json_object_is_type(value, json_type_string))
		return r->src->words.empty;
	return inv_words_get(&r->src->words, json_object_get_string(value),
			     (size_t)json_object_get_string_len(value));
}

static uint64_t ms_as_ns(struct json_object *line, const char *name)
{
	double ms = json_object_get_double(field(line, name));
	return ms > 0 && ms < 9e12 ? (uint64_t)llround(ms * 1e6) : 0;
}

static int64_t timestamp(struct json_object *line)
{
	struct tm tm = {0};
	unsigned micro = 0;
	const char *text = json_object_get_string(field(line, "timestamp"));
	if (!text || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%6uZ", &tm.tm_year, &tm.tm_mon,
			    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &micro) < 6)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	int64_t seconds = timegm(&tm);
	if (seconds < -SECONDS_MOST || seconds > SECONDS_MOST)
		return 0;
	return seconds * INT64_C(1000000000) + (int64_t)micro * 1000;
}

static bool flagged(struct json_object *line, const char *name)
{
	return json_object_get_boolean(field(line, name));
}

static uint8_t flags_of(struct json_object *line)
{
	return (uint8_t)((flagged(line, "forked") ? INV_FLAG_FORKED : 0u) |
			 (flagged(line, "rewritten") ? INV_FLAG_REWRITTEN : 0u) |
			 (flagged(line, "truncated") ? INV_FLAG_TRUNCATED : 0u) |
			 (flagged(line, "unreadable") ? INV_FLAG_UNREADABLE : 0u) |
			 (flagged(line, "clamped") ? INV_FLAG_CLAMPED : 0u));
}

/* ---- attempts and outcomes -------------------------------------------------------- */

static size_t slot_of(const struct index *index, const struct key *key)
{
	uint64_t hash = (key->id ^ key->session->hash) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(hash >> 20) & index->mask;
}

static struct key key_of_call(const struct inv_call *call)
{
	return (struct key){call->id, call->session, call->pid};
}

static bool is_of(const struct inv_call *call, const struct key *key)
{
	return call->id == key->id && call->session == key->session &&
	       (call->pid == key->pid || !call->pid || !key->pid);
}

/* The entry of the key, or the empty one where it would be. */
static size_t *entry_of(struct inv_jsonl *r, const struct key *key)
{
	size_t i = slot_of(&r->index, key), *entries = r->index.entries;
	while (entries[i] && !is_of(&r->src->calls[ENTRY_PLACE(entries[i])], key))
		i = (i + 1) & r->index.mask;
	return &entries[i];
}

static void put_entry(struct inv_jsonl *r, size_t entry)
{
	struct key key = key_of_call(&r->src->calls[ENTRY_PLACE(entry)]);
	size_t i = slot_of(&r->index, &key);
	while (r->index.entries[i])
		i = (i + 1) & r->index.mask;
	r->index.entries[i] = entry;
}

static int grow(struct inv_jsonl *r)
{
	struct index old = r->index;
	size_t slots = old.entries ? (old.mask + 1) * 2 : 4096;
	size_t *entries = calloc(slots, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	r->index.entries = entries;
	r->index.mask = slots - 1;
	for (size_t i = 0; old.entries && i <= old.mask; i++)
		if (old.entries[i])
			put_entry(r, old.entries[i]);
	free(old.entries);
	return 0;
}

/* Lines that others wrote have no `call`: what was called, by whom and when stands for it. */
static struct key key_of(struct inv_jsonl *r, struct json_object *line)
{
	struct key key = {.session = word(r, line, "session"), .pid = (uint32_t)count(line, "pid")};
	if (json_object_is_type(field(line, "call"), json_type_int)) {
		key.id = count(line, "call");
		return key;
	}
	key.id = (uint64_t)number(line, "tick") ^ word(r, line, "invoker_id")->hash;
	key.id = key.id * UINT64_C(0xff51afd7ed558ccd) + word(r, line, "artifact_id")->hash;
	key.id = key.id * UINT64_C(0xff51afd7ed558ccd) + word(r, line, "method")->hash;
	key.id >>= 12; /* exact as a double, too */
	return key;
}

/*
 * Finds the call that a line belongs to, or begins it: an attempt begins one, but where its
 * outcome came before it; an outcome ends one that is open, else it is a call of its own.
 * Returns: NULL when out of memory.
 */
static struct inv_call *call_of(struct inv_jsonl *r, struct json_object *line, bool attempt,
				bool *is_new)
{
	if (r->index.used * 2 >= r->index.mask && grow(r) < 0)
		return NULL;
	struct key key = key_of(r, line);
	size_t *entry = entry_of(r, &key);
	struct inv_call *call = *entry ? &r->src->calls[ENTRY_PLACE(*entry)] : NULL;
	*is_new = !call || !(attempt ? *entry & ENTRY_ORPHAN : call->state == INV_CALL_OPEN);
	if (!*is_new) {
		*entry &= ~ENTRY_ORPHAN;
		return call;
	}
	call = inv_src_add(r->src);
	if (!call)
		return NULL;
	r->index.used += *entry == 0;
	*entry = ENTRY(r->src->call_count - 1) | (attempt ? 0 : ENTRY_ORPHAN);
	*call = (struct inv_call){.id = key.id,
				  .lane = (uint32_t)INV_CALL_LANE(key.id),
				  .session = key.session,
				  .pid = key.pid,
				  .message = ""};
	return call;
}

static void take_common(struct inv_jsonl *r, struct json_object *line, struct inv_call *call)
{
	call->sequence = count(line, "sequence");
	call->tick = number(line, "tick");
	call->invoker = word(r, line, "invoker_id");
	call->artifact = word(r, line, "artifact_id");
	call->method = word(r, line, "method");
	call->tid = (uint32_t)count(line, "tid");
	call->depth = (uint8_t)count(line, "depth");
	call->probe = word(r, line, "probe");
}

/* In which call of its lane it was made. */
static void nest(struct inv_jsonl *r, struct inv_call *call)
{
	if (call->lane >= INV_LANES_MAX || call->depth >= DEPTH_MOST)
		return;
	struct key *within = r->within[call->lane];
	within[call->depth] = key_of_call(call);
	if (call->depth > 0 && within[call->depth - 1].session == call->session &&
	    within[call->depth - 1].pid == call->pid)
		call->parent = within[call->depth - 1].id;
}

/* The caller's own time is without it. One that ended before it is not its caller. */
static void leave(struct inv_jsonl *r, const struct inv_call *call)
{
	struct key key = {call->parent, call->session, call->pid};
	size_t entry = call->parent ? *entry_of(r, &key) : 0;
	struct inv_call *caller = entry ? &r->src->calls[ENTRY_PLACE(entry)] : NULL;
	if (caller && (caller->state == INV_CALL_OPEN ||
		       inv_call_end_ns(caller) + STAMP_NS > inv_call_end_ns(call)))
		caller->nested_ns += call->duration_ns;
}

/* Timestamps are cut to microseconds, the duration is not: both ends stay within theirs. */
static void put_start(struct inv_call *call, int64_t end_ns, bool known)
{
	int64_t start;
	if (__builtin_sub_overflow(end_ns, call->duration_ns, &start))
		start = 0;
	if (!known || (start > call->start_ns && start - call->start_ns < STAMP_NS))
		call->start_ns = start;
}

static int take_attempt(struct inv_jsonl *r, struct json_object *line)
{
	bool is_new;
	struct inv_call *call = call_of(r, line, true, &is_new);
	if (!call)
		return -ENOMEM;
	if (is_new)
		take_common(r, line, call);
	call->start_ns = timestamp(line);
	if (is_new)
		nest(r, call);
	call->args_count = (uint16_t)count(line, "args_count");
	return 0;
}

static int take_message(struct inv_jsonl *r, struct json_object *line, struct inv_call *call)
{
	struct json_object *text = field(line, "error_message");
	if (!json_object_is_type(text, json_type_string))
		return 0;
	size_t length = (size_t)json_object_get_string_len(text);
	call->message = inv_src_keep_text(r->src, json_object_get_string(text), length);
	if (!call->message) {
		call->message = "";
		return -ENOMEM;
	}
	call->message_length = (uint32_t)length;
	return 0;
}

static int take_outcome(struct inv_jsonl *r, struct json_object *line, bool failed)
{
	bool is_new;
	struct inv_call *call = call_of(r, line, false, &is_new);
	if (!call)
		return -ENOMEM;
	if (is_new)
		take_common(r, line, call);
	call->state = INV_CALL_DONE;
	call->flags = (uint8_t)(flags_of(line) | (failed ? INV_FLAG_FAILED : 0u));
	call->duration_ns = ms_as_ns(line, "duration_ms");
	call->type = word(r, line, failed ? "error_type" : "result_type");
	put_start(call, timestamp(line), !is_new);
	leave(r, call);
	return failed ? take_message(r, line, call) : 0;
}

/* ---- exact totals ------------------------------------------------------------------ */

/* Nanoseconds in the registry's unit. */
static uint64_t in_unit(const struct inv_jsonl *r, struct json_object *cell, const char *name)
{
	double v = (double)ms_as_ns(cell, name) / inv_registry_ns_per_unit(r->src->exact);
	return v < 9e18 ? (uint64_t)(v + 0.5) : 0;
}

/* A bucket of another unit (files of several machines in one): by its middle. */
static uint32_t moved(uint32_t bucket, double scale)
{
	if (scale == 1.0)
		return bucket;
	double middle = ((double)inv_bucket_low(bucket) + (double)inv_bucket_low(bucket + 1)) / 2;
	double v = middle * scale;
	return inv_bucket_of(v < 9e18 ? (uint64_t)v : UINT64_MAX);
}

static void take_bucket(struct json_object *pair, struct inv_hist *hist, double scale)
{
	if (!json_object_is_type(pair, json_type_array) || json_object_array_length(pair) != 2)
		return;
	int64_t at = json_object_get_int64(json_object_array_get_idx(pair, 0));
	int64_t n = json_object_get_int64(json_object_array_get_idx(pair, 1));
	if (at < 0 || at >= (int64_t)INV_HIST_BUCKETS || n < 0)
		return;
	hist->bucket[moved((uint32_t)at, scale)] += (uint64_t)n;
	hist->count += (uint64_t)n;
}

static void take_buckets(struct json_object *cell, struct inv_hist *hist, double scale)
{
	struct json_object *buckets = field(cell, "buckets");
	if (!json_object_is_type(buckets, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(buckets); i++)
		take_bucket(json_object_array_get_idx(buckets, i), hist, scale);
}

static int take_cell(struct inv_jsonl *r, const struct inv_word *artifact, struct json_object *cell)
{
	struct inv_hist hist = {.sum = in_unit(r, cell, "sum_ms"),
				.self = in_unit(r, cell, "self_ms"),
				.min = in_unit(r, cell, "min_ms"),
				.max = in_unit(r, cell, "max_ms"),
				.last = in_unit(r, cell, "last_end_ms"),
				.last_tick = number(cell, "last_tick")};
	struct inv_key key = {artifact, word(r, cell, "method"), word(r, cell, "type"),
			      flagged(cell, "failed")};
	take_buckets(cell, &hist, r->line_unit / inv_registry_ns_per_unit(r->src->exact));
	return inv_registry_add_hist(r->src->exact, &key, &hist);
}

static int take_pair(struct inv_jsonl *r, const struct inv_word *artifact, struct json_object *pair)
{
	return inv_registry_add_pair(r->src->exact, word(r, pair, "invoker_id"), artifact,
				     count(pair, "calls"), count(pair, "failures"),
				     in_unit(r, pair, "sum_ms"));
}

static int each(struct inv_jsonl *r, struct json_object *line, const char *name,
		const struct inv_word *artifact,
		int (*take)(struct inv_jsonl *, const struct inv_word *, struct json_object *))
{
	struct json_object *list = field(line, name);
	if (!json_object_is_type(list, json_type_array))
		return 0;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (take(r, artifact, json_object_array_get_idx(list, i)) < 0)
			return -ENOMEM;
	return 0;
}

static int take_stats(struct inv_jsonl *r, struct json_object *line)
{
	const struct inv_word *artifact = word(r, line, "artifact_id");
	r->line_unit = json_object_get_double(field(line, "bucket_unit_ns"));
	if (!(r->line_unit > 1e-6 && r->line_unit < 1e6))
		r->line_unit = 1.0;
	if (!r->src->exact && (r->src->exact = inv_registry_new(0)))
		inv_registry_set_unit(r->src->exact, r->line_unit);
	if (!r->src->exact || each(r, line, "cells", artifact, take_cell) < 0)
		return -ENOMEM;
	return each(r, line, "invokers", artifact, take_pair);
}

/* A number of this many at most; else 0. */
static double real(struct json_object *object, const char *name, double most)
{
	double value = json_object_get_double(field(object, name));
	return value > 0 && value <= most ? value : 0;
}

static int take_losses(struct inv_jsonl *r, struct json_object *line)
{
	struct json_object *list = field(line, "lost"), *shim = field(line, "shim");
	r->src->reported_cost_ns = real(shim, "cost_ns_per_call", 1e9);
	r->src->reported_at_least = json_object_get_boolean(field(shim, "cost_at_least"));
	r->src->reported_elapsed_ns = (uint64_t)(real(shim, "elapsed_ms", 1e12) * 1e6);
	if (!json_object_is_type(list, json_type_array))
		return 0;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *row = json_object_array_get_idx(list, i);
		const char *reason = json_object_get_string(field(row, "reason"));
		for (unsigned k = 0; reason && k < INV_LOSS_COUNT; k++)
			if (!strcmp(reason, inv_loss_name((enum inv_loss)k)))
				r->src->reported_lost[k] += count(row, "count");
		if (reason && !strcmp(reason, "lapped"))
			r->src->reported_lost[INV_LOSS_COUNT] += count(row, "count");
	}
	return 0;
}

/* ---- lines ---------------------------------------------------------------------------- */

static int take_event(struct inv_jsonl *r, struct json_object *line, const char *type)
{
	if (!strcmp(type, "invoke_attempt"))
		return take_attempt(r, line);
	if (!strcmp(type, "invoke_success"))
		return take_outcome(r, line, false);
	if (!strcmp(type, "invoke_failure"))
		return take_outcome(r, line, true);
	if (!strcmp(type, "events_lost"))
		return inv_src_add_lost(r->src, (uint32_t)count(line, "lane"), count(line, "first"),
					count(line, "last"));
	if (!strcmp(type, "invoke_stats"))
		return take_stats(r, line);
	return strcmp(type, "invoke_losses") ? 0 : take_losses(r, line);
}

/* *used: how much of the text that was; all of it, where it is no event. */
static int take_object(struct inv_jsonl *r, const char *text, size_t n, size_t *used)
{
	int result = 0;
	json_tokener_reset(r->parser);
	struct json_object *line =
		n < (1u << 30) ? json_tokener_parse_ex(r->parser, text, (int)n) : NULL;
	*used = line ? json_tokener_get_parse_end(r->parser) : n;
	const char *type = json_object_is_type(line, json_type_object)
				   ? json_object_get_string(field(line, "event_type"))
				   : NULL;
	if (type) {
		r->good++;
		result = take_event(r, line, type);
	} else {
		r->src->bad_lines++;
	}
	json_object_put(line);
	return result;
}

static size_t blanks(const char *text, size_t n)
{
	size_t i = 0;
	while (i < n && (text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r')))
		i++;
	return i;
}

/* Where a last line did not end and something was appended, one line has two events. */
int inv_jsonl_line(struct inv_jsonl *r, const char *text, size_t n)
{
	int result = 0;
	for (size_t used = blanks(text, n); used < n && result == 0; used = blanks(text, n)) {
		text += used;
		n -= used;
		result = take_object(r, text, n, &used);
		text += used;
		n -= used;
	}
	return result;
}

struct inv_jsonl *inv_jsonl_new(struct inv_src *src)
{
	struct inv_jsonl *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->src = src;
	r->parser = json_tokener_new();
	if (r->parser && grow(r) == 0)
		return r;
	inv_jsonl_free(r);
	return NULL;
}

void inv_jsonl_free(struct inv_jsonl *r)
{
	if (!r)
		return;
	if (r->parser)
		json_tokener_free(r->parser);
	free(r->index.entries);
	free(r);
}

static int by_end(const void *a, const void *b)
{
	const struct inv_call *x = a, *y = b;
	int64_t at = inv_call_end_ns(x), other = inv_call_end_ns(y);
	if (at != other)
		return at < other ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Puts open calls first. Returns: how many there are. */
static size_t part(struct inv_src *src)
{
	size_t open = 0;
	for (size_t i = 0; i < src->call_count; i++) {
		struct inv_call call = src->calls[i];
		if (call.state == INV_CALL_DONE)
			continue;
		src->calls[i] = src->calls[open];
		src->calls[open++] = call;
	}
	return open;
}

int inv_jsonl_hand_over(struct inv_jsonl *r, int (*done)(void *arg, const struct inv_call *call),
			void *arg)
{
	struct inv_src *src = r->src;
	size_t open = part(src);
	int result = 0;
	if (src->call_count > open)
		qsort(src->calls + open, src->call_count - open, sizeof(*src->calls), by_end);
	for (size_t i = open; i < src->call_count && result == 0; i++)
		result = done(arg, &src->calls[i]);
	src->call_count = open;
	inv_src_drop_text(src); /* open calls have none */
	memset(r->index.entries, 0, (r->index.mask + 1) * sizeof(*r->index.entries));
	r->index.used = open;
	for (size_t i = 0; i < open; i++)
		put_entry(r, ENTRY(i));
	return result;
}

/* ---- a whole file ------------------------------------------------------------------------ */

static int read_lines(struct inv_jsonl *r, FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int result = 0;
	while (result == 0 && (n = getline(&line, &room, file)) > 0)
		result = inv_jsonl_line(r, line, (size_t)n);
	free(line);
	return result < 0 ? result : ferror(file) ? -EIO : 0;
}

int inv_jsonl_read(struct inv_src *src, int fd)
{
	struct inv_jsonl *reading = inv_jsonl_new(src);
	int copy = dup(fd);
	FILE *file = copy < 0 ? NULL : fdopen(copy, "r");
	int result = -ENOMEM;
	if (file && reading)
		result = read_lines(reading, file);
	if (result == 0 && reading->good == 0 && src->bad_lines)
		result = -EINVAL;
	if (file)
		fclose(file);
	else if (copy >= 0)
		close(copy);
	inv_jsonl_free(reading);
	return result;
}
