/* SPDX-License-Identifier: MIT */
#include "events.h"

#include <string.h>

#include "shm/layout.h"
#include "source.h"

/* Room for all of a line that is not a name or a message. */
#define LINE_ROOM    1024u

#define LIT(p, text) (memcpy((p), (text), sizeof(text) - 1), (p) + sizeof(text) - 1)

static inline char *word(char *p, const struct inv_word *w)
{
	memcpy(p, w->json, w->json_length);
	return p + w->json_length;
}

/* Names as they are in words are bounded only in segments: a file's may be longer. */
static size_t names_bytes(const struct inv_call *call)
{
	size_t n = call->invoker->json_length + call->artifact->json_length;
	n += call->method->json_length + call->probe->json_length + call->session->json_length;
	return n + (call->type ? call->type->json_length : 0);
}

static char *room_for(struct inv_buf *out, const struct inv_call *call)
{
	size_t wanted = LINE_ROOM + names_bytes(call);
	if (out->capacity - out->length < wanted)
		inv_buf_grow(out, wanted);
	/* Out of memory with names beyond any bound: nothing fits, nothing is written. */
	return out->capacity - out->length < wanted ? NULL : out->data + out->length;
}

static char *put_head(char *p, const struct inv_call *call)
{
	p = inv_json_i64(p, call->tick);
	p = LIT(p, ",\"invoker_id\":");
	p = word(p, call->invoker);
	p = LIT(p, ",\"artifact_id\":");
	p = word(p, call->artifact);
	p = LIT(p, ",\"method\":");
	return word(p, call->method);
}

static bool any_broken(const struct inv_call *call)
{
	return call->invoker->broken || call->artifact->broken || call->method->broken ||
	       (call->type && call->type->broken);
}

static char *put_flags(char *p, unsigned flags, bool broken)
{
	if (flags & INV_FLAG_FORKED)
		p = LIT(p, ",\"forked\":true");
	if (flags & INV_FLAG_REWRITTEN)
		p = LIT(p, ",\"rewritten\":true");
	if (flags & INV_FLAG_TRUNCATED)
		p = LIT(p, ",\"truncated\":true");
	if (flags & INV_FLAG_UNREADABLE)
		p = LIT(p, ",\"unreadable\":true");
	if (flags & INV_FLAG_CLAMPED)
		p = LIT(p, ",\"clamped\":true");
	return broken ? LIT(p, ",\"invalid_utf8\":true") : p;
}

static char *put_tail(char *p, const struct inv_call *call, unsigned flags, bool broken)
{
	p = LIT(p, "\",\"sequence\":");
	p = inv_json_u64(p, call->sequence);
	p = LIT(p, ",\"call\":");
	p = inv_json_u64(p, call->id);
	p = LIT(p, ",\"pid\":");
	p = inv_json_u64(p, call->pid);
	p = LIT(p, ",\"tid\":");
	p = inv_json_u64(p, call->tid);
	p = LIT(p, ",\"depth\":");
	p = inv_json_u64(p, call->depth);
	p = LIT(p, ",\"probe\":");
	p = word(p, call->probe);
	p = LIT(p, ",\"session\":");
	p = word(p, call->session);
	if (__builtin_expect(flags || broken, 0))
		p = put_flags(p, flags, broken);
	*p++ = '}';
	return p;
}

void inv_events_attempt(struct inv_events *events, const struct inv_call *call)
{
	char *p = room_for(events->out, call);
	if (!p)
		return;
	p = LIT(p, "{\"event_type\":\"invoke_attempt\",\"tick\":");
	p = put_head(p, call);
	p = LIT(p, ",\"args_count\":");
	p = inv_json_u64(p, call->args_count);
	p = LIT(p, ",\"timestamp\":\"");
	p = inv_json_time(&events->clock, p, call->start_ns);
	/* What is said of the outcome is the outcome's: forked, clamped, cut messages. */
	p = put_tail(p, call, call->flags & INV_FLAG_UNREADABLE, any_broken(call));
	inv_buf_took(events->out, p);
	inv_buf_line_end(events->out);
}

static char *put_end(struct inv_events *events, char *p, const struct inv_call *call, bool broken)
{
	int64_t end;
	if (__builtin_add_overflow(call->start_ns, (int64_t)call->duration_ns, &end))
		end = call->start_ns;
	p = LIT(p, ",\"timestamp\":\"");
	p = inv_json_time(&events->end_clock, p, end);
	return put_tail(p, call, call->flags & ~(unsigned)INV_FLAG_FAILED, broken);
}

static void success(struct inv_events *events, const struct inv_call *call, char *p)
{
	p = LIT(p, "{\"event_type\":\"invoke_success\",\"tick\":");
	p = put_head(p, call);
	p = LIT(p, ",\"duration_ms\":");
	p = inv_json_ms(p, call->duration_ns);
	p = LIT(p, ",\"result_type\":");
	p = word(p, call->type);
	p = put_end(events, p, call, any_broken(call));
	inv_buf_took(events->out, p);
}

static void failure(struct inv_events *events, const struct inv_call *call, char *p)
{
	p = LIT(p, "{\"event_type\":\"invoke_failure\",\"tick\":");
	p = put_head(p, call);
	p = LIT(p, ",\"error_type\":");
	p = word(p, call->type);
	p = LIT(p, ",\"error_message\":");
	inv_buf_took(events->out, p);
	bool valid = inv_json_string(events->out, call->message, call->message_length);
	p = room_for(events->out, call);
	if (!p)
		return;
	p = LIT(p, ",\"duration_ms\":");
	p = inv_json_ms(p, call->duration_ns);
	p = put_end(events, p, call, any_broken(call) || !valid);
	inv_buf_took(events->out, p);
}

void inv_events_outcome(struct inv_events *events, const struct inv_call *call)
{
	char *p = room_for(events->out, call);
	if (!p)
		return;
	if (inv_call_failed(call))
		failure(events, call, p);
	else
		success(events, call, p);
	inv_buf_line_end(events->out);
}

void inv_events_lost(struct inv_events *events, uint32_t lane, uint64_t first, uint64_t last,
		     const char *reason)
{
	struct inv_json json = {.out = events->out};
	inv_json_open(&json, '{');
	inv_json_key(&json, "event_type");
	inv_json_put_str(&json, "events_lost");
	inv_json_key(&json, "lane");
	inv_json_put_u64(&json, lane);
	inv_json_key(&json, "first");
	inv_json_put_u64(&json, first);
	inv_json_key(&json, "last");
	inv_json_put_u64(&json, last);
	inv_json_key(&json, "reason");
	inv_json_put_str(&json, reason);
	inv_json_close(&json, '}');
	inv_buf_line_end(events->out);
}

void inv_events_lost_of(struct inv_events *events, const struct inv_src *src)
{
	for (size_t i = 0; i < src->lost_count; i++)
		inv_events_lost(events, src->lost[i].lane, src->lost[i].first, src->lost[i].last,
				"lapped");
}

void inv_events_of(struct inv_events *events, const struct inv_src *src)
{
	inv_events_lost_of(events, src);
	for (size_t i = 0; i < src->call_count; i++) {
		inv_events_attempt(events, &src->calls[i]);
		if (src->calls[i].state == INV_CALL_DONE)
			inv_events_outcome(events, &src->calls[i]);
	}
}
