/* SPDX-License-Identifier: MIT */
/*
 * doctor_elf.c - libelf, and the shim's own rules of what a definition and a slot are:
 * preload/elf_object.c has them for objects in memory. That module was not reused: it reads
 * what the loader mapped, and here nothing is mapped.
 *
 * Everything is read through sections. A file without section headers has no symbols here.
 */
#include "reader/doctor_elf.h"

#include <ctype.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEBUG_FOLDER   "/usr/lib/debug/.build-id/"
#define VERSION_HIDDEN 0x8000u

/* ---- sections ------------------------------------------------------------------------- */

/* One section's rows; `count` is 0 when it is broken. */
struct rows {
	Elf_Scn *section;
	GElf_Shdr header;
	Elf_Data *data;
	size_t count;
};

/* The next section of a type. Returns: false at the end. */
static bool next_rows(Elf *elf, uint32_t type, struct rows *rows)
{
	while ((rows->section = elf_nextscn(elf, rows->section))) {
		if (!gelf_getshdr(rows->section, &rows->header) || rows->header.sh_type != type)
			continue;
		rows->data = elf_getdata(rows->section, NULL);
		uint64_t each = rows->header.sh_entsize;
		rows->count = rows->data && each ? rows->data->d_size / each : 0;
		return true;
	}
	return false;
}

static const char *text_of(Elf *elf, const struct rows *rows, size_t at)
{
	const char *text = elf_strptr(elf, rows->header.sh_link, at);
	return text ? text : "";
}

/* ---- what the file is ------------------------------------------------------------------ */

static void read_interp(struct inv_doctor_elf *file)
{
	size_t count = 0;
	GElf_Phdr header;
	elf_getphdrnum(file->elf, &count);
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(file->elf, (int)i, &header) || header.p_type != PT_INTERP)
			continue;
		size_t size = header.p_filesz < sizeof(file->interp) ? header.p_filesz
								     : sizeof(file->interp) - 1;
		ssize_t n = pread(file->fd, file->interp, size, (off_t)header.p_offset);
		file->interp[n > 0 ? n : 0] = '\0';
	}
}

static void take_needed(struct inv_doctor_elf *file, const char *name)
{
	if (!strncmp(name, "libasan.", 8) || !strncmp(name, "libclang_rt.asan", 16))
		snprintf(file->asan, sizeof(file->asan), "%s", name);
}

static void take_dynamic(struct inv_doctor_elf *file, const struct rows *rows, const GElf_Dyn *dyn)
{
	if (dyn->d_tag == DT_NEEDED)
		take_needed(file, text_of(file->elf, rows, dyn->d_un.d_val));
	if (dyn->d_tag == DT_SONAME)
		snprintf(file->soname, sizeof(file->soname), "%s",
			 text_of(file->elf, rows, dyn->d_un.d_val));
	if (dyn->d_tag == DT_SYMBOLIC || (dyn->d_tag == DT_FLAGS && dyn->d_un.d_val & DF_SYMBOLIC))
		file->symbolic = true;
}

static void read_dynamic(struct inv_doctor_elf *file)
{
	struct rows rows = {0};
	GElf_Dyn dyn;
	while (next_rows(file->elf, SHT_DYNAMIC, &rows))
		for (size_t i = 0; i < rows.count && gelf_getdyn(rows.data, (int)i, &dyn); i++)
			take_dynamic(file, &rows, &dyn);
}

static bool has_symtab(Elf *elf)
{
	struct rows rows = {0};
	return next_rows(elf, SHT_SYMTAB, &rows) && rows.count;
}

/* The symbols that were stripped off, where the distribution's debug packages put them. */
static void open_debug_file(struct inv_doctor_elf *file)
{
	char path[sizeof(DEBUG_FOLDER) + 160];
	const void *id;
	ssize_t bytes = dwelf_elf_gnu_build_id(file->elf, &id);
	if (bytes < 2 || bytes > 64)
		return;
	const unsigned char *byte = id;
	int n = snprintf(path, sizeof(path), DEBUG_FOLDER "%02x/", byte[0]);
	for (ssize_t i = 1; i < bytes; i++)
		n += snprintf(path + n, sizeof(path) - (size_t)n, "%02x", byte[i]);
	snprintf(path + n, sizeof(path) - (size_t)n, ".debug");
	file->debug_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->debug_fd >= 0)
		file->debug = elf_begin(file->debug_fd, ELF_C_READ, NULL);
}

