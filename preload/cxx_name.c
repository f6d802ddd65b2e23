/* SPDX-License-Identifier: MIT */
/*
 * cxx_name.c - the part of the Itanium C++ ABI's mangling that class names need:
 *
 *   name     ::= [K|V|r]* ( builtin | "P" name | "St" source | "N" ["St"] source+ "E" | source )
 *   source   ::= decimal length, that many bytes
 *
 * and, since programs throw them, std::string of each library, by the whole of its name.
 */
#include "preload/cxx_name.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct reading {
	const char *at, *end;
	char *out;
	size_t size, length;
};

static void put(struct reading *r, const char *text, size_t length)
{
	for (size_t i = 0; i < length && r->length + 1 < r->size; i++)
		r->out[r->length++] = text[i];
}

static bool accept(struct reading *r, const char *literal)
{
	size_t length = strlen(literal);
	if ((size_t)(r->end - r->at) < length || memcmp(r->at, literal, length) != 0)
		return false;
	r->at += length;
	return true;
}

static bool source_name(struct reading *r)
{
	size_t length = 0;
	if (r->at == r->end || *r->at < '1' || *r->at > '9')
		return false;
	for (; r->at < r->end && *r->at >= '0' && *r->at <= '9' && length < 10000; r->at++)
		length = length * 10 + (size_t)(*r->at - '0');
	if (length > (size_t)(r->end - r->at))
		return false;
	if (length >= 10 && memcmp(r->at, "_GLOBAL__N", 10) == 0)
		put(r, "(anonymous)", 11);
	else
		put(r, r->at, length);
	r->at += length;
	return true;
}

static bool nested_name(struct reading *r)
{
	bool first = true;
	if (accept(r, "St")) {
		put(r, "std", 3);
		first = false;
	}
	while (!accept(r, "E")) {
		if (!first)
			put(r, "::", 2);
		first = false;
		if (!source_name(r))
			return false;
	}
	return true;
}

static bool builtin(struct reading *r)
{
	static const struct {
		char code;
		const char *name;
	} builtins[] = {
		{'b', "bool"},	  {'c', "char"},	  {'a', "signed char"},
		{'s', "short"},	  {'h', "unsigned char"}, {'t', "unsigned short"},
		{'i', "int"},	  {'j', "unsigned int"},  {'l', "long"},
		{'f', "float"},	  {'m', "unsigned long"}, {'x', "long long"},
		{'d', "double"},  {'e', "long double"},	  {'y', "unsigned long long"},
		{'w', "wchar_t"}, {'v', "void"},
	};
	for (size_t i = 0; r->at < r->end && i < sizeof(builtins) / sizeof(builtins[0]); i++) {
		if (*r->at != builtins[i].code)
			continue;
		r->at++;
		put(r, builtins[i].name, strlen(builtins[i].name));
		return true;
	}
	return false;
}

/* Of libstdc++, the same before GCC 5, and libc++. */
static bool std_string(struct reading *r)
{
	if (!accept(r, "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE") &&
	    !accept(r, "Ss") &&
	    !accept(r, "NSt3__112basic_stringIcNS_11char_traitsIcEENS_9allocatorIcEEEE"))
		return false;
	put(r, "std::string", 11);
	return true;
}

static bool own_name(struct reading *r)
{
	if (std_string(r))
		return true;
	if (accept(r, "N"))
		return nested_name(r);
	if (!accept(r, "St"))
		return source_name(r) || builtin(r);
	put(r, "std::", 5);
	return source_name(r);
}

static bool type_name(struct reading *r)
{
	size_t pointers = 0;
	bool is_const = false;
	for (;;) {
		if (accept(r, "P"))
			pointers++;
		else if (accept(r, "K"))
			is_const = true;
		else
			break;
	}
	if (is_const)
		put(r, "const ", 6);
	if (!own_name(r))
		return false;
	for (; pointers; pointers--)
		put(r, "*", 1);
	return r->at == r->end;
}

size_t inv_cxx_name(const char *mangled, size_t length, char *out, size_t size)
{
	struct reading r = {mangled, mangled + length, out, size, 0};
	if (!type_name(&r)) {
		r.length = 0;
		put(&r, mangled, length);
	}
	if (size)
		out[r.length] = 0;
	return r.length;
}
