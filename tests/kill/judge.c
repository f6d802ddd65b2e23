/* SPDX-License-Identifier: MIT */
/*
 * judge.c - judges the session of an observed host against the host's own truth.
 *
 *   judge SESSION.seg TRUTH.tsv EXTRA [--settled | --counted]
 *
 * The snapshot's JSON adds lanes up, and what one has too many could hide what another has
 * too few. Here each lane is looked at by itself, through view.h as a reader would:
 *
 *   lane     [I1] holds; its cells, and its pairs, add up to the calls that returned; no more
 *            names in flight than open calls, each whole. --settled: none is open. --counted: it
 *            was killed between counting a call as over and taking its name away.
 *   events   fields of different calls are not mixed: a host's args_count and message follow
 *            from the artifact, and starts do not go back within a lane
 *   totals   of each (artifact, method, outcome): returned <= recorded <= begun by the truth
 *            (and inherited: a call that was forked in may return twice); over all at most
 *            EXTRA (one a thread) that the host did not live to count, and as many begun as
 *            the host began, less EXTRA
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shm/tally.h"
#include "shm/view.h"

#define ARTIFACTS 64u
#define METHODS	  4u
#define TYPES	  5u /* success, and four errors */

static const char *const methods[METHODS] = {"transfer", "query", "bid", "settle"};
static const char *const types[TYPES] = {"", "permission", "validation", "timeout", "execution"};

struct outcomes {
	uint64_t of[ARTIFACTS][METHODS][TYPES];
};

static struct inv_view view;
static struct outcomes begun, returned, recorded;
static uint64_t inherited; /* by children that a call was forked in, at most */
static uint64_t lanes_begun, events_seen, open_seen, redone;
static unsigned complaints;

#define CHECK(cond, ...)                                                                           \
	do {                                                                                       \
		if (cond)                                                                          \
			break;                                                                     \
		if (complaints++ < 10) {                                                           \
			printf("judge: line %d: ", __LINE__);                                      \
			printf(__VA_ARGS__);                                                       \
			printf("\n");                                                              \
		}                                                                                  \
	} while (0)

/* ---- names ----------------------------------------------------------------------------- */

static int place_of(const char *const *list, unsigned count, const char *text, size_t length)
{
	for (unsigned i = 0; i < count; i++)
		if (strlen(list[i]) == length && !memcmp(list[i], text, length))
			return (int)i;
	return -1;
}

static int artifact_of(uint32_t id)
{
	char text[32];
	size_t length;
	unsigned number;
	const char *name = inv_view_name(&view, id, &length);
	if (length >= sizeof(text))
		return -1;
	memcpy(text, name, length);
	text[length] = 0;
	return sscanf(text, "artifact_%u", &number) == 1 && number < ARTIFACTS ? (int)number : -1;
}

static int method_of(uint32_t id)
{
	size_t length;
	const char *name = inv_view_name(&view, id, &length);
	return place_of(methods, METHODS, name, length);
}

static int type_of(bool failed, uint32_t type)
{
	size_t length;
	if (!failed)
		return 0;
	const char *name = inv_view_type(&view, type, &length);
	return place_of(types, TYPES, name, length);
}

/* ---- the host's truth ------------------------------------------------------------------ */

static unsigned type_of_code(int code)
{
	switch (code) {
	case 0:
		return 0;
	case -13:
		return 1;
	case -22:
		return 2;
	case -110:
		return 3;
	default:
		return 4;
	}
}

static void read_truth(const char *path)
{
	char line[256], method[32];
	unsigned artifact;
	int code, m;
	uint64_t b, r;
	FILE *file = fopen(path, "r");
	if (!file) {
		perror(path);
		exit(2);
	}
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "#inherited\t%" SCNu64, &inherited);
		if (line[0] == '#')
			continue;
		if (sscanf(line, "artifact_%u\t%31s\t%d\t%" SCNu64 "\t%" SCNu64, &artifact, method,
			   &code, &b, &r) != 5 ||
		    artifact >= ARTIFACTS ||
		    (m = place_of(methods, METHODS, method, strlen(method))) < 0) {
			printf("judge: no truth: %s", line);
			exit(2);
		}
		begun.of[artifact][m][type_of_code(code)] += b;
		returned.of[artifact][m][type_of_code(code)] += r;
	}
	fclose(file);
}

