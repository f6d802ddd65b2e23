/* SPDX-License-Identifier: MIT */
/*
 * elf_object.c - one loaded object, seen through its program headers and dynamic section.
 *
 * Only what the loader itself keeps mapped is read: PT_DYNAMIC and the tables it names.
 * Section headers and .symtab are not mapped and not needed here. dladdr and dlinfo would
 * answer some of this, but they take the loader's lock, which probed calls must not [G2].
 *
 * Addresses in the dynamic section: glibc relocates d_ptr in place for most objects, not
 * for the vdso, nor where the section is read-only. So a value that lies within a segment
 * is taken as it is, and any other has the base added; an object low enough in memory for
 * the two to be confused has base 0, where both are the same.
 *
 * Undefined symbols are not in a GNU hash table, so slots are found by going through the
 * relocations and comparing names, skipping the leading DT_RELACOUNT relative ones. One
 * pass serves all wanted names. Building an index instead was rejected: an object is
 * normally read once.
 */
#include "preload/elf_object.h"

#include <elf.h>
#include <string.h>
#include <sys/auxv.h>

#if defined(__x86_64__)
#define RELOC_JUMP R_X86_64_JUMP_SLOT
#define RELOC_GLOB R_X86_64_GLOB_DAT
#define RELOC_DATA R_X86_64_64
#define RELOC_COPY R_X86_64_COPY
#elif defined(__aarch64__)
#define RELOC_JUMP R_AARCH64_JUMP_SLOT
#define RELOC_GLOB R_AARCH64_GLOB_DAT
#define RELOC_DATA R_AARCH64_ABS64
#define RELOC_COPY R_AARCH64_COPY
#else
#error "the got tier knows x86-64 and aarch64"
#endif

#define HIDDEN_VERSION 0x8000u
#define CHAIN_MAX      (1u << 22) /* symbols looked at in one hash chain, against cycles */

bool inv_elf_object_contains(const struct inv_elf_object *object, uintptr_t address, size_t bytes,
			     uint32_t flags)
{
	for (uint32_t i = 0; i < object->load_count; i++) {
		const struct inv_elf_load *load = &object->loads[i];

		if (address >= load->start && address < load->end && bytes <= load->end - address &&
		    (load->flags & flags) == flags)
			return true;
	}
	return false;
}

static bool readable(const struct inv_elf_object *object, const void *at, size_t bytes)
{
	return at && inv_elf_object_contains(object, (uintptr_t)at, bytes, PF_R);
}

static void add_load(struct inv_elf_object *object, const ElfW(Phdr) * phdr)
{
	struct inv_elf_load *load = &object->loads[object->load_count];

	if (object->load_count == INV_ELF_LOADS_MAX || phdr->p_memsz > UINTPTR_MAX / 2)
		return;
	load->start = object->base + phdr->p_vaddr;
	load->end = load->start + phdr->p_memsz;
	load->flags = phdr->p_flags;
	if (load->end > load->start)
		object->load_count++;
}

static void set_relro(struct inv_elf_object *object, const ElfW(Phdr) * phdr)
{
	uintptr_t page = getauxval(AT_PAGESZ);
	uintptr_t start = object->base + phdr->p_vaddr;

	if (!page)
		page = 4096;
	/* As the loader does: a last page that is only partly RELRO stays writable. */
	object->relro_start = start & ~(page - 1);
	object->relro_end = (start + phdr->p_memsz) & ~(page - 1);
	if (object->relro_end < object->relro_start)
		object->relro_end = object->relro_start;
}

static void read_phdrs(struct inv_elf_object *object, const struct dl_phdr_info *info)
{
	for (uint32_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];

		if (phdr->p_type == PT_LOAD)
			add_load(object, phdr);
		else if (phdr->p_type == PT_GNU_RELRO)
			set_relro(object, phdr);
		else if (phdr->p_type == PT_DYNAMIC) {
			object->dynamic = (const void *)(object->base + phdr->p_vaddr);
			object->dynamic_end = object->dynamic + phdr->p_memsz / sizeof(ElfW(Dyn));
		}
	}
}

