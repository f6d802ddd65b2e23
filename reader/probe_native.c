/* SPDX-License-Identifier: MIT */
/*
 * probe_native.c - from a symbol to a section.
 *
 * The symbol gives the address, the address the description of the function: so that what is
 * printed is true of that very function, whatever else has its name. The object's own name is
 * put into the target, which makes local functions of libraries found as well.
 *
 * Guesses are marked as such, each with the name in the source that it was made from; a field
 * for which nothing was found is a comment with an example.
 */
#include "reader/probe_native.h"

#include <ctype.h>
#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reader/command_file.h"
#include "reader/debug_info.h"
#include "reader/doctor_names.h"
#include "reader/probe_codes.h"
#include "reader/probe_prototype.h"
#include "reader/say.h"
#include "reader/verbs.h"

struct subject {
	FILE *to;
	const char *given; /* the object, as the user wrote it */
	struct inv_doctor_elf elf;
	struct inv_debug_info debug;
	/* of one function */
	struct inv_doctor_function symbol;
	Dwarf_Die function;
	char symbol_name[192];
	char name[256]; /* as the source has it: Executor::invoke */
	struct inv_probe_prototype prototype;
};

static int refuse(const char *what, const char *detail, const char *remedy)
{
	inv_say("invreg probe: %s%s%s%s%s\n", what, *detail ? ": " : "", detail,
		*remedy ? ": " : "", remedy);
	return INV_EXIT_REFUSED;
}

/* ---- the object ------------------------------------------------------------------------ */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* A program has an interpreter and no soname: libc can be run as well. */
static const char *object_word(const struct inv_doctor_elf *elf)
{
	if (elf->soname[0])
		return elf->soname;
	return elf->interp[0] ? "program" : base_name(elf->path);
}

static int open_debug(struct subject *s)
{
	int r = inv_debug_open(&s->debug, s->elf.path);
	if (!r)
		return 0;
	inv_doctor_elf_close(&s->elf);
	if (r == -ENODATA)
		return refuse(s->given, "no debug information",
			      "build it with -g, or install its debug package (Debian: NAME-dbgsym "
			      "or NAME-dbg; Fedora: debuginfo-install NAME), or set "
			      "DEBUGINFOD_URLS");
	return refuse(s->given, r == -ENOMEM ? "out of memory" : "libdw cannot read it", "");
}

/* Returns: 0, or an exit code and nothing to be closed. */
static int open_subject(struct subject *s, FILE *to, const char *object)
{
	char path[4096];
	memset(s, 0, sizeof(*s));
	s->to = to;
	s->given = object;
	if (!inv_command_find(path, sizeof(path), object))
		snprintf(path, sizeof(path), "%s", object);
	if (!strchr(object, '/') && !access(object, R_OK)) /* a library in this folder */
		snprintf(path, sizeof(path), "%s", object);
	int r = inv_doctor_elf_open(&s->elf, path);
	if (r == -ENOEXEC)
		return refuse(object, "no ELF file", "name the program or library itself");
	if (r) {
		inv_say("invreg probe: %s: %s\n", object, strerror(-r));
		return INV_EXIT_RUNTIME;
	}
	if (s->elf.wide && s->elf.machine == EM_X86_64)
		return open_debug(s);
	inv_doctor_elf_close(&s->elf);
	return refuse(object, "not of 64-bit x86", "");
}

static void close_subject(struct subject *s)
{
	inv_debug_close(&s->debug);
	inv_doctor_elf_close(&s->elf);
}

/* ---- the function ---------------------------------------------------------------------- */

/* By a name of the source: Executor::invoke, or what is behind its last colon. */
struct by_name {
	const struct subject *subject;
	const char *wanted;
	unsigned count;
	bool inlined; /* one was found that has no code */
	Dwarf_Addr address;
	char symbol[192];
	char all[512]; /* symbols of all that were found */
};

static bool take_named(void *arg, Dwarf_Die *function, Dwarf_Addr address)
{
	struct by_name *search = arg;
	char name[256], symbol[192];
	bool exported;
	const char *own = dwarf_diename(function), *colon = strrchr(search->wanted, ':');
	if (!own || strcmp(own, colon ? colon + 1 : search->wanted) != 0)
		return true;
	inv_debug_name(function, name, sizeof(name));
	if (strcmp(name, search->wanted) != 0)
		return true;
	if (!address) {
		search->inlined = true;
		return true;
	}
	if (!inv_doctor_elf_name_at(&search->subject->elf, address, symbol, sizeof(symbol),
				    &exported) ||
	    strchr(symbol, '.'))
		return true; /* a clone is not the function that the source has */
	search->count++;
	search->address = address;
	strcpy(search->symbol, symbol);
	size_t n = strlen(search->all);
	snprintf(search->all + n, sizeof(search->all) - n, "%s%s", n ? ", " : "", symbol);
	return true;
}

