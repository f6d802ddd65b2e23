/* SPDX-License-Identifier: MIT */
/*
 * words.h - names, each kept once, with its escaped JSON form beside it.
 *
 * A name is escaped when it is first met and copied ever after: that, and fixed text in
 * between, is what makes event lines cheap. Words never move and live as long as their
 * table. A plain chained table suffices: one thread fills and reads it (the RCU table is
 * the registry's, which has readers of its own).
 */
#ifndef INV_READER_WORDS_H
#define INV_READER_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inv_word {
	struct inv_word *next;
	uint64_t hash;
	uint32_t length;
	uint32_t json_length;
	bool broken;	  /* was not UTF-8: replaced in `json`, to be flagged */
	const char *json; /* with its quotes */
	char text[];	  /* NUL-terminated too */
};

struct inv_words {
	struct inv_word **heads;
	size_t mask;
	size_t count;
	const struct inv_word *empty; /* "" */
	const struct inv_word *other; /* "_other" */
};

/* Returns: 0 or -ENOMEM. */
int inv_words_init(struct inv_words *words);
void inv_words_free(struct inv_words *words);

uint64_t inv_word_hash(const char *text, size_t length);

/* Finds or adds. Returns: the word; `other` when out of memory; never NULL. */
const struct inv_word *inv_words_get(struct inv_words *words, const char *text, size_t length);
const struct inv_word *inv_words_str(struct inv_words *words, const char *text);

#endif
