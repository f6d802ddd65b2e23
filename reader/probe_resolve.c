/* SPDX-License-Identifier: MIT */
/*
 * probe_resolve.c - a text is copied, chains of names in it are replaced.
 *
 * Expressions are found without the parser: a name, then ->NAME, outside of quotes and comments
 * and only in keys that hold expressions. A parser that took names would have to keep them till
 * somebody resolves them, in the shim too, where there is nobody who could.
 *
 * The names before the arrow are those of the signature; what they point to is said by the
 * function's debug information, found by the probe's target in the command's objects.
 */
#include "reader/probe_resolve.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader/cxx_target.h"
#include "reader/debug_info.h"
#include "reader/doctor.h"
#include "reader/probe_prototype.h"

#define CHAIN_MAX 256

/* One section: where it is, and what a resolver needs of it. */
struct section {
	const char *begin, *end;
	bool renamed;	       /* `target` is a symbol in the place of a C++ name */
	const char *target_at; /* its value; NULL: there is none */
	char target[1024], signature[1024];
};

struct resolver {
	char *const *command;
	struct inv_doctor_program program;
	bool opened;
	const char *text;
	FILE *to;
	struct inv_probe_error *error;
	/* of the section at hand */
	const struct section *section;
	bool known; /* the prototype was read */
	struct inv_probe_prototype prototype;
	struct inv_debug_info debug; /* what the prototype points into */
};

static int __attribute__((format(printf, 3, 4)))
refuse(struct resolver *r, const char *at, const char *format, ...)
{
	va_list args;
	const char *line = at;
	r->error->line = 1;
	for (const char *p = r->text; p < at; p++)
		r->error->line += *p == '\n';
	while (line > r->text && line[-1] != '\n')
		line--;
	r->error->column = (uint32_t)(at - line) + 1;
	va_start(args, format);
	vsnprintf(r->error->text, sizeof(r->error->text), format, args);
	va_end(args);
	return -EINVAL;
}

/* ---- lines and sections ---------------------------------------------------------------- */

static const char *line_end(const char *at)
{
	return at + strcspn(at, "\n");
}

/* Where the value of a line ends: before a comment. */
static const char *value_end(const char *line, const char *end)
{
	bool quoted = false;
	for (const char *p = line; p < end; p++) {
		if (*p == '"' && (p == line || p[-1] != '\\'))
			quoted = !quoted;
		if (*p == ';' && !quoted && (p == line || isspace((unsigned char)p[-1])))
			return p;
	}
	return end;
}

static bool is_comment(const char *line)
{
	line += strspn(line, " \t");
	return *line == ';' || *line == '#' || *line == '\n' || *line == '\r' || !*line;
}

/* A line `key = value`. Returns: where the value begins; NULL: it is none. */
static const char *key_of(const char *line, const char *end, char *key, size_t size)
{
	size_t length = strcspn(line, "=:\n");
	if (isspace((unsigned char)*line) || *line == '[' || is_comment(line) ||
	    line + length >= end)
		return NULL;
	const char *value = line + length + 1;
	while (length && isspace((unsigned char)line[length - 1]))
		length--;
	snprintf(key, size, "%.*s", (int)length, line);
	return value;
}

static void append(char *to, size_t size, const char *from, const char *end)
{
	size_t n = strlen(to);
	snprintf(to + n, size - n, "%s%.*s", n ? " " : "", (int)(end - from), from);
}

/* Reads one section. Returns: where the next begins; NULL: there is none here. */
static const char *read_section(const char *at, struct section *out)
{
	char key[64] = "", next[64];
	memset(out, 0, sizeof(*out));
	if (!*at)
		return NULL;
	out->begin = at;
	for (bool first = true; *at && (first || *at != '['); first = false) {
		const char *end = line_end(at);
		const char *value = key_of(at, end, next, sizeof(next));
		if (value)
			strcpy(key, next);
		else if (isspace((unsigned char)*at) && !is_comment(at))
			value = at; /* goes on with the key before */
		if (value && !strcmp(key, "target") && !out->target_at)
			out->target_at = value + strspn(value, " \t");
		if (value && !strcmp(key, "target"))
			append(out->target, sizeof(out->target), value, value_end(value, end));
		if (value && !strcmp(key, "signature"))
			append(out->signature, sizeof(out->signature), value,
			       value_end(value, end));
		at = *end ? end + 1 : end;
	}
	out->end = at;
	return at;
}

