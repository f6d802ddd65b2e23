/* SPDX-License-Identifier: MIT */
/*
 * fuzz_signature.c - any text as a signature, and what follows its first newline as an
 * expression over it.
 *
 * The probe file's own target reaches both, but only through a file that is right up to
 * there; here every mutation is one of the grammar itself.
 */
#include "fuzz.h"

#include "preload/probe.h"

static void check_error(const struct inv_probe_error *error, const char *text)
{
	FUZZ_REQUIRE(error->text[0] && !strchr(error->text, '\n'));
	FUZZ_REQUIRE(error->column >= 1 && error->column <= strlen(text) + 1);
}

static void check_signature(const struct inv_signature *s)
{
	char why[256];

	FUZZ_REQUIRE(s->param_count <= INV_PROBE_ARGS_MAX);
	FUZZ_REQUIRE(s->int_regs <= 6 && s->float_regs <= 8);
	FUZZ_REQUIRE(s->fixed_count <= s->param_count);
	for (uint32_t i = 0; i < s->param_count; i++) {
		const struct inv_param *p = &s->params[i];
		FUZZ_REQUIRE(p->type != INV_TYPE_NONE && p->reg < (p->is_float ? 8 : 6));
		FUZZ_REQUIRE((p->type == INV_TYPE_STRUCT) == (p->layout != NULL));
	}
	inv_signature_needs_closure(s);
	const char *refusal = inv_signature_refusal(s, why, sizeof(why));
	FUZZ_REQUIRE(!refusal || (*refusal && strlen(refusal) < sizeof(why)));
	inv_signature_entry_refusal(s);
}

static void check_source(const struct inv_signature *signature, const char *text, bool at_return)
{
	struct inv_source source;
	struct inv_probe_error error = {0};

	if (inv_source_parse(&source, text, signature, at_return, &error)) {
		check_error(&error, text);
		return;
	}
	FUZZ_REQUIRE(source.step_count <= INV_PROBE_STEPS_MAX);
	FUZZ_REQUIRE(source.kind != INV_SOURCE_ARG || source.param < signature->param_count);
	FUZZ_REQUIRE(source.kind != INV_SOURCE_RETURN || at_return);
	FUZZ_REQUIRE(!source.text || strlen(source.text) == source.length);
	inv_source_release(&source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inv_signature signature;
	struct inv_probe_error error = {0};
	char *text = fuzz_string(data, size);
	char *expression = strchr(text, '\n');

	if (expression)
		*expression++ = '\0';
	if (inv_signature_parse(&signature, text, &error)) {
		check_error(&error, text);
	} else {
		check_signature(&signature);
		if (expression) {
			check_source(&signature, expression, false);
			check_source(&signature, expression, true);
		}
		inv_signature_release(&signature);
	}
	if (expression)
		check_source(NULL, expression, true);
	free(text);
	return 0;
}