static int say_no_function(const struct subject *s, const char *wanted, bool inlined)
{
	struct inv_probe probe = {.line = 0};
	struct inv_doctor_probe nearest = {.probe = &probe};
	struct inv_doctor_elf elf = s->elf;
	struct inv_doctor_program program = {.count = 1, .objects = &elf};
	char remedy[1024] = "`invreg probe OBJECT` lists candidates";
	if (s->symbol.symbol == INV_DOCTOR_SYMBOL_CLONE)
		return refuse(wanted, "the compiler left only a clone of it, with other parameters",
			      "export it, or __attribute__((noipa))");
	if (s->symbol.symbol == INV_DOCTOR_SYMBOL_SEVERAL)
		return refuse(wanted, "several local functions have the name", "rename one");
	if (inlined)
		return refuse(wanted, "the compiler has inlined it everywhere",
			      "__attribute__((noinline)), or observe its caller");
	snprintf(probe.symbol, sizeof(probe.symbol), "%.190s", wanted);
	inv_doctor_offer_names(&nearest, &program);
	if (nearest.name_count)
		snprintf(remedy, sizeof(remedy), "did you mean %s?", nearest.names[0]);
	return refuse(wanted, "no such function here", remedy);
}

static int find_by_source_name(struct subject *s, const char *wanted)
{
	struct by_name search = {.subject = s, .wanted = wanted};
	inv_debug_each(&s->debug, true, take_named, &search);
	if (search.count > 1)
		return refuse(wanted, "several functions have this name: give the symbol",
			      search.all);
	if (!search.count)
		return say_no_function(s, wanted, search.inlined);
	strcpy(s->symbol_name, search.symbol);
	inv_doctor_elf_find(&s->elf, search.symbol, &s->symbol);
	return 0;
}

/* Returns: 0, or an exit code. */
static int find_function(struct subject *s, const char *wanted)
{
	enum inv_doctor_symbol how = inv_doctor_elf_find(&s->elf, wanted, &s->symbol);
	int r = 0;
	if (how == INV_DOCTOR_SYMBOL_EXPORTED || how == INV_DOCTOR_SYMBOL_PRIVATE)
		snprintf(s->symbol_name, sizeof(s->symbol_name), "%s", wanted);
	else
		r = find_by_source_name(s, wanted);
	if (r)
		return r;
	if (s->symbol.ifunc)
		return refuse(wanted, "an ifunc: the loader chooses which function it is",
			      "name the one that it chooses");
	if (!inv_debug_function_at(&s->debug, s->symbol.address, &s->function))
		return refuse(wanted, "the debug information does not describe this function",
			      "its file was built without -g, or it is an alias or assembly");
	inv_debug_name(&s->function, s->name, sizeof(s->name));
	return 0;
}

static int read_prototype(struct subject *s)
{
	char detail[INV_DEBUG_WORD_MAX];
	const char *why = inv_probe_prototype_read(&s->prototype, &s->function, detail);
	return why ? refuse(s->name, why, detail) : 0;
}

/* ---- the section ----------------------------------------------------------------------- */

static void put_key(const struct subject *s, const char *key, const char *value, const char *why)
{
	fprintf(s->to, "%-13s = %s%s%s\n", key, value, *why ? " ; " : "", why);
}

/* Of what no word of the signature says. */
static void put_remark(const struct subject *s, const struct inv_probe_value *value)
{
	const char *what = NULL;
	if (value->type.text == INV_DEBUG_TEXT_FOREIGN)
		what = "a text of libc++, which no expression reads";
	else if (value->type.text == INV_DEBUG_TEXT_COW)
		what = "a std::string as before GCC 5, a pointer to bytes: ->0:str";
	else if (value->type.class == INV_DEBUG_REFERENCE &&
		 value->type.text != INV_DEBUG_TEXT_STDSTR)
		what = "an object that is passed by its address";
	if (what)
		fprintf(s->to, "; %s: %s\n", value->shown, what);
}

static void put_signature(const struct subject *s)
{
	fprintf(s->to, "%-13s = ", "signature");
	inv_probe_prototype_put(s->to, &s->prototype);
	fputc('\n', s->to);
	if (s->prototype.variadic)
		fprintf(s->to, "; variadic: state behind the dots what calls pass at most, such as "
			       "... i64, f64\n");
	if (s->prototype.padded)
		fprintf(s->to,
			"; what is passed on the stack is written last, behind words for all "
			"registers\n");
	if (s->prototype.placed)
		fprintf(s->to, "; the result is made in memory of the caller, whose address is the "
			       "first parameter\n; and what is returned\n");
	if (s->prototype.in_registers)
		fprintf(s->to, "; the result is a struct in registers: `return` is its first part, "
			       "and only at\n"
			       "; the entry are the others kept\n"
			       "bind          = entry\n");
	for (size_t i = 0; i < s->prototype.count; i++)
		put_remark(s, &s->prototype.values[i]);
}

