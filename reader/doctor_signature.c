/* SPDX-License-Identifier: MIT */
/*
 * doctor_signature.c - two prototypes, compared by what is passed where.
 *
 * Not word by word: `ptr` for a text, or arguments on the stack written last, as `probe` does,
 * mean the same registers. So both are laid out by the System V convention, and the places are
 * compared, with the types only where one text is taken for another. A signature with structs
 * by value is not compared: its author has looked at the source, and libffi places them.
 */
#include "reader/doctor_signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "reader/debug_info.h"
#include "reader/probe_prototype.h"
#include "reader/table.h"

#define INTEGER_REGISTERS 6u
#define FLOAT_REGISTERS	  8u

/* One argument, by its word. */
struct argument {
	const char *word, *name;
	enum inv_debug_text text;
};

/* Where arguments are passed: the ones in integer registers, then on the stack. */
struct layout {
	unsigned integers, floats, stack;
	struct argument integer[INTEGER_REGISTERS];
};

static bool is_floating(const char *word)
{
	return !strcmp(word, "f32") || !strcmp(word, "f64");
}

static void put(struct layout *l, const struct argument *argument)
{
	unsigned words = inv_probe_words(argument->word);
	if (!strcmp(argument->word, "ldouble")) {
		l->stack += (l->stack & 1) + 2;
	} else if (is_floating(argument->word)) {
		l->stack += l->floats == FLOAT_REGISTERS;
		l->floats += l->floats < FLOAT_REGISTERS;
	} else if (l->integers + words > INTEGER_REGISTERS) {
		l->stack += words;
	} else {
		l->integer[l->integers] = *argument;
		l->integers += words;
	}
}

/* A std::string that is returned is made where a first argument says. */
static void put_result(struct layout *l, const char *word)
{
	static const struct argument place = {"ptr", "", INV_DEBUG_TEXT_NONE};
	if (!strcmp(word, "stdstr"))
		put(l, &place);
}

static void lay_out_signature(struct layout *l, const struct inv_signature *s)
{
	memset(l, 0, sizeof(*l));
	put_result(l, inv_type_name(s->result));
	for (uint32_t i = 0; i < s->fixed_count; i++)
		put(l, &(struct argument){.word = inv_type_name(s->params[i].type),
					  .name = s->params[i].name});
}

static void lay_out_function(struct layout *l, const struct inv_probe_prototype *p)
{
	memset(l, 0, sizeof(*l));
	put_result(l, p->result.type.word);
	for (size_t i = 0; i < p->count; i++)
		put(l, &(struct argument){.word = p->values[i].type.word,
					  .name = p->values[i].shown,
					  .text = p->values[i].type.text});
}

/* ---- what differs ------------------------------------------------------------------------ */

static bool is_text(const char *word)
{
	return !strcmp(word, "str") || !strcmp(word, "stdstr") || !strcmp(word, "stdview");
}

