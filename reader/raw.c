/* SPDX-License-Identifier: MIT */
/*
 * raw.c - writing a raw snapshot, page by page, pages of zeros skipped.
 *
 * Each part is copied to memory first and written from there: a write(2) straight from the
 * mapping could not apply the redo record, and would fail on a truncated file in a way that
 * looks like a bad output file.
 */
#include "raw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "decode.h"
#include "guard.h"
#include "shm/clock.h"
#include "shm/proc.h"

struct writer {
	const struct inv_view *view;
	int fd;
	struct timespec begun;
};

static int write_all(int fd, const char *bytes, size_t length, uint64_t at)
{
	while (length) {
		ssize_t n = pwrite(fd, bytes, length, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		length -= (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

static bool all_zero(const char *page, size_t length)
{
	static const char zeros[INV_PAGE_BYTES];
	return memcmp(page, zeros, length) == 0;
}

/* Writes what is not zero, a page at a time; runs of pages go together. */
static int write_sparse(int fd, const char *bytes, size_t length, uint64_t at)
{
	size_t from = 0;
	while (from < length) {
		size_t to = from;
		while (to < length) {
			size_t n = length - to < INV_PAGE_BYTES ? length - to : INV_PAGE_BYTES;
			if (all_zero(bytes + to, n))
				break;
			to += n;
		}
		int r = to > from ? write_all(fd, bytes + from, to - from, at + from) : 0;
		if (r)
			return r;
		from = to > from ? to : from + INV_PAGE_BYTES;
	}
	return 0;
}

/* Whoever reads the copy cannot ask who was alive: the dead have ENDED in it. */
static void end_dead(const struct writer *w, struct inv_proc *procs)
{
	struct inv_self self;
	inv_self_read(&self);
	for (uint32_t i = 0; i < INV_PROCS_MAX; i++) {
		uint64_t state = atomic_load_explicit(&procs[i].state, memory_order_relaxed);
		if (INV_PROC_STATUS(state) != INV_PROC_LIVE ||
		    inv_proc_row_liveness(&w->view->seg, &self, i) != INV_LIVENESS_DEAD)
			continue;
		state = INV_PROC_STATE(INV_PROC_GENERATION(state), INV_PROC_ENDED,
				       INV_PROC_PID(state));
		atomic_store_explicit(&procs[i].state, state, memory_order_relaxed);
	}
}

/* Regions that are copied as they are: names are only ever added, rows are small. */
static int write_plain(const struct writer *w, uint64_t offset, uint64_t bytes, bool procs)
{
	char *copy = malloc(bytes);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, w->view->seg.base + offset, bytes);
	if (procs && !(w->view->seg.header->flags & INV_HEADER_SNAPSHOT))
		end_dead(w, (struct inv_proc *)copy);
	int r = write_sparse(w->fd, copy, bytes, offset);
	free(copy);
	return r;
}

static uint64_t offset_of(const struct writer *w, const void *p)
{
	return (uint64_t)((const unsigned char *)p - w->view->seg.base);
}

/* Slots that are whole now, in their own places; the rest stays zero. */
static int write_ring(const struct writer *w, uint32_t lane)
{
	uint32_t slots = inv_view_ring_slots(w->view, lane);
	uint64_t head = inv_view_head(w->view, lane);
	const struct inv_slot *ring = inv_segment_ring(&w->view->seg, lane);
	struct inv_slot *copy = slots ? calloc(slots, sizeof(*copy)) : NULL;
	if (!slots)
		return 0;
	if (!copy)
		return -ENOMEM;
	for (uint64_t i = head > slots ? head - slots + 1 : 1; i <= head; i++) {
		struct inv_event event;
		if (inv_view_event(w->view, lane, i, &event) != INV_SLOT_READ_OK)
			continue;
		struct inv_slot *to = &copy[i & (slots - 1)];
		memcpy(to, &ring[i & (slots - 1)], sizeof(*to));
		/* Lapped between the check and the copy: drop it. */
		if (INV_SEQ_INDEX(atomic_load_explicit(&to->seq, memory_order_relaxed)) != i)
			memset(to, 0, sizeof(*to));
		else if (event.state == INV_SLOT_DONE)
			inv_view_event_store(&event, to);
	}
	int r = write_sparse(w->fd, (const char *)copy, (size_t)slots * sizeof(*copy),
			     offset_of(w, ring));
	free(copy);
	return r;
}

static int write_lane(const struct writer *w, uint32_t lane)
{
	struct inv_lane_copy copy;
	enum inv_result found = inv_view_lane(w->view, lane, &copy);
	if (found)
		return found == INV_E_SYSTEM ? -ENOMEM : 0;
	atomic_store_explicit(&copy.fixed.in_slot, 0, memory_order_relaxed);
	atomic_store_explicit(&copy.fixed.cell_count, copy.cell_count, memory_order_relaxed);
	int r = write_sparse(w->fd, (const char *)&copy.fixed, sizeof(copy.fixed),
			     offset_of(w, inv_segment_lane(&w->view->seg, lane)));
	if (!r)
		r = write_sparse(w->fd, (const char *)copy.cells,
				 copy.cell_count * sizeof(*copy.cells),
				 offset_of(w, inv_segment_cells(&w->view->seg, lane)));
	if (!r)
		r = write_sparse(w->fd, (const char *)copy.pairs,
				 copy.pair_count * sizeof(*copy.pairs),
				 offset_of(w, inv_segment_pairs(&w->view->seg, lane)));
	inv_lane_copy_free(&copy);
	return r ? r : write_ring(w, lane);
}

static int write_header(const struct writer *w, uint32_t lanes)
{
	struct inv_header h;
	struct timespec now, civil;
	memcpy(&h, w->view->seg.header, sizeof(h));
	h.lane_count = lanes;
	h.regions[INV_REGION_LANES].bytes = h.lane_stride * lanes;
	h.segment_bytes = h.regions[INV_REGION_LANES].offset + h.regions[INV_REGION_LANES].bytes;
	if (!(h.flags & INV_HEADER_SNAPSHOT)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		h.flags |= INV_HEADER_SNAPSHOT;
		h.window_ns = (uint64_t)(now.tv_sec - w->begun.tv_sec) * 1000000000u +
			      (uint64_t)(now.tv_nsec - w->begun.tv_nsec);
		clock_gettime(CLOCK_REALTIME, &civil);
		h.taken = (struct inv_anchor){.realtime_ns = (int64_t)civil.tv_sec * 1000000000 +
							     civil.tv_nsec};
		if (inv_decode_now_counts(&h))
			inv_clock_anchor((enum inv_clock_kind)h.clock_kind, &h.taken);
	}
	int r = write_all(w->fd, (const char *)&h, sizeof(h), 0);
	if (!r && ftruncate(w->fd, (off_t)h.segment_bytes))
		r = -errno;
	return r;
}

static int write_guarded(void *arg)
{
	const struct writer *w = arg;
	const struct inv_header *h = w->view->seg.header;
	uint32_t lanes = inv_view_lane_count(w->view);
	int r = 0;
	/* Tallies before names: what a tally names is then among the names that follow. */
	for (uint32_t lane = 0; lane < lanes && !r; lane++)
		r = write_lane(w, lane);
	for (unsigned i = 0; i < INV_REGION_LANES && !r; i++)
		r = write_plain(w, h->regions[i].offset, h->regions[i].bytes,
				i == INV_REGION_PROCS);
	if (!r)
		r = write_plain(w, sizeof(*h), sizeof(struct inv_shared), false);
	return r ? r : write_header(w, lanes);
}

int inv_raw_write(const struct inv_view *view, int fd)
{
	struct writer w = {.view = view, .fd = fd};
	clock_gettime(CLOCK_MONOTONIC, &w.begun);
	return inv_guard_call(write_guarded, &w);
}
