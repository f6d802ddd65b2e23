/* SPDX-License-Identifier: MIT */
/*
 * segment.c - making, joining and checking a segment; the reservation of its pages.
 *
 * Geometry is computed once by the creator and kept in the header as a table of regions;
 * everybody else only believes the table, after inv_segment_check. The lanes' region is
 * last and sparse: a lane costs memory when it is claimed, not before.
 *
 * The budget is one counter that only grows. It is charged before the pages are asked
 * for and given back when they are refused, so that two claimers never spend the same
 * bytes; a claimer killed in between leaks its charge, which costs events, not safety.
 */
#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "advise.h"
#include "cancel.h"
#include "clock.h"
#include "proc.h"
#include "sandbox.h"

#define DEFAULT_RING_SLOTS     16384u
#define MAX_DEFAULT_RING_SLOTS (1u << 20)
#define CELL_SLOTS_LEAST       512u
#define CELL_SLOTS_MOST	       16384u
#define PAIR_SLOTS_LEAST       4096u
#define PAIR_SLOTS_MOST	       65536u
#define OVERFLOW_CELLS	       512u
#define OVERFLOW_PAIRS	       4096u
#define OPEN_TRIES	       100
#define ARENA_BYTES	       (UINT64_C(8) << 20)
/* Where the address space is limited, the mapping may take this share of it. */
#define ADDRESS_SPACE_SHARE 8u

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static uint64_t page_up(uint64_t bytes)
{
	return (bytes + INV_PAGE_BYTES - 1) & ~(uint64_t)(INV_PAGE_BYTES - 1);
}

static uint64_t region_bytes(const struct inv_header *h, unsigned id)
{
	switch (id) {
	case INV_REGION_PROBES:
		return sizeof(struct inv_probe_row) * INV_PROBES_MAX;
	case INV_REGION_PROCS:
		return sizeof(struct inv_proc) * INV_PROCS_MAX;
	case INV_REGION_NOTES:
		return sizeof(struct inv_note) * INV_NOTES_MAX;
	case INV_REGION_TYPES:
		return page_up(sizeof(uint32_t) * INV_TYPES_MAX);
	case INV_REGION_NAMES:
		return sizeof(uint64_t) * INV_NAMES_MAX;
	case INV_REGION_ARENA:
		return ARENA_BYTES;
	case INV_REGION_LANE_ROWS:
		return page_up(sizeof(struct inv_lane_row) * INV_LANES_MAX);
	case INV_REGION_OVERFLOW:
		return page_up(sizeof(struct inv_overflow) +
			       (uint64_t)h->overflow_cells * sizeof(struct inv_cell) +
			       (uint64_t)h->overflow_pairs * sizeof(struct inv_pair));
	default:
		return h->lane_stride * h->lane_count;
	}
}

static uint64_t lane_cells_offset(void)
{
	return sizeof(struct inv_lane);
}

static uint64_t lane_pairs_offset(const struct inv_header *h)
{
	return lane_cells_offset() + page_up((uint64_t)h->cell_slots * sizeof(struct inv_cell));
}

static uint64_t lane_ring_offset(const struct inv_header *h)
{
	return lane_pairs_offset(h) + page_up((uint64_t)h->pair_slots * sizeof(struct inv_pair));
}

static uint64_t lane_bytes(const struct inv_header *h)
{
	return lane_ring_offset(h) + page_up((uint64_t)h->ring_slots * sizeof(struct inv_slot));
}

static void lay_out(struct inv_header *h)
{
	uint64_t at = sizeof(struct inv_header) + sizeof(struct inv_shared);
	h->lane_stride = lane_bytes(h);
	for (unsigned i = 0; i < INV_REGION_COUNT; i++) {
		h->regions[i].offset = at;
		h->regions[i].bytes = region_bytes(h, i);
		at += h->regions[i].bytes;
	}
	h->segment_bytes = at;
}

static bool power_of_two(uint64_t v)
{
	return v && !(v & (v - 1));
}