static bool is_small(const char *word)
{
	static const char *const words[] = {"int", "uint", "i8",  "i16", "i32",
					    "u8",  "u16",  "u32", "bool"};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

/* What a text of the signature really is; NULL: it may be one. */
static const char *real_kind(const struct argument *given, const struct argument *real)
{
	if (!given->word || !real->word || !is_text(given->word))
		return NULL;
	if (real->text == INV_DEBUG_TEXT_FOREIGN)
		return "a text of libc++, which cannot be read";
	if (real->text == INV_DEBUG_TEXT_COW)
		return "a std::string as before GCC 5, which is ptr, and read by ->0:str";
	if ((is_text(real->word) && strcmp(given->word, real->word) != 0) || is_small(real->word))
		return real->word;
	return NULL;
}

/* Returns: whether there is one; what[size] says which. */
static bool find_other_text(const struct layout *given, const struct layout *real, char *what,
			    size_t size)
{
	for (unsigned i = 0; i < INTEGER_REGISTERS; i++) {
		const char *kind = real_kind(&given->integer[i], &real->integer[i]);
		if (!kind)
			continue;
		snprintf(what, size, "%.60s is %s", given->integer[i].name, kind);
		return true;
	}
	return false;
}

static bool is_float_result(const char *word)
{
	return is_floating(word) || !strcmp(word, "ldouble");
}

/* The two, and what of the wrapper decides: only a patched function keeps all registers. */
struct pair {
	const struct inv_signature *signature;
	const struct inv_probe_prototype *prototype;
	struct layout given, real;
	bool slots;
};

/* Returns: whether the call itself goes wrong; what[size] says by what. */
static bool breaks(const struct pair *pair, char *what, size_t size)
{
	const struct inv_probe_prototype *p = pair->prototype;
	const struct layout *given = &pair->given, *real = &pair->real;
	const char *result = inv_type_name(pair->signature->result);
	if (given->stack < real->stack)
		snprintf(what, size,
			 "%u words on the stack are passed on, and its arguments there take %u",
			 given->stack, real->stack);
	else if (pair->signature->variadic != p->variadic)
		snprintf(what, size, "the function is %s",
			 p->variadic ? "variadic" : "not variadic");
	else if (pair->slots && real->floats && !given->floats)
		snprintf(what, size, "its floating arguments are not passed on");
	else if (pair->slots && strcmp(p->result.type.word, "void") != 0 &&
		 (p->result.type.part_count == 2 ||
		  is_float_result(result) != is_float_result(p->result.type.word)))
		snprintf(what, size, "its result is not passed on");
	else
		return false;
	return true;
}

/* Returns: whether fields would be wrong, of calls that go well. */
static bool misreads(const struct pair *pair, char *what, size_t size)
{
	const struct layout *given = &pair->given, *real = &pair->real;
	if (given->floats == real->floats && given->stack == real->stack &&
	    (given->integers == real->integers || pair->prototype->padded))
		return find_other_text(given, real, what, size);
	snprintf(what, size, "fields may be read from the wrong places");
	return true;
}

/* ---- the function ------------------------------------------------------------------------ */

/* Where its code begins, in the object's file. */
static bool find_address(const struct inv_doctor_probe *probe, uint64_t *address)
{
	struct inv_doctor_function function;
	if (probe->place_count) {
		*address = probe->places[0].address;
		return true;
	}
	if (inv_doctor_elf_find(probe->object, probe->probe->symbol, &function) <
	    INV_DOCTOR_SYMBOL_PRIVATE)
		return false;
	*address = function.address;
	return true;
}

static char *text_of(const struct inv_probe_prototype *p)
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);
	if (!to)
		return NULL;
	inv_probe_prototype_put(to, p);
	if (fclose(to)) {
		free(text);
		return NULL;
	}
	return text;
}

static void compare(struct inv_doctor_probe *probe, const struct inv_doctor_elf *elf,
		    Dwarf_Die *function)
{
	struct inv_probe_prototype prototype;
	char detail[INV_DEBUG_WORD_MAX], what[256];
	const struct inv_probe *p = probe->probe;
	struct pair pair = {&p->signature, &prototype, .slots = !probe->functions};
	if (inv_probe_prototype_read(&prototype, function, detail))
		return;
	lay_out_signature(&pair.given, &p->signature);
	lay_out_function(&pair.real, &prototype);
	probe->breaks = breaks(&pair, what, sizeof(what));
	if (!probe->breaks && !misreads(&pair, what, sizeof(what)))
		return;
	char *real = text_of(&prototype);
	snprintf(probe->signature, sizeof(probe->signature),
		 "the signature is %.400s, and by debug information the function is %.400s: %s%s; "
		 "remedy: take the one that `invreg probe %.200s:%.200s` prints",
		 p->signature_text, real ? real : "another", what,
		 probe->breaks ? ": THE CALL BREAKS" : "", elf->path,
		 p->symbol[0] ? p->symbol : "SYMBOL");
	free(real);
}

