/* SPDX-License-Identifier: MIT */
/*
 * probe_signature.c - prototypes, and in which register each argument arrives.
 *
 *   int (ptr world, str invoker_id, int args_count, {i32,f64} pair, ... i64, f64)
 *
 * Behind the dots of a variadic function stand the types that its calls pass at most: a
 * wrapper has to forward them without knowing how many there are. Forwarding one too many
 * is harmless (registers and stack hold something), one too few is not.
 *
 * Not C's own syntax on purpose: C names types that the shim cannot know (`struct world *`,
 * a typedef), and what a wrapper needs is only the width and the register class. A C spelling
 * is answered with the type to use.
 *
 * Registers follow the psABI of the machine: System V x86-64 (6 integer, 8 floating) and
 * AAPCS64 (8 and 8); both count the two classes apart. A struct by value may take registers of
 * either class, several, or none, so from the first one on no register is claimed (reg = -1);
 * libffi knows the rest.
 *
 * The two C++ types are as good as scalars, in every tier: a std::string is passed by its
 * address, whether the source says so or (Itanium C++ ABI: it cannot be copied by its bytes)
 * by value, and a std::string_view in two integer registers. Where only one is left, it is on
 * the stack as a whole: System V gives that one to a later argument, AAPCS64 to none. A
 * std::string that is returned is made where the caller says: by a first argument of its own,
 * or in x8, which only libffi's closures pass on.
 */
#include "preload/probe_parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#define INT_REGS    6
#define FLOAT_REGS  8
#define RESULT_REGS 1	 /* for the address of a result that is made in memory */
#define FILLS_GAPS  true /* a register that a pair left */
#elif defined(__aarch64__)
#define INT_REGS    8
#define FLOAT_REGS  8
#define RESULT_REGS 0 /* x8 is none of these */
#define FILLS_GAPS  false
#else
#error "the argument registers of this machine are not known"
#endif

#define STRUCT_DEPTH_MAX 8

#define TOO_MANY	 "at most %d parameters, of which a stdview counts as two"

struct type_name {
	const char *name;
	enum inv_type type;
};

/* The first name of a type is the one that messages use. */
static const struct type_name types[] = {
	{"i8", INV_TYPE_I8},	       {"i16", INV_TYPE_I16},	      {"i32", INV_TYPE_I32},
	{"i64", INV_TYPE_I64},	       {"u8", INV_TYPE_U8},	      {"u16", INV_TYPE_U16},
	{"u32", INV_TYPE_U32},	       {"u64", INV_TYPE_U64},	      {"f32", INV_TYPE_F32},
	{"f64", INV_TYPE_F64},	       {"bool", INV_TYPE_BOOL},	      {"ptr", INV_TYPE_PTR},
	{"str", INV_TYPE_STR},	       {"int", INV_TYPE_I32},	      {"uint", INV_TYPE_U32},
	{"void", INV_TYPE_NONE},       {"ldouble", INV_TYPE_LDOUBLE}, {"stdstr", INV_TYPE_STDSTR},
	{"stdview", INV_TYPE_STDVIEW},
};
#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

static const struct {
	const char *c;
	const char *use;
} spellings[] = {
	{"char", "i8 (text, char *, is str)"},
	{"double", "f64"},
	{"float", "f32"},
	{"short", "i16"},
	{"long", "i64"},
	{"unsigned", "uint, u8, u16, u32 or u64"},
	{"signed", "int, i8, i16, i32 or i64"},
	{"size_t", "u64"},
	{"ssize_t", "i64"},
	{"ptrdiff_t", "i64"},
	{"off_t", "i64"},
	{"time_t", "i64"},
	{"intptr_t", "i64"},
	{"uintptr_t", "u64"},
	{"int8_t", "i8"},
	{"int16_t", "i16"},
	{"int32_t", "i32"},
	{"int64_t", "i64"},
	{"uint8_t", "u8"},
	{"uint16_t", "u16"},
	{"uint32_t", "u32"},
	{"uint64_t", "u64"},
	{"_Bool", "bool"},
	{"string", "str (stdstr for a std::string)"},
	{"string_view", "stdview"},
	{"std", "stdstr for a std::string, stdview for a std::string_view"},
	{"const", "the type without const (const char * is str)"},
	{"struct", "ptr for a pointer to one, {i32,f64} for one by value"},
	{"enum", "int"},
	{"pointer", "ptr"},
};

