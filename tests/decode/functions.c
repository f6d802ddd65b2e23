/* SPDX-License-Identifier: MIT */
/*
 * functions.c - the functions of ELF files, decoded by ours and by Zydis, and planned.
 *
 *   find ... | decode_functions [NTH]
 *
 * Reads paths from stdin. For each function (.symtab, .dynsym; only each NTH one):
 *   - at each instruction, by linear sweep, both decoders agree on everything they share;
 *   - the prologue is planned; the copy is decoded by Zydis, and its operands and branches
 *     mean what they meant in the original;
 *   - no other function of the object branches into the first bytes of a planned one.
 * Not planned: `.cold` parts, which nobody calls, and objects made by Go, whose runtime moves
 * stacks and walks them by its own tables: nothing may be patched there.
 * Lines that begin with a capital word are findings; the tables come last. Exit 1 when the
 * decoders disagree, or a copy is wrong; 3 when too many functions are refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload/prologue.h"
#include "tests/decode/reference.h"

#define REFUSED_MAX_PERCENT 0.2

struct function {
	const char *name;
	uint64_t address;
	uint64_t size;
	const uint8_t *code;
	uint64_t limit; /* to the end of its section */
	uint8_t *mark;	/* per byte of it: 1: in the first bytes of a planned function */
};

struct object {
	const char *path;
	Elf *elf;
	bool go;
	struct function *functions;
	size_t count, room;
	/* sections with code */
	struct text {
		uint64_t address, bytes;
		const uint8_t *code;
		uint8_t *marks;
	} texts[64];
	size_t text_count;
};

static struct reference reference;
static unsigned long nth = 1;
static struct {
	unsigned long objects, functions, instructions;
	unsigned long different, ours_only, newer, theirs_only, neither;
	unsigned long not_planned, wrong_copies, branches_from_others, unsized_less, unsized_more;
	unsigned long planned[INV_PROLOGUE_RESULTS], loops_refused[INV_PROLOGUE_RESULTS];
	unsigned long unsized[INV_PROLOGUE_RESULTS];
} total;

static void report(const char *what, const struct object *object, uint64_t address,
		   const uint8_t *code, uint64_t limit)
{
	printf("%s %s 0x%llx", what, object->path, (unsigned long long)address);
	for (unsigned i = 0; i < 15 && i < limit; i++)
		printf(" %02x", code[i]);
	puts("");
}

static void mark_first_bytes(const struct function *function, const struct inv_prologue *plan)
{
	for (unsigned i = plan->patch_at + 1u; i < (unsigned)plan->patch_at + plan->displaced; i++)
		function->mark[i] = 1;
}

/* The address that the copy of a call pushes, in two halves. */
static uint64_t pushed_by(const uint8_t *copy)
{
	uint32_t half[2];

	memcpy(&half[0], copy + 1, 4);
	memcpy(&half[1], copy + 9, 4);
	return half[0] | (uint64_t)half[1] << 32;
}

static enum inv_x86_kind kind_of_copy(const struct inv_x86_insn *was)
{
	switch (was->kind) {
	case INV_X86_CALL:
		return INV_X86_JMP;
	case INV_X86_CALL_INDIRECT:
		return INV_X86_JMP_INDIRECT;
	default:
		return (enum inv_x86_kind)was->kind;
	}
}

/* What an instruction's displacement should mean in the copy. */
static uint64_t meant(const struct inv_prologue *plan, const struct inv_x86_insn *was, uint64_t at,
		      uint64_t destination)
{
	uint64_t target = inv_x86_target(was, at);

	for (int k = 0; k < plan->insn_count; k++)
		if (!was->rip_relative && was->kind != INV_X86_CALL &&
		    target == plan->address + plan->old_at[k])
			return destination + plan->new_at[k];
	return target;
}

