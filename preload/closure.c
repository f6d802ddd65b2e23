/* SPDX-License-Identifier: MIT */
/*
 * closure.c - closures prepared in the constructor, given out later.
 *
 * A closure's code has to be written and executed. Where no page may be both, libffi maps
 * a temporary file twice and keeps its descriptor, which would shift every number that the
 * program is given: it is closed when all closures are there. libffi maps nothing after
 * that, since nothing is allocated after that.
 *
 * Rejected: an assembly thunk that copies N words of stack. It would do for stack arguments,
 * but structs by value come in registers of either class, and libffi knows each ABI's rules.
 */
#include "preload/closure.h"

#include <fcntl.h>
#include <ffi.h>
#include <string.h>
#include <unistd.h>

#include "preload/probe_parse.h"
#include "preload/unwind.h"
#include "preload/wrap_call.h"

#define TYPES_MAX   128u /* structs by value in all probes, nested ones too */
#define MEMBERS_MAX 1024u

struct closure {
	ffi_closure *writable;
	void *code;
	struct inv_plan *plan; /* NULL: not given out */
	void *real;
};

struct pool {
	const struct inv_signature *signature;
	ffi_cif cif;
	ffi_type *arguments[INV_PROBE_ARGS_MAX];
	uint32_t ready;
	struct closure closures[INV_CLOSURES_EACH];
};

static struct pool pools[INV_PROBE_FILE_MAX];
static ffi_type structs[TYPES_MAX];
static ffi_type *members[MEMBERS_MAX];
static uint32_t struct_count, member_count;
static int first_free = -1; /* the lowest descriptor before libffi could take one */

/* ---- types -------------------------------------------------------------------------- */

/* By their eightbytes: a view in two registers, a string that is returned in memory. */
static ffi_type *view_words[] = {&ffi_type_uint64, &ffi_type_pointer, NULL};
static ffi_type *string_words[] = {&ffi_type_pointer, &ffi_type_uint64, &ffi_type_uint64,
				   &ffi_type_uint64, NULL};
static ffi_type std_view = {.type = FFI_TYPE_STRUCT, .elements = view_words};
static ffi_type std_string = {.type = FFI_TYPE_STRUCT, .elements = string_words};

static ffi_type *scalar(enum inv_type type)
{
	static ffi_type *const scalars[] = {
		[INV_TYPE_NONE] = &ffi_type_void,
		[INV_TYPE_I8] = &ffi_type_sint8,
		[INV_TYPE_I16] = &ffi_type_sint16,
		[INV_TYPE_I32] = &ffi_type_sint32,
		[INV_TYPE_I64] = &ffi_type_sint64,
		[INV_TYPE_U8] = &ffi_type_uint8,
		[INV_TYPE_U16] = &ffi_type_uint16,
		[INV_TYPE_U32] = &ffi_type_uint32,
		[INV_TYPE_U64] = &ffi_type_uint64,
		[INV_TYPE_F32] = &ffi_type_float,
		[INV_TYPE_F64] = &ffi_type_double,
		[INV_TYPE_BOOL] = &ffi_type_uint8,
		[INV_TYPE_PTR] = &ffi_type_pointer,
		[INV_TYPE_STR] = &ffi_type_pointer,
		[INV_TYPE_STRUCT] = NULL,
		[INV_TYPE_LDOUBLE] = &ffi_type_longdouble,
		[INV_TYPE_STDSTR] = &ffi_type_pointer,
		[INV_TYPE_STDVIEW] = &std_view,
	};
	return scalars[type];
}

/* `i32, {f64,u8}` up to its end or a closing brace. Returns: NULL when out of room. */
static ffi_type *struct_of(struct inv_cursor *cursor)
{
	ffi_type *found[64];
	uint32_t count = 0;
	do {
		enum inv_type type = INV_TYPE_NONE;
		if (count == sizeof(found) / sizeof(*found))
			return NULL;
		if (inv_cursor_accept(cursor, "{"))
			found[count] = struct_of(cursor);
		else if (!inv_cursor_type(cursor, &type))
			found[count] = scalar(type);
		else
			return NULL;
		if (!found[count++])
			return NULL;
	} while (inv_cursor_accept(cursor, ","));
	inv_cursor_accept(cursor, "}");
	if (struct_count == TYPES_MAX || member_count + count + 1 > MEMBERS_MAX)
		return NULL;
	ffi_type *made = &structs[struct_count++];
	made->type = FFI_TYPE_STRUCT;
	made->elements = &members[member_count];
	memcpy(made->elements, found, count * sizeof(*found)); /* a NULL ends them */
	member_count += count + 1;
	return made;
}

