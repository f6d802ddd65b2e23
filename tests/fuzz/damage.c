/* SPDX-License-Identifier: MIT */
#include "damage.h"

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

uint64_t fuzz_take(struct fuzz_input *in, unsigned bytes)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < bytes && in->size; i++, in->data++, in->size--)
		value |= (uint64_t)*in->data << (8 * i);
	return value;
}

/* ---- the file ------------------------------------------------------------------------------ */

void fuzz_subject_make(struct fuzz_subject *s, const void *bytes, uint64_t length,
		       const struct fuzz_place *places, unsigned count)
{
	s->bytes = (length + FUZZ_PAGE - 1) / FUZZ_PAGE * FUZZ_PAGE;
	s->pristine = calloc(1, s->bytes);
	s->dirty = calloc(s->bytes / FUZZ_PAGE, sizeof(*s->dirty));
	s->fd = memfd_create("subject", MFD_CLOEXEC);
	FUZZ_REQUIRE(s->pristine && s->dirty && s->fd >= 0);
	memcpy(s->pristine, bytes, length);
	FUZZ_REQUIRE(write(s->fd, s->pristine, s->bytes) == (ssize_t)s->bytes);
	s->live = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	FUZZ_REQUIRE(s->live != MAP_FAILED);
	s->places = places;
	s->place_count = count;
}

static void store(struct fuzz_subject *s, uint64_t offset, const void *bytes, uint64_t length)
{
	if (s->shrunk || offset >= s->bytes || !length)
		return;
	if (length > s->bytes - offset)
		length = s->bytes - offset;
	memcpy(s->live + offset, bytes, length);
	for (uint64_t p = offset / FUZZ_PAGE; p <= (offset + length - 1) / FUZZ_PAGE; p++)
		s->dirty[p] = true;
}

static void load(const struct fuzz_subject *s, uint64_t offset, void *bytes, uint64_t length)
{
	memset(bytes, 0, length);
	if (!s->shrunk && offset + length <= s->bytes)
		memcpy(bytes, s->live + offset, length);
}

void fuzz_shrink(struct fuzz_subject *s, uint64_t bytes)
{
	if (bytes >= s->bytes)
		return;
	FUZZ_REQUIRE(ftruncate(s->fd, (off_t)bytes) == 0);
	s->shrunk = true;
	for (uint64_t p = bytes / FUZZ_PAGE; p < s->bytes / FUZZ_PAGE; p++)
		s->dirty[p] = true;
}

void fuzz_restore(struct fuzz_subject *s)
{
	if (s->shrunk)
		FUZZ_REQUIRE(ftruncate(s->fd, (off_t)s->bytes) == 0);
	s->shrunk = false;
	for (uint64_t p = 0; p < s->bytes / FUZZ_PAGE; p++)
		if (s->dirty[p]) {
			memcpy(s->live + p * FUZZ_PAGE, s->pristine + p * FUZZ_PAGE, FUZZ_PAGE);
			s->dirty[p] = false;
		}
}

/* ---- damages ------------------------------------------------------------------------------- */

enum damage { TO_BYTE, TO_WORD, TO_ONES, ADD, FLIP, TO_POWER, COPY, TEXT, HALF, SHRINK, DAMAGES };

static uint64_t new_word(struct fuzz_input *in, enum damage kind, uint64_t old)
{
	switch (kind) {
	case TO_BYTE:
		return fuzz_take(in, 1);
	case TO_WORD:
		return fuzz_take(in, 8);
	case TO_ONES:
		return UINT64_MAX >> fuzz_take(in, 1) % 64;
	case ADD:
		return old + (uint64_t)(int64_t)(int8_t)fuzz_take(in, 1);
	case FLIP:
		return old ^ UINT64_C(1) << fuzz_take(in, 1) % 64;
	default:
		return UINT64_C(1) << fuzz_take(in, 1) % 64;
	}
}

/* A slot over a slot, an entry over an entry. */
static void copy_over(struct fuzz_subject *s, struct fuzz_input *in, const struct fuzz_place *place,
		      uint64_t offset)
{
	unsigned char bytes[64];
	load(s, place->offset + fuzz_take(in, 2) % (place->bytes / 8) * 8, bytes, sizeof(bytes));
	store(s, offset, bytes, sizeof(bytes));
}

static void write_text(struct fuzz_subject *s, struct fuzz_input *in, uint64_t offset)
{
	uint64_t length = fuzz_take(in, 1) % 64;
	length = length < in->size ? length : in->size;
	store(s, offset, in->data, length);
	in->data += length;
	in->size -= length;
}

static void damage_once(struct fuzz_subject *s, struct fuzz_input *in)
{
	enum damage kind = (enum damage)(fuzz_take(in, 1) % DAMAGES);
	const struct fuzz_place *place = &s->places[fuzz_take(in, 1) % s->place_count];
	uint64_t words = place->bytes / 8, at = fuzz_take(in, 2), word;
	uint64_t offset = place->offset + at % words * 8;
	if (kind == SHRINK) {
		fuzz_shrink(s, at % 2 ? offset : at % (s->bytes / FUZZ_PAGE) * FUZZ_PAGE);
	} else if (kind == COPY) {
		copy_over(s, in, place, offset);
	} else if (kind == TEXT) {
		write_text(s, in, offset + at / words % 8);
	} else if (kind == HALF) {
		uint32_t value = (uint32_t)fuzz_take(in, 4);
		store(s, offset + at / words % 2 * 4, &value, sizeof(value));
	} else {
		load(s, offset, &word, sizeof(word));
		word = new_word(in, kind, word);
		store(s, offset, &word, sizeof(word));
	}
}

void fuzz_damage(struct fuzz_subject *subject, struct fuzz_input *in)
{
	for (unsigned i = 0; i < 64 && in->size; i++)
		damage_once(subject, in);
}
