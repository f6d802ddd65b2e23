/* SPDX-License-Identifier: MIT */
/*
 * doctor_names.c - names like one that is nowhere.
 *
 * The parser's own inv_nearest is private to preload/, and offers one name only.
 */
#include "reader/doctor_names.h"

#include <string.h>

#define WORD_MAX 128 /* longer names are not compared */

size_t inv_doctor_names_apart(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], n = strlen(b);
	if (n > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			best = best < row[j] + 1 ? best : row[j] + 1;
			row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
		}
	}
	return row[n];
}

struct nearest {
	struct inv_doctor_probe *to;
	size_t length;
	size_t distance[INV_DOCTOR_NAMES_MAX];
};

static bool offered(const struct inv_doctor_probe *probe, const char *name)
{
	for (uint32_t i = 0; i < probe->name_count; i++)
		if (!strcmp(probe->names[i], name))
			return true;
	return false;
}

static void insert(struct nearest *n, const char *name, size_t d)
{
	struct inv_doctor_probe *to = n->to;
	uint32_t at = to->name_count;
	while (at && d < n->distance[at - 1])
		at--;
	if (at == INV_DOCTOR_NAMES_MAX)
		return;
	to->name_count += to->name_count < INV_DOCTOR_NAMES_MAX;
	for (uint32_t i = to->name_count - 1; i > at; i--) {
		memcpy(to->names[i], to->names[i - 1], sizeof(to->names[i]));
		n->distance[i] = n->distance[i - 1];
	}
	snprintf(to->names[at], sizeof(to->names[at]), "%s", name);
	n->distance[at] = d;
}

/*
 * A name of which more than a third must change was not meant, nor one that the compiler made
 * (act.part.0).
 */
static void consider(void *arg, const char *name)
{
	struct nearest *n = arg;
	size_t length = strlen(name), limit = n->length / 3 > 1 ? n->length / 3 : 1;
	size_t apart = length > n->length ? length - n->length : n->length - length;
	if (strchr(name, '.') || length > WORD_MAX || n->length > WORD_MAX || apart > limit ||
	    offered(n->to, name))
		return;
	size_t d = inv_doctor_names_apart(n->to->probe->symbol, name);
	if (d <= limit && d < n->length)
		insert(n, name, d);
}

void inv_doctor_offer_names(struct inv_doctor_probe *out, const struct inv_doctor_program *program)
{
	struct nearest n = {.to = out, .length = strlen(out->probe->symbol)};
	const char *object = out->probe->object;
	for (size_t i = 0; i < program->count; i++) {
		const struct inv_doctor_elf *elf = &program->objects[i];
		if (!inv_doctor_program_accepts(program, object, i))
			continue;
		if (i == 0 || *object)
			inv_doctor_elf_each_function(elf, consider, &n);
		else
			inv_doctor_elf_each(elf, consider, &n);
	}
}
