/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define FIRST_HEADS 1024u

uint64_t inv_word_hash(const char *text, size_t length)
{
	uint64_t h = UINT64_C(0x9e3779b97f4a7c15) ^ length;
	while (length) {
		uint64_t v = 0;
		size_t n = length < 8 ? length : 8;
		memcpy(&v, text, n);
		h = (h ^ v) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
		text += n;
		length -= n;
	}
	return h;
}

int inv_words_init(struct inv_words *words)
{
	*words = (struct inv_words){.mask = FIRST_HEADS - 1};
	words->heads = calloc(FIRST_HEADS, sizeof(*words->heads));
	if (!words->heads)
		return -ENOMEM;
	words->other = inv_words_str(words, "_other");
	words->empty = inv_words_str(words, "");
	return words->other && words->empty ? 0 : -ENOMEM;
}

void inv_words_free(struct inv_words *words)
{
	for (size_t i = 0; words->heads && i <= words->mask; i++) {
		struct inv_word *next;
		for (struct inv_word *w = words->heads[i]; w; w = next) {
			next = w->next;
			free((void *)(uintptr_t)w->json);
			free(w);
		}
	}
	free(words->heads);
	*words = (struct inv_words){0};
}

static struct inv_word *make_word(const char *text, size_t length)
{
	struct inv_buf json;
	struct inv_word *w = malloc(sizeof(*w) + length + 1);
	if (!w)
		return NULL;
	if (inv_buf_init(&json, -1) < 0) {
		free(w);
		return NULL;
	}
	memcpy(w->text, text, length);
	w->text[length] = '\0';
	w->length = (uint32_t)length;
	w->broken = !inv_json_string(&json, text, length);
	w->json_length = (uint32_t)json.length;
	char *fit = realloc(json.data, json.length);
	w->json = fit ? fit : json.data;
	/* cppcheck-suppress memleak ; the word owns it */
	return w;
}

static void rehash(struct inv_words *words)
{
	size_t mask = words->mask * 2 + 1;
	struct inv_word **heads = calloc(mask + 1, sizeof(*heads));
	if (!heads)
		return; /* longer chains, still right */
	for (size_t i = 0; i <= words->mask; i++) {
		struct inv_word *next;
		for (struct inv_word *w = words->heads[i]; w; w = next) {
			next = w->next;
			w->next = heads[w->hash & mask];
			heads[w->hash & mask] = w;
		}
	}
	free(words->heads);
	words->heads = heads;
	words->mask = mask;
}

const struct inv_word *inv_words_get(struct inv_words *words, const char *text, size_t length)
{
	uint64_t hash = inv_word_hash(text, length);
	struct inv_word *w = words->heads[hash & words->mask];
	for (; w; w = w->next)
		if (w->hash == hash && w->length == length && !memcmp(w->text, text, length))
			return w;
	w = make_word(text, length);
	if (!w)
		return words->other;
	if (words->count++ > words->mask)
		rehash(words);
	w->hash = hash;
	w->next = words->heads[hash & words->mask];
	words->heads[hash & words->mask] = w;
	return w;
}

const struct inv_word *inv_words_str(struct inv_words *words, const char *text)
{
	return inv_words_get(words, text, strlen(text));
}
