/* SPDX-License-Identifier: MIT */
/*
 * doctor.c - a verdict for each probe.
 *
 * A probe is judged by the first thing that stands in its way: the program, the kind of
 * target, the prototype, then the symbol in each object. Trying it out (start the program
 * with the shim, look, kill it) was rejected: it would have run by then.
 */
#include "reader/doctor.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/table.h"

static_assert(INV_PROBE_FILE_MAX <= 64, "a bit for each probe");

#define WORD_MAX 128 /* longer names are not compared */

static const struct {
	const char *word, *text, *remedy;
} verdicts[INV_DOCTOR_VERDICT_COUNT] = {
	[INV_DOCTOR_BOUND] = {"bound", "would bind", ""},
	[INV_DOCTOR_UNSUPPORTED] = {"unsupported", "this kind of target is not supported yet",
				    "name an exported symbol"},
	[INV_DOCTOR_NOT_PYTHON] = {"not python", "the command is no Python interpreter",
				   "give the one that runs the program: python3 run.py; one that "
				   "it starts or loads later is noticed all the same"},
	[INV_DOCTOR_TIER] = {"tier", "bind = entry is not available", "leave bind out"},
	[INV_DOCTOR_PROTOTYPE] = {"prototype", "no wrapper serves the signature", "correct it"},
	[INV_DOCTOR_INSIDE] = {"inside",
			       "defined, but no object imports it: calls stay inside its object",
			       "seen if fetched by dlsym; else build without -Bsymbolic, protected "
			       "visibility or direct calls"},
	[INV_DOCTOR_INTERPOSED] = {"interposed", "another object's definition takes the calls",
				   "name that object, or the symbol alone"},
	[INV_DOCTOR_HIDDEN] = {"hidden", "local or hidden: it is not exported",
			       "export it (default visibility; -rdynamic for a program)"},
	[INV_DOCTOR_CLONE] = {"clone", "only a clone made by the compiler is left of it",
			      "export it, or __attribute__((noipa))"},
	[INV_DOCTOR_NOT_LOADED] = {"not loaded", "no object of that name is loaded at start",
				   "correct the name; one loaded by dlopen may still bind then"},
	[INV_DOCTOR_NO_SYMBOL] = {"no symbol", "no object loaded at start defines it",
				  "correct the name; a library loaded by dlopen is not seen here"},
	[INV_DOCTOR_STRIPPED] = {"stripped",
				 "not exported, and the program is stripped: local names are gone",
				 "build without -s, export the function; a library loaded by "
				 "dlopen is not seen here"},
};

/* ---- nearest names --------------------------------------------------------------------- */

/* The parser's own inv_nearest is private to preload/, and offers one name only. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], n = strlen(b);
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			best = best < row[j] + 1 ? best : row[j] + 1;
			row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
		}
	}
	return row[n];
}

struct nearest {
	struct inv_doctor_probe *to;
	size_t length;
	size_t distance[INV_DOCTOR_NAMES_MAX];
};

static bool offered(const struct inv_doctor_probe *probe, const char *name)
{
	for (uint32_t i = 0; i < probe->name_count; i++)
		if (!strcmp(probe->names[i], name))
			return true;
	return false;
}

static void insert(struct nearest *n, const char *name, size_t d)
{
	struct inv_doctor_probe *to = n->to;
	uint32_t at = to->name_count;
	while (at && d < n->distance[at - 1])
		at--;
	if (at == INV_DOCTOR_NAMES_MAX)
		return;
	to->name_count += to->name_count < INV_DOCTOR_NAMES_MAX;
	for (uint32_t i = to->name_count - 1; i > at; i--) {
		memcpy(to->names[i], to->names[i - 1], sizeof(to->names[i]));
		n->distance[i] = n->distance[i - 1];
	}
	snprintf(to->names[at], sizeof(to->names[at]), "%s", name);
	n->distance[at] = d;
}

/* A name of which more than a third must change was not meant. */
static void consider(void *arg, const char *name)
{
	struct nearest *n = arg;
	size_t length = strlen(name), limit = n->length / 3 > 2 ? n->length / 3 : 2;
	size_t apart = length > n->length ? length - n->length : n->length - length;
	if (length > WORD_MAX || n->length > WORD_MAX || apart > limit || offered(n->to, name))
		return;
	size_t d = distance(n->to->probe->symbol, name);
	if (d <= limit && d < n->length)
		insert(n, name, d);
}

static void offer_names(struct inv_doctor_probe *out, const struct inv_doctor_program *program)
{
	struct nearest n = {.to = out, .length = strlen(out->probe->symbol)};
	for (size_t i = 0; i < program->count; i++)
		inv_doctor_elf_each(&program->objects[i], consider, &n);
}

/* ---- one symbol ------------------------------------------------------------------------ */

