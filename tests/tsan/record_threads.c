/* SPDX-License-Identifier: MIT */
/*
 * Four writers, a reader and one who pauses and filters, for ThreadSanitizer; Criterion's arena
 * does not start under it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shm/record.h"
#include "shm/view.h"

static struct inv_segment seg;
static struct inv_view view;
static struct inv_control control;
static _Atomic int stop;

static __attribute__((noinline)) void call_once(unsigned depth, const char *message)
{
	struct inv_call call;
	struct inv_call_fields f = {.tick = 7};
	struct inv_call_outcome o = {.message = message};
	o.message_length = message ? (uint32_t)strlen(message) : 0;
	inv_record_enter(&call);
	f.artifact = inv_name_of_string(call.names, &seg, depth ? "anvil" : "drill", &f.miss[1]);
	inv_record_begin(&call, &f);
	if (depth)
		call_once(depth - 1, message);
	if (!call.mode)
		return;
	inv_record_reenter(&call);
	inv_record_end(&call, &o, call.start_ticks + 10);
}

static void *write_on(void *arg)
{
	for (unsigned i = 0; i < 500; i++)
		call_once(i % 3, i % 5 ? NULL
				       : "a message that takes more than one of the slots "
					 "that a ring is made of");
	return arg;
}

static void *read_on(void *arg)
{
	unsigned long *torn = arg;
	struct inv_event e;
	struct inv_event_text text;
	while (!stop)
		for (uint32_t lane = 0; lane < inv_view_lane_count(&view); lane++) {
			struct inv_lane_copy c;
			uint64_t head = inv_view_head(&view, lane);
			for (uint64_t i = head > 64 ? head - 63 : 1; i <= head; i++)
				if (!inv_view_event(&view, lane, i, &e) &&
				    e.state == INV_SLOT_DONE) {
					inv_view_event_text(&view, &e, &text);
					*torn += e.duration_ticks != 10 || e.tick != 7;
				}
			if (!inv_view_lane(&view, lane, &c))
				inv_lane_copy_free(&c);
		}
	return NULL;
}

static void *change_on(void *arg)
{
	for (unsigned i = 0; !stop; i++) {
		struct inv_control_setting s = {.rules = {.flags = i % 4 == 3}};
		if (i % 2)
			inv_control_add(&s, INV_CONTROL_ARTIFACT, i % 3 ? "anvil" : "drill");
		inv_control_publish(&control, &s);
		usleep(20);
	}
	return arg;
}

int main(void)
{
	char path[64];
	uint32_t version;
	unsigned long torn = 0;
	pthread_t reader, changer, id[4];
	struct inv_segment_options o = {.ring_slots = 64, .lane_count = 8};
	struct inv_record_options r = {.segment = &seg, .control = &control};
	snprintf(path, sizeof(path), "/dev/shm/invreg-tsan-%d.seg", getpid());
	if (inv_segment_create(&seg, path, &o))
		return 2;
	int fd = open(path, O_RDONLY);
	if (inv_view_open(&view, fd, &version) || inv_record_attach(&r))
		return 2;
	unlink(path);
	pthread_create(&reader, NULL, read_on, &torn);
	pthread_create(&changer, NULL, change_on, NULL);
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 4; i++)
			pthread_create(&id[i], NULL, write_on, NULL);
		for (int i = 0; i < 4; i++)
			pthread_join(id[i], NULL);
	}
	stop = 1;
	pthread_join(reader, NULL);
	pthread_join(changer, NULL);
	printf("%d passed, %d failed\n", !torn, torn != 0);
	return torn != 0;
}
