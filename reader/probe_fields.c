/* SPDX-License-Identifier: MIT */
/*
 * probe_fields.c - fields by names.
 *
 * Each field has a list of names that programs use for it, the surest first. A parameter of
 * such a name is better than a member behind a pointer, and that better than one two pointers
 * away. A pointer whose own name fits (`agent`) is followed to the id or name in its struct.
 * What the name says, the type must bear out: a tick is a whole number, an id a text or one.
 */
#include "reader/probe_fields.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX 2

static const char *const ticks[] = {
	"tick",	    "current_tick", "tick_count",   "tick_no", "ticks", "step",
	"timestep", "time_step",    "current_step", "turn",    "round", "epoch",
	"frame",    "generation",   "sim_time",	    "now",     NULL};
static const char *const invokers[] = {"invoker_id",   "invoker",   "caller_id", "caller",
				       "principal_id", "principal", "agent_id",	 "agent",
				       "actor_id",     "actor",	    "client_id", "client",
				       "user_id",      "user",	    "sender_id", "sender",
				       "source_id",    "requester", "subject",	 "from",
				       "who",	       "owner_id",  NULL};
static const char *const artifacts[] = {
	"artifact_id",	"artifact",  "object_id",    "object",	 "target_id",
	"target",	"callee",    "resource_id",  "resource", "service",
	"service_name", "component", "component_id", "contract", "contract_id",
	"module",	"entity_id", "entity",	     "tool",	 "tool_name",
	"receiver",	"device",    "plugin",	     "key",	 NULL};
static const char *const methods[] = {"method",	   "method_name",  "action",   "action_name",
				      "operation", "op",	   "opcode",   "command",
				      "cmd",	   "function",	   "func",     "function_name",
				      "verb",	   "request_type", "selector", "message_type",
				      NULL};
static const char *const counts[] = {"args_count",     "arg_count",	  "argc",
				     "nargs",	       "num_args",	  "n_args",
				     "args_len",       "nargs_",	  "arg_cnt",
				     "argument_count", "arguments_count", NULL};
static const char *const messages[] = {"error_message", "last_error", "error_text",
				       "errmsg",	"err_msg",    "error_msg",
				       "error_string",	"errstr",     "error",
				       "err",		NULL};

static const char *const *const names_of[INV_FIELD_COUNT] = {
	[INV_FIELD_TICK] = ticks,	  [INV_FIELD_INVOKER] = invokers,
	[INV_FIELD_ARTIFACT] = artifacts, [INV_FIELD_METHOD] = methods,
	[INV_FIELD_ARGS_COUNT] = counts,  [INV_FIELD_ERROR_MESSAGE] = messages};

/* What an object is called in its own struct. */
static const char *const own_names[] = {"id", "name", "key", "uid", NULL};

/* invokerId, m_invoker_id and invoker_id_ are one name; _ and case do not count. */
static bool is_named(const char *name, const char *wanted)
{
	if (!strncmp(name, "m_", 2))
		name += 2;
	for (;; name++, wanted++) {
		while (*name == '_')
			name++;
		while (*wanted == '_')
			wanted++;
		if (!*name || !*wanted)
			return *name == *wanted;
		if (strncasecmp(name, wanted, 1) != 0)
			return false;
	}
}

/* Its place in the list. Returns: that of the end when it is not in it. */
static unsigned rank_of(const char *name, const char *const *names)
{
	unsigned i = 0;
	while (names[i] && !is_named(name, names[i]))
		i++;
	return i;
}

static unsigned length_of(const char *const *names)
{
	unsigned i = 0;
	while (names[i])
		i++;
	return i;
}

/* ---- the search ------------------------------------------------------------------------ */

enum wanted { WANT_NUMBER, WANT_TEXT, WANT_EITHER, WANT_TRUTH };

/* What was found, how far away, and how sure its name is: lower is better. */
struct found {
	struct inv_probe_guess *guess;
	unsigned depth, rank;
};

struct search {
	const char *const *names;
	enum wanted wanted;
	struct found *found;
	/* of the pointer that is followed */
	const char *expression, *source;
	unsigned depth;
	unsigned rank; /* its own, when its name fits and only names of its own are looked at */
	bool own;
};

/* by_value: a parameter, of which a struct in registers cannot be read. */
static bool is_fit(const struct search *s, const struct inv_debug_type *type, bool by_value)
{
	bool text = type->class == INV_DEBUG_STR || inv_debug_text_word(type->text);
	bool number = type->class == INV_DEBUG_INTEGER && !type->boolean;
	if (s->wanted == WANT_TRUTH)
		return type->boolean;
	return s->wanted == WANT_NUMBER ? number : s->wanted == WANT_TEXT ? text : text || number;
}