/* ---- lanes ----------------------------------------------------------------------------- */

static void add_cell(const struct inv_cell *cell, uint64_t *calls_out)
{
	uint64_t calls = inv_cell_calls(cell);
	*calls_out += calls;
	if (!calls)
		return;
	int a = artifact_of(INV_CELL_ARTIFACT(cell->key)),
	    m = method_of(INV_CELL_METHOD(cell->key)),
	    t = type_of(INV_CELL_FAILED(cell->key), INV_CELL_TYPE(cell->key));
	CHECK(a >= 0 && m >= 0 && t >= 0, "a cell of no call: key %#" PRIx64, (uint64_t)cell->key);
	if (a < 0 || m < 0 || t < 0)
		return;
	recorded.of[a][m][t] += calls;
	CHECK(cell->min_ticks <= cell->max_ticks && cell->sum_ticks <= calls * cell->max_ticks &&
		      cell->self_ticks <= cell->sum_ticks,
	      "sums of artifact_%d.%s contradict each other", a, methods[m]);
}

static unsigned names_in_flight(const struct inv_lane *lane, uint32_t index)
{
	unsigned names = 0;
	for (unsigned i = 0; i < INV_INFLIGHT_MAX; i++) {
		const struct inv_inflight *e = &lane->inflight[i];
		if (!e->ordinal_1 || e->ordinal_1 > lane->begun)
			continue;
		int a = artifact_of((uint32_t)(e->who >> 32));
		names++;
		CHECK(a >= 0 && method_of((uint32_t)e->what) >= 0 && e->start_ticks &&
			      INV_WHERE_ARGS(e->where) == a % 5,
		      "lane %u: in-flight entry %u is torn", index, i);
	}
	return names;
}

static void judge_event(const struct inv_event *e)
{
	struct inv_event_text text;
	char want[40];
	int a = artifact_of(e->artifact);
	CHECK(a >= 0 && method_of(e->method) >= 0 && e->args_count == a % 5 && e->start_ticks,
	      "lane %u: event %" PRIu64 " is torn", e->lane, e->index);
	if (e->state != INV_SLOT_DONE)
		return;
	bool failed = e->flags & INV_FLAG_FAILED;
	int type = type_of(failed, e->type);
	CHECK(type >= 0 && (type > 0) == failed, "lane %u: outcome of %" PRIu64 " is torn", e->lane,
	      e->index);
	inv_view_event_text(&view, e, &text);
	if (text.lapped || !failed)
		return;
	size_t length = (size_t)snprintf(want, sizeof(want), "artifact_%d: ", a);
	CHECK(text.message_length > length && !memcmp(text.message, want, length),
	      "lane %u: the message of %" PRIu64 " is another's", e->lane, e->index);
}

static void judge_ring(uint32_t lane, uint64_t head)
{
	uint32_t slots = inv_view_ring_slots(&view, lane);
	uint64_t last_start = 0, i = head > slots ? head - slots + 1 : 1;
	struct inv_event e;
	for (; slots && i <= head; i++) {
		enum inv_slot_read read = inv_view_event(&view, lane, i, &e);
		/* What was being written at the kill, its text too, may have lapped the oldest. */
		CHECK(read == INV_SLOT_READ_OK ||
			      (read == INV_SLOT_READ_LAPPED && i + slots <= head + 14),
		      "lane %u: slot %" PRIu64 " of %" PRIu64 " reads %d", lane, i, head, read);
		if (read != INV_SLOT_READ_OK || e.state == INV_SLOT_TEXT)
			continue;
		judge_event(&e);
		events_seen++;
		if (e.flags & (INV_FLAG_REWRITTEN | INV_FLAG_FORKED))
			continue;
		CHECK(e.start_ticks >= last_start, "lane %u: starts go back at %" PRIu64, lane, i);
		last_start = e.start_ticks;
	}
}

