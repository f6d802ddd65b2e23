/* SPDX-License-Identifier: MIT */
/* path.c - see path.h. The grammar is that of probe_source.c, which has checked the text. */
#include "preload/python/path.h"

#include <stdlib.h>
#include <string.h>

#include "preload/probe_parse.h"

/* ---- text to steps ---------------------------------------------------------------- */

static struct inv_py_op *add_op(struct inv_py_path *path, enum inv_py_op_kind kind)
{
	if (path->count == INV_PY_OPS_MAX)
		return NULL;
	struct inv_py_op *op = &path->ops[path->count++];
	*op = (struct inv_py_op){.kind = (uint8_t)kind};
	return op;
}

static bool add_text(struct inv_py_path *path, enum inv_py_op_kind kind, const char *text,
		     size_t length)
{
	struct inv_py_op *op = add_op(path, kind);
	if (op)
		op->text = strndup(text, length);
	return op && op->text;
}

static bool compile_key(struct inv_py_path *path, struct inv_cursor *cursor)
{
	inv_cursor_skip_space(cursor);
	char quote = *cursor->at;
	if (quote == '"' || quote == '\'') {
		const char *begin = cursor->at + 1;
		const char *close = memchr(begin, quote, (size_t)(cursor->end - begin));
		if (!close || !add_text(path, INV_PY_KEY, begin, (size_t)(close - begin)))
			return false;
		cursor->at = close + 1;
	} else {
		struct inv_number number;
		struct inv_py_op *op = add_op(path, INV_PY_INDEX);
		if (!op || inv_cursor_number(cursor, &number))
			return false;
		op->number = inv_number_bits(&number);
	}
	return inv_cursor_accept(cursor, "]");
}

static bool compile(struct inv_py_path *path, struct inv_cursor *cursor)
{
	const char *word;
	size_t length = inv_cursor_word(cursor, &word);
	if (inv_cursor_accept(cursor, "(")) {
		bool len = inv_text_is(word, length, "len");
		if (!compile(path, cursor) || !inv_cursor_accept(cursor, ")") ||
		    !add_op(path, len ? INV_PY_LEN : INV_PY_TYPE))
			return false;
	} else if (inv_text_is(word, length, "return")) {
		path->base = INV_PY_OF_RETURN;
	} else {
		path->base = INV_PY_OF_PARAM;
		path->name = strndup(word, length);
		if (!path->name)
			return false;
	}
	for (;;) {
		if (inv_cursor_accept(cursor, "[")) {
			if (!compile_key(path, cursor))
				return false;
		} else if (inv_cursor_accept(cursor, ".")) {
			length = inv_cursor_word(cursor, &word);
			if (!add_text(path, INV_PY_ATTR, word, length))
				return false;
		} else {
			return true;
		}
	}
}

bool inv_py_path_compile(struct inv_py_path *out, const struct inv_source *source, bool properties)
{
	struct inv_cursor cursor;
	memset(out, 0, sizeof(*out));
	out->properties = properties;
	if (source->kind != INV_SOURCE_PYTHON)
		return true;
	inv_cursor_init(&cursor, source->text, source->length, NULL);
	return compile(out, &cursor);
}

bool inv_py_path_start(struct inv_py_path *path)
{
	if (path->name) {
		path->name_object = inv_py.PyUnicode_InternFromString(path->name);
		if (!path->name_object)
			return false;
	}
	for (uint8_t i = 0; i < path->count; i++) {
		struct inv_py_op *op = &path->ops[i];
		op->type = NULL;
		op->where = INV_PY_UNTRIED;
		op->name = op->text ? inv_py.PyUnicode_InternFromString(op->text) : NULL;
		if (op->text && !op->name)
			return false;
		op->hash = op->name ? inv_py.PyObject_Hash(op->name) : 0;
	}
	return true;
}

/* ---- parameters ------------------------------------------------------------------- */

