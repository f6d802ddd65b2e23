/* SPDX-License-Identifier: MIT */
/*
 * debug_type.c - typedefs and qualifiers are peeled off; what is left is a word.
 *
 * A struct by value is written as its members when those lie as a compiler would put them,
 * else (unions, bit-fields, packed) as eightbytes of the class in which they are passed: the
 * same registers either way. A class that is not trivially copyable is passed by its address.
 */
#include "reader/debug_type.h"

#include <dwarf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader/debug_info.h"

#define SCALARS_MAX 64
#define NESTING_MAX 8
#define EIGHT	    8u

struct scalar {
	long offset;
	unsigned size;
	bool is_float;
	char word[12];
};

struct layout {
	unsigned count;
	bool irregular; /* not to be written as its members */
	bool failed;	/* something that no word says */
	struct scalar scalars[SCALARS_MAX];
};

static bool get_type(Dwarf_Die *die, Dwarf_Die *out)
{
	Dwarf_Attribute attribute;
	return dwarf_attr_integrate(die, DW_AT_type, &attribute) &&
	       dwarf_formref_die(&attribute, out) && !dwarf_peel_type(out, out);
}

static unsigned long number_of(Dwarf_Die *die, unsigned name, unsigned long otherwise)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;
	if (!dwarf_attr_integrate(die, name, &attribute) || dwarf_formudata(&attribute, &value))
		return otherwise;
	return value;
}

static unsigned size_of(Dwarf_Die *type)
{
	Dwarf_Word size;
	return dwarf_aggregate_size(type, &size) ? 0 : (unsigned)size;
}

/* ---- scalars --------------------------------------------------------------------------- */

static bool integer_word(char *word, unsigned size, bool is_signed)
{
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return false;
	if (size == 4)
		strcpy(word, is_signed ? "int" : "uint");
	else
		sprintf(word, "%c%u", is_signed ? 'i' : 'u', size * 8);
	return true;
}

static bool base_word(Dwarf_Die *type, char *word, bool *is_float)
{
	unsigned long encoding = number_of(type, DW_AT_encoding, 0);
	unsigned size = size_of(type);
	*is_float = encoding == DW_ATE_float;
	switch (encoding) {
	case DW_ATE_boolean:
		strcpy(word, "bool");
		return size == 1;
	case DW_ATE_float:
		strcpy(word, size == 4 ? "f32" : size == 8 ? "f64" : "ldouble");
		return size == 4 || size == 8 || size == 16;
	case DW_ATE_signed:
	case DW_ATE_signed_char:
		return integer_word(word, size, true);
	case DW_ATE_unsigned:
	case DW_ATE_unsigned_char:
	case DW_ATE_UTF:
		return integer_word(word, size, false);
	default:
		return false;
	}
}

/* Without an underlying type: signed if a value is below zero, or it would not show. */
static bool enum_is_signed(Dwarf_Die *type)
{
	Dwarf_Die underlying, child;
	Dwarf_Attribute attribute;
	Dwarf_Sword value;
	char word[12];
	bool is_float;
	if (dwarf_child(type, &child) == 0)
		do {
			if (dwarf_attr(&child, DW_AT_const_value, &attribute) &&
			    !dwarf_formsdata(&attribute, &value) && value < 0)
				return true;
		} while (dwarf_siblingof(&child, &child) == 0);
	if (get_type(type, &underlying) && base_word(&underlying, word, &is_float))
		return word[0] == 'i';
	return false;
}

static bool is_pointer(int tag)
{
	return tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type ||
	       tag == DW_TAG_rvalue_reference_type || tag == DW_TAG_unspecified_type;
}

/* Returns: whether the type is a scalar that a word says. */
static bool scalar_word(Dwarf_Die *type, char *word, bool *is_float)
{
	int tag = dwarf_tag(type);
	*is_float = false;
	if (tag == DW_TAG_base_type)
		return base_word(type, word, is_float);
	if (tag == DW_TAG_enumeration_type)
		return integer_word(word, size_of(type), enum_is_signed(type));
	strcpy(word, "ptr");
	return is_pointer(tag);
}

/* ---- structs --------------------------------------------------------------------------- */

