/* SPDX-License-Identifier: MIT */
/*
 * layout.h - the shared-memory format: every byte that two processes exchange.
 *
 * A segment is one file in tmpfs. The observed program's processes map it
 * read-write and write it; any number of readers map it read-only. Nothing
 * here is a pointer: places are offsets from the start of the file or indices.
 * All integers are explicitly sized and in the byte order of the machine that
 * wrote them (`byte_order` tells). A raw snapshot is a file of this same format.
 *
 *   offset                                                     written by
 *   0        +--------------------------------------------+
 *            | header          inv_header          4 KiB  |  creator, once
 *            | shared words    inv_shared          4 KiB  |  all, atomically
 *            +--------------------------------------------+
 *   regions[]| probes          inv_probe_row x 64         |  creator, once
 *            | procs           inv_proc x 256             |  each process its own
 *            | notes           inv_note x 64              |  any, one CAS claims
 *            | types           uint32 x 256               |  any, one CAS each
 *            | names           uint64 x 65,536            |  any, one CAS each
 *            | arena           bytes (names' text)        |  any, append-only
 *            | lane directory  inv_lane_row x 256         |  claimers, one CAS
 *            | overflow        inv_overflow + cells+pairs |  any, fetch_add
 *            | lanes           256 x lane_stride (sparse) |  the owner thread
 *            +--------------------------------------------+
 *
 * One lane (lane_stride bytes, at lanes.offset + lane * lane_stride):
 *
 *            +--------------------------------------------+
 *            | inv_lane: counters, redo, in-flight stack  |  12 KiB
 *            | cells   inv_cell x cell_slots              |  reserved as used
 *            | pairs   inv_pair x pair_slots              |  reserved at claim
 *            | ring    inv_slot x ring_slots              |  reserved at claim
 *            +--------------------------------------------+
 *
 * The file is sparse. `budget_bytes` bounds what is ever reserved of it; a page
 * is written only after it has been reserved [L1], so a full /dev/shm costs
 * events or exactness per key (both counted), never a SIGBUS.
 *
 * Who reads: everything in a segment is input to the reader. view.h checks the
 * header and the region table once and bounds every index it later takes.
 *
 * [L1] A page of the segment is stored to only after inv_segment_reserve() of it
 *      succeeded in some process, or after it was part of the creation.
 * [L2] Words with different writers are on different cache lines. Exceptions are
 *      written only on cold paths and say so.
 * [L3] Zero is a valid initial state of every byte behind the header: a hole in
 *      the file reads as an empty structure.
 */
#ifndef INV_SHM_LAYOUT_H
#define INV_SHM_LAYOUT_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "reason.h"

#define INV_MAGIC	      UINT64_C(0x0a0d474552564e49) /* "INVREG\r\n" read as bytes */
#define INV_FORMAT_VERSION    1u
#define INV_BYTE_ORDER	      0x01020304u
#define INV_READY	      UINT64_C(0x5245414459212121)

#define INV_PAGE_BYTES	      4096u
#define INV_LINE_BYTES	      64u

#define INV_PROBES_MAX	      64u
#define INV_PROCS_MAX	      256u
#define INV_NOTES_MAX	      64u
#define INV_TYPES_MAX	      256u
#define INV_NAMES_MAX	      65536u
#define INV_NAME_BYTES_MAX    1023u /* longer names are cut there and counted */
#define INV_LANES_MAX	      256u
#define INV_INFLIGHT_MAX      32u
#define INV_CELL_PROBES	      8u /* of the private index, and of overflow cells and pairs */
#define INV_MESSAGE_BYTES_MAX 480u

/* Lock-freedom is what makes a shared word usable across processes and kills. */
static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2 &&
		      ATOMIC_SHORT_LOCK_FREE == 2,
	      "the segment needs lock-free 16, 32 and 64-bit atomics");
typedef _Atomic uint64_t inv_a64; /* the only typedefs: shorthand for a C11 qualifier */
typedef _Atomic uint32_t inv_a32;

