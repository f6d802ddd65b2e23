/* SPDX-License-Identifier: MIT */
/*
 * outcome.c - what a call came to: success by the probe's rule or by the class of the
 * exception that leaves it, the type, the message.
 *
 * The result and the exception are looked at before the record is entered again (call.c).
 */
#include <string.h>

#include "preload/normalise.h"
#include "preload/python/call.h"

/* ---- outcome ------------------------------------------------------------------------ */

static uint16_t intern_type(const char *text, size_t length)
{
	struct inv_segment *seg = inv_record_segment();
	uint16_t type = seg ? inv_type_intern(seg, text, length) : 0;
	if (seg && !type)
		inv_segment_lose(seg, INV_LOSS_TYPE_OVERFLOW, 1);
	return type;
}

static uint16_t __attribute__((noinline))
type_of_new_class(struct inv_py_known_type *known, const PyTypeObject *type)
{
	size_t length;
	const char *name = inv_py_type_name(type, &length);
	uint16_t id = intern_type(name, length);
	known->type = NULL;
	if (!id)
		return id;
	known->type = type;
	known->name = type->name;
	known->tag = inv_py_tag(type);
	known->id = id;
	return id;
}

/*
 * The id of a class's name. A class can die and another be made in its place: the version tag
 * tells them apart, and a static type does not die.
 */
static inline uint16_t type_of_class(struct inv_py_binding *b, const PyTypeObject *type)
{
	struct inv_py_known_type *known =
		&b->types[((uintptr_t)type >> 4 ^ (uintptr_t)type >> 12) % INV_PY_TYPES_CACHED];
	if (__builtin_expect(known->type == type && known->name == type->name &&
				     (!(type->flags & INV_PY_HEAPTYPE) ||
				      (known->tag && known->tag == inv_py_tag(type))),
			     1))
		return known->id;
	return type_of_new_class(known, type);
}

/* What a call came to, while its objects are looked at. */
struct outcome {
	struct inv_call_outcome call;
	struct inv_py_value value; /* of the message */
	struct inv_py_text message;
};

static bool compare_result(struct inv_py_binding *b, const struct inv_py_value *v, bool *readable)
{
	const struct inv_success *rule = &b->probe->success;
	int64_t whole = 0;
	double real = 0;
	bool null = v->good && !v->is_number && v->object == inv_py.none;
	if (rule->compare == INV_COMPARE_NULL || rule->compare == INV_COMPARE_NOT_NULL) {
		*readable = v->good;
		return !v->good || null == (rule->compare == INV_COMPARE_NULL);
	}
	int kind = inv_py_value_real(v, &whole, &real);
	*readable = kind != 0;
	if (kind == 1)
		return inv_compare_holds(
			rule->compare,
			whole<rule->number, whole == rule->number, whole> rule->number);
	double number = (double)rule->number;
	return kind == 0 ||
	       inv_compare_holds(rule->compare, real<number, real == number, real> number);
}

static bool succeeded(struct inv_py_binding *b, PyObject *result, uint8_t *flags)
{
	struct inv_py_value v;
	bool good, readable = true;
	if (!b->success.base)
		return true;
	inv_py_path_eval(&b->success, NULL, result, &v);
	if (b->probe->success.compare == INV_COMPARE_TRUE) {
		int truth = inv_py_value_truth(&v, b->probe->properties);
		readable = truth >= 0;
		good = truth != 0;
	} else {
		good = compare_result(b, &v, &readable);
	}
	if (!readable) {
		inv_py_binding_unreadable(b, INV_FIELD_COUNT,
					  b->probe->success.compare == INV_COMPARE_TRUE
						  ? inv_py_value_takes_code(&v,
									    b->probe->properties)
						  : v.code);
		*flags |= INV_FLAG_UNREADABLE;
	}
	inv_py_value_drop(&v);
	return good;
}

static void read_message(struct inv_py_binding *b, PyObject *result, struct outcome *o)
{
	const struct inv_source *source = &b->probe->field[INV_FIELD_ERROR_MESSAGE];
	struct inv_py_path *path = &b->fields[INV_FIELD_ERROR_MESSAGE];
	if (!path->base) {
		o->call.message = source->kind == INV_SOURCE_TEXT ? source->text : NULL;
		o->call.message_length = source->length;
		return;
	}
	inv_py_path_eval(path, NULL, result, &o->value);
	inv_py_value_text(&o->value, b->probe->properties, &o->message);
	if (!o->message.good) {
		inv_py_binding_unreadable(b, INV_FIELD_ERROR_MESSAGE,
					  inv_py_value_takes_code(&o->value, b->probe->properties));
		o->call.flags |= INV_FLAG_UNREADABLE;
		return;
	}
	if (!o->value.is_number && o->value.object == inv_py.none)
		return; /* no message */
	o->call.message = o->message.bytes;
	o->call.message_length = (uint32_t)o->message.length;
}

