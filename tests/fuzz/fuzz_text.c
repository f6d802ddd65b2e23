/* SPDX-License-Identifier: MIT */
/*
 * fuzz_text.c - any bytes as the text of a call (folded, in the observed program), as the name
 * of a C++ type, and as the page of settings beside a session.
 *
 *   input = what u8, room u16, then the bytes
 */
#include "fuzz.h"

#include "preload/cxx_name.h"
#include "preload/normalise.h"
#include "reader/setting.h"

/* Nothing is written beyond the room, and a little less room gives a prefix of the same. */
static void fold(enum inv_rewrite how, const char *text, size_t length, size_t room)
{
	bool cut = false, all_cut = false;
	size_t enough = length + 32;
	char *out = malloc(room ? room : 1), *all = malloc(enough);
	FUZZ_REQUIRE(out && all);
	size_t n = inv_normalise(how, text, length, out, room, &cut);
	size_t whole = inv_normalise(how, text, length, all, enough, &all_cut);
	FUZZ_REQUIRE(n <= room && whole <= enough);
	FUZZ_REQUIRE(n <= whole && !memcmp(out, all, how == INV_REWRITE_LENGTH ? 0 : n));
	FUZZ_REQUIRE(cut || n == whole);
	if (how == INV_REWRITE_DIGITS)
		for (size_t i = 0; i < n; i++)
			FUZZ_REQUIRE(out[i] < '0' || out[i] > '9');
	free(out);
	free(all);
}

static void demangle(const char *text, size_t length, size_t room)
{
	char *out = malloc(room + 1);
	FUZZ_REQUIRE(out);
	size_t n = inv_cxx_name(text, length, out, room + 1);
	FUZZ_REQUIRE(n <= room && out[n] == '\0' && strlen(out) <= n);
	free(out);
}

static void put_setting(const struct inv_setting *setting)
{
	struct inv_buf out;
	struct inv_json json = {.out = &out};
	char *text = NULL;
	size_t length = 0;
	FUZZ_REQUIRE(inv_buf_init(&out, -1) == 0);
	inv_setting_put(setting, &json);
	fuzz_require_json(out.data, out.length);
	inv_buf_free(&out);
	FILE *to = open_memstream(&text, &length);
	FUZZ_REQUIRE(to);
	inv_setting_say_filter(setting, to);
	fclose(to);
	for (size_t i = 0; i < length; i++)
		FUZZ_REQUIRE((unsigned char)text[i] >= ' ');
	free(text);
}

/* A page that is right up to its blocks, which are anything. */
static void read_page(const uint8_t *data, size_t size, size_t at)
{
	static struct inv_control page;
	struct inv_setting setting = {0};
	uint64_t generation;
	memset(&page, 0, sizeof(page));
	at %= sizeof(page.block);
	size = size < sizeof(page.block) - at ? size : sizeof(page.block) - at;
	memcpy((char *)page.block + at, data, size);
	setting.known = inv_control_load(&page, &setting.is, &generation);
	FUZZ_REQUIRE(setting.known);
	put_setting(&setting);
	for (unsigned kind = 0; kind < INV_CONTROL_KINDS; kind++)
		inv_control_wants(&setting.is.rules, (enum inv_control_kind)kind, size);
	inv_control_add(&setting.is, INV_CONTROL_ARTIFACT, "another");
	put_setting(&setting);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	unsigned what = data[0] % 6;
	size_t room = data[1] | (size_t)(data[2] & 7) << 8, length = size - 3;
	char *text = malloc(length ? length : 1);
	FUZZ_REQUIRE(text);
	memcpy(text, data + 3, length);
	if (what < 4)
		fold((enum inv_rewrite)what, text, length, room);
	else if (what == 4)
		demangle(text, length, room);
	else
		read_page(data + 3, length, room);
	free(text);
	return 0;
}
