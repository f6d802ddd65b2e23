/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "preload/cxx_name.h"

static const char *named(const char *mangled)
{
	static char out[64];
	cr_assert_eq(inv_cxx_name(mangled, strlen(mangled), out, sizeof(out)), strlen(out));
	return out;
}

Test(cxx_name, classes_and_builtins_become_readable)
{
	cr_expect_str_eq(named("St13runtime_error"), "std::runtime_error");
	cr_expect_str_eq(named("N3sim7TimeoutE"), "sim::Timeout");
	cr_expect_str_eq(named("NSt10filesystem16filesystem_errorE"),
			 "std::filesystem::filesystem_error");
	cr_expect_str_eq(named("6Denied"), "Denied");
	cr_expect_str_eq(named("i"), "int");
	cr_expect_str_eq(named("PKc"), "const char*");
	cr_expect_str_eq(named("N12_GLOBAL__N_16HiddenE"), "(anonymous)::Hidden");
}

Test(cxx_name, what_is_not_understood_keeps_its_mangled_name)
{
	static const char *const strange[] = {"",  "St",  "N3sim7TimeoutE1",   "99short",  "N3sim",
					      "N", "3ab", "St6vectorIiSaIiEE", "Z4mainE1X"};

	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		cr_expect_str_eq(named(strange[i]), strange[i]);
}

Test(cxx_name, a_small_buffer_cuts)
{
	char out[5] = "xxxx";

	cr_expect_eq(inv_cxx_name("6Denied", 7, out, sizeof(out)), 4);
	cr_expect_str_eq(out, "Deni");
	cr_expect_eq(inv_cxx_name("6Denied", 7, out, 1), 0);
	cr_expect_str_eq(out, "");
}

Test(cxx_name, std_string_of_each_library_is_called_by_its_name)
{
	cr_expect_str_eq(named("NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"),
			 "std::string");
	cr_expect_str_eq(named("PKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"),
			 "const std::string*");
	cr_expect_str_eq(named("Ss"), "std::string");
	cr_expect_str_eq(named("NSt3__112basic_stringIcNS_11char_traitsIcEENS_9allocatorIcEEEE"),
			 "std::string");
	cr_expect_str_eq(named("NSt7__cxx1112basic_stringIwSt11char_traitsIwESaIwEEE"),
			 "NSt7__cxx1112basic_stringIwSt11char_traitsIwESaIwEEE");
}
