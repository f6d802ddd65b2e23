/* SPDX-License-Identifier: MIT */
/*
 * entry_symbols.c - .symtab, read from the file by pread: a mapping would fault if the file
 * were cut meanwhile.
 */
#include "preload/entry_symbols.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "shm/maps.h"

#define TABLE_BYTES_MAX (256ul << 20)
#define BUILD_ID_MAX	64u
#define NOTE_BYTES_MAX	4096u
#define DEBUG_FOLDER	"/usr/lib/debug/.build-id/"

/* Part of a file, in pages of its own. */
struct part {
	void *bytes;
	size_t size;
};

static bool read_part(struct part *out, int fd, uint64_t offset, uint64_t size)
{
	out->bytes = NULL;
	out->size = size;
	if (!size || size > TABLE_BYTES_MAX)
		return false;
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return false;
	for (size_t have = 0; have < size;) {
		ssize_t n = pread(fd, (char *)pages + have, size - have, (off_t)(offset + have));
		if (n <= 0) {
			munmap(pages, size);
			return false;
		}
		have += (size_t)n;
	}
	out->bytes = pages;
	return true;
}

static void drop_part(struct part *part)
{
	if (part->bytes)
		munmap(part->bytes, part->size);
	part->bytes = NULL;
}

/* ---- which file ----------------------------------------------------------------------- */

struct wanted {
	uintptr_t address;
	const struct stat *st;
	bool found;
};

/* Behind the addresses: rights, offset, major:minor, inode. */
static bool is_wanted(void *arg, uintptr_t low, uintptr_t high, const char *rest)
{
	struct wanted *w = arg;
	uint64_t inode = 0;
	if (w->address < low || w->address >= high)
		return false;
	for (int spaces = 0; *rest && spaces < 3; rest++)
		spaces += *rest == ' ';
	uint64_t major_number = inv_maps_hex(&rest);
	rest += *rest == ':';
	uint64_t minor_number = inv_maps_hex(&rest);
	for (rest += *rest == ' '; *rest >= '0' && *rest <= '9'; rest++)
		inode = inode * 10 + (uint64_t)(*rest - '0');
	w->found = inode == w->st->st_ino && major_number == major(w->st->st_dev) &&
		   minor_number == minor(w->st->st_dev);
	return true;
}

/* Whether the file is what is mapped at the object's start. */
static bool is_mapped_file(int fd, const struct inv_elf_object *object)
{
	struct stat st;
	struct wanted wanted = {object->loads[0].start, &st, false};
	return fstat(fd, &st) == 0 && inv_maps_each(is_wanted, &wanted) && wanted.found;
}

/* ---- symbols -------------------------------------------------------------------------- */

struct file {
	int fd;
	struct part sections;
	uint32_t count;
};

