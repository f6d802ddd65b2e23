/* SPDX-License-Identifier: MIT */
/*
 * control.h - the page by which a live session is paused, resumed and filtered.
 *
 * `<session>.ctl`, one page beside `<session>.seg`. The observed program maps it read-only and
 * looks at one word of it at each call; `invreg pause | resume | filter` map it writable, one at
 * a time, under flock(2) of the file. A reader of the segment still never writes to it.
 *
 *   offset                                                        written by
 *   0     magic | 8 version, bytes | 16 byte_order | 24 session_nonce     creator, once
 *   64    block[0]   flags, counts, 3 x 16 hashes, 1,536 bytes of text    verbs, under flock
 *   2000  block[1]   the same
 *   3936  spare
 *   4032  generation; its low bit selects the block that counts           verbs, under flock
 *
 * The generation lies where a call stores to no other page: at offset 64 it had the low bits
 * of a lane's in_slot, and waited for that store 2 ns a call.
 *
 * A verb writes the block that does not count, whole, and then the next generation. Who reads
 * takes the generation, the block, and the generation again; if it has moved, once more.
 *
 * Names are compared by a 64-bit hash of their text, not by their id in the session: a name may
 * be filtered that no call has had yet, and the segment is not written for that. So the hash
 * (inv_name_hash) is part of this format. The text is there to be shown; it follows from one
 * insertion to the next: kind, name, NUL.
 *
 * [Z1] Whoever finds the same generation before and after has a whole block of it. A verb that
 *      is killed anywhere leaves the setting that was, or the new one.
 * [Z2] Reading is wait-free: two looks at most. The program is never kept waiting: who finds
 *      the page changing twice over records the call as if nothing were on.
 * [B12] generation release -> acquire: a block that is not written yet is taken for the one
 *      that counts.
 * [B13] fence release before a block is written -> fence acquire before the second look at
 *      generation: words of the next setting but one under the old generation.
 *
 * The page is input: its counts are bounded at each use. Rejected: the setting as a region of
 * the segment (readers map that read-only, and a copy of it would be a setting); one block under
 * an odd-even sequence (a verb killed in the middle would leave the program with none).
 */
#ifndef INV_SHM_CONTROL_H
#define INV_SHM_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"
#include "result.h"
#include "segment.h"

#define INV_CONTROL_MAGIC      UINT64_C(0x0a0d4c5443564e49) /* "INVCTL\r\n" read as bytes */
#define INV_CONTROL_VERSION    1u
#define INV_CONTROL_NAMES      16u /* of each kind */
#define INV_CONTROL_TEXT_BYTES 1536u

/* In the order of inv_call_fields.miss. */
enum inv_control_kind {
	INV_CONTROL_INVOKER = 0,
	INV_CONTROL_ARTIFACT,
	INV_CONTROL_METHOD,
	INV_CONTROL_KINDS
};

#define INV_CONTROL_PAUSED UINT64_C(1)

/*
 * What decides about a call. counts: names of each kind, 8 bits each, the first kind lowest; 0:
 * any name will do. An event is kept if each kind has its name.
 */
struct inv_control_rules {
	uint64_t flags; /* INV_CONTROL_PAUSED */
	uint64_t counts;
	uint64_t hash[INV_CONTROL_KINDS][INV_CONTROL_NAMES];
};

/* A whole block, out of shared memory; zero is "nothing is on". */
struct inv_control_setting {
	struct inv_control_rules rules;
	char text[INV_CONTROL_TEXT_BYTES];
};
INV_SIZE(inv_control_setting, 1936);
INV_AT(inv_control_setting, text, 400);

struct inv_control_block {
	inv_a64 word[sizeof(struct inv_control_setting) / 8]; /* of an inv_control_setting */
};

