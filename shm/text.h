/* SPDX-License-Identifier: MIT */
/*
 * text.h - text that belongs to an event, in ring slots of its own.
 *
 * Most events have none: names are ids. A message, a name that found no id, and the first
 * index of a rewritten event are items of one byte string (layout.h draws it), cut to fit
 * into consecutive TEXT slots. Only the owner of the ring writes.
 */
#ifndef INV_SHM_TEXT_H
#define INV_SHM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

#define INV_TEXT_ITEM_HEAD 4u
#define INV_TEXT_TOTAL_MAX (INV_MESSAGE_BYTES_MAX + 96u)
#define INV_TEXT_SLOTS_MAX ((INV_TEXT_TOTAL_MAX + INV_TEXT_BYTES - 1) / INV_TEXT_BYTES)

struct inv_text {
	uint32_t length; /* start with 0 */
	bool cut;	 /* something did not fit */
	unsigned char bytes[INV_TEXT_TOTAL_MAX + INV_TEXT_BYTES];
};

/* Appends an item of at most `most` bytes; what does not fit is cut and flagged. */
void inv_text_add(struct inv_text *text, uint8_t tag, const void *bytes, size_t length,
		  size_t most);

/* Returns: how many slots it takes; 0 for an empty text. */
uint32_t inv_text_slots(const struct inv_text *text);

/* Writes slots first, first + 1, ... for the event at `event`; head is the caller's. */
void inv_text_write(struct inv_slot *ring, uint64_t mask, struct inv_text *text, uint64_t first,
		    uint64_t event);

#endif