static bool is_struct(int tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

static void collect(struct layout *layout, Dwarf_Die *type, long offset, int depth);

static void add_scalar(struct layout *layout, Dwarf_Die *type, long offset)
{
	struct scalar *scalar = &layout->scalars[layout->count];
	layout->failed |= layout->count == SCALARS_MAX ||
			  !scalar_word(type, scalar->word, &scalar->is_float) ||
			  !strcmp(scalar->word, "ldouble");
	if (layout->failed)
		return;
	scalar->offset = offset;
	scalar->size = size_of(type) ? size_of(type) : EIGHT;
	layout->count++;
}

static void collect_array(struct layout *layout, Dwarf_Die *type, long offset, int depth)
{
	Dwarf_Die element;
	unsigned bytes = size_of(type), each = get_type(type, &element) ? size_of(&element) : 0;
	layout->failed |= !each || bytes / each > SCALARS_MAX;
	for (unsigned at = 0; !layout->failed && at + each <= bytes; at += each)
		collect(layout, &element, offset + at, depth + 1);
}

static void collect_member(struct layout *layout, Dwarf_Die *member, long offset, int depth)
{
	Dwarf_Die type;
	Dwarf_Attribute attribute;
	int tag = dwarf_tag(member);
	bool is_static = dwarf_attr(member, DW_AT_external, &attribute) ||
			 dwarf_attr(member, DW_AT_declaration, &attribute);
	if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) || is_static)
		return;
	offset += (long)number_of(member, DW_AT_data_member_location, 0);
	if (dwarf_attr(member, DW_AT_bit_size, &attribute)) {
		layout->irregular = true;
		offset += (long)number_of(member, DW_AT_data_bit_offset, 0) / 8;
	}
	if (get_type(member, &type))
		collect(layout, &type, offset, depth + 1);
	else
		layout->failed = true;
}

static void collect(struct layout *layout, Dwarf_Die *type, long offset, int depth)
{
	int tag = dwarf_tag(type);
	Dwarf_Die child;
	if (depth > NESTING_MAX)
		layout->failed = true;
	if (layout->failed)
		return;
	layout->irregular |= tag == DW_TAG_union_type;
	if (tag == DW_TAG_array_type) {
		collect_array(layout, type, offset, depth);
	} else if (!is_struct(tag)) {
		add_scalar(layout, type, offset);
	} else if (dwarf_child(type, &child) == 0) {
		do
			collect_member(layout, &child, offset, depth);
		while (dwarf_siblingof(&child, &child) == 0);
	}
}

/* Whether a compiler would put scalars of these words where they are. */
static bool is_natural(const struct layout *layout, unsigned size)
{
	long at = 0;
	unsigned most = 1;
	for (unsigned i = 0; i < layout->count; i++) {
		const struct scalar *scalar = &layout->scalars[i];
		at = (at + scalar->size - 1) / scalar->size * scalar->size;
		if (at != scalar->offset)
			return false;
		at += scalar->size;
		most = scalar->size > most ? scalar->size : most;
	}
	return !layout->irregular && (at + most - 1) / most * most == (long)size;
}

static size_t put_members(const struct layout *layout, char *out, size_t size)
{
	size_t n = 0;
	for (unsigned i = 0; i < layout->count && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", i ? "," : "",
				      layout->scalars[i].word);
	return n;
}

/* In a floating register if nothing but floats lies in it, and the whole fits in two. */
static bool eightbyte_is_float(const struct layout *layout, long at, unsigned size)
{
	bool any = false;
	for (unsigned i = 0; i < layout->count; i++) {
		const struct scalar *scalar = &layout->scalars[i];
		if (scalar->offset + (long)scalar->size <= at || scalar->offset >= at + (long)EIGHT)
			continue;
		if (!scalar->is_float)
			return false;
		any = true;
	}
	return any && size <= 2 * EIGHT;
}

static size_t put_eightbytes(const struct layout *layout, unsigned bytes, char *out, size_t size)
{
	size_t n = 0;
	for (unsigned at = 0; at < bytes && n < size; at += EIGHT) {
		unsigned left = bytes - at;
		bool floating = eightbyte_is_float(layout, at, bytes);
		const char *word = left > 4   ? (floating ? "f64" : "i64")
				   : floating ? "f32"
				   : left > 2 ? "i32"
				   : left > 1 ? "i16"
					      : "i8";
		n += (size_t)snprintf(out + n, size - n, "%s%s", at ? "," : "", word);
	}
	return n;
}