static void judge_lane(uint32_t lane, bool settled, bool counted)
{
	struct inv_lane_copy c;
	uint64_t in_cells = 0, in_pairs = 0;
	if (inv_view_lane(&view, lane, &c))
		return; /* claimed, and killed before anything was granted */
	struct inv_lane *l = &c.fixed;
	uint64_t open = inv_lane_copy_open_calls(&c);
	for (uint32_t i = 0; i < c.cell_count; i++)
		add_cell(&c.cells[i], &in_cells);
	for (uint32_t i = 0; i < c.pair_count; i++)
		in_pairs += c.pairs[i].calls;
	CHECK(l->begun + l->inherited ==
		      l->returned + l->abandoned + l->never_returned + l->moved + open,
	      "lane %u contradicts itself [I1]", lane);
	CHECK(in_cells == l->returned, "lane %u: %" PRIu64 " in cells, %" PRIu64 " returned", lane,
	      in_cells, (uint64_t)l->returned);
	CHECK(in_pairs == l->returned, "lane %u: %" PRIu64 " in pairs, %" PRIu64 " returned", lane,
	      in_pairs, (uint64_t)l->returned);
	CHECK(names_in_flight(l, lane) <= open || counted,
	      "lane %u: more names than %" PRIu64 " open calls", lane, open);
	CHECK(!settled || !open, "lane %u: %" PRIu64 " open", lane, open);
	lanes_begun += l->begun;
	open_seen += open;
	redone += c.redone;
	judge_ring(lane, l->head);
	inv_lane_copy_free(&c);
}

static void judge_overflow(void)
{
	struct inv_overflow_copy c;
	uint64_t in_cells = 0;
	inv_view_overflow(&view, &c);
	for (uint32_t i = 0; i < c.cell_count; i++)
		add_cell(&c.cells[i], &in_cells);
	CHECK(in_cells <= c.fixed.begun + c.fixed.inherited, "overflow: more returned than begun");
	lanes_begun += c.fixed.begun;
	inv_overflow_copy_free(&c);
}

/* ---- totals ---------------------------------------------------------------------------- */

static void judge_totals(uint64_t extra)
{
	uint64_t sum_begun = 0, sum_returned = 0, sum_recorded = 0;
	for (unsigned a = 0; a < ARTIFACTS; a++)
		for (unsigned m = 0; m < METHODS; m++)
			for (unsigned t = 0; t < TYPES; t++) {
				uint64_t least = returned.of[a][m][t], most = begun.of[a][m][t],
					 have = recorded.of[a][m][t];
				CHECK(least <= have && have <= most + inherited,
				      "artifact_%u.%s %s: %" PRIu64 " recorded, truth %" PRIu64
				      " to %" PRIu64,
				      a, methods[m], types[t], have, least, most);
				sum_begun += most;
				sum_returned += least;
				sum_recorded += have;
			}
	CHECK(sum_recorded <= sum_returned + extra, "%" PRIu64 " recorded, %" PRIu64 " returned",
	      sum_recorded, sum_returned);
	CHECK(lanes_begun <= sum_begun && sum_begun <= lanes_begun + extra,
	      "%" PRIu64 " begun in lanes, %" PRIu64 " by the truth", lanes_begun, sum_begun);
	printf("%" PRIu64 " calls, %" PRIu64 " open, %" PRIu64 " events, %" PRIu64 " redone\n",
	       sum_recorded, open_seen, events_seen, redone);
}

int main(int argc, char **argv)
{
	uint32_t version;
	if (argc < 4)
		return 2;
	int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	enum inv_result opened = inv_view_open(&view, fd, &version);
	if (opened) {
		printf("judge: %s is no segment: %d\n", argv[1], opened);
		return 2;
	}
	read_truth(argv[2]);
	for (uint32_t lane = 0; lane < inv_view_lane_count(&view); lane++)
		judge_lane(lane, argc > 4 && !strcmp(argv[4], "--settled"),
			   argc > 4 && !strcmp(argv[4], "--counted"));
	judge_overflow();
	judge_totals(strtoull(argv[3], NULL, 10));
	return complaints != 0;
}