static const void *table_at(const struct inv_elf_object *object, ElfW(Addr) value)
{
	if (inv_elf_object_contains(object, value, 1, 0))
		return (const void *)value;
	return (const void *)(object->base + value);
}

/* The entries of the dynamic section that need a second look once all are read. */
struct dynamic_values {
	ElfW(Addr) rela[2];
	size_t bytes[2];
	size_t relative_count;
	size_t soname;
	bool has_soname;
	bool plt_is_rela;
};

static void read_location(struct inv_elf_object *object, const ElfW(Dyn) * dyn)
{
	const void *at = table_at(object, dyn->d_un.d_ptr);

	switch (dyn->d_tag) {
	case DT_SYMTAB:
		object->symtab = at;
		break;
	case DT_STRTAB:
		object->strtab = at;
		break;
	case DT_GNU_HASH:
		object->gnu_hash = at;
		break;
	case DT_HASH:
		object->sysv_hash = at;
		break;
	case DT_VERSYM:
		object->versym = at;
		break;
	case DT_VERNEED:
		object->verneed = at;
		break;
	case DT_VERDEF:
		object->verdef = at;
		break;
	default:
		break;
	}
}

static void read_value(struct inv_elf_object *object, const ElfW(Dyn) * dyn,
		       struct dynamic_values *values)
{
	switch (dyn->d_tag) {
	case DT_RELA:
		values->rela[0] = dyn->d_un.d_ptr;
		break;
	case DT_RELASZ:
		values->bytes[0] = dyn->d_un.d_val;
		break;
	case DT_RELACOUNT:
		values->relative_count = dyn->d_un.d_val;
		break;
	case DT_JMPREL:
		values->rela[1] = dyn->d_un.d_ptr;
		break;
	case DT_PLTRELSZ:
		values->bytes[1] = dyn->d_un.d_val;
		break;
	case DT_PLTREL:
		values->plt_is_rela = dyn->d_un.d_val == DT_RELA;
		break;
	case DT_STRSZ:
		object->strtab_bytes = dyn->d_un.d_val;
		break;
	case DT_VERNEEDNUM:
		object->verneed_count = (uint32_t)dyn->d_un.d_val;
		break;
	case DT_VERDEFNUM:
		object->verdef_count = (uint32_t)dyn->d_un.d_val;
		break;
	case DT_SONAME:
		values->soname = dyn->d_un.d_val;
		values->has_soname = true;
		break;
	case DT_SYMBOLIC:
		object->symbolic = true;
		break;
	case DT_FLAGS:
		object->symbolic |= (dyn->d_un.d_val & DF_SYMBOLIC) != 0;
		break;
	default:
		read_location(object, dyn);
	}
}

static void set_rela(struct inv_elf_object *object, uint32_t table,
		     const struct dynamic_values *values)
{
	const ElfW(Rela) *rela = table_at(object, values->rela[table]);
	size_t skipped = table ? 0 : values->relative_count;
	size_t count = values->bytes[table] / sizeof(*rela);

	if (!values->rela[table] || !readable(object, rela, values->bytes[table]))
		return;
	if (skipped > count)
		skipped = 0;
	object->rela[table] = rela + skipped;
	object->rela_count[table] = count - skipped;
}

/* A name from the string table, checked to end within it. NULL: it does not. */
static const char *string_at(const struct inv_elf_object *object, size_t offset)
{
	if (offset >= object->strtab_bytes)
		return NULL;
	/* The table's last byte is 0 (checked), so any offset within ends in time. */
	return object->strtab + offset;
}

static void drop_unreadable(struct inv_elf_object *object)
{
	if (!readable(object, object->versym, sizeof(uint16_t)))
		object->versym = NULL;
	if (!readable(object, object->gnu_hash, 4 * sizeof(uint32_t)))
		object->gnu_hash = NULL;
	if (!readable(object, object->sysv_hash, 2 * sizeof(uint32_t)))
		object->sysv_hash = NULL;
}

