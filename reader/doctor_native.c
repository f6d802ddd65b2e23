/* SPDX-License-Identifier: MIT */
/*
 * doctor_native.c - the shim's own decisions, taken over files.
 *
 * In each object that the probe accepts its function is looked up and, unless bind = got,
 * its first bytes are given to the planner that the shim would ask: a pure function, so that
 * the answer is the same. What is left to the `got` tier are the slots that lead to a
 * definition whose bytes could not be patched.
 *
 * Not foreseen, because only the process knows: text that may not be written, no free page
 * near by, a shadow stack.
 */
#include "reader/doctor_native.h"

#include <stdio.h>
#include <string.h>

#include "preload/prologue.h"
#include "reader/doctor_names.h"

#define PADDING "build it with -fpatchable-function-entry=5, or observe a function that calls it"

/* The probe's function in one object. */
struct definition {
	struct inv_doctor_function function;
	bool wanted; /* the object is one that the probe accepts */
	bool patched;
};

struct judgement {
	struct inv_doctor_probe *out;
	const struct inv_doctor *doctor;
	const struct inv_doctor_program *program;
	bool by_entry;
	bool any_wanted;
	bool taken;   /* another probe has its slots */
	size_t first; /* the first exported definition in the loader's order */
	struct definition definitions[INV_DOCTOR_OBJECTS_MAX];
};

static const char *base_name(const struct inv_doctor_elf *elf)
{
	const char *slash = strrchr(elf->path, '/');
	return slash ? slash + 1 : elf->path;
}

static void find_all(struct judgement *j)
{
	const struct inv_probe *probe = j->out->probe;
	j->first = j->program->count;
	for (size_t i = 0; i < j->program->count; i++) {
		struct definition *d = &j->definitions[i];
		d->wanted = inv_doctor_program_accepts(j->program, probe->object, i);
		j->any_wanted |= d->wanted;
		if (probe->target_kind == INV_TARGET_OFFSET)
			d->function.address = probe->offset;
		else
			inv_doctor_elf_find(&j->program->objects[i], probe->symbol, &d->function);
		if (d->function.symbol == INV_DOCTOR_SYMBOL_EXPORTED &&
		    j->first == j->program->count)
			j->first = i;
	}
}

/* ---- the function itself ---------------------------------------------------------------- */

/* Whether an earlier probe patches it. */
static bool is_taken(const struct judgement *j, const struct inv_doctor_elf *elf, uint64_t address)
{
	for (size_t p = 0; p < j->doctor->count; p++) {
		const struct inv_doctor_probe *other = &j->doctor->probes[p];
		for (uint32_t i = 0; i < other->place_count; i++)
			if (other->places[i].object == elf && other->places[i].address == address)
				return true;
	}
	return false;
}

static void refuse(struct judgement *j, const char *why, const char *remedy)
{
	j->out->entry_why = why;
	j->out->entry_remedy = remedy;
}

/* Nops before all else can always be moved, and nothing branches to them. */
static void refuse_bytes(struct judgement *j, enum inv_prologue_result result)
{
	refuse(j, inv_prologue_reason(result),
	       result == INV_PROLOGUE_UNKNOWN_BYTES ? "observe a function that calls it" : PADDING);
}

/* Returns: whether its first bytes can be patched. */
static bool can_patch(struct judgement *j, const struct inv_doctor_elf *elf,
		      const struct inv_doctor_function *function)
{
	struct inv_prologue prologue;
	uint64_t start = 0;
	size_t bytes = 0;
	const uint8_t *text = inv_doctor_elf_text(elf, function->address, &start, &bytes);
	struct inv_prologue_function question = {
		.code = text ? text + (function->address - start) : NULL,
		.address = function->address,
		.size = function->size,
		.limit = bytes - (function->address - start),
		.loops_told = true,
	};
	enum inv_prologue_result result =
		text ? inv_prologue_plan(&prologue, &question) : INV_PROLOGUE_OK;
	if (elf->go)
		refuse(j, "a Go program moves its stacks", "observe the C libraries that it calls");
	else if (!text)
		refuse(j, "it is not in the object's text", "correct the offset");
	else if (is_taken(j, elf, function->address))
		refuse(j, "another probe has this function", "make one probe of the two");
	else if (result != INV_PROLOGUE_OK)
		refuse_bytes(j, result);
	else if (inv_prologue_is_entered(&prologue, text, bytes, start))
		refuse(j, "other code of the object branches into its first bytes", PADDING);
	else
		return true;
	return false;
}

static bool can_take(struct judgement *j, size_t i)
{
	const struct inv_doctor_function *function = &j->definitions[i].function;
	if (function->symbol == INV_DOCTOR_SYMBOL_CLONE)
		refuse(j, "the compiler left only a clone of it",
		       "export it, or __attribute__((noipa))");
	else if (function->symbol == INV_DOCTOR_SYMBOL_SEVERAL)
		refuse(j, "several functions have the name", "give object+0xOFFSET");
	else if (function->ifunc)
		refuse(j, "an ifunc: which function it is, the loader chooses",
		       "name the function that it chooses");
	else
		return can_patch(j, &j->program->objects[i], function);
	return false;
}

