/* SPDX-License-Identifier: MIT */
/* test_plan.c - fields and outcomes read from the registers of a call. */
#include <sys/mman.h>

#include "preload/plan_path.h"
#include "preload/std_layout.h"
#include "tests/unit/segment_fixture.h"

static struct inv_probe_file file;
static struct inv_plan plan;
static struct inv_registers regs;
static struct inv_name_cache cache;
static int64_t global_tick = 77;

static void *find(const char *symbol)
{
	return strcmp(symbol, "current_tick") == 0 ? &global_tick : NULL;
}

/* A plan of a probe with this signature and these further lines. */
static void make(const char *signature, const char *lines)
{
	char text[2048];
	struct inv_probe_error error;
	fix_open();
	int n = snprintf(text, sizeof(text), "[probe p]\ntarget = f\nsignature = %s\n%s\n",
			 signature, lines);
	int r = inv_probe_file_parse(&file, "p.ini", text, (size_t)n, &error);
	cr_assert_eq(r, 0, "%u:%u: %s", error.line, error.column, error.text);
	inv_plan_make(&plan, &file.probes[0], 0, &fix_segment, find);
}

static struct inv_call_fields fields(void)
{
	struct inv_call_fields f;
	const struct inv_call call = {.names = &cache};
	struct inv_path_fields read = inv_path_read(&plan, &regs, &call, &f);
	return *inv_path_spill(&f, &read);
}

static struct inv_call_outcome outcome(uint64_t result)
{
	struct inv_call_outcome o;
	regs.result = result;
	inv_plan_outcome(&plan, &regs, &cache, &o);
	return o;
}

static bool named(uint32_t id, const char *text)
{
	size_t length = 0;
	const char *have = inv_name_text(&fix_segment, id, &length);
	return have && length == strlen(text) && memcmp(have, text, length) == 0;
}

static bool typed(uint16_t type, const char *text)
{
	return named(atomic_load_explicit(&fix_segment.types[type], memory_order_relaxed), text);
}

Test(plan, parameters_fill_the_fields_of_their_name)
{
	make("int (str invoker_id, str artifact_id, str method, int args_count, i64 tick)", "");
	regs.integer[0] = (uintptr_t) "alice";
	regs.integer[1] = (uintptr_t) "market_escrow_with_a_long_name";
	regs.integer[2] = (uintptr_t) "";
	regs.integer[3] = UINT64_C(0xdeadbeef00000003); /* the upper half is undefined */
	regs.integer[4] = (uint64_t)-5;
	for (int again = 0; again < 2; again++) { /* missed, then from the cache */
		struct inv_call_fields f = fields();
		cr_assert(named(f.invoker, "alice"));
		cr_assert(named(f.artifact, "market_escrow_with_a_long_name"));
		cr_assert(named(f.method, ""));
		cr_assert_eq(f.args_count, 3);
		cr_assert_eq(f.tick, -5);
		cr_assert_eq(f.missed, 0);
		cr_assert_eq(f.unreadable, 0);
	}
}

Test(plan, a_reused_buffer_is_read_again)
{
	char buffer[16] = "first";
	make("int (str artifact_id)", "");
	regs.integer[0] = (uintptr_t)buffer;
	cr_assert(named(fields().artifact, "first"));
	strcpy(buffer, "firs");
	cr_assert(named(fields().artifact, "firs"));
	strcpy(buffer, "first one");
	cr_assert(named(fields().artifact, "first one"));
}

Test(plan, numbers_become_decimal_names)
{
	make("int (int invoker_id, u64 artifact_id)", "");
	regs.integer[0] = (uint32_t)-42;
	regs.integer[1] = UINT64_MAX;
	cr_assert(named(fields().invoker, "-42"));
	cr_assert(named(fields().artifact, "18446744073709551615"));
}

Test(plan, offsets_globals_and_constants_are_followed)
{
	struct {
		int64_t spare[2];
		int64_t tick;
		const char *name;
	} world = {{0, 0}, 4711, "inner"};
	make("int (ptr world)", "tick = world->16:i64\ninvoker_id = world->24:str\n"
				"artifact_id = \"fixed\"\nargs_count = global:current_tick:i64");
	regs.integer[0] = (uintptr_t)&world;
	struct inv_call_fields f = fields();
	cr_assert_eq(f.tick, 4711);
	cr_assert(named(f.invoker, "inner"));
	cr_assert(named(f.artifact, "fixed"));
	cr_assert_eq(f.args_count, 77);
}

Test(plan, bad_pointers_are_counted_and_never_followed)
{
	make("int (ptr world, str invoker_id, str artifact_id)", "tick = world->16:i64");
	regs.integer[0] = 0x10;
	regs.integer[1] = UINT64_C(0xffff800000000000);
	regs.integer[2] = 0;
	struct inv_call_fields f = fields();
	cr_assert_eq(f.missed, 3);
	cr_assert(f.miss[0].unreadable && f.miss[1].unreadable);
	cr_assert_eq(f.unreadable, 1);
	cr_assert_eq(f.invoker, INV_NAME_OTHER);
}