static bool has_go_note(Elf *elf)
{
	struct rows rows = {0};
	while (next_rows(elf, SHT_NOTE, &rows))
		if (rows.data && rows.data->d_size >= sizeof(GElf_Nhdr) + 4 &&
		    !memcmp((const char *)rows.data->d_buf + sizeof(GElf_Nhdr), "Go\0", 4))
			return true;
	return false;
}

static void read_symtab(struct inv_doctor_elf *file)
{
	file->symtab = has_symtab(file->elf);
	if (file->symtab)
		return;
	open_debug_file(file);
	file->symtab = file->debug && has_symtab(file->debug);
}

static int read_head(struct inv_doctor_elf *file)
{
	GElf_Ehdr header;
	elf_version(EV_CURRENT);
	file->elf = elf_begin(file->fd, ELF_C_READ, NULL);
	if (!file->elf)
		return -ENOEXEC;
	if (elf_kind(file->elf) != ELF_K_ELF || !gelf_getehdr(file->elf, &header)) {
		elf_end(file->elf);
		return -ENOEXEC;
	}
	file->wide = gelf_getclass(file->elf) == ELFCLASS64;
	file->machine = header.e_machine;
	return 0;
}

int inv_doctor_elf_open(struct inv_doctor_elf *out, const char *path)
{
	struct stat st;
	memset(out, 0, sizeof(*out));
	snprintf(out->path, sizeof(out->path), "%s", path);
	out->debug_fd = -1;
	out->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (out->fd < 0)
		return -errno;
	int r = !fstat(out->fd, &st) && S_ISREG(st.st_mode) ? read_head(out) : -ENOEXEC;
	if (r) {
		close(out->fd);
		return r;
	}
	read_interp(out);
	read_symtab(out);
	out->go = has_go_note(out->elf);
	read_dynamic(out);
	return 0;
}

void inv_doctor_elf_close(struct inv_doctor_elf *file)
{
	elf_end(file->debug);
	if (file->debug_fd >= 0)
		close(file->debug_fd);
	elf_end(file->elf);
	close(file->fd);
}

/* ---- symbols --------------------------------------------------------------------------- */

/* As the shim's loader view: functions, and what assembly left without a type. */
static bool is_function(const GElf_Sym *symbol)
{
	unsigned type = GELF_ST_TYPE(symbol->st_info);
	return symbol->st_shndx != SHN_UNDEF &&
	       (type == STT_FUNC || type == STT_NOTYPE || type == STT_GNU_IFUNC);
}

