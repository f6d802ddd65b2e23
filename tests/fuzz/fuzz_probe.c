/* SPDX-License-Identifier: MIT */
/*
 * fuzz_probe.c - any bytes as a probe file (libFuzzer).
 *
 *   clang -std=gnu11 -D_GNU_SOURCE -I. -g -O1 -fsanitize=fuzzer,address,undefined \
 *         tests/fuzz/fuzz_probe.c preload/probe*.c -linih -o fuzz_probe
 *
 * Beyond not crashing: a refusal has a place inside the file and a text, and an accepted file
 * can be matched against messages.
 */
#include "preload/probe.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct inv_probe_file *file, const char *message, size_t length)
{
	char why[256];

	for (uint32_t i = 0; i < file->count; i++) {
		const struct inv_probe *probe = &file->probes[i];

		if (inv_probe_match_message(probe, message, length) >= (int)probe->text_rule_count)
			abort();
		if (probe->target_kind != INV_TARGET_PYTHON)
			inv_signature_refusal(&probe->signature, why, sizeof(why));
	}
}

static void check_place(const struct inv_probe_error *error, const char *bytes, size_t size)
{
	uint32_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += bytes[i] == '\n';
	if (!error->text[0] || error->line > lines || error->column > size + 1)
		abort();
	if (error->line && !error->column)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inv_probe_file file;
	struct inv_probe_error error;

	if (inv_probe_file_parse(&file, "fuzz.ini", (const char *)data, size, &error)) {
		check_place(&error, (const char *)data, size);
		if (file.count || file.probes)
			abort();
	} else {
		use(&file, (const char *)data, size);
	}
	inv_probe_file_free(&file);
	return 0;
}
