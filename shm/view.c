/* SPDX-License-Identifier: MIT */
/*
 * view.c - reading a segment that others write, or that anybody may have made up.
 *
 * Counts and sizes are taken from the header once it has passed inv_segment_check; what
 * the lanes say of themselves is bounded by it at each use. Copies are made with relaxed
 * word loads: a torn structure is told by its sequence word, never by its contents.
 */
#include "view.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lane.h"
#include "names.h"
#include "ring.h"
#include "text.h"

static uint64_t get(const inv_a64 *word)
{
	return atomic_load_explicit((inv_a64 *)word, memory_order_relaxed);
}

static uint32_t get32(const inv_a32 *word)
{
	return atomic_load_explicit((inv_a32 *)word, memory_order_relaxed);
}

/* ---- open ------------------------------------------------------------------------ */

/*
 * The header is read once, into memory of our own, and checked there: in the mapping its owner,
 * who need not be us, could write other sizes to it after the check.
 */
static enum inv_result read_header(int fd, struct inv_header *h, uint64_t file_bytes,
				   uint32_t *found)
{
	if (pread(fd, h, sizeof(*h), 0) != (ssize_t)sizeof(*h))
		return INV_E_MAGIC;
	if (h->magic == INV_MAGIC)
		*found = h->version;
	return inv_segment_check(h, file_bytes);
}

enum inv_result inv_view_open(struct inv_view *view, int fd, uint32_t *found)
{
	struct stat st;
	memset(view, 0, sizeof(*view));
	*found = 0;
	if (fstat(fd, &st))
		return INV_E_SYSTEM;
	if (!S_ISREG(st.st_mode))
		return INV_E_KIND;
	struct inv_header *h = malloc(sizeof(*h));
	if (!h)
		return INV_E_SYSTEM;
	enum inv_result r = read_header(fd, h, (uint64_t)st.st_size, found);
	void *base = MAP_FAILED;
	if (r == INV_OK) {
		base = mmap(NULL, h->segment_bytes, PROT_READ, MAP_SHARED, fd, 0);
		r = base == MAP_FAILED ? INV_E_SYSTEM : INV_OK;
	}
	if (r == INV_OK)
		inv_segment_locate(&view->seg, base, h->segment_bytes, h);
	else
		free(h);
	return r;
}

void inv_view_close(struct inv_view *view)
{
	if (view->seg.base)
		munmap(view->seg.base, view->seg.bytes);
	free(view->seg.header);
	memset(view, 0, sizeof(*view));
}

uint32_t inv_view_lane_count(const struct inv_view *view)
{
	uint32_t touched = get32(&view->seg.shared->lanes_touched);
	return touched < view->seg.header->lane_count ? touched : view->seg.header->lane_count;
}

/* ---- lanes ------------------------------------------------------------------------ */

/* Copies `count` words with relaxed loads. */
static void copy_words(void *to, const void *from, size_t count)
{
	const inv_a64 *in = from;
	uint64_t *out = to;
	for (size_t i = 0; i < count; i++)
		out[i] = get(&in[i]);
}

static void copy_row(struct inv_lane_row *to, const struct inv_lane_row *from)
{
	copy_words(to, from, sizeof(*to) / 8);
}

static uint32_t bounded_pairs(const struct inv_view *view, uint32_t slots)
{
	return slots < view->seg.header->pair_slots ? slots : view->seg.header->pair_slots;
}

/* One that was closed, or taken for another call, while it was copied counts for nothing. */
static void copy_entry(struct inv_inflight *to, const struct inv_inflight *from)
{
	/* [B9] acquire: the entry is read after its ordinal; pairs with begin */
	uint64_t before = atomic_load_explicit((inv_a64 *)&from->ordinal_1, memory_order_acquire);
	copy_words(to, from, sizeof(*to) / 8);
#ifndef INV_TSAN
	/* [B11] acquire: the copy before the second look; pairs with the fence in commit */
	atomic_thread_fence(memory_order_acquire);
#endif
	if (get(&to->ordinal_1) != before || get(&from->ordinal_1) != before)
		atomic_store_explicit(&to->ordinal_1, 0, memory_order_relaxed);
}

/*
 * Entries first, `begun` after them would name a call that has not begun in this copy;
 * begun first could miss one. [B9]: begun is read first, then entries with acquire.
 */