Test(plan, a_string_may_end_where_the_mapping_ends)
{
	make("int (str invoker_id)", ""); /* before the hole: it maps pages itself */
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(page, MAP_FAILED);
	munmap(page + 4096, 4096);
	strcpy(page + 4096 - 6, "alice");
	regs.integer[0] = (uintptr_t)(page + 4096 - 6);
	for (int again = 0; again < 3; again++)
		cr_assert(named(fields().invoker, "alice"));
	memcpy(page + 4096 - 6, "endles", 6); /* no NUL before the hole */
	cr_assert(named(fields().invoker, "endles"));
}

Test(plan, codes_name_failures)
{
	make("int (str invoker_id)",
	     "success = return == 0\nerror_type = return: -13=permission, -22=validation\n"
	     "error.default = odd");
	cr_assert_not(outcome(0).failed);
	cr_assert(typed(outcome(0).type, "int"));
	cr_assert_not(outcome(UINT64_C(0xffffffff00000000)).failed, "only 32 bits are the result");
	cr_assert(typed(outcome((uint32_t)-13).type, "permission"));
	cr_assert(typed(outcome((uint32_t)-22).type, "validation"));
	cr_assert(typed(outcome(1).type, "odd"));
}

Test(plan, messages_name_failures_and_are_kept)
{
	struct {
		const char *error;
	} world = {"Execution TIMED OUT after 5 s"};
	make("bool (ptr world)", "success = return != 0\nerror_message = world->0:str\n"
				 "error.timeout = timed out\nerror.denied = not allowed & by");
	regs.integer[0] = (uintptr_t)&world;
	struct inv_call_outcome o = outcome(0);
	cr_assert(o.failed);
	cr_assert(typed(o.type, "timeout"));
	cr_assert_eq(o.message_length, strlen(world.error));
	world.error = "not allowed by its owner";
	cr_assert(typed(outcome(0).type, "denied"));
	world.error = NULL;
	o = outcome(0);
	cr_assert_null(o.message);
	cr_assert(typed(o.type, "execution"));
}

Test(plan, unsigned_and_null_results_compare_as_such)
{
	make("u64 (str invoker_id)", "success = return > 5");
	cr_assert_not(outcome(UINT64_MAX).failed);
	cr_assert(outcome(5).failed);
}

Test(plan, a_null_pointer_result_is_a_failure_where_the_rule_says_so)
{
	make("ptr (str invoker_id)", "success = return is not null");
	cr_assert(outcome(0).failed);
	cr_assert_not(outcome(0x7000).failed);
}

Test(plan, floating_results_compare_as_reals)
{
	make("f64 (str invoker_id)", "success = return >= 0.5");
	regs.float_result = 0.25;
	cr_assert(outcome(0).failed);
	regs.float_result = 0.5;
	cr_assert_not(outcome(0).failed);
}

Test(plan, a_rewritten_name_is_never_recorded_as_it_was)
{
	char text[32] = "a = 'first'";
	make("int (str invoker_id, str artifact_id)",
	     "normalise.artifact_id = sql\nredact.invoker_id = yes");
	regs.integer[0] = regs.integer[1] = (uintptr_t)text;
	cr_assert(named(fields().artifact, "a = ?"));
	cr_assert(named(fields().invoker, "<11 bytes>"));
	strcpy(text, "b = 'second'"); /* the same pointer */
	cr_assert(named(fields().artifact, "b = ?"));
	cr_assert(named(fields().invoker, "<12 bytes>"));
}

/* The cache knows the pointer, by a field that is recorded as it is. */
Test(plan, a_rewritten_name_is_not_taken_from_the_cache_of_plain_ones)
{
	make("int (str invoker_id, str artifact_id)", "normalise.artifact_id = digits");
	regs.integer[0] = regs.integer[1] = (uintptr_t) "user 7";
	for (int again = 0; again < 2; again++) {
		struct inv_call_fields f = fields();
		cr_assert(named(f.invoker, "user 7"));
		cr_assert(named(f.artifact, "user ?"));
	}
}

Test(plan, a_rewritten_name_may_be_bad_or_too_long)
{
	static char text[2000];
	make("int (str invoker_id, str artifact_id)",
	     "normalise.artifact_id = sql\nnormalise.invoker_id = digits");
	memset(text, 'x', sizeof(text) - 1);
	regs.integer[0] = 0x10;
	regs.integer[1] = (uintptr_t)text;
	struct inv_call_fields f = fields();
	cr_assert(f.miss[0].unreadable);
	cr_assert_eq(f.invoker, INV_NAME_OTHER);
	cr_assert(f.miss[1].truncated);
	cr_assert_null(f.miss[1].text);
}

Test(plan, a_message_to_be_rewritten_is_classified_and_left_out)
{
	make("int (str error_message)",
	     "success = return == 0\nredact.error_message = yes\nerror.denied = not allowed");
	regs.integer[0] = (uintptr_t) "not allowed: secret";
	struct inv_call_outcome o = outcome(1);
	cr_assert(o.failed);
	cr_assert(typed(o.type, "denied"));
	cr_assert_null(o.message);
}