void inv_doctor_check_signatures(struct inv_doctor *doctor)
{
	const struct inv_doctor_elf *opened = NULL;
	struct inv_debug_info debug;
	bool usable = false;
	for (size_t i = 0; i < doctor->count; i++) {
		struct inv_doctor_probe *probe = &doctor->probes[i];
		const struct inv_doctor_elf *elf =
			probe->place_count ? probe->places[0].object : probe->object;
		Dwarf_Die function;
		uint64_t address;
		if (probe->verdict != INV_DOCTOR_BOUND || !elf || elf->machine != EM_X86_64 ||
		    probe->probe->target_kind == INV_TARGET_PYTHON ||
		    probe->probe->signature.by_value_struct || !find_address(probe, &address))
			continue;
		if (elf != opened && usable)
			inv_debug_close(&debug);
		if (elf != opened)
			usable = !inv_debug_open(&debug, elf->path);
		opened = elf;
		if (usable && inv_debug_function_at(&debug, address, &function))
			compare(probe, elf, &function);
		doctor->broken += probe->breaks;
	}
	if (usable)
		inv_debug_close(&debug);
}

/* ---- before a run ------------------------------------------------------------------------ */

#define OBJECT_BYTES_MAX (64u << 20) /* of debug information that is looked into */
#define WALKED_BYTES_MAX (1u << 20)  /* ... from one end to the other */

/* The debug information that one object has in it. */
struct inside {
	const struct inv_doctor_elf *elf;
	struct inv_debug_info debug;
	off_t bytes;
};

static bool open_inside(struct inside *out, const struct inv_doctor_elf *elf)
{
	struct stat st;
	if (out->elf == elf)
		return out->debug.dwarf != NULL;
	if (out->debug.dwarf)
		dwarf_end(out->debug.dwarf);
	*out = (struct inside){.elf = elf};
	if (fstat(elf->fd, &st) || st.st_size > OBJECT_BYTES_MAX)
		return false;
	out->bytes = st.st_size;
	out->debug.dwarf = dwarf_begin_elf(elf->elf, DWARF_C_READ, NULL);
	return out->debug.dwarf != NULL;
}

/* Whether the object has the probe's function, as its calls by name would find it. */
static bool find_inside(const struct inv_doctor_program *program, size_t i,
			const struct inv_probe *probe, uint64_t *address)
{
	struct inv_doctor_function function = {.address = probe->offset};
	if (!inv_doctor_program_accepts(program, probe->object, i))
		return false;
	if (probe->target_kind != INV_TARGET_OFFSET) {
		enum inv_doctor_symbol least = i == 0 || probe->object[0]
						       ? INV_DOCTOR_SYMBOL_PRIVATE
						       : INV_DOCTOR_SYMBOL_EXPORTED;
		if (inv_doctor_elf_find(&program->objects[i], probe->symbol, &function) < least)
			return false;
	}
	*address = function.address;
	return true;
}

static void warn_of(FILE *to, const struct inv_doctor_program *program, struct inside *inside,
		    const struct inv_probe *probe)
{
	struct inv_doctor_probe row = {.probe = probe};
	Dwarf_Die function;
	uint64_t address = 0;
	size_t i = 0;
	while (i < program->count && !find_inside(program, i, probe, &address))
		i++;
	if (i == program->count || !open_inside(inside, &program->objects[i]))
		return;
	if (!inv_debug_function_indexed(&inside->debug, address, &function) &&
	    (inside->bytes > WALKED_BYTES_MAX ||
	     !inv_debug_function_at(&inside->debug, address, &function)))
		return;
	row.functions =
		probe->bind != INV_BIND_GOT && !inv_signature_entry_refusal(&probe->signature);
	compare(&row, &program->objects[i], &function);
	if (!row.breaks)
		return;
	fprintf(to, "invreg: warning: probe %s: ", probe->name);
	inv_table_say(to, row.signature, strlen(row.signature));
	fputc('\n', to);
}

void inv_doctor_warn(FILE *to, const struct inv_probe_file *file, char *const *command)
{
	struct inv_doctor_program program = {.count = 0};
	struct inside inside = {.elf = NULL};
	bool opened = false;
	for (uint32_t i = 0; i < file->count; i++) {
		const struct inv_probe *probe = &file->probes[i];
		if (probe->target_kind == INV_TARGET_PYTHON || probe->signature.by_value_struct)
			continue;
		if (!opened && inv_doctor_program_open(&program, command, false))
			return;
		opened = true;
		if (program.block || program.objects[0].machine != EM_X86_64)
			break;
		warn_of(to, &program, &inside, probe);
	}
	if (inside.debug.dwarf)
		dwarf_end(inside.debug.dwarf);
	if (opened)
		inv_doctor_program_close(&program);
}
