/* SPDX-License-Identifier: MIT */
/*
 * plan.c - evaluating a probe's fields and rules on the registers of a call.
 *
 * Runs in the observed program's thread, between its caller and its function: reads only
 * what inv_readable allows, never writes to the program's memory, never calls into it.
 */
#include "preload/plan.h"

#include <string.h>

#include "preload/normalise.h"
#include "preload/std_text.h"

static const uint8_t type_bytes[] = {
	[INV_TYPE_I8] = 1,     [INV_TYPE_I16] = 2,     [INV_TYPE_I32] = 4,
	[INV_TYPE_I64] = 8,    [INV_TYPE_U8] = 1,      [INV_TYPE_U16] = 2,
	[INV_TYPE_U32] = 4,    [INV_TYPE_U64] = 8,     [INV_TYPE_F32] = 4,
	[INV_TYPE_F64] = 8,    [INV_TYPE_BOOL] = 1,    [INV_TYPE_PTR] = 8,
	[INV_TYPE_STR] = 8,    [INV_TYPE_STRUCT] = 0,  [INV_TYPE_LDOUBLE] = 0,
	[INV_TYPE_STDSTR] = 0, [INV_TYPE_STDVIEW] = 0,
};

static bool type_signed(enum inv_type type)
{
	return type >= INV_TYPE_I8 && type <= INV_TYPE_I64;
}

static bool is_std(enum inv_type type)
{
	return type == INV_TYPE_STDSTR || type == INV_TYPE_STDVIEW;
}

/* ---- making ----------------------------------------------------------------------- */

static void make_source(struct inv_plan_source *out, const struct inv_source *s,
			const struct inv_signature *sig, struct inv_segment *seg,
			void *(*find)(const char *))
{
	out->source = *s;
	out->is_signed = type_signed(s->type);
	if (s->kind == INV_SOURCE_ARG) {
		out->reg = (uint8_t)sig->params[s->param].reg;
		out->is_float = sig->params[s->param].is_float;
		if (inv_signature_needs_closure(sig)) {
			out->reg = sig->params[s->param].word;
			out->is_float = false;
		}
	} else if (s->kind == INV_SOURCE_GLOBAL) {
		out->global = find(s->text);
	} else if (s->kind == INV_SOURCE_TEXT) {
		out->constant = inv_name_intern(seg, s->text, s->length);
	} else if (s->kind == INV_SOURCE_NUMBER) {
		struct inv_name_miss miss = {0};
		static struct inv_name_cache scratch; /* the constructor is single-threaded */
		out->constant =
			inv_name_of_number_slow(&scratch, seg, (uint64_t)s->number, true, &miss);
	}
}

static uint16_t type_of(struct inv_segment *seg, const char *text)
{
	return inv_type_intern(seg, text, strlen(text));
}

static void make_std_fetch(struct inv_fetch *f, const struct inv_plan_source *s, bool name)
{
	unsigned steps = s->source.step_count;
	if (name && s->source.type == INV_TYPE_STDSTR && steps <= 1) {
		f->kind = INV_FETCH_STDSTR;
		f->offset = steps ? s->source.steps[0].offset : 0;
	} else if (name && s->source.type == INV_TYPE_STDVIEW && !steps) {
		f->kind = INV_FETCH_STDVIEW;
	}
}

/* The short form of a source; a field that is not given is the constant `absent`. */
static void make_fetch(struct inv_fetch *f, const struct inv_plan_source *s, bool name,
		       uint64_t absent)
{
	f->kind = INV_FETCH_GENERAL;
	f->reg = s->reg;
	if (s->source.kind == INV_SOURCE_NONE || s->source.kind == INV_SOURCE_PYTHON) {
		f->kind = INV_FETCH_CONSTANT;
		f->constant = absent;
		return;
	}
	if (s->source.kind == INV_SOURCE_NUMBER || s->source.kind == INV_SOURCE_TEXT) {
		f->kind = INV_FETCH_CONSTANT;
		f->constant = name ? s->constant : (uint64_t)s->source.number;
		return;
	}
	if (s->source.kind != INV_SOURCE_ARG || s->is_float || s->rewrite)
		return;
	if (!type_bytes[s->source.type]) {
		make_std_fetch(f, s, name);
		return;
	}
	if (s->source.step_count == 0) {
		f->kind = name && s->source.type == INV_TYPE_STR ? INV_FETCH_STRING
								 : INV_FETCH_REGISTER;
	} else if (s->source.step_count == 1) {
		f->kind = INV_FETCH_LOAD;
		f->offset = s->source.steps[0].offset;
	}
	f->shift = (uint8_t)(64 - 8 * type_bytes[s->source.type]);
	f->bits = s->is_signed ? UINT64_MAX : UINT64_MAX >> f->shift;
}