static ffi_type *type_of(enum inv_type type, const char *layout)
{
	struct inv_cursor cursor;
	if (type != INV_TYPE_STRUCT)
		return scalar(type);
	inv_cursor_init(&cursor, layout, strlen(layout), NULL);
	return struct_of(&cursor);
}

static bool describe(struct pool *pool)
{
	const struct inv_signature *s = pool->signature;
	ffi_type *result =
		s->result == INV_TYPE_STDSTR ? &std_string : type_of(s->result, s->result_layout);
	for (uint32_t i = 0; i < s->param_count; i++) {
		pool->arguments[i] = type_of(s->params[i].type, s->params[i].layout);
		if (!pool->arguments[i])
			return false;
	}
	if (!result)
		return false;
	ffi_status status = s->variadic
				    ? ffi_prep_cif_var(&pool->cif, FFI_DEFAULT_ABI, s->fixed_count,
						       s->param_count, result, pool->arguments)
				    : ffi_prep_cif(&pool->cif, FFI_DEFAULT_ABI, s->param_count,
						   result, pool->arguments);
	return status == FFI_OK;
}

/* ---- calls -------------------------------------------------------------------------- */

static void load_arguments(struct inv_registers *regs, const ffi_cif *cif,
			   const struct inv_signature *signature, void **arguments)
{
	for (unsigned i = 0; i < cif->nargs; i++) {
		const struct inv_param *param = &signature->params[i];
		size_t size = cif->arg_types[i]->size;
		uint64_t *to = &regs->integer[param->word];
		*to = 0;
		if (param->type == INV_TYPE_STDVIEW ||
		    (cif->arg_types[i]->type != FFI_TYPE_STRUCT && size <= sizeof(uint64_t)))
			memcpy(to, arguments[i], size);
	}
}

/* `result` is the caller's own memory where a struct is returned in memory. */
static void load_result(struct inv_registers *regs, const ffi_cif *cif, const void *result)
{
	size_t size = cif->rtype->size;
	regs->result = cif->rtype == &std_string ? (uint64_t)(uintptr_t)result : 0;
	if (cif->rtype->type == FFI_TYPE_STRUCT || cif->rtype->type == FFI_TYPE_VOID ||
	    size > sizeof(uint64_t))
		return;
	memcpy(&regs->result, result, size);
	memcpy(&regs->float_result, &regs->result, sizeof(regs->float_result));
}

static void run(ffi_cif *cif, void *result, void **arguments, void *user)
{
	const struct closure *c = user;
	INV_UNWIND_FRAME();
	struct inv_registers regs;
	struct inv_call call;
	load_arguments(&regs, cif, &c->plan->probe->signature, arguments);
	inv_wrap_enter(&call, c->plan, &regs);
	ffi_call(cif, FFI_FN(c->real), result, arguments);
	if (!call.mode)
		return;
	uint64_t now = inv_record_now();
	load_result(&regs, cif, result);
	inv_plan_end(&call, c->plan, &regs, NULL, now);
}

/* ---- making ------------------------------------------------------------------------- */

static int lowest_free(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd;
}

bool inv_closure_prepare(uint32_t index, const struct inv_signature *signature)
{
	struct pool *pool = &pools[index];
	if (first_free < 0)
		first_free = lowest_free();
	pool->signature = signature;
	if (!describe(pool))
		return false;
	for (; pool->ready < INV_CLOSURES_EACH; pool->ready++) {
		struct closure *c = &pool->closures[pool->ready];
		c->writable = ffi_closure_alloc(sizeof(*c->writable), &c->code);
		if (!c->writable)
			break;
		if (ffi_prep_closure_loc(c->writable, &pool->cif, run, c, c->code) != FFI_OK)
			break;
	}
	return pool->ready > 0;
}

void inv_closure_prepared(void)
{
	if (first_free >= 0 && lowest_free() != first_free)
		close(first_free);
	first_free = -1;
}

void *inv_closure_make(struct inv_plan *plan, void *real)
{
	struct pool *pool = pools;
	while (pool < pools + INV_PROBE_FILE_MAX && pool->signature != &plan->probe->signature)
		pool++;
	if (pool == pools + INV_PROBE_FILE_MAX)
		return NULL;
	for (uint32_t i = 0; i < pool->ready; i++) {
		struct closure *c = &pool->closures[i];
		if (c->plan && c->real != real)
			continue;
		c->plan = plan;
		c->real = real;
		return c->code;
	}
	return NULL;
}
