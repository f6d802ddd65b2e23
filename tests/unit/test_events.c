/* SPDX-License-Identifier: MIT */
#include "reader/events.h"
#include "reader_fixture.h"

static struct inv_words words;
static struct inv_buf out;
static struct inv_events events = {.out = &out};

static void setup(void)
{
	cr_assert_eq(inv_words_init(&words), 0);
	cr_assert_eq(inv_buf_init(&out, -1), 0);
}

static void teardown(void)
{
	inv_buf_free(&out);
	inv_words_free(&words);
}

TestSuite(events, .init = setup, .fini = teardown);

static void wrote(const char *want)
{
	inv_buf_put(&out, "", 1);
	cr_assert_str_eq(out.data, want);
}

static struct inv_call some_call(const char *type)
{
	struct inv_call call = made_call(&words, "alice", "wheat", type, 0);
	call.id = INV_CALL_ID(2, 5);
	call.sequence = 5;
	call.tick = -3;
	call.start_ns = INT64_C(1700000000123456789);
	call.duration_ns = 1500;
	call.args_count = 2;
	call.pid = 10;
	call.tid = 11;
	call.depth = 1;
	return call;
}

Test(events, an_attempt_has_its_fields_in_order)
{
	struct inv_call call = some_call(NULL);
	inv_events_attempt(&events, &call);
	wrote("{\"event_type\":\"invoke_attempt\",\"tick\":-3,\"invoker_id\":\"alice\","
	      "\"artifact_id\":\"wheat\",\"method\":\"buy\",\"args_count\":2,"
	      "\"timestamp\":\"2023-11-14T22:13:20.123456Z\",\"sequence\":5,"
	      "\"call\":35184372088837,\"pid\":10,\"tid\":11,\"depth\":1,"
	      "\"probe\":\"executor\",\"session\":\"unit\"}\n");
}

Test(events, a_success_has_its_fields_in_order)
{
	struct inv_call call = some_call(NULL);
	inv_events_outcome(&events, &call);
	wrote("{\"event_type\":\"invoke_success\",\"tick\":-3,\"invoker_id\":\"alice\","
	      "\"artifact_id\":\"wheat\",\"method\":\"buy\",\"duration_ms\":0.0015,"
	      "\"result_type\":\"int\",\"timestamp\":\"2023-11-14T22:13:20.123458Z\","
	      "\"sequence\":5,\"call\":35184372088837,\"pid\":10,\"tid\":11,\"depth\":1,"
	      "\"probe\":\"executor\",\"session\":\"unit\"}\n");
}

Test(events, a_failure_has_its_fields_in_order)
{
	struct inv_call call = some_call("timeout");
	call.message = "too \"late\"";
	call.message_length = 10;
	call.flags |= INV_FLAG_TRUNCATED;
	inv_events_outcome(&events, &call);
	wrote("{\"event_type\":\"invoke_failure\",\"tick\":-3,\"invoker_id\":\"alice\","
	      "\"artifact_id\":\"wheat\",\"method\":\"buy\",\"error_type\":\"timeout\","
	      "\"error_message\":\"too \\\"late\\\"\",\"duration_ms\":0.0015,"
	      "\"timestamp\":\"2023-11-14T22:13:20.123458Z\","
	      "\"sequence\":5,\"call\":35184372088837,\"pid\":10,\"tid\":11,\"depth\":1,"
	      "\"probe\":\"executor\",\"session\":\"unit\",\"truncated\":true}\n");
}

Test(events, broken_names_are_flagged)
{
	struct inv_call call = some_call(NULL);
	call.artifact = inv_words_get(&words, "\xff", 1);
	inv_events_attempt(&events, &call);
	inv_buf_put(&out, "", 1);
	cr_assert_not_null(strstr(out.data, "\"artifact_id\":\"\xef\xbf\xbd\""));
	cr_assert_not_null(strstr(out.data, ",\"invalid_utf8\":true}\n"));
}

Test(events, a_lost_range_is_a_line)
{
	inv_events_lost(&events, 3, 1, 1024, "lapped");
	wrote("{\"event_type\":\"events_lost\",\"lane\":3,\"first\":1,\"last\":1024,"
	      "\"reason\":\"lapped\"}\n");
}
