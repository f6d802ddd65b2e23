/* SPDX-License-Identifier: MIT */
/*
 * fuzz_query.c - what a client sends: a Host, a place to listen at, and a query, a line each.
 *
 * The query is split as libmicrohttpd splits it. What is wrong with it is always said as JSON,
 * an integer in range is all that is believed, and what is encoded decodes to itself.
 */
#include "fuzz.h"

#include "reader/http_address.h"
#include "reader/http_query.h"

static void check_host(const char *host)
{
	static const char *const ALLOWED[] = {"allowed.example", NULL};
	struct inv_listen listen;

	FUZZ_REQUIRE(!inv_listen_parse(&listen, "here.example:80"));
	if (!inv_host_allowed(&listen, ALLOWED, host))
		return;
	/* only what cannot be another's name (DNS rebinding) */
	FUZZ_REQUIRE(*host == '[' || (*host >= '0' && *host <= '9') ||
		     !strncasecmp(host, "localhost", 9) || !strncasecmp(host, "here.example", 12) ||
		     !strncasecmp(host, "allowed.example", 15));
}

static void check_listen(const char *text)
{
	struct inv_listen listen;
	const char *wrong = inv_listen_parse(&listen, text);

	FUZZ_REQUIRE(!wrong || *wrong);
	FUZZ_REQUIRE(memchr(listen.host, 0, sizeof(listen.host)));
	if (!wrong)
		inv_listen_is_local(&listen);
}

static void check_coding(const char *text, size_t length)
{
	struct inv_buf coded;
	char *back;

	FUZZ_REQUIRE(inv_buf_init(&coded, -1) == 0);
	inv_percent_encode(&coded, (struct inv_text){text, length});
	for (size_t i = 0; i < coded.length; i++)
		FUZZ_REQUIRE(coded.data[i] > ' ' && coded.data[i] < 127 &&
			     !strchr("&=+#?/\"<>\\", coded.data[i]));
	back = malloc(coded.length + 1);
	FUZZ_REQUIRE(back);
	FUZZ_REQUIRE(inv_percent_decode(back, coded.data, coded.length) == length);
	FUZZ_REQUIRE(!memcmp(back, text, length));
	free(back);
	inv_buf_free(&coded);
}

/* "a=b&c&=d"; '+' becomes a space before we see it. */
static void add_all(struct inv_params *params, char *query, size_t length)
{
	char *end = query + length;

	for (size_t i = 0; i < length; i++)
		if (query[i] == '+')
			query[i] = ' ';
	while (query < end) {
		char *next = memchr(query, '&', (size_t)(end - query));
		char *stop = next ? next : end;
		char *value = memchr(query, '=', (size_t)(stop - query));
		char *key_end = value ? value++ : stop;

		FUZZ_REQUIRE(inv_params_add(params, query, (size_t)(key_end - query), value,
					    value ? (size_t)(stop - value) : 0) == 0);
		query = stop + 1;
	}
}

static void ask(struct inv_params *params)
{
	static const char *const SORTS[] = {"total", "failed", "p99", "name", NULL};
	int64_t limit = inv_params_int(params, "limit", 1, 1000, 100);
	int64_t offset = inv_params_int(params, "offset", 0, INT64_MAX, 0);
	enum inv_maybe success = inv_params_bool(params, "success");
	size_t sort = inv_params_choice(params, "sort", SORTS);
	struct inv_text artifact = inv_params_text(params, "artifact_id");

	FUZZ_REQUIRE(limit >= 1 && limit <= 1000 && offset >= 0);
	FUZZ_REQUIRE(success <= INV_MAYBE_YES && sort < 4);
	FUZZ_REQUIRE(params->count <= INV_PARAMS_MAX);
	if (artifact.text)
		check_coding(artifact.text, artifact.length);
	if (!inv_params_good(params))
		fuzz_require_json(params->errors.data, params->errors.length);
}

static void check_query(char *query, size_t length)
{
	struct inv_params params;

	check_coding(query, length);
	FUZZ_REQUIRE(inv_params_init(&params) == 0);
	add_all(&params, query, length);
	ask(&params);
	inv_params_free(&params);
	/* in place, as a path's id is not but might be */
	FUZZ_REQUIRE(inv_percent_decode(query, query, length) <= length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *host = fuzz_string(data, size);
	char *listen = strchr(host, '\n');
	char *query = listen ? strchr(listen + 1, '\n') : NULL;

	if (listen)
		*listen++ = '\0';
	if (query)
		*query++ = '\0';
	check_host(host);
	if (listen)
		check_listen(listen);
	if (query) { /* of its own allocation, NULs and all */
		size_t length = size - (size_t)(query - host);
		char *copy = malloc(length ? length : 1);
		FUZZ_REQUIRE(copy);
		memcpy(copy, query, length);
		check_query(copy, length);
		free(copy);
	}
	free(host);
	return 0;
}
