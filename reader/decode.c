/* SPDX-License-Identifier: MIT */
#include "decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shm/clock.h"
#include "shm/proc.h"

/* Often enough for a clock that is slewed, seldom enough to cost nothing. */
#define REFRESH_NS 2e8

static uint64_t proc_state(const struct inv_view *view, uint32_t row)
{
	return atomic_load_explicit(&view->seg.procs[row].state, memory_order_relaxed);
}

/* The reader's own instant ties the clock only if it is the same clock: this boot's. */
bool inv_decode_now_counts(const struct inv_header *header)
{
	struct inv_self self;
	if (!inv_clock_usable((enum inv_clock_kind)header->clock_kind))
		return false;
	inv_self_read(&self);
	return !strncmp(self.boot_id, header->boot_id, sizeof(self.boot_id));
}

static uint32_t collect_anchors(const struct inv_view *view, bool now, struct inv_anchor *anchors)
{
	const struct inv_header *h = view->seg.header;
	uint32_t n = 0;
	anchors[n++] = h->created;
	if (h->flags & INV_HEADER_SNAPSHOT) {
		anchors[n] = h->taken;
		n += h->taken.ticks != 0;
	} else if (now) {
		inv_clock_anchor((enum inv_clock_kind)h->clock_kind, &anchors[n++]);
	}
	for (uint32_t i = 0; i < INV_PROCS_MAX; i++) {
		uint32_t status = INV_PROC_STATUS(proc_state(view, i));
		if (status == INV_PROC_LIVE || status == INV_PROC_ENDED)
			memcpy(&anchors[n++], &view->seg.procs[i].anchor, sizeof(*anchors));
	}
	return n;
}

static uint32_t rows_known(const struct inv_view *view)
{
	uint32_t generations = 0;
	for (uint32_t i = 0; i < INV_PROCS_MAX; i++) {
		uint64_t state = proc_state(view, i);
		if (INV_PROC_STATUS(state) >= INV_PROC_LIVE)
			generations += 1 + INV_PROC_GENERATION(state);
	}
	return generations;
}

void inv_decoder_anchor(struct inv_decoder *decoder)
{
	struct inv_anchor anchors[INV_TIMELINE_ANCHORS];
	const struct inv_header *h = decoder->view->seg.header;
	uint32_t n = collect_anchors(decoder->view, decoder->now_counts, anchors);
	if (decoder->now_counts)
		decoder->anchored_ticks = inv_clock_ticks((enum inv_clock_kind)h->clock_kind);
	decoder->anchored = rows_known(decoder->view);
	inv_timeline_make(&decoder->timeline, (enum inv_clock_kind)h->clock_kind, anchors, n);
}

void inv_decoder_refresh(struct inv_decoder *decoder)
{
	const struct inv_header *h = decoder->view->seg.header;
	bool stale = rows_known(decoder->view) != decoder->anchored;
	if (decoder->now_counts) {
		uint64_t now = inv_clock_ticks((enum inv_clock_kind)h->clock_kind);
		double passed = (double)(now - decoder->anchored_ticks);
		stale |= passed * decoder->timeline.ns_per_tick > REFRESH_NS;
	}
	if (stale)
		inv_decoder_anchor(decoder);
}

int inv_decoder_init(struct inv_decoder *decoder, const struct inv_view *view,
		     struct inv_words *words)
{
	*decoder = (struct inv_decoder){.view = view, .words = words};
	decoder->names = calloc(INV_NAMES_MAX, sizeof(*decoder->names));
	if (!decoder->names)
		return -ENOMEM;
	const char *session = view->seg.header->session;
	decoder->session =
		inv_words_get(words, session, strnlen(session, sizeof(view->seg.header->session)));
	decoder->now_counts = inv_decode_now_counts(view->seg.header);
	inv_decoder_anchor(decoder);
	return 0;
}

void inv_decoder_free(struct inv_decoder *decoder)
{
	free(decoder->names);
	*decoder = (struct inv_decoder){0};
}

