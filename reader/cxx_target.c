/* SPDX-License-Identifier: MIT */
/*
 * cxx_target.c - every symbol is demangled and compared, as c++filt would print it.
 *
 * The demangler is that of the C++ library, loaded when it is first needed: where there are C++
 * programs there is one. Names are compared without spaces and ABI tags, with `const T &` as
 * `T const &` and std::string and std::string_view in the place of what they stand for.
 */
#include "reader/cxx_target.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader/doctor_names.h"

#define NAME_MAX_BYTES 1024

typedef char *demangle_fn(const char *, char *, size_t *, int *);

static demangle_fn *demangler(void)
{
	static const char *const libraries[] = {"libstdc++.so.6", "libc++abi.so.1"};
	demangle_fn *found = NULL;
	for (int i = 0; i < 2 && !found; i++) {
		void *library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
		void *symbol = library ? dlsym(library, "__cxa_demangle") : NULL;
		memcpy(&found, &symbol, sizeof(found));
	}
	return found;
}

/* The colon of OBJECT:NAME. Returns: NULL: there is no object. */
static const char *object_colon(const char *target)
{
	const char *colon = strchr(target, ':');
	return colon && colon[1] != ':' ? colon : NULL;
}

bool inv_cxx_target_is(const char *target)
{
	const char *colon = object_colon(target);
	const char *name = colon ? colon + 1 : target;
	return strncmp(target, "python:", 7) != 0 && strpbrk(name, ":(") != NULL;
}

/* ---- one spelling ---------------------------------------------------------------------- */

