/* SPDX-License-Identifier: MIT */
/*
 * entry.c - patches functions: the stub near by, the copy of the first bytes, the jump.
 *
 * A stub page, executable and never written again [E3]:
 *
 *     0  pushq site(%rip)       the thunk knows the function by this
 *     6  jmp *thunk(%rip)
 *    16  site, thunk, where the thunk is returned to: three pointers
 *    40  the same as at 0, behind a question: does the function's own body jump here? Then
 *        the thunk's return address is on the stack, with a frame of this site behind it, and
 *        it goes on with the copy: nobody has called. For functions with such jumps only.
 *   128  the first bytes, relocated, then a jump to what follows them
 */
#include "preload/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/entry_call.h"
#include "preload/prologue.h"

#if !defined(__x86_64__)
const char *inv_entry_patch(struct inv_plan *plan, const struct inv_elf_object *object,
			    const struct inv_entry_place *place, bool initial)
{
	return "there is no entry tier on this processor";
}

bool inv_entry_is(const struct inv_plan *plan, uintptr_t address)
{
	return false;
}
#else

#define SITE_DATA  16u
#define ASK_AT	   40u
#define COPY_AT	   128u
#define REACH	   0x7ff00000ul /* of a jump, less some room */
#define LOWEST	   0x20000ul	/* the kernel keeps what is below */
#define WORD_BYTES 8u

static struct inv_entry_site sites[INV_ENTRY_SITES_MAX];
static uint32_t site_count;

static uintptr_t page_bytes(void)
{
	return getauxval(AT_PAGESZ);
}

/* ---- the process ---------------------------------------------------------------------- */

/* Field 20 of /proc/self/stat, behind the name in parentheses. Returns: 0: not known. */
static unsigned thread_count(void)
{
	char text[1024];
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	const char *at = strrchr(text, ')');
	for (int field = 2; at && field < 20; field++)
		at = strchr(at + 1, ' ');
	unsigned count = 0;
	for (at = at ? at + 1 : ""; *at >= '0' && *at <= '9'; at++)
		count = count * 10 + (unsigned)(*at - '0');
	return count;
}

/* Whether returns are checked against a stack of their own (CET): ARCH_SHSTK_STATUS. */
static bool has_shadow_stack(void)
{
	uint64_t features = 0;
	return syscall(SYS_arch_prctl, 0x5005, &features) == 0 && (features & 1);
}

