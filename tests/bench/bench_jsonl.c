/* SPDX-License-Identifier: MIT */
/*
 * bench_jsonl.c - how many event lines a second one core writes.
 *
 * A forged full ring is followed again and again into a sink: slots are decoded, times
 * interpolated, both lines of each call formatted. The bare formatter runs too, so that
 * what the decoding costs can be seen.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reader/decode.h"
#include "reader/events.h"
#include "reader/follow.h"
#include "shm/names.h"

#define RING   16384u
#define ROUNDS 60u

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void fill(struct inv_segment *seg)
{
	char name[32];
	uint16_t types[2] = {inv_type_intern(seg, "int", 3), inv_type_intern(seg, "timeout", 7)};
	for (uint64_t i = 1; i <= RING; i++) {
		struct inv_slot *s = &inv_segment_ring(seg, 0)[i & (RING - 1)];
		int n = snprintf(name, sizeof(name), "artifact_%u", (unsigned)(i % 40));
		uint64_t artifact = inv_name_intern(seg, name, (size_t)n);
		n = snprintf(name, sizeof(name), "agent_%u", (unsigned)(i % 200));
		uint64_t agent = inv_name_intern(seg, name, (size_t)n);
		bool failed = i % 10 == 0;
		s->start_ticks = seg->header->created.ticks + i * 5000;
		s->duration_ticks = 1000 + i % 977 * 31;
		s->tick = i / 100;
		s->who = agent | artifact << 32;
		s->what = inv_name_intern(seg, "invoke", 6) | UINT64_C(4242) << 32;
		s->where = INV_WHERE(INV_PROC_NONE, 0, 3, 0, i % 3);
		s->outcome = INV_OUTCOME(types[failed], failed ? INV_FLAG_FAILED : 0, 0, 0);
		s->seq = INV_SEQ(i, INV_SLOT_DONE);
	}
	seg->rows[0].ring_slots = RING;
	seg->rows[0].pair_slots = 2;
	seg->shared->lanes_touched = 1;
	inv_segment_lane(seg, 0)->head = RING;
}

static int open_forged(struct inv_segment *seg, struct inv_view *view)
{
	char path[96];
	uint32_t found;
	struct inv_segment_options options = {.session = "bench", .command = "bench"};
	snprintf(path, sizeof(path), "/dev/shm/invreg-bench-jsonl-%d.seg", (int)getpid());
	if (inv_segment_create(seg, path, &options) != INV_OK)
		return -1;
	fill(seg);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unlink(path);
	return fd < 0 || inv_view_open(view, fd, &found) != INV_OK ? -1 : 0;
}

static double follow_rate(struct inv_view *view, int sink)
{
	double spent = 0;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct inv_follow *follow = inv_follow_open(view, sink);
		double begun = now();
		if (!follow || inv_follow_poll(follow) < 0)
			return 0;
		spent += now() - begun;
		inv_follow_close(follow);
	}
	return 2.0 * RING * ROUNDS / spent;
}

static double format_rate(struct inv_view *view, int sink)
{
	struct inv_words words;
	struct inv_decoder decoder;
	struct inv_buf out;
	struct inv_event event;
	struct inv_event_text text;
	struct inv_call call;
	if (inv_words_init(&words) || inv_decoder_init(&decoder, view, &words) ||
	    inv_buf_init(&out, sink) || inv_view_event(view, 0, 1, &event) != INV_SLOT_READ_OK)
		return 0;
	inv_decode_call(&decoder, &event, &text, &call);
	struct inv_events events = {.out = &out};
	double begun = now();
	for (unsigned i = 0; i < RING * ROUNDS; i++) {
		call.start_ns += 1700;
		call.sequence++;
		inv_events_attempt(&events, &call);
		inv_events_outcome(&events, &call);
	}
	inv_buf_flush(&out);
	double rate = 2.0 * RING * ROUNDS / (now() - begun);
	inv_buf_free(&out);
	inv_decoder_free(&decoder);
	inv_words_free(&words);
	return rate;
}

int main(void)
{
	static struct inv_segment seg;
	static struct inv_view view;
	int sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (sink < 0 || open_forged(&seg, &view)) {
		fprintf(stderr, "bench_jsonl: cannot forge a segment\n");
		return 1;
	}
	printf("jsonl_format %.0f events/s\n", format_rate(&view, sink));
	printf("jsonl_follow %.0f events/s\n", follow_rate(&view, sink));
	return 0;
}
