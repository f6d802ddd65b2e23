/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "help.h"
#include "say.h"
#include "verbs.h"

#define OPTIONS_MAX 24
/* A century: what is subtracted from now stays within 64 bits of nanoseconds. */
#define AGO_SECONDS_MAX 3.2e9

#define CODE_DIR	1000
#define CODE_HELP	1001
#define CODE_FIRST	2000

struct parsing {
	struct option longs[OPTIONS_MAX + 3];
	char shorts[2 * OPTIONS_MAX + 5];
};

static void describe(struct parsing *p, const struct inv_option *options)
{
	size_t n = 0, s = 0;
	p->shorts[s++] = ':';
	p->shorts[s++] = 'h';
	for (; n < OPTIONS_MAX && options[n].name; n++) {
		int wants = options[n].text ? required_argument : no_argument;
		p->longs[n] = (struct option){options[n].name, wants, NULL, CODE_FIRST + (int)n};
		if (!options[n].letter)
			continue;
		p->shorts[s++] = options[n].letter;
		if (options[n].text)
			p->shorts[s++] = ':';
	}
	p->longs[n++] = (struct option){"dir", required_argument, NULL, CODE_DIR};
	p->longs[n++] = (struct option){"help", no_argument, NULL, CODE_HELP};
	p->longs[n] = (struct option){0};
	p->shorts[s] = '\0';
}

static const struct inv_option *find(const struct inv_option *options, int code)
{
	for (size_t i = 0; options[i].name; i++)
		if (code == CODE_FIRST + (int)i || (code && code == options[i].letter))
			return &options[i];
	return NULL;
}

static int bad(const char *verb, const char *what, const char *which)
{
	inv_say("invreg: %s: %s '%s'; see `invreg %s --help`\n", verb, what, which, verb);
	return INV_EXIT_USAGE;
}

static int empty(const char *verb, const char *option)
{
	inv_say("invreg: %s: %s is empty; see `invreg %s --help`\n", verb, option, verb);
	return INV_EXIT_USAGE;
}

static int take(const struct inv_option *option)
{
	if (option->text)
		*option->text = optarg;
	else
		*option->flag = true;
	return -1;
}

static int take_code(int code, char **argv, const struct inv_option *options, const char **dir)
{
	const struct inv_option *option = find(options, code);
	if (option)
		return take(option);
	if (code == CODE_DIR)
		return inv_options_dir(argv[0], optarg, dir);
	if (code == CODE_HELP || code == 'h')
		return inv_help(argv[0]);
	const char *which = argv[optind - 1];
	return bad(argv[0], code == ':' ? "value missing after" : "unknown option", which);
}

int inv_options_dir(const char *verb, const char *text, const char **dir)
{
	*dir = text;
	return *text ? -1 : empty(verb, "--dir");
}

int inv_options_parse(int argc, char **argv, const struct inv_option *options, const char **dir,
		      const char **words, size_t word_room, size_t *word_count)
{
	struct parsing p;
	int code;
	describe(&p, options);
	*word_count = 0;
	optind = 0; /* glibc: start over */
	while ((code = getopt_long(argc, argv, p.shorts, p.longs, NULL)) != -1) {
		int result = take_code(code, argv, options, dir);
		if (result >= 0)
			return result;
	}
	for (int i = optind; i < argc; i++) {
		if (*word_count == word_room)
			return bad(argv[0], "one argument too many:", argv[i]);
		words[(*word_count)++] = argv[i];
	}
	return -1;
}

bool inv_options_count(const char *text, uint64_t *count)
{
	char *end;
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	unsigned long long v = strtoull(text, &end, 10);
	unsigned long long scale = *end == 'k' ? 1000 : *end == 'M' ? 1000000 : 1;
	end += scale > 1;
	*count = v * scale;
	return !errno && !*end && v <= UINT64_MAX / scale;
}

/* A bare number is seconds. */
static double seconds_of(const char *unit)
{
	static const char UNITS[] = "smhd";
	static const double SECONDS[] = {1, 60, 3600, 86400};
	if (!*unit)
		return 1;
	const char *found = strchr(UNITS, *unit);
	return found && !unit[1] ? SECONDS[found - UNITS] : 0;
}

static bool ago(const char *text, int64_t now_ns, int64_t *since_ns)
{
	char *end;
	double v = strtod(text, &end);
	double unit = seconds_of(end);
	if (end == text || unit == 0 || !(v >= 0 && v * unit <= AGO_SECONDS_MAX))
		return false;
	*since_ns = now_ns - (int64_t)(v * unit * 1e9);
	return true;
}

bool inv_options_since(const char *text, int64_t now_ns, int64_t *since_ns)
{
	struct tm tm = {0};
	if (ago(text, now_ns, since_ns))
		return true;
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		return false;
	char *end = (char *)(uintptr_t)rest;
	double fraction = *rest == '.' ? strtod(rest, &end) : 0.0;
	if (strcmp(end, "Z") && *end)
		return false;
	int64_t seconds = timegm(&tm);
	if (!(fraction >= 0 && fraction < 1) ||
	    __builtin_mul_overflow(seconds, INT64_C(1000000000), since_ns))
		return false;
	return !__builtin_add_overflow(*since_ns, (int64_t)(fraction * 1e9), since_ns);
}