static bool is_exported(const GElf_Sym *symbol)
{
	unsigned bind = GELF_ST_BIND(symbol->st_info);
	unsigned visibility = GELF_ST_VISIBILITY(symbol->st_other);
	return is_function(symbol) &&
	       (bind == STB_GLOBAL || bind == STB_WEAK || bind == STB_GNU_UNIQUE) &&
	       (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

/* NAME.constprop.0, .isra.0, .part.0 and the like; .cold is no function of its own. */
static bool is_clone_of(const char *text, const char *name, size_t length)
{
	return !strncmp(text, name, length) && text[length] == '.' &&
	       strncmp(text + length, ".cold", 5) != 0;
}

/* A version that only old programs ask for is not what a name without a version means. */
static bool is_default_version(const struct rows *versions, size_t i)
{
	GElf_Versym version;
	return !versions->count || !gelf_getversym(versions->data, (int)i, &version) ||
	       !(version & VERSION_HIDDEN);
}

static void fill(struct inv_doctor_function *out, const GElf_Sym *symbol,
		 enum inv_doctor_symbol how)
{
	out->symbol = how;
	out->address = symbol->st_value;
	out->size = symbol->st_size;
	out->ifunc = GELF_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC;
}

static bool find_exported(const struct inv_doctor_elf *file, const char *name,
			  struct inv_doctor_function *out)
{
	struct rows rows = {0}, versions = {0};
	GElf_Sym symbol;
	next_rows(file->elf, SHT_GNU_versym, &versions);
	while (next_rows(file->elf, SHT_DYNSYM, &rows))
		for (size_t i = 0; i < rows.count && gelf_getsym(rows.data, (int)i, &symbol); i++)
			if (is_exported(&symbol) &&
			    !strcmp(text_of(file->elf, &rows, symbol.st_name), name) &&
			    is_default_version(&versions, i)) {
				fill(out, &symbol, INV_DOCTOR_SYMBOL_EXPORTED);
				return true;
			}
	return false;
}

static void consider_private(struct inv_doctor_function *out, const GElf_Sym *symbol,
			     const char *text, const char *name, size_t length)
{
	if (GELF_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF)
		return;
	if (!strcmp(text, name)) {
		bool other = out->symbol == INV_DOCTOR_SYMBOL_SEVERAL ||
			     (out->symbol == INV_DOCTOR_SYMBOL_PRIVATE &&
			      out->address != symbol->st_value);
		fill(out, symbol, other ? INV_DOCTOR_SYMBOL_SEVERAL : INV_DOCTOR_SYMBOL_PRIVATE);
	} else if (!out->symbol && is_clone_of(text, name, length)) {
		out->symbol = INV_DOCTOR_SYMBOL_CLONE;
		snprintf(out->clone, sizeof(out->clone), "%s", text);
	}
}

enum inv_doctor_symbol inv_doctor_elf_find(const struct inv_doctor_elf *file, const char *name,
					   struct inv_doctor_function *out)
{
	Elf *elf = file->debug ? file->debug : file->elf;
	struct rows rows = {0};
	GElf_Sym symbol;
	size_t length = strlen(name);
	memset(out, 0, sizeof(*out));
	if (find_exported(file, name, out))
		return out->symbol;
	while (next_rows(elf, SHT_SYMTAB, &rows))
		for (size_t i = 0; i < rows.count && gelf_getsym(rows.data, (int)i, &symbol); i++)
			consider_private(out, &symbol, text_of(elf, &rows, symbol.st_name), name,
					 length);
	return out->symbol;
}

void inv_doctor_elf_each(const struct inv_doctor_elf *file,
			 void (*take)(void *arg, const char *name), void *arg)
{
	struct rows rows = {0};
	GElf_Sym symbol;
	while (next_rows(file->elf, SHT_DYNSYM, &rows))
		for (size_t i = 0; i < rows.count && gelf_getsym(rows.data, (int)i, &symbol); i++)
			if (is_exported(&symbol))
				take(arg, text_of(file->elf, &rows, symbol.st_name));
}

void inv_doctor_elf_each_function(const struct inv_doctor_elf *file,
				  void (*take)(void *arg, const char *name), void *arg)
{
	Elf *elf = file->debug ? file->debug : file->elf;
	struct rows rows = {0};
	GElf_Sym symbol;
	inv_doctor_elf_each(file, take, arg);
	while (next_rows(elf, SHT_SYMTAB, &rows))
		for (size_t i = 0; i < rows.count && gelf_getsym(rows.data, (int)i, &symbol); i++)
			if (is_function(&symbol) && GELF_ST_TYPE(symbol.st_info) == STT_FUNC)
				take(arg, text_of(elf, &rows, symbol.st_name));
}

static bool name_in(Elf *elf, uint32_t type, uint64_t address, char *out, size_t size)
{
	struct rows rows = {0};
	GElf_Sym symbol;
	while (next_rows(elf, type, &rows))
		for (size_t i = 0; i < rows.count && gelf_getsym(rows.data, (int)i, &symbol); i++) {
			const char *text = text_of(elf, &rows, symbol.st_name);
			bool fits = type == SHT_DYNSYM
					    ? is_exported(&symbol)
					    : is_function(&symbol) &&
						      GELF_ST_TYPE(symbol.st_info) == STT_FUNC;
			if (symbol.st_value == address && fits && *text && strlen(text) < size) {
				strcpy(out, text);
				return true;
			}
		}
	return false;
}

bool inv_doctor_elf_name_at(const struct inv_doctor_elf *file, uint64_t address, char *out,
			    size_t size, bool *exported)
{
	*exported = name_in(file->elf, SHT_DYNSYM, address, out, size);
	return *exported ||
	       name_in(file->debug ? file->debug : file->elf, SHT_SYMTAB, address, out, size);
}

/* ---- text ------------------------------------------------------------------------------ */

const uint8_t *inv_doctor_elf_text(const struct inv_doctor_elf *file, uint64_t address,
				   uint64_t *start, size_t *bytes)
{
	size_t count = 0;
	GElf_Phdr load;
	elf_getphdrnum(file->elf, &count);
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(file->elf, (int)i, &load) || load.p_type != PT_LOAD ||
		    !(load.p_flags & PF_X) || address < load.p_vaddr ||
		    address - load.p_vaddr >= load.p_filesz)
			continue;
		const Elf_Data *text = elf_getdata_rawchunk(file->elf, (int64_t)load.p_offset,
							    load.p_filesz, ELF_T_BYTE);
		if (!text)
			return NULL;
		*start = load.p_vaddr;
		*bytes = load.p_filesz;
		return text->d_buf;
	}
	return NULL;
}

