/* SPDX-License-Identifier: MIT */
/*
 * order.c - the barriers of ring.h in a weak memory model, every execution of it.
 *
 * A thread is a list of operations on shared words. Any of them may take effect next,
 * unless an earlier one of its thread has to come before it: one on the same word; any
 * for a release store; any before a release fence (for stores) or an acquire fence (for
 * loads); an acquire load for all that follow it. That is as weak as a machine that keeps
 * only what C11 promises here, and much weaker than x86.
 *
 * Each protocol is run as it stands, and must hold in every execution; then with one
 * barrier taken out or one step moved, and must fail in at least one: a barrier that the
 * model cannot miss would be no evidence for it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPS_MAX	  24
#define WORDS_MAX 8

enum kind { STORE, LOAD, FENCE_RELEASE, FENCE_ACQUIRE };
enum order { RELAXED, RELEASE, ACQUIRE };

struct op {
	enum kind kind;
	int word;
	int value;
	enum order order;
};

struct program {
	struct op ops[OPS_MAX];
	int count;
	uint32_t after[OPS_MAX]; /* operations that must have taken effect before this one */
};

struct state {
	uint32_t done[2];
	int8_t memory[WORDS_MAX];
	int8_t loaded[OPS_MAX]; /* by the reader */
};

struct model {
	struct program writer, reader;
	/* Whether what the reader saw is allowed. */
	bool (*holds)(const struct model *m, const struct state *s);
	uint64_t states;
	bool violated;
};

/* ---- exploration ------------------------------------------------------------------ */

#define TABLE (1u << 21)
static struct state *table;
static uint8_t *used;

static bool seen_before(const struct state *s)
{
	const unsigned char *p = (const unsigned char *)s;
	uint64_t h = 1469598103934665603u; /* FNV-1a */
	for (size_t i = 0; i < sizeof(*s); i++)
		h = (h ^ p[i]) * 1099511628211u;
	for (uint32_t at = (uint32_t)(h >> 20) & (TABLE - 1);; at = (at + 1) & (TABLE - 1)) {
		if (!used[at]) {
			used[at] = 1;
			table[at] = *s;
			return false;
		}
		if (memcmp(&table[at], s, sizeof(*s)) == 0)
			return true;
	}
}

static bool must_wait(const struct op *first, const struct op *later)
{
	bool fence = first->kind >= FENCE_RELEASE || later->kind >= FENCE_RELEASE;
	if (!fence && first->word == later->word)
		return true;
	if (first->kind == LOAD && first->order == ACQUIRE)
		return true;
	if (later->kind == STORE && later->order == RELEASE)
		return true;
	if (later->kind == FENCE_RELEASE || later->kind == FENCE_ACQUIRE)
		return later->kind == FENCE_RELEASE ? first->kind != LOAD : first->kind != STORE;
	if (first->kind == FENCE_RELEASE)
		return later->kind == STORE;
	return first->kind == FENCE_ACQUIRE;
}

static void order_program(struct program *p)
{
	for (int later = 0; later < p->count; later++) {
		p->after[later] = 0;
		for (int first = 0; first < later; first++)
			if (must_wait(&p->ops[first], &p->ops[later]))
				p->after[later] |= 1u << first;
	}
}

static void explore(struct model *m, struct state s)
{
	struct program *programs[2] = {&m->writer, &m->reader};
	if (seen_before(&s))
		return;
	m->states++;
	if (s.done[1] == (1u << m->reader.count) - 1 && !m->holds(m, &s))
		m->violated = true;
	for (int t = 0; t < 2; t++)
		for (int i = 0; i < programs[t]->count; i++) {
			const struct op *op = &programs[t]->ops[i];
			if ((s.done[t] >> i & 1) ||
			    (programs[t]->after[i] & s.done[t]) != programs[t]->after[i])
				continue;
			struct state next = s;
			next.done[t] |= 1u << i;
			if (op->kind == STORE)
				next.memory[op->word] = (int8_t)op->value;
			else if (op->kind == LOAD)
				next.loaded[i] = next.memory[op->word];
			explore(m, next);
		}
}

