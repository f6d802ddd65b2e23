/* SPDX-License-Identifier: MIT */
/*
 * verb_bench.c - `invreg bench`: what observing costs a program, measured on that program.
 *
 * Options end at the command, as with `run`.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "help.h"
#include "json.h"
#include "launch.h"
#include "options.h"
#include "output.h"
#include "say.h"
#include "table.h"
#include "verbs.h"

#define PAIRS_DEFAULT 10

struct request {
	struct inv_bench bench;
	const char *probes;
	bool json;
};

/* ---- table --------------------------------------------------------------------------------- */

static void signed_duration(char buf[32], double ns)
{
	buf[0] = ns < 0 ? '-' : '+';
	inv_table_format_duration(buf + 1, fabs(ns));
}

static void duration_cells(struct inv_table *t, const struct inv_sig_median *m)
{
	char value[40], low[40], high[40];
	signed_duration(value, m->value);
	signed_duration(low, m->low);
	signed_duration(high, m->high);
	inv_table_str(t, value);
	inv_table_printf(t, "%s .. %s", low, high);
}

static void add_row(struct inv_table *t, const char *name, const struct inv_bench_result *r)
{
	inv_table_str(t, name);
	inv_table_duration(t, r->bare_ns);
	inv_table_duration(t, r->observed_ns);
	inv_table_printf(t, "%+.2f%%", 100 * (r->ratio.value - 1));
	inv_table_printf(t, "%+.2f%% .. %+.2f%%", 100 * (r->ratio.low - 1),
			 100 * (r->ratio.high - 1));
	duration_cells(t, &r->added_ns);
	if (r->has_calls)
		duration_cells(t, &r->call_ns);
}