/* The rules that the result register alone can tell; by others no result is a success yet. */
static void make_success(struct inv_plan *plan, const struct inv_success *rule)
{
	const struct inv_plan_source *left = &plan->success_left;
	bool wide = type_bytes[left->source.type] == 8;
	plan->success_span = UINT64_MAX; /* all are within, and so none */
	plan->success_outside = true;
	if (plan->field[INV_FIELD_RESULT_TYPE].source.kind)
		return;
	if (rule->compare == INV_COMPARE_NONE || rule->compare == INV_COMPARE_TRUE) {
		plan->success_outside = false;
		return;
	}
	bool equality = rule->compare == INV_COMPARE_EQ || rule->compare == INV_COMPARE_NE ||
			rule->compare == INV_COMPARE_NULL || rule->compare == INV_COMPARE_NOT_NULL;
	if (left->source.kind != INV_SOURCE_RETURN || left->source.step_count ||
	    left->source.type == INV_TYPE_F64 || !(left->is_signed || (wide && equality)))
		return;
	plan->success_shift = (uint8_t)(64 - 8 * type_bytes[left->source.type]);
	int64_t least = rule->number, most = rule->number;
	plan->success_outside = rule->compare == INV_COMPARE_NE ||
				rule->compare == INV_COMPARE_NOT_NULL ||
				rule->compare == INV_COMPARE_LT || rule->compare == INV_COMPARE_GT;
	if (rule->compare == INV_COMPARE_LE || rule->compare == INV_COMPARE_GT)
		least = INT64_MIN;
	if (rule->compare == INV_COMPARE_GE || rule->compare == INV_COMPARE_LT)
		most = INT64_MAX;
	plan->success_least = (uint64_t)least;
	plan->success_span = (uint64_t)most - (uint64_t)least;
}

void inv_plan_make(struct inv_plan *plan, const struct inv_probe *probe, uint8_t index,
		   struct inv_segment *seg, void *(*find)(const char *symbol))
{
	const struct inv_signature *sig = &probe->signature;
	memset(plan, 0, sizeof(*plan));
	plan->probe = probe;
	plan->index = index;
	plan->empty_name = inv_name_intern(seg, "", 0);
	for (unsigned i = 0; i < INV_FIELD_COUNT; i++) {
		make_source(&plan->field[i], &probe->field[i], sig, seg, find);
		plan->field[i].rewrite = (uint8_t)probe->rewrite[i];
	}
	make_source(&plan->success_left, &probe->success.left, sig, seg, find);
	make_source(&plan->error_code, &probe->error_code, sig, seg, find);
	for (unsigned i = 0; i <= INV_FIELD_ARGS_COUNT; i++) {
		bool name = i >= INV_FIELD_INVOKER && i <= INV_FIELD_METHOD;
		make_fetch(&plan->fetch[i], &plan->field[i], name, name ? plan->empty_name : 0);
	}
	plan->plain_return = plan->success_left.source.kind == INV_SOURCE_RETURN &&
			     plan->success_left.source.step_count == 0 &&
			     plan->success_left.is_signed;
	make_success(plan, &probe->success);
	plan->result_type = type_of(seg, sig->result_text[0] ? sig->result_text : "void");
	plan->error_default =
		type_of(seg, probe->error_default[0] ? probe->error_default : "execution");
	for (uint32_t i = 0; i < probe->code_rule_count; i++)
		plan->code_type[i] = type_of(seg, probe->code_rules[i].type);
	for (uint32_t i = 0; i < probe->text_rule_count; i++)
		plan->text_type[i] = type_of(seg, probe->text_rules[i].type);
}

/* ---- values ------------------------------------------------------------------------ */

static uint64_t bits_of(double d)
{
	uint64_t v;
	memcpy(&v, &d, 8);
	return v;
}