static const char *base_name(const struct inv_doctor_elf *elf)
{
	const char *slash = strrchr(elf->path, '/');
	return slash ? slash + 1 : elf->path;
}

static bool is_wanted(const struct inv_doctor_program *program, size_t i,
		      const struct inv_probe *probe)
{
	if (probe->target_kind == INV_TARGET_SYMBOL)
		return true;
	if (!strcmp(probe->object, "program"))
		return i == 0;
	return inv_doctor_elf_is(&program->objects[i], probe->object);
}

/* What the objects know of the symbol. */
struct search {
	bool any_wanted;		    /* an object of the probe's name is there */
	enum inv_doctor_symbol best;	    /* in those */
	const struct inv_doctor_elf *found; /* where the best is */
	const struct inv_doctor_elf *first; /* the first definition in the loader's order */
};

static void search(struct search *s, struct inv_doctor_probe *out,
		   const struct inv_doctor_program *program)
{
	char clone[256] = "";
	for (size_t i = 0; i < program->count; i++) {
		const struct inv_doctor_elf *elf = &program->objects[i];
		enum inv_doctor_symbol has = inv_doctor_elf_symbol(elf, out->probe->symbol, clone);
		if (has == INV_DOCTOR_SYMBOL_EXPORTED && !s->first)
			s->first = elf;
		if (!is_wanted(program, i, out->probe))
			continue;
		s->any_wanted = true;
		if (has <= s->best)
			continue;
		s->best = has;
		s->found = elf;
		snprintf(out->detail, sizeof(out->detail), "%s",
			 has == INV_DOCTOR_SYMBOL_CLONE ? clone : "");
	}
}

/* An object's references go to the first definition, or by -Bsymbolic to its own. */
static void count_sites(struct inv_doctor_probe *out, const struct search *s,
			const struct inv_doctor_program *program)
{
	bool any = out->probe->target_kind == INV_TARGET_SYMBOL;
	size_t n = 0;
	for (size_t i = 0; i < program->count; i++) {
		const struct inv_doctor_elf *elf = &program->objects[i];
		bool own = elf == s->found && elf->symbolic;
		uint32_t sites = any || own || s->found == s->first
					 ? inv_doctor_elf_sites(elf, out->probe->symbol)
					 : 0;
		if (!sites)
			continue;
		out->sites += sites;
		if (n < sizeof(out->where))
			n += (size_t)snprintf(out->where + n, sizeof(out->where) - n, "%s%s %u",
					      n ? ", " : "", base_name(elf), sites);
	}
}

static enum inv_doctor_verdict judge_exported(struct inv_doctor_probe *out, const struct search *s,
					      const struct inv_doctor_program *program)
{
	count_sites(out, s, program);
	if (out->sites)
		return INV_DOCTOR_BOUND;
	if (s->found == s->first || out->probe->target_kind == INV_TARGET_SYMBOL)
		return INV_DOCTOR_INSIDE;
	snprintf(out->detail, sizeof(out->detail), "%.500s", base_name(s->first));
	return INV_DOCTOR_INTERPOSED;
}

static enum inv_doctor_verdict judge_symbol(struct inv_doctor_probe *out,
					    const struct inv_doctor_program *program)
{
	struct search s = {0};
	search(&s, out, program);
	out->object = s.found;
	if (!s.any_wanted) {
		snprintf(out->detail, sizeof(out->detail), "%s", out->probe->object);
		return INV_DOCTOR_NOT_LOADED;
	}
	if (s.best == INV_DOCTOR_SYMBOL_EXPORTED)
		return judge_exported(out, &s, program);
	if (s.best == INV_DOCTOR_SYMBOL_PRIVATE)
		return INV_DOCTOR_HIDDEN;
	if (s.best == INV_DOCTOR_SYMBOL_CLONE)
		return INV_DOCTOR_CLONE;
	offer_names(out, program);
	if (out->name_count || program->objects[0].symtab)
		return INV_DOCTOR_NO_SYMBOL;
	return INV_DOCTOR_STRIPPED;
}

/* CPython from 3.8 on: what an older one, or PyPy, does not export. */
static enum inv_doctor_verdict judge_python(struct inv_doctor_probe *out,
					    const struct inv_doctor_program *program)
{
	char clone[256];
	for (size_t i = 0; i < program->count; i++) {
		const struct inv_doctor_elf *elf = &program->objects[i];
		if (inv_doctor_elf_symbol(elf, "PySys_AddAuditHook", clone) !=
		    INV_DOCTOR_SYMBOL_EXPORTED)
			continue;
		out->object = elf;
		snprintf(out->where, sizeof(out->where), "when %s has been imported",
			 out->probe->module);
		return INV_DOCTOR_BOUND;
	}
	return INV_DOCTOR_NOT_PYTHON;
}

