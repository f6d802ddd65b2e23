/* SPDX-License-Identifier: MIT */
/*
 * model.c - every interleaving of the slot, redo, take-over and names protocols, on a weak machine.
 *
 * A kill leaves a prefix of the program's order (a core retires in order), so that death, settling
 * and death in settling are explored as prefixes.
 */
#include "machine.h"

/* What an operation does not say is 0; clang would have it said. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* ---- [B1] [B3]: a slot through two laps; the reader asks for index 1 ------------------- */

enum { SEQ, FIRST, SECOND, DURATION };
#define SEQ_OF(index, state) ((index) << 2 | (state)) /* 0 busy, 1 attempt, 2 done */

static bool slot_whole(const uint8_t *r)
{
	if (r[0] >> 2 != 1 || !(r[0] & 3) || r[4] >> 2 != 1)
		return true; /* lapped or pending */
	return r[1] == 1 && r[2] == 1 && ((r[0] & 3) != 2 || r[3] == 1);
}

#define LAP(i, t1, t2, t3)                                                                         \
	{STORE, SEQ, SEQ_OF(i, 0), RELAXED, NULL}, {FENCE, 0, 0, RELEASE, t1},                     \
		{STORE, FIRST, i, RELAXED, NULL}, {STORE, SECOND, i, RELAXED, NULL},               \
		{STORE, SEQ, SEQ_OF(i, 1), RELEASE, t2}, {STORE, DURATION, i, RELAXED, NULL},      \
	{                                                                                          \
		STORE, SEQ, SEQ_OF(i, 2), RELEASE, t3                                              \
	}

static const struct program slot = {
	.name = "slot",
	.op = {{LAP(1, NULL, "without [B1] release of ATTEMPT", "without [B1] release of DONE"),
		LAP(2, "without [B3] release fence", NULL, NULL)},
	       {{LOAD, SEQ, 0, ACQUIRE, "without [B1] acquire"},
		{LOAD, FIRST, 1, RELAXED, NULL},
		{LOAD, SECOND, 2, RELAXED, NULL},
		{LOAD, DURATION, 3, RELAXED, NULL},
		{FENCE, 0, 0, ACQUIRE, "without [B3] acquire fence"},
		{LOAD, SEQ, 4, RELAXED, NULL}}},
	.count = {14, 6},
	.start = {[SEQ] = SEQ_OF(0, 2)},
	.holds = slot_whole,
};

/* ---- [B5]: two commits; a reader that copies the redo record --------------------------- */

enum { IN_SLOT, REDO_BUCKET, REDO_SUM, BUCKET, SUM, RETURNED };

static bool redo_whole(const uint8_t *r)
{
	if (!r[0] || r[0] != r[3])
		return true;
	return r[1] == r[0] && r[2] == 10 * r[0];
}

#define COMMIT(i, set, cleared)                                                                    \
	{STORE, REDO_BUCKET, i, RELAXED, NULL}, {STORE, REDO_SUM, 10 * i, RELAXED, NULL},          \
		{STORE, IN_SLOT, i, RELEASE, set}, {STORE, BUCKET, i, RELAXED, NULL},              \
		{STORE, SUM, 10 * i, RELAXED, NULL}, {STORE, RETURNED, i, RELAXED, NULL},          \
		{STORE, IN_SLOT, 0, RELEASE, NULL},                                                \
	{                                                                                          \
		FENCE, 0, 0, RELEASE, cleared                                                      \
	}

static const struct program redo = {
	.name = "redo",
	.op = {{COMMIT(1, "without [B5] release of in_slot", "without [B5] fence after its end"),
		COMMIT(2, NULL, NULL)},
	       {{LOAD, IN_SLOT, 0, ACQUIRE, "without [B5] acquire"},
		{LOAD, REDO_BUCKET, 1, RELAXED, NULL},
		{LOAD, REDO_SUM, 2, RELAXED, NULL},
		{FENCE, 0, 0, ACQUIRE, "without [B3] acquire fence"},
		{LOAD, IN_SLOT, 3, RELAXED, NULL}}},
	.count = {16, 5},
	.holds = redo_whole,
};

