/* SPDX-License-Identifier: MIT */
/*
 * fuzz_probe.c - any bytes as a probe file.
 *
 * A refusal has a place inside the file and a text, and nothing is left of it; an accepted
 * file can be described and matched against messages.
 */
#include "fuzz.h"

#include "preload/probe.h"
#include "shm/layout.h"

static void use(const struct inv_probe_file *file, const char *message, size_t length)
{
	char why[256];

	for (uint32_t i = 0; i < file->count; i++) {
		const struct inv_probe *probe = &file->probes[i];
		struct inv_probe_row row;

		FUZZ_REQUIRE(inv_probe_match_message(probe, message, length) <
			     (int)probe->text_rule_count);
		FUZZ_REQUIRE(inv_probe_match_message(probe, NULL, 0) == -1);
		inv_probe_describe(&row, probe);
		FUZZ_REQUIRE(memchr(row.name, 0, sizeof(row.name)));
		FUZZ_REQUIRE(memchr(row.target, 0, sizeof(row.target)));
		FUZZ_REQUIRE(memchr(row.signature, 0, sizeof(row.signature)));
		FUZZ_REQUIRE(memchr(row.success, 0, sizeof(row.success)));
		FUZZ_REQUIRE(memchr(row.result_type, 0, sizeof(row.result_type)));
		if (probe->target_kind != INV_TARGET_PYTHON)
			inv_signature_refusal(&probe->signature, why, sizeof(why));
	}
}

static void check_place(const struct inv_probe_error *error, const char *bytes, size_t size)
{
	uint32_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += bytes[i] == '\n';
	FUZZ_REQUIRE(error->text[0] && !strchr(error->text, '\n'));
	FUZZ_REQUIRE(error->line <= lines && error->column <= size + 1);
	FUZZ_REQUIRE(!error->line || error->column);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inv_probe_file file;
	struct inv_probe_error error;

	if (inv_probe_file_parse(&file, "fuzz.ini", (const char *)data, size, &error)) {
		check_place(&error, (const char *)data, size);
		FUZZ_REQUIRE(!file.count && !file.probes);
	} else {
		use(&file, (const char *)data, size);
	}
	inv_probe_file_free(&file);
	return 0;
}