const struct inv_word *inv_decode_name(struct inv_decoder *decoder, uint32_t id)
{
	if (id == 0 || id >= INV_NAMES_MAX)
		return decoder->words->other;
	if (decoder->names[id])
		return decoder->names[id];
	size_t length;
	const char *text = inv_view_name(decoder->view, id, &length);
	const struct inv_word *word = inv_words_get(decoder->words, text, length);
	if (word != decoder->words->other)
		decoder->names[id] = word;
	return word;
}

const struct inv_word *inv_decode_type(struct inv_decoder *decoder, uint32_t type)
{
	if (type == 0 || type >= INV_TYPES_MAX)
		return decoder->words->other;
	if (decoder->types[type])
		return decoder->types[type];
	size_t length;
	const char *text = inv_view_type(decoder->view, type, &length);
	const struct inv_word *word = inv_words_get(decoder->words, text, length);
	if (word != decoder->words->other)
		decoder->types[type] = word;
	return word;
}

const struct inv_word *inv_decode_probe(struct inv_decoder *decoder, uint32_t probe)
{
	struct inv_probe_row row;
	if (probe >= decoder->view->seg.header->probe_count || probe >= INV_PROBES_MAX)
		return decoder->words->other;
	if (!decoder->probes[probe]) {
		inv_view_probe(decoder->view, probe, &row);
		decoder->probes[probe] = inv_words_str(decoder->words, row.name);
	}
	return decoder->probes[probe];
}

static uint32_t pid_of(const struct inv_decoder *decoder, const struct inv_event *event)
{
	if (event->proc >= INV_PROCS_MAX)
		return 0;
	uint64_t state = proc_state(decoder->view, event->proc);
	return INV_PROC_GENERATION(state) == event->generation ? INV_PROC_PID(state) : 0;
}

static const struct inv_word *name_or_text(struct inv_decoder *decoder, uint32_t id,
					   const struct inv_event_text *text, unsigned place)
{
	if (text->name_length[place])
		return inv_words_get(decoder->words, text->name[place], text->name_length[place]);
	return inv_decode_name(decoder, id);
}

static bool has_text(const struct inv_event *event)
{
	return event->names_follow || event->text_slots || (event->flags & INV_FLAG_REWRITTEN);
}

static void decode_text(struct inv_decoder *decoder, const struct inv_event *event,
			struct inv_event_text *text, struct inv_call *call)
{
	inv_view_event_text(decoder->view, event, text);
	call->message = text->message;
	call->message_length = text->message_length;
	if (text->origin)
		call->id = text->origin;
	call->invoker = name_or_text(decoder, event->invoker, text, 0);
	call->artifact = name_or_text(decoder, event->artifact, text, 1);
	call->method = name_or_text(decoder, event->method, text, 2);
	if (text->message_cut || text->lapped)
		call->flags |= INV_FLAG_TRUNCATED;
}

void inv_decode_call(struct inv_decoder *decoder, const struct inv_event *event,
		     struct inv_event_text *text, struct inv_call *call)
{
	*call = (struct inv_call){
		.sequence = event->index,
		.id = INV_CALL_ID(event->lane, event->index),
		.start_ticks = event->start_ticks,
		.start_ns = inv_timeline_realtime(&decoder->timeline, event->start_ticks),
		.tick = event->tick,
		.pid = pid_of(decoder, event),
		.tid = event->tid,
		.lane = event->lane,
		.message = "",
		.probe = inv_decode_probe(decoder, event->probe),
		.session = decoder->session,
		.args_count = event->args_count,
		.depth = event->depth,
		.state = event->state == INV_SLOT_DONE ? INV_CALL_DONE : INV_CALL_OPEN,
		.flags = event->flags,
	};
	if (call->state == INV_CALL_DONE) {
		call->type = inv_decode_type(decoder, event->type);
		call->duration_ns = inv_timeline_duration(&decoder->timeline, event->start_ticks,
							  event->duration_ticks);
	}
	if (has_text(event)) {
		decode_text(decoder, event, text, call);
		return;
	}
	call->invoker = inv_decode_name(decoder, event->invoker);
	call->artifact = inv_decode_name(decoder, event->artifact);
	call->method = inv_decode_name(decoder, event->method);
}