/* ... and the clearing: whoever sees it cleared after commit 2 sees all of commit 2. */
static bool cleared_whole(const uint8_t *r)
{
	return r[0] != 2 || (r[1] == 2 && r[2] == 20);
}

static const struct program closing = {
	.name = "closing", /* in_slot's end carries 2, so that the reader can tell which */
	.op = {{{STORE, BUCKET, 2, RELAXED, NULL},
		{STORE, SUM, 20, RELAXED, NULL},
		{STORE, IN_SLOT, 2, RELEASE, "without [B5] release of the end"}},
	       {{LOAD, IN_SLOT, 0, ACQUIRE, "without [B5] acquire"},
		{LOAD, BUCKET, 1, RELAXED, NULL},
		{LOAD, SUM, 2, RELAXED, NULL}}},
	.count = {3, 3},
	.holds = cleared_whole,
};

/* ---- [B6] [B9]: hand-over of a lane, and an in-flight entry behind its ordinal --------- */

static const struct program handover = {
	.name = "handover",
	.op = {{{STORE, 1, 2, RELAXED, NULL},
		{STORE, 2, 20, RELAXED, NULL},
		{STORE, 0, 2, RELEASE, "without [B6] [B9] release"}},
	       {{LOAD, 0, 0, ACQUIRE, "without [B6] [B9] acquire"},
		{LOAD, 1, 1, RELAXED, NULL},
		{LOAD, 2, 2, RELAXED, NULL}}},
	.count = {3, 3},
	.holds = cleared_whole,
};

/* ---- [B9] [B11]: an entry that is closed and taken for the next call while it is copied --- */

enum { ORDINAL, WHO, START };

static bool entry_whole(const uint8_t *r)
{
	return !r[0] || r[0] != r[3] || (r[1] == r[0] && r[2] == r[0]);
}

static const struct program reused = {
	.name = "reused",
	.op = {{{STORE, ORDINAL, 0, RELAXED, NULL},
		{FENCE, 0, 0, RELEASE, "without [B11] release fence"},
		{STORE, WHO, 2, RELAXED, NULL},
		{STORE, START, 2, RELAXED, NULL},
		{STORE, ORDINAL, 2, RELEASE, "without [B9] release"}},
	       {{LOAD, ORDINAL, 0, ACQUIRE, "without [B9] acquire"},
		{LOAD, WHO, 1, RELAXED, NULL},
		{LOAD, START, 2, RELAXED, NULL},
		{FENCE, 0, 0, ACQUIRE, "without [B11] acquire fence"},
		{LOAD, ORDINAL, 3, RELAXED, NULL}}},
	.count = {5, 5},
	.start = {[ORDINAL] = 1, [WHO] = 1, [START] = 1},
	.holds = entry_whole,
};

/* ---- [B12] [B13]: two changes of the control page, a look of a reader ------------------- */

enum { GENERATION, FLAGS_0, HASH_0, FLAGS_1, HASH_1 };

/* Each block is filled with its generation; the reader looks at block 0 of generation 2. */
static bool setting_whole(const uint8_t *r)
{
	return r[0] != 2 || r[3] != 2 || (r[1] == 2 && r[2] == 2);
}

#define CHANGE(n, before, after)                                                                   \
	{FENCE, 0, 0, RELEASE, before}, {STORE, (n)&1 ? FLAGS_1 : FLAGS_0, n, RELAXED, NULL},      \
		{STORE, (n)&1 ? HASH_1 : HASH_0, n, RELAXED, NULL},                                \
	{                                                                                          \
		STORE, GENERATION, n, RELEASE, after                                               \
	}

static const struct program setting = {
	.name = "setting",
	.op = {{CHANGE(2, NULL, "without [B12] release of generation"), CHANGE(3, NULL, NULL),
		CHANGE(4, "without [B13] release fence", NULL)},
	       {{LOAD, GENERATION, 0, ACQUIRE, "without [B12] acquire"},
		{LOAD, FLAGS_0, 1, RELAXED, NULL},
		{LOAD, HASH_0, 2, RELAXED, NULL},
		{FENCE, 0, 0, ACQUIRE, "without [B13] acquire fence"},
		{LOAD, GENERATION, 3, RELAXED, NULL}}},
	.count = {12, 5},
	.holds = setting_whole,
};

