/* SPDX-License-Identifier: MIT */
/*
 * probe_codes.c - enumerations.
 *
 * A function of type int often returns constants of an enumeration, which its debug information
 * does not say. An enumeration of the same unit is taken if it has a name that says result,
 * error or status, a constant 0, and is the only one; or the only one that shares the first
 * word of its name with the function.
 */
#include "reader/probe_codes.h"

#include <ctype.h>
#include <dwarf.h>
#include <string.h>
#include <strings.h>

#include "preload/probe.h"

struct code {
	const char *name;
	long value;
};

struct codes {
	const char *name; /* of the enumeration */
	unsigned count;
	struct code rows[INV_PROBE_RULES_MAX + 1];
};

static void read_codes(struct codes *codes, Dwarf_Die *type)
{
	Dwarf_Die child;
	Dwarf_Attribute attribute;
	Dwarf_Sword value;
	codes->count = 0;
	codes->name = dwarf_diename(type);
	if (dwarf_child(type, &child))
		return;
	do {
		const char *name = dwarf_diename(&child);
		if (codes->count <= INV_PROBE_RULES_MAX && name &&
		    dwarf_attr(&child, DW_AT_const_value, &attribute) &&
		    !dwarf_formsdata(&attribute, &value))
			codes->rows[codes->count++] = (struct code){name, value};
	} while (dwarf_siblingof(&child, &child) == 0);
}

static bool says(const char *name, const char *const *words)
{
	for (; *words; words++)
		if (strcasestr(name, *words))
			return true;
	return false;
}

/* The one that is success: by its name, else zero. NULL: neither. */
static const struct code *find_success(const struct codes *codes)
{
	static const char *const good[] = {"_ok", "success", "_done", "_none", "no_error", NULL};
	const struct code *zero = NULL;
	for (unsigned i = 0; i < codes->count; i++) {
		const struct code *row = &codes->rows[i];
		zero = row->value == 0 ? row : zero;
		if (row->value != 0 && !strcasecmp(row->name, "ok"))
			return row;
	}
	for (unsigned i = 0; !zero && i < codes->count; i++)
		if (says(codes->rows[i].name, good))
			return &codes->rows[i];
	return zero;
}

/* How much of each name is said by all: EXECUTOR_ of EXECUTOR_OK and EXECUTOR_TIMEOUT. */
static size_t common_start(const struct codes *codes)
{
	const char *first = codes->rows[0].name;
	size_t common = strlen(first);
	for (unsigned i = 1; i < codes->count; i++) {
		size_t n = 0;
		while (n < common && codes->rows[i].name[n] == first[n])
			n++;
		common = n;
	}
	while (common && first[common - 1] != '_')
		common--;
	return codes->count > 1 ? common : 0;
}

static void put_name(FILE *to, const char *name)
{
	for (; *name; name++)
		fputc(tolower((unsigned char)*name), to);
}

/* Of a number with several names the first is told: a table has each code once. */
static bool is_alias(const struct codes *codes, unsigned row)
{
	for (unsigned i = 0; i < row; i++)
		if (codes->rows[i].value == codes->rows[row].value)
			return true;
	return false;
}

static void put_codes(FILE *to, const struct codes *codes, bool guessed)
{
	const struct code *success = find_success(codes);
	size_t skip = common_start(codes);
	unsigned written = 0;
	if (success)
		fprintf(to, "%-13s = return == %ld ; %s\n", "success", success->value,
			success->name);
	else
		fprintf(to, "; success     = return == 0 ; no constant looks like it\n");
	for (unsigned i = 0; i < codes->count; i++) {
		const struct code *row = &codes->rows[i];
		if (row == success || (success && row->value == success->value) ||
		    is_alias(codes, i) || written == INV_PROBE_RULES_MAX)
			continue;
		if (written++)
			fprintf(to, ", %ld=", row->value);
		else
			fprintf(to, "%-13s = return: %ld=", "error_type", row->value);
		put_name(to, row->name + skip);
	}
	if (written)
		fprintf(to, " ; enum %s%s\n", codes->name ? codes->name : "without a name",
			guessed ? ", a guess: the result is an int" : "");
}

/* ---- an enumeration that an int may be ------------------------------------------------- */

/* "executor" of executor_invoke and of executor_result. */
static bool share_first_word(const char *a, const char *b)
{
	size_t n = strcspn(a, "_");
	return n > 2 && !strncasecmp(a, b, n) && (b[n] == '_' || !b[n]);
}

static bool looks_like_result(const struct codes *codes, const char *function)
{
	static const char *const words[] = {"result", "error", "status", "outcome", "errc", NULL};
	bool zero = false;
	const char *shown = codes->name ? codes->name : codes->count ? codes->rows[0].name : "";
	for (unsigned i = 0; i < codes->count; i++)
		zero |= codes->rows[i].value == 0;
	return zero && codes->count > 1 &&
	       (says(shown, words) || (function && share_first_word(function, shown)));
}

static bool find_beside(struct codes *out, Dwarf_Die *function)
{
	Dwarf_Die unit, child;
	struct codes codes;
	unsigned count = 0, sharing = 0;
	const char *name = dwarf_diename(function);
	if (!dwarf_diecu(function, &unit, NULL, NULL) || dwarf_child(&unit, &child))
		return false;
	do {
		if (dwarf_tag(&child) != DW_TAG_enumeration_type)
			continue;
		read_codes(&codes, &child);
		if (!looks_like_result(&codes, name))
			continue;
		bool shares = name && share_first_word(name, codes.name ? codes.name : "");
		if (shares || !sharing)
			*out = codes;
		sharing += shares;
		count++;
	} while (dwarf_siblingof(&child, &child) == 0);
	return sharing == 1 || (!sharing && count == 1);
}

bool inv_probe_put_codes(FILE *to, Dwarf_Die *function, const struct inv_debug_type *result)
{
	struct codes codes;
	Dwarf_Die type = result->die;
	if (result->enumeration)
		read_codes(&codes, &type);
	else if (strcmp(result->word, "int") != 0 || !find_beside(&codes, function))
		return false;
	if (!codes.count)
		return false;
	put_codes(to, &codes, !result->enumeration);
	return true;
}