/* Whether instruction i of the copy is what the original makes it. */
static bool copied_right(const struct inv_prologue *plan, int i, const uint8_t *copy,
			 uint64_t destination)
{
	const uint8_t *original = plan->code + plan->old_at[i];
	uint64_t at = plan->address + plan->old_at[i];
	unsigned to = plan->new_at[i];
	struct inv_x86_insn was, is;
	bool call;

	if (!reference_decode(&reference, &was, original, 15))
		return false;
	if (was.kind == INV_X86_LOOP)
		return true; /* seen to run in the unit tests */
	call = was.kind == INV_X86_CALL || was.kind == INV_X86_CALL_INDIRECT;
	if (call && pushed_by(copy + to) != at + was.length)
		return false;
	to += call ? 13 : 0;
	if (!reference_decode(&reference, &is, copy + to, 15) ||
	    to + is.length != plan->new_at[i + 1] || is.kind != kind_of_copy(&was) ||
	    is.rip_relative != was.rip_relative)
		return false;
	if (was.disp_bytes)
		return inv_x86_target(&is, destination + to) == meant(plan, &was, at, destination);
	return is.length == was.length && (call || memcmp(original, copy + to, was.length) == 0);
}

static bool copy_is_right(const struct inv_prologue *plan)
{
	uint8_t copy[INV_PROLOGUE_COPY_MAX + 16] = {0};
	uint64_t destination = plan->address + 0x12345670;

	if (plan->copy_bytes > INV_PROLOGUE_COPY_MAX)
		return false;
	copy[plan->copy_bytes] = 0xa5;
	if (inv_prologue_emit(plan, destination, copy) != INV_PROLOGUE_OK ||
	    copy[plan->copy_bytes] != 0xa5)
		return false;
	for (int i = 0; i < plan->insn_count; i++)
		if (!copied_right(plan, i, copy, destination))
			return false;
	return true;
}

static void plan(const struct object *object, const struct function *function)
{
	struct inv_prologue_function request = {
		.code = function->code,
		.address = function->address,
		.size = function->size,
		.limit = function->limit,
		.loops_told = true,
	};
	struct inv_prologue out, unsized;
	enum inv_prologue_result result = inv_prologue_plan(&out, &request);

	total.planned[result]++;
	total.loops_refused[out.loops && result == INV_PROLOGUE_OK ? INV_PROLOGUE_LOOP : result]++;
	if (result == INV_PROLOGUE_OK) {
		mark_first_bytes(function, &out);
		if (!copy_is_right(&out)) {
			total.wrong_copies++;
			report("WRONG-COPY", object, function->address, function->code,
			       function->limit);
		}
	} else if (result != INV_PROLOGUE_TOO_SHORT) {
		printf("Refused %s 0x%llx+0x%zx of 0x%llx: %s\n", object->path,
		       (unsigned long long)function->address, out.refused_at,
		       (unsigned long long)function->size, inv_prologue_reason(result));
	}
	request.size = 0;
	total.unsized[inv_prologue_plan(&unsized, &request)]++;
	if (result == INV_PROLOGUE_OK) {
		total.unsized_less += unsized.scanned < out.scanned;
		total.unsized_more += unsized.scanned > out.scanned;
	}
}

static const struct text *text_at(const struct object *object, uint64_t address)
{
	for (size_t i = 0; i < object->text_count; i++)
		if (address - object->texts[i].address < object->texts[i].bytes)
			return &object->texts[i];
	return NULL;
}

static void check_branch(const struct object *object, const struct function *function,
			 const struct inv_x86_insn *insn, uint64_t address)
{
	uint64_t target = inv_x86_target(insn, address);
	const struct text *text = text_at(object, target);

	if (!text || !text->marks[target - text->address])
		return;
	total.branches_from_others++;
	printf("Branch-from-outside %s 0x%llx to 0x%llx, in %s\n", object->path,
	       (unsigned long long)address, (unsigned long long)target, function->name);
}

