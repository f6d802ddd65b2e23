/* SPDX-License-Identifier: MIT */
/* `events -f` as a whole, on sessions whose maker has ended in the middle of things. */
#include "reader/follow.h"
#include "reader/tail.h"
#include "reader/verbs.h"
#include "reader_fixture.h"

#include <criterion/redirect.h>
#include <sys/wait.h>

#include "shm/session.h"

static char dir[64], text[1 << 14];

static void make_dir(void)
{
	cr_redirect_stderr();
	snprintf(dir, sizeof(dir), "%s/invreg-test.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	cr_assert(mkdtemp(dir));
}

static void remove_all(void)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	cr_assert(system(command) == 0);
}

TestSuite(tail, .init = make_dir, .fini = remove_all);

/* The session "forged" by a child that ends: one call done, one slot half written, one open. */
static void make_ended_session(void)
{
	char file[512];
	int status;
	cr_assert(inv_session_path(file, sizeof(file), dir, "forged") == INV_OK);
	pid_t child = fork();
	if (child == 0) {
		forge_open();
		forge_lane(0);
		forge_attempt(0, 1, 1000);
		forge_return(0, 1, 50, false);
		forge_attempt(0, 2, 2000);
		atomic_store(&forge_slot(0, 2)->seq, INV_SEQ(2, INV_SLOT_BUSY));
		forge_attempt(0, 3, 3000);
		_exit(rename(forge_path, file) != 0);
	}
	cr_assert(waitpid(child, &status, 0) == child && status == 0);
}

static int tail_to(int fd)
{
	struct inv_tail tail = {.last = INV_FOLLOW_ALL, .dir = dir, .name = "forged"};
	int kept = dup(STDOUT_FILENO);
	fd < 0 ? close(STDOUT_FILENO) : dup2(fd, STDOUT_FILENO);
	int code = inv_tail_run(&tail);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	return code;
}

Test(tail, an_ended_session_gives_all_that_was_left_then_the_end, .timeout = 20)
{
	int out = memfd_create("out", 0);
	make_ended_session();
	cr_assert_eq(tail_to(out), INV_EXIT_OK);
	ssize_t n = pread(out, text, sizeof(text) - 1, 0);
	cr_assert_gt(n, 0);
	text[n] = '\0';
	cr_assert_not_null(strstr(text, "\"sequence\":1,"));
	cr_assert_not_null(strstr(text, "\"first\":2,\"last\":2,\"reason\":\"unfinished\""));
	cr_assert_not_null(strstr(text, "\"sequence\":3,"));
	cr_assert_null(strstr(text, "invoke_losses"));
	close(out);
}

Test(tail, a_closed_output_is_an_error_and_not_a_busy_loop, .timeout = 20)
{
	cr_assert_eq(tail_to(-1), INV_EXIT_RUNTIME);
}

Test(tail, a_full_output_is_an_error, .timeout = 20)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	cr_assert_geq(full, 0);
	make_ended_session();
	cr_assert_eq(tail_to(full), INV_EXIT_RUNTIME);
	close(full);
}
