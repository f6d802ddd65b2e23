/* SPDX-License-Identifier: MIT */
/*
 * machine.h - a weak machine of two threads, and every interleaving of what they do.
 *
 * A thread is a list of loads, stores and fences. An operation takes effect once all that it
 * is ordered behind have: the same word in program order, an acquire load or fence before what
 * follows it, a release store or fence behind what precedes it (a release store does not hold
 * back later stores). Nothing else is ordered, which is what aarch64 may do; the strong machine
 * orders all. Each protocol must hold on both; with any one barrier taken out it must fail on
 * the weak one, which proves that the model can tell.
 *
 * For one test program, which includes it once.
 */
#ifndef TESTS_MODEL_MACHINE_H
#define TESTS_MODEL_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { STORE, LOAD, FENCE, SWAP, BLIND };
enum order { RELAXED, RELEASE, ACQUIRE, BOTH };

/*
 * A SWAP compares the word with `expected` and stores `value`; register `reg` gets what the
 * word held, plus 1. A BLIND swap is the mutation that does not compare. A STORE with `when`
 * takes place if register `reg` holds that, on which it depends.
 */
struct op {
	enum kind kind;
	uint8_t word, value; /* of a load: which register */
	enum order order;
	const char *tag; /* a mutation takes the order away */
	uint8_t expected, reg, when;
};

#define WORDS 12
struct program {
	const char *name;
	struct op op[2][32]; /* writer, reader */
	unsigned count[2];
	uint8_t start[WORDS];
	bool (*holds)(const uint8_t *registers);
	/* ... and when both have ended, of what is left in memory; may be NULL. */
	bool (*leaves)(const uint8_t *registers, const uint8_t *memory);
};

struct state {
	uint32_t done[2];
	uint8_t memory[WORDS], reg[WORDS];
};

#define TABLE (1u << 20)
static struct state seen[TABLE];
static uint8_t used[TABLE];
static unsigned long explored, checks, failed;
static uint32_t behind[2][32]; /* what each operation waits for */
static bool violated;

static uint64_t hash_of(const struct state *s)
{
	uint64_t h = 1469598103934665603u;
	for (size_t i = 0; i < sizeof(*s); i++)
		h = (h ^ ((const uint8_t *)s)[i]) * 1099511628211u;
	return h ^ h >> 31;
}

static bool visit(const struct state *s)
{
	uint64_t at = hash_of(s);
	while (used[at &= TABLE - 1]) {
		if (!memcmp(&seen[at], s, sizeof(*s)))
			return false;
		at++;
	}
	if (++explored % TABLE > TABLE / 4 * 3)
		abort();
	used[at] = 1;
	seen[at] = *s;
	return true;
}

static bool ended(const struct program *p, const struct state *s, int thread)
{
	return s->done[thread] == (1u << p->count[thread]) - 1;
}

static void perform(const struct op *op, struct state *s)
{
	uint8_t *word = &s->memory[op->word];
	switch (op->kind) {
	case STORE:
		if (!op->when || s->reg[op->reg] == op->when)
			*word = op->value;
		break;
	case LOAD:
		s->reg[op->value] = *word;
		break;
	case SWAP:
	case BLIND:
		s->reg[op->reg] = (uint8_t)(*word + 1);
		if (op->kind == BLIND || *word == op->expected)
			*word = op->value;
		break;
	case FENCE:
		break;
	}
}

static void explore(const struct program *p, const struct state *from)
{
	if (violated || !visit(from))
		return;
	if ((ended(p, from, 1) && !p->holds(from->reg)) ||
	    (p->leaves && ended(p, from, 0) && ended(p, from, 1) &&
	     !p->leaves(from->reg, from->memory)))
		violated = true;
	for (int t = 0; t < 2; t++)
		for (unsigned i = 0; i < p->count[t]; i++) {
			struct state next = *from;
			if (from->done[t] >> i & 1 || behind[t][i] & ~from->done[t])
				continue;
			next.done[t] |= 1u << i;
			perform(&p->op[t][i], &next);
			explore(p, &next);
		}
}

static bool swaps(const struct op *op)
{
	return op->kind == SWAP || op->kind == BLIND;
}

static bool ordered(const struct op *a, const struct op *b, bool strong)
{
	if (strong)
		return true;
	if (a->kind == FENCE || b->kind == FENCE)
		return (a->kind == FENCE ? a : b)->order != RELAXED;
	bool acquires =
		(a->kind == LOAD && a->order == ACQUIRE) || (swaps(a) && a->order >= ACQUIRE);
	bool releases = (b->kind == STORE && b->order == RELEASE) ||
			(swaps(b) && (b->order == RELEASE || b->order == BOTH));
	bool depends = b->kind == STORE && b->when &&
		       ((swaps(a) && a->reg == b->reg) || (a->kind == LOAD && a->value == b->reg));
	return a->word == b->word || acquires || releases || depends;
}

static bool run(const struct program *p, bool strong)
{
	struct state s;
	memset(&s, 0, sizeof(s));
	memset(used, 0, sizeof(used));
	memcpy(s.memory, p->start, sizeof(s.memory));
	explored = 0;
	violated = false;
	for (int t = 0; t < 2; t++)
		for (unsigned b = 0; b < p->count[t]; b++) {
			behind[t][b] = 0;
			for (unsigned a = 0; a < b; a++)
				if (ordered(&p->op[t][a], &p->op[t][b], strong))
					behind[t][b] |= 1u << a;
		}
	explore(p, &s);
	return !violated;
}

static void expect(bool want, bool got, const char *name, const char *what)
{
	checks++;
	failed += want != got;
	printf("%s %s %s: %s, %lu states\n", want == got ? "ok  " : "FAIL", name, what,
	       got ? "holds" : "fails", explored);
}

static void try_all(const struct program *p)
{
	expect(true, run(p, true), p->name, "strong");
	expect(true, run(p, false), p->name, "weak");
	for (int t = 0; t < 2; t++)
		for (unsigned i = 0; i < p->count[t]; i++)
			if (p->op[t][i].tag) {
				struct program without = *p;
				without.op[t][i].order = RELAXED;
				expect(false, run(&without, false), p->name, p->op[t][i].tag);
			}
}

#endif