/* A table that keys are spread over: of one place, its hash would be shifted by all its bits. */
static bool table_sane(uint32_t places, uint32_t most)
{
	return power_of_two(places) && places >= 2 && places <= most;
}

/* Some times what creators ask for: readers copy tables of these sizes. */
static bool counts_sane(const struct inv_header *h)
{
	return h->lane_count <= INV_LANES_MAX && h->cell_slots >= 2 &&
	       h->cell_slots <= CELL_SLOTS_MOST && power_of_two(h->ring_slots) &&
	       h->ring_slots <= (1u << 26) && table_sane(h->pair_slots, 1u << 20) &&
	       table_sane(h->overflow_cells, 16384) && table_sane(h->overflow_pairs, 1u << 20) &&
	       h->probe_count <= INV_PROBES_MAX && h->lane_stride % INV_PAGE_BYTES == 0 &&
	       h->lane_stride <= h->segment_bytes; /* times lane_count it cannot wrap */
}

/* As large as their counts say, no larger: a raw snapshot copies them whole. */
static bool regions_sane(const struct inv_header *h, uint64_t file_bytes)
{
	uint64_t at = sizeof(struct inv_header) + sizeof(struct inv_shared);
	for (unsigned i = 0; i < INV_REGION_COUNT; i++) {
		const struct inv_region *r = &h->regions[i];
		if (r->offset % INV_PAGE_BYTES || r->offset < at || r->offset > file_bytes)
			return false;
		if (r->bytes > file_bytes - r->offset || r->bytes != region_bytes(h, i))
			return false;
		at = r->offset + r->bytes;
	}
	return true;
}

enum inv_result inv_segment_check(const struct inv_header *header, uint64_t file_bytes)
{
	if (file_bytes < sizeof(struct inv_header))
		return INV_E_MAGIC;
	if (header->magic != INV_MAGIC)
		return INV_E_MAGIC;
	if (header->byte_order != INV_BYTE_ORDER)
		return INV_E_BYTE_ORDER;
	if (header->version != INV_FORMAT_VERSION || header->header_size != sizeof(*header))
		return INV_E_VERSION;
	/* [B0] acquire: all of the header is read after ready; pairs with the creator */
	if (atomic_load_explicit(&header->ready, memory_order_acquire) != INV_READY)
		return INV_E_NOT_READY;
	if (header->segment_bytes > file_bytes || !counts_sane(header) ||
	    header->lane_stride != lane_bytes(header) ||
	    !regions_sane(header, header->segment_bytes)) /* all that is mapped */
		return INV_E_CORRUPT;
	return INV_OK;
}

static void *at_region(const struct inv_segment *seg, enum inv_region_id id)
{
	return seg->base + seg->header->regions[id].offset;
}

void inv_segment_locate(struct inv_segment *seg, void *base, size_t bytes,
			struct inv_header *header)
{
	seg->base = base;
	seg->bytes = bytes;
	seg->header = header;
	seg->shared = (void *)(seg->base + sizeof(struct inv_header));
	seg->probes = at_region(seg, INV_REGION_PROBES);
	seg->procs = at_region(seg, INV_REGION_PROCS);
	seg->notes = at_region(seg, INV_REGION_NOTES);
	seg->types = at_region(seg, INV_REGION_TYPES);
	seg->names = at_region(seg, INV_REGION_NAMES);
	seg->arena = at_region(seg, INV_REGION_ARENA);
	seg->rows = at_region(seg, INV_REGION_LANE_ROWS);
	seg->overflow = at_region(seg, INV_REGION_OVERFLOW);
	seg->overflow_cells = (void *)(seg->overflow + 1);
	seg->overflow_pairs = (void *)(seg->overflow_cells + seg->header->overflow_cells);
	seg->lanes = at_region(seg, INV_REGION_LANES);
}

struct inv_lane *inv_segment_lane(const struct inv_segment *seg, uint32_t lane)
{
	return (void *)(seg->lanes + (uint64_t)lane * seg->header->lane_stride);
}

