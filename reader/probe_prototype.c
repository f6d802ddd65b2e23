/* SPDX-License-Identifier: MIT */
/*
 * probe_prototype.c - parameters in the order of declaration, then those on the stack last.
 */
#include "reader/probe_prototype.h"

#include <ctype.h>
#include <dwarf.h>
#include <stdio.h>
#include <string.h>

#define INTEGER_REGISTERS 6u
#define FLOAT_REGISTERS	  8u
#define TOO_MANY	  "it has more parameters than a signature holds"

static const char *refuse_type(char *detail, const char *word, const char *why)
{
	snprintf(detail, INV_DEBUG_WORD_MAX, "%s", word);
	return why;
}

static const char *const reserved[] = {"return", "global", "void", NULL};

/* A name that the parser takes: its own, or one with _ behind; none stays none. */
static void choose_name(struct inv_probe_value *value, const char *name,
			const struct inv_probe_prototype *s)
{
	size_t n = 0;
	bool taken = false;
	for (; name && name[n] && n < sizeof(value->name) - 2; n++)
		value->name[n] = isalnum((unsigned char)name[n]) ? name[n] : '_';
	snprintf(value->shown, sizeof(value->shown), "%s", name ? name : "");
	for (int i = 0; reserved[i]; i++)
		taken |= !strcmp(value->name, reserved[i]);
	for (size_t i = 0; i < s->count; i++)
		taken |= !strcmp(value->name, s->values[i].name);
	if (taken && n)
		value->name[n] = '_';
	if (isdigit((unsigned char)value->name[0]))
		value->name[0] = '_';
}

/* A parameter whose name would make it a field that its type cannot be. */
static void rename_misfit(struct inv_probe_value *value)
{
	static const char *const numbers[] = {"tick", "args_count", NULL};
	static const char *const texts[] = {"invoker_id", "artifact_id", "method", NULL};
	bool integer = value->type.class == INV_DEBUG_INTEGER;
	bool text = value->type.class == INV_DEBUG_STR || !strncmp(value->type.word, "std", 3);
	bool misfit = false;
	for (int i = 0; numbers[i]; i++)
		misfit |= !strcmp(value->name, numbers[i]) && !integer;
	for (int i = 0; texts[i]; i++)
		misfit |= !strcmp(value->name, texts[i]) && !integer && !text;
	misfit |= !strcmp(value->name, "error_message") && !text;
	misfit |= !strcmp(value->name, "result_type") && !integer && !text;
	if (misfit)
		strncat(value->name, "_", sizeof(value->name) - strlen(value->name) - 1);
}

static bool is_floating(const char *word)
{
	return !strcmp(word, "f32") || !strcmp(word, "f64");
}

unsigned inv_probe_words(const char *word)
{
	return strcmp(word, "stdview") ? 1 : 2;
}

/* Takes registers for so many values. Returns: false: they are passed on the stack. */
static bool take_registers(struct inv_probe_prototype *s, unsigned integers, unsigned floats)
{
	if (s->integers + integers > INTEGER_REGISTERS || s->floats + floats > FLOAT_REGISTERS)
		return false;
	s->integers += integers;
	s->floats += floats;
	return true;
}

static bool take_register(struct inv_probe_prototype *s, const char *word)
{
	bool floating = is_floating(word);
	unsigned integers = floating ? 0 : inv_probe_words(word);
	return strcmp(word, "ldouble") != 0 && take_registers(s, integers, floating);
}

/*
 * A struct by value is as good as its eightbytes, each a parameter, which every tier can take:
 * in registers if all have one, else whole words on the stack.
 */
static const char *add_struct(struct inv_probe_prototype *s, const struct inv_debug_type *type,
			      const char *name)
{
	char part_name[64];
	unsigned floats = 0, count = (type->size + 7) / 8;
	for (unsigned i = 0; i < type->part_count; i++)
		floats += is_floating(type->parts[i]);
	bool on_stack = !type->part_count || !take_registers(s, type->part_count - floats, floats);
	if (s->count + count > INV_PROBE_VALUES_MAX)
		return TOO_MANY;
	for (unsigned i = 0; i < count; i++) {
		struct inv_probe_value *value = &s->values[s->count];
		value->type.class = INV_DEBUG_UNKNOWN; /* no field is looked for in it */
		value->on_stack = on_stack;
		strcpy(value->type.word, on_stack ? "i64" : type->parts[i]);
		snprintf(part_name, sizeof(part_name), "%.40s_part%u", name ? name : "", i + 1);
		choose_name(value, name ? part_name : NULL, s);
		s->count++;
	}
	return NULL;
}

