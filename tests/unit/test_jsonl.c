/* SPDX-License-Identifier: MIT */
#include "reader/cut.h"
#include "reader/events.h"
#include "reader/jsonl.h"
#include "reader/report.h"
#include "reader_fixture.h"

static struct inv_src src;

static int read_text(const char *text)
{
	int fd = memfd_create("lines", 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	lseek(fd, 0, SEEK_SET);
	src = (struct inv_src){.fd = -1, .kind = INV_SRC_JSONL};
	cr_assert_eq(inv_words_init(&src.words), 0);
	int result = inv_jsonl_read(&src, fd);
	close(fd);
	return result;
}

Test(jsonl, what_events_write_is_read_back)
{
	struct inv_words words;
	struct inv_buf out;
	struct inv_events events = {.out = &out};
	cr_assert_eq(inv_words_init(&words), 0);
	cr_assert_eq(inv_buf_init(&out, -1), 0);
	struct inv_call ok = made_call(&words, "al\"ice", "wheat", NULL, 3);
	struct inv_call failed = made_call(&words, "bob", "ore", "timeout", 4);
	struct inv_call open = made_call(&words, "bob", "ore", NULL, 0);
	open.state = INV_CALL_OPEN;
	inv_events_attempt(&events, &ok);
	inv_events_attempt(&events, &failed);
	inv_events_outcome(&events, &failed);
	inv_events_outcome(&events, &ok);
	inv_events_attempt(&events, &open);
	inv_buf_put(&out, "", 1);
	cr_assert_eq(read_text(out.data), 0);
	cr_assert_eq(src.call_count, 3);
	cr_assert_str_eq(src.calls[0].invoker->text, "al\"ice");
	cr_assert_eq(src.calls[0].duration_ns, ok.duration_ns);
	cr_assert_eq(src.calls[0].start_ns, ok.start_ns);
	cr_assert_eq(src.calls[1].message_length, 2);
	cr_assert(inv_call_failed(&src.calls[1]));
	cr_assert_eq(src.calls[2].state, INV_CALL_OPEN);
	inv_src_close(&src);
	inv_buf_free(&out);
	inv_words_free(&words);
}

Test(jsonl, a_file_without_totals_counts_its_events_and_says_so)
{
	struct inv_cut cut;
	cr_assert_eq(read_text(
			     "{\"event_type\":\"invoke_success\",\"call\":1,\"artifact_id\":\"a\","
			     "\"duration_ms\":2.5}\n"
			     "{\"event_type\":\"events_lost\",\"lane\":0,\"first\":2,\"last\":9}\n"
			     "{\"event_type\":\"invoke_fail"),
		     0);
	cr_assert_eq(src.bad_lines, 1);
	cr_assert_eq(inv_cut_take(&cut, &src), 0);
	cr_assert(cut.from_events);
	cr_assert_eq(inv_cut_total(&cut), 1);
	cr_assert_eq(cut.events_lapped, 8);
	inv_cut_free(&cut);
	inv_src_close(&src);
}

static char text[4096];
static struct inv_cut seen;

/* One line more of text; ' stands for ". */
static void line(const char *type, const char *rest)
{
	char *p = text + strlen(text);
	sprintf(p, "{'event_type':'invoke_%s',%s}\n", type, rest);
	while ((p = strchr(p, '\'')))
		*p = '"';
}

static void cut_text(void)
{
	cr_assert_eq(read_text(text), 0);
	cr_assert_eq(inv_cut_take(&seen, &src), 0);
}

static void forget(void)
{
	inv_cut_free(&seen);
	inv_src_close(&src);
}

Test(jsonl, calls_of_several_runs_in_a_file_are_told_apart_though_their_numbers_are_the_same)
{
	line("attempt", "'call':1,'session':'s','pid':5");
	line("success", "'call':1,'session':'s','pid':5");
	line("attempt", "'call':2,'session':'s','pid':5");
	line("attempt", "'call':1,'session':'t','pid':6");
	line("failure", "'call':1,'session':'t','pid':6");
	line("attempt", "'call':2,'session':'t','pid':6");
	line("success", "'call':2,'session':'t','pid':6");
	line("attempt", "'call':1,'session':'s','pid':5");
	line("success", "'call':1,'session':'s','pid':5");
	cut_text();
	cr_assert_eq(inv_cut_total(&seen), 4);
	cr_assert_eq(seen.artifacts.rows[0].failed, 1);
	cr_assert_eq(seen.in_flight.count, 1, "the second of s");
	forget();
}

Test(jsonl, a_call_that_returned_twice_for_a_fork_in_it_is_two_calls_whoever_is_first)
{
	line("attempt", "'call':1,'pid':5");
	line("attempt", "'call':1,'pid':6");
	line("failure", "'call':1,'pid':6,'forked':true");
	line("success", "'call':1,'pid':5");
	cut_text();
	cr_assert_eq(inv_cut_total(&seen), 2);
	cr_assert_eq(seen.artifacts.rows[0].failed, 1);
	cr_assert_eq(seen.in_flight.count, 0);
	cr_assert_eq(src.calls[0].pid, 5);
	cr_assert_not(inv_call_failed(&src.calls[0]));
	forget();
}

Test(jsonl, lines_without_a_number_are_joined_by_what_was_called)
{
	line("attempt", "'tick':1,'invoker_id':'i','method':'m'");
	line("success", "'tick':1,'invoker_id':'i','method':'m'");
	line("attempt", "'tick':1,'invoker_id':'i','method':'m'");
	line("attempt", "'tick':1,'invoker_id':'j','method':'m'");
	line("success", "'tick':1,'invoker_id':'i','method':'m'");
	cut_text();
	cr_assert_eq(inv_cut_total(&seen), 2);
	cr_assert_eq(seen.in_flight.count, 1);
	forget();
}

Test(jsonl, an_attempt_that_comes_after_its_outcome_belongs_to_it)
{
	line("success", "'call':1");
	line("attempt", "'call':1");
	cr_assert_eq(read_text(text), 0);
	cr_assert_eq(src.call_count, 1);
	cr_assert_eq(src.calls[0].state, INV_CALL_DONE);
	inv_src_close(&src);
}

/* `cat` of a file whose last line does not end, blank lines, carriage returns. */
Test(jsonl, what_shares_a_line_with_an_event_is_not_lost)
{
	cr_assert_eq(read_text("{\"event_type\":\"invoke_success\",\"call\":1}"
			       "{\"event_type\":\"invoke_success\",\"call\":2}\r\n\r\n \n"
			       "{\"event_type\":\"invoke_success\",\"call\":3} and more\n"
			       "{\"event_type\":\"invo{\"event_type\":\"invoke_success\"}\n"),
		     0);
	cr_assert_eq(src.call_count, 3);
	cr_assert_eq(src.bad_lines, 2);
	inv_src_close(&src);
}

/* The table of what is open grows several times, with a call whose attempt is still to come. */
Test(jsonl, many_open_calls_find_their_outcomes)
{
	char rest[40];
	cr_assert_eq(inv_words_init(&src.words), 0);
	struct inv_jsonl *reading = inv_jsonl_new(&src);
	for (int round = 0; round < 2; round++)
		for (unsigned call = 0; call < 20000; call++) {
			sprintf(rest, "'call':%u,'pid':9", call);
			text[0] = '\0';
			line(round == (call == 7) ? "attempt" : "success", rest);
			cr_assert_eq(inv_jsonl_line(reading, text, strlen(text)), 0);
		}
	cr_assert_eq(src.call_count, 20000);
	for (unsigned i = 0; i < 20000; i++)
		cr_assert_eq(src.calls[i].state, INV_CALL_DONE, "%u", i);
	inv_jsonl_free(reading);
	src.fd = -1;
	inv_src_close(&src);
}

Test(jsonl, losses_of_several_runs_add_up)
{
	line("losses", "'lost':[{'reason':'no_lane','count':3}]");
	line("losses", "'lost':[{'reason':'no_lane','count':4}]");
	cut_text();
	cr_assert_eq(seen.lost_count, 1);
	cr_assert_eq(seen.lost[0].count, 7);
	forget();
}

/* The rings lost 5 events; of these the file lacks none, then 3 slots, then 9. */
Test(jsonl, a_file_lacks_what_its_lines_say_and_not_what_the_rings_lost_after_it)
{
	line("losses", "'lost':[{'reason':'lapped','count':5}]");
	cut_text();
	cr_assert_eq(seen.events_lapped, 0);
	cr_assert_eq(seen.lost_count, 0);
	forget();
	strcat(text, "{\"event_type\":\"events_lost\",\"first\":1,\"last\":3}\n");
	cut_text();
	cr_assert_eq(seen.events_lapped, 3);
	forget();
	strcat(text, "{\"event_type\":\"events_lost\",\"first\":4,\"last\":9}\n");
	cut_text();
	cr_assert_eq(seen.events_lapped, 5, "events, of 9 slots");
	forget();
}

/* a 10 us, in it b 4 us, in it c 1 us, then b 2 us; all written when a had ended. */
Test(jsonl, own_time_is_without_that_of_calls_within)
{
	line("attempt", "'call':1,'artifact_id':'a','timestamp':'2026-11-01T00:00:00.000000Z'");
	line("success", "'call':1,'artifact_id':'a','timestamp':'2026-11-01T00:00:00.000010Z',"
			"'duration_ms':0.01");
	line("attempt", "'call':2,'artifact_id':'b','depth':1,"
			"'timestamp':'2026-11-01T00:00:00.000001Z'");
	line("attempt", "'call':3,'artifact_id':'c','depth':2,"
			"'timestamp':'2026-11-01T00:00:00.000002Z'");
	line("success", "'call':3,'timestamp':'2026-11-01T00:00:00.000003Z','duration_ms':0.001");
	line("success", "'call':2,'timestamp':'2026-11-01T00:00:00.000005Z','duration_ms':0.004");
	line("attempt", "'call':4,'artifact_id':'b','depth':1,"
			"'timestamp':'2026-11-01T00:00:00.000006Z'");
	line("success", "'call':4,'timestamp':'2026-11-01T00:00:00.000008Z','duration_ms':0.002");
	/* the caller of this one is not in the file */
	line("attempt", "'call':6,'artifact_id':'d','depth':1,"
			"'timestamp':'2026-11-01T00:00:00.000020Z'");
	line("success", "'call':6,'timestamp':'2026-11-01T00:00:00.000022Z','duration_ms':0.002");
	cut_text();
	static const struct {
		const char *name;
		uint64_t self;
	} WANT[] = {{"b", 5000}, {"a", 4000}, {"c", 1000}, {"d", 2000}};
	cr_assert_eq(seen.artifacts.count, 4);
	for (size_t i = 0; i < 4; i++) {
		cr_assert_str_eq(seen.artifacts.rows[i].name, WANT[i].name);
		cr_assert_eq(seen.artifacts.rows[i].hist.self, WANT[i].self, "%s", WANT[i].name);
	}
	forget();
}

/* The attempt's was cut by 900 ns, the outcome's by 400. */
Test(jsonl, both_timestamps_of_a_call_are_read_back_as_they_were)
{
	struct inv_buf out;
	line("attempt", "'call':1,'timestamp':'2026-11-01T00:00:00.000005Z'");
	line("success", "'call':1,'timestamp':'2026-11-01T00:00:00.000007Z','duration_ms':0.0015");
	cr_assert_eq(read_text(text), 0);
	cr_assert_eq(inv_buf_init(&out, -1), 0);
	inv_events_of(&(struct inv_events){.out = &out}, &src);
	inv_buf_put(&out, "", 1);
	cr_assert_not_null(strstr(out.data, ":00.000005Z"));
	cr_assert_not_null(strstr(out.data, ":00.000007Z"));
	inv_buf_free(&out);
	inv_src_close(&src);
}

Test(jsonl, exact_totals_are_read_back_bucket_by_bucket)
{
	struct inv_buf out;
	struct inv_cut cut;
	forge_open();
	forge_lane(0);
	for (uint32_t b = 0; b < 40; b++)
		forge_cell(0, b, "wheat", b % 2 ? "buy" : "sell", b % 3 ? "int" : "timeout",
			   b % 3 == 0, b + 1, 1000 * (b + 1), b * 8);
	forge_pair(0, 1, "alice", "wheat", 820, 100);
	cr_assert_eq(inv_buf_init(&out, -1), 0);
	cr_assert_eq(inv_report_lines(&forge_view, &out), 0);
	inv_buf_put(&out, "", 1);
	cr_assert_eq(read_text(out.data), 0);
	cr_assert_eq(inv_cut_take(&cut, &src), 0);
	cr_assert_not(cut.from_events);
	cr_assert_eq(inv_cut_total(&cut), 820);
	cr_assert_eq(cut.invokers.rows[0].failed, 100);
	struct inv_buf again;
	cr_assert_eq(inv_buf_init(&again, -1), 0);
	cr_assert_eq(inv_report_cut_lines(&cut, &again), 0);
	inv_buf_put(&again, "", 1);
	char *want = strstr(out.data, "\"total_invocations\""), *stop = strstr(want, "\"session\"");
	char *got = strstr(again.data, "\"total_invocations\"");
	cr_assert_eq(strncmp(want, got, (size_t)(stop - want)), 0);
	inv_cut_free(&cut);
	inv_src_close(&src);
	inv_buf_free(&out);
	inv_buf_free(&again);
	forge_close();
}

/* Ticks 1 to 9 succeed but for 5: the cell of the failure is read last. */
Test(jsonl, the_last_tick_is_that_of_the_call_that_ended_last)
{
	struct inv_buf out;
	struct inv_cut cut;
	forge_open();
	forge_lane(0);
	forge_cell(0, 0, "wheat", "buy", "int", false, 8, 1000, 8);
	forge_cell(0, 1, "wheat", "buy", "timeout", true, 1, 1000, 8);
	atomic_store(&inv_segment_cells(&forge_seg, 0)[2].last_ticks, 9000);
	atomic_store(&inv_segment_cells(&forge_seg, 0)[3].last_ticks, 5000);
	atomic_store(&inv_segment_cells(&forge_seg, 0)[3].last_tick, 5);
	cr_assert_eq(inv_buf_init(&out, -1), 0);
	cr_assert_eq(inv_report_lines(&forge_view, &out), 0);
	inv_buf_put(&out, "", 1);
	cr_assert_eq(read_text(out.data), 0);
	cr_assert_eq(inv_cut_take(&cut, &src), 0);
	cr_assert_eq(cut.artifacts.rows[0].hist.last_tick, 9);
	cr_assert_eq(cut.begun, 9);
	inv_cut_free(&cut);
	inv_src_close(&src);
	inv_buf_free(&out);
	forge_close();
}

Test(jsonl, of_lines_that_do_not_say_when_calls_ended_the_last_tick_is_the_highest)
{
	struct inv_cut cut;
	cr_assert_eq(read_text("{\"event_type\":\"invoke_stats\",\"artifact_id\":\"a\",\"cells\":["
			       "{\"method\":\"m\",\"last_tick\":9,\"buckets\":[[1,8]]},"
			       "{\"method\":\"m\",\"failed\":true,\"last_tick\":5,"
			       "\"buckets\":[[1,1]]}]}\n"
			       "{\"event_type\":\"invoke_attempt\",\"call\":7}\n"),
		     0);
	cr_assert_eq(inv_cut_take(&cut, &src), 0);
	cr_assert_eq(cut.artifacts.rows[0].hist.last_tick, 9);
	cr_assert_eq(cut.begun, 10);
	inv_cut_free(&cut);
	inv_src_close(&src);
}

Test(jsonl, other_text_is_refused_and_odd_json_is_harmless)
{
	cr_assert_eq(read_text("hello\nworld\n"), -EINVAL);
	inv_src_close(&src);
	cr_assert_eq(read_text("{\"event_type\":\"invoke_success\",\"call\":[],\"tick\":\"x\"}\n"
			       "{\"event_type\":\"invoke_stats\",\"cells\":[1,{\"buckets\":[[9],"
			       "[-1,2],[999,1],[\"a\",{}]]}],\"invokers\":{}}\n"
			       "{\"event_type\":17}\n[]\nnull\n"),
		     0);
	inv_src_close(&src);
}

static size_t handed;

static int count_handed(void *arg, const struct inv_call *call)
{
	cr_assert_eq(call->state, INV_CALL_DONE);
	cr_assert_eq(call->id, 10 + handed, "in the order of their ends");
	handed++;
	return 0;
}

static void line_of(struct inv_jsonl *reading, const char *type, unsigned call, unsigned second)
{
	char line[400];
	int n = snprintf(line, sizeof(line),
			 "{\"event_type\":\"%s\",\"call\":%u,\"invoker_id\":\"i\",\"artifact_id\":"
			 "\"a\",\"method\":\"m\",\"error_type\":\"t\",\"error_message\":\"text\","
			 "\"duration_ms\":1.0,\"timestamp\":\"2026-11-01T00:00:%02u.000000Z\"}",
			 type, call, second);
	cr_assert_eq(inv_jsonl_line(reading, line, (size_t)n), 0);
}

Test(jsonl, calls_that_are_done_are_handed_over_and_open_ones_wait)
{
	src = (struct inv_src){.fd = -1, .borrowed = true, .kind = INV_SRC_JSONL};
	cr_assert_eq(inv_words_init(&src.words), 0);
	struct inv_jsonl *reading = inv_jsonl_new(&src);
	cr_assert_not_null(reading);
	for (unsigned call = 10; call < 14; call++)
		line_of(reading, "invoke_attempt", call, 1);
	line_of(reading, "invoke_failure", 11, 3);
	line_of(reading, "invoke_failure", 10, 2);
	cr_assert_eq(inv_jsonl_hand_over(reading, count_handed, NULL), 0);
	cr_assert_eq(handed, 2);
	cr_assert_eq(src.call_count, 2);
	line_of(reading, "invoke_failure", 13, 5);
	line_of(reading, "invoke_failure", 12, 4);
	line_of(reading, "invoke_failure", 14, 6);
	cr_assert_eq(inv_jsonl_hand_over(reading, count_handed, NULL), 0);
	cr_assert_eq(handed, 5);
	cr_assert_eq(src.call_count, 0);
	inv_jsonl_free(reading);
	inv_src_close(&src);
}