/* A local function of any library is not what a name alone means. */
static bool is_reachable(const struct judgement *j, size_t i)
{
	const struct definition *d = &j->definitions[i];
	if (!d->wanted)
		return false;
	if (j->out->probe->target_kind == INV_TARGET_OFFSET ||
	    d->function.symbol == INV_DOCTOR_SYMBOL_EXPORTED)
		return true;
	return d->function.symbol && (i == 0 || j->out->probe->object[0]);
}

static void take_place(struct inv_doctor_probe *out, const struct inv_doctor_elf *elf,
		       const struct definition *d)
{
	out->functions++;
	if (!out->object)
		out->object = elf;
	if (out->place_count < INV_DOCTOR_PLACES_MAX)
		out->places[out->place_count++] =
			(struct inv_doctor_place){.object = elf, .address = d->function.address};
}

static void try_entries(struct judgement *j)
{
	for (size_t i = 0; i < j->program->count; i++) {
		struct definition *d = &j->definitions[i];
		if (!is_reachable(j, i))
			continue;
		d->patched = can_take(j, i);
		if (d->patched)
			take_place(j->out, &j->program->objects[i], d);
	}
}

/* ---- slots -------------------------------------------------------------------------------- */

static void add_where(struct inv_doctor_probe *out, const struct inv_doctor_elf *elf,
		      uint32_t sites)
{
	size_t n = strlen(out->where);
	out->sites += sites;
	snprintf(out->where + n, sizeof(out->where) - n, "%s%s %u", n ? ", " : "", base_name(elf),
		 sites);
}

/* One slot, one probe: the first that accepts where it leads. */
static bool has_slots(const struct judgement *j, size_t to)
{
	const struct inv_probe *probe = j->out->probe;
	for (size_t p = 0; p < j->doctor->count; p++) {
		const struct inv_doctor_probe *other = &j->doctor->probes[p];
		bool judged = other->verdict != INV_DOCTOR_UNSUPPORTED &&
			      other->verdict != INV_DOCTOR_TIER &&
			      other->verdict != INV_DOCTOR_PROTOTYPE &&
			      other->probe->target_kind != INV_TARGET_PYTHON;
		if (judged && !strcmp(other->probe->symbol, probe->symbol) &&
		    inv_doctor_program_accepts(j->program, other->probe->object, to))
			return true;
	}
	return false;
}

static uint32_t sites_in(const struct judgement *j, size_t i)
{
	const struct inv_doctor_elf *objects = j->program->objects;
	const char *symbol = j->out->probe->symbol;
	uint32_t sites = inv_doctor_elf_sites(&objects[i], symbol);
	for (size_t k = 1; i == 0 && k < j->program->count; k++)
		sites += inv_doctor_elf_copied_sites(&objects[0], &objects[k], symbol);
	return sites;
}

/* An object's references go to the first definition, or by -Bsymbolic to its own. */
static void count_slots(struct judgement *j)
{
	for (size_t i = 0; i < j->program->count; i++) {
		const struct inv_doctor_elf *elf = &j->program->objects[i];
		bool own = elf->symbolic &&
			   j->definitions[i].function.symbol == INV_DOCTOR_SYMBOL_EXPORTED;
		size_t to = own ? i : j->first;
		if (to == j->program->count || !j->definitions[to].wanted ||
		    j->definitions[to].patched)
			continue;
		uint32_t sites = sites_in(j, i);
		if (sites && has_slots(j, to)) {
			j->taken = true;
			continue;
		}
		if (sites && !j->out->object)
			j->out->object = &j->program->objects[to];
		if (sites)
			add_where(j->out, elf, sites);
	}
}

static void list_places(struct inv_doctor_probe *out)
{
	for (uint32_t i = 0; i < out->place_count; i++)
		add_where(out, out->places[i].object, 1);
	out->sites += out->functions - out->place_count;
}

/* ---- the verdict -------------------------------------------------------------------------- */

/* The best that the accepted objects have of the symbol. */
static const struct definition *best(struct judgement *j)
{
	const struct definition *found = NULL;
	for (size_t i = 0; i < j->program->count; i++) {
		const struct definition *d = &j->definitions[i];
		if (!d->wanted || d->function.symbol <= (found ? found->function.symbol : 0))
			continue;
		found = d;
		j->out->object = &j->program->objects[i];
	}
	return found;
}

static enum inv_doctor_verdict judge_exported(struct judgement *j)
{
	struct inv_doctor_probe *out = j->out;
	const struct inv_doctor_elf *first = &j->program->objects[j->first];
	if (out->probe->object[0] && out->object != first) {
		snprintf(out->detail, sizeof(out->detail), "%.500s", base_name(first));
		return INV_DOCTOR_INTERPOSED;
	}
	if (j->taken)
		return INV_DOCTOR_TAKEN;
	return out->entry_why ? INV_DOCTOR_REFUSED : INV_DOCTOR_INSIDE;
}

