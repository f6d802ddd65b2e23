/* SPDX-License-Identifier: MIT */
/*
 * cut.h - one consistent look at a session: totals, what is open, what was lost, what is
 * bound. All outputs of `snapshot` and `stats`, and the summary of `run`, show a cut.
 *
 * Each lane is copied once, so each number is exact at an instant within `window_ns`
 * before `taken_ns`; nothing waits for a writer. All text is copied: a cut outlives the
 * segment, but not its source (its words).
 *
 * One thread; inv_cut_take guards its own reads.
 */
#ifndef INV_READER_CUT_H
#define INV_READER_CUT_H

#include "registry.h"
#include "setting.h"
#include "shm/proc.h"
#include "source.h"

/* A call that has begun and not returned. */
struct inv_open_call {
	uint64_t id;
	int64_t start_ns;
	uint64_t age_ns; /* until the cut */
	int64_t tick;
	const struct inv_word *invoker, *artifact, *method, *probe;
	uint32_t pid, tid;
	uint8_t depth;
	uint8_t liveness; /* enum inv_liveness of its process */
};

struct inv_open_list {
	struct inv_open_call *calls; /* oldest first */
	size_t count, room;
	uint64_t unnamed; /* more of them: too deep, without a lane, or too long ago */
};

struct inv_probe_state {
	struct inv_probe_row row;
	uint64_t sites, refused;
	uint64_t calls;		  /* exact when there is one probe, else of kept events */
	uint32_t bound_in, procs; /* processes where it is bound, of all */
	uint8_t tier;		  /* enum inv_tier, the best */
	char why[768];		  /* why it is not bound, or not everywhere; may be empty */
};

struct inv_loss_row {
	const char *name;
	const char *text;
	uint64_t count;
	bool events; /* of calls that no list has; else something less is known */
};

/* Whether a reason means events that are not there. */
bool inv_loss_is_of_events(enum inv_loss reason);

struct inv_note_row {
	struct inv_note note;
	uint32_t count;
	char probe[64];
};

struct inv_cut {
	const struct inv_word *session;
	char command[1024];
	int64_t created_ns, taken_ns;
	uint64_t window_ns;
	bool from_events; /* totals are of kept events: not exact */
	bool live;	  /* a process of it was alive */
	uint32_t procs_alive, procs_dead, procs_unknown;
	uint64_t events_kept, events_lapped;
	uint64_t begun, returned, abandoned, inherited, never_returned;
	uint64_t reserved_bytes, budget_bytes;
	uint32_t names, lanes, time_steps;
	double ns_per_tick;
	double cost_ns;	     /* of recording one call, as `run` measured it; 0 = unknown */
	bool cost_at_least;  /* a call in Python has the interpreter's side besides */
	uint64_t elapsed_ns; /* from its creation to now, or to the end of the last call */
	struct inv_registry *registry;
	bool own_registry;
	struct inv_stats_list artifacts, invokers;
	struct inv_open_list in_flight, never;
	struct inv_setting setting;		      /* of its control page, now */
	uint64_t calls_paused, events_filtered;	      /* in `lost` as well */
	struct inv_loss_row lost[INV_LOSS_COUNT + 1]; /* those that are not 0 */
	size_t lost_count;
	struct inv_probe_state *probes;
	size_t probe_count;
	struct inv_note_row *notes;
	size_t note_count;
};

/* Returns: 0, -ENOMEM, -EFAULT (truncated under us). On failure the cut is empty. */
int inv_cut_take(struct inv_cut *cut, struct inv_src *src);

/* The same of a segment without the lists `artifacts` and `invokers`: its registry is asked. */
int inv_cut_take_tallies(struct inv_cut *cut, struct inv_src *src);
void inv_cut_free(struct inv_cut *cut);

uint64_t inv_cut_total(const struct inv_cut *cut);

/*
 * Fills in `begun` and `returned` of a file of lines, whose open calls are in the cut. Of calls
 * that were left by a longjmp, or lost, lines say nothing.
 */
void inv_cut_count_lines(struct inv_cut *cut, struct inv_registry *totals);

/* "got", "entry", "python", or "none". */
const char *inv_tier_name(unsigned tier);

#endif