/* ---- [B5]: what the redo record does not hold is that of the commit before --------------- */

/*
 * Commit 1 changes cell A, commit 2 cell B. A reader that saw commit 2 before and after its
 * copies applies the record to B; A must be whole as it was copied.
 */
enum { APPLIED_IN_SLOT, APPLIED_REDO, CELL_A, CELL_B };

static bool applied_whole(const uint8_t *r)
{
	return r[0] != 2 || r[3] != 2 || (r[1] == 2 && r[2] == 1);
}

#define COMMIT_TO(n, cell, set)                                                                    \
	{STORE, APPLIED_REDO, n, RELAXED, NULL}, {STORE, APPLIED_IN_SLOT, n, RELEASE, set},        \
		{STORE, cell, n, RELAXED, NULL}, {STORE, APPLIED_IN_SLOT, 0, RELEASE, NULL},       \
	{                                                                                          \
		FENCE, 0, 0, RELEASE, NULL                                                         \
	}

static const struct program applied = {
	.name = "applied",
	.op = {{COMMIT_TO(1, CELL_A, NULL), COMMIT_TO(2, CELL_B, "without [B5] release of in_slot"),
		COMMIT_TO(3, CELL_A, NULL)},
	       {{LOAD, APPLIED_IN_SLOT, 0, ACQUIRE, "without [B5] acquire"},
		{LOAD, APPLIED_REDO, 1, RELAXED, NULL},
		{LOAD, CELL_A, 2, RELAXED, NULL},
		{FENCE, 0, 0, ACQUIRE, "without [B11] acquire fence"},
		{LOAD, APPLIED_IN_SLOT, 3, RELAXED, NULL}}},
	.count = {15, 5},
	.holds = applied_whole,
};

/* ---- [N1]: two writers intern one name at once -------------------------------------------- */

/* Both have stored its text; one entry wins, and the loser reads the winner's text. */
enum { NAME_ENTRY, NAME_TEXT_1, NAME_TEXT_2 };

static bool name_whole(const uint8_t *r)
{
	bool lost = r[1] == 1 + 1, both_won = r[0] == 1 && r[1] == 1;
	return !both_won && (!lost || r[2] == 7);
}

static const struct program name = {
	.name = "name",
	.op = {{{STORE, NAME_TEXT_1, 7, RELAXED, NULL},
		{SWAP, NAME_ENTRY, 1, BOTH, "without [N1] release of the entry", 0, 0, 0}},
	       {{STORE, NAME_TEXT_2, 7, RELAXED, NULL},
		{SWAP, NAME_ENTRY, 2, BOTH, "without [N1] acquire of the loser", 0, 1, 0},
		{LOAD, NAME_TEXT_1, 2, RELAXED, NULL}}},
	.count = {2, 3},
	.holds = name_whole,
};

/* ... and who only looks it up. */
static bool text_whole(const uint8_t *r)
{
	return r[1] != 1 || r[2] == 7;
}

static const struct program lookup = {
	.name = "lookup",
	.op = {{{STORE, NAME_TEXT_1, 7, RELAXED, NULL},
		{SWAP, NAME_ENTRY, 1, BOTH, "without [N1] release of the entry", 0, 0, 0}},
	       {{LOAD, NAME_ENTRY, 1, ACQUIRE, "without [N1] acquire"},
		{LOAD, NAME_TEXT_1, 2, RELAXED, NULL}}},
	.count = {2, 2},
	.holds = text_whole,
};

/* ---- [B6]: two claimers of a dead one's lane ----------------------------------------------- */

/*
 * The first takes it from the dead (9), settles and gives it back; the second finds it dead,
 * or free, or taken. Only one takes it from the dead; who takes it freed sees it settled.
 */