/* ---- classes that are passed by their address ------------------------------------------- */

/* Written by hand, not left to the compiler. */
static bool is_own_code(Dwarf_Die *function)
{
	Dwarf_Attribute attribute;
	return !dwarf_attr(function, DW_AT_artificial, &attribute) &&
	       !dwarf_attr(function, DW_AT_defaulted, &attribute) &&
	       !dwarf_attr(function, DW_AT_deleted, &attribute);
}

/* Whether the one argument beside `this` is a reference to the class. */
static bool takes_reference_to(Dwarf_Die *function, Dwarf_Die *class)
{
	Dwarf_Die child, type, target;
	unsigned count = 0;
	bool fits = false;
	if (dwarf_child(function, &child))
		return false;
	do {
		if (dwarf_tag(&child) != DW_TAG_formal_parameter || count++ == 0)
			continue;
		fits = get_type(&child, &type) &&
		       (dwarf_tag(&type) == DW_TAG_reference_type ||
			dwarf_tag(&type) == DW_TAG_rvalue_reference_type) &&
		       get_type(&type, &target) && target.addr == class->addr;
	} while (dwarf_siblingof(&child, &child) == 0);
	return fits && count == 2;
}

/* A virtual function, a destructor, a constructor that copies or moves. */
static bool makes_special(Dwarf_Die *class, Dwarf_Die *child)
{
	const char *name = dwarf_diename(child), *own = dwarf_diename(class);
	Dwarf_Attribute attribute;
	if (dwarf_tag(child) != DW_TAG_subprogram)
		return false;
	if (dwarf_attr(child, DW_AT_virtuality, &attribute))
		return true;
	if (!name || !own || !is_own_code(child))
		return false;
	size_t length = strcspn(own, "<");
	return *name == '~' || (strlen(name) == length && !strncmp(name, own, length) &&
				takes_reference_to(child, class));
}

/* Not all compilers say which classes these are: then by what makes them so. */
static bool passed_by_address(Dwarf_Die *type, int depth)
{
	unsigned long convention = number_of(type, DW_AT_calling_convention, 0);
	Dwarf_Die child, inner;
	if (convention == DW_CC_pass_by_reference || convention == DW_CC_pass_by_value)
		return convention == DW_CC_pass_by_reference;
	if (depth > NESTING_MAX || !is_struct(dwarf_tag(type)) || dwarf_child(type, &child))
		return false;
	do {
		int tag = dwarf_tag(&child);
		bool part = tag == DW_TAG_member || tag == DW_TAG_inheritance;
		if (makes_special(type, &child) ||
		    (part && get_type(&child, &inner) && passed_by_address(&inner, depth + 1)))
			return true;
	} while (dwarf_siblingof(&child, &child) == 0);
	return false;
}

/* The word for an eightbyte in a register: what alone lies in it, else its class. */
static void put_part(const struct layout *layout, long at, unsigned size, char *word)
{
	const struct scalar *only = NULL;
	unsigned count = 0;
	for (unsigned i = 0; i < layout->count; i++)
		if (layout->scalars[i].offset / (long)EIGHT == at / (long)EIGHT) {
			only = &layout->scalars[i];
			count++;
		}
	bool alone = count == 1 && only->offset == at;
	strcpy(word, alone ? only->word : eightbyte_is_float(layout, at, size) ? "f64" : "i64");
}

static bool is_aligned(const struct layout *layout)
{
	for (unsigned i = 0; i < layout->count; i++)
		if (layout->scalars[i].offset % (long)layout->scalars[i].size)
			return false;
	return true;
}

static bool is_declaration(Dwarf_Die *type)
{
	Dwarf_Attribute attribute;
	return dwarf_attr(type, DW_AT_declaration, &attribute) != NULL;
}

/* Which of the two, by a name like std::__cxx11::basic_string<char, std::char_traits<char>, ... */
static bool is_cxx_text(const char *name, const char *template)
{
	size_t length = strlen(template);
	return name && !strncmp(name, template, length) && !strncmp(name + length, "<char,", 6);
}