static void add(struct program *p, enum kind kind, int word, int value, enum order order)
{
	p->ops[p->count++] = (struct op){kind, word, value, order};
}

static void run(struct model *m)
{
	struct state start;
	memset(&start, 0, sizeof(start));
	memset(used, 0, TABLE);
	order_program(&m->writer);
	order_program(&m->reader);
	m->states = 0;
	m->violated = false;
	explore(m, start);
}

/* ---- the slot: one index is read while it is completed and lapped ---------------------- */

enum slot_word { SEQ, FIELD_A, FIELD_B, RESULT };
enum slot_mutation {
	SLOT_WHOLE,
	NO_BUSY_FENCE,
	NO_PUBLISH_RELEASE,
	NO_DONE_RELEASE,
	NO_FIRST_ACQUIRE,
	NO_READER_FENCE,
	SLOT_MUTATIONS
};
static const char *const slot_names[] = {"as it is",
					 "no release fence after BUSY [B3]",
					 "ATTEMPT not a release [B1]",
					 "DONE not a release [B1]",
					 "first look not an acquire [B1]",
					 "no acquire fence before the second look [B3]"};

#define STATE(index, state) ((index)*4 + (state)) /* 0 busy, 1 attempt, 2 done */

static bool slot_holds(const struct model *m, const struct state *s)
{
	int first = s->loaded[0], a = s->loaded[1], b = s->loaded[2], result = s->loaded[3];
	int second = s->loaded[m->reader.count - 1];
	if (first / 4 != 1 || first % 4 == 0 || second / 4 != 1)
		return true; /* lapped or pending: a good answer */
	return a == 1 && b == 1 && (first % 4 != 2 || result == 1);
}

static void slot_model(struct model *m, enum slot_mutation how)
{
	memset(m, 0, sizeof(*m));
	m->holds = slot_holds;
	for (int lap = 1; lap <= 2; lap++) {
		add(&m->writer, STORE, SEQ, STATE(lap, 0), RELAXED);
		if (how != NO_BUSY_FENCE)
			add(&m->writer, FENCE_RELEASE, -1, 0, RELAXED);
		add(&m->writer, STORE, FIELD_A, lap, RELAXED);
		add(&m->writer, STORE, FIELD_B, lap, RELAXED);
		add(&m->writer, STORE, SEQ, STATE(lap, 1),
		    how == NO_PUBLISH_RELEASE ? RELAXED : RELEASE);
		add(&m->writer, STORE, RESULT, lap, RELAXED);
		add(&m->writer, STORE, SEQ, STATE(lap, 2),
		    how == NO_DONE_RELEASE ? RELAXED : RELEASE);
	}
	add(&m->reader, LOAD, SEQ, 0, how == NO_FIRST_ACQUIRE ? RELAXED : ACQUIRE);
	add(&m->reader, LOAD, FIELD_A, 0, RELAXED);
	add(&m->reader, LOAD, FIELD_B, 0, RELAXED);
	add(&m->reader, LOAD, RESULT, 0, RELAXED);
	if (how != NO_READER_FENCE)
		add(&m->reader, FENCE_ACQUIRE, -1, 0, RELAXED);
	add(&m->reader, LOAD, SEQ, 0, RELAXED);
}

/* ---- the redo record: a reader finishes a commit only if it saw it whole ----------------- */

enum redo_word { REDO_A, REDO_B, IN_SLOT, BUCKET };
enum redo_mutation {
	REDO_WHOLE,
	NO_REDO_FENCE,
	NO_COMMIT_RELEASE,
	NO_IN_SLOT_ACQUIRE,
	NO_COPY_FENCE,
	SAME_NUMBER,
	REDO_MUTATIONS
};
static const char *const redo_names[] = {"as it is",
					 "no release fence behind the end of a commit [B11]",
					 "in_slot not a release [B5]",
					 "in_slot not an acquire in the reader [B5]",
					 "no acquire fence before the second look [B3]",
					 "in_slot a flag and not a number"};

