/* SPDX-License-Identifier: MIT */
/*
 * cut_private.h - the parts of a cut: lanes, and what is said of processes and probes.
 */
#ifndef INV_READER_CUT_PRIVATE_H
#define INV_READER_CUT_PRIVATE_H

#include "cut.h"

struct cutting {
	struct inv_cut *cut;
	struct inv_src *src;
	struct inv_self self;
	uint64_t lost[INV_LOSS_COUNT + 1]; /* the last: lapped */
	uint64_t kept_of_probe[INV_PROBES_MAX];
	uint64_t taken_ticks;
	uint64_t last_ticks; /* the end of the last call */
	uint64_t session_nonce;
	uint8_t liveness[INV_PROCS_MAX]; /* enum inv_liveness of each row */
};

/* All return 0 or -ENOMEM and read the mapping. */
int inv_cut_lanes(struct cutting *c);
int inv_cut_probes(struct cutting *c);
void inv_cut_procs(struct cutting *c);

#endif
