/* SPDX-License-Identifier: MIT */
/* test_session.c - names, directories, liveness, notes and clocks. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shm/clock.h"
#include "shm/proc.h"

Test(session, names_that_could_leave_the_directory_are_refused)
{
	char buf[256], name[103];
	memset(name, 'a', sizeof(name));
	name[102] = 0;
	cr_expect(!inv_session_name_valid("") && !inv_session_name_valid(".x"));
	cr_expect(!inv_session_name_valid("a/b") && !inv_session_name_valid(name));
	name[100] = 0;
	cr_expect(inv_session_name_valid(name) && inv_session_name_valid("a-1_2.B"));
	cr_expect_eq(inv_session_path(buf, sizeof(buf), "/d", "../x"), INV_E_USAGE);
	cr_expect_eq(inv_session_path(buf, 5, "/d", "x"), INV_E_USAGE);
	inv_session_default_name(buf, sizeof(buf));
	cr_expect(inv_session_name_valid(buf));
}

Test(session, a_symlink_or_a_file_is_no_directory_of_ours)
{
	char dir[] = "/tmp/invreg-unit-XXXXXX", link[64];
	cr_assert(mkdtemp(dir));
	snprintf(link, sizeof(link), "%s/link", dir);
	cr_assert_eq(symlink(dir, link), 0);
	cr_expect_eq(inv_session_ensure_dir(dir), INV_OK);
	cr_expect_eq(inv_session_ensure_dir(link), INV_E_KIND);
	unlink(link);
	rmdir(dir);
}

Test(session, a_directory_in_which_others_may_rename_is_not_ours_alone)
{
	char dir[] = "/tmp/invreg-unit-XXXXXX";
	cr_assert(mkdtemp(dir));
	cr_assert_eq(chmod(dir, 0755), 0);
	cr_expect_eq(inv_session_ensure_dir(dir), INV_OK);
	cr_assert_eq(chmod(dir, 0775), 0);
	cr_expect_eq(inv_session_ensure_dir(dir), INV_E_MODE);
	cr_assert_eq(chmod(dir, 0702), 0);
	cr_expect_eq(inv_session_ensure_dir(dir), INV_E_MODE);
	cr_assert_eq(chmod(dir, 01777), 0);
	cr_expect_eq(inv_session_ensure_dir(dir), INV_OK);
	rmdir(dir);
}

/* A child that tells who it is, and whose main thread then ends; `how` ends it. */
static pid_t child_that(void (*how)(void), struct inv_self *who)
{
	int pipe_fds[2];
	cr_assert_eq(pipe(pipe_fds), 0);
	pid_t pid = fork();
	if (!pid) {
		inv_self_read(who);
		if (write(pipe_fds[1], who, sizeof(*who)) == (ssize_t)sizeof(*who))
			how();
		_exit(0);
	}
	cr_assert_eq(read(pipe_fds[0], who, sizeof(*who)), (ssize_t)sizeof(*who));
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return pid;
}

/* Whether the main thread ends within a while. */
static bool main_thread_ends(pid_t pid)
{
	char path[64], line[256] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 5000 && !strstr(line, ") Z "); i++) {
		FILE *f = fopen(path, "re");
		cr_assert_not_null(f);
		cr_assert_not_null(fgets(line, sizeof(line), f));
		fclose(f);
		usleep(1000);
	}
	return strstr(line, ") Z ") != NULL;
}

/* An emulator has threads of its own, which end a little later. */
static bool becomes_dead(const struct inv_self *me, const struct inv_self *who)
{
	for (int i = 0; i < 5000; i++) {
		if (inv_proc_liveness(me, me->boot_id, me->pid_ns, who->pid, who->start_time) ==
		    INV_LIVENESS_DEAD)
			return true;
		usleep(1000);
	}
	return false;
}

static void at_once(void)
{
}

static void *stays(void *unused)
{
	pause();
	return NULL;
}

static void but_for_a_thread(void)
{
	pthread_t id;
	pthread_create(&id, NULL, stays, NULL);
	pthread_exit(NULL);
}