/*
 * A record that is applied is whole, is that of the commit that in_slot names, and does not
 * take back what a later commit has stored.
 */
static bool redo_holds(const struct model *m, const struct state *s)
{
	int before = s->loaded[0], a = s->loaded[1], b = s->loaded[2], bucket = s->loaded[3];
	int after = s->loaded[m->reader.count - 1];
	if (!before || before != after)
		return true;
	return a == b && bucket <= a && (before == 9 || a == before);
}

static void redo_model(struct model *m, enum redo_mutation how)
{
	memset(m, 0, sizeof(*m));
	m->holds = redo_holds;
	for (int commit = 1; commit <= 2; commit++) {
		add(&m->writer, STORE, REDO_A, commit, RELAXED);
		add(&m->writer, STORE, REDO_B, commit, RELAXED);
		add(&m->writer, STORE, IN_SLOT, how == SAME_NUMBER ? 9 : commit,
		    how == NO_COMMIT_RELEASE ? RELAXED : RELEASE);
		add(&m->writer, STORE, BUCKET, commit, RELAXED);
		add(&m->writer, STORE, IN_SLOT, 0, RELEASE);
		if (how != NO_REDO_FENCE)
			add(&m->writer, FENCE_RELEASE, -1, 0, RELAXED);
	}
	add(&m->reader, LOAD, IN_SLOT, 0, how == NO_IN_SLOT_ACQUIRE ? RELAXED : ACQUIRE);
	add(&m->reader, LOAD, REDO_A, 0, RELAXED);
	add(&m->reader, LOAD, REDO_B, 0, RELAXED);
	add(&m->reader, LOAD, BUCKET, 0, RELAXED);
	if (how != NO_COPY_FENCE)
		add(&m->reader, FENCE_ACQUIRE, -1, 0, RELAXED);
	add(&m->reader, LOAD, IN_SLOT, 0, RELAXED);
}

/* ---- one pair of words: a text and what publishes it (names, cells, owner, head) --------- */

static bool pair_holds(const struct model *m, const struct state *s)
{
	(void)m;
	return s->loaded[0] == 0 || s->loaded[1] == 1;
}

static void pair_model(struct model *m, bool release, bool acquire)
{
	memset(m, 0, sizeof(*m));
	m->holds = pair_holds;
	add(&m->writer, STORE, 1, 1, RELAXED);
	add(&m->writer, STORE, 0, 1, release ? RELEASE : RELAXED);
	add(&m->reader, LOAD, 0, 0, acquire ? ACQUIRE : RELAXED);
	add(&m->reader, LOAD, 1, 0, RELAXED);
}

/* ---- main ------------------------------------------------------------------------- */

static int passed, failed;

static void judge(struct model *m, const char *protocol, const char *how, bool should_hold)
{
	run(m);
	bool good = m->violated != should_hold;
	good ? passed++ : failed++;
	printf("%s %s, %s: %s (%llu states)\n", good ? "ok  " : "FAIL", protocol, how,
	       m->violated ? "violated" : "holds", (unsigned long long)m->states);
}

int main(void)
{
	static struct model m;
	table = calloc(TABLE, sizeof(*table));
	used = calloc(TABLE, 1);
	if (!table || !used)
		return 1;
	for (int how = 0; how < SLOT_MUTATIONS; how++) {
		slot_model(&m, (enum slot_mutation)how);
		judge(&m, "slot", slot_names[how], how == SLOT_WHOLE);
	}
	for (int how = 0; how < REDO_MUTATIONS; how++) {
		redo_model(&m, (enum redo_mutation)how);
		judge(&m, "redo", redo_names[how], how == REDO_WHOLE);
	}
	for (int how = 0; how < 3; how++) {
		pair_model(&m, how != 1, how != 2);
		judge(&m, "publication [N1] [B2] [B4] [B6] [B7] [B8] [B9]",
		      how == 0 ? "as it is" : (how == 1 ? "no release" : "no acquire"), how == 0);
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}