/* The base of a source, as bits. Returns: false where there is none. */
static inline bool base_of(const struct inv_plan_source *s, const struct inv_registers *regs,
			   uint64_t *out)
{
	switch (s->source.kind) {
	case INV_SOURCE_ARG:
		*out = s->is_float ? bits_of(regs->floating[s->reg]) : regs->integer[s->reg];
		return true;
	case INV_SOURCE_RETURN:
		*out = s->source.type == INV_TYPE_F32 || s->source.type == INV_TYPE_F64
			       ? bits_of(regs->float_result)
			       : regs->result;
		return true;
	case INV_SOURCE_GLOBAL:
		*out = (uint64_t)(uintptr_t)s->global;
		return s->global != NULL;
	case INV_SOURCE_NUMBER:
		*out = (uint64_t)s->source.number;
		return true;
	default:
		return false;
	}
}

/* The value of a source as 64 bits, extended by its type. Returns: false: unreadable. */
static inline bool value_of(const struct inv_plan_source *s, const struct inv_registers *regs,
			    struct inv_name_cache *names, uint64_t *out)
{
	uint64_t v;
	if (!base_of(s, regs, &v))
		return false;
	for (unsigned i = 0; i < s->source.step_count; i++) {
		const struct inv_step *step = &s->source.steps[i];
		const void *at = (const void *)(uintptr_t)(v + (uint64_t)step->offset);
		uint64_t loaded = 0;
		if (is_std(step->type)) { /* the object itself lies there */
			v = (uint64_t)(uintptr_t)at;
			continue;
		}
		if (!names || !inv_readable(names, at, type_bytes[step->type]))
			return false;
		memcpy(&loaded, at, type_bytes[step->type]);
		v = loaded;
	}
	*out = inv_plan_narrow(v, s->source.type);
	return true;
}

/* The text of a STDSTR or STDVIEW; bytes is NULL for a null pointer. Returns: false: unreadable. */
static bool std_text_of(const struct inv_plan_source *s, const struct inv_registers *regs,
			struct inv_name_cache *names, struct inv_std_text *out)
{
	uint64_t at;
	bool view = s->source.type == INV_TYPE_STDVIEW;
	*out = (struct inv_std_text){NULL, 0};
	if (view && !s->source.step_count)
		return inv_std_view_take(regs->integer[s->reg], regs->integer[s->reg + 1], out);
	if (!value_of(s, regs, names, &at))
		return false;
	if (!at)
		return true;
	return view ? inv_std_view_read(names, (const void *)(uintptr_t)at, out)
		    : inv_std_string_read(names, (const void *)(uintptr_t)at, out);
}

/*
 * At most `most` bytes of a text of any type; *bytes is NULL for a null pointer.
 * Returns: false: unreadable.
 */
static bool text_of(const struct inv_plan_source *s, const struct inv_registers *regs,
		    struct inv_name_cache *names, size_t most, const char **bytes, size_t *length)
{
	struct inv_std_text text;
	uint64_t v;
	*length = 0;
	if (is_std(s->source.type)) {
		if (!std_text_of(s, regs, names, &text))
			return false;
		*bytes = text.bytes;
		*length = text.length < most ? (size_t)text.length : most;
		return inv_readable_bytes(names, text.bytes, *length);
	}
	if (!value_of(s, regs, names, &v))
		return false;
	*bytes = (const char *)(uintptr_t)v;
	return !v || inv_readable_string(names, *bytes, most, length);
}

/*
 * The program's bytes go no further than this frame: the dictionary is asked for what is made
 * of them, past the cache that knows texts by their pointer. A name that finds no room leaves
 * no text to the event.
 */
static uint32_t __attribute__((noinline))
name_rewritten(const struct inv_plan_source *s, const struct inv_registers *regs,
	       struct inv_name_cache *names, struct inv_name_miss *miss)
{
	char text[INV_NAME_BYTES_MAX];
	const char *p = NULL;
	size_t length;
	if (!text_of(s, regs, names, INV_NORMALISE_READ_MAX, &p, &length) || !p) {
		miss->unreadable = true;
		return INV_NAME_OTHER;
	}
	length = inv_normalise((enum inv_rewrite)s->rewrite, p, length, text, sizeof(text),
			       &miss->truncated);
	uint32_t id = inv_name_intern(inv_record_segment(), text, length);
	miss->overflow = id == INV_NAME_OTHER;
	return id;
}

static uint32_t name_of_std(const struct inv_plan_source *s, const struct inv_registers *regs,
			    struct inv_name_cache *names, struct inv_name_miss *miss)
{
	struct inv_std_text text;
	if (std_text_of(s, regs, names, &text) && text.bytes)
		return inv_name_of_counted(names, inv_record_segment(), text.bytes, text.length,
					   miss);
	miss->unreadable = true;
	return INV_NAME_OTHER;
}