#define INV_AT(type, field, where)                                                                 \
	static_assert(offsetof(struct type, field) == (where), #type "." #field)
#define INV_SIZE(type, bytes) static_assert(sizeof(struct type) == (bytes), #type)

/* ---- clock ------------------------------------------------------------------ */

enum inv_clock_kind {
	INV_CLOCK_NONE = 0,
	INV_CLOCK_TSC = 1,	/* x86-64 rdtsc */
	INV_CLOCK_CNTVCT = 2,	/* aarch64 cntvct_el0 */
	INV_CLOCK_MONOTONIC = 3 /* clock_gettime(CLOCK_MONOTONIC), one tick is one ns */
};

/*
 * One instant on three clocks. Two of them give the rate of the tick clock; each
 * pair of neighbours converts the ticks between them.
 *
 *   0: ticks  8: realtime_ns  16: boottime_ns  24: window_ticks (how long it took
 *   to read all: the error bound)
 */
struct inv_anchor {
	uint64_t ticks;
	int64_t realtime_ns; /* since 1970-01-01 UTC */
	int64_t boottime_ns; /* CLOCK_BOOTTIME: steady, never stepped */
	uint64_t window_ticks;
};
INV_SIZE(inv_anchor, 32);

/* ---- header ----------------------------------------------------------------- */

enum inv_region_id {
	INV_REGION_PROBES = 0,
	INV_REGION_PROCS,
	INV_REGION_NOTES,
	INV_REGION_TYPES,
	INV_REGION_NAMES,
	INV_REGION_ARENA,
	INV_REGION_LANE_ROWS,
	INV_REGION_OVERFLOW,
	INV_REGION_LANES,
	INV_REGION_COUNT
};

struct inv_region {
	uint64_t offset; /* from the start of the file, multiple of INV_PAGE_BYTES */
	uint64_t bytes;	 /* multiple of INV_PAGE_BYTES */
};
INV_SIZE(inv_region, 16);

/*
 * Page 0. All of it is written by the creator before the file gets its name, and
 * never again, except in a raw snapshot, whose writer sets `taken` and `flags`.
 *
 *   0 magic | 8 version, header_size | 16 byte_order, flags | 24 clock_kind, lanes
 *   32 segment_bytes | 40 budget_bytes | 48 session_nonce | 56 ready
 *   64 regions[9] .. 208 | 208 lane geometry .. 240 | 240 creator .. 272
 *   272 created | 304 taken | 336 cost | 344 .. text | 1544 cost_entry
 */
struct inv_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_size; /* sizeof(struct inv_header) */
	uint32_t byte_order;
	uint32_t flags; /* INV_HEADER_* */
	uint32_t clock_kind;
	uint32_t lane_count; /* <= INV_LANES_MAX */
	uint64_t segment_bytes;
	uint64_t budget_bytes; /* at most this much is ever reserved */
	uint64_t session_nonce;
	inv_a64 ready; /* INV_READY, stored last [B0] */
	struct inv_region regions[INV_REGION_COUNT];
	uint64_t lane_stride;
	uint32_t cell_slots;	 /* cells of a lane, the two _other cells included */
	uint32_t pair_slots;	 /* pairs of a lane at most, a power of two, >= 2 */
	uint32_t ring_slots;	 /* ring of a lane at most, a power of two */
	uint32_t overflow_cells; /* a power of two, >= 2 */
	uint32_t overflow_pairs; /* a power of two, >= 2 */
	uint32_t probe_count;
	uint32_t creator_pid;
	uint32_t creator_uid;
	uint64_t creator_start; /* /proc/PID/stat field 22, or 0 */
	uint64_t pid_ns;	/* inode of the creator's pid namespace, or 0 */
	uint64_t probes_hash;	/* of the probe file's text: who has the same joins by index */
	struct inv_anchor created;
	struct inv_anchor taken;	 /* zero but in a raw snapshot; there ticks 0: not known */
	uint64_t cost_ticks_x1024;	 /* the shim's cost a call measured by `run`, 0 = unknown */
	uint64_t window_ns;		 /* zero but in a raw snapshot: how long the copy took */
	char boot_id[40];		 /* NUL-terminated; tells one boot from the next */
	char session[128];		 /* NUL-terminated */
	char command[1024];		 /* NUL-terminated, space-separated, may be cut */
	uint64_t cost_entry_ticks_x1024; /* the same where the function itself is patched */
	uint8_t spare[4096 - 1552];
};
INV_SIZE(inv_header, 4096);
INV_AT(inv_header, ready, 56);
INV_AT(inv_header, regions, 64);
INV_AT(inv_header, lane_stride, 208);
INV_AT(inv_header, creator_pid, 240);
INV_AT(inv_header, created, 272);
INV_AT(inv_header, taken, 304);
INV_AT(inv_header, boot_id, 352);
INV_AT(inv_header, cost_entry_ticks_x1024, 1544);