static bool read_int(PyObject *code, const char *name, int *out)
{
	int overflow = 0;
	PyObject *o = inv_py.PyObject_GetAttrString(code, name);
	if (o)
		*out = (int)inv_py.PyLong_AsLongLongAndOverflow(o, &overflow);
	inv_py_drop(o);
	return o != NULL;
}

bool inv_py_code_read(struct inv_py_code *out, PyObject *code)
{
	int flags = 0;
	struct inv_py_code fresh = {.code = code};
	if (!read_int(code, "co_argcount", &fresh.positional) ||
	    !read_int(code, "co_kwonlyargcount", &fresh.keyword_only) ||
	    !read_int(code, "co_flags", &flags)) {
		inv_py.PyErr_Clear();
		return false;
	}
	fresh.names = inv_py.PyObject_GetAttrString(code, "co_varnames");
	if (!fresh.names || fresh.names->ob_type != inv_py.PyTuple_Type) {
		inv_py.PyErr_Clear();
		inv_py_drop(fresh.names);
		return false;
	}
	fresh.varargs = flags & INV_PY_CO_VARARGS;
	fresh.varkeywords = flags & INV_PY_CO_VARKEYWORDS;
	inv_py.Py_IncRef(code);
	inv_py_drop(out->code);
	inv_py_drop(out->names);
	*out = fresh;
	return true;
}

/* What place number i of co_varnames is. */
static int16_t place_of(const struct inv_py_code *code, int i)
{
	int named = code->positional + code->keyword_only;
	if (i < named)
		return (int16_t)i;
	if (i == named && code->varargs)
		return INV_PY_PLACE_VARARGS;
	return INV_PY_PLACE_VARKEYWORDS;
}

bool inv_py_path_place(struct inv_py_path *path, const struct inv_py_code *code)
{
	int count = code->positional + code->keyword_only + code->varargs + code->varkeywords;
	path->place = INV_PY_PLACE_NONE;
	if (path->base != INV_PY_OF_PARAM)
		return true;
	Py_ssize_t size = inv_py.PyTuple_Size(code->names);
	for (int i = 0; i < count && i < size; i++)
		if (inv_py.PyUnicode_Compare(inv_py.PyTuple_GetItem(code->names, i),
					     path->name_object) == 0)
			path->place = place_of(code, i);
	return path->place != INV_PY_PLACE_NONE;
}

/* ---- arguments -------------------------------------------------------------------- */

static PyObject *keyword(const struct inv_py_arguments *a, PyObject *name)
{
	Py_ssize_t count = a->keywords ? inv_py.PyTuple_Size(a->keywords) : 0;
	for (Py_ssize_t i = 0; i < count; i++)
		if (inv_py.PyTuple_GetItem(a->keywords, i) == name)
			return a->args[a->count + i];
	for (Py_ssize_t i = 0; i < count; i++) /* not interned: rare */
		if (inv_py.PyUnicode_Compare(inv_py.PyTuple_GetItem(a->keywords, i), name) == 0)
			return a->args[a->count + i];
	return NULL;
}

static PyObject *default_of(const struct inv_py_arguments *a, const struct inv_py_path *path)
{
	PyObject *function = a->function;
	if (path->place >= a->code->positional) {
		PyObject *by_name = inv_py_at(function, inv_py.func_kwdefaults);
		return by_name && inv_py_has_flag(by_name, INV_PY_DICT_SUBCLASS)
			       ? inv_py.PyDict_GetItemWithError(by_name, path->name_object)
			       : NULL;
	}
	PyObject *defaults = inv_py_at(function, inv_py.func_defaults);
	if (!defaults || !inv_py_has_flag(defaults, INV_PY_TUPLE_SUBCLASS))
		return NULL;
	Py_ssize_t size = inv_py.PyTuple_Size(defaults);
	Py_ssize_t at = path->place - (a->code->positional - size);
	return at >= 0 && at < size ? inv_py.PyTuple_GetItem(defaults, at) : NULL;
}