static bool holds_expressions(const char *key)
{
	static const char *const keys[] = {"tick",	  "invoker_id", "artifact_id",
					   "method",	  "args_count", "error_message",
					   "result_type", "error_type", "success",
					   NULL};
	for (int i = 0; keys[i]; i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

/* ---- the function ---------------------------------------------------------------------- */

/* By the file's parser, which knows what a target and a signature are. */
static bool parse_section(const struct section *section, struct inv_probe_file *file)
{
	char text[2048];
	struct inv_probe_error unused;
	int n = snprintf(text, sizeof(text), "[probe x]\ntarget = %s\nsignature = %s\n",
			 section->target, section->signature);
	return n < (int)sizeof(text) && !inv_probe_file_parse(file, "", text, (size_t)n, &unused);
}

/* Opens the debug information of the object that has the function. */
static bool find_in(struct resolver *r, const struct inv_probe *probe, size_t i, Dwarf_Die *out)
{
	const struct inv_doctor_elf *elf = &r->program.objects[i];
	struct inv_doctor_function function = {.address = probe->offset};
	if (!inv_doctor_program_accepts(&r->program, probe->object, i))
		return false;
	if (probe->target_kind != INV_TARGET_OFFSET &&
	    inv_doctor_elf_find(elf, probe->symbol, &function) < INV_DOCTOR_SYMBOL_PRIVATE)
		return false;
	if (inv_debug_open(&r->debug, elf->path))
		return false;
	if (inv_debug_function_at(&r->debug, function.address, out))
		return true;
	inv_debug_close(&r->debug);
	return false;
}

static int open_program(struct resolver *r, const char *at, const char *what)
{
	if (!r->command)
		return refuse(r, at, "%s takes the program: `invreg check FILE -- CMD`", what);
	if (!r->opened && inv_doctor_program_open(&r->program, r->command, true))
		return -ENOMEM;
	r->opened = true;
	if (r->program.block)
		return refuse(r, at, "%s takes the program: %s (%.80s)", what,
			      inv_doctor_block_text(r->program.block), r->program.detail);
	return 0;
}

/* A target in C++'s own words becomes the symbol. */
static int resolve_target(struct resolver *r, struct section *section)
{
	char symbol[512], why[256];
	const char *target = section->target + strspn(section->target, " \t");
	if (!section->target_at || !inv_cxx_target_is(target))
		return 0;
	int result = open_program(r, section->target_at, "a C++ name");
	if (result)
		return result;
	if (inv_cxx_target_find(symbol, sizeof(symbol), target, &r->program, why, sizeof(why)))
		return refuse(r, section->target_at, "%s", why);
	snprintf(section->target, sizeof(section->target), "%s", symbol);
	section->renamed = true;
	return 0;
}

/* Whether the verdict is that no function of this name can be told from the files. */
static bool is_missing(enum inv_doctor_verdict verdict)
{
	return verdict == INV_DOCTOR_NOT_LOADED || verdict == INV_DOCTOR_NO_SYMBOL ||
	       verdict == INV_DOCTOR_STRIPPED || verdict == INV_DOCTOR_SEVERAL ||
	       verdict == INV_DOCTOR_CLONE;
}

/* By the doctor's judgement: a name that is wrong is a likelier mistake than missing -g. */
static int refuse_function(struct resolver *r, const struct inv_probe *probe, const char *at)
{
	struct inv_doctor doctor = {.program = r->program};
	struct inv_doctor_probe judged = {.probe = probe};
	char reason[128], remedy[256];
	inv_doctor_judge(&judged, &doctor);
	if (!is_missing(judged.verdict))
		return refuse(r, at,
			      "no debug information of %.100s in what %.60s starts: write the "
			      "offset, NAME->OFFSET:TYPE",
			      probe->target, r->command[0]);
	inv_doctor_reason(&doctor, &judged, reason, sizeof(reason));
	inv_doctor_remedy(&doctor, &judged, remedy, sizeof(remedy));
	if (judged.name_count)
		snprintf(remedy, sizeof(remedy), "did you mean %.150s?", judged.names[0]);
	else if (judged.verdict == INV_DOCTOR_STRIPPED)
		snprintf(remedy, sizeof(remedy),
			 "build it with -g and without -s; where %.60s only starts it, write the "
			 "offsets that `invreg check FILE -- PROGRAM` prints",
			 r->command[0]);
	else if (judged.verdict == INV_DOCTOR_NOT_LOADED || judged.verdict == INV_DOCTOR_NO_SYMBOL)
		snprintf(remedy, sizeof(remedy),
			 "correct the name, or, where it is loaded later (dlopen), write the "
			 "offset, as `invreg probe ./%.40s:%.60s` prints it",
			 strstr(probe->object, ".so") ? probe->object : "LIB.so", probe->symbol);
	return refuse(r, r->section->target_at, "%.60s: %s: %s", probe->target, reason, remedy);
}

static int read_function(struct resolver *r, const char *at)
{
	struct inv_probe_file file;
	Dwarf_Die function;
	char detail[INV_DEBUG_WORD_MAX];
	const char *why = NULL;
	bool found = false;
	int result = open_program(r, at, "a name behind ->");
	if (result)
		return result;
	if (!parse_section(r->section, &file))
		return refuse(r, at,
			      "a name behind -> takes a target and a signature that are "
			      "right");
	for (size_t i = 0; i < r->program.count && !found; i++)
		found = find_in(r, &file.probes[0], i, &function);
	if (found)
		why = inv_probe_prototype_read(&r->prototype, &function, detail);
	r->known = found && !why;
	if (found && why) {
		inv_debug_close(&r->debug);
		result = refuse(r, at, "%.60s: %s (%.40s): write the offset, NAME->OFFSET:TYPE",
				file.probes[0].target, why, detail);
	} else if (!found) {
		result = refuse_function(r, &file.probes[0], at);
	}
	inv_probe_file_free(&file);
	return result;
}

static void forget_function(struct resolver *r)
{
	if (r->known)
		inv_debug_close(&r->debug);
	r->known = false;
}

/* ---- a chain --------------------------------------------------------------------------- */

static const struct inv_probe_value *find_value(const struct resolver *r, const char *name)
{
	const struct inv_probe_prototype *p = &r->prototype;
	if (!strcmp(name, "return"))
		return &p->result;
	for (size_t i = 0; i < p->count; i++)
		if (!strcmp(p->values[i].name, name) || !strcmp(p->values[i].shown, name))
			return &p->values[i];
	return NULL;
}

/* The signature may have other names than the source: those of the source count here. */
static int refuse_parameter(struct resolver *r, const char *at, const char *name)
{
	const struct inv_probe_prototype *p = &r->prototype;
	char names[160] = "";
	for (size_t i = 0, n = 0; i < p->count && n < sizeof(names); i++)
		if (p->values[i].name[0])
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "",
					      p->values[i].name);
	return refuse(r, at, "the function has no parameter '%.60s' in its source, but %s", name,
		      names[0] ? names : "none at all");
}

struct find {
	const char *wanted;
	size_t length;
	bool found;
	long offset;
	struct inv_debug_type type;
};

static bool is_wanted_member(void *arg, const char *path, long offset, Dwarf_Die *member)
{
	struct find *find = arg;
	if (strncmp(path, find->wanted, find->length) != 0 || path[find->length])
		return true;
	find->found = true;
	find->offset = offset;
	inv_debug_type_of(member, &find->type);
	return false;
}

/* What is written for the last member; NULL: no expression reads such a thing. */
static const char *last_word(const struct inv_debug_type *type)
{
	if (inv_debug_text_is_object(type))
		return inv_debug_text_word(type->text);
	if (type->text == INV_DEBUG_TEXT_STDVIEW)
		return "ptr->0:stdview";
	if (type->text == INV_DEBUG_TEXT_COW)
		return "ptr->0:str";
	switch (type->class) {
	case INV_DEBUG_INTEGER:
	case INV_DEBUG_FLOAT:
	case INV_DEBUG_STR:
	case INV_DEBUG_POINTER:
		return strcmp(type->word, "ldouble") ? type->word : NULL;
	case INV_DEBUG_STRING:
		return "ptr->0:stdstr";
	default:
		return NULL;
	}
}

/* Whether a type of the user's own is behind the member; the codes of error_type are numbers. */
static bool has_own_type(const char *at, const char *end)
{
	if (at >= end || *at != ':')
		return false;
	for (at++; at < end && isspace((unsigned char)*at);)
		at++;
	return at < end && isalpha((unsigned char)*at);
}

/* Steps of a chain, from behind its base. *at ends behind what was read. */
static int resolve_steps(struct resolver *r, const char **at, const char *end,
			 struct inv_debug_type type)
{
	for (const char *p = *at; p + 2 < end && p[0] == '-' && p[1] == '>'; p = *at) {
		struct find find = {.wanted = p + 2};
		while (p + 2 + find.length < end &&
		       (isalnum((unsigned char)find.wanted[find.length]) ||
			strchr("_.", find.wanted[find.length])))
			find.length++;
		int length = (int)find.length;
		if (!type.target_known)
			return refuse(r, p, "what is in front of this is no pointer to a struct");
		inv_debug_each_member(&type.die, is_wanted_member, &find);
		if (!find.found)
			return refuse(r, p + 2, "there is no member '%.*s'", length, find.wanted);
		*at = p + 2 + find.length;
		type = find.type;
		fprintf(r->to, "->%ld", find.offset);
		if (has_own_type(*at, end))
			return 0;
		bool last = *at + 1 >= end || (*at)[0] != '-' || (*at)[1] != '>';
		const char *word = last ? last_word(&type) : "ptr";
		if (!word)
			return refuse(r, p + 2,
				      "'%.*s' is nothing that an expression can read: no number, "
				      "pointer or text (an array in the struct itself is none)",
				      length, find.wanted);
		fprintf(r->to, ":%s", word);
	}
	return 0;
}

static size_t name_length(const char *at, const char *end)
{
	size_t n = 0;
	while (at + n < end && (isalnum((unsigned char)at[n]) || at[n] == '_'))
		n++;
	return n;
}

static bool is_named_step(const char *at, const char *end)
{
	return at + 2 < end && at[0] == '-' && at[1] == '>' &&
	       (isalpha((unsigned char)at[2]) || at[2] == '_');
}

/* NAME->NAME; *at ends behind it. */
static int resolve_chain(struct resolver *r, const char **at, const char *end, size_t length)
{
	char name[CHAIN_MAX];
	int result = r->known ? 0 : read_function(r, *at);
	if (result)
		return result;
	snprintf(name, sizeof(name), "%.*s", (int)length, *at);
	const struct inv_probe_value *value = find_value(r, name);
	if (!value)
		return refuse_parameter(r, *at, name);
	fputs(name, r->to);
	*at += length;
	return resolve_steps(r, at, end, value->type);
}

/* `begin` is where the value began: what a colon stands before is a type or a variable. */
static int resolve_value(struct resolver *r, const char *begin, const char *end)
{
	bool quoted = false;
	int result = 0;
	for (const char *at = begin; at < end && !result;) {
		size_t length = quoted ? 0 : name_length(at, end);
		bool named = !quoted && is_named_step(at + length, end);
		if (named && (!length || (at > begin && at[-1] == ':')))
			return refuse(r, at,
				      "behind an offset a name means nothing: begin with "
				      "names at the parameter");
		if (named && !isdigit((unsigned char)*at)) {
			result = resolve_chain(r, &at, end, length);
		} else if (length) {
			fwrite(at, 1, length, r->to);
			at += length;
		} else {
			quoted ^= *at == '"';
			fputc(*at++, r->to);
		}
	}
	return result;
}

/* ---- all -------------------------------------------------------------------------------- */

static int resolve_section(struct resolver *r, struct section *section)
{
	char key[64] = "", next[64];
	int result = resolve_target(r, section);
	const char *target = section->target + strspn(section->target, " \t");
	bool native = strncmp(target, "python:", 7) != 0;
	r->section = section;
	for (const char *at = section->begin; at < section->end && !result;) {
		const char *end = line_end(at), *value = key_of(at, end, next, sizeof(next));
		if (value)
			strcpy(key, next);
		else if (isspace((unsigned char)*at) && !is_comment(at))
			value = at;
		if (value && section->renamed && !strcmp(key, "target")) {
			/* on its first line; what went on in others is dropped */
			bool first = section->target_at >= at && section->target_at <= end;
			const char *rest = value_end(value, end);
			fprintf(r->to, "%.*s%s%s", first ? (int)(section->target_at - at) : 0, at,
				first ? section->target : "", *rest == ';' ? " " : "");
			fwrite(rest, 1, (size_t)(end - rest) + (*end != 0), r->to);
			at = *end ? end + 1 : end;
			continue;
		}
		bool open = value && native && holds_expressions(key);
		const char *from = open ? value : end, *to = open ? value_end(value, end) : end;
		fwrite(at, 1, (size_t)(from - at), r->to);
		result = resolve_value(r, from, to);
		fwrite(to, 1, (size_t)(end - to) + (*end != 0), r->to);
		at = *end ? end + 1 : end;
	}
	forget_function(r);
	return result;
}

int inv_probe_resolve(char **out, const char *text, char *const *command,
		      struct inv_probe_error *error)
{
	struct resolver r = {.command = command, .text = text, .error = error};
	struct section section;
	size_t length;
	int result = 0;
	*out = NULL;
	r.to = open_memstream(out, &length);
	if (!r.to)
		return -ENOMEM;
	for (const char *at = text; !result && (at = read_section(at, &section));)
		result = resolve_section(&r, &section);
	if (fclose(r.to) && !result)
		result = -ENOMEM;
	if (r.opened)
		inv_doctor_program_close(&r.program);
	if (result || !r.opened) {
		free(*out);
		*out = NULL;
	}
	return result;
}