#define INV_HEADER_SNAPSHOT 1u /* a raw snapshot: nobody writes it, times end at `taken` */

/*
 * Page 1. Written by all with atomic operations, on cold paths only, so that the
 * words may share lines.
 */
struct inv_shared {
	inv_a64 reserved_bytes; /* of the budget; grows only */
	inv_a64 arena_used;	/* next free byte of the arena; may pass its end, then it is full */
	inv_a64 arena_reserved; /* bytes of the arena that may be stored to [L1] */
	inv_a32 name_count;	/* published names; statistics only */
	inv_a32 lanes_touched;	/* lanes with an index at or above were never claimed */
	inv_a32 lane_changes;	/* bumped at each release: a thread without a lane tries again */
	inv_a32 spare0;
	uint64_t spare1[3];
	inv_a64 lost[INV_LOSS_ROOM]; /* of calls that have no lane, and of processes */
	uint8_t spare2[4096 - 64 - INV_LOSS_ROOM * 8];
};
INV_SIZE(inv_shared, 4096);
INV_AT(inv_shared, lost, 64);

/* ---- probes ----------------------------------------------------------------- */

/* What a reader shows of a probe. The rules themselves stay in the probe file. */
struct inv_probe_row {
	char name[64];	      /* NUL-terminated, of the section */
	char target[256];     /* NUL-terminated, as written in the file */
	char signature[512];  /* NUL-terminated, may be cut */
	char success[128];    /* NUL-terminated, as written, may be empty */
	char result_type[32]; /* NUL-terminated, the signature's return type */
	uint8_t spare[32];
};
INV_SIZE(inv_probe_row, 1024);

/* ---- processes -------------------------------------------------------------- */

enum inv_proc_status {
	INV_PROC_FREE = 0,
	INV_PROC_CLAIMING = 1,
	INV_PROC_LIVE = 2,
	INV_PROC_ENDED = 3
};

enum inv_tier { INV_TIER_NONE = 0, INV_TIER_GOT = 1, INV_TIER_ENTRY = 2, INV_TIER_PYTHON = 3 };

struct inv_binding_row {  /* one probe in one process */
	uint8_t tier;	  /* enum inv_tier */
	uint8_t reason;	  /* enum inv_reason, why it is not bound (tier NONE) or not everywhere */
	uint16_t sites;	  /* slots patched, saturating; dlsym answers count as one each */
	uint32_t refused; /* sites that could not be patched */
};
INV_SIZE(inv_binding_row, 8);

/*
 * `state` is one word: generation (16, top) | tag (12) | status (4) | pid (32). One CAS from
 * FREE, ENDED, or from a row of a process known dead, claims it for the next generation.
 * The tag, 0 in all but CLAIMING: low bits of pid_ns, as pid means nothing elsewhere. The
 * rest is written by the process itself, once, before LIVE is stored [B7]; `bindings` later.
 *   0 state | 8 start_time | 16 pid_ns | 24 nonce | 32 anchor | 64 ppid.. | 80 comm
 *   96 exe[416] | 512 bindings[64]
 */