enum { OWNER, SETTLED };

static bool claimed_whole(const uint8_t *r)
{
	bool both_from_dead = r[0] == 9 + 1 && r[1] == 9 + 1;
	return !both_from_dead && (r[2] != 0 + 1 || r[3] == 5);
}

static const struct program takeover = {
	.name = "takeover",
	.op = {{{SWAP, OWNER, 1, BOTH, NULL, 9, 0, 0},
		{STORE, SETTLED, 5, RELAXED, NULL, 0, 0, 9 + 1},
		{STORE, OWNER, 0, RELEASE, "without [B6] release", 0, 0, 9 + 1}},
	       {{SWAP, OWNER, 2, BOTH, NULL, 9, 1, 0},
		{SWAP, OWNER, 2, BOTH, "without [B6] acquire", 0, 2, 0},
		{LOAD, SETTLED, 3, RELAXED, NULL}}},
	.count = {3, 3},
	.start = {[OWNER] = 9},
	.holds = claimed_whole,
};

/* ---- [C2]: the one foreign store to a slot ------------------------------------------------- */

/* Its owner laps the slot while another thread tells that the call returned elsewhere. */
static bool told_whole(const uint8_t *r)
{
	return true;
}

static bool not_lapped_back(const uint8_t *r, const uint8_t *memory)
{
	return memory[SEQ] == SEQ_OF(2, 1) && memory[FIRST] == 2;
}

#define TELL(how)                                                                                  \
	{                                                                                          \
		.name = "told",                                                                    \
		.op = {{{STORE, SEQ, SEQ_OF(2, 0), RELAXED, NULL},                                 \
			{FENCE, 0, 0, RELEASE, NULL},                                              \
			{STORE, FIRST, 2, RELAXED, NULL},                                          \
			{STORE, SEQ, SEQ_OF(2, 1), RELEASE, NULL}},                                \
		       {{how, SEQ, SEQ_OF(1, 3), RELAXED, NULL, SEQ_OF(1, 1), 0, 0}}},             \
		.count = {4, 1}, .start = {[SEQ] = SEQ_OF(1, 1), [FIRST] = 1},                     \
		.holds = told_whole, .leaves = not_lapped_back,                                    \
	}

static const struct program told = TELL(SWAP), told_blindly = TELL(BLIND);

/* ---- [B14]: a lane is settled while another thread tells that a call returned there --------- */

/*
 * The call must be counted once: moved, or never returned. `moved` is held from 1 on. Who
 * tells counts it as moved first, and takes that back if the settler has its entry.
 */
enum { ENTRY, MOVED, NEVER };

static bool counted_once(const uint8_t *r, const uint8_t *memory)
{
	return !(memory[MOVED] == 2 && memory[NEVER] == 1);
}

static const struct program settled = {
	.name = "settled",
	.op = {{{SWAP, ENTRY, 0, ACQUIRE, "without [B14] acquire", 1, 0},
		{LOAD, MOVED, 1, RELAXED, NULL},
		{STORE, NEVER, 1, RELAXED, NULL, 0, 1, 1}},
	       {{STORE, MOVED, 2, RELAXED, NULL},
		{SWAP, ENTRY, 0, RELEASE, "without [B14] release", 1, 2},
		{STORE, MOVED, 1, RELAXED, NULL, 0, 2, 0 + 1}}},
	.count = {3, 3},
	.start = {[ENTRY] = 1, [MOVED] = 1},
	.holds = told_whole,
	.leaves = counted_once,
};

/* ... and what it must not be: the entry taken first, counted as moved after. */
static const struct program settled_late = {
	.name = "settled",
	.op = {{{SWAP, ENTRY, 0, ACQUIRE, NULL, 1, 0},
		{LOAD, MOVED, 1, RELAXED, NULL},
		{STORE, NEVER, 1, RELAXED, NULL, 0, 1, 1}},
	       {{SWAP, ENTRY, 0, RELEASE, NULL, 1, 2},
		{STORE, MOVED, 2, RELAXED, NULL, 0, 2, 1 + 1}}},
	.count = {3, 2},
	.start = {[ENTRY] = 1, [MOVED] = 1},
	.holds = told_whole,
	.leaves = counted_once,
};