static void copy_fixed(struct inv_lane *to, const struct inv_lane *from)
{
	copy_words(to, from, offsetof(struct inv_lane, inflight) / 8);
	for (unsigned i = 0; i < INV_INFLIGHT_MAX; i++) {
		copy_entry(&to->inflight[i], &from->inflight[i]);
		copy_entry(&to->ended[i], &from->ended[i]);
	}
}

static bool copy_tables(const struct inv_view *view, uint32_t lane, struct inv_lane_copy *out)
{
	out->cells = calloc(out->cell_count, sizeof(*out->cells));
	out->pairs = calloc(out->pair_count ? out->pair_count : 1, sizeof(*out->pairs));
	if (!out->cells || !out->pairs)
		return false;
	copy_words(out->cells, inv_segment_cells(&view->seg, lane),
		   out->cell_count * (sizeof(*out->cells) / 8));
	copy_words(out->pairs, inv_segment_pairs(&view->seg, lane),
		   out->pair_count * (sizeof(*out->pairs) / 8));
	return true;
}

static void redo_copy(struct inv_lane_copy *out, const struct inv_commit *commit)
{
	struct inv_commit_target to = {
		.lane = &out->fixed,
		.cells = out->cells,
		.cell_count = out->cell_count,
		.pairs = out->pairs,
		.pair_count = out->pair_count,
	};
	inv_commit_apply(commit, &to);
	out->redone = true;
}

enum inv_result inv_view_lane(const struct inv_view *view, uint32_t lane, struct inv_lane_copy *out)
{
	struct inv_commit commit;
	memset(out, 0, sizeof(*out));
	out->lane = lane;
	if (lane >= inv_view_lane_count(view))
		return INV_E_NOT_FOUND;
	const struct inv_lane *live = inv_segment_lane(&view->seg, lane);
	copy_row(&out->row, &view->seg.rows[lane]);
	if (!get32(&out->row.pair_slots))
		return INV_E_NOT_FOUND;
	/* [B5] acquire: the redo record is read after in_slot; pairs with commit */
	uint64_t in_slot = atomic_load_explicit((inv_a64 *)&live->in_slot, memory_order_acquire);
	inv_commit_load(&commit, &live->redo);
	copy_fixed(&out->fixed, live);
	/* [B4] acquire: keys are read after the count; pairs with add_cell */
	uint64_t cells = atomic_load_explicit((inv_a64 *)&live->cell_count, memory_order_acquire);
	uint32_t most = view->seg.header->cell_slots;
	out->cell_count = cells < 2 ? 2 : (cells < most ? (uint32_t)cells : most);
	out->pair_count = bounded_pairs(view, get32(&out->row.pair_slots));
	if (!copy_tables(view, lane, out)) {
		inv_lane_copy_free(out);
		return INV_E_SYSTEM;
	}
#ifndef INV_TSAN
	/* [B11] acquire: all copies before the second look; pairs with the fence in commit */
	atomic_thread_fence(memory_order_acquire);
#endif
	/* The same commit before and after: its writer stands, or died, in the middle of it. */
	if (in_slot && get(&live->in_slot) == in_slot)
		redo_copy(out, &commit);
	if (get(&out->fixed.head) > INV_SEQ_INDEX_MAX)
		atomic_store_explicit(&out->fixed.head, INV_SEQ_INDEX_MAX, memory_order_relaxed);
	return INV_OK;
}

void inv_lane_copy_free(struct inv_lane_copy *copy)
{
	free(copy->cells);
	free(copy->pairs);
	copy->cells = NULL;
	copy->pairs = NULL;
}

uint64_t inv_lane_copy_open_calls(const struct inv_lane_copy *copy)
{
	return inv_lane_open_calls(&copy->fixed);
}

uint64_t inv_cell_calls(const struct inv_cell *cell)
{
	uint64_t calls = 0;
	for (unsigned i = 0; i < INV_HIST_BUCKETS; i++)
		calls += get(&cell->bucket[i]);
	return calls;
}

enum inv_result inv_view_overflow(const struct inv_view *view, struct inv_overflow_copy *out)
{
	const struct inv_header *h = view->seg.header;
	memset(out, 0, sizeof(*out));
	out->cell_count = h->overflow_cells;
	out->pair_count = h->overflow_pairs;
	out->cells = calloc(out->cell_count, sizeof(*out->cells));
	out->pairs = calloc(out->pair_count, sizeof(*out->pairs));
	if (!out->cells || !out->pairs) {
		inv_overflow_copy_free(out);
		return INV_E_SYSTEM;
	}
	/* Returned first, begun after: what is in flight never comes out negative. */
	copy_words(out->cells, view->seg.overflow_cells,
		   out->cell_count * (sizeof(*out->cells) / 8));
	copy_words(out->pairs, view->seg.overflow_pairs,
		   out->pair_count * (sizeof(*out->pairs) / 8));
	copy_words(&out->fixed, view->seg.overflow, sizeof(out->fixed) / 8);
	return INV_OK;
}

