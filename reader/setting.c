/* SPDX-License-Identifier: MIT */
#include "setting.h"

#include <string.h>

#include "cut.h"
#include "guard.h"
#include "say.h"
#include "shm/session.h"
#include "source.h"
#include "table.h"

/* In the order in which they are shown. */
static const enum inv_control_kind kinds[] = {INV_CONTROL_ARTIFACT, INV_CONTROL_INVOKER,
					      INV_CONTROL_METHOD};

const char *inv_setting_kind(enum inv_control_kind kind)
{
	static const char *const NAMES[] = {"invoker", "artifact", "method"};
	return NAMES[kind];
}

struct reading {
	const struct inv_control *page;
	struct inv_setting *setting;
};

/* Runs under the guard: the file may shrink while it is mapped. */
static int read_page(void *arg)
{
	struct reading *r = arg;
	uint64_t generation;
	r->setting->known = inv_control_load(r->page, &r->setting->is, &generation);
	return 0;
}

void inv_setting_read(struct inv_setting *setting, const char *segment_path, uint64_t nonce)
{
	struct inv_control *page;
	*setting = (struct inv_setting){.known = false};
	if (inv_control_open(segment_path, nonce, INV_CONTROL_SHOW, &page, NULL))
		return;
	struct reading reading = {page, setting};
	if (inv_guard_call(read_page, &reading))
		setting->known = false;
	inv_control_close(page);
}

bool inv_setting_filters(const struct inv_setting *setting)
{
	bool any = false;
	for (unsigned i = 0; i < INV_CONTROL_KINDS && setting->known; i++)
		any |= inv_control_count(&setting->is.rules, kinds[i]) != 0;
	return any;
}

void inv_setting_say_filter(const struct inv_setting *setting, FILE *to)
{
	bool first = true;
	for (unsigned i = 0; i < INV_CONTROL_KINDS; i++) {
		uint32_t count = inv_control_count(&setting->is.rules, kinds[i]);
		for (uint32_t k = 0; k < count; k++) {
			const char *name = inv_control_name(&setting->is, kinds[i], k);
			if (k)
				fputs(", ", to);
			else
				fprintf(to, "%s%s ", first ? "" : "; ", inv_setting_kind(kinds[i]));
			inv_table_say(to, name ? name : "?", name ? strlen(name) : 1);
		}
		first = first && count == 0;
	}
}

void inv_setting_put(const struct inv_setting *setting, struct inv_json *json)
{
	if (!setting->known) {
		inv_json_put_null(json);
		return;
	}
	inv_json_open(json, '{');
	inv_json_key(json, "paused");
	inv_json_put_bool(json, inv_setting_paused(setting));
	inv_json_key(json, "filter");
	if (!inv_setting_filters(setting)) {
		inv_json_put_null(json);
		inv_json_close(json, '}');
		return;
	}
	inv_json_open(json, '{');
	for (unsigned i = 0; i < INV_CONTROL_KINDS; i++) {
		inv_json_key(json, inv_setting_kind(kinds[i]));
		inv_json_open(json, '[');
		for (uint32_t k = 0; k < inv_control_count(&setting->is.rules, kinds[i]); k++) {
			const char *name = inv_control_name(&setting->is, kinds[i], k);
			inv_json_put_str(json, name ? name : "?");
		}
		inv_json_close(json, ']');
	}
	inv_json_close(json, '}');
	inv_json_close(json, '}');
}

/* ---- caveats ------------------------------------------------------------------------ */

struct missing {
	struct inv_src *src;
	uint64_t lost[INV_LOSS_COUNT], nonce;
};

static uint64_t lost_of(const struct inv_view *view, enum inv_loss reason)
{
	uint64_t sum = inv_view_lost(view, reason);
	for (uint32_t i = 0; i < inv_view_lane_count(view); i++)
		sum += atomic_load_explicit(&inv_segment_lane(&view->seg, i)->lost[reason],
					    memory_order_relaxed);
	return sum;
}

/* Runs under the guard. */
static int count_missing(void *arg)
{
	struct missing *m = arg;
	for (unsigned i = 0; i < INV_LOSS_COUNT; i++)
		m->lost[i] = lost_of(&m->src->view, (enum inv_loss)i);
	m->nonce = m->src->view.seg.header->session_nonce;
	return 0;
}

static bool count(struct missing *m)
{
	if (m->src->kind != INV_SRC_JSONL)
		return inv_guard_call(count_missing, m) == 0;
	memcpy(m->lost, m->src->reported_lost, sizeof(m->lost));
	return true;
}

static void say_now(const struct missing *m)
{
	struct inv_setting setting;
	if (m->src->kind != INV_SRC_LIVE || inv_session_liveness(m->src->fd) == INV_LIVENESS_DEAD)
		return;
	inv_setting_read(&setting, m->src->view.seg.path, m->nonce);
	if (inv_setting_paused(&setting))
		fputs("invreg: the session is paused: `invreg resume` goes on\n", stderr);
	if (!inv_setting_filters(&setting))
		return;
	fputs("invreg: a filter is on: ", stderr);
	inv_setting_say_filter(&setting, stderr);
	fputs("; `invreg filter --clear` ends it\n", stderr);
}

void inv_setting_say_now(struct inv_src *src)
{
	struct missing m = {.src = src};
	if (count(&m))
		say_now(&m);
}

void inv_setting_caveats(struct inv_src *src)
{
	struct missing m = {.src = src};
	if (!count(&m))
		return;
	for (unsigned i = 0; i < INV_LOSS_COUNT; i++)
		if (m.lost[i] && inv_loss_is_of_events((enum inv_loss)i))
			inv_say("invreg: lost %llu: %s\n", (unsigned long long)m.lost[i],
				inv_loss_name((enum inv_loss)i));
	if (m.lost[INV_LOSS_PAUSED])
		inv_say("invreg: %llu calls were made while the session was paused\n",
			(unsigned long long)m.lost[INV_LOSS_PAUSED]);
	if (m.lost[INV_LOSS_FILTERED])
		inv_say("invreg: %llu events were dropped by a filter\n",
			(unsigned long long)m.lost[INV_LOSS_FILTERED]);
	say_now(&m);
}
