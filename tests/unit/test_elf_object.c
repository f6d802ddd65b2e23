/* SPDX-License-Identifier: MIT */
/* This process's own objects, compared with what the loader says of them. */
#include "preload/elf_object.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <string.h>

struct search {
	const char *name; /* of a function, or NULL: of an object */
	const char *object;
	struct inv_elf_object elf;
	struct inv_elf_definition found;
	bool parsed;
	int definitions;
};

static int each(struct dl_phdr_info *info, size_t size, void *context)
{
	struct search *search = context;
	struct inv_elf_object elf;
	struct inv_elf_definition found;
	bool parsed = inv_elf_object_parse(&elf, info);

	(void)size;
	if (search->object && inv_elf_object_is(&elf, search->object)) {
		search->elf = elf;
		search->parsed = parsed;
	}
	if (search->name && parsed && inv_elf_object_find(&elf, search->name, &found)) {
		search->definitions++;
		if (search->definitions == 1)
			search->found = found;
	}
	return 0;
}

static struct search object_named(const char *object)
{
	struct search search = {.object = object};

	dl_iterate_phdr(each, &search);
	return search;
}

static struct search function_named(const char *name)
{
	struct search search = {.name = name};

	dl_iterate_phdr(each, &search);
	return search;
}

/* Slots of the object for the name; *value is the last one's. */
static int count_slots(const struct inv_elf_object *elf, const char *name, void **value)
{
	struct inv_elf_cursor cursor = {0};
	struct inv_elf_slot slot;
	int count = 0;

	while (inv_elf_object_next_slot(elf, &cursor, &slot)) {
		if (strcmp(slot.name, name) != 0)
			continue;
		*value = *slot.where;
		count++;
	}
	return count;
}

Test(elf_object, finds_the_definition_that_dlsym_finds)
{
	static const char *const names[] = {"malloc", "free", "getpid", "qsort", "dlsym"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct search search = function_named(names[i]);

		cr_assert_geq(search.definitions, 1, "%s", names[i]);
		cr_assert_not(search.found.ifunc, "%s", names[i]);
		cr_assert_eq(search.found.address, (uintptr_t)dlsym(RTLD_DEFAULT, names[i]), "%s",
			     names[i]);
	}
}

Test(elf_object, tells_an_ifunc_from_what_it_resolves_to)
{
#if defined(__SANITIZE_ADDRESS__)
	cr_skip_test("AddressSanitizer has a strlen of its own, which is no ifunc");
#endif
	struct search search = function_named("strlen");

	cr_assert(search.found.ifunc);
	cr_assert_neq(search.found.address, (uintptr_t)dlsym(RTLD_DEFAULT, "strlen"));
}

Test(elf_object, takes_the_default_version)
{
	struct search search = function_named("pthread_cond_wait");

	cr_assert_eq(search.found.address, (uintptr_t)dlsym(RTLD_DEFAULT, "pthread_cond_wait"));
	cr_assert_not_null(search.found.version);
}

Test(elf_object, finds_no_function_that_is_not_there)
{
	cr_assert_eq(function_named("inv_no_such_function").definitions, 0);
	cr_assert_eq(function_named("").definitions, 0);
}

Test(elf_object, finds_no_variable)
{
	cr_assert_not_null(dlsym(RTLD_DEFAULT, "environ"));
	cr_assert_eq(function_named("environ").definitions, 0);
}

Test(elf_object, an_undefined_symbol_is_no_definition)
{
	struct search program = object_named("program");
	struct inv_elf_definition found;

	cr_assert(program.parsed);
	cr_assert_not(inv_elf_object_find(&program.elf, "dl_iterate_phdr", &found));
}

Test(elf_object, finds_the_slots_of_an_imported_function)
{
	struct search program = object_named("program");
	void *value = NULL;

	cr_assert_geq(count_slots(&program.elf, "dl_iterate_phdr", &value), 1);
	cr_assert(value == dlsym(RTLD_DEFAULT, "dl_iterate_phdr") ||
		  inv_elf_object_contains(&program.elf, (uintptr_t)value, 1, PF_X));
	cr_assert_eq(count_slots(&program.elf, "inv_no_such_function", &value), 0);
}

Test(elf_object, a_slot_knows_the_version_it_asks_for)
{
	struct search program = object_named("program");
	struct inv_elf_cursor cursor = {0};
	struct inv_elf_slot slot;
	int seen = 0;

	while (inv_elf_object_next_slot(&program.elf, &cursor, &slot)) {
		const char *version = inv_elf_object_slot_version(&program.elf, &slot);

		if (strcmp(slot.name, "dl_iterate_phdr") != 0)
			continue;
		cr_assert_not_null(version);
		cr_assert(strncmp(version, "GLIBC_", 6) == 0, "%s", version);
		seen++;
	}
	cr_assert_geq(seen, 1);
}