/* Returns: how far to go on; 0: neither knows what is here. */
static unsigned compare(const struct object *object, const struct function *function, uint64_t at,
			uint64_t limit)
{
	const uint8_t *code = function->code + at;
	uint64_t address = function->address + at;
	struct inv_x86_insn ours, theirs;
	bool known = inv_x86_decode(&ours, code, limit) == INV_X86_OK;
	bool known_to_them = reference_decode(&reference, &theirs, code, limit);

	total.instructions++;
	if (known && inv_x86_is_relative_branch(&ours))
		check_branch(object, function, &ours, address);
	if (known && known_to_them) {
		if (!reference_equal(&ours, &theirs)) {
			total.different++;
			report("DIFFERENT", object, address, code, limit);
		}
	} else if (known && reference_is_too_old(&ours, code)) {
		total.newer++;
		report("Newer", object, address, code, limit);
	} else if (known) {
		total.ours_only++;
		report("OURS-ONLY", object, address, code, limit);
	} else if (known_to_them) {
		total.theirs_only++;
		report("Zydis-only", object, address, code, limit);
	} else {
		total.neither++;
		report("Neither", object, address, code, limit);
	}
	return known_to_them ? theirs.length : ours.length;
}

static void sweep(const struct object *object, const struct function *function)
{
	uint64_t size = function->size < function->limit ? function->size : function->limit;

	for (uint64_t at = 0; at < size;) {
		unsigned length = compare(object, function, at, size - at);

		if (!length)
			break;
		at += length;
	}
}

/* ---- ELF ---- */

static int by_address(const void *a, const void *b)
{
	const struct function *left = a, *right = b;

	if (left->address != right->address)
		return left->address < right->address ? -1 : 1;
	return left->size > right->size ? -1 : left->size < right->size;
}

static void add_function(struct object *object, const GElf_Sym *symbol, const char *name)
{
	int type = GELF_ST_TYPE(symbol->st_info);
	const struct text *text = text_at(object, symbol->st_value);

	if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol->st_shndx == SHN_UNDEF ||
	    !symbol->st_size || !text)
		return;
	if (object->count == object->room) {
		object->room = object->room ? 2 * object->room : 1024;
		object->functions =
			reallocarray(object->functions, object->room, sizeof(*object->functions));
		if (!object->functions)
			abort();
	}
	object->functions[object->count++] = (struct function){
		.name = name ? name : "",
		.address = symbol->st_value,
		.size = symbol->st_size,
		.code = text->code + (symbol->st_value - text->address),
		.limit = text->bytes - (symbol->st_value - text->address),
		.mark = text->marks + (symbol->st_value - text->address),
	};
}

static void add_symbols(struct object *object, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Sym symbol;

	for (int i = 0; data && header->sh_entsize && i < (int)(data->d_size / header->sh_entsize);
	     i++)
		if (gelf_getsym(data, i, &symbol))
			add_function(object, &symbol,
				     elf_strptr(object->elf, header->sh_link, symbol.st_name));
}

static void add_text(struct object *object, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_rawdata(section, NULL);
	struct text *text = &object->texts[object->text_count];

	if (!data || !data->d_buf || !data->d_size || object->text_count == 64)
		return;
	*text = (struct text){.address = header->sh_addr,
			      .bytes = data->d_size,
			      .code = data->d_buf,
			      .marks = calloc(1, data->d_size + 64)};
	if (!text->marks)
		abort();
	object->text_count++;
}

/* .go.buildinfo, .note.go.buildid */
static bool is_of_go(const struct object *object, const GElf_Shdr *header)
{
	const char *is;
	size_t strings;

	if (elf_getshdrstrndx(object->elf, &strings) != 0)
		return false;
	is = elf_strptr(object->elf, strings, header->sh_name);
	return is && strstr(is, "go.buildi");
}

static void each_section(struct object *object, bool texts)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(object->elf, section))) {
		if (!gelf_getshdr(section, &header))
			continue;
		object->go |= texts && is_of_go(object, &header);
		if (texts && header.sh_type == SHT_PROGBITS && (header.sh_flags & SHF_EXECINSTR))
			add_text(object, section, &header);
		if (!texts && (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM))
			add_symbols(object, section, &header);
	}
}

static bool is_planned(const struct object *object, const struct function *function)
{
	return !object->go && !strstr(function->name, ".cold");
}