static uint32_t name_of(const struct inv_plan *plan, const struct inv_plan_source *s,
			const struct inv_registers *regs, struct inv_name_cache *names,
			struct inv_name_miss *miss)
{
	struct inv_segment *seg = inv_record_segment();
	uint64_t v;
	switch (s->source.kind) {
	case INV_SOURCE_NONE:
	case INV_SOURCE_PYTHON:
		return plan->empty_name;
	case INV_SOURCE_TEXT:
	case INV_SOURCE_NUMBER:
		return s->constant;
	default:
		break;
	}
	if (!names) { /* every cache of the overflow region is taken: rare, and counted */
		miss->overflow = true;
		return INV_NAME_OTHER;
	}
	if (s->rewrite)
		return name_rewritten(s, regs, names, miss);
	if (is_std(s->source.type))
		return name_of_std(s, regs, names, miss);
	if (!value_of(s, regs, names, &v)) {
		miss->unreadable = true;
		return INV_NAME_OTHER;
	}
	if (s->source.type == INV_TYPE_STR)
		return inv_name_of_string(names, seg, (const char *)(uintptr_t)v, miss);
	return inv_name_of_number(names, seg, v, s->is_signed, miss);
}

uint32_t inv_plan_name_slow(const struct inv_plan *plan, unsigned field,
			    const struct inv_registers *regs, struct inv_name_cache *names,
			    struct inv_call_fields *out)
{
	unsigned i = field - INV_FIELD_INVOKER;
	struct inv_name_miss *miss = &out->miss[i];
	*miss = (struct inv_name_miss){.text = NULL};
	uint32_t id = name_of(plan, &plan->field[field], regs, names, miss);
	if (miss->unreadable || miss->overflow || miss->truncated)
		out->missed |= (uint8_t)(1u << i);
	return id;
}

uint64_t inv_plan_number_slow(const struct inv_plan *plan, unsigned field,
			      const struct inv_registers *regs, struct inv_name_cache *names,
			      struct inv_call_fields *out)
{
	uint64_t v = 0;
	if (!value_of(&plan->field[field], regs, names, &v))
		out->unreadable++;
	return v;
}

/* ---- outcome ------------------------------------------------------------------------ */

/* The number of a rule; null is 0. */
static bool compare_integers(const struct inv_success *rule, int64_t a)
{
	int64_t b = rule->number;
	return inv_compare_holds(rule->compare, a<b, a == b, a> b);
}

/* u64 and pointers: the rule's number holds the bits. */
static bool compare_unsigned(const struct inv_success *rule, uint64_t a)
{
	uint64_t b = (uint64_t)rule->number;
	return inv_compare_holds(rule->compare, a<b, a == b, a> b);
}

static bool compare_reals(const struct inv_success *rule, double a)
{
	return inv_compare_holds(rule->compare, a<rule->real, a == rule->real, a> rule->real);
}

static double real_of(uint64_t bits, enum inv_type type)
{
	double d;
	float f;
	if (type == INV_TYPE_F64) {
		memcpy(&d, &bits, 8);
		return d;
	}
	memcpy(&f, &bits, 4);
	return (double)f;
}

/* `return OP number` on an integer result, the usual rule, or the general one. */
static bool succeeded(const struct inv_plan *plan, const struct inv_registers *regs,
		      struct inv_name_cache *names, uint8_t *flags)
{
	const struct inv_success *rule = &plan->probe->success;
	enum inv_type type = plan->success_left.source.type;
	uint64_t v;
	if (__builtin_expect(plan->plain_return, 1))
		return compare_integers(rule, (int64_t)inv_plan_narrow(regs->result, type));
	if (rule->compare == INV_COMPARE_NONE || rule->compare == INV_COMPARE_TRUE)
		return true;
	if (!value_of(&plan->success_left, regs, names, &v)) {
		*flags |= INV_FLAG_UNREADABLE;
		return true;
	}
	if (type == INV_TYPE_F32 || type == INV_TYPE_F64)
		return compare_reals(rule, real_of(v, type));
	if (type == INV_TYPE_U64 || type == INV_TYPE_PTR || type == INV_TYPE_STR ||
	    type == INV_TYPE_STDSTR)
		return compare_unsigned(rule, v);
	return compare_integers(rule, (int64_t)v);
}