/* std::__1:: of libc++ (or what else it is called there), std::__cxx11:: of libstdc++. */
static bool is_within(const char *qualified, const char *scope)
{
	return !strncmp(qualified, scope, strlen(scope));
}

/*
 * By the namespace, which is no other library's: clang describes these types in part only.
 * What says more of itself has to bear it out.
 */
static enum inv_debug_text text_of(Dwarf_Die *type)
{
	const char *name = dwarf_diename(type);
	bool string = is_cxx_text(name, "basic_string"), known = !is_declaration(type);
	char qualified[256];
	if (!string && !is_cxx_text(name, "basic_string_view"))
		return INV_DEBUG_TEXT_NONE;
	if (string && !strstr(name, "::allocator<char>"))
		return INV_DEBUG_TEXT_NONE; /* std::pmr::string */
	inv_debug_name(type, qualified, sizeof(qualified));
	if (is_within(qualified, "std::__cxx11::basic_string<"))
		return known && size_of(type) != 32 ? INV_DEBUG_TEXT_FOREIGN
						    : INV_DEBUG_TEXT_STDSTR;
	if (is_within(qualified, "std::basic_string<"))
		return INV_DEBUG_TEXT_COW;
	if (is_within(qualified, "std::basic_string_view<"))
		return known && size_of(type) != 16 ? INV_DEBUG_TEXT_FOREIGN
						    : INV_DEBUG_TEXT_STDVIEW;
	return is_within(qualified, "std::") ? INV_DEBUG_TEXT_FOREIGN : INV_DEBUG_TEXT_NONE;
}

static void struct_type(Dwarf_Die *type, struct inv_debug_type *out)
{
	struct layout layout = {.count = 0};
	unsigned size = size_of(type);
	size_t n;
	bool string = is_cxx_text(dwarf_diename(type), "basic_string");
	out->text = text_of(type);
	out->size = size;
	if (passed_by_address(type, 0) || (out->text && string)) {
		out->class = INV_DEBUG_REFERENCE;
		strcpy(out->word, out->text == INV_DEBUG_TEXT_STDSTR ? "stdstr" : "ptr");
		return;
	}
	if (out->text == INV_DEBUG_TEXT_STDVIEW) {
		out->class = INV_DEBUG_STRUCT;
		out->size = 2 * EIGHT;
		out->part_count = 2;
		strcpy(out->parts[0], "u64");
		strcpy(out->parts[1], "ptr");
		strcpy(out->word, "stdview");
		return;
	}
	layout.failed = is_declaration(type) || number_of(type, DW_AT_alignment, 0) > EIGHT;
	collect(&layout, type, 0, 0);
	out->class = INV_DEBUG_STRUCT;
	if (!layout.failed && !layout.count) {
		out->class = INV_DEBUG_NOTHING;
		return;
	}
	layout.failed |= !is_aligned(&layout); /* passed in memory, whatever it holds */
	for (; !layout.failed && size <= 2 * EIGHT && out->part_count * EIGHT < size;
	     out->part_count++)
		put_part(&layout, out->part_count * (long)EIGHT, size, out->parts[out->part_count]);
	if (is_natural(&layout, size))
		n = put_members(&layout, out->word + 1, sizeof(out->word) - 2);
	else
		n = put_eightbytes(&layout, size, out->word + 1, sizeof(out->word) - 2);
	out->word[0] = '{';
	if (layout.failed || n >= sizeof(out->word) - 2) {
		out->class = INV_DEBUG_UNKNOWN;
		snprintf(out->word, sizeof(out->word), "struct %.200s",
			 dwarf_diename(type) ? dwarf_diename(type) : "");
		return;
	}
	strcpy(out->word + 1 + n, "}");
}

/* ---- all ------------------------------------------------------------------------------- */

static void pointer_type(Dwarf_Die *type, struct inv_debug_type *out)
{
	Dwarf_Die target, child;
	const char *name;
	out->class = INV_DEBUG_POINTER;
	strcpy(out->word, "ptr");
	if (dwarf_tag(type) == DW_TAG_unspecified_type || !get_type(type, &target))
		return;
	name = dwarf_diename(&target);
	if (dwarf_tag(&target) == DW_TAG_base_type && dwarf_tag(type) == DW_TAG_pointer_type &&
	    name && !strcmp(name, "char")) {
		out->class = INV_DEBUG_STR;
		strcpy(out->word, "str");
	} else if (is_struct(dwarf_tag(&target))) {
		out->text = text_of(&target);
		out->die = target;
		out->target_known = !out->text && dwarf_child(&target, &child) == 0;
	}
	if (out->text == INV_DEBUG_TEXT_STDSTR) {
		out->class = INV_DEBUG_STRING;
		strcpy(out->word, "stdstr");
	}
}