static enum inv_doctor_verdict judge(struct inv_doctor_probe *out,
				     const struct inv_doctor_program *program)
{
	const struct inv_probe *probe = out->probe;
	if (program->block)
		return INV_DOCTOR_BLOCKED;
	if (probe->target_kind == INV_TARGET_PYTHON)
		return judge_python(out, program);
	if (probe->target_kind != INV_TARGET_SYMBOL && probe->target_kind != INV_TARGET_OBJECT)
		return INV_DOCTOR_UNSUPPORTED;
	if (probe->bind == INV_BIND_ENTRY)
		return INV_DOCTOR_TIER;
	const char *refusal =
		inv_signature_refusal(&probe->signature, out->detail, sizeof(out->detail));
	if (refusal && refusal != out->detail)
		snprintf(out->detail, sizeof(out->detail), "%s", refusal);
	return refusal ? INV_DOCTOR_PROTOTYPE : judge_symbol(out, program);
}

/* ---- all ------------------------------------------------------------------------------- */

int inv_doctor_open(struct inv_doctor *out, const struct inv_probe_file *file, char *const *command)
{
	memset(out, 0, sizeof(*out));
	out->probes = calloc(file->count + 1, sizeof(*out->probes));
	if (!out->probes || inv_doctor_program_open(&out->program, command)) {
		free(out->probes);
		return -ENOMEM;
	}
	for (; out->count < file->count; out->count++) {
		struct inv_doctor_probe *probe = &out->probes[out->count];
		probe->probe = &file->probes[out->count];
		probe->verdict = judge(probe, &out->program);
		out->bound += probe->verdict == INV_DOCTOR_BOUND;
	}
	return 0;
}

void inv_doctor_close(struct inv_doctor *doctor)
{
	inv_doctor_program_close(&doctor->program);
	free(doctor->probes);
}

const char *inv_doctor_word(const struct inv_doctor *doctor, const struct inv_doctor_probe *probe)
{
	if (probe->verdict == INV_DOCTOR_BLOCKED)
		return inv_doctor_block_word(doctor->program.block);
	return verdicts[probe->verdict].word;
}

void inv_doctor_reason(const struct inv_doctor *doctor, const struct inv_doctor_probe *probe,
		       char *buf, size_t size)
{
	bool blocked = probe->verdict == INV_DOCTOR_BLOCKED;
	const char *text = blocked ? inv_doctor_block_text(doctor->program.block)
				   : verdicts[probe->verdict].text;
	const char *detail = blocked ? doctor->program.detail : probe->detail;
	snprintf(buf, size, "%s%s%s%s", text, *detail ? " (" : "", detail, *detail ? ")" : "");
}

void inv_doctor_remedy(const struct inv_doctor *doctor, const struct inv_doctor_probe *probe,
		       char *buf, size_t size)
{
	const char *text = probe->verdict == INV_DOCTOR_BLOCKED
				   ? inv_doctor_block_remedy(doctor->program.block)
				   : verdicts[probe->verdict].remedy;
	size_t n = 0;
	buf[0] = '\0';
	for (uint32_t i = 0; i < probe->name_count && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? ", " : "did you mean ",
				      probe->names[i]);
	if (n < size)
		snprintf(buf + n, size - n, "%s%s", n ? "? " : "", text);
}

static void explain_one(FILE *to, const struct inv_doctor *doctor,
			const struct inv_doctor_probe *probe)
{
	char reason[1024], remedy[1024], line[2400];
	bool should = probe->verdict == INV_DOCTOR_BOUND;
	inv_doctor_reason(doctor, probe, reason, sizeof(reason));
	inv_doctor_remedy(doctor, probe, remedy, sizeof(remedy));
	snprintf(line, sizeof(line), "invreg: nothing was seen: probe %s: %s: %s",
		 probe->probe->name, should ? "should bind by its files, but did not" : reason,
		 should ? "does something clear LD_PRELOAD, or was it killed early?" : remedy);
	inv_table_say(to, line, strlen(line));
	fputc('\n', to);
}

void inv_doctor_explain(FILE *to, const struct inv_probe_file *file, char *const *command,
			uint64_t bound)
{
	struct inv_doctor doctor;
	size_t i = 0, count = (size_t)__builtin_popcountll(bound);
	if (inv_doctor_open(&doctor, file, command))
		return;
	while (i < doctor.count && bound >> i & 1)
		i++;
	/* Of a Python target only the notes know what the interpreter had in its place. */
	if (i < doctor.count && !(doctor.probes[i].verdict == INV_DOCTOR_BOUND &&
				  file->probes[i].target_kind == INV_TARGET_PYTHON))
		explain_one(to, &doctor, &doctor.probes[i]);
	if (count)
		fprintf(to, "invreg: %zu of %zu probes bound, but never called\n", count,
			doctor.count);
	inv_doctor_close(&doctor);
}
