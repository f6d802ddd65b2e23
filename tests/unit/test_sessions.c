/* SPDX-License-Identifier: MIT */
/* Which file a name means, what is refused, and with which exit code. */
#include "reader/sessions.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reader/verbs.h"
#include "shm/control.h"

static char dir[64];
static char path[512];
static int fd;

static void remove_all(void)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	if (dir[0] && system(command))
		fprintf(stderr, "%s stays\n", dir);
}

static void make_dir(void)
{
	cr_redirect_stderr();
	snprintf(dir, sizeof(dir), "%s/invreg-test.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	cr_assert(mkdtemp(dir));
	cr_assert(chdir(dir) == 0);
}

/* A session whose creator lives (we) or has ended (a child). */
static void make_session(const char *name, bool live)
{
	struct inv_segment seg;
	struct inv_segment_options options = {
		.budget_bytes = 8 << 20, .lane_count = 1, .session = name, .command = "a\nb"};
	char file[512];
	int status = 0;
	cr_assert(inv_session_path(file, sizeof(file), dir, name) == INV_OK);
	pid_t child = live ? 0 : fork();
	if (child == 0) {
		enum inv_result r = inv_segment_create(&seg, file, &options);
		if (!live)
			_exit(r);
		cr_assert(r == INV_OK);
	} else {
		cr_assert(waitpid(child, &status, 0) == child && status == 0);
	}
}

static void make_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");
	cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static int open_named(const char *name)
{
	return inv_sessions_open(dir, name, &fd, path, sizeof(path));
}

static void expect_opens(const char *name, const char *file)
{
	char want[512];
	cr_assert_eq(open_named(name), 0);
	snprintf(want, sizeof(want), "%s%s", file[0] == '/' ? dir : "", file);
	cr_assert_str_eq(path, want);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static void expect_fails(const char *name, int code)
{
	cr_assert_eq(open_named(name), code, "%s", name ? name : "no name");
	cr_assert_eq(fd, -1);
}

TestSuite(sessions, .init = make_dir, .fini = remove_all);

Test(sessions, a_name_is_a_file_of_the_directory)
{
	make_session("one", false);
	expect_opens("one", "/one.seg");
	expect_fails("two", INV_EXIT_NO_SESSION);
	expect_fails(".one", INV_EXIT_NO_SESSION);
}

Test(sessions, a_slash_or_an_existing_seg_or_jsonl_is_a_path)
{
	make_file("copy.seg", "x");
	make_file("run.jsonl", "{}");
	expect_opens("copy.seg", "copy.seg");
	expect_opens("./copy.seg", "./copy.seg");
	expect_opens("run.jsonl", "run.jsonl");
	expect_fails("./absent.seg", INV_EXIT_NO_SESSION);
	expect_fails("absent.seg", INV_EXIT_NO_SESSION);
}

Test(sessions, a_session_goes_before_a_path_of_the_same_name)
{
	make_session("x.seg", false);
	make_file("x.seg", "x");
	expect_opens("x.seg", "/x.seg.seg");
}

Test(sessions, without_a_name_the_live_one_is_meant)
{
	expect_fails(NULL, INV_EXIT_NO_SESSION);
	make_session("live", true);
	make_session("newer", false);
	expect_opens(NULL, "/live.seg");
}

Test(sessions, without_a_name_and_a_live_one_the_newest_is_meant)
{
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	make_session("b", false);
	make_session("a", false);
	cr_assert(utimensat(AT_FDCWD, "a.seg", old, 0) == 0);
	expect_opens(NULL, "/b.seg");
}

Test(sessions, where_none_can_be_read_the_newest_is_refused_and_not_overlooked)
{
	make_file("plain", "x");
	cr_assert(symlink("plain", "link.seg") == 0);
	expect_fails(NULL, INV_EXIT_REFUSED);
	make_session("readable", false);
	expect_opens(NULL, "/readable.seg");
}

Test(sessions, pruning_spares_copies_and_what_is_no_session)
{
	struct inv_header h;
	make_session("ended", false);
	make_session("copy", false);
	make_session("other", false);
	make_file("text.seg", "x");
	for (int i = 0; i < 2; i++) {
		int file = open(i ? "other.seg" : "copy.seg", O_RDWR);
		cr_assert(pread(file, &h, sizeof(h), 0) == (ssize_t)sizeof(h));
		h.flags |= i ? 0 : INV_HEADER_SNAPSHOT;
		h.version += (uint32_t)i;
		cr_assert(pwrite(file, &h, sizeof(h), 0) == (ssize_t)sizeof(h));
		close(file);
	}
	cr_expect_eq(inv_session_prune(dir, 0), 1);
	cr_expect(access("ended.seg", F_OK) && !access("copy.seg", F_OK));
	cr_expect(!access("other.seg", F_OK) && !access("text.seg", F_OK));
	cr_expect_eq(inv_session_prune("/no/such/directory", 0), 0);
	cr_expect_eq(inv_session_prune("text.seg", 0), -1);
}

Test(sessions, of_several_live_ones_none_is_chosen)
{
	make_session("first", true);
	make_session("second", true);
	expect_fails(NULL, INV_EXIT_USAGE);
}

Test(sessions, what_is_not_a_regular_file_is_refused)
{
	make_file("plain", "x");
	cr_assert(symlink("plain", "link.seg") == 0);
	cr_assert(mkfifo("fifo.seg", 0600) == 0);
	cr_assert(mkdir("folder.seg", 0700) == 0);
	alarm(10); /* a FIFO must not hang it */
	expect_fails("link", INV_EXIT_REFUSED);
	expect_fails("fifo", INV_EXIT_REFUSED);
	expect_fails("folder", INV_EXIT_REFUSED);
	expect_fails("./link.seg", INV_EXIT_REFUSED);
}

Test(sessions, another_users_file_is_refused_but_to_root)
{
	if (geteuid() != 0)
		cr_skip("only root can make one");
	make_session("theirs", false);
	cr_assert(chown("theirs.seg", 65534, 65534) == 0 && chmod("theirs.seg", 0644) == 0);
	cr_assert(chmod(dir, 0755) == 0);
	expect_opens("theirs", "/theirs.seg");
	cr_assert(chown("theirs.seg", 0, 0) == 0 && seteuid(65534) == 0);
	expect_fails("theirs", INV_EXIT_REFUSED);
	cr_assert(seteuid(0) == 0);
}

Test(sessions, a_view_of_noise_and_of_a_cut_file_is_refused)
{
	struct inv_view view;
	make_file("noise.seg", "noise");
	cr_assert_eq(open_named("noise"), 0);
	cr_assert_eq(inv_sessions_view(fd, path, &view), INV_EXIT_REFUSED);
	close(fd);
	make_session("cut", false);
	cr_assert(truncate("cut.seg", 100000) == 0);
	cr_assert_eq(open_named("cut"), 0);
	cr_assert_eq(inv_sessions_view(fd, path, &view), INV_EXIT_REFUSED);
	close(fd);
}

/* ---- control pages ---------------------------------------------------------------------- */

static void make_control(const char *name)
{
	struct inv_segment seg;
	char file[512];
	cr_assert(inv_session_path(file, sizeof(file), dir, name) == INV_OK);
	cr_assert(inv_segment_join(&seg, file) == INV_OK);
	cr_assert(inv_control_create(&seg) == INV_OK);
	inv_segment_detach(&seg);
}

static void publish(const char *name, uint64_t flags, const char *artifact)
{
	struct inv_segment seg;
	struct inv_control *page;
	struct inv_control_setting s = {.rules = {.flags = flags}};
	char file[512];
	cr_assert(inv_session_path(file, sizeof(file), dir, name) == INV_OK);
	cr_assert(inv_segment_join(&seg, file) == INV_OK);
	cr_assert(inv_control_open(file, seg.header->session_nonce, INV_CONTROL_CHANGE, &page,
				   NULL) == INV_OK);
	cr_assert(!artifact || inv_control_add(&s, INV_CONTROL_ARTIFACT, artifact) == INV_OK);
	inv_control_publish(page, &s);
	inv_control_close(page);
	inv_segment_detach(&seg);
}

Test(sessions, a_control_page_goes_with_its_session_and_a_stray_one_by_its_age)
{
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	make_session("live", true);
	make_session("kept", false);
	make_session("older", false);
	make_control("live");
	make_control("kept");
	make_control("older");
	cr_assert(utimensat(AT_FDCWD, "older.seg", old, 0) == 0);
	cr_assert(utimensat(AT_FDCWD, "kept.ctl", old, 0) == 0);
	make_file("stray.ctl", "x");
	make_file("young.ctl", "x"); /* perhaps of a session that is being made */
	cr_assert(utimensat(AT_FDCWD, "stray.ctl", old, 0) == 0);
	cr_assert_eq(inv_session_prune(dir, 1), 1);
	cr_expect_neq(access("older.seg", F_OK), 0);
	cr_expect_neq(access("older.ctl", F_OK), 0);
	cr_expect_neq(access("stray.ctl", F_OK), 0);
	cr_expect_eq(access("young.ctl", F_OK), 0);
	cr_expect_eq(access("live.ctl", F_OK), 0);
	cr_expect_eq(access("kept.ctl", F_OK), 0);
	cr_expect_eq(access("kept.seg", F_OK), 0);
}

Test(sessions, a_listing_tells_what_is_paused_and_what_is_filtered)
{
	struct inv_session_row *rows;
	size_t count;
	make_session("none", true);
	make_session("plain", true);
	make_session("paused", true);
	make_session("filtered", true);
	make_control("plain");
	make_control("paused");
	make_control("filtered");
	publish("paused", INV_CONTROL_PAUSED, NULL);
	publish("filtered", 0, "oracle");
	cr_assert_eq(inv_sessions_list(dir, &rows, &count), 0);
	cr_assert_eq(count, 4);
	for (size_t i = 0; i < count; i++) {
		cr_expect_eq(rows[i].paused, !strcmp(rows[i].name, "paused"), "%s", rows[i].name);
		cr_expect_eq(rows[i].filtered, !strcmp(rows[i].name, "filtered"), "%s",
			     rows[i].name);
	}
	free(rows);
}

Test(sessions, a_listing_tells_states_and_cleans_commands)
{
	struct inv_session_row *rows;
	size_t count;
	make_session("live", true);
	make_file("bad.seg", "x");
	make_file(".hidden.1.tmp", "x");
	cr_assert_eq(inv_sessions_list(dir, &rows, &count), 0);
	cr_assert_eq(count, 2);
	for (size_t i = 0; i < count; i++) {
		bool bad = strcmp(rows[i].name, "bad") == 0;
		cr_assert_eq(rows[i].refused, bad ? INV_E_MAGIC : INV_OK);
		if (bad)
			continue;
		cr_assert_str_eq(rows[i].name, "live");
		cr_assert_eq(rows[i].liveness, INV_LIVENESS_ALIVE);
		cr_assert_str_eq(rows[i].command, "a?b");
	}
	free(rows);
	cr_assert_eq(inv_sessions_list("/no/such/directory", &rows, &count), 0);
	cr_assert_eq(count, 0);
}