struct inv_proc {
	inv_a64 state;
	uint64_t start_time; /* /proc/PID/stat field 22 (clock ticks since boot), or 0 */
	uint64_t pid_ns;     /* inode of /proc/self/ns/pid, or 0 */
	uint64_t nonce;	     /* differs for each executed image: execve keeps pid and start time */
	struct inv_anchor anchor;
	uint32_t ppid;
	uint32_t forked_from; /* row + 1 of the parent when this is a fork child, else 0 */
	uint64_t spare;
	char comm[16];
	char exe[416];
	struct inv_binding_row bindings[INV_PROBES_MAX];
};
INV_SIZE(inv_proc, 1024);
INV_AT(inv_proc, anchor, 32);
INV_AT(inv_proc, comm, 80);
INV_AT(inv_proc, bindings, 512);

#define INV_PROC_STATE(generation, status, pid)                                                    \
	(((uint64_t)(uint16_t)(generation) << 48) | ((uint64_t)(uint16_t)(status) << 32) |         \
	 (uint32_t)(pid))
#define INV_PROC_GENERATION(state) ((uint16_t)((state) >> 48))
#define INV_PROC_STATUS(state)	   ((uint16_t)((state) >> 32) & 0xfu)
#define INV_PROC_NS_TAG(state)	   ((uint16_t)((state) >> 36) & 0xfffu)
#define INV_PROC_PID(state)	   ((uint32_t)(state))
#define INV_PROC_CLAIM(generation, pid_ns, pid)                                                    \
	INV_PROC_STATE(generation, INV_PROC_CLAIMING | ((uint64_t)(pid_ns)&0xfffu) << 4, pid)

/* ---- notes ------------------------------------------------------------------ */

/*
 * Why something was not observed, in words, from processes that may have no row. The
 * same (reason, probe, exe) is counted, not repeated. `state`: 0 free, 1 being
 * written, 2 readable. A writer that dies in 1 leaves a note that readers skip.
 */
struct inv_note {
	_Alignas(8) inv_a32 state; /* readers copy by words of 8 bytes */
	inv_a32 count;
	uint32_t pid;	 /* of the first */
	uint16_t reason; /* enum inv_reason */
	uint16_t probe;	 /* index, or 0xffff for none */
	char exe[112];
	char detail[128];
};
INV_SIZE(inv_note, 256);

/* ---- names ------------------------------------------------------------------ */

/*
 * An index entry: offset in the arena (32, low) | length in bytes (16) | hash (16, top).
 * 0 is empty: no name has offset 0. The id of a name is its place in the index; id 0
 * is never given out: it stands for "_other". Text in the arena begins at a multiple of
 * 8, ends with a NUL and is padded with NULs to a multiple of 8.
 */
#define INV_NAME_ENTRY(hash, length, offset)                                                       \
	(((uint64_t)(uint16_t)(hash) << 48) | ((uint64_t)(uint16_t)(length) << 32) |               \
	 (uint32_t)(offset))
#define INV_NAME_HASH(entry)   ((uint16_t)((entry) >> 48))
#define INV_NAME_LENGTH(entry) ((uint16_t)((entry) >> 32))
#define INV_NAME_OFFSET(entry) ((uint32_t)(entry))

/*
 * A type (of an error or of a result) is an index into `types`; the word there is a
 * name id, 0 = empty. Type 0 is "_other".
 */

/* ---- tallies ---------------------------------------------------------------- */

/*
 * Histogram of durations in ticks: values below 8 have a bucket each, then 8 buckets to
 * an octave, up to 2^45; what is longer goes to the last. tally.h has the arithmetic.
 */
