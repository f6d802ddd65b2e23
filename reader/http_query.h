/* SPDX-License-Identifier: MIT */
/*
 * http_query.h - what is asked for: percent-decoding, and parameters checked.
 *
 * A parameter that is wrong is answered as FastAPI (with pydantic 2) answers it, since that
 * is what existing clients of such APIs parse: status 422 and {"detail":[{"type","loc",
 * "msg","input","ctx"}]}, all wrong ones at once, in the order in which they are asked for.
 * Of a parameter given twice the last counts; one that is unknown is ignored: likewise.
 *
 * Pure functions of their arguments: any thread.
 */
#ifndef INV_READER_HTTP_QUERY_H
#define INV_READER_HTTP_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"
#include "registry.h"

#define INV_PARAMS_MAX 32u /* more of them are ignored */

/* Decodes %XX, leaves what is malformed. to may be from. Returns: the length in to. */
size_t inv_percent_decode(char *to, const char *from, size_t length);

/* Appends text so that it may stand in a query. */
void inv_percent_encode(struct inv_buf *out, struct inv_text text);

struct inv_query_param {
	struct inv_text key, value;
};

struct inv_params {
	struct inv_query_param items[INV_PARAMS_MAX];
	size_t count;
	struct inv_buf errors; /* the body of the 422; empty: nothing is wrong */
	struct inv_json json;
};

/* Returns: 0 or -ENOMEM. */
int inv_params_init(struct inv_params *params);
void inv_params_free(struct inv_params *params);

/* Takes a copy of what was percent-encoded in the query; '+' is a space already. */
int inv_params_add(struct inv_params *params, const char *key, size_t key_length, const char *value,
		   size_t value_length);

/* Returns: the text given, or one with NULL. */
struct inv_text inv_params_text(const struct inv_params *params, const char *name);

/* An integer of at least `least` and at most `most` (INT64_MAX: any), or what is default. */
int64_t inv_params_int(struct inv_params *params, const char *name, int64_t least, int64_t most,
		       int64_t otherwise);

enum inv_maybe { INV_MAYBE_UNSAID, INV_MAYBE_NO, INV_MAYBE_YES };
enum inv_maybe inv_params_bool(struct inv_params *params, const char *name);

/* One of `choices` (NULL-terminated). Returns: its place, 0 when not given. */
size_t inv_params_choice(struct inv_params *params, const char *name, const char *const *choices);

/* Whether all were right; else ends the body of the 422. */
bool inv_params_good(struct inv_params *params);

#endif