Test(elf_object, every_object_of_this_process_is_read_without_harm)
{
	cr_assert(object_named("libc.so.6").parsed);
	cr_assert(object_named("program").parsed);
	object_named("linux-vdso.so.1");
	object_named("ld-linux-x86-64.so.2");
}

Test(elf_object, reads_what_an_object_needs)
{
	struct search program = object_named("program");
	const ElfW(Dyn) *at = program.elf.dynamic;
	const char *needed;
	bool libc = false;

	while ((needed = inv_elf_object_next_needed(&program.elf, &at)))
		libc |= strcmp(needed, "libc.so.6") == 0;
	cr_assert(libc);
}

Test(elf_object, names_match_by_base_name_soname_and_version)
{
	struct inv_elf_object elf = {.path = "/opt/x/libexecutor.so.1"};

	cr_assert(inv_elf_object_is(&elf, "libexecutor.so.1"));
	cr_assert(inv_elf_object_is(&elf, "libexecutor.so"));
	cr_assert_not(inv_elf_object_is(&elf, "libexecutor"));
	cr_assert_not(inv_elf_object_is(&elf, "libexecutor.so.2"));
	cr_assert_not(inv_elf_object_is(&elf, "executor.so.1"));
	cr_assert_not(inv_elf_object_is(&elf, "program"));
	elf.soname = "libother.so";
	cr_assert(inv_elf_object_is(&elf, "libother.so"));
	elf.path = "";
	cr_assert(inv_elf_object_is(&elf, "program"));
}

/* An object of one readable segment whose dynamic section the test forges. */
struct forged {
	ElfW(Dyn) dynamic[8];
	ElfW(Sym) symbols[2];
	uint32_t hash[8];
	char strings[8];
};

static bool parse_forged(struct forged *forged, struct inv_elf_object *out)
{
	ElfW(Phdr)
		phdrs[2] = {{.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_memsz = sizeof(*forged)},
			    {.p_type = PT_DYNAMIC, .p_memsz = sizeof(forged->dynamic)}};
	struct dl_phdr_info info = {.dlpi_addr = (uintptr_t)forged,
				    .dlpi_name = "forged",
				    .dlpi_phdr = phdrs,
				    .dlpi_phnum = 2};

	return inv_elf_object_parse(out, &info);
}

static struct forged sound(void)
{
	struct forged forged = {.dynamic = {{DT_SYMTAB, {offsetof(struct forged, symbols)}},
					    {DT_STRTAB, {offsetof(struct forged, strings)}},
					    {DT_STRSZ, {sizeof(forged.strings)}},
					    {DT_HASH, {offsetof(struct forged, hash)}}},
				.hash = {1, 2, 1, 0, 0}, /* one bucket: symbol 1 */
				.strings = "\0f"};

	forged.symbols[1] = (ElfW(
		Sym)){.st_name = 1, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1};
	forged.symbols[1].st_value = 16;
	return forged;
}

Test(elf_object, relative_and_sysv_hashed_tables_are_found)
{
	struct forged forged = sound();
	struct inv_elf_object elf;
	struct inv_elf_definition found;

	cr_assert(parse_forged(&forged, &elf));
	cr_assert(inv_elf_object_find(&elf, "f", &found));
	cr_assert_eq(found.address, (uintptr_t)&forged + 16);
}

Test(elf_object, an_undefined_symbol_with_a_value_is_skipped)
{
	struct forged forged = sound();
	struct inv_elf_object elf;
	struct inv_elf_definition found;

	forged.symbols[1].st_shndx = SHN_UNDEF;
	cr_assert(parse_forged(&forged, &elf));
	cr_assert_not(inv_elf_object_find(&elf, "f", &found));
}

Test(elf_object, a_hash_chain_that_goes_in_circles_ends)
{
	struct forged forged = sound();
	struct inv_elf_object elf;
	struct inv_elf_definition found;

	forged.hash[4] = 1; /* symbol 1 is followed by symbol 1 */
	cr_assert(parse_forged(&forged, &elf));
	cr_assert_not(inv_elf_object_find(&elf, "g", &found));
}

Test(elf_object, tables_outside_of_the_object_are_refused)
{
	struct forged forged = sound();
	struct inv_elf_object elf;
	struct inv_elf_definition found;

	forged.dynamic[1].d_un.d_ptr = 1u << 30;
	cr_assert_not(parse_forged(&forged, &elf));
	cr_assert_not(inv_elf_object_find(&elf, "f", &found));
	forged = sound();
	forged.strings[sizeof(forged.strings) - 1] = 'x'; /* names could run out of the table */
	cr_assert_not(parse_forged(&forged, &elf));
	forged = sound();
	forged.hash[1] = UINT32_MAX;
	cr_assert(parse_forged(&forged, &elf));
	cr_assert_not(inv_elf_object_find(&elf, "f", &found));
}