#define INV_HIST_SUB_BITS 3u
#define INV_HIST_TOP_BITS 45u
#define INV_HIST_BUCKETS  ((INV_HIST_TOP_BITS - INV_HIST_SUB_BITS + 1u) << INV_HIST_SUB_BITS)
static_assert(INV_HIST_BUCKETS == 344, "the drawing of inv_cell says 344");

/*
 * One key (artifact, method, outcome). The number of calls is the sum of the buckets:
 * one store commits a call [T1]. In a lane only the owner writes; in the overflow region
 * all do, with atomic operations.
 *
 *   0 key | 8 sum | 16 self | 24 min | 32 max | 40 first | 48 last | 56 last_tick
 *   64 bucket[344]
 */
struct inv_cell {
	inv_a64 key; /* INV_CELL_KEY, 0 = empty; stored before the cell counts [B4] */
	inv_a64 sum_ticks;
	inv_a64 self_ticks; /* sum less the time in nested probed calls */
	inv_a64 min_ticks;  /* 0 = no call yet; a duration of 0 counts as 1 here [L3] */
	inv_a64 max_ticks;
	inv_a64 first_ticks; /* clock at the start of the first call */
	inv_a64 last_ticks;  /* clock at the end of the last call */
	inv_a64 last_tick;   /* int64: the simulation's tick at the last call */
	inv_a64 bucket[INV_HIST_BUCKETS];
};
INV_SIZE(inv_cell, 64 + 344 * 8);

/*
 * key: 1 (1, top) | failed (1) | type (14) | method (24) | artifact (24).
 * The top bit keeps every key from being 0. Ids are name ids (0 = _other), the type an
 * index into `types`. Cells 0 and 1 of a lane, and of the overflow region, are the
 * _other cells of successes and of failures: what finds no cell of its own is exact there.
 */
#define INV_CELL_KEY(artifact, method, type, failed)                                               \
	((UINT64_C(1) << 63) | ((uint64_t)((failed) != 0) << 62) |                                 \
	 ((uint64_t)((type)&0x3fffu) << 48) | ((uint64_t)((method)&0xffffffu) << 24) |             \
	 ((artifact)&0xffffffu))
#define INV_CELL_FAILED(key)   (((key) >> 62) & 1u)
#define INV_CELL_TYPE(key)     ((uint32_t)(((key) >> 48) & 0x3fffu))
#define INV_CELL_METHOD(key)   ((uint32_t)(((key) >> 24) & 0xffffffu))
#define INV_CELL_ARTIFACT(key) ((uint32_t)((key)&0xffffffu))
#define INV_CELL_OTHER_OK      0u
#define INV_CELL_OTHER_FAILED  1u

/*
 * (invoker, artifact). Open addressing; place 0 is the _other pair and outside the
 * hashing. In a lane `calls` is covered by the redo record; in the overflow region all
 * words are added to atomically.
 */
struct inv_pair {
	inv_a64 key; /* INV_PAIR_KEY, 0 = empty */
	inv_a64 calls;
	inv_a64 failures;
	inv_a64 sum_ticks;
};
INV_SIZE(inv_pair, 32);
#define INV_PAIR_KEY(invoker, artifact)                                                            \
	((UINT64_C(1) << 63) | ((uint64_t)((invoker)&0xffffffu) << 24) | ((artifact)&0xffffffu))
#define INV_PAIR_INVOKER(key)  ((uint32_t)(((key) >> 24) & 0xffffffu))
#define INV_PAIR_ARTIFACT(key) ((uint32_t)((key)&0xffffffu))

/* ---- ring ------------------------------------------------------------------- */