struct field_line {
	enum inv_field field;
	const char *key, *example;
};

static void put_field(struct subject *s, const struct field_line *line,
		      const struct inv_probe_value *values, size_t count)
{
	struct inv_probe_guess guess;
	char why[400];
	inv_probe_guess_field(&guess, line->field, values, count);
	if (!guess.found) {
		fprintf(s->to, "; %-11s = %s ; nothing looks like it: an example\n", line->key,
			line->example);
		return;
	}
	snprintf(why, sizeof(why), "%s%s", guess.source,
		 guess.text == INV_DEBUG_TEXT_COW ? ", a std::string as before GCC 5" : "");
	if (guess.by_itself)
		fprintf(s->to, "; %s: the parameter of that name\n", line->key);
	else
		put_key(s, line->key, guess.expression, why);
}

static void put_fields(struct subject *s)
{
	static const struct field_line lines[] = {
		{INV_FIELD_INVOKER, "invoker_id", "caller->8:str"},
		{INV_FIELD_ARTIFACT, "artifact_id", "\"name\""},
		{INV_FIELD_TICK, "tick", "global:current_tick:i64"},
		{INV_FIELD_ARGS_COUNT, "args_count", "1"},
	};
	struct inv_probe_guess guess;
	const char *colon = strrchr(s->name, ':');
	char constant[280];
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		put_field(s, &lines[i], s->prototype.values, s->prototype.count);
	inv_probe_guess_field(&guess, INV_FIELD_METHOD, s->prototype.values, s->prototype.count);
	snprintf(constant, sizeof(constant), "\"%s\"", colon ? colon + 1 : s->name);
	if (guess.found)
		put_field(s, &(struct field_line){INV_FIELD_METHOD, "method", ""},
			  s->prototype.values, s->prototype.count);
	else
		put_key(s, "method", constant, "nothing looks like it: the function's own name");
}

/* Of the result first: what a call itself says of its failure. */
static void put_message(struct subject *s)
{
	static const struct field_line line = {INV_FIELD_ERROR_MESSAGE, "error_message",
					       "context->32:str"};
	struct inv_probe_guess guess;
	inv_probe_guess_field(&guess, line.field, &s->prototype.result, 1);
	if (guess.found && s->prototype.result.type.class == INV_DEBUG_POINTER)
		put_field(s, &line, &s->prototype.result, 1);
	else
		put_field(s, &line, s->prototype.values, s->prototype.count);
}

static void put_truth(struct subject *s)
{
	static const char *const names[] = {"success", "succeeded", "ok", "is_ok", "good", NULL};
	struct inv_probe_guess guess;
	char rule[160];
	if (inv_probe_find_truth(&guess, &s->prototype.result, names)) {
		snprintf(rule, sizeof(rule), "%s != 0", guess.expression);
		put_key(s, "success", rule, guess.source);
	} else if (s->prototype.placed) {
		fprintf(s->to,
			"; success     = return->0:i32 == 0 ; without it every return is one\n");
	} else {
		put_key(s, "success", "return is not null", "a guess: a pointer");
	}
}

static void put_success(struct subject *s)
{
	switch (s->prototype.result.type.class) {
	case INV_DEBUG_INTEGER:
		if (s->prototype.result.type.boolean)
			put_key(s, "success", "return != 0", "a bool");
		else if (!inv_probe_put_codes(s->to, &s->function, &s->prototype.result.type))
			put_key(s, "success",
				s->prototype.result.type.word[0] == 'u' ? "return == 0"
									: "return >= 0",
				"a guess: correct it");
		break;
	case INV_DEBUG_STR:
	case INV_DEBUG_POINTER:
		put_truth(s);
		break;
	case INV_DEBUG_REFERENCE: /* a stdstr */
		fprintf(s->to, "; success     = return->8:u64 == 0 ; the text is empty; without it "
			       "every return is one\n");
		break;
	default:
		fprintf(s->to, "; success     = return == 0 ; without it every return is one\n");
	}
}

