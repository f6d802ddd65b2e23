/* SPDX-License-Identifier: MIT */
/*
 * sse.h - the streams of /api/events: who listens, and how they are woken.
 *
 * A stream has no queue of its own: it has the arrival of the call it sent last, and reads
 * on in the history when it is woken. A slow client therefore costs nothing while it is
 * slow; what was evicted meanwhile, or is more than a client should get at once, is told as
 * `skipped`, with how many. Queues were rejected: memory for each client, and an answer to
 * what happens when they are full.
 */
#ifndef INV_READER_SSE_H
#define INV_READER_SSE_H

struct inv_sse;

/* Returns: NULL: out of memory. */
struct inv_sse *inv_sse_new(void);

/* Wakes all streams. Any thread; takes a lock that nobody holds for long. */
void inv_sse_wake(struct inv_sse *sse);

/* Ends all streams: before the server is stopped. */
void inv_sse_stop(struct inv_sse *sse);
void inv_sse_free(struct inv_sse *sse);

#endif