/* State of a slot, the low 3 bits of `seq`; ring.h has the protocol. */
enum inv_slot_state {
	INV_SLOT_BUSY = 0,	/* being written (index 0: never written) */
	INV_SLOT_ATTEMPT = 1,	/* the call has begun */
	INV_SLOT_DONE = 2,	/* the call has returned */
	INV_SLOT_ABANDONED = 3, /* someone jumped over the call; provisional */
	INV_SLOT_TEXT = 4	/* not an event: text that belongs to one */
};
#define INV_SEQ(index, state) (((uint64_t)(index) << 3) | (state))
#define INV_SEQ_INDEX(seq)    ((seq) >> 3)
#define INV_SEQ_STATE(seq)    ((unsigned)((seq)&7u))

/*
 * One event. The words marked R are written at return only; no other word is.
 *
 *   0 seq | 8 start_ticks | 16 duration_ticks R | 24 tick | 32 invoker, artifact
 *   40 method, tid | 48 proc, generation, args_count, probe, depth | 56 outcome R
 *
 * The first index given out in a ring is 1, so that a hole (seq 0) is never an event.
 */
struct inv_slot {
	inv_a64 seq;
	inv_a64 start_ticks;
	inv_a64 duration_ticks;
	inv_a64 tick;	 /* int64 */
	inv_a64 who;	 /* invoker (32, low) | artifact (32) */
	inv_a64 what;	 /* method (32, low) | tid (32) */
	inv_a64 where;	 /* proc 16 | generation 16 | args_count 16 | probe 8 | depth 8, from low */
	inv_a64 outcome; /* type 16 | flags 8 | text slots 8 | distance 32, from low */
};
INV_SIZE(inv_slot, 64);

#define INV_WHERE(proc, generation, args, probe, depth)                                            \
	((uint64_t)(uint16_t)(proc) | ((uint64_t)(uint16_t)(generation) << 16) |                   \
	 ((uint64_t)(uint16_t)(args) << 32) | ((uint64_t)(uint8_t)(probe) << 48) |                 \
	 ((uint64_t)(uint8_t)(depth) << 56))
#define INV_WHERE_PROC(w)	((uint16_t)(w))
#define INV_WHERE_GENERATION(w) ((uint16_t)((w) >> 16))
#define INV_WHERE_ARGS(w)	((uint16_t)((w) >> 32))
#define INV_WHERE_PROBE(w)	((uint8_t)((w) >> 48) & 0x7fu)
#define INV_WHERE_DEPTH(w)	((uint8_t)((w) >> 56)) /* 0 = outermost, saturates at 255 */
/* Text slots with the names that found no id stand right behind this slot. */
#define INV_WHERE_TEXT_FOLLOWS (UINT64_C(0x80) << 48)
#define INV_PROC_NONE	       0xffffu

#define INV_OUTCOME(type, flags, text_slots, distance)                                             \
	((uint64_t)(uint16_t)(type) | ((uint64_t)(uint8_t)(flags) << 16) |                         \
	 ((uint64_t)(uint8_t)(text_slots) << 24) | ((uint64_t)(uint32_t)(distance) << 32))
#define INV_OUTCOME_TYPE(o)	  ((uint16_t)(o))
#define INV_OUTCOME_FLAGS(o)	  ((uint8_t)((o) >> 16))
#define INV_OUTCOME_TEXT_SLOTS(o) ((uint8_t)((o) >> 24))
/* First text slot = index of the event + distance (modulo 2^32 it may lie before it). */
#define INV_OUTCOME_DISTANCE(o) ((uint32_t)((o) >> 32))

#define INV_FLAG_FAILED		1u /* the outcome is a failure, `type` an error type */
#define INV_FLAG_FORKED		2u /* begun in the parent, returned in this fork child */
#define INV_FLAG_REWRITTEN	4u /* the first slot was lapped; the text has the call's first index */
#define INV_FLAG_TRUNCATED	8u  /* a text of this event was cut */
#define INV_FLAG_UNREADABLE	16u /* a field of this event could not be read */
#define INV_FLAG_CLAMPED	32u /* the clock went backwards; the duration is 0 */

/*
 * Text: `count` consecutive slots, 48 bytes in each, hold one byte string, which is a
 * list of items {tag u8, flags u8, length u16 little-endian, bytes}.
 */