const char *inv_type_name(enum inv_type type)
{
	if (type == INV_TYPE_STRUCT)
		return "a struct";
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (types[i].type == type)
			return types[i].name;
	return "?";
}

bool inv_type_is_integer(enum inv_type type)
{
	return (type >= INV_TYPE_I8 && type <= INV_TYPE_U64) || type == INV_TYPE_BOOL;
}

bool inv_type_is_float(enum inv_type type)
{
	return type == INV_TYPE_F32 || type == INV_TYPE_F64;
}

bool inv_type_is_text(enum inv_type type)
{
	return type == INV_TYPE_STR || type == INV_TYPE_STDSTR || type == INV_TYPE_STDVIEW;
}

static unsigned int type_bits(enum inv_type type)
{
	if (type >= INV_TYPE_I8 && type <= INV_TYPE_I64)
		return 8u << (type - INV_TYPE_I8);
	if (type >= INV_TYPE_U8 && type <= INV_TYPE_U64)
		return 8u << (type - INV_TYPE_U8);
	return type == INV_TYPE_BOOL ? 1 : 64;
}

/* A type that is not known (Python) holds what 64 signed bits hold. */
bool inv_type_holds(enum inv_type type, const struct inv_number *number)
{
	unsigned int bits = type_bits(type);
	bool is_signed = type <= INV_TYPE_I64;

	if (!is_signed)
		return !number->negative && number->magnitude <= UINT64_MAX >> (64 - bits);
	return number->magnitude <= (UINT64_MAX >> (65 - bits)) + number->negative;
}

static const char *type_at(const void *context, size_t i)
{
	return i < TYPE_COUNT ? types[i].name : NULL;
}

static int refuse_pointer(struct inv_cursor *cursor, const char *word, size_t length)
{
	if (inv_text_is(word, length, "char"))
		return inv_cursor_fail(cursor, word, "'char *' is not a type here: use str");
	return inv_cursor_fail(cursor, word, "'%.*s *' is not a type here: use ptr",
			       (int)(length < 40 ? length : 40), word);
}

static int refuse_type(struct inv_cursor *cursor, const char *word, size_t length)
{
	const char *near = inv_nearest(word, length, type_at, NULL);
	int shown = (int)(length < 40 ? length : 40);

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
		if (inv_text_is(word, length, spellings[i].c))
			return inv_cursor_fail(cursor, word, "'%s' is not a type here: use %s",
					       spellings[i].c, spellings[i].use);
	if (near)
		return inv_cursor_fail(cursor, word, "unknown type '%.*s': did you mean %s?", shown,
				       word, near);
	return inv_cursor_fail(cursor, word,
			       "unknown type '%.*s': expected int uint i8..i64 u8..u64 f32 f64 "
			       "bool ptr str stdstr stdview or ldouble",
			       shown, word);
}

int inv_cursor_type(struct inv_cursor *cursor, enum inv_type *out)
{
	const char *word;
	size_t length = inv_cursor_word(cursor, &word);

	if (!length)
		return inv_cursor_fail(cursor, word,
				       "expected a type, such as int, i64, ptr or str");
	if (inv_cursor_accept(cursor, "*"))
		return refuse_pointer(cursor, word, length);
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (inv_text_is(word, length, types[i].name)) {
			*out = types[i].type;
			return 0;
		}
	}
	return refuse_type(cursor, word, length);
}

/* A struct that holds a std::string is not passed by value; a view is written u64,ptr. */
static bool is_member(enum inv_type type)
{
	return type != INV_TYPE_NONE && type != INV_TYPE_STDSTR && type != INV_TYPE_STDVIEW;
}

/* Passes over `i32,{f64,ptr}}` behind the opening brace, the closing one included. */
static int skip_members(struct inv_cursor *cursor, unsigned int depth)
{
	enum inv_type type = INV_TYPE_NONE;
	const char *begin;
	int result;

	if (depth == STRUCT_DEPTH_MAX)
		return inv_cursor_fail(cursor, cursor->at, "structs are nested too deeply");
	do {
		inv_cursor_skip_space(cursor);
		begin = cursor->at;
		if (inv_cursor_accept(cursor, "{")) {
			result = skip_members(cursor, depth + 1);
		} else {
			result = inv_cursor_type(cursor, &type);
			if (!result && !is_member(type))
				result = inv_cursor_fail(cursor, begin, "a member cannot be %s",
							 inv_type_name(type));
		}
		if (result)
			return result;
	} while (inv_cursor_accept(cursor, ","));
	if (!inv_cursor_accept(cursor, "}"))
		return inv_cursor_fail(cursor, cursor->at, "expected ',' or '}' after a member");
	return 0;
}