void inv_overflow_copy_free(struct inv_overflow_copy *copy)
{
	free(copy->cells);
	free(copy->pairs);
	copy->cells = NULL;
	copy->pairs = NULL;
}

/* ---- events ----------------------------------------------------------------------- */

uint64_t inv_view_head(const struct inv_view *view, uint32_t lane)
{
	if (lane >= inv_view_lane_count(view) || !get32(&view->seg.rows[lane].ring_slots))
		return 0;
	/* [B2] acquire: slots up to head are published; pairs with inv_ring_advance */
	uint64_t head = atomic_load_explicit(&inv_segment_lane(&view->seg, lane)->head,
					     memory_order_acquire);
	return head < INV_SEQ_INDEX_MAX ? head : INV_SEQ_INDEX_MAX;
}

uint32_t inv_view_ring_slots(const struct inv_view *view, uint32_t lane)
{
	if (lane >= view->seg.header->lane_count)
		return 0;
	uint32_t slots = get32(&view->seg.rows[lane].ring_slots);
	bool sane = slots && !(slots & (slots - 1)) && slots <= view->seg.header->ring_slots;
	return sane ? slots : 0;
}

/* Copies words 1 to 7 of the slot that holds `index`, and tells its state. */
static enum inv_slot_read copy_slot(const struct inv_slot *slot, uint64_t index, uint64_t words[8])
{
	const inv_a64 *live = &slot->seq;
	/* [B1] acquire: fields are read after their state; pairs with inv_slot_publish */
	uint64_t seq = atomic_load_explicit((inv_a64 *)live, memory_order_acquire);
	if (INV_SEQ_INDEX(seq) > index)
		return INV_SLOT_READ_LAPPED;
	if (INV_SEQ_INDEX(seq) < index || INV_SEQ_STATE(seq) == INV_SLOT_BUSY)
		return INV_SLOT_READ_PENDING;
	for (unsigned i = 1; i < 8; i++)
		words[i] = inv_word_load(&live[i]);
#ifndef INV_TSAN
	/* [B3] acquire: the copy before the second look; pairs with inv_slot_open */
	atomic_thread_fence(memory_order_acquire);
#endif
	uint64_t again = get(live);
	if (INV_SEQ_INDEX(again) != index)
		return INV_SLOT_READ_LAPPED;
	/* ATTEMPT that became DONE while we copied: the attempt is whole, the rest is not. */
	words[0] = seq;
	return INV_SLOT_READ_OK;
}

static void decode(struct inv_event *out, uint32_t lane, uint64_t index, const uint64_t w[8])
{
	memset(out, 0, sizeof(*out));
	out->index = index;
	out->lane = lane;
	out->state = (uint8_t)INV_SEQ_STATE(w[0]);
	out->start_ticks = w[1];
	out->tick = (int64_t)w[3];
	out->invoker = (uint32_t)w[4];
	out->artifact = (uint32_t)(w[4] >> 32);
	out->method = (uint32_t)w[5];
	out->tid = (uint32_t)(w[5] >> 32);
	out->proc = INV_WHERE_PROC(w[6]);
	out->generation = INV_WHERE_GENERATION(w[6]);
	out->args_count = INV_WHERE_ARGS(w[6]);
	out->probe = INV_WHERE_PROBE(w[6]);
	out->depth = INV_WHERE_DEPTH(w[6]);
	out->names_follow = (w[6] & INV_WHERE_TEXT_FOLLOWS) != 0;
	if (out->state != INV_SLOT_DONE)
		return;
	out->duration_ticks = w[2];
	out->type = INV_OUTCOME_TYPE(w[7]);
	out->flags = INV_OUTCOME_FLAGS(w[7]);
	out->text_slots = INV_OUTCOME_TEXT_SLOTS(w[7]);
	out->text_distance = INV_OUTCOME_DISTANCE(w[7]);
}