struct inv_text_slot {
	inv_a64 seq;  /* state INV_SLOT_TEXT */
	inv_a64 meta; /* index of the event (40, low) | part (8) | count (8) | spare (8) */
	inv_a64 bytes[6];
};
INV_SIZE(inv_text_slot, 64);
#define INV_TEXT_BYTES 48u
#define INV_TEXT_META(event, part, count)                                                          \
	(((event)&UINT64_C(0xffffffffff)) | ((uint64_t)(uint8_t)(part) << 40) |                    \
	 ((uint64_t)(uint8_t)(count) << 48))
enum inv_text_tag {
	INV_TEXT_MESSAGE = 1, /* error_message */
	INV_TEXT_INVOKER = 2,
	INV_TEXT_ARTIFACT = 3,
	INV_TEXT_METHOD = 4,
	INV_TEXT_ORIGIN = 5 /* 8 bytes: INV_CALL_ID of the call's first slot */
};
#define INV_TEXT_CUT 1u /* item flag: the bytes are a prefix */
/* Of a call: lane and index of its first slot (of none: its ordinal); exact in a double too. */
#define INV_CALL_ID(lane, index) (((uint64_t)(lane) << 44) | ((index) & ((UINT64_C(1) << 44) - 1)))
#define INV_CALL_LANE(id)	 ((uint64_t)(id) >> 44)
#define INV_CALL_INDEX(id)	 ((uint64_t)(id) & ((UINT64_C(1) << 44) - 1))
#define INV_CALL_FILTERED	 (UINT64_C(1) << 43) /* in the index: a filter took the slot */

/* ---- lanes ------------------------------------------------------------------ */

/*
 * `owner` is one word: proc row (16, top) | generation of the row (16) | tid (32);
 * 0 = free. One CAS claims; lane.h has the rules of takeover. The granted sizes only
 * grow, and are stored by the owner during its claim.
 */
struct inv_lane_row {
	inv_a64 owner;
	inv_a32 ring_slots;	/* a power of two, or 0: no ring was granted */
	inv_a32 pair_slots;	/* a power of two, >= 2 once claimed */
	inv_a32 cells_reserved; /* cells that may be stored to [L1] */
	inv_a32 claims;		/* how many owners it has had */
	uint64_t spare;
};
INV_SIZE(inv_lane_row, 32);
#define INV_OWNER(row, generation, tid)                                                            \
	(((uint64_t)(uint16_t)(row) << 48) | ((uint64_t)(uint16_t)(generation) << 32) |            \
	 (uint32_t)(tid))
#define INV_OWNER_ROW(owner)	    ((uint16_t)((owner) >> 48))
#define INV_OWNER_GENERATION(owner) ((uint16_t)((owner) >> 32))
#define INV_OWNER_TID(owner)	    ((uint32_t)(owner))

/*
 * A call that has begun and not returned. Valid when ordinal_1 is not 0 and at most
 * `begun`: a writer killed between the two leaves an entry that counts for nothing [I2].
 *
 *   0 ordinal_1 | 8 call | 16 start_ticks | 24 tick | 32 who | 40 what | 48 where | 56 owner
 */
struct inv_inflight {
	inv_a64 ordinal_1; /* value of `begun` before the call, plus 1; 0 = empty */
	inv_a64 call;	   /* INV_CALL_ID */
	inv_a64 start_ticks;
	inv_a64 tick; /* int64 */
	inv_a64 who;  /* as in inv_slot */
	inv_a64 what;
	inv_a64 where;
	inv_a64 owner; /* as in inv_lane_row */
};
INV_SIZE(inv_inflight, 64);

