/* SPDX-License-Identifier: MIT */
/* text.c - building and writing the text of an event; see text.h. */
#include "text.h"

#include <string.h>

#include "ring.h"

void inv_text_add(struct inv_text *t, uint8_t tag, const void *bytes, size_t length, size_t most)
{
	uint8_t flags = 0;
	size_t room = INV_TEXT_TOTAL_MAX - t->length;
	if (room <= INV_TEXT_ITEM_HEAD)
		return;
	room -= INV_TEXT_ITEM_HEAD;
	if (most < room)
		room = most;
	if (length > room) {
		length = room;
		flags = INV_TEXT_CUT;
		t->cut = true;
	}
	unsigned char *p = t->bytes + t->length;
	p[0] = tag;
	p[1] = flags;
	p[2] = (unsigned char)length;
	p[3] = (unsigned char)(length >> 8);
	memcpy(p + INV_TEXT_ITEM_HEAD, bytes, length);
	t->length += (uint32_t)(INV_TEXT_ITEM_HEAD + length);
}

uint32_t inv_text_slots(const struct inv_text *t)
{
	return (t->length + INV_TEXT_BYTES - 1) / INV_TEXT_BYTES;
}

void inv_text_write(struct inv_slot *ring, uint64_t mask, struct inv_text *text, uint64_t first,
		    uint64_t event)
{
	uint32_t count = inv_text_slots(text);
	memset(text->bytes + text->length, 0, INV_TEXT_BYTES);
	for (uint32_t part = 0; part < count; part++) {
		struct inv_text_slot *s = (void *)inv_ring_slot(ring, mask, first + part);
		inv_slot_open(&s->seq, first + part);
		inv_word_store(&s->meta, INV_TEXT_META(event, part, count));
		for (unsigned i = 0; i < INV_TEXT_BYTES / 8; i++) {
			uint64_t word;
			memcpy(&word, text->bytes + part * INV_TEXT_BYTES + i * 8, 8);
			inv_word_store(&s->bytes[i], word);
		}
		INV_TEST_POINT(end_text_busy);
		inv_slot_publish(&s->seq, first + part, INV_SLOT_TEXT);
	}
}
