/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reader/guard.h"

static unsigned char *map;

static int touch(void *arg)
{
	return *(volatile unsigned char *)arg;
}

static int touch_inside(void *arg)
{
	int inner = inv_guard_call(touch, arg);
	return inner == -EFAULT ? touch(map) : inner;
}

static void setup(void)
{
	int fd = memfd_create("guard", 0);
	cr_assert_eq(ftruncate(fd, 8192), 0);
	map = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
	cr_assert_neq(map, MAP_FAILED);
	cr_assert_eq(ftruncate(fd, 4096), 0);
	close(fd);
}

TestSuite(guard, .init = setup);

Test(guard, a_page_that_is_gone_is_a_return_value)
{
	cr_assert_eq(inv_guard_call(touch, map), 0);
	cr_assert_eq(inv_guard_call(touch, map + 4096), -EFAULT);
	cr_assert_eq(inv_guard_call(touch, map + 4096), -EFAULT, "again");
	cr_assert_eq(inv_guard_call(touch, map), 0, "and things go on");
}

Test(guard, guards_nest)
{
	cr_assert_eq(inv_guard_call(touch_inside, map + 4096), 0);
}

Test(guard, outside_of_a_guard_it_kills_as_ever, .signal = SIGBUS)
{
	inv_guard_call(touch, map);
	touch(map + 4096);
}