/*
 * The redo record: what one returning call is about to store, in absolute values.
 * Valid while inv_lane.in_slot is not 0. Storing it again is harmless, so that a reader
 * (in its copy), a new owner or the same thread after a longjmp can finish the call [R1].
 * The last three are kept equal to the lane's own counters whenever in_slot is 0, so that
 * an ordinary return need not store them; head is 0 unless this call takes a new slot.
 *
 *   0 slot, 8 duration, 16 outcome | 24 cell, pair | 32 bucket, inflight | 40 bucket_value
 *   48 sum | 56 self | 64 min | 72 max | 80 last | 88 last_tick | 96 pair_calls
 *   104 pair_failures | 112 pair_sum | 120 returned | 128 abandoned | 136 inherited | 144 head
 */
struct inv_redo {
	inv_a64 slot; /* index of the event's slot, which becomes DONE; 0 = the call has none */
	inv_a64 duration_ticks;
	inv_a64 outcome;
	inv_a64 places; /* cell (32, low) | pair (32) */
	inv_a64 bucket; /* bucket (32, low) | place in the in-flight stack plus 1, 0 = none (32) */
	inv_a64 bucket_value;
	inv_a64 sum_ticks;
	inv_a64 self_ticks;
	inv_a64 min_ticks;
	inv_a64 max_ticks;
	inv_a64 last_ticks;
	inv_a64 last_tick; /* int64 */
	inv_a64 pair_calls;
	inv_a64 pair_failures;
	inv_a64 pair_sum_ticks;
	inv_a64 returned;
	inv_a64 abandoned;
	inv_a64 inherited;
	inv_a64 head;
	uint64_t spare[5];
};
INV_SIZE(inv_redo, 192);

/*
 * The fixed part of a lane. Only the owner writes (or a claimer that repairs); readers
 * copy. Invariant of every lane, at rest and after repair [I1]:
 *   begun + inherited = returned + abandoned + never_returned + moved + calls in flight
 *
 *      0 head, begun, returned, abandoned, inherited, never_returned, cell_count, events
 *     64 in_slot | 128 redo | 320 lost[24] | 512 moved | 576 spare | 1024 inflight[32]
 *   3072 ended[32] | 5120 spare | .. 12288
 */
struct inv_lane {
	inv_a64 head; /* index of the last slot published, events and text; stored after it [B2] */
	inv_a64 begun;
	inv_a64 returned;
	inv_a64 abandoned;	/* jumped over, as far as known */
	inv_a64 inherited;	/* returned here, begun in the parent before a fork */
	inv_a64 never_returned; /* of former owners: died or ended inside the call */
	inv_a64 cell_count;	/* cells in use, the two _other cells included; stored after the key
				   [B4] */
	inv_a64 events;		/* calls given a slot, a rewritten one once: kept + lapped */
	inv_a64 in_slot; /* not 0: the redo record is valid; counts the calls that commit [B5] */
	uint64_t spare0[7];
	struct inv_redo redo;
	inv_a64 lost[INV_LOSS_ROOM];
	inv_a64 moved; /* begun here, returned by another thread, which adds to it */
	uint64_t spare1[63];
	struct inv_inflight inflight[INV_INFLIGHT_MAX];
	struct inv_inflight ended[INV_INFLIGHT_MAX]; /* the last calls that never returned, about by
							ordinal % 32 */
	uint8_t spare2[12288 - 5120];
};
INV_SIZE(inv_lane, 12288);
INV_AT(inv_lane, in_slot, 64);
INV_AT(inv_lane, redo, 128);
INV_AT(inv_lane, lost, 320);
INV_AT(inv_lane, moved, 512);
INV_AT(inv_lane, inflight, 1024);
INV_AT(inv_lane, ended, 3072);

/*
 * The overflow region: this, then overflow_cells cells, then overflow_pairs pairs. All by
 * fetch_add. The number returned is the sum of all its buckets; what has begun and not
 * returned can be counted but not named.
 */
struct inv_overflow {
	inv_a64 begun;
	inv_a64 abandoned;
	inv_a64 inherited;
	uint64_t spare[509];
};
INV_SIZE(inv_overflow, 4096);

#endif
