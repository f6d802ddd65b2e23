/* SPDX-License-Identifier: MIT */
/*
 * random.c - random bytes, decoded by ours and by Zydis.
 *
 *   decode_random [COUNT [SEED]]
 *
 * A quarter of the tries is uniform; the others begin with an escape, VEX or EVEX, which
 * uniform bytes rarely do. Exit 1 when the two disagree on an instruction that both know, or
 * when ours knows one outside of the vector encodings that Zydis does not [X1].
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/decode/reference.h"

enum outcome {
	EQUAL,
	DIFFERENT,
	OURS_ONLY,
	OURS_ONLY_VECTOR,
	OURS_NEWER,
	THEIRS_ONLY,
	NEITHER,
	OUTCOMES
};

static const char *const words[OUTCOMES] = {
	"equal",      "DIFFERENT", "OURS ONLY", "ours only, vector [X1]", "newer than Zydis",
	"Zydis only", "neither",
};

static uint64_t random64(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void start_with_escape(uint8_t *bytes, unsigned long turn)
{
	static const uint8_t starts[][3] = {
		{0x0f},
		{0x0f, 0x38},
		{0x0f, 0x3a},
		{0xc5},
		{0x8f},
		{0x66, 0x0f},
		{0xf3, 0x0f},
		{0xf2, 0x0f},
		{0x48},
		{0x66},
		{0xf0},
		{0x67},
		{0x0f, 0x01},
		{0x66, 0x0f, 0x38},
		{0xf3, 0x0f, 0x01},
	};
	const uint8_t *start = starts[turn % (sizeof(starts) / sizeof(starts[0]))];

	for (unsigned i = 0; i < 3 && start[i]; i++)
		bytes[i] = start[i];
}

/* A prefix that is well formed, with vvvv unused; the map, W, L and pp stay random. */
static void start_with_vex(uint8_t *bytes)
{
	bytes[0] = 0xc4;
	bytes[1] = (uint8_t)((bytes[1] & 0xe0) | (1 + (bytes[1] & 0x1f) % 3));
	bytes[2] |= 0x78;
}

static void start_with_evex(uint8_t *bytes)
{
	bytes[0] = 0x62;
	bytes[1] = (uint8_t)((bytes[1] & 0xf0) | (1 + (bytes[1] & 7) % 6));
	bytes[2] |= 0x7c;
	bytes[3] = (uint8_t)((bytes[3] & 0x77) | 0x08);
}

static void make_bytes(uint8_t *bytes, uint64_t *state, unsigned long turn)
{
	uint64_t words64[2] = {random64(state), random64(state)};

	for (unsigned i = 0; i < 15; i++)
		bytes[i] = (uint8_t)(words64[i / 8] >> i % 8 * 8);
	if (turn % 4 == 1)
		start_with_escape(bytes, turn / 4);
	else if (turn % 4 == 2)
		start_with_vex(bytes);
	else if (turn % 4 == 3)
		start_with_evex(bytes);
}

static enum outcome compare(const struct reference *reference, const uint8_t *bytes)
{
	struct inv_x86_insn ours, theirs;
	bool known = inv_x86_decode(&ours, bytes, 15) == INV_X86_OK;
	bool known_to_them = reference_decode(reference, &theirs, bytes, 15);

	if (known && known_to_them)
		return reference_equal(&ours, &theirs) ? EQUAL : DIFFERENT;
	if (known && reference_is_too_old(&ours, bytes))
		return OURS_NEWER;
	if (known)
		return ours.prefixes & (INV_X86_P_VEX | INV_X86_P_EVEX | INV_X86_P_XOP)
			       ? OURS_ONLY_VECTOR
			       : OURS_ONLY;
	return known_to_them ? THEIRS_ONLY : NEITHER;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 20261128;
	bool verbose = getenv("VERBOSE");
	unsigned long outcomes[OUTCOMES] = {0};
	struct reference reference;
	uint64_t state = seed;

	reference_init(&reference);
	for (unsigned long turn = 0; turn < count; turn++) {
		uint8_t bytes[15];
		enum outcome outcome;

		make_bytes(bytes, &state, turn);
		outcome = compare(&reference, bytes);
		outcomes[outcome]++;
		if (outcome == DIFFERENT || outcome == OURS_ONLY ||
		    (verbose && outcome != EQUAL && outcome != NEITHER)) {
			printf("%s:", words[outcome]);
			for (unsigned i = 0; i < 15; i++)
				printf(" %02x", bytes[i]);
			puts("");
		}
	}
	printf("%lu tries, seed %llu\n", count, (unsigned long long)seed);
	for (int i = 0; i < OUTCOMES; i++)
		printf("%10lu  %s\n", outcomes[i], words[i]);
	return outcomes[DIFFERENT] || outcomes[OURS_ONLY];
}
