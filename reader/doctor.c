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

#include "reader/doctor_native.h"
#include "reader/table.h"

static_assert(INV_PROBE_FILE_MAX <= 64, "a bit for each probe");

static const struct {
	const char *word, *text, *remedy;
} verdicts[INV_DOCTOR_VERDICT_COUNT] = {
	[INV_DOCTOR_BOUND] = {"bound", "would bind", ""},
	[INV_DOCTOR_UNSUPPORTED] = {"unsupported", "slots have no offset: bind = got cannot",
				    "leave bind out"},
	[INV_DOCTOR_NOT_PYTHON] = {"not python", "the command is no CPython of 3.8 or later",
				   "give the one that runs the program: python3 run.py; one that "
				   "it starts or loads later is noticed all the same"},
	[INV_DOCTOR_TIER] = {"tier", "the tier entry cannot take the signature",
			     "leave bind out, and name an exported symbol"},
	[INV_DOCTOR_PROTOTYPE] = {"prototype", "no wrapper serves the signature", "correct it"},
	[INV_DOCTOR_REFUSED] = {"refused", "the function itself cannot be patched", ""},
	[INV_DOCTOR_INSIDE] = {"inside",
			       "defined, but no object imports it: calls stay inside its object",
			       "leave bind = got out; seen too if fetched by dlsym"},
	[INV_DOCTOR_TAKEN] = {"taken", "another probe has its calls", "make one probe of the two"},
	[INV_DOCTOR_INTERPOSED] = {"interposed", "another object's definition takes the calls",
				   "name that object, or the symbol alone"},
	[INV_DOCTOR_HIDDEN] = {"hidden", "local or hidden: it is not exported",
			       "leave bind = got out, or export it"},
	[INV_DOCTOR_UNNAMED] = {"unnamed", "a local function of a library",
				"name the library too, as in the parentheses"},
	[INV_DOCTOR_SEVERAL] = {"several", "several local functions have the name",
				"give object+0xOFFSET (by nm), or rename one"},
	[INV_DOCTOR_CLONE] = {"clone", "only a clone made by the compiler is left of it",
			      "export it, or __attribute__((noipa))"},
	[INV_DOCTOR_NOT_LOADED] = {"not loaded", "no object of that name is loaded at start",
				   "correct the name (the program's own is `program`); one loaded "
				   "by dlopen may still bind then"},
	[INV_DOCTOR_NO_SYMBOL] = {"no symbol", "no object loaded at start defines it",
				  "correct the name; a library loaded by dlopen is not seen here"},
	[INV_DOCTOR_STRIPPED] = {"stripped",
				 "not exported, and the program is stripped: local names are gone",
				 "give program+0xOFFSET, install its debug symbols, or build "
				 "without -s; what it loads or starts later is not seen here, and "
				 "in a run if LD_PRELOAD is kept (env -i and sudo clear it)"},
};

static enum inv_doctor_verdict judge_python(struct inv_doctor_probe *out,
					    const struct inv_doctor_program *program)
{
	out->object = inv_doctor_program_python(program);
	if (!out->object) {
		snprintf(out->detail, sizeof(out->detail), "%.400s%s", program->path,
			 program->silent ? ", and no interpreter that it starts answers" : "");
		return INV_DOCTOR_NOT_PYTHON;
	}
	snprintf(out->where, sizeof(out->where), "when %s has been imported", out->probe->module);
	return INV_DOCTOR_BOUND;
}

void inv_doctor_judge(struct inv_doctor_probe *out, const struct inv_doctor *doctor)
{
	if (doctor->program.block)
		out->verdict = INV_DOCTOR_BLOCKED;
	else if (out->probe->target_kind == INV_TARGET_PYTHON)
		out->verdict = judge_python(out, &doctor->program);
	else
		out->verdict = inv_doctor_native(out, doctor);
}

/* ---- all ------------------------------------------------------------------------------- */

int inv_doctor_open(struct inv_doctor *out, const struct inv_probe_file *file, char *const *command)
{
	memset(out, 0, sizeof(*out));
	out->probes = calloc(file->count + 1, sizeof(*out->probes));
	if (!out->probes || inv_doctor_program_open(&out->program, command, true)) {
		free(out->probes);
		return -ENOMEM;
	}
	for (; out->count < file->count; out->count++) {
		struct inv_doctor_probe *probe = &out->probes[out->count];
		probe->probe = &file->probes[out->count];
		inv_doctor_judge(probe, out);
		out->bound += probe->verdict == INV_DOCTOR_BOUND;
	}
	return 0;
}

void inv_doctor_close(struct inv_doctor *doctor)
{
	inv_doctor_program_close(&doctor->program);
	free(doctor->probes);
}

const char *inv_doctor_tier(const struct inv_doctor_probe *probe)
{
	if (probe->verdict != INV_DOCTOR_BOUND)
		return "none";
	if (probe->probe->target_kind == INV_TARGET_PYTHON)
		return "python";
	return probe->functions ? "entry" : "got";
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

/* Judged was what reads the script. */
static bool is_script(const struct inv_doctor_program *program)
{
	return program->script[0] && !program->asked;
}

static bool is_nowhere(enum inv_doctor_verdict verdict)
{
	return verdict == INV_DOCTOR_NOT_LOADED || verdict == INV_DOCTOR_NO_SYMBOL ||
	       verdict == INV_DOCTOR_STRIPPED || verdict == INV_DOCTOR_NOT_PYTHON;
}

void inv_doctor_remedy(const struct inv_doctor *doctor, const struct inv_doctor_probe *probe,
		       char *buf, size_t size)
{
	const char *text = probe->verdict == INV_DOCTOR_BLOCKED
				   ? inv_doctor_block_remedy(doctor->program.block)
				   : verdicts[probe->verdict].remedy;
	if (is_script(&doctor->program) && is_nowhere(probe->verdict))
		text = "give the program that the script starts; in a run it is observed all the "
		       "same";
	if (probe->entry_why &&
	    (probe->verdict == INV_DOCTOR_BOUND || probe->verdict == INV_DOCTOR_REFUSED))
		text = probe->entry_remedy;
	size_t n = 0;
	buf[0] = '\0';
	for (uint32_t i = 0; i < probe->name_count && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? ", " : "did you mean ",
				      probe->names[i]);
	if (n < size)
		snprintf(buf + n, size - n, "%s%s", n ? "? " : "", text);
}

/* Of a Python target only the interpreter knows, and of a library loaded later only the process. */
static bool is_told(const struct inv_doctor_probe *probe, bool noted)
{
	return noted &&
	       (probe->probe->target_kind == INV_TARGET_PYTHON || is_nowhere(probe->verdict));
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
			uint64_t bound, uint64_t told)
{
	struct inv_doctor doctor;
	size_t i = 0, count = (size_t)__builtin_popcountll(bound);
	if (inv_doctor_open(&doctor, file, command))
		return;
	while (i < doctor.count && (bound >> i & 1 || is_told(&doctor.probes[i], told >> i & 1)))
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