struct inv_control {
	uint64_t magic;
	uint32_t version;
	uint32_t bytes; /* sizeof(struct inv_control) */
	uint32_t byte_order;
	uint32_t spare0;
	uint64_t session_nonce; /* of the segment that this page belongs to */
	uint64_t spare1[4];
	struct inv_control_block block[2];
	uint64_t spare2[12];
	inv_a64 generation; /* [B12]; grows only; a line of its own, each call reads it */
	uint64_t spare3[7];
};
INV_SIZE(inv_control, 4096);
INV_AT(inv_control, block, 64);
INV_AT(inv_control, generation, 4032);

/* ---- the file ----------------------------------------------------------------------- */

/* Puts the path of the page that goes with a segment's in buf. Returns: INV_OK, INV_E_USAGE. */
enum inv_result inv_control_path(char *buf, size_t size, const char *segment_path);

/*
 * Makes the page of a segment that the caller has just created, nothing on; one left over by an
 * earlier session of that name is replaced.
 * Returns: INV_OK, INV_E_FULL, INV_E_SYSTEM, INV_E_USAGE (a path that does not end in .seg).
 */
enum inv_result inv_control_create(const struct inv_segment *seg);

enum inv_control_access {
	INV_CONTROL_OWN,   /* read-only; the file must be ours: the observed program */
	INV_CONTROL_SHOW,  /* read-only; root may any */
	INV_CONTROL_CHANGE /* read-write; root may any */
};

/*
 * Maps the page of the segment at segment_path with this nonce. It is refused unless it is a
 * regular file of the right owner, whole, with its page in memory (a hole read in a full file
 * system would raise SIGBUS), and of that session. *fd (NULL: not wanted) stays the caller's.
 * Returns: INV_OK, INV_E_NOT_FOUND, INV_E_KIND, INV_E_OWNER, INV_E_MAGIC, INV_E_VERSION,
 * INV_E_BYTE_ORDER, INV_E_CORRUPT, INV_E_SYSTEM (errno holds why), INV_E_USAGE.
 */
enum inv_result inv_control_open(const char *segment_path, uint64_t nonce,
				 enum inv_control_access access, struct inv_control **page,
				 int *fd);
void inv_control_close(struct inv_control *page);

/* ---- reading ------------------------------------------------------------------------ */

/* Returns: false: it changed twice meanwhile, *out and *generation are worth nothing [Z2]. */
bool inv_control_rules(const struct inv_control *page, struct inv_control_rules *out,
		       uint64_t *generation);

/* The same with the names' text. */
bool inv_control_load(const struct inv_control *page, struct inv_control_setting *out,
		      uint64_t *generation);

/* How many names of a kind are wanted; 0: any. At most INV_CONTROL_NAMES, whatever the page says.
 */
static inline uint32_t inv_control_count(const struct inv_control_rules *rules,
					 enum inv_control_kind kind)
{
	uint32_t count = rules->counts >> (8 * kind) & 0xff;
	return count < INV_CONTROL_NAMES ? count : INV_CONTROL_NAMES;
}

/* Whether nothing is on: no pause and no filter. */
static inline bool inv_control_plain(const struct inv_control_rules *rules)
{
	return !(rules->flags & INV_CONTROL_PAUSED) && !(rules->counts & 0xffffff);
}

/* Whether a name with this hash (inv_name_hash) is one of those wanted of its kind. */
bool inv_control_wants(const struct inv_control_rules *rules, enum inv_control_kind kind,
		       uint64_t hash);

/*
 * The `at`-th name of a kind, NUL-terminated, within the setting.
 * Returns: NULL: there are not so many, or the text is damaged.
 */
const char *inv_control_name(const struct inv_control_setting *setting, enum inv_control_kind kind,
			     uint32_t at);

/* ---- changing ----------------------------------------------------------------------- */

/* Adds a name; one that is there already is no error. Returns: INV_OK or INV_E_FULL. */
enum inv_result inv_control_add(struct inv_control_setting *setting, enum inv_control_kind kind,
				const char *name);

/* Makes it the setting that counts. Only by the holder of the file's lock. */
void inv_control_publish(struct inv_control *page, const struct inv_control_setting *setting);

#endif