/* ---- sites ----------------------------------------------------------------------------- */

/* A word with an addend is not the function's address: the shim leaves it alone. */
static bool is_slot(uint16_t machine, const GElf_Rela *rela)
{
	uint64_t type = GELF_R_TYPE(rela->r_info);
	if (machine == EM_AARCH64)
		return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT ||
		       (type == R_AARCH64_ABS64 && !rela->r_addend);
	return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT ||
	       (type == R_X86_64_64 && !rela->r_addend);
}

/* The symbols that a table of relocations speaks of. */
static bool open_symbols(const struct inv_doctor_elf *file, const struct rows *relocations,
			 struct rows *symbols)
{
	symbols->section = elf_getscn(file->elf, relocations->header.sh_link);
	if (!symbols->section || !gelf_getshdr(symbols->section, &symbols->header) ||
	    symbols->header.sh_type != SHT_DYNSYM)
		return false;
	symbols->data = elf_getdata(symbols->section, NULL);
	return symbols->data != NULL;
}

static bool is_copy(uint16_t machine, const GElf_Rela *rela)
{
	return GELF_R_TYPE(rela->r_info) ==
	       (machine == EM_AARCH64 ? R_AARCH64_COPY : R_X86_64_COPY);
}

/* Whether a variable of this name is at the address. */
static bool is_variable(const struct inv_doctor_elf *file, const char *name, uint64_t address)
{
	struct rows rows = {0};
	GElf_Sym symbol;
	while (next_rows(file->elf, SHT_DYNSYM, &rows))
		for (size_t i = 0; i < rows.count && gelf_getsym(rows.data, (int)i, &symbol); i++)
			if (symbol.st_shndx != SHN_UNDEF && address >= symbol.st_value &&
			    address - symbol.st_value < symbol.st_size &&
			    !strcmp(text_of(file->elf, &rows, symbol.st_name), name))
				return true;
	return false;
}

/* Whether the program has a copy of what is at an address of the library. */
static bool is_copied(const struct inv_doctor_elf *program, const struct inv_doctor_elf *library,
		      uint64_t address)
{
	struct rows rows = {0}, symbols;
	GElf_Rela rela;
	GElf_Sym symbol;
	while (next_rows(program->elf, SHT_RELA, &rows)) {
		if (!open_symbols(program, &rows, &symbols))
			continue;
		for (size_t i = 0; i < rows.count && gelf_getrela(rows.data, (int)i, &rela); i++)
			if (is_copy(program->machine, &rela) &&
			    gelf_getsym(symbols.data, (int)GELF_R_SYM(rela.r_info), &symbol) &&
			    is_variable(library, text_of(program->elf, &symbols, symbol.st_name),
					address))
				return true;
	}
	return false;
}

/* program: not NULL: only those of which it has a copy. */
static uint32_t count_sites(const struct inv_doctor_elf *file, const char *name,
			    const struct inv_doctor_elf *program)
{
	struct rows rows = {0}, symbols;
	GElf_Rela rela;
	GElf_Sym symbol;
	uint32_t sites = 0;
	while (next_rows(file->elf, SHT_RELA, &rows)) {
		if (!open_symbols(file, &rows, &symbols))
			continue;
		for (size_t i = 0; i < rows.count && gelf_getrela(rows.data, (int)i, &rela); i++)
			if (is_slot(file->machine, &rela) &&
			    gelf_getsym(symbols.data, (int)GELF_R_SYM(rela.r_info), &symbol) &&
			    !strcmp(text_of(file->elf, &symbols, symbol.st_name), name) &&
			    (!program || is_copied(program, file, rela.r_offset)))
				sites++;
	}
	return sites;
}

uint32_t inv_doctor_elf_sites(const struct inv_doctor_elf *file, const char *name)
{
	return count_sites(file, name, NULL);
}

uint32_t inv_doctor_elf_copied_sites(const struct inv_doctor_elf *program,
				     const struct inv_doctor_elf *library, const char *name)
{
	return count_sites(library, name, program);
}

bool inv_doctor_elf_is(const struct inv_doctor_elf *file, const char *name)
{
	const char *slash = strrchr(file->path, '/');
	const char *base = slash ? slash + 1 : file->path;
	size_t length = strlen(name);
	if (!strcmp(file->soname, name))
		return true;
	if (strncmp(base, name, length) != 0)
		return false;
	return !base[length] || (base[length] == '.' && isdigit((unsigned char)base[length + 1]));
}