/* Borrowed. Returns: NULL: not passed, and no default. */
static PyObject *argument(const struct inv_py_arguments *a, const struct inv_py_path *path)
{
	if (path->place < 0)
		return NULL;
	if (a->locals)
		return a->args[path->place];
	if (path->place < a->count && path->place < a->code->positional)
		return a->args[path->place];
	PyObject *o = a->keywords ? keyword(a, path->name_object) : NULL;
	return o ? o : default_of(a, path);
}

/* How many keywords of a call are no parameter's. */
static Py_ssize_t extra_keywords(const struct inv_py_arguments *a)
{
	Py_ssize_t count = a->keywords ? inv_py.PyTuple_Size(a->keywords) : 0, extra = count;
	for (Py_ssize_t k = 0; k < count; k++)
		for (int i = 0; i < a->code->positional + a->code->keyword_only; i++)
			if (inv_py.PyUnicode_Compare(inv_py.PyTuple_GetItem(a->keywords, k),
						     inv_py.PyTuple_GetItem(a->code->names, i)) ==
			    0) {
				extra--;
				break;
			}
	return extra;
}

/* *args and **kwargs are not objects yet: their first step is taken here. */
static uint8_t of_variable(const struct inv_py_path *path, const struct inv_py_arguments *a,
			   struct inv_py_value *v)
{
	Py_ssize_t extra = a->count > a->code->positional ? a->count - a->code->positional : 0;
	const struct inv_py_op *first = path->count ? &path->ops[0] : NULL;
	if (!first)
		return 0;
	if (path->place == INV_PY_PLACE_VARARGS && first->kind == INV_PY_LEN) {
		*v = (struct inv_py_value){.good = true, .is_number = true, .number = extra};
	} else if (path->place == INV_PY_PLACE_VARARGS && first->kind == INV_PY_INDEX) {
		Py_ssize_t at = (Py_ssize_t)first->number;
		at += at < 0 ? extra : 0;
		v->good = at >= 0 && at < extra;
		v->object = v->good ? a->args[a->code->positional + at] : NULL;
	} else if (path->place == INV_PY_PLACE_VARKEYWORDS && first->kind == INV_PY_LEN) {
		*v = (struct inv_py_value){.good = true,
					   .is_number = true,
					   .number = extra_keywords(a)};
	} else if (path->place == INV_PY_PLACE_VARKEYWORDS && first->kind == INV_PY_KEY) {
		v->object = keyword(a, first->name);
		v->good = v->object != NULL;
	}
	return 1;
}

void inv_py_path_eval(struct inv_py_path *path, const struct inv_py_arguments *arguments,
		      PyObject *result, struct inv_py_value *v)
{
	uint8_t i = 0;
	*v = (struct inv_py_value){.good = false};
	if (path->base == INV_PY_OF_RETURN) {
		v->object = result;
		v->good = result != NULL;
	} else if (path->place < INV_PY_PLACE_NONE && arguments->locals) {
		const struct inv_py_code *code = arguments->code;
		int at = code->positional + code->keyword_only;
		at += path->place == INV_PY_PLACE_VARKEYWORDS && code->varargs;
		v->object = arguments->args[at];
		v->good = v->object != NULL;
	} else if (path->place < INV_PY_PLACE_NONE) {
		i = of_variable(path, arguments, v);
	} else {
		v->object = argument(arguments, path);
		v->good = v->object != NULL;
	}
	if (!v->good)
		return;
	/* While nothing runs but us, what an argument refers to stays where it is. */
	for (; i < path->count && path->ops[i].kind == INV_PY_ATTR && !path->properties; i++) {
		PyObject *o = inv_py_attr_at_once(v->object, &path->ops[i]);
		if (!o)
			break;
		v->object = o;
	}
	for (; v->good && i < path->count; i++)
		inv_py_value_step(v, &path->ops[i], path->properties);
}