void inv_debug_type_of(Dwarf_Die *die, struct inv_debug_type *out)
{
	Dwarf_Die type;
	bool is_float;
	memset(out, 0, sizeof(*out));
	if (!get_type(die, &type)) {
		out->class = INV_DEBUG_VOID;
		strcpy(out->word, "void");
		return;
	}
	out->die = type;
	int tag = dwarf_tag(&type);
	if (is_pointer(tag)) {
		pointer_type(&type, out);
	} else if (is_struct(tag)) {
		struct_type(&type, out);
	} else if (scalar_word(&type, out->word, &is_float)) {
		out->class = is_float ? INV_DEBUG_FLOAT : INV_DEBUG_INTEGER;
		out->boolean = !strcmp(out->word, "bool");
		out->enumeration = tag == DW_TAG_enumeration_type;
	} else {
		out->class = INV_DEBUG_UNKNOWN;
		snprintf(out->word, sizeof(out->word), "%.200s",
			 dwarf_diename(&type) ? dwarf_diename(&type) : "a type without a name");
	}
}

const char *inv_debug_text_word(enum inv_debug_text text)
{
	static const char *const words[] = {
		[INV_DEBUG_TEXT_NONE] = NULL,	      [INV_DEBUG_TEXT_STDSTR] = "stdstr",
		[INV_DEBUG_TEXT_STDVIEW] = "stdview", [INV_DEBUG_TEXT_COW] = "str",
		[INV_DEBUG_TEXT_FOREIGN] = NULL,
	};
	return words[text];
}

bool inv_debug_text_is_object(const struct inv_debug_type *type)
{
	return type->text &&
	       (type->class == INV_DEBUG_STRUCT || type->class == INV_DEBUG_REFERENCE);
}

struct member_walk {
	bool (*take)(void *arg, const char *path, long offset, Dwarf_Die *member);
	void *arg;
};

static bool each_member(const struct member_walk *walk, Dwarf_Die *structure, const char *before,
			long offset, int depth);

static bool one_member(const struct member_walk *walk, Dwarf_Die *member, const char *before,
		       long offset, int depth)
{
	char path[256];
	Dwarf_Attribute attribute;
	Dwarf_Die type;
	const char *name = dwarf_diename(member);
	bool inherits = dwarf_tag(member) == DW_TAG_inheritance;
	if ((!inherits && dwarf_tag(member) != DW_TAG_member) ||
	    dwarf_attr(member, DW_AT_external, &attribute) ||
	    dwarf_attr(member, DW_AT_bit_size, &attribute) || !get_type(member, &type))
		return true;
	offset += (long)number_of(member, DW_AT_data_member_location, 0);
	bool unnamed = inherits || !name;
	snprintf(path, sizeof(path), "%s%s", before, unnamed ? "" : name);
	if (!unnamed && !walk->take(walk->arg, path, offset, member))
		return false;
	if (!is_struct(dwarf_tag(&type)))
		return true;
	if (!unnamed)
		strncat(path, ".", sizeof(path) - strlen(path) - 1);
	return each_member(walk, &type, path, offset, depth + 1);
}

static bool each_member(const struct member_walk *walk, Dwarf_Die *structure, const char *before,
			long offset, int depth)
{
	Dwarf_Die child;
	if (depth > NESTING_MAX || dwarf_child(structure, &child))
		return true;
	do
		if (!one_member(walk, &child, before, offset, depth))
			return false;
	while (dwarf_siblingof(&child, &child) == 0);
	return true;
}

void inv_debug_each_member(Dwarf_Die *structure,
			   bool (*take)(void *arg, const char *path, long offset,
					Dwarf_Die *member),
			   void *arg)
{
	const struct member_walk walk = {.take = take, .arg = arg};
	each_member(&walk, structure, "", 0, 0);
}
