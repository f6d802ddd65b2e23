/* SPDX-License-Identifier: MIT */
/*
 * debug_info.c - libdwfl to find the information, libdw to walk it.
 *
 * A function is looked for by the address of its symbol and not by name: static functions of
 * one name, methods and overloads are told apart by it. All units are walked, since the index
 * by address (.debug_aranges) is left out by some compilers: it serves who has no time.
 */
#include "reader/debug_info.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int inv_debug_open(struct inv_debug_info *out, const char *path)
{
	static char *no_folders;
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
		.debuginfo_path = &no_folders,
	};
	Dwarf_Addr bias;
	out->session = dwfl_begin(&callbacks);
	if (!out->session)
		return -ENOMEM;
	Dwfl_Module *module = dwfl_report_offline(out->session, path, path, -1);
	int r = module && !dwfl_report_end(out->session, NULL, NULL) ? 0 : -EINVAL;
	out->dwarf = r ? NULL : dwfl_module_getdwarf(module, &bias);
	if (!r && !out->dwarf)
		r = -ENODATA;
	if (r)
		dwfl_end(out->session);
	return r;
}

void inv_debug_close(struct inv_debug_info *info)
{
	dwfl_end(info->session);
}

/* ---- functions ------------------------------------------------------------------------- */

struct walk {
	bool inlined;
	bool (*take)(void *arg, Dwarf_Die *function, Dwarf_Addr address);
	void *arg;
	bool stopped;
};

/* Code in several pieces (a .cold one) has a list of them, and begins where the first does. */
static bool entry_of(Dwarf_Die *function, Dwarf_Addr *address)
{
	Dwarf_Addr base, end;
	return dwarf_entrypc(function, address) == 0 ||
	       dwarf_ranges(function, 0, &base, address, &end) > 0;
}

static int each_function(Dwarf_Die *function, void *arg)
{
	struct walk *walk = arg;
	Dwarf_Addr address = 0;
	Dwarf_Attribute attribute;
	bool has_code = entry_of(function, &address);
	if (!has_code && !(walk->inlined && dwarf_attr(function, DW_AT_inline, &attribute)))
		return DWARF_CB_OK;
	walk->stopped = !walk->take(walk->arg, function, address);
	return walk->stopped ? DWARF_CB_ABORT : DWARF_CB_OK;
}

void inv_debug_each(const struct inv_debug_info *info, bool inlined,
		    bool (*take)(void *arg, Dwarf_Die *function, Dwarf_Addr address), void *arg)
{
	struct walk walk = {.inlined = inlined, .take = take, .arg = arg};
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;
	uint8_t type;
	while (!walk.stopped && !dwarf_get_units(info->dwarf, unit, &unit, NULL, &type, &die, NULL))
		if (type == DW_UT_compile || type == DW_UT_partial)
			dwarf_getfuncs(&die, each_function, &walk, 0);
}

struct search {
	Dwarf_Addr address;
	Dwarf_Die *out;
	bool found;
};

static bool is_at(void *arg, Dwarf_Die *function, Dwarf_Addr address)
{
	struct search *search = arg;
	if (address != search->address)
		return true;
	*search->out = *function;
	search->found = true;
	return false;
}

bool inv_debug_function_at(const struct inv_debug_info *info, Dwarf_Addr address, Dwarf_Die *out)
{
	struct search search = {.address = address, .out = out};
	inv_debug_each(info, false, is_at, &search);
	return search.found;
}

bool inv_debug_function_indexed(const struct inv_debug_info *info, Dwarf_Addr address,
				Dwarf_Die *out)
{
	struct search search = {.address = address, .out = out};
	struct walk walk = {.take = is_at, .arg = &search};
	Dwarf_Die unit;
	if (dwarf_addrdie(info->dwarf, address, &unit))
		dwarf_getfuncs(&unit, each_function, &walk, 0);
	return search.found;
}

/* ---- names ----------------------------------------------------------------------------- */

/* The declaration, which stands in its class: code is described elsewhere. */
static Dwarf_Die declaration_of(Dwarf_Die *function)
{
	Dwarf_Die at = *function, next;
	Dwarf_Attribute attribute;
	for (int i = 0; i < 4; i++) {
		if (!dwarf_attr(&at, DW_AT_abstract_origin, &attribute) &&
		    !dwarf_attr(&at, DW_AT_specification, &attribute))
			break;
		if (!dwarf_formref_die(&attribute, &next))
			break;
		at = next;
	}
	return at;
}

static bool is_named_scope(Dwarf_Die *scope)
{
	int tag = dwarf_tag(scope);
	return tag == DW_TAG_namespace || tag == DW_TAG_class_type ||
	       tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
}

size_t inv_debug_name(Dwarf_Die *function, char *out, size_t size)
{
	Dwarf_Die declaration = declaration_of(function), *scopes = NULL;
	int count = dwarf_getscopes_die(&declaration, &scopes);
	size_t n = 0;
	out[0] = '\0';
	for (int i = count - 1; i > 0 && n < size; i--) {
		const char *name = dwarf_diename(&scopes[i]);
		if (is_named_scope(&scopes[i]))
			n += (size_t)snprintf(out + n, size - n,
					      "%s::", name ? name : "(anonymous)");
	}
	free(scopes);
	const char *name = dwarf_diename(function);
	if (n < size)
		n += (size_t)snprintf(out + n, size - n, "%s", name ? name : "");
	return n < size ? n : size - 1;
}

void inv_debug_place(Dwarf_Die *function, char *out, size_t size)
{
	const char *file = dwarf_decl_file(function);
	int line = 0;
	Dwarf_Die unit;
	dwarf_decl_line(function, &line);
	if (!file && dwarf_diecu(function, &unit, NULL, NULL))
		file = dwarf_diename(&unit); /* libdw takes the unit's own file for none */
	const char *slash = file ? strrchr(file, '/') : NULL;
	if (file && line)
		snprintf(out, size, "%s:%d", slash ? slash + 1 : file, line);
	else
		out[0] = '\0';
}

static int count_one(Dwarf_Die *instance, void *arg)
{
	unsigned *count = arg;
	++*count;
	return DWARF_CB_OK;
}

unsigned inv_debug_inlined(Dwarf_Die *function)
{
	Dwarf_Die abstract;
	Dwarf_Attribute attribute;
	unsigned count = 0;
	if (dwarf_attr(function, DW_AT_abstract_origin, &attribute) &&
	    dwarf_formref_die(&attribute, &abstract))
		dwarf_func_inline_instances(&abstract, count_one, &count);
	return count;
}