/* ---- death: kill the writer at each step, then settlers at each of theirs -------------- */

enum mutation { NONE, COMMITTED_LATE, CLOSED_EARLY, LOST_BY_NAMES, FILLED_EARLY, MUTATIONS };
static const char *const mutation_text[] = {"as it is", "in_slot set after the bucket",
					    "in_slot cleared before the redo",
					    "never_returned counted by names",
					    "the redo record filled before the last one is closed"};

struct lane {
	int in_slot, r_bucket, r_sum, bucket, sum, returned, begun, never, inflight, r_returned;
};

/* One call: returns false when killed before step `left` reaches 0. */
#define STEP(what)                                                                                 \
	do {                                                                                       \
		if (!left--)                                                                       \
			return false;                                                              \
		what;                                                                              \
	} while (0)

static bool call_once(struct lane *l, int left, enum mutation m)
{
	int n = l->returned + 1;
	STEP(l->inflight = l->begun + 1);
	STEP(l->begun++);
	STEP(l->r_bucket = l->bucket + 1);
	STEP(l->r_sum = l->sum + 10);
	STEP(l->r_returned = n);
	if (m == FILLED_EARLY)
		STEP(l->in_slot = 0);
	if (m != COMMITTED_LATE)
		STEP(l->in_slot = n);
	STEP(l->bucket = l->r_bucket);
	if (m == COMMITTED_LATE)
		STEP(l->in_slot = n);
	STEP(l->sum = l->r_sum);
	STEP(l->inflight = 0);
	STEP(l->returned = n);
	if (m != FILLED_EARLY)
		STEP(l->in_slot = 0);
	return true;
}

static bool settle(struct lane *l, int left, enum mutation m)
{
	if (l->in_slot) {
		if (m == CLOSED_EARLY)
			STEP(l->in_slot = 0);
		STEP(l->bucket = l->r_bucket);
		STEP(l->sum = l->r_sum);
		STEP(l->inflight = 0);
		STEP(l->returned = l->r_returned);
		STEP(l->in_slot = 0);
	}
	if (m == LOST_BY_NAMES)
		STEP(l->never += l->inflight && l->inflight <= l->begun);
	else
		STEP(l->never += l->begun - l->returned - l->never);
	STEP(l->inflight = 0);
	return true;
}

static bool exact(const struct lane *l)
{
	return l->bucket == l->returned && l->sum == 10 * l->returned &&
	       l->begun == l->returned + l->never && !l->in_slot && !l->inflight;
}

static bool deaths(enum mutation m)
{
	bool good = true;
	explored = 0;
	for (int calls = 0; calls < 3; calls++)
		for (int k = 0; k < 13; k++)
			for (int first = 0; first < 9; first++)
				for (int second = 0; second < 9; second++) {
					struct lane l = {0};
					for (int i = 0; i < calls; i++)
						call_once(&l, 99, m);
					call_once(&l, k, m);
					settle(&l, first, m);
					settle(&l, second, m);
					settle(&l, 99, m);
					good &= exact(&l);
					call_once(&l, 99, m);
					settle(&l, 99, m);
					good &= exact(&l);
					explored++;
				}
	return good;
}

int main(void)
{
	try_all(&slot);
	try_all(&redo);
	try_all(&closing);
	try_all(&handover);
	try_all(&reused);
	try_all(&setting);
	try_all(&applied);
	try_all(&name);
	try_all(&lookup);
	try_all(&takeover);
	try_all(&told);
	expect(false, run(&told_blindly, false), told_blindly.name, "by a plain store");
	try_all(&settled);
	expect(false, run(&settled_late, true), settled_late.name, "moved counted last");
	for (enum mutation m = NONE; m < MUTATIONS; m++)
		expect(m == NONE, deaths(m), "death", mutation_text[m]);
	printf("%lu passed, %lu failed\n", checks - failed, failed);
	return failed != 0;
}
