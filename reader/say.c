/* SPDX-License-Identifier: MIT */
#include "say.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

static void say(FILE *to, const char *format, va_list args)
{
	char *text;
	int length = vasprintf(&text, format, args);
	if (length < 0) {
		fputs("invreg: out of memory\n", to);
		return;
	}
	bool ends = length && text[length - 1] == '\n';
	size_t cleaned = inv_table_clean(text, text, (size_t)length - ends);
	if (ends)
		text[cleaned++] = '\n';
	fwrite(text, 1, cleaned, to);
	free(text);
}

void inv_say(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(stderr, format, args);
	va_end(args);
}

void inv_say_to(FILE *to, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(to, format, args);
	va_end(args);
}
