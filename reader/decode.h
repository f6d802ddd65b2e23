/* SPDX-License-Identifier: MIT */
/*
 * decode.h - slots of a segment into calls: ids into words, ticks into civil time.
 *
 * Ids are resolved once and remembered: a published name never changes. What does not
 * resolve yet (a bad or future id) is "_other" and is not remembered.
 *
 * Reads the mapping: call inside inv_guard_call. One thread at a time.
 */
#ifndef INV_READER_DECODE_H
#define INV_READER_DECODE_H

#include "call.h"
#include "shm/view.h"
#include "timeline.h"

struct inv_decoder {
	const struct inv_view *view;
	struct inv_words *words;
	const struct inv_word **names; /* by id, INV_NAMES_MAX */
	const struct inv_word *types[INV_TYPES_MAX];
	const struct inv_word *probes[INV_PROBES_MAX];
	const struct inv_word *session;
	struct inv_timeline timeline;
	uint32_t anchored; /* process rows that the timeline knows */
	uint64_t anchored_ticks;
	bool now_counts; /* our clocks are the session's */
};

/* Returns: 0 or -ENOMEM. The view and the words stay the caller's. */
int inv_decoder_init(struct inv_decoder *decoder, const struct inv_view *view,
		     struct inv_words *words);
void inv_decoder_free(struct inv_decoder *decoder);

/* Whether this process can read the session's clock, at this boot. */
bool inv_decode_now_counts(const struct inv_header *header);

/* Takes new anchors: of processes that have started since, and of now. */
void inv_decoder_anchor(struct inv_decoder *decoder);

/* The same, but only when a process has come, or once some tenths of a second have gone. */
void inv_decoder_refresh(struct inv_decoder *decoder);

const struct inv_word *inv_decode_name(struct inv_decoder *decoder, uint32_t id);
const struct inv_word *inv_decode_type(struct inv_decoder *decoder, uint32_t type);
const struct inv_word *inv_decode_probe(struct inv_decoder *decoder, uint32_t probe);

/*
 * A slot as a call. `text` is the caller's room: the call's message points into it. When
 * the text was overwritten meanwhile, the message is what is left.
 */
void inv_decode_call(struct inv_decoder *decoder, const struct inv_event *event,
		     struct inv_event_text *text, struct inv_call *call);

#endif
