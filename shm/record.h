/* SPDX-License-Identifier: MIT */
/*
 * record.h - one observed call, from entry to return: the hot path.
 *
 * Whatever caught the call (a GOT slot, a patched entry, a Python object) comes here, so
 * that what a call is does not depend on how it was caught:
 *
 *     struct inv_call call;
 *     if (inv_record_enter(&call)) {            who am I, may I write: no clock yet
 *             fields.invoker = inv_name_of_string(call.names, ...);
 *             inv_record_begin(&call, &fields); the attempt is visible; reads the clock last
 *     }
 *     result = real(...);
 *     if (call.mode) {
 *             now = inv_record_now();           first of all
 *             inv_record_reenter(&call);
 *             inv_record_end(&call, &outcome, now);
 *     }
 *
 * Between enter and begin, and between reenter and end, the thread is marked busy: a
 * signal handler that calls in then goes to the overflow region instead of corrupting the
 * record that it interrupted.
 *
 * [C1] Wait-free, no lock, no system call, no allocation once a thread has its lane and
 *      names and cells are known. errno is never changed.
 * [C2] A call begun here may return in a fork child, or by another thread: it is then
 *      recorded whole in the returning thread's own lane, and the first one is told.
 * [C3] Calls jumped over (longjmp) are found by the next entry on a frame at or above
 *      theirs within the same stack, counted abandoned, and taken back if they do return.
 * [C4] Pause and filter are decided at begin, for the whole call: one that has begun is
 *      recorded however it ends, one that began in a pause is counted `paused` and never
 *      seen again. While nothing is on, that is one load and one compare a call.
 * [C5] Wrappers take at most a quarter of a thread's stack: deep in a recursion calls are
 *      passed by without a frame of ours, and counted (no_stack).
 *
 * Limits: a fork made by a signal handler that interrupted these functions themselves lets
 * the child finish the parent's half-written record (absolute values; the window is some
 * 20 ns a call). Frames on stacks other than the one a thread was first seen on are never
 * judged jumped over.
 */
#ifndef INV_SHM_RECORD_H
#define INV_SHM_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "control.h"
#include "name_cache.h"
#include "proc.h"
#include "segment.h"
#include "vectors.h"

enum inv_call_mode {
	INV_CALL_UNOBSERVED = 0, /* pass it through */
	INV_CALL_LANE,		 /* recorded in the thread's lane */
	INV_CALL_OVERFLOW	 /* tallied in the overflow region only */
};

struct inv_thread; /* private to record.c: a thread's lane and caches */

/*
 * What a wrapper's frame is known by. Jumps are found by where it starts [C3], which is at one
 * place for all that are called from there, whatever they keep; an unwinder knows its frame
 * pointer. On x86-64 that is at the start; on aarch64 it is at the other end, or in between.
 */
#if defined(__aarch64__)
#define INV_FRAME_WORDS(start, pointer)                                                            \
	uintptr_t start;                                                                           \
	uintptr_t pointer
#else
#define INV_FRAME_WORDS(start, pointer)                                                            \
	union {                                                                                    \
		uintptr_t start;                                                                   \
		uintptr_t pointer;                                                                 \
	}
#endif
#if !defined(__aarch64__)
#define INV_FRAME_START() ((uintptr_t)__builtin_frame_address(0))
#elif defined(__clang__)
#define INV_FRAME_START() ((uintptr_t)__builtin_sponentry())
#else
#define INV_FRAME_START() ((uintptr_t)__builtin_dwarf_cfa())
#endif

/* Lives in the wrapper's frame. Written by this module only. */
struct inv_call {
	enum inv_call_mode mode;
	uint32_t epoch; /* of the process: differs in a fork child */
	struct inv_thread *thread;
	struct inv_name_cache *names; /* for look-ups while busy; never NULL when mode is not 0 */
	uint64_t ordinal_1;
	uint64_t call_id;
	uint64_t index; /* of the slot; 0 = none */
	uint64_t start_ticks;
	uint64_t tick;
	/* As words of an event (ring.h), and the halves of them that are counted by. */
	union {
		uint64_t who;
		struct {
			uint32_t invoker, artifact;
		};
	};
	union {
		uint64_t what;
		struct {
			uint32_t method, tid;
		};
	};
	uint64_t where;
	uint32_t lane;	  /* before begin of an overflow call: why it is one, enum inv_loss */
	uint32_t claims;  /* of the lane: its next owner may be the same thread state */
	uint32_t place_1; /* in the in-flight stack plus 1; 0 = too deep */
	bool waits;	  /* of one too deep: it is suspended */
	INV_FRAME_WORDS(frame, pointer);
	struct inv_vectors *vectors; /* to be kept by what may lose them; NULL: none need be */
};