/* The type that a field of the probe gives: a text, or the name of a class. */
static uint16_t type_by_field(struct inv_py_binding *b, unsigned field, PyObject *result,
			      uint8_t *flags)
{
	const struct inv_source *source = &b->probe->field[field];
	struct inv_py_path *path = &b->fields[field];
	struct inv_py_value v;
	struct inv_py_text text;
	uint16_t type = 0;
	if (!path->base)
		return intern_type(source->text ? source->text : "", source->length);
	inv_py_path_eval(path, NULL, result, &v);
	if (v.good && !v.is_number && inv_py_has_flag(v.object, INV_PY_TYPE_SUBCLASS)) {
		type = type_of_class(b, (const PyTypeObject *)v.object);
		inv_py_value_drop(&v);
		return type;
	}
	inv_py_value_text(&v, b->probe->properties, &text);
	if (text.good) {
		type = intern_type(text.bytes, text.length);
	} else {
		inv_py_binding_unreadable(b, field,
					  inv_py_value_takes_code(&v, b->probe->properties));
		*flags |= INV_FLAG_UNREADABLE;
	}
	inv_py_text_drop(&text);
	inv_py_value_drop(&v);
	return type;
}

static bool type_by_code(struct inv_py_binding *b, PyObject *result, uint16_t *type)
{
	struct inv_py_value v;
	int64_t code = 0;
	if (!b->error_code.base)
		return false;
	inv_py_path_eval(&b->error_code, NULL, result, &v);
	bool found = false, readable = inv_py_value_number(&v, &code);
	for (uint32_t i = 0; readable && !found && i < b->probe->code_rule_count; i++) {
		found = b->probe->code_rules[i].code == code;
		*type = b->plan->code_type[i];
	}
	inv_py_value_drop(&v);
	return found;
}

static uint16_t failure_type(struct inv_py_binding *b, PyObject *result, struct outcome *o)
{
	uint16_t type = 0;
	if (b->probe->field[INV_FIELD_ERROR_TYPE].kind)
		return type_by_field(b, INV_FIELD_ERROR_TYPE, result, &o->call.flags);
	if (type_by_code(b, result, &type))
		return type;
	if (b->probe->text_rule_count) {
		int rule =
			inv_probe_match_message(b->probe, o->call.message, o->call.message_length);
		if (rule >= 0)
			return b->plan->text_type[rule];
	}
	return b->plan->error_default;
}

static void returned(struct inv_py_binding *b, PyObject *result, struct outcome *o)
{
	o->call.failed = !succeeded(b, result, &o->call.flags);
	if (o->call.failed) {
		read_message(b, result, o);
		o->call.type = failure_type(b, result, o);
	} else if (b->probe->field[INV_FIELD_RESULT_TYPE].kind) {
		o->call.type = type_by_field(b, INV_FIELD_RESULT_TYPE, result, &o->call.flags);
	} else {
		o->call.type = type_of_class(b, result->ob_type);
	}
}

/* The exception that is set stays set, as it is. */
static void raised(struct inv_py_binding *b, struct outcome *o)
{
	PyObject *type, *value, *traceback;
	const PyObject *class = inv_py.PyErr_Occurred();
	o->call.failed = true;
	if (!class) {
		o->call.type = intern_type("exception", strlen("exception"));
		return;
	}
	o->call.type = type_of_class(b, (const PyTypeObject *)class);
	inv_py.PyErr_Fetch(&type, &value, &traceback);
	inv_py_exception_text(value, b->probe->properties, &o->message);
	inv_py.PyErr_Restore(type, value, traceback);
	if (!o->message.good || !o->message.length)
		return;
	o->call.message = o->message.bytes;
	o->call.message_length = (uint32_t)o->message.length;
}

static void end_call(struct inv_py_binding *b, struct inv_call *call, struct inv_call_outcome *out,
		     uint64_t now)
{
	char text[INV_MESSAGE_BYTES_MAX + 1];
	enum inv_rewrite how = b->probe->rewrite[INV_FIELD_ERROR_MESSAGE];
	bool cut = false;
	if (out->message && how) {
		out->message_length =
			(uint32_t)inv_normalise(how, out->message, out->message_length, text,
						sizeof(text), &cut);
		out->message = out->message_length ? text : NULL;
	}
	inv_record_reenter(call);
	if (call->mode)
		inv_record_end(call, out, now);
}

void inv_py_call_finish(struct inv_py_binding *b, struct inv_call *call, PyObject *result,
			const char *left, uint64_t now)
{
	struct outcome o;
	o.call = (struct inv_call_outcome){.failed = false};
	o.value.owned = o.message.owned = NULL;
	if (__builtin_expect(result && !b->judges, 1)) {
		o.call.type = type_of_class(b, result->ob_type);
		inv_record_reenter(call);
		if (call->mode)
			inv_record_end(call, &o.call, now);
		return;
	}
	if (result) {
		returned(b, result, &o);
	} else if (left) {
		o.call.failed = true;
		o.call.type = intern_type(left, strlen(left));
	} else {
		raised(b, &o);
	}
	if (o.call.flags & INV_FLAG_UNREADABLE)
		inv_segment_lose(inv_record_segment(), INV_LOSS_UNREADABLE, 1);
	end_call(b, call, &o.call, now);
	inv_py_text_drop(&o.message);
	inv_py_value_drop(&o.value);
}
