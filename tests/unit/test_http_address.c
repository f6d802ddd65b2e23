/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

#include "reader/http_address.h"

static void is(const char *text, const char *host, unsigned port, bool v6)
{
	struct inv_listen l;
	const char *wrong = inv_listen_parse(&l, text);
	cr_assert_null(wrong, "%s: %s", text, wrong);
	cr_assert_str_eq(l.host, host, "%s", text);
	cr_assert_eq(l.port, port, "%s", text);
	cr_assert_eq(l.v6, v6, "%s", text);
}

static void is_wrong(const char *text)
{
	struct inv_listen l;
	cr_assert_not_null(inv_listen_parse(&l, text), "'%s'", text);
}

Test(http_address, an_address_may_lack_its_host_or_its_port)
{
	is("127.0.0.1:8080", "127.0.0.1", 8080, false);
	is("9000", "127.0.0.1", 9000, false);
	is(":9000", "127.0.0.1", 9000, false);
	is("0", "127.0.0.1", 0, false);
	is("localhost", "localhost", 8080, false);
	is("0.0.0.0:65535", "0.0.0.0", 65535, false);
	is("[::1]:80", "::1", 80, true);
	is("[::]", "::", 8080, true);
}

Test(http_address, what_is_no_address_is_refused)
{
	static const char *const cases[] = {"",	      "::1",	 "[::1",  "[::1]x",
					    "[::1]:", "[x]:80",	 "a:b",	  "a:1:2",
					    "a:",     "a:65536", "a:-1",  "a: 1",
					    "65536",  "a:1x",	 "[]:80", "a:99999999999999999999"};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_wrong(cases[i]);
	char large[1000] = {0};
	memset(large, 'a', sizeof(large) - 1);
	is_wrong(large);
}

Test(http_address, a_port_of_0_becomes_the_one_that_was_given)
{
	struct inv_listen l;
	int fd, other;
	cr_assert_null(inv_listen_parse(&l, "127.0.0.1:0"));
	cr_assert_eq(inv_listen_open(&l, &fd), 0);
	cr_assert_neq(l.port, 0);
	cr_assert_eq(inv_listen_open(&l, &other), -EADDRINUSE);
	close(fd);
}

Test(http_address, only_this_machine_reaches_a_loopback_address)
{
	static const struct {
		const char *text;
		bool local;
	} cases[] = {{"127.0.0.1:1", true},  {"127.9.9.9:1", true},   {"localhost:1", true},
		     {"[::1]:1", true},	     {"0.0.0.0:1", false},    {"[::]:1", false},
		     {"192.0.2.1:1", false}, {"example.org:1", false}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct inv_listen l;
		cr_assert_null(inv_listen_parse(&l, cases[i].text));
		cr_assert_eq(inv_listen_is_local(&l), cases[i].local, "%s", cases[i].text);
	}
}

Test(http_address, a_host_that_dns_could_rebind_is_not_allowed)
{
	static const char *const more[] = {"sim.example", NULL};
	static const char *const good[] = {"127.0.0.1",	  "127.0.0.1:80", "10.0.0.1",
					   "[::1]",	  "[::1]:80",	  "localhost",
					   "LocalHost:1", "my.host:80",	  "sim.example"};
	static const char *const bad[] = {"",
					  "evil.example",
					  "localhost.evil.example",
					  "127.0.0.1.",
					  "127.0.0.1.x",
					  "[::1",
					  "[evil]",
					  ":80",
					  "localhost:x",
					  "localhost:80:",
					  "localhost ",
					  "a@localhost",
					  "0x7f000001"};
	struct inv_listen l;
	cr_assert_null(inv_listen_parse(&l, "my.host:8080"));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_assert(inv_host_allowed(&l, more, good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert(!inv_host_allowed(&l, more, bad[i]), "%s", bad[i]);
	cr_assert(!inv_host_allowed(&l, NULL, "sim.example"));
}
