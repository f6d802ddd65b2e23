/* SPDX-License-Identifier: MIT */
/*
 * std_layout.h - how libstdc++ lays out std::string and std::string_view (64 bits, the ABI
 * since GCC 5), for C and C++ alike: a test host compiled by each C++ compiler compares it.
 *
 *   std::string, 32 bytes                       std::string_view, 16 bytes
 *    0        8        16               32       0        8        16
 *   +--------+--------+----------------+        +--------+--------+
 *   | text   | length | local, or      |        | length | text   |
 *   |        |        | capacity, -    |        |        |        |
 *   +--------+--------+----------------+        +--------+--------+
 *   text == &local: at most 15 bytes; else          text may be null if length is 0;
 *   capacity >= length, and >= 15.                  no byte behind it is its own
 *   text[length] is 0.
 *
 * Not these: the std::string before GCC 5 (_GLIBCXX_USE_CXX11_ABI=0) is one pointer to bytes
 * that end in a zero, so that a member of it is read by OFFSET:str; libc++ has its length bits
 * first and its view in the other order; std::pmr::string begins with an allocator.
 */
#ifndef INV_PRELOAD_STD_LAYOUT_H
#define INV_PRELOAD_STD_LAYOUT_H

#include <stdint.h>

#define INV_STD_LOCAL_MAX 15u /* bytes of text in the object itself */

struct inv_std_string {
	const char *text;
	uint64_t length;
	union {
		char local[INV_STD_LOCAL_MAX + 1];
		uint64_t capacity;
	} held;
};

struct inv_std_view {
	uint64_t length;
	const char *text;
};

#endif
