/* SPDX-License-Identifier: MIT */
/*
 * fuzz_elf.c - a real shared object with debug information, damaged (damage.h), read by all of
 * `doctor` and `probe` that reads such files.
 *
 * The object is built beside this program (elf/subject.c). libelf and libdw are not
 * instrumented: what they read out of bounds is not seen, only what they crash on.
 *
 *   input = use u8, then damages; use: bit 0 symbols and slots, bit 1 debug information
 */
#include "fuzz.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "damage.h"
#include "reader/debug_info.h"
#include "reader/doctor_elf.h"
#include "reader/probe_prototype.h"

#define PLACES_MAX 64u

static struct fuzz_place places[PLACES_MAX];
static unsigned place_count;

static void add_place(uint64_t offset, uint64_t bytes)
{
	if (bytes >= 8 && place_count < PLACES_MAX)
		places[place_count++] = (struct fuzz_place){offset, bytes};
}

/* The headers, and each section that has bytes. */
static void add_places(const unsigned char *file)
{
	const Elf64_Ehdr *head = (const void *)file;
	const Elf64_Shdr *sections = (const void *)(file + head->e_shoff);
	add_place(0, sizeof(*head));
	add_place(head->e_phoff, (uint64_t)head->e_phnum * sizeof(Elf64_Phdr));
	add_place(head->e_shoff, (uint64_t)head->e_shnum * sizeof(Elf64_Shdr));
	for (unsigned i = 1; i < head->e_shnum; i++)
		if (sections[i].sh_type != SHT_NOBITS)
			add_place(sections[i].sh_offset, sections[i].sh_size);
}

static struct fuzz_subject *subject_of(const char *path)
{
	static struct fuzz_subject subject;
	struct stat st;
	if (subject.live)
		return &subject;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	FUZZ_REQUIRE(fd >= 0 && fstat(fd, &st) == 0);
	unsigned char *bytes = malloc((size_t)st.st_size);
	FUZZ_REQUIRE(bytes && read(fd, bytes, (size_t)st.st_size) == st.st_size);
	add_places(bytes);
	fuzz_subject_make(&subject, bytes, (uint64_t)st.st_size, places, place_count);
	free(bytes);
	close(fd);
	return &subject;
}

/* ---- symbols --------------------------------------------------------------------------------- */

static unsigned named;

static void take_name(void *arg, const char *name)
{
	named += (unsigned)strlen(name);
}

static void look_up(const struct inv_doctor_elf *elf, const char *name)
{
	struct inv_doctor_function function;
	char found[64];
	bool exported;
	size_t bytes;
	uint64_t start;
	enum inv_doctor_symbol symbol = inv_doctor_elf_find(elf, name, &function);
	FUZZ_REQUIRE(symbol == function.symbol && symbol <= INV_DOCTOR_SYMBOL_EXPORTED);
	FUZZ_REQUIRE(memchr(function.clone, 0, sizeof(function.clone)));
	if (inv_doctor_elf_name_at(elf, function.address, found, sizeof(found), &exported))
		FUZZ_REQUIRE(memchr(found, 0, sizeof(found)));
	const uint8_t *text = inv_doctor_elf_text(elf, function.address, &start, &bytes);
	if (text && bytes) /* all of it is there */
		named += text[0] + text[bytes - 1];
	inv_doctor_elf_sites(elf, name);
}

static void use_symbols(const char *path)
{
	struct inv_doctor_elf elf;
	if (inv_doctor_elf_open(&elf, path))
		return;
	FUZZ_REQUIRE(memchr(elf.interp, 0, sizeof(elf.interp)));
	FUZZ_REQUIRE(memchr(elf.soname, 0, sizeof(elf.soname)));
	look_up(&elf, "subject_invoke");
	look_up(&elf, "hidden");
	look_up(&elf, "puts");
	inv_doctor_elf_is(&elf, "libsubject.so");
	inv_doctor_elf_each_function(&elf, take_name, NULL);
	inv_doctor_elf_each(&elf, take_name, NULL);
	inv_doctor_elf_close(&elf);
}

/* ---- debug information --------------------------------------------------------------------- */

static bool take_member(void *arg, const char *path, long offset, Dwarf_Die *member)
{
	struct inv_debug_type type;
	unsigned *left = arg;
	named += (unsigned)strlen(path);
	inv_debug_type_of(member, &type);
	return --*left > 0;
}

static bool take_function(void *arg, Dwarf_Die *function, Dwarf_Addr address)
{
	struct inv_probe_prototype prototype;
	char text[128], detail[INV_DEBUG_WORD_MAX];
	unsigned *left = arg, members = 32;
	FUZZ_REQUIRE(inv_debug_name(function, text, sizeof(text)) < sizeof(text));
	inv_debug_place(function, text, sizeof(text));
	FUZZ_REQUIRE(memchr(text, 0, sizeof(text)));
	inv_debug_inlined(function);
	inv_probe_prototype_read(&prototype, function, detail);
	FUZZ_REQUIRE(prototype.count <= INV_PROBE_VALUES_MAX);
	for (size_t i = 0; i < prototype.count; i++)
		if (prototype.values[i].type.target_known)
			inv_debug_each_member(&prototype.values[i].type.die, take_member, &members);
	return --*left > 0;
}

static void use_debug(const char *path)
{
	struct inv_debug_info info;
	unsigned left = 64;
	Dwarf_Die die;
	if (inv_debug_open(&info, path))
		return;
	inv_debug_each(&info, true, take_function, &left);
	inv_debug_function_at(&info, 0x1000, &die);
	inv_debug_close(&info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_subject *subject = subject_of(FUZZ_ELF_SUBJECT);
	struct fuzz_input in = {data, size};
	char path[32];
	unsigned use = (unsigned)fuzz_take(&in, 1);
	fuzz_damage(subject, &in);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", subject->fd);
	if (use & 1)
		use_symbols(path);
	if (use & 2)
		use_debug(path);
	fuzz_restore(subject);
	return 0;
}