bool inv_elf_object_parse(struct inv_elf_object *out, const struct dl_phdr_info *info)
{
	struct dynamic_values values = {.plt_is_rela = true};

	memset(out, 0, sizeof(*out));
	out->base = info->dlpi_addr;
	out->path = info->dlpi_name ? info->dlpi_name : "";
	read_phdrs(out, info);
	if (!readable(out, out->dynamic, sizeof(ElfW(Dyn))) ||
	    !readable(out, out->dynamic,
		      (size_t)((const char *)out->dynamic_end - (const char *)out->dynamic))) {
		out->dynamic_end = out->dynamic = NULL;
		return false;
	}
	for (const ElfW(Dyn) *dyn = out->dynamic; dyn < out->dynamic_end && dyn->d_tag != DT_NULL;
	     dyn++)
		read_value(out, dyn, &values);
	if (!readable(out, out->symtab, sizeof(ElfW(Sym))) || !out->strtab_bytes ||
	    !readable(out, out->strtab, out->strtab_bytes) ||
	    out->strtab[out->strtab_bytes - 1] != '\0') {
		out->strtab_bytes = 0;
		return false;
	}
	drop_unreadable(out);
	set_rela(out, 0, &values);
	if (values.plt_is_rela)
		set_rela(out, 1, &values);
	if (values.has_soname)
		out->soname = string_at(out, values.soname);
	return true;
}

static const ElfW(Sym) * symbol_at(const struct inv_elf_object *object, size_t index)
{
	const ElfW(Sym) *symbol = object->symtab + index;

	return readable(object, symbol, sizeof(*symbol)) ? symbol : NULL;
}

static uint16_t version_index(const struct inv_elf_object *object, size_t index)
{
	const uint16_t *version = object->versym ? object->versym + index : NULL;

	return readable(object, version, sizeof(*version)) ? *version : 1;
}

/* The name of version `wanted` in the version definitions. NULL: there is none. */
static const char *defined_version(const struct inv_elf_object *object, uint16_t wanted)
{
	const char *at = object->verdef;

	for (uint32_t i = 0; i < object->verdef_count && wanted > 1; i++) {
		const ElfW(Verdef) *def = (const void *)at;
		const ElfW(Verdaux) *aux =
			(const void *)(at +
				       (readable(object, def, sizeof(*def)) ? def->vd_aux : 0));

		if (!readable(object, def, sizeof(*def)) || !readable(object, aux, sizeof(*aux)))
			return NULL;
		if (def->vd_ndx == wanted)
			return string_at(object, aux->vda_name);
		if (!def->vd_next)
			return NULL;
		at += def->vd_next;
	}
	return NULL;
}

/* The same in one file's list of needed versions. */
static const char *needed_in_file(const struct inv_elf_object *object, const ElfW(Verneed) * need,
				  uint16_t wanted)
{
	const char *at = (const char *)need + need->vn_aux;

	for (uint32_t i = 0; i < need->vn_cnt; i++) {
		const ElfW(Vernaux) *aux = (const void *)at;

		if (!readable(object, aux, sizeof(*aux)))
			return NULL;
		if ((aux->vna_other & ~HIDDEN_VERSION) == wanted)
			return string_at(object, aux->vna_name);
		at += aux->vna_next;
	}
	return NULL;
}

static const char *needed_version(const struct inv_elf_object *object, uint16_t wanted)
{
	const char *at = object->verneed;

	for (uint32_t i = 0; i < object->verneed_count && wanted > 1; i++) {
		const ElfW(Verneed) *need = (const void *)at;
		const char *name;

		if (!readable(object, need, sizeof(*need)))
			return NULL;
		name = needed_in_file(object, need, wanted);
		if (name)
			return name;
		at += need->vn_next;
	}
	return NULL;
}