struct inv_cell *inv_segment_cells(const struct inv_segment *seg, uint32_t lane)
{
	return (void *)((unsigned char *)inv_segment_lane(seg, lane) + lane_cells_offset());
}

struct inv_pair *inv_segment_pairs(const struct inv_segment *seg, uint32_t lane)
{
	return (void *)((unsigned char *)inv_segment_lane(seg, lane) +
			lane_pairs_offset(seg->header));
}

struct inv_slot *inv_segment_ring(const struct inv_segment *seg, uint32_t lane)
{
	return (void *)((unsigned char *)inv_segment_lane(seg, lane) +
			lane_ring_offset(seg->header));
}

/* ---- reservation -------------------------------------------------------------- */

static enum inv_result reserve_by_path(struct inv_segment *seg, uint64_t offset, uint64_t bytes)
{
	int cancel = inv_cancel_hold(), err = ENOENT;
	int fd = open(seg->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		do {
			err = fallocate(fd, 0, (off_t)offset, (off_t)bytes) ? errno : 0;
		} while (err == EINTR);
		close(fd);
	}
	inv_cancel_restore(cancel);
	return err ? INV_E_FULL : INV_OK;
}

static enum inv_result populate(struct inv_segment *seg, uint64_t offset, uint64_t bytes)
{
	int err;
	do {
		err = inv_advise(seg->base + offset, bytes, MADV_POPULATE_WRITE);
	} while (err == EINTR || err == EAGAIN);
	if (err == EINVAL && inv_sandbox_allows(INV_ASK_LOOK))
		return reserve_by_path(seg, offset, bytes);
	return err ? INV_E_FULL : INV_OK;
}

enum inv_result inv_segment_reserve(struct inv_segment *seg, uint64_t offset, uint64_t bytes)
{
	inv_a64 *reserved = &seg->shared->reserved_bytes;
	uint64_t begin = offset & ~(uint64_t)(INV_PAGE_BYTES - 1);
	bytes = page_up(offset + bytes) - begin;
	if (begin > seg->bytes || bytes > seg->bytes - begin)
		return INV_E_USAGE;
	if (!inv_sandbox_allows(INV_ASK_LANE))
		return INV_E_LIMIT;
	int saved = errno;
	enum inv_result r = INV_E_FULL;
	uint64_t before = atomic_fetch_add_explicit(reserved, bytes, memory_order_relaxed);
	if (before <= seg->header->budget_bytes && bytes <= seg->header->budget_bytes - before)
		r = populate(seg, begin, bytes);
	if (r)
		atomic_fetch_sub_explicit(reserved, bytes, memory_order_relaxed);
	errno = saved;
	return r;
}

uint64_t inv_segment_budget_left(const struct inv_segment *seg)
{
	uint64_t used = atomic_load_explicit(&seg->shared->reserved_bytes, memory_order_relaxed);
	return used < seg->header->budget_bytes ? seg->header->budget_bytes - used : 0;
}

uint32_t inv_segment_afford(uint64_t share, size_t item_bytes, uint32_t least, uint32_t most)
{
	uint32_t slots = most;
	while (slots > least && (uint64_t)slots * item_bytes > share)
		slots /= 2;
	return slots;
}

void inv_segment_lose(struct inv_segment *seg, enum inv_loss reason, uint64_t count)
{
	atomic_fetch_add_explicit(&seg->shared->lost[reason], count, memory_order_relaxed);
}

/* ---- creation ------------------------------------------------------------------ */

static bool file_size_allowed(uint64_t bytes)
{
	struct rlimit lim; /* beyond it, growing the file would raise SIGXFSZ */
	return getrlimit(RLIMIT_FSIZE, &lim) || lim.rlim_cur == RLIM_INFINITY ||
	       bytes <= lim.rlim_cur;
}

static bool mapping_allowed(uint64_t bytes)
{
	struct rlimit lim;
	return getrlimit(RLIMIT_AS, &lim) || lim.rlim_cur == RLIM_INFINITY ||
	       bytes <= lim.rlim_cur / ADDRESS_SPACE_SHARE;
}