static struct inv_std_string std_string(struct inv_std_string *at, const char *text)
{
	size_t length = strlen(text);
	*at = (struct inv_std_string){.text = text, .length = length};
	at->held.capacity = length;
	if (length <= INV_STD_LOCAL_MAX) {
		memcpy(at->held.local, text, length + 1);
		at->text = at->held.local;
	}
	return *at;
}

struct cxx_world {
	int64_t spare;
	struct inv_std_string name;
	struct inv_std_view view;
};

Test(plan, cxx_texts_fill_fields_from_registers_members_and_globals)
{
	static const char note[] = "query and more";
	struct cxx_world world;
	struct inv_std_string invoker;
	make("int (stdstr invoker_id, stdview method, ptr world)",
	     "artifact_id = world->8:stdstr\ntick = invoker_id->8:u64");
	std_string(&invoker, "alice");
	std_string(&world.name, "an artifact that is not short");
	regs.integer[0] = (uintptr_t)&invoker;
	regs.integer[1] = 5;
	regs.integer[2] = (uintptr_t)note;
	regs.integer[3] = (uintptr_t)&world;
	for (int again = 0; again < 3; again++) {
		struct inv_call_fields f = fields();
		cr_assert(named(f.invoker, "alice"));
		cr_assert(named(f.method, "query"));
		cr_assert(named(f.artifact, "an artifact that is not short"));
		cr_assert_eq(f.tick, 5);
		cr_assert_eq(f.missed, 0);
	}
	std_string(&invoker, "bob"); /* the same object */
	cr_assert(named(fields().invoker, "bob"));
	regs.integer[1] = regs.integer[2] = 0;
	cr_assert(named(fields().method, ""));
}

Test(plan, cxx_texts_of_members_are_normalised)
{
	struct cxx_world world;
	make("int (ptr world)", "invoker_id = world->40:stdview\nmethod = world->8:stdstr\n"
				"normalise.method = digits");
	world.view = (struct inv_std_view){8, "in viewed"};
	std_string(&world.name, "run 17 times");
	regs.integer[0] = (uintptr_t)&world;
	cr_assert(named(fields().invoker, "in viewe"));
	cr_assert(named(fields().method, "run ? times"));
}

Test(plan, bad_cxx_texts_are_counted_and_never_followed)
{
	struct inv_std_string s;
	make("int (stdstr invoker_id, stdview method, ptr p)", "artifact_id = p->8:stdview");
	std_string(&s, "alice");
	s.length = 1000;
	regs.integer[0] = (uintptr_t)&s;
	regs.integer[1] = 4;
	regs.integer[2] = 0x10;
	regs.integer[3] = 0;
	for (int again = 0; again < 2; again++) {
		struct inv_call_fields f = fields();
		cr_assert_eq(f.missed, 7);
		cr_assert(f.miss[0].unreadable && f.miss[1].unreadable && f.miss[2].unreadable);
	}
	regs.integer[0] = 0;
	cr_assert(fields().miss[0].unreadable);
}

Test(plan, a_cxx_message_is_kept_and_classified)
{
	struct inv_std_string s;
	make("stdstr (ptr this)",
	     "success = return->8:u64 == 0\nerror_message = return\nerror.denied = not allowed");
	std_string(&s, "");
	cr_assert_not(outcome((uintptr_t)&s).failed);
	std_string(&s, "it is Not Allowed to do so");
	struct inv_call_outcome o = outcome((uintptr_t)&s);
	cr_assert(o.failed && typed(o.type, "denied"));
	cr_assert_eq(o.message_length, s.length);
	s.held.capacity = 1;
	cr_assert(outcome((uintptr_t)&s).flags & INV_FLAG_UNREADABLE);
}

Test(plan, a_redacted_cxx_message_is_classified_and_not_kept)
{
	struct inv_std_string s;
	make("int (ptr world)", "success = return == 0\nerror_message = world->0:stdstr\n"
				"redact.error_message = yes\nerror.denied = not allowed");
	std_string(&s, "it is Not Allowed to do so");
	regs.integer[0] = (uintptr_t)&s;
	struct inv_call_outcome o = outcome(1);
	cr_assert(o.failed && typed(o.type, "denied") && !o.message);
}

Test(plan, a_signature_with_a_closure_numbers_words)
{
	make("int ({i32,f64} pair, stdview artifact_id, stdstr invoker_id, int args_count)", "");
	struct inv_std_string s;
	std_string(&s, "carol");
	regs.integer[1] = 3;
	regs.integer[2] = (uintptr_t) "oracle";
	regs.integer[3] = (uintptr_t)&s;
	regs.integer[4] = 9;
	struct inv_call_fields f = fields();
	cr_assert(named(f.artifact, "ora") && named(f.invoker, "carol"));
	cr_assert_eq(f.args_count, 9);
}
