/* SPDX-License-Identifier: MIT */
/*
 * fuzz_join.c - a damaged segment (segment.h, damage.h) that passes its check, written to by a
 * process that joins it.
 *
 * A segment of another is refused; one of our own may have been hit by a stray store of the
 * program, whose pages it shares. What is recorded then may be wrong; the program must not
 * notice. The mapping has nothing on either side of it that could be touched instead: what is
 * written outside faults.
 *
 *   input = damages
 */
#include "fuzz.h"

#include <pthread.h>
#include <sys/mman.h>

#include "segment.h"
#include "shm/proc.h"
#include "shm/record.h"

#define NOTHING (UINT64_C(16) << 30)

/* A private mapping: what the writer writes is gone when the pages are given back. */
static unsigned char *map_alone(const struct fuzz_subject *subject)
{
	unsigned char *room = mmap(NULL, 2 * NOTHING + subject->bytes, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	FUZZ_REQUIRE(room != MAP_FAILED);
	void *at = mmap(room + NOTHING, subject->bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, subject->fd, 0);
	FUZZ_REQUIRE(at == room + NOTHING);
	return at;
}

static void *thread(void *arg)
{
	fuzz_segment_calls();
	return NULL;
}

static void write_all(struct inv_segment *seg)
{
	struct inv_record_options options = {.segment = seg};
	struct inv_self self;
	pthread_t other;
	inv_record_attach(&options);
	fuzz_segment_calls();
	FUZZ_REQUIRE(pthread_create(&other, NULL, thread, NULL) == 0);
	pthread_join(other, NULL);
	inv_self_read(&self);
	inv_note_add(seg, &self, INV_REASON_NONE + 2, 0, "another note");
	inv_record_detach();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char *map;
	static struct inv_segment seg;
	struct fuzz_subject *subject = fuzz_segment();
	struct fuzz_input in = {data, size};
	if (!map) {
		inv_record_detach(); /* from the one that is damaged */
		map = map_alone(subject);
	}
	fuzz_damage(subject, &in);
	struct inv_header *header = (struct inv_header *)map;
	if (!subject->shrunk && inv_segment_check(header, subject->bytes) == INV_OK) {
		inv_segment_locate(&seg, map, subject->bytes, header);
		strcpy(seg.path, "/nowhere");
		write_all(&seg);
	}
	FUZZ_REQUIRE(madvise(map, subject->bytes, MADV_DONTNEED) == 0);
	fuzz_restore(subject);
	return 0;
}
