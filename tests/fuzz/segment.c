/* SPDX-License-Identifier: MIT */
#include "segment.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "shm/names.h"
#include "shm/record.h"
#include "shm/view.h"

#define LANES	   3u
#define RING	   64u
#define CELLS	   24u
#define PAIRS	   128u
#define OVER	   4u	 /* cells and pairs of the overflow region */
#define ARENA_LEFT 8192u /* so soon is it full */

static struct inv_segment segment;

/* ---- the file ---------------------------------------------------------------------------- */

static uint64_t page_up(uint64_t bytes)
{
	return (bytes + INV_PAGE_BYTES - 1) & ~(uint64_t)(INV_PAGE_BYTES - 1);
}

/* The regions in the order of layout.h, as small as they may be. */
static void lay_out(struct inv_header *h)
{
	uint64_t at = h->regions[INV_REGION_ARENA].offset;
	h->cell_slots = CELLS;
	h->pair_slots = PAIRS;
	h->overflow_cells = h->overflow_pairs = OVER;
	h->lane_stride = sizeof(struct inv_lane) + page_up(CELLS * sizeof(struct inv_cell)) +
			 page_up(PAIRS * sizeof(struct inv_pair)) +
			 page_up(RING * sizeof(struct inv_slot));
	h->regions[INV_REGION_OVERFLOW].bytes =
		page_up(sizeof(struct inv_overflow) +
			OVER * (sizeof(struct inv_cell) + sizeof(struct inv_pair)));
	h->regions[INV_REGION_LANES].bytes = h->lane_stride * h->lane_count;
	for (unsigned i = INV_REGION_ARENA; i < INV_REGION_COUNT; i++) {
		h->regions[i].offset = at;
		at += h->regions[i].bytes;
	}
	h->segment_bytes = at;
}

/* The first name stands near the end of the arena. */
static void use_up_arena(void)
{
	uint64_t bytes = segment.header->regions[INV_REGION_ARENA].bytes;
	atomic_store(&segment.shared->arena_used, bytes - ARENA_LEFT);
	atomic_store(&segment.shared->arena_reserved, bytes - 2 * INV_PAGE_BYTES);
}

/* A session of the creator's own geometry, made anew in ours. */
static void make_file(const char *path)
{
	static const struct inv_probe_row PROBES[2] = {
		{.name = "executor",
		 .target = "executor_invoke",
		 .signature = "int (str a)",
		 .success = "return == 0",
		 .result_type = "int"},
		{.name = "other", .target = "lib.so:other", .result_type = "ptr"}};
	struct inv_segment_options options = {.session = "fuzzed",
					      .command = "a program",
					      .ring_slots = RING,
					      .lane_count = LANES,
					      .probes = PROBES,
					      .probe_count = 2,
					      .cost_ticks_x1024 = 41 * 1024,
					      .clock_kind = INV_CLOCK_MONOTONIC};
	struct inv_header h;
	FUZZ_REQUIRE(inv_segment_create(&segment, path, &options) == INV_OK);
	memcpy(&h, segment.header, sizeof(h));
	lay_out(&h);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	FUZZ_REQUIRE(fd >= 0);
	FUZZ_REQUIRE(ftruncate(fd, (off_t)h.segment_bytes) == 0);
	FUZZ_REQUIRE(pwrite(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h));
	close(fd);
	inv_segment_detach(&segment);
	FUZZ_REQUIRE(inv_segment_join(&segment, path) == INV_OK);
	use_up_arena();
}

/* ---- its calls ----------------------------------------------------------------------------- */

static inline __attribute__((always_inline)) void begin(struct inv_call *call, const char *artifact,
							int64_t tick)
{
	struct inv_call_fields f = {.tick = tick, .args_count = 2, .probe = (uint8_t)(tick & 1)};
	if (!inv_record_enter(call))
		return;
	f.invoker = inv_name_of_string(call->names, inv_record_segment(), "alice", &f.miss[0]);
	f.artifact = inv_name_of_string(call->names, inv_record_segment(), artifact, &f.miss[1]);
	f.method = inv_name_of_string(call->names, inv_record_segment(),
				      tick % 3 ? "read" : "write", &f.miss[2]);
	for (unsigned i = 0; i < 3; i++)
		if (f.miss[i].overflow || f.miss[i].unreadable)
			f.missed |= (uint8_t)(1u << i);
	inv_record_begin(call, &f);
}

static void end(struct inv_call *call, const char *message)
{
	const char *type = message ? "permission" : "int";
	struct inv_call_outcome o = {.failed = message != NULL,
				     .type = inv_type_intern(inv_record_segment(), type,
							     strlen(type)),
				     .message = message,
				     .message_length = message ? (uint32_t)strlen(message) : 0};
	if (!call->mode)
		return;
	uint64_t now = inv_record_now();
	inv_record_reenter(call);
	inv_record_end(call, &o, now);
}