/* A commit that stands may already have decided this attempt [R1]. */
static void take_from_redo(const struct inv_lane *lane, uint64_t index, uint64_t words[8])
{
	struct inv_commit commit;
	/* [B5] acquire: the redo record is read after in_slot; pairs with commit */
	uint64_t in_slot = atomic_load_explicit((inv_a64 *)&lane->in_slot, memory_order_acquire);
	if (!in_slot)
		return;
	inv_commit_load(&commit, &lane->redo);
#ifndef INV_TSAN
	/* [B11] acquire: the record before the second look; pairs with the fence in commit */
	atomic_thread_fence(memory_order_acquire);
#endif
	if (get(&lane->in_slot) != in_slot || commit.slot != index)
		return;
	words[0] = INV_SEQ(index, INV_SLOT_DONE);
	words[2] = commit.duration_ticks;
	words[7] = commit.outcome;
}

enum inv_slot_read inv_view_event(const struct inv_view *view, uint32_t lane, uint64_t index,
				  struct inv_event *out)
{
	uint64_t words[8];
	uint32_t slots = inv_view_ring_slots(view, lane);
	if (!slots || !index || lane >= inv_view_lane_count(view))
		return INV_SLOT_READ_NONE;
	const struct inv_slot *slot =
		inv_ring_slot(inv_segment_ring(&view->seg, lane), slots - 1, index);
	enum inv_slot_read r = copy_slot(slot, index, words);
	if (r != INV_SLOT_READ_OK)
		return r;
	if (INV_SEQ_STATE(words[0]) == INV_SLOT_ATTEMPT)
		take_from_redo(inv_segment_lane(&view->seg, lane), index, words);
	decode(out, lane, index, words);
	return r;
}

void inv_view_event_store(const struct inv_event *e, struct inv_slot *slot)
{
	atomic_store_explicit(&slot->seq, INV_SEQ(e->index, e->state), memory_order_relaxed);
	atomic_store_explicit(&slot->duration_ticks, e->duration_ticks, memory_order_relaxed);
	atomic_store_explicit(&slot->outcome,
			      INV_OUTCOME(e->type, e->flags, e->text_slots, e->text_distance),
			      memory_order_relaxed);
}

/* ---- text ------------------------------------------------------------------------- */

/* Appends the bytes of `count` text slots. Returns: how many bytes are whole. */
static size_t gather(const struct inv_view *view, const struct inv_event *event, uint64_t first,
		     unsigned count, unsigned char *bytes, bool *lapped)
{
	struct inv_slot *ring = inv_segment_ring(&view->seg, event->lane);
	uint32_t slots = inv_view_ring_slots(view, event->lane);
	uint64_t words[8];
	if (!slots) { /* the event had a ring: it is not as it was */
		*lapped = true;
		return 0;
	}
	for (unsigned part = 0; part < count; part++) {
		const struct inv_slot *slot = inv_ring_slot(ring, slots - 1, first + part);
		if (copy_slot(slot, first + part, words) != INV_SLOT_READ_OK ||
		    INV_SEQ_STATE(words[0]) != INV_SLOT_TEXT ||
		    words[1] != INV_TEXT_META(event->index, part, words[1] >> 48)) {
			*lapped = true;
			return part * INV_TEXT_BYTES;
		}
		if (part == 0 && (uint8_t)(words[1] >> 48) < count)
			count = (uint8_t)(words[1] >> 48);
		memcpy(bytes + part * INV_TEXT_BYTES, &words[2], INV_TEXT_BYTES);
	}
	return count * INV_TEXT_BYTES;
}

static void take_item(struct inv_event_text *out, unsigned tag, unsigned flags,
		      const unsigned char *bytes, size_t length)
{
	if (length > INV_MESSAGE_BYTES_MAX)
		length = INV_MESSAGE_BYTES_MAX;
	if (tag == INV_TEXT_MESSAGE) {
		memcpy(out->message, bytes, length);
		out->message_length = (uint32_t)length;
		out->message_cut = (flags & INV_TEXT_CUT) != 0;
	} else if (tag >= INV_TEXT_INVOKER && tag <= INV_TEXT_METHOD) {
		memcpy(out->name[tag - INV_TEXT_INVOKER], bytes, length);
		out->name_length[tag - INV_TEXT_INVOKER] = (uint32_t)length;
	} else if (tag == INV_TEXT_ORIGIN && length == 8) {
		memcpy(&out->origin, bytes, 8);
	}
}