static bool is_function(const ElfW(Sym) * symbol)
{
	unsigned int type = ELF64_ST_TYPE(symbol->st_info);
	unsigned int bind = ELF64_ST_BIND(symbol->st_info);
	unsigned int visibility = ELF64_ST_VISIBILITY(symbol->st_other);

	if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS || !symbol->st_value)
		return false; /* [G3] */
	if (type != STT_FUNC && type != STT_NOTYPE && type != STT_GNU_IFUNC)
		return false;
	if (visibility != STV_DEFAULT && visibility != STV_PROTECTED)
		return false;
	return bind == STB_GLOBAL || bind == STB_WEAK || bind == STB_GNU_UNIQUE;
}

static bool names_match(const struct inv_elf_object *object, const ElfW(Sym) * symbol,
			const char *name)
{
	const char *own = string_at(object, symbol->st_name);

	return own && strcmp(own, name) == 0;
}

static bool take_definition(const struct inv_elf_object *object, size_t index, const char *name,
			    struct inv_elf_definition *out)
{
	const ElfW(Sym) *symbol = symbol_at(object, index);
	uint16_t version = version_index(object, index);

	if (!symbol || !names_match(object, symbol, name) || !is_function(symbol))
		return false;
	if (version == 0 || (version & HIDDEN_VERSION))
		return false;
	out->address = object->base + symbol->st_value;
	out->size = symbol->st_size;
	out->ifunc = ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC;
	out->version = defined_version(object, version);
	return inv_elf_object_contains(object, out->address, 1, PF_X);
}