static __attribute__((noinline)) void one_call(const char *artifact, int64_t tick)
{
	struct inv_call call, inner;
	begin(&call, artifact, tick);
	if (tick % 4 == 0) {
		begin(&inner, "inner", tick + 1);
		end(&inner, NULL);
	}
	end(&call,
	    tick % 5 ? NULL : "no: \"quoted\", \xff broken and longer than a text slot's 48 bytes");
}

static __attribute__((noinline)) void *thread_calls(void *arg)
{
	struct inv_call *open = arg;
	for (int64_t i = 0; i < 20; i++)
		one_call(i % 2 ? "wheat" : "ore", i);
	begin(open, "stuck", 99);
	return NULL;
}

/* The arena is full after some of them: what follows goes by text. */
static void long_names(void)
{
	char name[INV_NAME_BYTES_MAX - 23];
	for (char c = 'a'; c < 'f'; c++) {
		memset(name, c, sizeof(name));
		name[sizeof(name) - 1] = '\0';
		one_call(name, c);
	}
}

static void fill(void)
{
	static struct inv_call open[3]; /* one of them is begun where no lane is left */
	struct inv_record_options options = {.segment = &segment};
	struct inv_self self;
	FUZZ_REQUIRE(inv_record_attach(&options) == INV_OK);
	for (int64_t i = 0; i < 60; i++)
		one_call(i % 2 ? "wheat" : "ore", i);
	pthread_t thread;
	for (unsigned i = 0; i < 3; i++) {
		FUZZ_REQUIRE(pthread_create(&thread, NULL, thread_calls, &open[i]) == 0);
		pthread_join(thread, NULL);
	}
	long_names();
	inv_self_read(&self);
	inv_note_add(&segment, &self, INV_REASON_NONE + 1, 1, "a note");
	inv_segment_lose(&segment, INV_LOSS_PAUSED, 3);
}

void fuzz_segment_calls(void)
{
	for (int64_t i = 0; i < 12; i++)
		one_call(i % 2 ? "wheat" : "a name of its own", i);
	long_names();
}

/* ---- places -------------------------------------------------------------------------------- */

#define PLACES_MAX 96u
static struct fuzz_place places[PLACES_MAX];
static unsigned place_count;

static void add_place(const void *at, uint64_t bytes)
{
	FUZZ_REQUIRE(place_count < PLACES_MAX);
	places[place_count++] =
		(struct fuzz_place){(uint64_t)((const unsigned char *)at - segment.base), bytes};
}

/* Where the structures are dense: a random place in the file is mostly a hole. */
static void add_places(void)
{
	struct inv_header *h = segment.header;
	add_place(h, 352);
	add_place(h->boot_id, offsetof(struct inv_header, spare) - 352);
	add_place(segment.shared, 64 + INV_LOSS_ROOM * 8);
	add_place(segment.probes, 2 * sizeof(struct inv_probe_row));
	add_place(segment.procs, 3 * sizeof(struct inv_proc));
	add_place(segment.notes, 2 * sizeof(struct inv_note));
	add_place(segment.types, 32);
	add_place(segment.arena + h->regions[INV_REGION_ARENA].bytes - ARENA_LEFT, 512);
	add_place(segment.rows, LANES * sizeof(struct inv_lane_row));
	add_place(segment.overflow, sizeof(struct inv_overflow) + OVER * sizeof(struct inv_cell) +
					    OVER * sizeof(struct inv_pair));
	for (uint32_t lane = 0; lane < LANES; lane++) {
		struct inv_lane *l = inv_segment_lane(&segment, lane);
		add_place(l, 64);
		add_place(&l->in_slot, 64 + sizeof(l->redo));
		add_place(l->lost, sizeof(l->lost) + 8);
		add_place(l->inflight, 4 * sizeof(l->inflight[0]));
		add_place(l->ended, 4 * sizeof(l->ended[0]));
		add_place(inv_segment_cells(&segment, lane), 6 * sizeof(struct inv_cell));
		add_place(inv_segment_pairs(&segment, lane), 8 * sizeof(struct inv_pair));
		add_place(inv_segment_ring(&segment, lane), RING * sizeof(struct inv_slot));
	}
	for (uint32_t id = 0; id < INV_NAMES_MAX && place_count < PLACES_MAX; id++)
		if (segment.names[id])
			add_place(&segment.names[id], 8);
}

/* ---- all ------------------------------------------------------------------------------------ */

struct fuzz_subject *fuzz_segment(void)
{
	static struct fuzz_subject subject;
	char path[64];
	if (subject.live)
		return &subject;
	snprintf(path, sizeof(path), "/dev/shm/invreg-fuzz-%d.seg", getpid());
	unlink(path);
	make_file(path);
	fill();
	add_places();
	fuzz_subject_make(&subject, segment.base, segment.bytes, places, place_count);
	unlink(path);
	return &subject;
}