/* _execute_invoke is a probe named execute_invoke, Executor::invoke is invoke. */
static void put_head(struct subject *s, const char *name)
{
	const char *colon = strrchr(s->name, ':'), *own = colon ? colon + 1 : s->name;
	char place[512];
	inv_debug_place(&s->function, place, sizeof(place));
	fprintf(s->to,
		"; %s of %s%s%s. By its debug information; fields are guessed from\n"
		"; names. Correct what is wrong (`invreg help probes` has the expressions), then "
		"`invreg check`.\n",
		s->name, s->given, *place ? ", " : "", place);
	unsigned inlined = inv_debug_inlined(&s->function);
	if (inlined)
		fprintf(s->to,
			"; The compiler has inlined it at %u place%s, where it is not seen: "
			"__attribute__((noinline)).\n",
			inlined, inlined == 1 ? "" : "s");
	own += strspn(own, "_~");
	fputs("[probe ", s->to);
	if (name)
		fputs(name, s->to);
	else if (!*own)
		fputs("call", s->to);
	for (size_t i = 0; !name && own[i] && i < 48; i++)
		fputc(isalnum((unsigned char)own[i]) ? own[i] : '_', s->to);
	fputs("]\n", s->to);
}

int inv_probe_native_section(FILE *to, const char *object, const char *symbol, const char *name)
{
	struct subject s;
	char target[512];
	int r = open_subject(&s, to, object);
	if (r)
		return r;
	r = find_function(&s, symbol);
	if (!r)
		r = read_prototype(&s);
	if (!r) {
		put_head(&s, name);
		snprintf(target, sizeof(target), "%.250s:%s", object_word(&s.elf), s.symbol_name);
		put_key(&s, "target", target, strcmp(s.symbol_name, s.name) ? s.name : "");
		put_signature(&s);
		put_fields(&s);
		put_success(&s);
		put_message(&s);
	}
	close_subject(&s);
	return r;
}

/* ---- candidates ------------------------------------------------------------------------ */

struct candidate {
	bool exported;
	char symbol[192], name[256], place[128];
};

struct list {
	struct subject subject;
	size_t count, room;
	struct candidate *rows;
};

/* `run` is a word of run_all, runAll and tick_run, and none of runtime or prune. */
static bool is_word_at(const char *name, const char *at, size_t length, bool open_end)
{
	bool begins = at == name || !isalpha((unsigned char)at[-1]) ||
		      (isupper((unsigned char)*at) && islower((unsigned char)at[-1]));
	return begins && (open_end || !islower((unsigned char)at[length]));
}

static bool has_word(const char *name)
{
	static const struct {
		const char *word;
		bool open_end; /* handle is a word of handler too */
	} words[] = {{"invoke", true}, {"invoc", true}, {"exec", false},    {"execute", false},
		     {"call", false},  {"run", false},	{"dispatch", true}, {"handle", true}};
	for (size_t w = 0; w < sizeof(words) / sizeof(*words); w++)
		for (const char *at = name; (at = strcasestr(at, words[w].word)); at++)
			if (is_word_at(name, at, strlen(words[w].word), words[w].open_end))
				return true;
	return false;
}

static bool take_candidate(void *arg, Dwarf_Die *function, Dwarf_Addr address)
{
	struct list *list = arg;
	struct candidate row = {.exported = false};
	const char *own = dwarf_diename(function);
	if (!own || !has_word(own) ||
	    !inv_doctor_elf_name_at(&list->subject.elf, address, row.symbol, sizeof(row.symbol),
				    &row.exported) ||
	    strchr(row.symbol, '.'))
		return true; /* a clone has other parameters */
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		struct candidate *rows = realloc(list->rows, room * sizeof(*rows));
		if (!rows)
			return false;
		list->rows = rows;
		list->room = room;
	}
	inv_debug_name(function, row.name, sizeof(row.name));
	inv_debug_place(function, row.place, sizeof(row.place));
	list->rows[list->count++] = row;
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;
	if (left->exported != right->exported)
		return right->exported - left->exported;
	return strcmp(left->symbol, right->symbol);
}

int inv_probe_native_list(FILE *to, const char *object)
{
	struct list list = {.count = 0};
	int r = open_subject(&list.subject, to, object);
	if (r)
		return r;
	inv_debug_each(&list.subject.debug, false, take_candidate, &list);
	qsort(list.rows, list.count, sizeof(*list.rows), compare);
	for (size_t i = 0; i < list.count; i++) {
		const struct candidate *row = &list.rows[i];
		fprintf(to, "%s\t%s\t%s%s%s\n", row->symbol, row->exported ? "exported" : "local",
			row->place, strcmp(row->name, row->symbol) ? "\t" : "",
			strcmp(row->name, row->symbol) ? row->name : "");
	}
	if (!list.count)
		r = refuse(object,
			   "no function's name has invoke, exec, call, run, dispatch or handle",
			   "give OBJECT:SYMBOL");
	free(list.rows);
	close_subject(&list.subject);
	return r;
}
