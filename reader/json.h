/* SPDX-License-Identifier: MIT */
/*
 * json.h - the one formatter of JSON that leaves this program.
 *
 * [J1] What it writes is valid JSON whatever the bytes it is given: control characters
 *      are escaped, each byte that is not part of well-formed UTF-8 becomes U+FFFD (and
 *      the caller is told, to flag it), and a number is never NaN or infinite.
 * Two layers: naked formatters that write to a `char *` with room known to be enough (the
 * event lines, millions a second), and struct inv_json, which places commas, for objects.
 *
 * snprintf and json-c were rejected for the lines: 8 and 29 times slower (measured).
 *
 * Pure functions of their arguments: any thread.
 */
#ifndef INV_READER_JSON_H
#define INV_READER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define INV_JSON_NUMBER_ROOM 32u /* enough for any one number below */
#define INV_JSON_TIME_ROOM   40u /* enough for inv_json_time */

/* Decimal digits at p. Returns: the end. */
char *inv_json_u64(char *p, uint64_t value);
char *inv_json_i64(char *p, int64_t value);

/* Nanoseconds as milliseconds with one to six decimals: "0.0", "1.5", "0.000042". */
char *inv_json_ms(char *p, uint64_t ns);

/* A finite number with `decimals` (0 to 9) decimals, trailing zeros cut to one; else 0.0. */
char *inv_json_real(char *p, double value, int decimals);

/* The last second that was formatted; one for each user of inv_json_time. */
struct inv_json_clock {
	int64_t second;
	bool valid;
	char text[20]; /* "2026-11-23T10:01:18." */
};

/* RFC 3339 in UTC with six decimals and Z, without quotes; years 0 to 9999. */
char *inv_json_time(struct inv_json_clock *clock, char *p, int64_t realtime_ns);

/*
 * text[0..length) as a JSON string with its quotes.
 * Returns: false when some of it was not UTF-8 and was replaced.
 */
bool inv_json_string(struct inv_buf *out, const char *text, size_t length);

/* ---- objects ---------------------------------------------------------------- */

struct inv_json {
	struct inv_buf *out;
	bool comma; /* a comma is due before the next member */
};

void inv_json_open(struct inv_json *json, char bracket);
void inv_json_close(struct inv_json *json, char bracket);
void inv_json_key(struct inv_json *json, const char *name);
void inv_json_key_text(struct inv_json *json, const char *name, size_t length);
void inv_json_put_text(struct inv_json *json, const char *text, size_t length);
void inv_json_put_str(struct inv_json *json, const char *text);
void inv_json_put_u64(struct inv_json *json, uint64_t value);
void inv_json_put_i64(struct inv_json *json, int64_t value);
void inv_json_put_ms(struct inv_json *json, double ns); /* as milliseconds, six decimals */
void inv_json_put_real(struct inv_json *json, double value, int decimals);
void inv_json_put_bool(struct inv_json *json, bool value);
void inv_json_put_null(struct inv_json *json);
void inv_json_put_time(struct inv_json *json, int64_t realtime_ns);

#endif
