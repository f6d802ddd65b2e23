/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "utf8.h"

#define GAP	   2u
#define TEXT_LEAST 8u /* a text column is not cut below this */

void inv_table_init(struct inv_table *table, const char *const *head)
{
	*table = (struct inv_table){0};
	for (; head[table->columns]; table->columns++) {
		bool right = head[table->columns][0] == '>';
		table->right[table->columns] = right;
		table->head[table->columns] = head[table->columns] + right;
	}
}

void inv_table_free(struct inv_table *table)
{
	for (size_t i = 0; i < table->cells; i++)
		free(table->cell[i]);
	free(table->cell);
	*table = (struct inv_table){0};
}

static void add(struct inv_table *table, char *text)
{
	if (table->cells == table->room && text) {
		size_t room = table->room ? table->room * 2 : 64;
		char **cell = realloc(table->cell, room * sizeof(*cell));
		if (!cell) {
			free(text);
			text = NULL;
		} else {
			table->cell = cell;
			table->room = room;
		}
	}
	if (text)
		table->cell[table->cells++] = text;
	else
		table->failed = true;
}

size_t inv_table_clean(char *to, const char *text, size_t length)
{
	size_t at = 0, out = 0;
	while (at < length) {
		int width, printable;
		size_t n = inv_utf8_next(text + at, length - at, &width, &printable);
		if (printable)
			memmove(to + out, text + at, n);
		else
			to[out] = '?';
		out += printable ? n : 1;
		at += n;
	}
	to[out] = '\0';
	return out;
}

void inv_table_text(struct inv_table *table, const char *text, size_t length)
{
	char *cell = malloc(length + 1);
	if (cell)
		inv_table_clean(cell, text, length);
	add(table, cell);
}

void inv_table_str(struct inv_table *table, const char *text)
{
	inv_table_text(table, text, strlen(text));
}

void inv_table_printf(struct inv_table *table, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	inv_table_str(table, text);
}

void inv_table_count(struct inv_table *table, uint64_t count)
{
	inv_table_printf(table, "%llu", (unsigned long long)count);
}

void inv_table_format_duration(char *buf, double ns)
{
	static const struct {
		double ns;
		const char *unit;
	} UNITS[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};
	for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
		double v = ns / UNITS[i].ns;
		if (v < 0.9995)
			continue;
		snprintf(buf, 32,
			 v < 9.995   ? "%.2f%s"
			 : v < 99.95 ? "%.1f%s"
				     : "%.0f%s",
			 v, UNITS[i].unit);
		return;
	}
	snprintf(buf, 32, "%.0fns", ns > 0 ? ns : 0);
}

void inv_table_duration(struct inv_table *table, double ns)
{
	char text[32];
	inv_table_format_duration(text, ns);
	inv_table_str(table, text);
}

/* ---- printing --------------------------------------------------------------------- */

static unsigned width_of(const char *text)
{
	unsigned total = 0;
	size_t length = strlen(text);
	for (size_t at = 0; at < length;) {
		int width, printable;
		at += inv_utf8_next(text + at, length - at, &width, &printable);
		total += (unsigned)width;
	}
	return total;
}

static void natural_widths(const struct inv_table *table, unsigned *widths)
{
	for (size_t c = 0; c < table->columns; c++)
		widths[c] = width_of(table->head[c]);
	for (size_t i = 0; i < table->cells; i++) {
		unsigned w = width_of(table->cell[i]);
		if (w > widths[i % table->columns])
			widths[i % table->columns] = w;
	}
}

/* Takes a column at a time from the widest text column until the table fits. */
static void fit(const struct inv_table *table, unsigned *widths, unsigned limit)
{
	for (;;) {
		unsigned total = 0;
		size_t widest = table->columns;
		for (size_t c = 0; c < table->columns; c++) {
			total += widths[c] + (c ? GAP : 0);
			if (!table->right[c] && widths[c] > TEXT_LEAST &&
			    (widest == table->columns || widths[c] > widths[widest]))
				widest = c;
		}
		if (total <= limit || widest == table->columns)
			return;
		widths[widest]--;
	}
}

static void pad(FILE *to, unsigned count)
{
	while (count--)
		fputc(' ', to);
}

/* Prints at most `width` columns. Returns: the columns printed. */
static unsigned print_cut(FILE *to, const char *text, unsigned width)
{
	unsigned used = 0;
	size_t length = strlen(text);
	bool cut = width_of(text) > width;
	for (size_t at = 0; at < length;) {
		int w, printable;
		size_t n = inv_utf8_next(text + at, length - at, &w, &printable);
		if (cut && used + (unsigned)w + 1 > width)
			break;
		fwrite(text + at, 1, n, to);
		used += (unsigned)w;
		at += n;
	}
	if (!cut)
		return used;
	fputs("\xe2\x80\xa6", to);
	return used + 1;
}

static void print_cell(const struct inv_table *table, size_t column, const char *text,
		       unsigned width, FILE *to)
{
	unsigned natural = width_of(text);
	if (column)
		pad(to, GAP);
	if (table->right[column])
		pad(to, width > natural ? width - natural : 0);
	unsigned used = print_cut(to, text, width);
	if (!table->right[column] && column + 1 < table->columns)
		pad(to, width > used ? width - used : 0);
}

void inv_table_print(const struct inv_table *table, FILE *to, unsigned width, bool color)
{
	unsigned widths[INV_TABLE_COLUMNS];
	natural_widths(table, widths);
	if (width)
		fit(table, widths, width);
	fputs(color ? "\033[1m" : "", to);
	for (size_t c = 0; c < table->columns; c++)
		print_cell(table, c, table->head[c], widths[c], to);
	fputs(color ? "\033[0m\n" : "\n", to);
	for (size_t i = 0; i + table->columns <= table->cells; i += table->columns) {
		for (size_t c = 0; c < table->columns; c++)
			print_cell(table, c, table->cell[i + c], widths[c], to);
		fputc('\n', to);
	}
}

unsigned inv_table_width(FILE *to)
{
	struct winsize size;
	if (!isatty(fileno(to)))
		return 0;
	const char *columns = getenv("COLUMNS");
	if (columns && atoi(columns) > 0)
		return (unsigned)atoi(columns);
	return ioctl(fileno(to), TIOCGWINSZ, &size) == 0 ? size.ws_col : 80;
}

bool inv_table_color(FILE *to)
{
	const char *no = getenv("NO_COLOR");
	return isatty(fileno(to)) && !(no && *no);
}

void inv_table_say(FILE *to, const char *text, size_t length)
{
	char *copy = malloc(length + 1);
	if (!copy)
		return;
	fwrite(copy, 1, inv_table_clean(copy, text, length), to);
	free(copy);
}