/* A scalar type, or a struct by value whose layout is copied. */
static int read_type(struct inv_cursor *cursor, enum inv_type *type, const char **layout)
{
	const char *begin;
	int result;

	if (!inv_cursor_accept(cursor, "{"))
		return inv_cursor_type(cursor, type);
	begin = cursor->at;
	result = skip_members(cursor, 0);
	if (result)
		return result;
	*type = INV_TYPE_STRUCT;
	*layout = strndup(begin, (size_t)(cursor->at - 1 - begin));
	return *layout ? 0 : inv_cursor_no_memory(cursor);
}

static int read_result(struct inv_cursor *cursor, struct inv_signature *out)
{
	const char *begin;
	size_t length;
	int result;

	inv_cursor_skip_space(cursor);
	begin = cursor->at;
	result = read_type(cursor, &out->result, &out->result_layout);
	if (!result && out->result == INV_TYPE_STDVIEW)
		result = inv_cursor_fail(cursor, begin,
					 "a result cannot be stdview: it comes in two registers; "
					 "write {u64,ptr}, which is passed on and not read");
	if (result)
		return result;
	for (length = (size_t)(cursor->at - begin); length && inv_is_space(begin[length - 1]);)
		length--;
	out->by_value_struct = out->result == INV_TYPE_STRUCT;
	if (length < sizeof(out->result_text))
		memcpy(out->result_text, begin, length);
	else
		strcpy(out->result_text, "struct");
	return 0;
}

static int read_name(struct inv_cursor *cursor, struct inv_signature *out, struct inv_param *param)
{
	const char *word;
	size_t length = inv_cursor_word(cursor, &word);

	if (length >= sizeof(param->name))
		return inv_cursor_fail(cursor, word, "a parameter's name has at most %zu bytes",
				       sizeof(param->name) - 1);
	if (inv_text_is(word, length, "return") || inv_text_is(word, length, "global"))
		return inv_cursor_fail(cursor, word,
				       "'%.*s' means something else in expressions: name the "
				       "parameter otherwise",
				       (int)length, word);
	for (uint32_t i = 0; length && i < out->param_count; i++)
		if (inv_text_is(word, length, out->params[i].name))
			return inv_cursor_fail(cursor, word, "two parameters are named '%.*s'",
					       (int)length, word);
	memcpy(param->name, word, length);
	return 0;
}

/* What C never passes to a variadic function, but a wider type in its place. */
static bool is_promoted(enum inv_type type)
{
	return type == INV_TYPE_F32 || type == INV_TYPE_BOOL || type == INV_TYPE_I8 ||
	       type == INV_TYPE_I16 || type == INV_TYPE_U8 || type == INV_TYPE_U16;
}

static unsigned int words_of(enum inv_type type)
{
	return type == INV_TYPE_STDVIEW ? 2 : 1;
}

static int read_param(struct inv_cursor *cursor, struct inv_signature *out)
{
	struct inv_param *param = &out->params[out->param_count];
	const char *begin;
	int result;

	inv_cursor_skip_space(cursor);
	begin = cursor->at;
	if (out->param_count == INV_PROBE_ARGS_MAX)
		return inv_cursor_fail(cursor, begin, TOO_MANY, INV_PROBE_ARGS_MAX);
	result = read_type(cursor, &param->type, &param->layout);
	if (!result && param->type == INV_TYPE_NONE)
		result = inv_cursor_fail(cursor, begin, "a parameter cannot be void");
	if (!result && out->word_count + words_of(param->type) > INV_PROBE_ARGS_MAX)
		result = inv_cursor_fail(cursor, begin, TOO_MANY, INV_PROBE_ARGS_MAX);
	if (!result && out->variadic && is_promoted(param->type))
		result = inv_cursor_fail(cursor, begin, "behind '...' C passes %s: use that",
					 param->type == INV_TYPE_F32 ? "f64" : "int");
	if (!result)
		result = read_name(cursor, out, param);
	out->param_count++; /* also on failure: its layout is released with the others */
	param->word = out->word_count;
	out->word_count = (uint8_t)(out->word_count + words_of(param->type));
	return result;
}

