/* SPDX-License-Identifier: MIT */
/*
 * got_objects.c - the table of loaded objects.
 *
 * The list is read by dl_iterate_phdr, nested in itself: the outer callback keeps
 * dl_load_write_lock (recursive) while the inner walk fills the table and the caller's
 * function runs over all of it. The lock is held by the loader only while it links an
 * object in or unmaps and unlinks one, never while files are read, objects relocated or
 * constructors run; a foreign dl_iterate_phdr callback holds it for as long as it likes,
 * which unwinders do for microseconds. So a probed call that comes here does not wait for
 * a dlopen in another thread. dlinfo(RTLD_DI_LINKMAP) and dladdr take dl_load_lock, which
 * is held through constructors, and were rejected; walking _r_debug without a lock would
 * read link_maps that dlclose frees.
 *
 * A signal handler may interrupt the loader itself on this thread, which then lets us in.
 * Every state of its list in between is a list; but dlclose unmaps an object before it is
 * unlinked, so an unknown object's headers are asked for with mincore before they are
 * read. Our own sections run with signals blocked: a handler that jumped out of one would
 * keep the lock for ever.
 *
 * What is known of an object is kept as long as dlpi_subs says that none was unloaded: a
 * new one may take an old one's address, path string included. After an unload everything
 * is read again, which costs well under a millisecond for a hundred objects.
 *
 * Namespaces made by dlmopen are not in this list; what is loaded there is out of reach.
 */
#include "preload/got_internal.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shm/sandbox.h"

static struct inv_got_table tables[2];
struct inv_got_table *inv_got_table = &tables[0];

