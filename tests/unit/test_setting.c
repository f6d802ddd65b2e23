/* SPDX-License-Identifier: MIT */
/* test_setting.c - what is shown of a control page, whatever it holds. */
#include "reader/setting.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct inv_setting setting;

static void filter(enum inv_control_kind kind, const char *name)
{
	setting.known = true;
	cr_assert_eq(inv_control_add(&setting.is, kind, name), INV_OK);
}

static void said(const char *want)
{
	char *text = NULL;
	size_t length;
	FILE *f = open_memstream(&text, &length);
	inv_setting_say_filter(&setting, f);
	fclose(f);
	cr_expect_str_eq(text, want);
	free(text);
}

static void put(const char *want)
{
	struct inv_buf out;
	char got[4096];
	char path[] = "/tmp/invreg-unit-XXXXXX";
	int fd = mkstemp(path);
	cr_assert(fd >= 0 && inv_buf_init(&out, fd) == 0);
	struct inv_json json = {.out = &out};
	inv_setting_put(&setting, &json);
	cr_assert_eq(inv_buf_flush(&out), 0);
	ssize_t n = pread(fd, got, sizeof(got) - 1, 0);
	got[n > 0 ? n : 0] = 0;
	cr_expect_str_eq(got, want);
	inv_buf_free(&out);
	close(fd);
	unlink(path);
}

Test(setting, a_session_without_a_page_has_none_and_is_not_said_to_go_on)
{
	inv_setting_read(&setting, "/no/such/session.seg", 1);
	cr_assert_not(setting.known);
	cr_assert_not(inv_setting_paused(&setting));
	cr_assert_not(inv_setting_filters(&setting));
	put("null");
}

Test(setting, nothing_on_is_said_so)
{
	setting.known = true;
	put("{\"paused\":false,\"filter\":null}");
	setting.is.rules.flags = INV_CONTROL_PAUSED;
	cr_assert(inv_setting_paused(&setting));
	put("{\"paused\":true,\"filter\":null}");
	said("");
}

Test(setting, names_are_listed_by_kind_and_a_terminal_is_safe_from_them)
{
	filter(INV_CONTROL_METHOD, "bid");
	filter(INV_CONTROL_ARTIFACT, "a\033[2Jb");
	filter(INV_CONTROL_ARTIFACT, "say \"x\"");
	cr_assert(inv_setting_filters(&setting));
	said("artifact a?[2Jb, say \"x\"; method bid");
	put("{\"paused\":false,\"filter\":{\"artifact\":[\"a\\u001b[2Jb\",\"say \\\"x\\\"\"],"
	    "\"invoker\":[],\"method\":[\"bid\"]}}");
}

Test(setting, a_damaged_page_is_shown_as_far_as_it_goes)
{
	filter(INV_CONTROL_INVOKER, "alice");
	setting.is.rules.counts = UINT64_MAX; /* 16 of each, of which there is one */
	memset(setting.is.rules.hash, 0xee, sizeof(setting.is.rules.hash));
	char *text = NULL;
	size_t length;
	FILE *f = open_memstream(&text, &length);
	inv_setting_say_filter(&setting, f);
	fclose(f);
	cr_assert(strstr(text, "invoker alice, ?, ?"));
	free(text);
}
