/* SPDX-License-Identifier: MIT */
/*
 * unwind.c - the personality routine of the wrappers.
 *
 * Which frame is passed is told by its frame pointer, which inv_record_enter noted as the
 * call's frame address. Only the unwinder knows it: _Unwind_GetGR of the object that our
 * return address lies in, so that it reads a context of its own layout (libgcc_s, LLVM's
 * libunwind, one that is linked statically and exported). Found without dlsym: another thread
 * may hold the loader's lock while it waits for this one.
 *
 * The thrown type is read from the exception's header, by the Itanium C++ ABI: behind the
 * thread-safe layout that libstdc++ and libc++abi share, exceptionType lies 80 bytes
 * before the unwind header (LP64). Every byte is asked for before it is read.
 *
 * Barrier [U1]: unwinder_at release -> acquire: a caller matched with another one's function.
 */
#include "preload/unwind.h"

#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <unwind.h>

#include "preload/cxx_name.h"
#include "preload/elf_object.h"
#include "preload/got.h"
#include "shm/record.h"

#if defined(__aarch64__)
#define FRAME_POINTER 29
#else
#define FRAME_POINTER 6
#endif

#define HEADER_BYTES	80u		     /* exceptionType to the unwind header */
#define OBJECT_TO_TYPE	(HEADER_BYTES + 32u) /* the thrown object follows the unwind header */
#define CLASS_CXX	UINT64_C(0x432b2b00) /* "C++\0", the low half */
#define CLASS_DEPENDENT UINT64_C(0x432b2b01) /* of std::rethrow_exception */

typedef _Unwind_Word get_register(struct _Unwind_Context *, int);

/* ---- the unwinder ----------------------------------------------------------------- */

struct question {
	uintptr_t caller;
	uintptr_t answer;
};

static int ask_object(struct dl_phdr_info *info, size_t size, void *context)
{
	struct question *q = context;
	struct inv_elf_object object;
	struct inv_elf_definition definition;
	bool usable = inv_elf_object_parse(&object, info);
	if (!inv_elf_object_contains(&object, q->caller, 1, PF_X))
		return 0;
	if (usable && inv_elf_object_find(&object, "_Unwind_GetGR", &definition) &&
	    !definition.ifunc)
		q->answer = definition.address;
	return 1;
}

/* _Unwind_GetGR of the unwinder that contains `caller`; 0: it exports none. */
static uintptr_t get_register_of(uintptr_t caller)
{
	static _Atomic uintptr_t unwinder_at, function_at;
	/* [U1] acquire: the function of that caller; pairs with the release below */
	if (atomic_load_explicit(&unwinder_at, memory_order_acquire) == caller)
		return atomic_load_explicit(&function_at, memory_order_relaxed);
	struct question q = {caller, 0};
	if (inv_got_unsure())
		return 0;
	dl_iterate_phdr(ask_object, &q);
	if (q.answer && !atomic_load_explicit(&unwinder_at, memory_order_relaxed)) {
		uintptr_t none = 0;
		if (atomic_compare_exchange_strong_explicit(&function_at, &none, q.answer,
							    memory_order_relaxed,
							    memory_order_relaxed))
			/* [U1] release: the function before its caller; pairs with the acquire */
			atomic_store_explicit(&unwinder_at, caller, memory_order_release);
	}
	return q.answer;
}

/* ---- the exception ---------------------------------------------------------------- */

static const char *readable_pointer(struct inv_name_cache *names, const void *at)
{
	const char *p;
	if (!inv_readable(names, at, sizeof(p)))
		return NULL;
	memcpy(&p, at, sizeof(p));
	return p;
}

/* std::type_info: a vtable, then the mangled name. */
static const char *mangled_name(struct inv_name_cache *names, const struct _Unwind_Exception *e)
{
	const char *header = (const char *)e - HEADER_BYTES;
	if ((e->exception_class & 0xffffffff) == CLASS_DEPENDENT) {
		const char *object = readable_pointer(names, header);
		if (!object)
			return NULL;
		header = object - OBJECT_TO_TYPE;
	}
	const char *type = readable_pointer(names, header);
	const char *name = type ? readable_pointer(names, type + sizeof(void *)) : NULL;
	return name && inv_readable(names, name, 1) && *name == '*' ? name + 1 : name;
}

static uint16_t type_of(struct inv_segment *seg, struct inv_name_cache *names,
			_Unwind_Action actions, const struct _Unwind_Exception *e)
{
	char text[128] = "exception:";
	size_t length, start = strlen(text);
	if (actions & _UA_FORCE_UNWIND)
		return inv_type_intern(seg, "forced_unwind", strlen("forced_unwind"));
	uint64_t language = e->exception_class & 0xffffffff;
	const char *name = NULL;
	if (language == CLASS_CXX || language == CLASS_DEPENDENT)
		name = mangled_name(names, e);
	if (name && inv_readable_string(names, name, 256, &length))
		start += inv_cxx_name(name, length, text + start, sizeof(text) - start);
	else
		start = strlen(strcat(text, "foreign"));
	return inv_type_intern(seg, text, start);
}

/* ---- the call --------------------------------------------------------------------- */

static void end_call(uintptr_t frame, _Unwind_Action actions, const struct _Unwind_Exception *e,
		     uint64_t now)
{
	struct inv_call call;
	if (!inv_record_find(&call, frame))
		return;
	inv_record_reenter(&call);
	if (!call.mode)
		return;
	struct inv_call_outcome outcome = {.failed = true};
	struct inv_segment *seg = inv_record_segment();
	if (call.names)
		outcome.type = type_of(seg, call.names, actions, e);
	inv_record_end(&call, &outcome, now);
}

_Unwind_Reason_Code
inv_unwind_passes(int version, _Unwind_Action actions, _Unwind_Exception_Class language,
		  struct _Unwind_Exception *exception, struct _Unwind_Context *context)
	__attribute__((used, visibility("hidden")));
_Unwind_Reason_Code inv_unwind_passes(int version, _Unwind_Action actions,
				      _Unwind_Exception_Class language,
				      struct _Unwind_Exception *exception,
				      struct _Unwind_Context *context)
{
	if (version != 1 || !(actions & _UA_CLEANUP_PHASE) || !inv_record_segment())
		return _URC_CONTINUE_UNWIND;
	int saved = errno;
	uint64_t now = inv_record_now();
	uintptr_t get = get_register_of((uintptr_t)__builtin_return_address(0));
	if (get) {
		uintptr_t frame = ((get_register *)get)(context, FRAME_POINTER);
		end_call(frame, actions, exception, now);
	}
	errno = saved;
	return _URC_CONTINUE_UNWIND;
}
