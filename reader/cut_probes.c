/* SPDX-License-Identifier: MIT */
/*
 * cut_probes.c - processes, and what each probe is bound to in them or why it is not.
 */
#include "cut_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *inv_tier_name(unsigned tier)
{
	static const char *const NAMES[] = {"none", "got", "entry", "python"};
	return tier < sizeof(NAMES) / sizeof(NAMES[0]) ? NAMES[tier] : "unknown";
}

/* A raw snapshot's rows tell of its own time: what was dead then is ENDED in it. */
static enum inv_liveness row_liveness(const struct cutting *c, uint32_t row, unsigned status)
{
	if (status != INV_PROC_LIVE && status != INV_PROC_CLAIMING)
		return INV_LIVENESS_DEAD;
	if (c->src->kind == INV_SRC_SNAPSHOT)
		return INV_LIVENESS_ALIVE;
	return inv_proc_row_liveness(&c->src->view.seg, &c->self, row);
}

void inv_cut_procs(struct cutting *c)
{
	for (uint32_t i = 0; i < INV_PROCS_MAX; i++) {
		uint64_t state = atomic_load_explicit(&c->src->view.seg.procs[i].state,
						      memory_order_relaxed);
		unsigned status = INV_PROC_STATUS(state);
		enum inv_liveness liveness = row_liveness(c, i, status);
		c->liveness[i] = (uint8_t)liveness;
		if (status == INV_PROC_FREE)
			continue;
		c->cut->procs_alive += liveness == INV_LIVENESS_ALIVE;
		c->cut->procs_dead += liveness == INV_LIVENESS_DEAD;
		c->cut->procs_unknown += liveness == INV_LIVENESS_UNKNOWN;
	}
	c->cut->live = c->cut->procs_alive > 0;
}

static void say_why(struct inv_probe_state *probe, const char *what, const char *detail,
		    const char *exe)
{
	if (probe->why[0])
		return; /* the first says enough; the notes have the rest */
	snprintf(probe->why, sizeof(probe->why), "%s%s%s%s%s", what, *detail ? ": " : "", detail,
		 *exe ? " in " : "", exe);
}

static void add_binding(struct inv_probe_state *probe, const struct inv_proc *proc,
			const struct inv_binding_row *binding)
{
	probe->procs++;
	probe->sites += binding->sites;
	probe->refused += binding->refused;
	probe->bound_in += binding->tier != INV_TIER_NONE;
	if (binding->tier > probe->tier)
		probe->tier = binding->tier;
	if (binding->reason != INV_REASON_NONE)
		say_why(probe, inv_reason_text((enum inv_reason)binding->reason), "", proc->exe);
}

static void add_proc(struct cutting *c, uint32_t row)
{
	struct inv_proc proc;
	inv_view_proc(&c->src->view, row, &proc);
	unsigned status = INV_PROC_STATUS(atomic_load_explicit(&proc.state, memory_order_relaxed));
	if (status != INV_PROC_LIVE && status != INV_PROC_ENDED)
		return;
	for (size_t i = 0; i < c->cut->probe_count; i++)
		add_binding(&c->cut->probes[i], &proc, &proc.bindings[i]);
}

static void add_note(struct cutting *c, uint32_t place)
{
	struct inv_note_row *row = &c->cut->notes[c->cut->note_count];
	if (!inv_view_note(&c->src->view, place, &row->note))
		return;
	row->count = atomic_load_explicit(&row->note.count, memory_order_relaxed);
	if (row->count == 0)
		return; /* withdrawn */
	row->probe[0] = '\0';
	c->cut->note_count++;
	if (row->note.probe >= c->cut->probe_count)
		return;
	struct inv_probe_state *probe = &c->cut->probes[row->note.probe];
	memcpy(row->probe, probe->row.name, sizeof(row->probe));
	if (!probe->bound_in)
		say_why(probe, inv_reason_text((enum inv_reason)row->note.reason), row->note.detail,
			row->note.exe);
}

int inv_cut_probes(struct cutting *c)
{
	const struct inv_header *h = c->src->view.seg.header;
	uint32_t probes = h->probe_count < INV_PROBES_MAX ? h->probe_count : INV_PROBES_MAX;
	c->cut->probes = calloc(probes + 1, sizeof(*c->cut->probes));
	c->cut->notes = calloc(INV_NOTES_MAX, sizeof(*c->cut->notes));
	if (!c->cut->probes || !c->cut->notes)
		return -ENOMEM;
	c->cut->probe_count = probes;
	for (uint32_t i = 0; i < probes; i++) {
		inv_view_probe(&c->src->view, i, &c->cut->probes[i].row);
		c->cut->probes[i].calls = probes == 1 ? c->cut->returned : c->kept_of_probe[i];
	}
	for (uint32_t i = 0; i < INV_PROCS_MAX; i++)
		add_proc(c, i);
	for (uint32_t i = 0; i < INV_NOTES_MAX; i++)
		add_note(c, i);
	return 0;
}
