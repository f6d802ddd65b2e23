// SPDX-License-Identifier: MIT
// layout.cc - whether this compiler's std::string and std::string_view are those of std_layout.h:
// real objects are looked at as if they were.
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "preload/std_layout.h"

static int failures;

static void expect(bool holds, const char *what)
{
	if (!holds) {
		std::printf("not so: %s\n", what);
		failures++;
	}
}

static void look_at(const std::string &text)
{
	inv_std_string seen;
	const char *at = reinterpret_cast<const char *>(&text);
	std::memcpy(&seen, at, sizeof(seen));
	bool local = text.capacity() == INV_STD_LOCAL_MAX;
	expect(seen.text == text.data(), "the text's address is first");
	expect(seen.length == text.size(), "then its length");
	expect((seen.text == at + offsetof(inv_std_string, held)) == local,
	       "a text of at most 15 bytes is in the object");
	expect(local || seen.held.capacity == text.capacity(), "else its capacity is");
	expect(seen.text[seen.length] == '\0', "a zero byte is behind it");
}

int main()
{
	expect(sizeof(std::string) == sizeof(inv_std_string), "std::string has 32 bytes");
	expect(sizeof(std::string_view) == sizeof(inv_std_view), "std::string_view has 16 bytes");
	for (size_t n = 0; n < 100; n++) {
		std::string text(n, 'x');
		look_at(text);
		std::string moved = std::move(text);
		look_at(text); // cppcheck-suppress accessMoved
		look_at(moved);
		moved.reserve(200);
		look_at(moved);
		moved.clear();
		look_at(moved);

		std::string_view view(moved.data(), n);
		inv_std_view seen;
		std::memcpy(&seen, &view, sizeof(seen));
		expect(seen.length == n && seen.text == moved.data(),
		       "a view is its length, then the text's address");
	}
	std::printf("%s\n", failures ? "another layout" : "the layout is as stated");
	return failures != 0;
}
