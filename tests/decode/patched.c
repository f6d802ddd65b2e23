/* SPDX-License-Identifier: MIT */
/*
 * patched.c - functions of many shapes, that move their own first bytes.
 *
 *   patched          prints what the functions compute
 *   patched move     the same, after each f_* has a jump at its entry to a copy of its first
 *                    bytes, and int3 in what moved; says on stderr how many
 *
 * 111_moved_prologues.sh builds it by several compilers with many flags. The functions are
 * found in .symtab, with their sizes; `patched guess` goes without the sizes.
 */
#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "preload/prologue.h"

#define F __attribute__((noinline, noclone))

/* ---- the functions ---- */

struct pair {
	long a, b;
};

struct big {
	long words[12];
};

static long total;
static double scale = 1.5;
static const char *names[] = {"zero", "one", "two", "three"};
static jmp_buf jump;

long f_plain(long a, long b);
long f_recursive(long n);
long f_tail(long n, long sum);
long f_switch(long n);
long f_loop(const char *s, long n);
long f_stack(long a, long b, long c, long d, long e, long f, long g, long h);
long f_varargs(int count, ...);
long f_null(const long *p);
long f_global(long n);
long f_early(long n);
long f_alloca(long n);
long f_nested(long n);
double f_double(double x, float y);
struct pair f_pair(long a);
struct big f_big(long a);
const char *f_name(long n);
void f_jump(long n);
int f_compare(const void *a, const void *b);

F long f_plain(long a, long b)
{
	return a * 3 + b;
}

F long f_recursive(long n)
{
	return n < 2 ? n : f_recursive(n - 1) + f_recursive(n - 2);
}

F long f_tail(long n, long sum)
{
	return n ? f_tail(n - 1, sum + n) : sum;
}

F long f_switch(long n)
{
	switch (n) {
	case 0:
		return f_plain(n, 9);
	case 1:
		return 17;
	case 2:
		return f_tail(4, n);
	case 3:
		return total;
	case 4:
		return -f_plain(2, 2);
	case 5:
		return 1L << 40;
	default:
		return n ^ 0x55;
	}
}

F long f_loop(const char *s, long n)
{
	long sum = 0;

	while (n-- > 0 && *s)
		sum = sum * 31 + *s++;
	return sum;
}

F long f_stack(long a, long b, long c, long d, long e, long f, long g, long h)
{
	return a + 2 * b + 3 * c + 5 * d + 7 * e + 11 * f + 13 * g + 17 * h;
}

F long f_varargs(int count, ...)
{
	va_list list;
	double sum = 0;

	va_start(list, count);
	for (int i = 0; i < count; i++)
		sum += va_arg(list, double);
	va_end(list);
	return (long)(sum * 100);
}

F long f_null(const long *p)
{
	return p ? *p : -1;
}

F long f_global(long n)
{
	total += n;
	return total;
}

F long f_early(long n)
{
	if (!n)
		return 0;
	return f_global(n) + f_plain(n, n);
}

F long f_alloca(long n)
{
	char bytes[n + 1];

	memset(bytes, 'x', (size_t)n);
	bytes[n] = '\0';
	return f_loop(bytes, n);
}

F long f_nested(long n)
{
	return f_early(n) + f_switch(n) + f_alloca(n + 3);
}

F double f_double(double x, float y)
{
	return x * scale + (double)y;
}

F struct pair f_pair(long a)
{
	return (struct pair){a, f_plain(a, 1)};
}

F struct big f_big(long a)
{
	struct big big;

	for (int i = 0; i < 12; i++)
		big.words[i] = a + i;
	return big;
}

F const char *f_name(long n)
{
	return names[n & 3];
}

F void f_jump(long n)
{
	if (n > 3)
		longjmp(jump, (int)n);
	f_jump(n + 1);
}

F int f_compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void run(void)
{
	int numbers[] = {5, 3, 9, -1, 7, 0, 2};
	struct big big = f_big(100);
	struct pair pair = f_pair(8);

	for (long n = 0; n < 8; n++)
		printf("%ld %ld %ld %ld %ld %s %.3f\n", f_recursive(n), f_tail(n, 1), f_switch(n),
		       f_early(n), f_nested(n), f_name(n), f_double((double)n, 0.25f));
	printf("%ld %ld %ld %ld\n", f_stack(1, 2, 3, 4, 5, 6, 7, 8), f_varargs(3, 1.5, 2.5, 3.5),
	       f_null(NULL), f_null(&big.words[11]));
	printf("%ld %ld %ld\n", pair.a, pair.b, f_loop("a longer string", 100));
	if (!setjmp(jump))
		f_jump(0);
	else
		puts("jumped");
	qsort(numbers, 7, sizeof(int), f_compare);
	for (int i = 0; i < 7; i++)
		printf("%d ", numbers[i]);
	puts("");
}

/* ---- the patching ---- */

extern const char etext[]; /* the linker's: the end of all code */
static int moved, refused;

static uint8_t *page_near(uintptr_t code)
{
	for (uintptr_t at = (code & ~0xffful) + (64ul << 20);; at += 1ul << 20) {
		void *page = mmap((void *)at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (page != MAP_FAILED)
			return page;
	}
}

static void move(const char *name, uintptr_t address, size_t size, bool guess)
{
	static uint8_t *room;
	struct inv_prologue_function function = {.code = (const uint8_t *)address,
						 .address = address,
						 .size = guess ? 0 : size,
						 .limit = (uintptr_t)etext - address};
	struct inv_prologue plan;
	enum inv_prologue_result result = inv_prologue_plan(&plan, &function);
	uint8_t *patch = (uint8_t *)address + plan.patch_at;
	int32_t distance;

	if (!room)
		room = page_near(address);
	if (result == INV_PROLOGUE_OK)
		result = inv_prologue_emit(&plan, (uintptr_t)room, room);
	if (result != INV_PROLOGUE_OK) {
		refused++;
		fprintf(stderr, "refused %s: %s\n", name, inv_prologue_reason(result));
		return;
	}
	if (mprotect((void *)(address & ~4095ul), 8192, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) {
		fprintf(stderr, "text cannot be written\n");
		exit(77);
	}
	distance = (int32_t)((intptr_t)room - (intptr_t)(patch + 5));
	memset(patch, 0xcc, plan.displaced);
	patch[0] = 0xe9;
	memcpy(patch + 1, &distance, sizeof(distance));
	room += INV_PROLOGUE_COPY_MAX;
	moved++;
}

static void move_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, uintptr_t base,
			 bool guess)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Sym symbol;

	for (int i = 0; data && gelf_getsym(data, i, &symbol); i++) {
		const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);

		if (name && strncmp(name, "f_", 2) == 0 && !strchr(name, '.') &&
		    GELF_ST_TYPE(symbol.st_info) == STT_FUNC)
			move(name, base + symbol.st_value, symbol.st_size, guess);
	}
}

static void move_all(bool guess)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	Elf *elf = elf_version(EV_CURRENT) ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	Elf_Scn *section = NULL;
	GElf_Ehdr file;
	GElf_Shdr header;

	if (!elf || !gelf_getehdr(elf, &file))
		exit(2);
	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB)
			move_symbols(elf, section, &header,
				     file.e_type == ET_DYN ? _r_debug.r_map->l_addr : 0, guess);
	elf_end(elf);
	close(fd);
	fprintf(stderr, "moved %d, refused %d\n", moved, refused);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		move_all(strcmp(argv[1], "guess") == 0);
	run();
	return 0;
}
