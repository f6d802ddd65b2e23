/* SPDX-License-Identifier: MIT */
/*
 * record_control.c - what the control page says about a call: the slow half.
 *
 * The hot path compares the page's generation with one that this thread knows to have nothing
 * on. Here the rules of another generation are copied, once a change and thread, and a call's
 * names are held against them while a filter is on. A call whose name could not be read, or
 * that has none, is none of those that a filter asks for.
 */
#include "names.h"
#include "record_private.h"

void inv_control_forget(struct inv_thread *t)
{
	t->plain_generation = t->rules_generation = INV_GENERATION_NONE;
}

/* Returns: false: the page is changing this very moment [Z2]. */
static bool take_rules(struct inv_thread *t)
{
	uint64_t generation;
	if (inv_get(&inv_process.control->generation) == t->rules_generation)
		return true;
	/* A longjmp out of a signal handler may leave us in the middle of the copy. */
	inv_control_forget(t);
	atomic_signal_fence(memory_order_seq_cst);
	if (!inv_control_rules(inv_process.control, &t->rules, &generation))
		return false;
	atomic_signal_fence(memory_order_seq_cst);
	t->rules_generation = generation;
	if (inv_control_plain(&t->rules) && t->ring)
		t->plain_generation = generation;
	return true;
}

static bool wanted(const struct inv_control_rules *rules, enum inv_control_kind kind, uint32_t id,
		   const struct inv_call_fields *f)
{
	size_t length = 0;
	const char *text = NULL;
	if (!inv_control_count(rules, kind))
		return true;
	if (id) {
		text = inv_name_text(inv_process.segment, id, &length);
	} else if (f->missed & (1u << kind)) {
		text = f->miss[kind].text;
		length = f->miss[kind].length;
	}
	return text && inv_control_wants(rules, kind, inv_name_hash(text, length));
}

enum inv_verdict inv_control_judge(struct inv_thread *t, const struct inv_call_fields *f)
{
	if (!take_rules(t) || inv_control_plain(&t->rules))
		return INV_VERDICT_ALL;
	if (t->rules.flags & INV_CONTROL_PAUSED)
		return INV_VERDICT_NOTHING;
	bool all = wanted(&t->rules, INV_CONTROL_INVOKER, f->invoker, f) &&
		   wanted(&t->rules, INV_CONTROL_ARTIFACT, f->artifact, f) &&
		   wanted(&t->rules, INV_CONTROL_METHOD, f->method, f);
	return all ? INV_VERDICT_ALL : INV_VERDICT_TALLY;
}

bool inv_control_paused(void)
{
	struct inv_control_rules rules;
	uint64_t generation;
	return inv_control_rules(inv_process.control, &rules, &generation) &&
	       (rules.flags & INV_CONTROL_PAUSED);
}