static bool accept_void_list(struct inv_cursor *cursor)
{
	const char *before = cursor->at;

	if (inv_cursor_accept(cursor, ")"))
		return true;
	if (inv_cursor_accept(cursor, "void") && inv_cursor_accept(cursor, ")"))
		return true;
	cursor->at = before;
	return false;
}

static int read_params(struct inv_cursor *cursor, struct inv_signature *out)
{
	int result;

	if (!inv_cursor_accept(cursor, "("))
		return inv_cursor_fail(cursor, cursor->at,
				       "expected '(' after the result type: TYPE (TYPE name, ...)");
	if (accept_void_list(cursor))
		return 0;
	do {
		if (!out->variadic && inv_cursor_accept(cursor, "...")) {
			out->variadic = true;
			out->fixed_count = out->param_count;
			if (inv_cursor_accept(cursor, ")"))
				return 0;
		}
		result = read_param(cursor, out);
		if (result)
			return result;
	} while (inv_cursor_accept(cursor, ","));
	if (!out->variadic)
		out->fixed_count = out->param_count;
	if (!inv_cursor_accept(cursor, ")"))
		return inv_cursor_fail(cursor, cursor->at, "expected ',' or ')' after a parameter");
	return 0;
}

static void assign_register(struct inv_signature *out, struct inv_param *param)
{
	uint8_t *used = param->is_float ? &out->float_regs : &out->int_regs;
	unsigned int available = param->is_float ? FLOAT_REGS : INT_REGS;
	unsigned int words = words_of(param->type);

	param->reg = -1;
	if (param->type == INV_TYPE_STRUCT)
		out->by_value_struct = true;
	if (param->type == INV_TYPE_LDOUBLE) {
		out->on_stack = true; /* x86-64; elsewhere a register that is not read either */
		return;
	}
	if (out->by_value_struct)
		return;
	if (*used + words <= available) {
		param->reg = (int8_t)*used;
		*used = (uint8_t)(*used + words);
		return;
	}
	out->on_stack = true;
	if (!FILLS_GAPS)
		*used = (uint8_t)available;
}

static void assign_registers(struct inv_signature *out)
{
	if (out->result == INV_TYPE_STDSTR)
		out->int_regs = RESULT_REGS;
	for (uint32_t i = 0; i < out->param_count; i++) {
		out->params[i].is_float = inv_type_is_float(out->params[i].type);
		assign_register(out, &out->params[i]);
	}
}

int inv_signature_parse(struct inv_signature *out, const char *text, struct inv_probe_error *error)
{
	struct inv_cursor cursor;
	int result;

	memset(out, 0, sizeof(*out));
	inv_cursor_init(&cursor, text, strlen(text), error);
	result = read_result(&cursor, out);
	if (!result)
		result = read_params(&cursor, out);
	if (!result && !inv_cursor_at_end(&cursor))
		result = inv_cursor_fail(&cursor, cursor.at, "unexpected text after ')'");
	if (result)
		inv_signature_release(out);
	else
		assign_registers(out);
	return result;
}

void inv_signature_release(struct inv_signature *signature)
{
	free((void *)signature->result_layout);
	for (uint32_t i = 0; i < signature->param_count; i++)
		free((void *)signature->params[i].layout);
	memset(signature, 0, sizeof(*signature));
}

bool inv_signature_needs_closure(const struct inv_signature *signature)
{
	return signature->on_stack || signature->by_value_struct || signature->variadic ||
	       signature->result == INV_TYPE_LDOUBLE ||
	       (signature->result == INV_TYPE_STDSTR && !RESULT_REGS);
}

const char *inv_signature_refusal(const struct inv_signature *signature, char *buf, size_t size)
{
	if (!signature->variadic || signature->param_count > signature->fixed_count)
		return NULL;
	snprintf(buf, size,
		 "argument %u and on ('...') are variadic: state behind the dots the types that "
		 "calls pass at most, such as ... i64, f64",
		 signature->param_count + 1);
	return buf;
}

const char *inv_signature_entry_refusal(const struct inv_signature *signature)
{
#if !defined(__x86_64__)
	return "there is no entry tier on this processor";
#endif
	return signature->by_value_struct ? "a struct by value" : NULL;
}