static uint32_t gnu_hash_of(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

static bool find_by_gnu_hash(const struct inv_elf_object *object, const char *name,
			     struct inv_elf_definition *out)
{
	const uint32_t *head = object->gnu_hash;
	uint32_t buckets = head[0], first = head[1], bloom_words = head[2];
	const ElfW(Addr) *bloom = (const void *)(head + 4);
	const uint32_t *bucket = (const uint32_t *)(bloom + bloom_words);
	const uint32_t *chain = bucket + buckets;
	uint32_t hash = gnu_hash_of(name);
	uint32_t index;

	if (!buckets || !readable(object, bloom, bloom_words * sizeof(*bloom)) ||
	    !readable(object, bucket, buckets * sizeof(*bucket)))
		return false;
	index = bucket[hash % buckets];
	if (index < first)
		return false;
	for (uint32_t i = 0; i < CHAIN_MAX; i++, index++) {
		const uint32_t *link = chain + (index - first);

		if (!readable(object, link, sizeof(*link)))
			return false;
		if ((*link | 1) == (hash | 1) && take_definition(object, index, name, out))
			return true;
		if (*link & 1)
			return false;
	}
	return false;
}

static uint32_t sysv_hash_of(const char *name)
{
	uint32_t hash = 0;

	for (; *name; name++) {
		uint32_t high;

		hash = (hash << 4) + (unsigned char)*name;
		high = hash & 0xf0000000;
		hash = (hash ^ (high >> 24)) & ~high;
	}
	return hash;
}

static bool find_by_sysv_hash(const struct inv_elf_object *object, const char *name,
			      struct inv_elf_definition *out)
{
	const uint32_t *head = object->sysv_hash;
	uint32_t buckets = head[0], symbols = head[1];
	const uint32_t *bucket = head + 2;
	const uint32_t *chain = bucket + buckets;
	uint32_t index;

	if (!buckets || !readable(object, bucket, ((size_t)buckets + symbols) * sizeof(*bucket)))
		return false;
	index = bucket[sysv_hash_of(name) % buckets];
	for (uint32_t i = 0; index && index < symbols && i < symbols; i++) {
		if (take_definition(object, index, name, out))
			return true;
		index = chain[index];
	}
	return false;
}

bool inv_elf_object_find(const struct inv_elf_object *object, const char *name,
			 struct inv_elf_definition *out)
{
	if (!object->strtab_bytes)
		return false;
	if (object->gnu_hash)
		return find_by_gnu_hash(object, name, out);
	return object->sysv_hash && find_by_sysv_hash(object, name, out);
}

static bool slot_kind(const ElfW(Rela) * rela, enum inv_elf_slot_kind *kind)
{
	switch (ELF64_R_TYPE(rela->r_info)) {
	case RELOC_JUMP:
		*kind = INV_ELF_SLOT_JUMP;
		return true;
	case RELOC_GLOB:
		*kind = INV_ELF_SLOT_GLOB;
		return true;
	case RELOC_DATA:
		*kind = INV_ELF_SLOT_DATA;
		return rela->r_addend == 0;
	default:
		return false;
	}
}

static bool read_slot(const struct inv_elf_object *object, const ElfW(Rela) * rela,
		      struct inv_elf_slot *out)
{
	size_t index = ELF64_R_SYM(rela->r_info);
	uintptr_t where = object->base + rela->r_offset;
	const ElfW(Sym) * symbol;

	if (!index || !slot_kind(rela, &out->kind) || where % sizeof(void *) != 0)
		return false;
	symbol = symbol_at(object, index);
	if (!symbol || !inv_elf_object_contains(object, where, sizeof(void *), 0))
		return false;
	out->name = string_at(object, symbol->st_name);
	if (!out->name)
		return false;
	out->where = (void **)where;
	out->read_only = !inv_elf_object_contains(object, where, sizeof(void *), PF_R | PF_W);
	out->symbol = index;
	return true;
}

static bool read_copied(const struct inv_elf_object *object, const ElfW(Rela) * rela, size_t word,
			struct inv_elf_slot *out)
{
	size_t index = ELF64_R_SYM(rela->r_info);
	const ElfW(Sym) *symbol = symbol_at(object, index);
	uintptr_t where = object->base + rela->r_offset + word * sizeof(void *);

	if (!symbol || word >= symbol->st_size / sizeof(void *) || where % sizeof(void *) != 0 ||
	    !inv_elf_object_contains(object, where, sizeof(void *), PF_R | PF_W))
		return false;
	*out = (struct inv_elf_slot){
		.where = (void **)where, .name = "", .symbol = index, .kind = INV_ELF_SLOT_COPY};
	return true;
}

bool inv_elf_object_next_slot(const struct inv_elf_object *object, struct inv_elf_cursor *cursor,
			      struct inv_elf_slot *out)
{
	for (; cursor->table < 2; cursor->table++, cursor->index = 0) {
		while (cursor->index < object->rela_count[cursor->table]) {
			const ElfW(Rela) *rela = &object->rela[cursor->table][cursor->index];

			if (ELF64_R_TYPE(rela->r_info) == RELOC_COPY &&
			    read_copied(object, rela, cursor->word++, out))
				return true;
			cursor->index++;
			cursor->word = 0;
			if (read_slot(object, rela, out))
				return true;
		}
	}
	return false;
}

const char *inv_elf_object_slot_version(const struct inv_elf_object *object,
					const struct inv_elf_slot *slot)
{
	uint16_t version = version_index(object, slot->symbol) & (uint16_t)~HIDDEN_VERSION;
	const ElfW(Sym) *symbol = symbol_at(object, slot->symbol);

	if (symbol && symbol->st_shndx != SHN_UNDEF)
		return defined_version(object, version);
	return needed_version(object, version);
}

const char *inv_elf_object_next_needed(const struct inv_elf_object *object, const ElfW(Dyn) * *at)
{
	while (*at < object->dynamic_end && (*at)->d_tag != DT_NULL) {
		const ElfW(Dyn) *dyn = (*at)++;

		if (dyn->d_tag == DT_NEEDED)
			return string_at(object, dyn->d_un.d_val);
	}
	return NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool inv_elf_object_is(const struct inv_elf_object *object, const char *name)
{
	const char *base = base_name(object->path);
	size_t length;

	name = base_name(name);
	length = strlen(name);
	if (!*object->path)
		return strcmp(name, "program") == 0;
	if (object->soname && strcmp(object->soname, name) == 0)
		return true;
	if (strncmp(base, name, length) != 0)
		return false;
	return !base[length] ||
	       (base[length] == '.' && base[length + 1] >= '0' && base[length + 1] <= '9');
}