static enum inv_doctor_verdict judge_private(struct judgement *j, const struct definition *found)
{
	switch (found->function.symbol) {
	case INV_DOCTOR_SYMBOL_CLONE:
		snprintf(j->out->detail, sizeof(j->out->detail), "%s", found->function.clone);
		return INV_DOCTOR_CLONE;
	case INV_DOCTOR_SYMBOL_SEVERAL:
		return INV_DOCTOR_SEVERAL;
	default:
		if (j->out->entry_why)
			return INV_DOCTOR_REFUSED;
		if (!j->by_entry)
			return INV_DOCTOR_HIDDEN;
		snprintf(j->out->detail, sizeof(j->out->detail), "%.250s:%s",
			 base_name(j->out->object), j->out->probe->symbol);
		return INV_DOCTOR_UNNAMED;
	}
}

static enum inv_doctor_verdict judge_unbound(struct judgement *j)
{
	const struct definition *found = best(j);
	if (j->out->probe->target_kind == INV_TARGET_OFFSET)
		return INV_DOCTOR_REFUSED;
	if (found && found->function.symbol == INV_DOCTOR_SYMBOL_EXPORTED)
		return judge_exported(j);
	if (found)
		return judge_private(j, found);
	inv_doctor_offer_names(j->out, j->program);
	if (j->out->name_count || j->program->objects[0].symtab)
		return INV_DOCTOR_NO_SYMBOL;
	snprintf(j->out->detail, sizeof(j->out->detail), "%.250s",
		 base_name(&j->program->objects[0]));
	return INV_DOCTOR_STRIPPED;
}

/* What stands in the way before any object is looked at. Returns: INV_DOCTOR_BOUND: nothing. */
static enum inv_doctor_verdict judge_words(struct judgement *j)
{
	struct inv_doctor_probe *out = j->out;
	const struct inv_probe *probe = out->probe;
	const char *entry = inv_signature_entry_refusal(&probe->signature);
	j->by_entry = probe->bind != INV_BIND_GOT && !entry;
	if (probe->target_kind == INV_TARGET_OFFSET && probe->bind == INV_BIND_GOT)
		return INV_DOCTOR_UNSUPPORTED;
	if (!j->by_entry &&
	    (probe->bind == INV_BIND_ENTRY || probe->target_kind == INV_TARGET_OFFSET)) {
		snprintf(out->detail, sizeof(out->detail), "%s", entry);
		return INV_DOCTOR_TIER;
	}
	if (probe->bind == INV_BIND_AUTO && entry)
		refuse(j, entry,
		       probe->signature.by_value_struct
			       ? "write the registers that hold it, as `invreg probe` does"
			       : "export it, and call it from another object: slots can take it");
	const char *why =
		inv_signature_refusal(&probe->signature, out->detail, sizeof(out->detail));
	if (why && why != out->detail)
		snprintf(out->detail, sizeof(out->detail), "%s", why);
	return why ? INV_DOCTOR_PROTOTYPE : INV_DOCTOR_BOUND;
}

/* Where calls by name go past the functions that are patched, this is said. */
static void note_interposed(struct judgement *j)
{
	struct inv_doctor_probe *out = j->out;
	if (!out->probe->object[0] || j->first == j->program->count || !out->place_count ||
	    j->definitions[j->first].wanted)
		return;
	for (size_t i = 0; i < j->program->count; i++)
		if (&j->program->objects[i] == out->object &&
		    j->definitions[i].function.symbol == INV_DOCTOR_SYMBOL_EXPORTED)
			snprintf(out->detail, sizeof(out->detail),
				 "calls by name go to %.250s, whose definition comes first",
				 base_name(&j->program->objects[j->first]));
}

static enum inv_doctor_verdict judge(struct judgement *j)
{
	struct inv_doctor_probe *out = j->out;
	enum inv_doctor_verdict words = judge_words(j);
	if (words != INV_DOCTOR_BOUND)
		return words;
	find_all(j);
	if (!j->any_wanted) {
		snprintf(out->detail, sizeof(out->detail), "%s", out->probe->object);
		return INV_DOCTOR_NOT_LOADED;
	}
	if (j->by_entry)
		try_entries(j);
	list_places(out);
	if (out->probe->bind != INV_BIND_ENTRY && out->probe->symbol[0])
		count_slots(j);
	if (!out->sites)
		return judge_unbound(j);
	note_interposed(j);
	return INV_DOCTOR_BOUND;
}

enum inv_doctor_verdict inv_doctor_native(struct inv_doctor_probe *out,
					  const struct inv_doctor *doctor)
{
	struct judgement j = {.out = out, .doctor = doctor, .program = &doctor->program};
	enum inv_doctor_verdict verdict = judge(&j);
	if (verdict == INV_DOCTOR_REFUSED && !out->detail[0])
		snprintf(out->detail, sizeof(out->detail), "%s", out->entry_why);
	return verdict;
}