/* Fewer cells, then fewer lanes, until the limits of this process allow it. */
static bool fit_limits(struct inv_header *h)
{
	lay_out(h);
	while (!file_size_allowed(h->segment_bytes) || !mapping_allowed(h->segment_bytes)) {
		if (h->cell_slots > CELL_SLOTS_LEAST)
			h->cell_slots /= 2;
		else if (h->lane_count > 1)
			h->lane_count /= 2;
		else
			return false;
		lay_out(h);
	}
	return true;
}

static uint64_t choose_budget(int fd, const struct inv_segment_options *o)
{
	uint64_t budget = o->budget_bytes ? o->budget_bytes : INV_SEGMENT_DEFAULT_BYTES;
	struct statvfs vfs;
	if (!o->budget_bytes && fstatvfs(fd, &vfs) == 0 && vfs.f_blocks) {
		uint64_t half = (uint64_t)vfs.f_bavail * vfs.f_frsize / 2;
		if (half < budget)
			budget = half;
	}
	return budget;
}

/* A larger session has larger rings: a quarter of it at most goes to one. */
static uint32_t default_ring_slots(uint64_t budget)
{
	uint32_t slots = DEFAULT_RING_SLOTS;
	while (slots < MAX_DEFAULT_RING_SLOTS && budget > INV_SEGMENT_DEFAULT_BYTES &&
	       (uint64_t)slots * 2 * sizeof(struct inv_slot) <= budget / 4)
		slots *= 2;
	return slots;
}

static void copy_text(char *to, size_t size, const char *from)
{
	size_t n = from ? strnlen(from, size - 1) : 0;
	memcpy(to, from ? from : "", n);
	to[n] = 0;
}

static uint64_t draw_nonce(const struct inv_self *self)
{
	uint64_t nonce;
	if (getrandom(&nonce, sizeof(nonce), GRND_NONBLOCK) != (ssize_t)sizeof(nonce))
		nonce = self->start_time << 32 | self->pid;
	return nonce;
}

static void fill_header(struct inv_header *h, const struct inv_segment_options *o,
			const struct inv_self *self)
{
	h->magic = INV_MAGIC;
	h->version = INV_FORMAT_VERSION;
	h->header_size = sizeof(*h);
	h->byte_order = INV_BYTE_ORDER;
	h->clock_kind = o->clock_kind ? o->clock_kind : inv_clock_detect();
	h->lane_count = o->lane_count ? o->lane_count : INV_LANES_MAX;
	/* One thread may take a quarter for its keys, 4,096 by default; few are ever touched. */
	h->cell_slots = inv_segment_afford(h->budget_bytes / 4, sizeof(struct inv_cell),
					   CELL_SLOTS_LEAST, CELL_SLOTS_MOST);
	h->pair_slots = inv_segment_afford(h->budget_bytes / 256, sizeof(struct inv_pair),
					   PAIR_SLOTS_LEAST, PAIR_SLOTS_MOST);
	h->ring_slots = o->ring_slots ? o->ring_slots : default_ring_slots(h->budget_bytes);
	h->overflow_cells = OVERFLOW_CELLS;
	h->overflow_pairs = OVERFLOW_PAIRS;
	h->probe_count = o->probe_count;
	h->probes_hash = o->probes_hash;
	h->creator_pid = self->pid;
	h->creator_uid = (uint32_t)geteuid();
	h->creator_start = self->start_time;
	h->pid_ns = self->pid_ns;
	h->cost_ticks_x1024 = o->cost_ticks_x1024;
	h->cost_entry_ticks_x1024 = o->cost_entry_ticks_x1024;
	h->session_nonce = draw_nonce(self);
	inv_clock_anchor((enum inv_clock_kind)h->clock_kind, &h->created);
	copy_text(h->boot_id, sizeof(h->boot_id), self->boot_id);
	copy_text(h->session, sizeof(h->session), o->session);
	copy_text(h->command, sizeof(h->command), o->command);
}