static bool is_better(const struct search *s, unsigned rank)
{
	if (rank >= length_of(s->names))
		return false;
	return !s->found->guess->found || s->depth < s->found->depth ||
	       (s->depth == s->found->depth && rank < s->found->rank);
}

static void take(struct search *s, unsigned rank, const char *expression, const char *source,
		 enum inv_debug_text text)
{
	struct inv_probe_guess *guess = s->found->guess;
	s->found->rank = rank;
	s->found->depth = s->depth;
	guess->found = true;
	guess->text = text;
	snprintf(guess->expression, sizeof(guess->expression), "%s", expression);
	snprintf(guess->source, sizeof(guess->source), "%s", source);
}

static void follow(const struct search *from, const struct inv_debug_type *type,
		   const char *expression, const char *source, unsigned rank, bool own);

/* The last part of "inner.name". */
static const char *last_part(const char *path)
{
	const char *dot = strrchr(path, '.');
	return dot ? dot + 1 : path;
}

/* Of a pointer the next offset is behind it. */
static bool consider_member(void *arg, const char *path, long offset, Dwarf_Die *member)
{
	struct search *s = arg;
	struct inv_debug_type type;
	char expression[128], source[256];
	const char *name = last_part(path);
	unsigned rank = s->own ? s->rank : rank_of(name, s->names);
	bool fits =
		s->own ? own_names[rank_of(name, own_names)] != NULL : rank < length_of(s->names);
	inv_debug_type_of(member, &type);
	snprintf(source, sizeof(source), "%s->%s", s->source, path);
	if (fits && is_fit(s, &type, false) && is_better(s, rank)) {
		bool object = inv_debug_text_is_object(&type);
		snprintf(expression, sizeof(expression), "%.90s->%ld%s:%.12s", s->expression,
			 offset, type.text && !object ? ":ptr->0" : "",
			 type.text ? inv_debug_text_word(type.text) : type.word);
		take(s, rank, expression, source, type.text);
	} else if (type.target_known) {
		snprintf(expression, sizeof(expression), "%s->%ld:ptr", s->expression, offset);
		if (fits && !s->own)
			follow(s, &type, expression, source, rank, true);
		follow(s, &type, expression, source, 0, false);
	}
	return true;
}

static void follow(const struct search *from, const struct inv_debug_type *type,
		   const char *expression, const char *source, unsigned rank, bool own)
{
	struct search s = *from;
	Dwarf_Die die = type->die;
	/* the id behind a pointer of the right name counts as near as that pointer */
	s.depth = from->depth + !own;
	if (!type->target_known || s.depth > DEPTH_MAX || s.own)
		return;
	s.expression = expression;
	s.source = source;
	s.rank = rank;
	s.own = own;
	inv_debug_each_member(&die, consider_member, &s);
}

static void consider_value(struct search *s, const struct inv_probe_value *value)
{
	unsigned rank = rank_of(value->shown, s->names);
	bool fits = rank < length_of(s->names);
	char expression[128];
	if (fits && is_fit(s, &value->type, true) && is_better(s, rank)) {
		const char *word = inv_debug_text_word(value->type.text);
		bool itself = !word || !strcmp(value->type.word, word);
		snprintf(expression, sizeof(expression), "%s%s%s", value->name,
			 itself ? "" : "->0:", itself ? "" : word);
		take(s, rank, expression, value->shown, value->type.text);
		return;
	}
	if (fits)
		follow(s, &value->type, value->name, value->shown, rank, true);
	follow(s, &value->type, value->name, value->shown, 0, false);
}

void inv_probe_guess_field(struct inv_probe_guess *out, enum inv_field field,
			   const struct inv_probe_value *values, size_t count)
{
	struct found found = {.guess = out};
	struct search s = {.names = names_of[field], .found = &found};
	memset(out, 0, sizeof(*out));
	s.wanted = field == INV_FIELD_TICK || field == INV_FIELD_ARGS_COUNT ? WANT_NUMBER
		   : field == INV_FIELD_ERROR_MESSAGE			    ? WANT_TEXT
									    : WANT_EITHER;
	for (size_t i = 0; i < count; i++)
		consider_value(&s, &values[i]);
	out->by_itself =
		out->found && !strcmp(out->expression, inv_probe_field_name((enum inv_field)field));
}

bool inv_probe_find_truth(struct inv_probe_guess *out, const struct inv_probe_value *value,
			  const char *const *names)
{
	struct found found = {.guess = out};
	struct search s = {
		.names = names, .found = &found, .wanted = WANT_TRUTH, .depth = DEPTH_MAX - 1};
	memset(out, 0, sizeof(*out));
	follow(&s, &value->type, value->name, value->shown, 0, false);
	return out->found;
}