static void parse_items(struct inv_event_text *out, const unsigned char *bytes, size_t length)
{
	size_t at = 0;
	while (at + INV_TEXT_ITEM_HEAD <= length && bytes[at]) {
		size_t n = (size_t)bytes[at + 2] | (size_t)bytes[at + 3] << 8;
		if (n > length - at - INV_TEXT_ITEM_HEAD)
			n = length - at - INV_TEXT_ITEM_HEAD;
		take_item(out, bytes[at], bytes[at + 1], bytes + at + INV_TEXT_ITEM_HEAD, n);
		at += INV_TEXT_ITEM_HEAD + n;
	}
}

void inv_view_event_text(const struct inv_view *view, const struct inv_event *event,
			 struct inv_event_text *out)
{
	unsigned char bytes[(INV_TEXT_SLOTS_MAX + 1) * INV_TEXT_BYTES];
	out->message_length = 0;
	out->message_cut = false;
	memset(out->name_length, 0, sizeof(out->name_length));
	out->origin = 0;
	out->lapped = false;
	if (event->names_follow && !(event->flags & INV_FLAG_REWRITTEN)) {
		size_t n = gather(view, event, event->index + 1, INV_TEXT_SLOTS_MAX, bytes,
				  &out->lapped);
		parse_items(out, bytes, n);
	}
	if (event->text_slots) {
		unsigned count = event->text_slots < INV_TEXT_SLOTS_MAX ? event->text_slots
									: INV_TEXT_SLOTS_MAX;
		uint64_t first = event->index + (uint64_t)(int64_t)(int32_t)event->text_distance;
		size_t n = gather(view, event, first, count, bytes, &out->lapped);
		parse_items(out, bytes, n);
	}
}

/* ---- names and rows --------------------------------------------------------------- */

static const char other[] = "_other";

const char *inv_view_name(const struct inv_view *view, uint32_t id, size_t *length)
{
	const char *text = inv_name_text(&view->seg, id, length);
	if (text)
		return text;
	*length = sizeof(other) - 1;
	return other;
}

const char *inv_view_type(const struct inv_view *view, uint32_t type, size_t *length)
{
	uint32_t id = type && type < INV_TYPES_MAX ? get32(&view->seg.types[type]) : 0;
	return inv_view_name(view, id, length);
}

void inv_view_proc(const struct inv_view *view, uint32_t row, struct inv_proc *out)
{
	memset(out, 0, sizeof(*out));
	if (row >= INV_PROCS_MAX)
		return;
	/* [B7] acquire: the row is read after LIVE; pairs with inv_proc_claim */
	uint64_t state = atomic_load_explicit(&view->seg.procs[row].state, memory_order_acquire);
	copy_words(out, &view->seg.procs[row], sizeof(*out) / 8);
	atomic_store_explicit(&out->state, state, memory_order_relaxed);
	out->comm[sizeof(out->comm) - 1] = 0;
	out->exe[sizeof(out->exe) - 1] = 0;
}

void inv_view_probe(const struct inv_view *view, uint32_t probe, struct inv_probe_row *out)
{
	memset(out, 0, sizeof(*out));
	if (probe >= view->seg.header->probe_count)
		return;
	memcpy(out, &view->seg.probes[probe], sizeof(*out));
	out->name[sizeof(out->name) - 1] = 0;
	out->target[sizeof(out->target) - 1] = 0;
	out->signature[sizeof(out->signature) - 1] = 0;
	out->success[sizeof(out->success) - 1] = 0;
	out->result_type[sizeof(out->result_type) - 1] = 0;
}

bool inv_view_note(const struct inv_view *view, uint32_t place, struct inv_note *out)
{
	if (place >= INV_NOTES_MAX)
		return false;
	const struct inv_note *note = &view->seg.notes[place];
	/* [B8] acquire: the text is read after 2; pairs with inv_note_add */
	if (atomic_load_explicit((inv_a32 *)&note->state, memory_order_acquire) != 2)
		return false;
	copy_words(out, note, sizeof(*out) / 8);
	if (!get32(&out->count))
		return false; /* withdrawn */
	out->exe[sizeof(out->exe) - 1] = 0;
	out->detail[sizeof(out->detail) - 1] = 0;
	return true;
}

uint64_t inv_view_lost(const struct inv_view *view, enum inv_loss reason)
{
	return (unsigned)reason < INV_LOSS_COUNT ? get(&view->seg.shared->lost[reason]) : 0;
}