static void replace(char *text, const char *from, const char *to)
{
	size_t n = strlen(from), m = strlen(to);
	for (char *at = text; (at = strstr(at, from)); at += m) {
		memcpy(at, to, m); /* never longer */
		memmove(at + m, at + n, strlen(at + n) + 1);
	}
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* `const T&` as `T const&`, of one parameter. */
static void put_const_behind(char *from)
{
	size_t end = 0;
	int depth = 0;
	if (strncmp(from, "const ", 6) != 0)
		return;
	char *type = from + 6;
	for (; type[end] && (depth || !strchr("*&,)", type[end])); end++)
		depth += (type[end] == '<') - (type[end] == '>');
	while (end && type[end - 1] == ' ')
		end--;
	memmove(from, type, end);
	memcpy(from + end, " const", 6);
}

/* A space is left between two words only, the first of which may end as a template does. */
static void squeeze(char *text)
{
	char *to = text;
	for (const char *at = text; *at; at++) {
		char c = isspace((unsigned char)*at) ? ' ' : *at;
		const char *next = at + strspn(at, " \t\n\r\v\f");
		if (c != ' ' || (to > text && (is_word(to[-1]) || to[-1] == '>') && is_word(*next)))
			*to++ = c;
		if (c == ' ')
			at = next - 1;
	}
	*to = '\0';
}

/* [abi:cxx11], which a compiler puts behind the name of what returns a std::string. */
static void drop_tags(char *text)
{
	for (char *at = text, *end; (at = strstr(at, "[abi:")) && (end = strchr(at, ']'));)
		memmove(at, end + 1, strlen(end + 1) + 1);
}

static void normalise(char *text)
{
	squeeze(text);
	drop_tags(text);
	replace(text, "std::__cxx11::", "std::");
	replace(text, "std::basic_string<char,std::char_traits<char>,std::allocator<char>>",
		"std::string");
	replace(text, "std::basic_string_view<char,std::char_traits<char>>", "std::string_view");
	put_const_behind(text);
	for (char *at = text; *at; at++)
		if (*at == '(' || *at == ',')
			put_const_behind(at + 1);
}

/* ---- the search ------------------------------------------------------------------------ */

struct search {
	demangle_fn *demangle;
	char wanted[NAME_MAX_BYTES];
	bool with_parameters;
	unsigned count;
	char symbol[192];
	char all[256]; /* of those that fit */
	size_t apart;  /* of the nearest name that does not */
	char nearest[128];
};

/* Parameters that differ are no reason to take another function for nearer. */
static void offer(struct search *s, const char *name)
{
	char own[NAME_MAX_BYTES], other[NAME_MAX_BYTES];
	snprintf(own, sizeof(own), "%.*s", (int)strcspn(s->wanted, "("), s->wanted);
	snprintf(other, sizeof(other), "%.*s", (int)strcspn(name, "("), name);
	size_t apart = inv_doctor_names_apart(own, other), limit = strlen(own) / 3;
	if (apart > limit || (s->nearest[0] && apart >= s->apart))
		return;
	s->apart = apart;
	snprintf(s->nearest, sizeof(s->nearest), "%s", name);
}

static void consider(void *arg, const char *symbol)
{
	struct search *s = arg;
	int status = 0;
	char name[4 * NAME_MAX_BYTES];
	if (strncmp(symbol, "_Z", 2) != 0 || strchr(symbol, '.') ||
	    strlen(symbol) >= sizeof(s->symbol) || !strcmp(symbol, s->symbol))
		return;
	char *readable = s->demangle(symbol, NULL, NULL, &status);
	bool usable = readable && strlen(readable) < sizeof(name);
	if (usable)
		strcpy(name, readable);
	free(readable);
	if (!usable)
		return;
	normalise(name);
	char *parameters = strchr(name, '(');
	if (!s->with_parameters && parameters)
		*parameters = '\0';
	if (strcmp(name, s->wanted) != 0) {
		offer(s, name);
		return;
	}
	s->count++;
	strcpy(s->symbol, symbol);
	size_t n = strlen(s->all);
	snprintf(s->all + n, sizeof(s->all) - n, "%s%s", n ? ", " : "", symbol);
}

static const char *word_of(const struct inv_doctor_program *program, size_t i)
{
	const struct inv_doctor_elf *elf = &program->objects[i];
	const char *slash = strrchr(elf->path, '/');
	if (i == 0)
		return "program";
	return elf->soname[0] ? elf->soname : slash ? slash + 1 : elf->path;
}

static bool is_wanted(const struct inv_doctor_program *program, size_t i, const char *object)
{
	if (!*object)
		return true;
	return i == 0 ? !strcmp(object, "program")
		      : inv_doctor_elf_is(&program->objects[i], object);
}

int inv_cxx_target_find(char *out, size_t out_size, const char *target,
			const struct inv_doctor_program *program, char *why, size_t size)
{
	struct search s = {.demangle = demangler()};
	const char *colon = object_colon(target), *name = colon ? colon + 1 : target;
	char object[128];
	snprintf(object, sizeof(object), "%.*s", colon ? (int)(colon - target) : 0, target);
	snprintf(s.wanted, sizeof(s.wanted), "%s", name);
	s.with_parameters = strchr(name, '(') != NULL;
	normalise(s.wanted);
	if (!s.demangle) {
		snprintf(why, size,
			 "a C++ name takes libstdc++.so.6 or libc++abi.so.1 here: give "
			 "the symbol, as nm prints it");
		return -EINVAL;
	}
	for (size_t i = 0; i < program->count && !s.count; i++) {
		if (!is_wanted(program, i, object))
			continue;
		inv_doctor_elf_each_function(&program->objects[i], consider, &s);
		snprintf(out, out_size, "%s:%s", word_of(program, i), s.symbol);
	}
	if (s.count == 1)
		return 0;
	if (s.count)
		snprintf(why, size, "several functions are %.60s: %s", name, s.all);
	else
		snprintf(why, size, "no object loaded at start has a function %.90s%s%.120s%s",
			 name,
			 s.nearest[0]		      ? ": did you mean "
			 : program->objects[0].symtab ? ""
						      : ": the program is stripped",
			 s.nearest, s.nearest[0] ? "?" : "");
	return -EINVAL;
}
