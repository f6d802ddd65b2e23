/* SPDX-License-Identifier: MIT */
/* test_control.c - the control page: its file and every refusal, its two blocks, its names. */
#include "shm/control.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/names.h"

#define NONCE UINT64_C(0x1234567890abcdef)

static struct inv_header header = {.session_nonce = NONCE};
static struct inv_segment seg = {.header = &header};
static char dir[64], control[512];
static struct inv_control *page;

static void make(void)
{
	snprintf(dir, sizeof(dir), "%s/invreg-test.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	cr_assert(mkdtemp(dir));
	snprintf(seg.path, sizeof(seg.path), "%s/s.seg", dir);
	cr_assert_eq(inv_control_path(control, sizeof(control), seg.path), INV_OK);
	cr_assert_eq(inv_control_create(&seg), INV_OK);
}

static void drop(void)
{
	inv_control_close(page);
	unlink(control);
	cr_expect_eq(rmdir(dir), 0, "something else was left in %s", dir);
}

TestSuite(control, .init = make, .fini = drop);

static enum inv_result open_as(enum inv_control_access access)
{
	inv_control_close(page);
	return inv_control_open(seg.path, NONCE, access, &page, NULL);
}

static void write_at(off_t at, const void *bytes, size_t length)
{
	int fd = open(control, O_WRONLY | O_CLOEXEC);
	cr_assert_eq(pwrite(fd, bytes, length, at), (ssize_t)length);
	close(fd);
}

/* ---- the file ------------------------------------------------------------------------ */

Test(control, a_new_page_has_nothing_on_and_nobody_else_may_read_it)
{
	struct inv_control_setting s;
	struct stat st;
	uint64_t generation;
	cr_assert_eq(open_as(INV_CONTROL_OWN), INV_OK);
	cr_assert(inv_control_load(page, &s, &generation));
	cr_assert(inv_control_plain(&s.rules));
	cr_assert_eq(stat(control, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
	cr_assert_geq(st.st_blocks * 512, 4096);
}

Test(control, one_left_by_an_earlier_session_of_that_name_is_replaced)
{
	header.session_nonce = 5;
	cr_assert_eq(inv_control_create(&seg), INV_OK);
	cr_assert_eq(open_as(INV_CONTROL_OWN), INV_E_NOT_FOUND); /* of another session now */
	cr_assert_eq(inv_control_open(seg.path, 5, INV_CONTROL_OWN, &page, NULL), INV_OK);
	header.session_nonce = NONCE;
}

Test(control, a_missing_one_is_not_found)
{
	unlink(control);
	cr_assert_eq(open_as(INV_CONTROL_OWN), INV_E_NOT_FOUND);
}

Test(control, a_path_that_is_no_segments_is_refused)
{
	char buf[512];
	cr_assert_eq(inv_control_path(buf, sizeof(buf), "/d/run.jsonl"), INV_E_USAGE);
	cr_assert_eq(inv_control_path(buf, sizeof(buf), ".seg"), INV_E_USAGE);
	cr_assert_eq(inv_control_path(buf, 6, "/d/a.seg"), INV_E_USAGE);
}

Test(control, truncated_or_longer_files_are_refused)
{
	static const off_t sizes[] = {0, 1, 64, 4095, 4097, 8192};
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		cr_assert_eq(truncate(control, sizes[i]), 0);
		cr_expect_eq(open_as(INV_CONTROL_OWN), INV_E_CORRUPT, "%ld bytes", (long)sizes[i]);
		cr_expect_null(page);
	}
}

/* A load from a hole takes memory, which may be refused by a signal. */
Test(control, a_page_that_is_a_hole_is_refused)
{
	cr_assert_eq(truncate(control, 0), 0);
	cr_assert_eq(truncate(control, 4096), 0);
	cr_assert_eq(open_as(INV_CONTROL_OWN), INV_E_CORRUPT);
}

Test(control, each_bad_field_is_refused_with_its_reason)
{
	static const struct {
		off_t at;
		enum inv_result why;
	} fields[] = {{offsetof(struct inv_control, magic), INV_E_MAGIC},
		      {offsetof(struct inv_control, version), INV_E_VERSION},
		      {offsetof(struct inv_control, bytes), INV_E_VERSION},
		      {offsetof(struct inv_control, byte_order), INV_E_BYTE_ORDER},
		      {offsetof(struct inv_control, session_nonce), INV_E_NOT_FOUND}};
	for (unsigned i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		write_at(fields[i].at, "?", 1);
		cr_expect_eq(open_as(INV_CONTROL_OWN), fields[i].why, "at %ld", (long)fields[i].at);
		cr_assert_eq(inv_control_create(&seg), INV_OK);
	}
}

Test(control, a_symlink_a_fifo_or_a_directory_is_refused_at_once)
{
	char other[600];
	snprintf(other, sizeof(other), "%s.other", control);
	cr_assert_eq(rename(control, other), 0);
	cr_assert_eq(symlink(other, control), 0);
	cr_expect_eq(open_as(INV_CONTROL_OWN), INV_E_KIND);
	unlink(control);
	unlink(other);
	cr_assert_eq(mkfifo(control, 0600), 0);
	cr_expect_eq(open_as(INV_CONTROL_OWN), INV_E_KIND);
	cr_expect_eq(open_as(INV_CONTROL_CHANGE), INV_E_KIND);
	unlink(control);
	cr_assert_eq(mkdir(control, 0700), 0);
	cr_expect_eq(open_as(INV_CONTROL_OWN), INV_E_KIND);
	cr_expect_eq(open_as(INV_CONTROL_CHANGE), INV_E_KIND);
	rmdir(control);
}

Test(control, anothers_file_may_be_shown_to_root_and_obeyed_by_nobody)
{
	if (geteuid() != 0)
		cr_skip_test("only root can give a file away");
	cr_assert_eq(chown(control, 12345, 12345), 0);
	cr_expect_eq(open_as(INV_CONTROL_OWN), INV_E_OWNER);
	cr_expect_eq(open_as(INV_CONTROL_SHOW), INV_OK);
	cr_expect_eq(open_as(INV_CONTROL_CHANGE), INV_OK);
}

Test(control, the_program_maps_it_read_only)
{
	char line[512], *found = NULL;
	cr_assert_eq(open_as(INV_CONTROL_OWN), INV_OK);
	FILE *f = fopen("/proc/self/maps", "r");
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, control) ? line : NULL;
	fclose(f);
	cr_assert(found && strstr(line, " r--s "), "%s", line);
}

/* ---- the setting ---------------------------------------------------------------------- */

static struct inv_control_setting loaded(void)
{
	struct inv_control_setting s;
	uint64_t generation;
	cr_assert(inv_control_load(page, &s, &generation));
	return s;
}

Test(control, what_is_published_is_what_is_read_again_and_again)
{
	cr_assert_eq(open_as(INV_CONTROL_CHANGE), INV_OK);
	for (unsigned i = 0; i < 5; i++) {
		struct inv_control_setting s = {.rules = {.flags = i & 1}};
		char name[16];
		snprintf(name, sizeof(name), "oracle_%u", i);
		cr_assert_eq(inv_control_add(&s, INV_CONTROL_ARTIFACT, name), INV_OK);
		inv_control_publish(page, &s);
		struct inv_control_setting got = loaded();
		cr_assert(memcmp(&s, &got, sizeof(s)) == 0);
		cr_assert_eq(page->generation, i + 1);
	}
}

Test(control, a_verb_killed_before_the_generation_has_changed_nothing)
{
	struct inv_control_setting first = {.rules = {.flags = INV_CONTROL_PAUSED}};
	cr_assert_eq(open_as(INV_CONTROL_CHANGE), INV_OK);
	inv_control_publish(page, &first);
	memset((void *)&page->block[0], 0xee, 700); /* the one that does not count */
	struct inv_control_setting got = loaded();
	cr_assert(memcmp(&first, &got, sizeof(got)) == 0);
	struct inv_control_setting second = {.rules = {.flags = 0}};
	inv_control_publish(page, &second);
	got = loaded();
	cr_assert(memcmp(&second, &got, sizeof(got)) == 0);
}

Test(control, names_are_kept_apart_by_kind_and_found_in_order)
{
	struct inv_control_setting s = {.rules = {.flags = 0}};
	inv_control_add(&s, INV_CONTROL_ARTIFACT, "escrow");
	inv_control_add(&s, INV_CONTROL_INVOKER, "alice");
	inv_control_add(&s, INV_CONTROL_ARTIFACT, "");
	inv_control_add(&s, INV_CONTROL_ARTIFACT, "escrow"); /* once is enough */
	inv_control_add(&s, INV_CONTROL_ARTIFACT, "imam");
	cr_assert_eq(inv_control_count(&s.rules, INV_CONTROL_ARTIFACT), 3);
	cr_assert_str_eq(inv_control_name(&s, INV_CONTROL_ARTIFACT, 0), "escrow");
	cr_assert_str_eq(inv_control_name(&s, INV_CONTROL_ARTIFACT, 1), "");
	cr_assert_str_eq(inv_control_name(&s, INV_CONTROL_ARTIFACT, 2), "imam");
	cr_assert_null(inv_control_name(&s, INV_CONTROL_ARTIFACT, 3));
	cr_assert_str_eq(inv_control_name(&s, INV_CONTROL_INVOKER, 0), "alice");
	cr_assert_null(inv_control_name(&s, INV_CONTROL_METHOD, 0));
	cr_assert_not(inv_control_plain(&s.rules));
	uint64_t alice = inv_name_hash("alice", 5), bob = inv_name_hash("bob", 3);
	cr_assert(inv_control_wants(&s.rules, INV_CONTROL_INVOKER, alice));
	cr_assert_not(inv_control_wants(&s.rules, INV_CONTROL_INVOKER, bob));
	cr_assert(inv_control_wants(&s.rules, INV_CONTROL_METHOD, bob)); /* any will do */
}

Test(control, the_seventeenth_name_and_text_beyond_the_room_are_refused)
{
	struct inv_control_setting s = {.rules = {.flags = 0}}, t = s;
	char name[1100];
	for (unsigned i = 0; i < INV_CONTROL_NAMES; i++) {
		snprintf(name, sizeof(name), "method_%u", i);
		cr_assert_eq(inv_control_add(&s, INV_CONTROL_METHOD, name), INV_OK);
	}
	cr_assert_eq(inv_control_add(&s, INV_CONTROL_METHOD, "one_more"), INV_E_FULL);
	cr_assert_eq(inv_control_add(&s, INV_CONTROL_METHOD, "method_3"), INV_OK);
	memset(name, 'x', sizeof(name));
	name[1024] = 0;
	cr_assert_eq(inv_control_add(&t, INV_CONTROL_INVOKER, name), INV_E_FULL);
	name[1000] = 0;
	cr_assert_eq(inv_control_add(&t, INV_CONTROL_INVOKER, name), INV_OK);
	name[533] = 0; /* 1,002 bytes are used, a mark and a NUL are to come: one too many */
	cr_assert_eq(inv_control_add(&t, INV_CONTROL_ARTIFACT, name), INV_E_FULL);
	name[532] = 0;
	cr_assert_eq(inv_control_add(&t, INV_CONTROL_ARTIFACT, name), INV_OK);
	cr_assert_eq(inv_control_add(&t, INV_CONTROL_ARTIFACT, ""), INV_E_FULL);
	cr_assert_str_eq(inv_control_name(&t, INV_CONTROL_ARTIFACT, 0), name);
}

Test(control, a_hostile_page_is_read_within_its_bounds)
{
	cr_assert_eq(open_as(INV_CONTROL_CHANGE), INV_OK);
	for (int byte = 1; byte < 256; byte += 2) {
		memset((void *)page->block, byte, sizeof(page->block));
		memset((void *)&page->generation, byte, 8);
		struct inv_control_setting s = loaded();
		for (unsigned k = 0; k < INV_CONTROL_KINDS; k++) {
			enum inv_control_kind kind = (enum inv_control_kind)k;
			cr_assert_leq(inv_control_count(&s.rules, kind), INV_CONTROL_NAMES);
			for (unsigned i = 0; i < 20; i++) {
				const char *name = inv_control_name(&s, kind, i);
				cr_assert(!name || (name > s.text &&
						    name + strlen(name) < s.text + sizeof(s.text)));
			}
			inv_control_wants(&s.rules, kind, 1);
		}
		cr_assert_eq(inv_control_add(&s, INV_CONTROL_METHOD, "x"), INV_E_FULL);
	}
}

/* ---- torn reads ------------------------------------------------------------------------ */

/*
 * The page lies across two pages of memory: all but the generation is in the first. What the
 * reader comes to cannot be read, and the handler plays the verbs before it lets it go on.
 */
#define BEFORE_GAP 3968u
_Static_assert(BEFORE_GAP <= offsetof(struct inv_control, generation) &&
		       BEFORE_GAP >= sizeof(struct inv_control) - 128,
	       "only the generation lies behind the gap");
static unsigned char *memory;
static struct inv_control *torn;
static bool twice;
static unsigned interruptions;

static void numbered(unsigned n)
{
	struct inv_control_setting s;
	memset(&s, 0, sizeof(s));
	for (unsigned i = 0; i < INV_CONTROL_NAMES; i++)
		s.rules.hash[0][i] = s.rules.hash[2][i] = n;
	s.rules.counts = 0x100010;
	inv_control_publish(torn, &s);
}

/* One verb changes the setting, the next is in the middle of the block that is being read. */
static void change_and_begin_again(unsigned n)
{
	numbered(n);
	memset((void *)&torn->block[(torn->generation + 1) & 1], 0x77, 200);
}

/* In a block; if twice, then at the second look at generation, then in the other block. */
static void change_meanwhile(int signal)
{
	mprotect(memory, 2 * 4096, PROT_READ | PROT_WRITE);
	if (interruptions != 1)
		change_and_begin_again(101 + interruptions);
	if (twice && interruptions == 0)
		mprotect(memory + 4096, 4096, PROT_NONE);
	if (twice && interruptions == 1)
		mprotect(memory, 4096, PROT_NONE);
	interruptions++;
}

static void make_torn(void)
{
	struct sigaction action = {.sa_handler = change_meanwhile};
	memory = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(memory, MAP_FAILED);
	torn = (struct inv_control *)(memory + 4096 - BEFORE_GAP);
	numbered(1);
	numbered(2); /* in block 0 */
	sigaction(SIGSEGV, &action, NULL);
	mprotect(memory, 4096, PROT_NONE);
}

static bool all_of_one_change(const struct inv_control_rules *r)
{
	for (unsigned i = 0; i < INV_CONTROL_NAMES; i++)
		if (r->hash[0][i] != r->hash[0][0] || r->hash[2][i] != r->hash[0][0])
			return false;
	return true;
}

Test(control, a_read_that_changes_tore_is_made_again)
{
	struct inv_control_rules rules;
	uint64_t generation;
	make_torn();
	cr_assert(inv_control_rules(torn, &rules, &generation));
	cr_assert_eq(interruptions, 1);
	cr_assert_eq(generation, 3);
	cr_assert_eq(rules.hash[0][0], 101);
	cr_assert(all_of_one_change(&rules));
}

Test(control, a_read_that_was_torn_twice_gives_up)
{
	struct inv_control_rules rules;
	uint64_t generation;
	twice = true;
	make_torn();
	cr_assert_not(inv_control_rules(torn, &rules, &generation));
	cr_assert_eq(interruptions, 3);
}

static void *publish_on(void *stop)
{
	for (unsigned n = 1; !atomic_load((_Atomic int *)stop); n++)
		numbered(n);
	return NULL;
}

Test(control, no_reader_ever_finds_half_a_setting)
{
	static _Atomic int stop;
	pthread_t writer;
	unsigned good = 0;
	torn = calloc(1, sizeof(*torn));
	numbered(1);
	pthread_create(&writer, NULL, publish_on, &stop);
	for (unsigned i = 0; i < 300000; i++) {
		struct inv_control_rules rules;
		uint64_t generation;
		if (!inv_control_rules(torn, &rules, &generation))
			continue;
		good++;
		cr_assert(all_of_one_change(&rules), "at generation %lu", generation);
	}
	atomic_store(&stop, 1);
	pthread_join(writer, NULL);
	cr_assert_gt(good, 0);
	free(torn);
}
