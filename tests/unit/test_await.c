/* SPDX-License-Identifier: MIT */
/* Which session is waited for, and what ends the wait. The rests are where things happen. */
#include "reader/await.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reader/verbs.h"
#include "shm/segment.h"

static char dir[64], chosen[INV_SESSION_NAME_MAX + 1];
static int rests, rests_most;
static void (*at_second_rest)(void);

static void make_dir(void)
{
	cr_redirect_stderr();
	snprintf(dir, sizeof(dir), "%s/invreg-test.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	cr_assert(mkdtemp(dir));
	rests = 0;
	rests_most = 10;
	at_second_rest = NULL;
}

static void remove_all(void)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	cr_assert(system(command) == 0);
}

TestSuite(await, .init = make_dir, .fini = remove_all);

static bool rest(int ms)
{
	cr_assert_geq(ms, 1);
	if (++rests == 2 && at_second_rest)
		at_second_rest();
	return rests < rests_most;
}

/* A session whose creator lives (we) or has ended (a child). */
static void make_session(const char *name, bool alive)
{
	struct inv_segment seg;
	struct inv_segment_options options = {
		.budget_bytes = 8 << 20, .lane_count = 1, .session = name, .command = "x"};
	char file[512];
	int status = 0;
	cr_assert(inv_session_path(file, sizeof(file), dir, name) == INV_OK);
	pid_t child = alive ? 0 : fork();
	if (child == 0) {
		enum inv_result r = inv_segment_create(&seg, file, &options);
		if (!alive)
			_exit(r);
		cr_assert(r == INV_OK);
	} else {
		cr_assert(waitpid(child, &status, 0) == child && status == 0);
	}
}

static void remove_session(const char *name)
{
	char file[512];
	cr_assert(inv_session_path(file, sizeof(file), dir, name) == INV_OK);
	cr_assert_eq(unlink(file), 0);
}

static void expect(const char *name, int code, const char *want)
{
	chosen[0] = '\0';
	cr_assert_eq(inv_await_session(dir, name, rest, chosen), code);
	cr_assert_str_eq(chosen, want);
}

static void new_live(void)
{
	make_session("new", true);
}

static void new_ended(void)
{
	make_session("new", false);
}

static void old_again(void)
{
	remove_session("old");
	make_session("old", false);
}

static void two_come(void)
{
	make_session("z_first", false);
	usleep(2000);
	make_session("a_second", false);
}

static void old_cannot_be_read(void)
{
	char file[512];
	cr_assert(inv_session_path(file, sizeof(file), dir, "old") == INV_OK);
	cr_assert_eq(truncate(file, 100), 0);
}

Test(await, one_that_is_live_is_taken_at_once)
{
	make_session("old", false);
	make_session("now", true);
	expect(NULL, -1, "now");
	cr_assert_eq(rests, 0);
}

Test(await, ended_ones_are_not_taken_but_the_next_that_comes)
{
	make_session("old", false);
	at_second_rest = new_live;
	expect(NULL, -1, "new");
	cr_assert_eq(rests, 2);
}

Test(await, one_that_came_and_ended_between_two_looks_is_taken)
{
	make_session("old", false);
	at_second_rest = new_ended;
	expect(NULL, -1, "new");
}

Test(await, a_name_that_is_given_again_is_new)
{
	make_session("old", false);
	at_second_rest = old_again;
	expect(NULL, -1, "old");
}

Test(await, of_two_that_come_the_first_is_taken)
{
	at_second_rest = two_come;
	expect(NULL, -1, "z_first");
}

Test(await, an_old_one_that_cannot_be_read_any_more_is_not_new)
{
	make_session("old", false);
	at_second_rest = old_cannot_be_read;
	expect(NULL, INV_EXIT_OK, "");
}

Test(await, the_directory_may_come_later)
{
	char at[80];
	snprintf(at, sizeof(at), "%s/later", dir);
	cr_assert_eq(inv_await_session(at, NULL, rest, chosen), INV_EXIT_OK);
	cr_assert_eq(inv_await_session(at, "new", rest, chosen), INV_EXIT_OK);
}

Test(await, a_named_one_is_waited_for_though_others_live)
{
	make_session("now", true);
	at_second_rest = new_live;
	expect("new", -1, "new");
	cr_assert_eq(rests, 2);
}

Test(await, a_named_one_is_taken_when_it_has_ended)
{
	make_session("old", false);
	expect("old", -1, "old");
	cr_assert_eq(rests, 0);
}

Test(await, of_several_live_ones_none_is_chosen)
{
	make_session("one", true);
	make_session("two", true);
	expect(NULL, INV_EXIT_USAGE, "");
}

Test(await, a_name_that_no_session_can_have_is_refused)
{
	expect(".x", INV_EXIT_USAGE, "");
	expect("a b", INV_EXIT_USAGE, "");
	cr_assert_eq(rests, 0);
}

Test(await, it_says_once_that_it_waits)
{
	char said[256], want[256];
	char file[80];
	snprintf(file, sizeof(file), "%s/said", dir);
	int fd = open(file, O_RDWR | O_CREAT, 0600), err = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	expect(NULL, INV_EXIT_OK, "");
	dup2(err, STDERR_FILENO);
	ssize_t n = pread(fd, said, sizeof(said) - 1, 0);
	cr_assert_geq(n, 0);
	said[n] = '\0';
	snprintf(want, sizeof(want), "invreg: waiting for a session in %s\n", dir);
	cr_assert_str_eq(said, want);
	close(err);
	close(fd);
}