static const char *add_parameter(struct inv_probe_prototype *s, Dwarf_Die *parameter, char *detail)
{
	struct inv_probe_value *value = &s->values[s->count];
	struct inv_debug_type type;
	const char *name = dwarf_diename(parameter);
	char place[32];
	inv_debug_type_of(parameter, &type);
	if (type.class == INV_DEBUG_NOTHING)
		return NULL;
	if (type.class == INV_DEBUG_UNKNOWN || type.class == INV_DEBUG_VOID)
		return refuse_type(detail, type.word,
				   "a parameter's type is one that no signature can say");
	if (type.class == INV_DEBUG_STRUCT && type.text != INV_DEBUG_TEXT_STDVIEW)
		return add_struct(s, &type, dwarf_diename(parameter));
	if (s->count == INV_PROBE_VALUES_MAX)
		return TOO_MANY;
	value->type = type;
	value->on_stack = !take_register(s, type.word);
	/* without a name no expression could begin with it */
	snprintf(place, sizeof(place), "arg%zu", s->count + 1);
	choose_name(value, name ? name : place, s);
	rename_misfit(value);
	s->count++;
	return NULL;
}

/*
 * A signature tells registers and stack apart by the order alone. What is on the stack goes
 * behind what is not, and behind enough words for the registers that would be left: what is
 * in those is nobody's.
 */
static const char *put_stack_last(struct inv_probe_prototype *s)
{
	struct inv_probe_value ordered[INV_PROBE_VALUES_MAX + INTEGER_REGISTERS];
	size_t count = 0, total = 0;
	bool words = false;
	memset(ordered, 0, sizeof(ordered));
	for (size_t i = 0; i < s->count; i++) {
		const char *word = s->values[i].type.word;
		words |= s->values[i].on_stack && !is_floating(word) && strcmp(word, "ldouble");
		if (!s->values[i].on_stack)
			ordered[count++] = s->values[i];
	}
	for (; words && s->integers < INTEGER_REGISTERS; s->integers++, count++) {
		ordered[count].type.class = INV_DEBUG_UNKNOWN;
		strcpy(ordered[count].type.word, "i64");
	}
	for (size_t i = 0; i < s->count; i++)
		if (s->values[i].on_stack)
			ordered[count++] = s->values[i];
	for (size_t i = 0; i < count; i++)
		total += inv_probe_words(ordered[i].type.word);
	if (total > INV_PROBE_ARGS_MAX)
		return TOO_MANY;
	s->padded = words;
	s->count = count;
	memcpy(s->values, ordered, count * sizeof(*ordered));
	return NULL;
}

/* A result that is no plain value is made where the caller says: a first parameter. */
static const char *read_result(struct inv_probe_prototype *s, Dwarf_Die *function, char *detail)
{
	struct inv_probe_value *place = &s->values[0];
	inv_debug_type_of(function, &s->result.type);
	strcpy(s->result.name, "return");
	strcpy(s->result.shown, "return");
	if (s->result.type.class == INV_DEBUG_UNKNOWN)
		return refuse_type(detail, s->result.type.word,
				   "its result's type is one that no signature can say");
	if (s->result.type.class == INV_DEBUG_NOTHING)
		strcpy(s->result.type.word, "void");
	if (s->result.type.class == INV_DEBUG_STRUCT && s->result.type.part_count) {
		s->in_registers = true;
		strcpy(s->result.type.word, s->result.type.parts[0]);
		return NULL;
	}
	if (s->result.type.class == INV_DEBUG_STRING) { /* returned by its address */
		s->result.type.class = INV_DEBUG_POINTER;
		strcpy(s->result.type.word, "ptr");
		return NULL;
	}
	if (s->result.type.class == INV_DEBUG_REFERENCE &&
	    s->result.type.text == INV_DEBUG_TEXT_STDSTR) { /* the signature's word says it all */
		take_register(s, "ptr");
		return NULL;
	}
	if (s->result.type.class != INV_DEBUG_REFERENCE && s->result.type.class != INV_DEBUG_STRUCT)
		return NULL;
	/* ... whose address is returned */
	s->result.type.class = INV_DEBUG_POINTER;
	s->result.type.target_known = s->placed = true;
	strcpy(s->result.type.word, "ptr");
	take_register(s, "ptr");
	strcpy(place->name, "result_place");
	place->type.class = INV_DEBUG_POINTER;
	strcpy(place->type.word, "ptr");
	s->count = 1;
	return NULL;
}

const char *inv_probe_prototype_read(struct inv_probe_prototype *out, Dwarf_Die *function,
				     char *detail)
{
	Dwarf_Die child;
	memset(out, 0, sizeof(*out));
	detail[0] = '\0';
	const char *why = read_result(out, function, detail);
	bool any = dwarf_child(function, &child) == 0;
	while (any && !why) {
		int tag = dwarf_tag(&child);
		if (tag == DW_TAG_formal_parameter)
			why = add_parameter(out, &child, detail);
		out->variadic |= tag == DW_TAG_unspecified_parameters;
		any = dwarf_siblingof(&child, &child) == 0;
	}
	return why ? why : put_stack_last(out);
}

void inv_probe_prototype_put(FILE *to, const struct inv_probe_prototype *p)
{
	fprintf(to, "%s (", p->result.type.word);
	for (size_t i = 0; i < p->count; i++)
		fprintf(to, "%s%s%s%s", i ? ", " : "", p->values[i].type.word,
			p->values[i].name[0] ? " " : "", p->values[i].name);
	fprintf(to, "%s)", p->variadic ? (p->count ? ", ..." : "...") : "");
}