void *inv_got_pages(size_t bytes)
{
	void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

static size_t object_bytes(void)
{
	return sizeof(struct inv_got_object) + sizeof(uint32_t) +
	       inv_got_want_count * sizeof(struct inv_got_cell);
}

static void lay_out(struct inv_got_table *table, void *pages, uint32_t capacity)
{
	table->objects = pages;
	table->cells = (void *)(table->objects + capacity);
	table->order = (void *)(table->cells + (size_t)capacity * inv_got_want_count);
	table->capacity = capacity;
}

static bool grow(struct inv_got_table *table)
{
	struct inv_got_table old = *table;
	uint32_t capacity = old.capacity ? old.capacity * 2 : 64;
	void *pages = inv_got_pages(capacity * object_bytes());

	if (!pages)
		return false;
	lay_out(table, pages, capacity);
	if (!old.capacity)
		return true;
	memcpy(table->objects, old.objects, old.count * sizeof(*old.objects));
	memcpy(table->cells, old.cells,
	       (size_t)old.count * inv_got_want_count * sizeof(*old.cells));
	munmap(old.objects, old.capacity * object_bytes());
	return true;
}

static bool is_mapped(const void *at)
{
	uintptr_t page = getauxval(AT_PAGESZ);
	unsigned char resident;

	return mincore((void *)((uintptr_t)at & ~(page - 1)), 1, &resident) == 0;
}

static bool headers_are_mapped(const struct dl_phdr_info *info)
{
	if (!is_mapped(info->dlpi_phdr))
		return false;
	for (uint32_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			return is_mapped(
				(const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr));
	return false;
}

static bool is_loader(const struct inv_elf_object *elf)
{
	const char *slash = strrchr(elf->path, '/');
	uintptr_t base = getauxval(AT_BASE);

	return (base && elf->base == base) || strncmp(slash ? slash + 1 : elf->path, "ld-", 3) == 0;
}

static bool is_vdso(const struct inv_elf_object *elf)
{
	uintptr_t vdso = getauxval(AT_SYSINFO_EHDR);

	return vdso && inv_elf_object_contains(elf, vdso, 1, 0);
}

static void find_definitions(struct inv_got_object *object, struct inv_got_cell *cells)
{
	for (uint32_t want = 0; want < inv_got_want_count; want++) {
		struct inv_elf_definition found;

		if (!*inv_got_wants[want].symbol ||
		    !inv_elf_object_find(&object->elf, inv_got_wants[want].symbol, &found))
			continue;
		cells[want].address = found.address;
		cells[want].version = found.version;
		cells[want].ifunc = found.ifunc;
	}
}

static void read_object(struct inv_got_object *object, struct inv_got_cell *cells,
			const struct dl_phdr_info *info)
{
	bool parsed;

	memset(object, 0, sizeof(*object));
	memset(cells, 0, inv_got_want_count * sizeof(*cells));
	object->phdr = info->dlpi_phdr;
	object->elf.base = info->dlpi_addr;
	object->elf.path = info->dlpi_name;
	if (!headers_are_mapped(info))
		return;
	parsed = inv_elf_object_parse(&object->elf, info);
	object->ours = inv_elf_object_contains(&object->elf, (uintptr_t)&tables, 1, 0);
	object->usable =
		parsed && !object->ours && !is_loader(&object->elf) && !is_vdso(&object->elf);
	if (object->usable)
		find_definitions(object, cells);
}

struct walk {
	const struct inv_got_table *old;
	struct inv_got_table *next;
	uint32_t hint; /* where the old table goes on: the order stays the same */
	bool keep;     /* nothing was unloaded: old entries hold */
	bool failed;
};

static uint32_t find_old(struct walk *walk, const struct dl_phdr_info *info)
{
	const struct inv_got_table *old = walk->old;

	for (uint32_t n = 0; n < old->count; n++) {
		uint32_t i = (walk->hint + n) % old->count;
		const struct inv_got_object *object = &old->objects[i];

		if (object->phdr == info->dlpi_phdr && object->elf.base == info->dlpi_addr &&
		    object->elf.path == info->dlpi_name) {
			walk->hint = i + 1;
			return i;
		}
	}
	return INV_GOT_NONE;
}

static void take_object(struct walk *walk, const struct dl_phdr_info *info)
{
	struct inv_got_table *next = walk->next;
	struct inv_got_object *object = &next->objects[next->count];
	struct inv_got_cell *cells = &next->cells[(size_t)next->count * inv_got_want_count];
	uint32_t old = find_old(walk, info);

	next->count++;
	if (old == INV_GOT_NONE || !walk->keep || !walk->old->objects[old].elf.load_count) {
		read_object(object, cells, info);
	} else {
		*object = walk->old->objects[old];
		object->tries = 0;
		memcpy(cells, &walk->old->cells[(size_t)old * inv_got_want_count],
		       inv_got_want_count * sizeof(*cells));
	}
	if (old != INV_GOT_NONE)
		object->initial = walk->old->objects[old].initial;
}

static int each_object(struct dl_phdr_info *info, size_t size, void *context)
{
	struct walk *walk = context;

	if (walk->next->count == walk->next->capacity && !grow(walk->next)) {
		walk->failed = true;
		return 1;
	}
	take_object(walk, info);
	return 0;
}

static bool read_list(unsigned long long adds, unsigned long long subs)
{
	struct inv_got_table *next = inv_got_table == &tables[0] ? &tables[1] : &tables[0];
	struct walk walk = {.old = inv_got_table,
			    .next = next,
			    .keep = subs == inv_got_table->subs};

	if (inv_got_table->count && adds == inv_got_table->adds && subs == inv_got_table->subs)
		return true;
	if (!inv_sandbox_allows(INV_ASK_BIND))
		return false;
	next->count = 0;
	dl_iterate_phdr(each_object, &walk);
	if (walk.failed)
		return false;
	next->adds = adds;
	next->subs = subs;
	next->unvisited = true;
	inv_got_table = next;
	return true;
}

struct section {
	void (*fn)(void *);
	void *context;
	bool done;
};

static int in_section(struct dl_phdr_info *info, size_t size, void *context)
{
	struct section *section = context;

	section->done = read_list(info->dlpi_adds, info->dlpi_subs);
	if (section->done)
		section->fn(section->context);
	return 1;
}

bool inv_got_locked(void (*fn)(void *), void *context)
{
	struct section section = {.fn = fn, .context = context};

	dl_iterate_phdr(in_section, &section);
	return section.done;
}

static int compare_counters(struct dl_phdr_info *info, size_t size, void *context)
{
	bool *changed = context;

	*changed = info->dlpi_adds != inv_got_table->adds || info->dlpi_subs != inv_got_table->subs;
	return 1;
}

bool inv_got_objects_changed(void)
{
	bool changed = true;

	dl_iterate_phdr(compare_counters, &changed);
	return changed;
}

uint32_t inv_got_object_at(uintptr_t address)
{
	for (uint32_t i = 0; i < inv_got_table->count; i++)
		if (inv_elf_object_contains(&inv_got_table->objects[i].elf, address, 1, 0))
			return i;
	return INV_GOT_NONE;
}
