/* SPDX-License-Identifier: MIT */
/*
 * setting.h - what a session's control page says, for who shows it: paused, filtered, or not.
 *
 * A session without a page (an older one, a saved file, no room when it was made) has no
 * setting, and is shown as before. Guards its own reads of the page; never changes it.
 */
#ifndef INV_READER_SETTING_H
#define INV_READER_SETTING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "json.h"
#include "shm/control.h"

struct inv_src;

struct inv_setting {
	bool known; /* else there is no page, or none that can be used */
	struct inv_control_setting is;
};

/* Of the segment at that path with this nonce. */
void inv_setting_read(struct inv_setting *setting, const char *segment_path, uint64_t nonce);

static inline bool inv_setting_paused(const struct inv_setting *setting)
{
	return setting->known && (setting->is.rules.flags & INV_CONTROL_PAUSED);
}

/* Whether a filter is on. */
bool inv_setting_filters(const struct inv_setting *setting);

/* "artifact escrow, oracle; invoker alice", printable whatever the names hold. */
void inv_setting_say_filter(const struct inv_setting *setting, FILE *to);

/* The value {"paused": false, "filter": null}, or null where there is no setting. */
void inv_setting_put(const struct inv_setting *setting, struct inv_json *json);

/* Says on stderr that a live session is paused or filtered now. For who waits for events. */
void inv_setting_say_now(struct inv_src *src);

/*
 * The same, and how many calls or events of the source are missing, because it was or for
 * another reason; those that were lapped are left to the caller. For verbs that print events
 * alone.
 */
void inv_setting_caveats(struct inv_src *src);

/* "invoker", "artifact" or "method". */
const char *inv_setting_kind(enum inv_control_kind kind);

#endif