static const char *verdict(const struct inv_bench_result *r)
{
	if (r->ratio.coverage < INV_BENCH_CONFIDENCE)
		return "too few pairs to tell it from noise";
	if (r->ratio.low > 1)
		return "more than noise";
	return r->ratio.high < 1 ? "less than nothing, by more than noise: something else differs"
				 : "not more than noise";
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* least, median, most. Returns: 0 or -ENOMEM. */
static int count_calls(const struct inv_bench *bench, uint64_t calls[3])
{
	uint64_t *all = malloc(bench->pair_count * sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < bench->pair_count; i++)
		all[i] = bench->pairs[i].observed.calls;
	qsort(all, bench->pair_count, sizeof(*all), by_size);
	calls[0] = all[0];
	calls[1] = all[(bench->pair_count - 1) / 2];
	calls[2] = all[bench->pair_count - 1];
	free(all);
	return 0;
}

static void show_table(const struct inv_bench *bench, const struct inv_bench_result *wall,
		       const struct inv_bench_result *cpu, const uint64_t calls[3])
{
	char interval[32];
	const char *head[INV_TABLE_COLUMNS] = {"",	 ">BARE",   ">OBSERVED", ">OVERHEAD",
					       interval, ">IN ALL", interval};
	struct inv_table table;
	snprintf(interval, sizeof(interval), ">%.1f%% SURE", 100 * wall->ratio.coverage);
	if (wall->has_calls) {
		head[7] = ">A CALL";
		head[8] = interval;
	}
	printf("%zu pair%s of runs, bare and observed in turn, after one to warm up; ",
	       bench->pair_count, bench->pair_count == 1 ? "" : "s");
	if (calls[0] == calls[2])
		printf("%llu calls recorded in each\n\n", (unsigned long long)calls[1]);
	else
		printf("%llu calls recorded (%llu to %llu)\n\n", (unsigned long long)calls[1],
		       (unsigned long long)calls[0], (unsigned long long)calls[2]);
	inv_table_init(&table, head);
	add_row(&table, "wall time", wall);
	add_row(&table, "CPU time", cpu);
	inv_table_print(&table, stdout, inv_table_width(stdout), inv_table_color(stdout));
	inv_table_free(&table);
	printf("\nOverhead of wall time: %s. Of CPU time: %s.\n", verdict(wall), verdict(cpu));
	if (bench->status)
		printf("Each run ended with status %d.\n", bench->status);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void put_real(struct inv_json *j, const char *key, double value, int decimals)
{
	inv_json_key(j, key);
	inv_json_put_real(j, value, decimals);
}

static void put_ms(struct inv_json *j, const char *key, double ns)
{
	put_real(j, key, ns / 1e6, 6);
}

static void put_median(struct inv_json *j, const char *key, const struct inv_sig_median *m,
		       double divisor)
{
	inv_json_key(j, key);
	inv_json_open(j, '{');
	put_real(j, "median", m->value / divisor, 6);
	put_real(j, "low", m->low / divisor, 6);
	put_real(j, "high", m->high / divisor, 6);
	inv_json_close(j, '}');
}

static void put_result(struct inv_json *j, const char *key, const struct inv_bench_result *r)
{
	inv_json_key(j, key);
	inv_json_open(j, '{');
	put_ms(j, "bare_ms", r->bare_ns);
	put_ms(j, "observed_ms", r->observed_ns);
	put_median(j, "ratio", &r->ratio, 1);
	put_median(j, "added_ms", &r->added_ns, 1e6);
	if (r->has_calls)
		put_median(j, "ns_per_call", &r->call_ns, 1);
	inv_json_key(j, "more_than_noise");
	inv_json_put_bool(j, r->ratio.coverage >= INV_BENCH_CONFIDENCE && r->ratio.low > 1);
	inv_json_close(j, '}');
}

static void put_pairs(struct inv_json *j, const struct inv_bench *bench)
{
	inv_json_key(j, "pairs");
	inv_json_open(j, '[');
	for (size_t i = 0; i < bench->pair_count; i++) {
		const struct inv_bench_pair *p = &bench->pairs[i];
		inv_json_open(j, '{');
		put_ms(j, "bare_wall_ms", p->bare.wall_ns);
		put_ms(j, "observed_wall_ms", p->observed.wall_ns);
		put_ms(j, "bare_cpu_ms", p->bare.cpu_ns);
		put_ms(j, "observed_cpu_ms", p->observed.cpu_ns);
		inv_json_key(j, "calls");
		inv_json_put_u64(j, p->observed.calls);
		inv_json_close(j, '}');
	}
	inv_json_close(j, ']');
}

static int show_json(const struct inv_bench *bench, const struct inv_bench_result *wall,
		     const struct inv_bench_result *cpu, const uint64_t calls[3])
{
	struct inv_buf out;
	struct inv_json j = {.out = &out};
	int code = inv_output_open(&out);
	if (code)
		return code;
	inv_json_open(&j, '{');
	inv_json_key(&j, "command");
	inv_json_open(&j, '[');
	for (char **word = bench->command; *word; word++)
		inv_json_put_str(&j, *word);
	inv_json_close(&j, ']');
	inv_json_key(&j, "exit_status");
	inv_json_put_i64(&j, bench->status);
	inv_json_key(&j, "calls");
	inv_json_put_u64(&j, calls[1]);
	put_real(&j, "confidence", wall->ratio.coverage, 6);
	put_result(&j, "wall", wall);
	put_result(&j, "cpu", cpu);
	put_pairs(&j, bench);
	inv_json_close(&j, '}');
	inv_buf_line_end(&out);
	return inv_output_close(&out);
}

/* ---- all ----------------------------------------------------------------------------------- */

static int wrong(const char *what)
{
	inv_say("invreg: bench: %s; see `invreg bench --help`\n", what);
	return INV_EXIT_USAGE;
}

/* Returns: -1: go on; else the exit code. */
static int take_option(struct request *out, int option)
{
	uint64_t count;
	switch (option) {
	case 'n':
		if (!inv_options_count(optarg, &count) || !count || count > INV_BENCH_PAIRS_MAX)
			return wrong("-n is a number of pairs, 1 to 10000");
		out->bench.pair_count = (size_t)count;
		return -1;
	case 'p':
		out->probes = optarg;
		return -1;
	case 'i':
		out->bench.input = optarg;
		return -1;
	case 'o':
		out->bench.show = true;
		return -1;
	case 'd':
		return inv_options_dir("bench", optarg, &out->bench.dir);
	case 'j':
		out->json = true;
		return -1;
	case 'h':
		return inv_help("bench");
	case ':':
		return wrong("an option lacks its value");
	default:
		return wrong("unknown option");
	}
}

static int parse(struct request *out, int argc, char **argv)
{
	static const struct option options[] = {
		{"pairs", required_argument, NULL, 'n'}, {"probes", required_argument, NULL, 'p'},
		{"input", required_argument, NULL, 'i'}, {"show-output", no_argument, NULL, 'o'},
		{"dir", required_argument, NULL, 'd'},	 {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},	 {NULL, 0, NULL, 0}};
	int code = -1;
	out->probes = getenv("INVREG_PROBES");
	opterr = 0;
	optind = 0;
	for (int c; code < 0 && (c = getopt_long(argc, argv, "+:n:p:h", options, NULL)) != -1;)
		code = take_option(out, c);
	if (code >= 0)
		return code;
	if (optind >= argc)
		return wrong("no command");
	if (!out->probes || !*out->probes)
		return wrong("no probe file: give -p FILE or set INVREG_PROBES");
	out->bench.command = argv + optind;
	return -1;
}

static int report(const struct request *request)
{
	const struct inv_bench *bench = &request->bench;
	struct inv_bench_result wall, cpu;
	uint64_t calls[3];
	if (inv_bench_judge(bench, false, &wall) < 0 || inv_bench_judge(bench, true, &cpu) < 0 ||
	    count_calls(bench, calls) < 0) {
		inv_say("invreg: out of memory\n");
		return INV_EXIT_RUNTIME;
	}
	if (calls[2] == 0)
		inv_say("invreg: bench: no call was recorded: `invreg doctor` says why\n");
	if (request->json)
		return show_json(bench, &wall, &cpu, calls);
	show_table(bench, &wall, &cpu, calls);
	return inv_output_stdout_done();
}

int inv_verb_bench(int argc, char **argv)
{
	struct request request = {.bench = {.pair_count = PAIRS_DEFAULT}};
	struct inv_run_probes probes = {0};
	inv_launch_ignore_write_signals(&request.bench.signals);
	inv_output_fill_streams();
	int code = parse(&request, argc, argv);
	if (code >= 0)
		return code;
	request.bench.probes = &probes;
	request.bench.progress = isatty(STDERR_FILENO);
	request.bench.pairs = calloc(request.bench.pair_count, sizeof(*request.bench.pairs));
	if (!request.bench.pairs) {
		inv_say("invreg: out of memory\n");
		return INV_EXIT_RUNTIME;
	}
	code = inv_run_probes_read(&probes, request.probes, request.bench.command)
		       ? INV_EXIT_REFUSED
		       : inv_bench_run(&request.bench);
	if (code == 0)
		code = report(&request);
	inv_run_probes_free(&probes);
	free(request.bench.pairs);
	return code;
}