Test(proc, one_that_nobody_waited_for_is_dead_unless_a_thread_of_it_lives)
{
	struct inv_self me, dead, half;
	inv_self_read(&me);
	pid_t first = child_that(at_once, &dead), second = child_that(but_for_a_thread, &half);
	cr_assert(main_thread_ends(first) && main_thread_ends(second));
	cr_expect(becomes_dead(&me, &dead));
	cr_expect_eq(inv_proc_liveness(&me, me.boot_id, me.pid_ns, half.pid, half.start_time),
		     INV_LIVENESS_ALIVE);
	kill(second, SIGKILL);
	waitpid(first, NULL, 0);
	waitpid(second, NULL, 0);
}

Test(proc, liveness_is_known_within_one_namespace_and_boot)
{
	struct inv_self me;
	inv_self_read(&me);
	cr_expect_eq(inv_proc_liveness(&me, me.boot_id, me.pid_ns, me.pid, me.start_time),
		     INV_LIVENESS_ALIVE);
	cr_expect_eq(inv_proc_liveness(&me, me.boot_id, me.pid_ns, me.pid, me.start_time + 1),
		     INV_LIVENESS_DEAD);
	cr_expect_eq(inv_proc_liveness(&me, me.boot_id, me.pid_ns + 1, me.pid, me.start_time),
		     INV_LIVENESS_UNKNOWN);
	cr_expect_eq(inv_proc_liveness(&me, "another boot", me.pid_ns, me.pid, me.start_time + 1),
		     INV_LIVENESS_DEAD);
	me.pid_ns = 0;
	cr_expect_eq(inv_proc_liveness(&me, me.boot_id, 0, me.pid, me.start_time),
		     INV_LIVENESS_UNKNOWN);
}

Test(proc, a_boot_id_that_is_another_or_absent_gives_no_living_process_up)
{
	struct inv_self me;
	inv_self_read(&me);
	cr_expect_eq(inv_proc_liveness(&me, "another boot", me.pid_ns, me.pid, me.start_time),
		     INV_LIVENESS_UNKNOWN);
	cr_expect_eq(inv_proc_liveness(&me, "another boot", me.pid_ns + 1, me.pid, 1),
		     INV_LIVENESS_UNKNOWN);
	cr_expect_eq(inv_proc_liveness(&me, "", me.pid_ns, me.pid, me.start_time),
		     INV_LIVENESS_ALIVE);
	me.boot_id[0] = 0;
	cr_expect_eq(inv_proc_liveness(&me, "another boot", me.pid_ns, me.pid, me.start_time),
		     INV_LIVENESS_ALIVE);
}

Test(proc, start_times_of_another_namespaces_proc_are_not_compared)
{
	struct inv_self me;
	inv_self_read(&me);
	cr_expect(me.own_proc);
	me.own_proc = false;
	cr_expect_eq(inv_proc_liveness(&me, me.boot_id, me.pid_ns, me.pid, me.start_time + 1),
		     INV_LIVENESS_ALIVE);
}

Test(proc, a_row_being_claimed_in_another_namespace_is_not_dead)
{
	struct inv_self me;
	struct inv_proc row = {.start_time = 0};
	const uint32_t nobody = 0x7ffffff0; /* beyond pid_max */
	inv_self_read(&me);
	row.state = INV_PROC_CLAIM(7, me.pid_ns, nobody);
	cr_expect_eq(INV_PROC_STATUS(row.state), INV_PROC_CLAIMING);
	cr_expect_eq(INV_PROC_GENERATION(row.state), 7);
	cr_expect_eq(INV_PROC_PID(row.state), nobody);
	cr_expect_eq(inv_proc_liveness_of(&me, me.boot_id, &row), INV_LIVENESS_DEAD);
	row.state = INV_PROC_CLAIM(7, me.pid_ns + 1, nobody);
	cr_expect_eq(INV_PROC_STATUS(row.state), INV_PROC_CLAIMING);
	cr_expect_eq(inv_proc_liveness_of(&me, me.boot_id, &row), INV_LIVENESS_UNKNOWN);
}

Test(clock, anchors_advance_and_their_window_is_small)
{
	struct inv_anchor a, b;
	enum inv_clock_kind kind = inv_clock_detect();
	cr_assert(inv_clock_usable(kind) && !inv_clock_usable(INV_CLOCK_NONE));
	inv_clock_anchor(kind, &a);
	inv_clock_anchor(kind, &b);
	cr_expect_lt(a.ticks, b.ticks);
	cr_expect_leq(a.boottime_ns, b.boottime_ns);
}