static void look_at(struct object *object)
{
	size_t kept = 0;

	each_section(object, true);
	each_section(object, false);
	qsort(object->functions, object->count, sizeof(*object->functions), by_address);
	for (size_t i = 0; i < object->count; i++)
		if (!i || object->functions[i].address != object->functions[i - 1].address)
			object->functions[kept++] = object->functions[i];
	if (kept)
		total.objects++;
	for (size_t i = 0; i < kept; i += nth)
		if (is_planned(object, &object->functions[i]))
			plan(object, &object->functions[i]);
		else
			total.not_planned++;
	for (size_t i = 0; i < kept; i += nth) {
		total.functions++;
		sweep(object, &object->functions[i]);
	}
}

static void look_at_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf *elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
	struct object object = {.path = path, .elf = elf};
	GElf_Ehdr header;

	if (elf && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header) &&
	    header.e_machine == EM_X86_64 && (header.e_type == ET_DYN || header.e_type == ET_EXEC))
		look_at(&object);
	for (size_t i = 0; i < object.text_count; i++)
		free(object.texts[i].marks);
	free(object.functions);
	elf_end(elf);
	if (fd >= 0)
		close(fd);
}

/* Returns: the share that is refused, in percent. */
static double print_plans(const char *title, const unsigned long *results)
{
	unsigned long eligible = 0, refused = 0;
	double share;

	for (int i = 0; i < INV_PROLOGUE_RESULTS; i++)
		if (i != INV_PROLOGUE_TOO_SHORT)
			eligible += results[i];
	printf("\n%s\n", title);
	for (int i = 0; i < INV_PROLOGUE_RESULTS; i++) {
		bool counts = i != INV_PROLOGUE_OK && i != INV_PROLOGUE_TOO_SHORT;

		if (counts)
			refused += results[i];
		if (results[i] && i != INV_PROLOGUE_TOO_SHORT)
			printf("%10lu %8.4f %%  %s\n", results[i],
			       100.0 * (double)results[i] / (double)eligible,
			       inv_prologue_reason((enum inv_prologue_result)i));
	}
	printf("%10lu             %s\n", results[INV_PROLOGUE_TOO_SHORT],
	       inv_prologue_reason(INV_PROLOGUE_TOO_SHORT));
	share = 100.0 * (double)refused / (double)(eligible ? eligible : 1);
	printf("%10lu %8.4f %%  refused of those that are long enough\n", refused, share);
	return share;
}

int main(int argc, char **argv)
{
	char *line = NULL;
	double refused;
	size_t room = 0;
	ssize_t length;

	if (argc > 1)
		nth = strtoul(argv[1], NULL, 0);
	if (!nth || elf_version(EV_CURRENT) == EV_NONE)
		return 2;
	reference_init(&reference);
	while ((length = getline(&line, &room, stdin)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		look_at_file(line);
	}
	free(line);
	printf("\n%lu objects, %lu functions, %lu instructions\n", total.objects, total.functions,
	       total.instructions);
	printf("%10lu  decoded differently\n%10lu  known to ours only\n"
	       "%10lu  newer than Zydis 4.0\n"
	       "%10lu  known to Zydis only\n%10lu  known to neither\n"
	       "%10lu  copies that are wrong\n%10lu  branches from another function\n",
	       total.different, total.ours_only, total.newer, total.theirs_only, total.neither,
	       total.wrong_copies, total.branches_from_others);
	printf("\n%lu are not planned (.cold parts, Go)\n", total.not_planned);
	refused = print_plans("planned, by size of the symbol, loops told from calls:",
			      total.planned);
	print_plans("planned, the same, loops refused:", total.loops_refused);
	print_plans("planned, as if the size were unknown, loops told:", total.unsized);
	printf("%10lu             estimated shorter than the symbol\n"
	       "%10lu             estimated longer\n",
	       total.unsized_less, total.unsized_more);
	if (total.different || total.ours_only || total.theirs_only || total.wrong_copies)
		return 1;
	return refused > REFUSED_MAX_PERCENT ? 3 : 0;
}