static struct {
	void *base;
	size_t bytes;
	bool locks; /* what is mapped from now on would be locked, and filled */
} mapping;

void inv_segment_expect_locks(bool on)
{
	mapping.locks = on;
}

void *inv_segment_mapping(size_t *bytes)
{
	*bytes = mapping.bytes;
	return mapping.base;
}

static enum inv_result map_file(struct inv_segment *seg, int fd, uint64_t bytes)
{
	/* What cannot be touched is not filled. */
	int access = PROT_READ | PROT_WRITE, at_first = mapping.locks ? PROT_NONE : access;
	void *base = mmap(NULL, bytes, at_first, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (base == MAP_FAILED)
		return INV_E_LIMIT;
	if (mapping.locks && (munlock(base, bytes) || mprotect(base, bytes, access))) {
		munmap(base, bytes);
		return INV_E_LIMIT;
	}
	madvise(base, bytes, MADV_DONTDUMP);
	madvise(base, bytes, MADV_NOHUGEPAGE); /* a lane would take some where it needs little */
	seg->base = mapping.base = base;
	seg->bytes = mapping.bytes = bytes;
	return INV_OK;
}

/* Everything before the lanes but the arena, which grows by chunks. */
static enum inv_result reserve_fixed(struct inv_segment *seg, const struct inv_header *h)
{
	uint64_t arena = h->regions[INV_REGION_ARENA].offset;
	uint64_t rows = h->regions[INV_REGION_LANE_ROWS].offset;
	uint64_t lanes = h->regions[INV_REGION_LANES].offset;
	enum inv_result r = populate(seg, 0, arena);
	if (!r)
		r = populate(seg, rows, lanes - rows);
	if (!r)
		atomic_store_explicit(&seg->shared->reserved_bytes, arena + lanes - rows,
				      memory_order_relaxed);
	return r;
}

static enum inv_result build(struct inv_segment *seg, int fd, struct inv_header *h,
			     const struct inv_segment_options *o)
{
	if (ftruncate(fd, (off_t)h->segment_bytes))
		return INV_E_SYSTEM;
	enum inv_result r = map_file(seg, fd, h->segment_bytes);
	if (r)
		return r;
	seg->shared = (void *)(seg->base + sizeof(*h));
	r = reserve_fixed(seg, h);
	if (r)
		return r;
	memcpy(seg->base, h, sizeof(*h));
	inv_segment_locate(seg, seg->base, seg->bytes, (void *)seg->base);
	if (o->probe_count)
		memcpy(seg->probes, o->probes, o->probe_count * sizeof(*o->probes));
	/* [B0] release: the whole segment before ready; pairs with inv_segment_check */
	atomic_store_explicit(&seg->header->ready, INV_READY, memory_order_release);
	return INV_OK;
}

static bool options_sane(const struct inv_segment_options *o)
{
	uint64_t ring = o->ring_slots ? o->ring_slots : DEFAULT_RING_SLOTS;
	return o->probe_count <= INV_PROBES_MAX && o->lane_count <= INV_LANES_MAX &&
	       power_of_two(ring) && ring >= 64 && ring <= (1u << 26) &&
	       o->budget_bytes <= INV_SEGMENT_MOST_BYTES;
}

/*
 * <dir>/.<name>.<nonce>.<pid>.tmp: hidden from listings; prune knows the form. The nonce:
 * in two containers the same program has the same pid.
 */
static bool temporary_path(char *buf, size_t size, const char *path, const struct inv_self *self)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	int n = snprintf(buf, size, "%.*s.%s.%016llx.%ld.tmp", (int)(name - path), path, name,
			 (unsigned long long)draw_nonce(self), (long)self->pid);
	return n > 0 && (size_t)n < size;
}