struct inv_call_fields {
	uint32_t invoker, artifact, method; /* name ids; 0 with a miss below */
	int64_t tick;
	uint16_t args_count;
	uint8_t probe;
	union {
		struct {
			uint16_t missed;     /* bit i: miss[i] is filled */
			uint16_t unreadable; /* further fields that could not be read */
		};
		uint32_t amiss; /* 0: neither */
	};
	struct inv_name_miss miss[3]; /* invoker, artifact, method; see missed */
};

struct inv_call_outcome {
	bool failed;
	uint16_t type;	     /* index of the error or result type */
	uint8_t flags;	     /* INV_FLAG_TRUNCATED, _UNREADABLE of message or type */
	const char *message; /* NULL: none; readable for message_length bytes */
	uint32_t message_length;
};

/* What a process is to its session. */
struct inv_record_options {
	struct inv_segment *segment;		/* must outlive the process */
	const struct inv_binding_row *bindings; /* of INV_PROBES_MAX, copied into the row */
	const struct inv_control *control;	/* NULL: none; must outlive the process */
	bool children_ignored;			/* a fork child is not observed */
};

/*
 * Makes this process a writer: takes a row. Once per image, from the constructor.
 * Returns: INV_OK; INV_E_FULL: no row (calls go to the overflow region).
 */
enum inv_result inv_record_attach(const struct inv_record_options *options);

/* For tests: gives back lane and row of the calling thread and forgets the segment. */
void inv_record_detach(void);

/* Updates the bindings shown in this process's row; cold. */
void inv_record_set_binding(uint32_t probe, const struct inv_binding_row *binding);

/*
 * Before the program shuts itself into a sandbox: gives the calling thread its lane, and finds
 * the bounds of its stack, while that may be asked for. Nothing where it calls from a signal
 * handler in the middle of a record.
 */
void inv_record_settle(void);

/*
 * Whether the caller only borrows this memory (a vfork child): what it does to itself is no
 * matter of the observed process. Asks the kernel. Returns: false where nothing is observed, and
 * where it may not be asked (sandbox.h).
 */
bool inv_record_borrowed(void);

/*
 * On: the clock may not be read in this process (it would raise a signal): calls are passed
 * through and counted `paused`; those that are open end with a duration of 0. Off again: as
 * before. Makes no system call. Returns: whether it was on.
 */
bool inv_record_silence(bool on);

/* Inlined so that the frame is the wrapper's own. Returns: its start. */
static inline __attribute__((always_inline)) uintptr_t inv_call_frame(struct inv_call *call)
{
#if defined(__aarch64__)
	call->pointer = (uintptr_t)__builtin_frame_address(0);
#endif
	return INV_FRAME_START();
}

/* `frame` is of inv_call_frame, in the wrapper. */
bool inv_record_enter_at(struct inv_call *call, uintptr_t frame, struct inv_vectors *vectors);
static inline __attribute__((always_inline)) bool inv_record_enter(struct inv_call *call)
{
	return inv_record_enter_at(call, inv_call_frame(call), NULL);
}

/* May leave call->mode UNOBSERVED, *vectors saved or not: the session is paused [C4]. */
void inv_record_begin(struct inv_call *call, struct inv_call_fields *fields);

/* The clock, to be read before anything else at return. */
uint64_t inv_record_now(void);

void inv_record_reenter(struct inv_call *call);
void inv_record_end(struct inv_call *call, const struct inv_call_outcome *outcome,
		    uint64_t end_ticks);

/*
 * The open call of the calling thread whose wrapper has this frame pointer, for who was told
 * from outside that it is being left (an unwinder); to be followed by reenter and end.
 * Returns: false: there is none, or not in the in-flight stack, or this thread is in the
 * middle of a record.
 */
bool inv_record_find(struct inv_call *call, uintptr_t pointer);

/*
 * A call that waits while its thread goes on with others (a coroutine that awaits) is
 * suspended: nobody below it is judged jumped over, calls begun meanwhile are not its
 * children, and its time is not taken from the self time of the call around it. Resumed at
 * `frame`, where one starts, it is an ordinary call again. Another thread's call is left as it is.
 * Wait-free.
 */
void inv_record_suspend(struct inv_call *call);
void inv_record_resume(struct inv_call *call, uintptr_t frame);

/* The segment of this process, NULL while unattached. */
struct inv_segment *inv_record_segment(void);

#endif