/* Whether text may be writable and executable at once, tried on a page of ours [E2]. */
static bool may_write_text(void)
{
	static int known = -1;
	if (known >= 0)
		return known;
	void *page =
		mmap(NULL, page_bytes(), PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	known = page != MAP_FAILED &&
		mprotect(page, page_bytes(), PROT_READ | PROT_WRITE | PROT_EXEC) == 0;
	if (page != MAP_FAILED)
		munmap(page, page_bytes());
	return known;
}

/* ---- stubs ---------------------------------------------------------------------------- */

static uint8_t *page_at(uintptr_t at)
{
	void *page = mmap((void *)at, page_bytes(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (page == (void *)at)
		return page;
	if (page != MAP_FAILED) /* a kernel without MAP_FIXED_NOREPLACE takes it as a hint */
		munmap(page, page_bytes());
	return NULL;
}

/*
 * Steps grow with the distance: a segment of most of a gigabyte may lie there, and is to be
 * crossed in some hundred tries.
 */
static uint8_t *page_below(uintptr_t low, uintptr_t high)
{
	uintptr_t step = page_bytes();
	low &= ~(page_bytes() - 1);
	for (uintptr_t at = low - step; at < low && at >= LOWEST && high - at <= REACH;
	     at -= step) {
		uint8_t *page = page_at(at);
		if (page)
			return page;
		if ((low - at) / 64 > step)
			step += page_bytes();
	}
	return NULL;
}

static uint8_t *page_above(uintptr_t low, uintptr_t high)
{
	uint8_t *page = NULL;
	uintptr_t at = (high + page_bytes() - 1) & ~(page_bytes() - 1);
	for (; !page && at + page_bytes() - low <= REACH; at += page_bytes())
		page = page_at(at);
	return page;
}

/*
 * A fresh page that a jump from every byte of the object reaches, as near as there is one:
 * downwards, as above a program is its heap, which is to grow; for a library, above it too,
 * where a segment of many gigabytes fills all that is below.
 */
static uint8_t *near_page(const struct inv_elf_object *object)
{
	uintptr_t low = UINTPTR_MAX, high = 0;
	for (uint32_t i = 0; i < object->load_count; i++) {
		low = object->loads[i].start < low ? object->loads[i].start : low;
		high = object->loads[i].end > high ? object->loads[i].end : high;
	}
	uint8_t *page = page_below(low, high);
	return page || !*object->path ? page : page_above(low, high);
}

static void put_relative(uint8_t *at, uintptr_t from, uintptr_t to)
{
	int32_t distance = (int32_t)(intptr_t)(to - from);
	memcpy(at, &distance, sizeof(distance));
}

static uint8_t *put(uint8_t *at, const char *bytes, size_t count)
{
	memcpy(at, bytes, count);
	return at + count;
}

/* An instruction that ends in the distance to a place of the page. */
static uint8_t *put_to(uint8_t *at, const char *opcode, size_t count, const uint8_t *to)
{
	at = put(at, opcode, count);
	put_relative(at, (uintptr_t)at + 4, (uintptr_t)to);
	return at + 4;
}

/* Goes to the thunk with the site on the stack. */
static uint8_t *write_entry(uint8_t *at, uint8_t *page)
{
	at = put_to(at, "\xff\x35", 2, page + SITE_DATA);	/* pushq site(%rip) */
	return put_to(at, "\xff\x25", 2, page + SITE_DATA + 8); /* jmp *thunk(%rip) */
}

/*
 * Registers are kept; flags are of no meaning where a function starts. Behind the thunk's
 * return address lie the words that it copied, then its frame, in which the site is.
 */
static void write_question(uint8_t *page, const struct inv_entry_site *site)
{
	uint32_t words = (site->stack_words + 1) & ~1u;
	int32_t frame_site = (int32_t)(8 + 8 + 8 * words + offsetof(struct inv_entry_frame, site));
	uint8_t *at = page + ASK_AT, *distance[2];
	at = put(at, "\x50", 1);				   /* pushq %rax */
	at = put(at, "\x48\x8b\x44\x24\x08", 5);		   /* movq 8(%rsp), %rax */
	at = put_to(at, "\x48\x3b\x05", 3, page + SITE_DATA + 16); /* cmpq returns(%rip), %rax */
	at = put(at, "\x75\x00", 2);				   /* jne */
	distance[0] = at - 1;
	at = put(at, "\x48\x8b\x84\x24", 4); /* movq frame_site(%rsp), %rax */
	at = put(at, (const char *)&frame_site, 4);
	at = put_to(at, "\x48\x3b\x05", 3, page + SITE_DATA); /* cmpq site(%rip), %rax */
	at = put(at, "\x75\x00", 2);			      /* jne */
	distance[1] = at - 1;
	at = put(at, "\x58", 1);		    /* popq %rax */
	at = put_to(at, "\xe9", 1, page + COPY_AT); /* jmp copy */
	for (int i = 0; i < 2; i++)
		*distance[i] = (uint8_t)(at - distance[i] - 1);
	at = put(at, "\x58", 1);
	write_entry(at, page);
}

static void write_stub(uint8_t *page, const struct inv_entry_site *site, bool loops)
{
	const void *const pointers[3] = {site, inv_entry_thunk, inv_entry_returns};
	memcpy(page + SITE_DATA, pointers, sizeof(pointers));
	write_entry(page, page);
	if (loops)
		write_question(page, site);
}

/* ---- arguments -------------------------------------------------------------------------- */

static bool is_floating(enum inv_type type)
{
	return type == INV_TYPE_F32 || type == INV_TYPE_F64;
}

/*
 * System V: registers by class in order, the rest on the stack, long double always. A result
 * in the caller's memory takes the first; a pair is not split.
 */
static void place_arguments(struct inv_entry_site *site, const struct inv_signature *s)
{
	unsigned integers = s->result == INV_TYPE_STDSTR, floats = 0, words = 0;
	for (uint32_t i = 0; i < s->param_count; i++) {
		struct inv_entry_argument *a = &site->arguments[s->params[i].word];
		bool floating = is_floating(s->params[i].type);
		if (s->params[i].type == INV_TYPE_LDOUBLE) {
			words += words & 1; /* 16-aligned */
			*a = (struct inv_entry_argument){INV_ENTRY_STACK, (uint8_t)words};
			words += 2;
		} else if (s->params[i].type == INV_TYPE_STDVIEW) {
			bool stack = integers + 2 > INV_INT_REGS;
			unsigned *next = stack ? &words : &integers;
			for (unsigned half = 0; half < 2; half++)
				a[half] = (struct inv_entry_argument){stack ? INV_ENTRY_STACK
									    : INV_ENTRY_INTEGER,
								      (uint8_t)(*next)++};
		} else if (floating && floats < INV_FLOAT_REGS) {
			*a = (struct inv_entry_argument){INV_ENTRY_FLOAT, (uint8_t)floats++};
		} else if (!floating && integers < INV_INT_REGS) {
			*a = (struct inv_entry_argument){INV_ENTRY_INTEGER, (uint8_t)integers++};
		} else {
			*a = (struct inv_entry_argument){INV_ENTRY_STACK, (uint8_t)words++};
		}
	}
	site->argument_count = s->word_count;
	site->stack_words = words;
	site->floats = floats > 0;
	site->by_number = inv_signature_needs_closure(s);
}

/* ---- text ------------------------------------------------------------------------------- */

static bool write_by_kernel(uintptr_t at, const uint8_t *bytes, size_t count)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool good = pwrite(fd, bytes, count, (off_t)at) == (ssize_t)count;
	close(fd);
	return good;
}

/* The whole aligned word that holds the jump, in one store [E1]. */
static void store_word(uintptr_t at, const uint8_t *jump)
{
	uintptr_t word_at = at & ~(uintptr_t)(WORD_BYTES - 1);
	uint64_t word;
	memcpy(&word, (const void *)word_at, sizeof(word));
	memcpy((uint8_t *)&word + (at - word_at), jump, INV_PROLOGUE_PATCH_BYTES);
	__atomic_store_n((uint64_t *)word_at, word, __ATOMIC_SEQ_CST);
}

static bool in_one_word(uintptr_t at)
{
	return at / WORD_BYTES == (at + INV_PROLOGUE_PATCH_BYTES - 1) / WORD_BYTES;
}

/* The protection of mapped text, as the file says. */
static int text_protection(const struct inv_elf_object *object, uintptr_t address)
{
	return PROT_READ | PROT_EXEC |
	       (inv_elf_object_contains(object, address, 1, PF_X | PF_W) ? PROT_WRITE : 0);
}

static bool write_jump(const struct inv_elf_object *object, uintptr_t at, const uint8_t *jump,
		       bool whole)
{
	uintptr_t page = at & ~(page_bytes() - 1);
	size_t bytes = at + INV_PROLOGUE_PATCH_BYTES > page + page_bytes() ? 2 * page_bytes()
									   : page_bytes();
	if (!may_write_text() ||
	    mprotect((void *)page, bytes, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
		return !whole && write_by_kernel(at, jump, INV_PROLOGUE_PATCH_BYTES);
	if (in_one_word(at))
		store_word(at, jump);
	else
		memcpy((void *)at, jump, INV_PROLOGUE_PATCH_BYTES);
	mprotect((void *)page, bytes, text_protection(object, at));
	return true;
}

/* ---- patching ----------------------------------------------------------------------------- */

/* The site of a function whose jump is in place; one that was unloaded has its bytes again. */
static struct inv_entry_site *site_of(uintptr_t address)
{
	for (uint32_t i = site_count; i-- > 0;) {
		struct inv_entry_site *site = &sites[i];
		const uint8_t *jump = (const uint8_t *)address + site->patch_at;
		uintptr_t stub = (uintptr_t)site->relocated - COPY_AT + (site->loops ? ASK_AT : 0);
		int32_t distance;
		if (site->function != address || *jump != 0xe9)
			continue;
		memcpy(&distance, jump + 1, sizeof(distance));
		if ((uintptr_t)jump + INV_PROLOGUE_PATCH_BYTES + (uintptr_t)(intptr_t)distance ==
		    stub)
			return site;
	}
	return NULL;
}

bool inv_entry_is(const struct inv_plan *plan, uintptr_t address)
{
	const struct inv_entry_site *site = site_of(address);
	return site && site->plan == plan;
}

/* The extent of the text around an address. Returns: its end, 0: it is in none. */
static uintptr_t text_end(const struct inv_elf_object *object, uintptr_t address)
{
	for (uint32_t i = 0; i < object->load_count; i++)
		if (object->loads[i].flags & PF_X && address >= object->loads[i].start &&
		    address < object->loads[i].end)
			return object->loads[i].end;
	return 0;
}

/* Where our own pages may not become code, those of a file may still be mapped as code. */
static bool make_executable(uint8_t *page)
{
	if (mprotect(page, page_bytes(), PROT_READ | PROT_EXEC) == 0)
		return true;
	int fd = memfd_create("invreg-stub", MFD_CLOEXEC);
	bool good = fd >= 0 && write(fd, page, page_bytes()) == (ssize_t)page_bytes() &&
		    mmap(page, page_bytes(), PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd,
			 0) == page;
	if (fd >= 0)
		close(fd);
	return good;
}

/* Makes the stub of a site. Returns: the page, or NULL and *why. */
static uint8_t *make_stub(struct inv_entry_site *site, const struct inv_elf_object *object,
			  const struct inv_prologue *prologue, const char **why)
{
	uint8_t *page = near_page(object);
	*why = "no free page is near enough";
	if (!page)
		return NULL;
	enum inv_prologue_result moved =
		inv_prologue_emit(prologue, (uintptr_t)page + COPY_AT, page + COPY_AT);
	write_stub(page, site, prologue->loops);
	if (moved != INV_PROLOGUE_OK) {
		*why = inv_prologue_reason(moved);
	} else if (make_executable(page)) {
		return page;
	} else {
		*why = "this process may not make code";
	}
	munmap(page, page_bytes());
	return NULL;
}

/* Whether nobody can be in the bytes that change [E1]. */
static bool nobody_inside(const struct inv_prologue *prologue, bool initial)
{
	unsigned threads = thread_count();
	if (threads == 1 || (threads == 0 && initial))
		return true;
	return prologue->insn_count == 1 && in_one_word(prologue->address + prologue->patch_at) &&
	       may_write_text();
}

static const char *patch(struct inv_entry_site *site, const struct inv_elf_object *object,
			 const struct inv_prologue *prologue, bool initial)
{
	uint8_t jump[INV_PROLOGUE_PATCH_BYTES] = {0xe9};
	uintptr_t at = prologue->address + prologue->patch_at;
	const char *why;
	if (!nobody_inside(prologue, initial))
		return "another thread may be in its first bytes: load it before there are threads";
	bool again = site->relocated != NULL;
	uint8_t *page = again ? (uint8_t *)site->relocated - COPY_AT
			      : make_stub(site, object, prologue, &why);
	if (!page)
		return why;
	site->relocated = page + COPY_AT;
	put_relative(jump + 1, at + INV_PROLOGUE_PATCH_BYTES,
		     (uintptr_t)page + (site->loops ? ASK_AT : 0));
	if (write_jump(object, at, jump, thread_count() > 1))
		return NULL;
	if (!again)
		munmap(page, page_bytes()); /* nobody was sent there */
	return "its text cannot be written";
}

/*
 * Other functions of the object may jump there, such as the function's own .cold part, for
 * which a stripped object has no name. All of its text is looked through.
 */
static bool is_branched_into(const struct inv_elf_object *object,
			     const struct inv_prologue *prologue)
{
	for (uint32_t i = 0; i < object->load_count; i++) {
		const struct inv_elf_load *load = &object->loads[i];
		if ((load->flags & (PF_X | PF_R)) == (PF_X | PF_R) &&
		    inv_prologue_is_entered(prologue, (const uint8_t *)load->start,
					    load->end - load->start, load->start))
			return true;
	}
	return false;
}

/* The site of the same bytes at the same place, which were unloaded and are loaded again. */
static struct inv_entry_site *left_behind(const struct inv_plan *plan,
					  const struct inv_prologue *prologue)
{
	uint8_t copy[INV_PROLOGUE_COPY_MAX];
	for (uint32_t i = 0; i < site_count; i++) {
		struct inv_entry_site *site = &sites[i];
		if (site->plan == plan && site->function == prologue->address &&
		    site->patch_at == prologue->patch_at &&
		    inv_prologue_emit(prologue, (uintptr_t)site->relocated, copy) ==
			    INV_PROLOGUE_OK &&
		    memcmp(copy, site->relocated, prologue->copy_bytes) == 0)
			return site;
	}
	return NULL;
}

static const char *patch_new(struct inv_plan *plan, const struct inv_elf_object *object,
			     const struct inv_entry_place *place, bool initial)
{
	struct inv_prologue prologue;
	uintptr_t end = text_end(object, place->address);
	struct inv_prologue_function function = {
		.code = (const uint8_t *)place->address,
		.address = place->address,
		.size = place->size,
		.limit = end - place->address,
		.loops_told = true,
		.shadow_stack = has_shadow_stack(),
	};
	if (!end)
		return "it is not in the object's text";
	enum inv_prologue_result planned = inv_prologue_plan(&prologue, &function);
	if (planned != INV_PROLOGUE_OK)
		return inv_prologue_reason(planned);
	if (is_branched_into(object, &prologue))
		return "other code of the object branches into its first bytes";
	struct inv_entry_site *site = left_behind(plan, &prologue);
	if (site)
		return patch(site, object, &prologue, initial);
	if (site_count == INV_ENTRY_SITES_MAX)
		return "too many functions are patched";
	site = &sites[site_count];
	memset(site, 0, sizeof(*site));
	site->plan = plan;
	site->function = place->address;
	site->patch_at = prologue.patch_at;
	site->loops = prologue.loops;
	place_arguments(site, &plan->probe->signature);
	inv_entry_call_start();
	const char *why = patch(site, object, &prologue, initial);
	site_count += why == NULL;
	return why;
}

const char *inv_entry_patch(struct inv_plan *plan, const struct inv_elf_object *object,
			    const struct inv_entry_place *place, bool initial)
{
	int saved = errno;
	const struct inv_entry_site *site = site_of(place->address);
	const char *why = inv_signature_entry_refusal(&plan->probe->signature);
	if (site)
		why = site->plan == plan ? NULL : "another probe has this function";
	else if (!why)
		why = patch_new(plan, object, place, initial);
	errno = saved;
	return why;
}
#endif