static bool open_file(struct file *out, const char *path)
{
	Elf64_Ehdr header;
	out->sections.bytes = NULL;
	out->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (out->fd < 0)
		return false;
	if (pread(out->fd, &header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_shentsize != sizeof(Elf64_Shdr))
		return true; /* no sections: nothing to be found */
	out->count = header.e_shnum;
	if (!read_part(&out->sections, out->fd, header.e_shoff,
		       (uint64_t)header.e_shnum * sizeof(Elf64_Shdr)))
		out->count = 0;
	return true;
}

static void close_file(struct file *file)
{
	drop_part(&file->sections);
	close(file->fd);
}

static const Elf64_Shdr *section(const struct file *file, uint32_t i)
{
	return (const Elf64_Shdr *)file->sections.bytes + i;
}

struct search {
	const char *symbol;
	size_t length;
	unsigned type; /* STT_FUNC or STT_OBJECT */
	uint64_t value, size;
	enum inv_entry_found found;
};

/* NAME.constprop.0, .isra.0, .part.0 and the like; .cold is no function of its own. */
static bool is_clone(const struct search *s, const char *name)
{
	return strncmp(name, s->symbol, s->length) == 0 && name[s->length] == '.' &&
	       strncmp(name + s->length, ".cold", 5) != 0;
}

static void consider(struct search *s, const Elf64_Sym *symbol, const char *name)
{
	if (ELF64_ST_TYPE(symbol->st_info) != s->type || symbol->st_shndx == SHN_UNDEF)
		return;
	if (strcmp(name, s->symbol) == 0) {
		if (s->found == INV_ENTRY_FOUND && s->value != symbol->st_value)
			s->found = INV_ENTRY_SEVERAL;
		else if (s->found != INV_ENTRY_SEVERAL)
			s->found = INV_ENTRY_FOUND;
		s->value = symbol->st_value;
		s->size = symbol->st_size;
	} else if (s->found == INV_ENTRY_ABSENT && is_clone(s, name)) {
		s->found = INV_ENTRY_CLONE;
	}
}

static void search_table(struct search *s, const struct file *file, const Elf64_Shdr *table)
{
	struct part symbols, names = {NULL, 0};
	if (table->sh_link >= file->count || table->sh_entsize != sizeof(Elf64_Sym))
		return;
	const Elf64_Shdr *strings = section(file, table->sh_link);
	if (read_part(&symbols, file->fd, table->sh_offset, table->sh_size) &&
	    read_part(&names, file->fd, strings->sh_offset, strings->sh_size) &&
	    ((const char *)names.bytes)[names.size - 1] == 0) {
		const Elf64_Sym *all = symbols.bytes;
		for (size_t i = 0; i < symbols.size / sizeof(*all); i++)
			if (all[i].st_name < names.size)
				consider(s, &all[i], (const char *)names.bytes + all[i].st_name);
	}
	drop_part(&names);
	drop_part(&symbols);
}

static bool search_file(struct search *s, const struct file *file)
{
	for (uint32_t i = 0; i < file->count; i++) {
		if (section(file, i)->sh_type != SHT_SYMTAB)
			continue;
		search_table(s, file, section(file, i));
		return true;
	}
	return false;
}

/* ---- the debug file --------------------------------------------------------------------- */

/* The name of the file with the symbols that were stripped off, by the build-id. */
static bool debug_path(const struct file *file, char *out, size_t size)
{
	for (uint32_t i = 0; i < file->count; i++) {
		const Elf64_Shdr *note_section = section(file, i);
		unsigned char bytes[NOTE_BYTES_MAX];
		Elf64_Nhdr note;
		if (note_section->sh_type != SHT_NOTE || note_section->sh_size < sizeof(note) + 4 ||
		    note_section->sh_size > sizeof(bytes) ||
		    pread(file->fd, bytes, note_section->sh_size, (off_t)note_section->sh_offset) !=
			    (ssize_t)note_section->sh_size)
			continue;
		memcpy(&note, bytes, sizeof(note));
		const unsigned char *id = bytes + sizeof(note) + 4;
		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 || note.n_descsz < 2 ||
		    note.n_descsz > BUILD_ID_MAX ||
		    sizeof(note) + 4 + note.n_descsz > note_section->sh_size)
			continue;
		size_t n = (size_t)snprintf(out, size, DEBUG_FOLDER "%02x/", id[0]);
		for (uint32_t b = 1; b < note.n_descsz && n + 3 < size; b++)
			n += (size_t)snprintf(out + n, size - n, "%02x", id[b]);
		snprintf(out + n, size - n, ".debug");
		return true;
	}
	return false;
}

static void search_debug_file(struct search *s, const struct file *file)
{
	char path[sizeof(DEBUG_FOLDER) + 2 * BUILD_ID_MAX + 16];
	struct file debug;
	if (!debug_path(file, path, sizeof(path)) || !open_file(&debug, path))
		return;
	search_file(s, &debug);
	close_file(&debug);
}

bool inv_entry_is_go(const struct inv_elf_object *object, const char *path)
{
	struct file file;
	bool found = false;
	int saved = errno;
	if (!open_file(&file, *object->path ? path : "/proc/self/exe"))
		return false;
	for (uint32_t i = 0; i < file.count && !found; i++) {
		const Elf64_Shdr *note_section = section(&file, i);
		unsigned char bytes[sizeof(Elf64_Nhdr) + 4];
		found = note_section->sh_type == SHT_NOTE &&
			pread(file.fd, bytes, sizeof(bytes), (off_t)note_section->sh_offset) ==
				sizeof(bytes) &&
			memcmp(bytes + sizeof(Elf64_Nhdr), "Go\0", 4) == 0;
	}
	close_file(&file);
	errno = saved;
	return found;
}

/* ---- all -------------------------------------------------------------------------------- */

static void search_object(struct search *s, const struct inv_elf_object *object, const char *path)
{
	struct file file;
	int saved = errno;
	if (open_file(&file, *object->path ? path : "/proc/self/exe")) {
		if (is_mapped_file(file.fd, object) && !search_file(s, &file))
			search_debug_file(s, &file);
		close_file(&file);
	}
	errno = saved;
}

void *inv_entry_find_variable(const struct inv_elf_object *program, const char *symbol)
{
	struct search s = {.symbol = symbol, .length = strlen(symbol), .type = STT_OBJECT};
	search_object(&s, program, "");
	return s.found == INV_ENTRY_FOUND ? (void *)(program->base + s.value) : NULL;
}

enum inv_entry_found inv_entry_find_local(struct inv_entry_place *out,
					  const struct inv_elf_object *object, const char *path,
					  const char *symbol)
{
	struct search s = {.symbol = symbol, .length = strlen(symbol), .type = STT_FUNC};
	search_object(&s, object, path);
	out->address = object->base + s.value;
	out->size = s.size;
	return s.found;
}