static enum inv_result create_at(struct inv_segment *seg, const char *temporary,
				 const struct inv_segment_options *o, const struct inv_self *self)
{
	struct inv_header h;
	int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno == ENOSPC ? INV_E_FULL : INV_E_SYSTEM;
	memset(&h, 0, sizeof(h));
	h.budget_bytes = choose_budget(fd, o);
	fill_header(&h, o, self);
	enum inv_result r = INV_E_FULL;
	if (h.budget_bytes >= INV_SEGMENT_LEAST_BYTES)
		r = fit_limits(&h) ? build(seg, fd, &h, o) : INV_E_LIMIT;
	close(fd);
	return r;
}

enum inv_result inv_segment_create(struct inv_segment *seg, const char *path,
				   const struct inv_segment_options *options)
{
	char temporary[sizeof(seg->path)];
	struct inv_self self;
	memset(seg, 0, sizeof(*seg));
	inv_self_read(&self);
	if (!options_sane(options) || strlen(path) >= sizeof(seg->path) ||
	    !temporary_path(temporary, sizeof(temporary), path, &self))
		return INV_E_USAGE;
	if (access(path, F_OK) == 0)
		return INV_E_EXISTS;
	strcpy(seg->path, temporary);
	enum inv_result r = create_at(seg, temporary, options, &self);
	if (!r && link(temporary, path)) /* a second name takes an inode in tmpfs */
		r = errno == EEXIST ? INV_E_EXISTS : errno == ENOSPC ? INV_E_FULL : INV_E_SYSTEM;
	int saved = errno;
	unlink(temporary);
	errno = saved;
	if (r)
		inv_segment_detach(seg);
	else
		strcpy(seg->path, path);
	return r;
}

/* ---- joining -------------------------------------------------------------------- */

static enum inv_result check_file(int fd, struct inv_header *h, struct stat *st)
{
	if (fstat(fd, st))
		return INV_E_SYSTEM;
	if (!S_ISREG(st->st_mode))
		return INV_E_KIND;
	if (st->st_uid != geteuid())
		return INV_E_OWNER;
	/* In a user namespace all foreign owners look alike: what we may write to without a
	 * right given to others is ours indeed. */
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return INV_E_MODE;
	ssize_t n = pread(fd, h, sizeof(*h), 0);
	if (n != (ssize_t)sizeof(*h))
		return INV_E_MAGIC;
	return inv_segment_check(h, (uint64_t)st->st_size);
}

/*
 * O_NONBLOCK: a FIFO of that name must not hang us. EAGAIN: a reader finds out at this moment
 * whether anybody has it open (inv_session_has_writers).
 */
static int open_session(const char *path)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int fd, tries = OPEN_TRIES;
	while ((fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) < 0 &&
	       errno == EAGAIN && tries--)
		nanosleep(&pause, NULL);
	return fd;
}

enum inv_result inv_segment_join(struct inv_segment *seg, const char *path)
{
	struct inv_header h;
	struct stat st;
	memset(seg, 0, sizeof(*seg));
	if (strlen(path) >= sizeof(seg->path))
		return INV_E_USAGE;
	int fd = open_session(path);
	if (fd < 0)
		return errno == ENOENT ? INV_E_NOT_FOUND
				       : (errno == ELOOP ? INV_E_KIND : INV_E_SYSTEM);
	enum inv_result r = check_file(fd, &h, &st);
	if (!r && (h.flags & INV_HEADER_SNAPSHOT))
		r = INV_E_KIND;
	if (!r && !inv_clock_usable((enum inv_clock_kind)h.clock_kind))
		r = INV_E_CLOCK;
	if (!r && !mapping_allowed(h.segment_bytes))
		r = INV_E_LIMIT;
	if (!r)
		r = map_file(seg, fd, h.segment_bytes);
	close(fd);
	if (r)
		return r;
	inv_segment_locate(seg, seg->base, seg->bytes, (void *)seg->base);
	strcpy(seg->path, path);
	return INV_OK;
}

void inv_segment_detach(struct inv_segment *seg)
{
	int saved = errno;
	if (seg->base)
		munmap(seg->base, seg->bytes);
	if (seg->base == mapping.base)
		mapping.base = NULL, mapping.bytes = 0;
	memset(seg, 0, sizeof(*seg));
	errno = saved;
}