static void read_message(const struct inv_plan *plan, const struct inv_registers *regs,
			 struct inv_name_cache *names, struct inv_call_outcome *out)
{
	const struct inv_plan_source *s = &plan->field[INV_FIELD_ERROR_MESSAGE];
	const char *text = NULL;
	size_t length, most = s->rewrite ? INV_NORMALISE_READ_MAX : INV_MESSAGE_BYTES_MAX + 1;
	if (s->source.kind == INV_SOURCE_TEXT) {
		out->message = s->source.text;
		out->message_length = s->source.length;
		return;
	}
	if (!s->source.kind || !names)
		return;
	if (!text_of(s, regs, names, most, &text, &length)) {
		out->flags |= INV_FLAG_UNREADABLE;
		return;
	}
	if (!length)
		return; /* no message is no trouble */
	out->message = text;
	out->message_length = (uint32_t)length;
}

/* A type given by an expression: its text becomes (or is) one of the bounded types. */
static uint16_t type_by_source(const struct inv_plan *plan, const struct inv_plan_source *s,
			       const struct inv_registers *regs, struct inv_name_cache *names,
			       uint8_t *flags)
{
	struct inv_name_miss miss = {0};
	size_t length;
	uint32_t id = name_of(plan, s, regs, names, &miss);
	if (miss.unreadable)
		*flags |= INV_FLAG_UNREADABLE;
	struct inv_segment *seg = inv_record_segment();
	const char *text = inv_name_text(seg, id, &length);
	if (!text)
		return 0;
	uint16_t type = inv_type_intern(seg, text, length);
	if (!type)
		inv_segment_lose(seg, INV_LOSS_TYPE_OVERFLOW, 1);
	return type;
}

static uint16_t failure_type(const struct inv_plan *plan, const struct inv_registers *regs,
			     struct inv_name_cache *names, struct inv_call_outcome *out)
{
	const struct inv_probe *probe = plan->probe;
	uint64_t code;
	if (plan->field[INV_FIELD_ERROR_TYPE].source.kind)
		return type_by_source(plan, &plan->field[INV_FIELD_ERROR_TYPE], regs, names,
				      &out->flags);
	if (probe->code_rule_count && value_of(&plan->error_code, regs, names, &code))
		for (uint32_t i = 0; i < probe->code_rule_count; i++)
			if (probe->code_rules[i].code == (int64_t)code)
				return plan->code_type[i];
	if (probe->text_rule_count) {
		int rule = inv_probe_match_message(probe, out->message, out->message_length);
		if (rule >= 0)
			return plan->text_type[rule];
	}
	return plan->error_default;
}

void inv_plan_outcome(const struct inv_plan *plan, const struct inv_registers *regs,
		      struct inv_name_cache *names, struct inv_call_outcome *out)
{
	out->flags = 0;
	out->message = NULL;
	out->message_length = 0;
	out->failed = !succeeded(plan, regs, names, &out->flags);
	if (__builtin_expect(out->failed, 0)) {
		read_message(plan, regs, names, out);
		out->type = failure_type(plan, regs, names, out);
		if (plan->field[INV_FIELD_ERROR_MESSAGE].rewrite)
			out->message = NULL; /* inv_plan_end_rewritten */
	} else if (__builtin_expect(plan->field[INV_FIELD_RESULT_TYPE].source.kind != 0, 0)) {
		out->type = type_by_source(plan, &plan->field[INV_FIELD_RESULT_TYPE], regs, names,
					   &out->flags);
	} else {
		out->type = plan->result_type;
	}
	if (__builtin_expect(out->flags & INV_FLAG_UNREADABLE, 0))
		inv_segment_lose(inv_record_segment(), INV_LOSS_UNREADABLE, 1);
}

/* One byte more than is kept, so that what is too long is seen to be. */
void inv_plan_end_rewritten(const struct inv_plan *plan, const struct inv_registers *regs,
			    struct inv_call *call, struct inv_call_outcome *out, uint64_t now)
{
	char text[INV_MESSAGE_BYTES_MAX + 1];
	bool cut = false;
	read_message(plan, regs, call->names, out);
	if (out->message) {
		out->message_length = (uint32_t)inv_normalise(
			(enum inv_rewrite)plan->field[INV_FIELD_ERROR_MESSAGE].rewrite,
			out->message, out->message_length, text, sizeof(text), &cut);
		out->message = out->message_length ? text : NULL;
	}
	inv_record_end(call, out, now);
}
